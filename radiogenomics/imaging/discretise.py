"""Grey levels: intensities of a region in bins of one width, or in a fixed number of bins."""

from __future__ import annotations

from typing import Any

import numpy as np

from radiogenomics.core.errors import DataError
from radiogenomics.imaging.radiomics import _kernels
from radiogenomics.imaging.radiomics.roi import GreyLevels, Roi

Array = np.ndarray[Any, np.dtype[Any]]

# What levels can be counted with at all: they are stored in 16 bits.
MOST_BINS = 65_000


def grey_levels(
    roi: Roi, *, bin_width: float | None, bin_count: int | None, maximum_bins: int
) -> GreyLevels:
    r"""Cut a region into grey levels as pyradiomics does.

    With a width w, :math:`l = \lfloor v/w \rfloor - \lfloor \min v/w \rfloor + 1`: edges are
    multiples of the width, so a level means the same intensity in patients whose minima share a
    bin. With a count n, :math:`l = \lfloor n (v - \min v)/(\max v - \min v) \rfloor + 1`, the
    maximum in level n: levels are relative to the region, and outliers squeeze the rest together.

    Parameters
    ----------
    roi
        Voxels; those inside are finite.
    bin_width, bin_count
        One of the two; the count wins if both are given.
    maximum_bins
        More levels than this are refused.

    Raises
    ------
    DataError
        There would be more than ``maximum_bins`` levels, or neither width nor count is given.

    Examples
    --------
    >>> roi = Roi(np.array([[[54.0, 75.0, 166.0]]]), np.ones((1, 1, 3), dtype=bool), (1, 1, 1))
    >>> grey_levels(roi, bin_width=25, bin_count=None, maximum_bins=100).levels
    array([[[1, 2, 5]]], dtype=uint16)
    """
    values = roi.values[roi.inside]
    if bin_count is not None:
        _require_fitting(bin_count, values, maximum_bins)
        edges = np.histogram_bin_edges(values, bin_count)
        edges[-1] += 1
    else:
        edges = _edges_of_width(values, _given(bin_width), maximum_bins)
    return _placed(_kernels.bin_levels(values, edges), roi)


def ibsi_grey_levels(
    roi: Roi,
    *,
    bin_width: float | None,
    bin_count: int | None,
    lowest: float | None,
    maximum_bins: int,
) -> GreyLevels:
    r"""Cut a region into grey levels as the IBSI defines them.

    With a width w, :math:`l = \lfloor (v - a)/w \rfloor + 1` with the lower bound a of the
    re-segmentation range (Q3RU); with a count n as in :func:`grey_levels` (K15C).

    Parameters
    ----------
    lowest
        Lower bound a; None: the region's minimum.

    Raises
    ------
    DataError
        As for :func:`grey_levels`, or an intensity lies below ``lowest``.

    References
    ----------
    Zwanenburg et al. 2020, doi:10.1148/radiol.2020191145
    """
    values = roi.values[roi.inside]
    low = float(values.min())
    if bin_count is not None:
        _require_fitting(bin_count, values, maximum_bins)
        spread = float(values.max()) - low
        shares = (values - low) / spread if spread > 0 else np.zeros_like(values)
        found = np.minimum(np.floor(bin_count * shares) + 1, bin_count)
        return _placed(found.astype(np.uint16), roi)
    start = low if lowest is None else lowest
    if low < start:
        raise DataError(
            f"expected intensities of at least {start:g}, the lower bound of the range; found "
            f"{low:g}. Re-segment the region first."
        )
    width = _given(bin_width)
    _require_fitting((float(values.max()) - start) / width + 1, values, maximum_bins)
    return _placed((np.floor((values - start) / width) + 1).astype(np.uint16), roi)


def _edges_of_width(values: Array, width: float, maximum_bins: int) -> Array:
    low, high = values.min(), values.max()
    if values.dtype.kind != "f":
        low, high = float(low), float(high)
    # Of single precision the first edge is one too, as pyradiomics has it: 0.7 is no such number.
    start = low - low % width
    _require_fitting((float(high) - float(start)) / width + 1, values, maximum_bins)
    edges = np.arange(start, high + 2 * width, width)
    # Fewer edges are left where the width vanishes beside the intensities: the region is flat.
    return edges if len(edges) > 1 else np.array([float(start), np.inf])


def _placed(found: Array, roi: Roi) -> GreyLevels:
    levels = np.zeros(roi.inside.shape, dtype=np.uint16)
    levels[roi.inside] = found
    return GreyLevels(levels, int(found.max()))


def _given(bin_width: float | None) -> float:
    if bin_width is None:
        raise DataError("expected a bin width or a bin count; found neither. Give one.")
    return bin_width


def _require_fitting(bins: float, values: Array, maximum_bins: int) -> None:
    """Raise DataError before memory is filled by matrices of too many levels."""
    most = min(maximum_bins, MOST_BINS)
    if bins < most + 1:
        return
    low, high = float(values.min()), float(values.max())
    raise DataError(
        f"expected at most {most} grey levels; found {bins:.0f} for intensities from {low:g} to "
        f"{high:g}. Use a wider bin (a bin_width of {(high - low) / 64:.3g} gives about 64 levels, "
        f"{(high - low) / 256:.3g} about 256) or a bin_count, or raise maximum_bins knowingly."
    )
