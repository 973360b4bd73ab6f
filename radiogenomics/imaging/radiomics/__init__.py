"""Radiomic features of one region: one family a file, over a small compiled extension."""
