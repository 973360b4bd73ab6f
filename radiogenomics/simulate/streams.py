"""Named random streams: each part of a simulation draws from its own, found by words.

A part that is left out or read later then changes no other part: the molecules of a cohort are the
same with and without scans, and a scan is the same whichever is read first.
"""

from __future__ import annotations

import zlib

import numpy as np

WORLD = 1936
"""Seed of what all simulated cohorts share: how genes behave, and what each site's devices do."""


def stream(seed: int, *words: str | int) -> np.random.Generator:
    """Return the generator that belongs to ``seed`` and ``words``.

    Parameters
    ----------
    seed
        Seed of the cohort, or ``WORLD``.
    words
        Path of the part, for example ``"noise", 12, "arterial"``.

    Examples
    --------
    >>> bool(stream(1, "rna").normal() == stream(1, "rna").normal())
    True
    >>> bool(stream(1, "rna").normal() == stream(1, "protein").normal())
    False
    """
    path = [zlib.crc32(word.encode()) if isinstance(word, str) else word for word in words]
    return np.random.default_rng([seed, *path])
