"""Single cells, on scanpy: which to keep, what they are, what they express and how they differ.

Functions take an AnnData of cells × genes and leave it as it is; those that add to it return a
copy. Raw counts stay in ``layers["counts"]``.
"""
