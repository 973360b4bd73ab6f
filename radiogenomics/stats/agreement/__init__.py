"""Readers and readings: intraclass correlation, kappa, limits of agreement."""
