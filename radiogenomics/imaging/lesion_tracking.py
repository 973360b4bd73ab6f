r"""Which lesion of one scan is which of a later one, and how large they are in both.

Two lesions are linked when they share at least a tenth of the smaller one: the overlap
:math:`|A \cap B| / \min(|A|, |B|)` is 1 for a lesion that shrank within its old outline, where
Dice's :math:`2 |A \cap B| / (|A| + |B|)` would be small. Among linked lesions pairs are chosen so
that the sum of their Dice is highest, and other links between them are let go. A lesion left over
joins the one that it overlaps most, which was split if the lesion left over is of the follow-up,
and merged if it is of the baseline. Matching misleads where organs moved more than lesions are
wide: look at the scans, and at the overlaps.

A table has one row for each pair that belongs together and for each vanished or new lesion:
``baseline_lesion`` and ``follow_up_lesion`` (None where there is none), ``status`` (``persistent``,
``vanished``, ``new``, ``split``, ``merged``), ``overlap`` and ``dice``, ``baseline_mm`` and
``follow_up_mm``, and ``counted_mm``: what the row adds to the follow-up's sum over lesions of the
baseline, so that a lesion in several rows counts once; NaN for new ones. Diameters are the longest
in a slice across z, in mm, between vertices of the mesh (``Maximum2DDiameterSlice``), which lie
half a voxel outside of the outermost centres.

References
----------
Eisenhauer et al. 2009, doi:10.1016/j.ejca.2008.10.026 (RECIST 1.1: lesions that split are summed,
lesions that merge are measured once).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from radiogenomics.core.errors import DataError, GeometryError, SchemaError, short_list
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.masks import bounding_box, split_lesions
from radiogenomics.imaging.radiomics.shape import shape_features

Array = np.ndarray[Any, np.dtype[Any]]

PERSISTENT, VANISHED, NEW = "persistent", "vanished", "new"
SPLIT, MERGED = "split", "merged"
BY_SIZE = "#"
DIAMETER = "Maximum2DDiameterSlice"
COLUMNS = (
    "baseline_lesion",
    "follow_up_lesion",
    "status",
    "overlap",
    "dice",
    "baseline_mm",
    "follow_up_mm",
    "counted_mm",
)
# Directions and positions of one grid, written by two programs, differ by rounding.
SAME_PLACE = 1e-3


@dataclass(frozen=True, eq=False)
class _Lesions:
    """Lesions of a scan: their names, and their number (1, 2, ...; 0 none) in each voxel."""

    names: tuple[str, ...]
    numbers: Array


@dataclass(frozen=True)
class _Pair:
    """Positions of two lesions that belong together; None where there is no such lesion."""

    baseline: int | None
    follow_up: int | None
    status: str
    counts: bool = True


def track_lesions(
    baseline: Volume,
    follow_up: Volume,
    *,
    region: str = "tumour",
    least_overlap: float = 0.1,
    measured: str | None = None,
    numbered: bool | None = None,
    as_scanned: Volume | None = None,
) -> pd.DataFrame:
    """Match the lesions of two scans on one grid and measure both; columns as in ``COLUMNS``.

    Parameters
    ----------
    baseline, follow_up
        Scans on one grid, as after :func:`radiogenomics.imaging.registration.register`.
    region
        Mask of the lesions.
    least_overlap
        Above 0, up to 1: overlap from which lesions are linked.
    measured
        Mask of what is measured of each lesion, as its viable part for mRECIST; None: all of it.
    numbered
        Whether numbers in the masks tell lesions apart, or, False, connection; None: numbers where
        a mask has several. Numbered lesions are named by number, others ``#1``, ``#2`` by size.
    as_scanned
        The follow-up before registration: lesions, told apart by number, are measured there, as
        resampling roughens outlines and an affine transform changes sizes.

    Raises
    ------
    GeometryError, UnknownNameError
        The scans have other grids; one lacks a mask.
    DataError, SchemaError
        ``least_overlap`` is out of range; lesions as scanned have other numbers.
    """
    if not 0 < least_overlap <= 1:
        raise DataError(
            f"least_overlap: expected above 0, up to 1; found {least_overlap}. Use 0.1."
        )
    _require_same_grid(baseline, follow_up)
    apart = True if as_scanned is not None else numbered
    before = _lesions(baseline.mask(region), apart)
    after = _lesions(follow_up.mask(region), apart)
    before_mm = _diameters(baseline, before, measured)
    if as_scanned is None:
        after_mm = _diameters(follow_up, after, measured)
    else:
        seen = _lesions(as_scanned.mask(region), apart)
        after_mm = _same_names(after, seen, _diameters(as_scanned, seen, measured))
    shared = _shared(before, after)
    size, later = _sizes(before)[:, np.newaxis], _sizes(after)
    overlap, dice = shared / np.minimum(size, later), 2 * shared / (size + later)
    pairs = _matched(shared, overlap >= least_overlap, dice)
    return _table(
        pairs, (before.names, after.names), mm=(before_mm, after_mm), overlaps=(overlap, dice)
    )


def _table(
    pairs: list[_Pair],
    names: tuple[tuple[str, ...], tuple[str, ...]],
    *,
    mm: tuple[list[float], list[float]],
    overlaps: tuple[Array, Array],
) -> pd.DataFrame:
    """Rows of ``COLUMNS``."""
    rows = []
    for pair in pairs:
        b, f = pair.baseline, pair.follow_up
        both = b is not None and f is not None
        before_mm = 0.0 if b is None else mm[0][b]
        after_mm = 0.0 if f is None else mm[1][f]
        counted = after_mm if pair.counts else 0.0
        row = (
            None if b is None else names[0][b],
            None if f is None else names[1][f],
            pair.status,
            *(each[b, f] if both else 0.0 for each in overlaps),
            before_mm,
            after_mm,
            math.nan if b is None else counted,
        )
        rows.append(row)
    table = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
    return table.astype(dict.fromkeys(COLUMNS[3:], float))


def _require_same_grid(first: Volume, second: Volume) -> None:
    """Raise GeometryError unless voxels of both lie in the same places."""
    places = [(*each.spacing_mm, *each.origin_mm, *each.direction) for each in (first, second)]
    if first.voxels.shape == second.voxels.shape and np.allclose(*places, rtol=0, atol=SAME_PLACE):
        return
    raise GeometryError(
        f"expected scans on one grid; found {first!r} and {second!r}, or another origin or "
        "direction. Register the follow-up to the baseline first."
    )


def _lesions(mask: Array, numbered: bool | None) -> _Lesions:
    """Lesions by number, in its order, or by connection, largest first; none in an empty mask."""
    present = np.unique(mask[mask > 0].astype(np.int64))
    if not present.size:
        return _Lesions((), np.zeros(mask.shape, dtype=np.int64))
    if numbered is None:
        numbered = present.size > 1
    if numbered:
        places = np.searchsorted(present, mask.astype(np.int64)) + 1
        return _Lesions(tuple(map(str, present.tolist())), np.where(mask > 0, places, 0))
    ranked = split_lesions(mask > 0)
    names = tuple(f"{BY_SIZE}{n}" for n in range(1, int(ranked.max()) + 1))
    return _Lesions(names, ranked.astype(np.int64))


def _diameters(volume: Volume, lesions: _Lesions, measured: str | None) -> list[float]:
    """Longest diameter in a slice of each lesion, in mm; 0 where nothing of it is measured."""
    counted = None if measured is None else volume.mask(measured) > 0
    found = []
    for number in range(1, len(lesions.names) + 1):
        inside = lesions.numbers == number
        if counted is not None:
            inside &= counted
        if not inside.any():
            found.append(0.0)
            continue
        part = inside[bounding_box(inside)]
        found.append(
            shape_features(part, spacing_mm=volume.spacing_mm, names=(DIAMETER,))[DIAMETER]
        )
    return found


def _same_names(lesions: _Lesions, seen: _Lesions, diameters: list[float]) -> list[float]:
    """Diameters of lesions as scanned, in the order in which they are tracked."""
    known = dict(zip(seen.names, diameters, strict=True))
    foreign = [name for name in lesions.names if name not in known]
    if foreign:
        raise SchemaError(
            f"expected the lesions of the follow-up among those as scanned "
            f"({short_list(seen.names) or 'none'}); found {short_list(foreign)} elsewhere. Number "
            "lesions before registration, and give that scan."
        )
    return [known[name] for name in lesions.names]


def _shared(before: _Lesions, after: _Lesions) -> Array:
    """Voxels that each two lesions share, shape (baseline, follow-up)."""
    rows, columns = len(before.names) + 1, len(after.names) + 1
    both = before.numbers * columns + after.numbers
    counts = np.bincount(both.ravel(), minlength=rows * columns)
    return counts.reshape(rows, columns)[1:, 1:]


def _sizes(lesions: _Lesions) -> Array:
    return np.bincount(lesions.numbers.ravel(), minlength=len(lesions.names) + 1)[1:]


def _matched(shared: Array, linked: Array, dice: Array) -> list[_Pair]:
    """Pairs by one-to-one assignment, lesions left over joined to them, and single ones."""
    rows, columns = linear_sum_assignment(np.where(linked, dice, 0.0), maximize=True)
    assigned = [(b, f) for b, f in zip(rows, columns, strict=True) if linked[b, f]]
    nearest = np.where(linked, shared, -1)
    partners = dict(assigned)
    owners = {f: b for b, f in assigned}
    for f in np.flatnonzero(linked.any(axis=0)):
        owners.setdefault(f, int(nearest[:, f].argmax()))
    pieces = Counter(owners.values())
    for b in np.flatnonzero(linked.any(axis=1)):
        partners.setdefault(b, int(nearest[b].argmax()))
    joined = Counter(partners.values())
    together = {(b, f): True for f, b in owners.items()}
    for b, f in partners.items():
        together.setdefault((b, f), False)
    pairs = [
        _Pair(
            int(b),
            int(f),
            SPLIT if counts and pieces[b] > 1 else MERGED if joined[f] > 1 else PERSISTENT,
            counts,
        )
        for (b, f), counts in sorted(together.items())
    ]
    alone = [_Pair(int(b), None, VANISHED) for b in np.flatnonzero(~linked.any(axis=1))]
    new = [_Pair(None, int(f), NEW) for f in np.flatnonzero(~linked.any(axis=0))]
    return [*sorted([*pairs, *alone], key=_order), *new]


def _order(pair: _Pair) -> tuple[int, int]:
    return (-1 if pair.baseline is None else pair.baseline, pair.follow_up or 0)
