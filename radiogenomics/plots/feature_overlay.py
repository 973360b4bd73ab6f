"""Where in the region a linked feature is high, or a network looks: a map over the scan."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from radiogenomics.core.errors import DataError, GeometryError
from radiogenomics.plots.link_words import feature_label
from radiogenomics.plots.style import FAINT, INK, MUTED, SMALL, name_axes, new_axes, plain, write

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

LENGTHS_MM = (1, 2, 5, 10, 20, 50, 100)
MARGIN = 0.35
"""Of the region's width that is shown around it."""
COLOURS = "viridis"
THICK, THIN = 0.85, 0.5
"""Opacity of a map in the region, and of one that covers its surroundings."""
PANEL, SIDE, ABOVE, EDGE = (3.25, 3.4), 0.85, 0.55, 0.12
"""Inches: of a panel at most, beside both for the colour bar, above them, and at the edges."""
APART = 0.03
"""Between the panels, of their width."""


def largest_slice(mask: NDArray[Any]) -> int:
    """Return the slice (first axis) in which the region has the most voxels; the first of equals.

    Raises
    ------
    DataError
        The mask is empty, or has not three axes.

    Examples
    --------
    >>> mask = np.zeros((3, 4, 4), dtype=bool)
    >>> mask[1, :2, :2] = True
    >>> largest_slice(mask)
    1
    """
    inside = np.asarray(mask) > 0
    if inside.ndim != 3 or not inside.any():
        raise DataError(
            f"expected a mask of three axes with voxels in it; found {inside.ndim} axes and "
            f"{int(inside.sum())} voxels. Pass the mask of the region, as (z, y, x)."
        )
    return int(inside.sum(axis=(1, 2)).argmax())


def draw_feature_overlay(
    scan: NDArray[Any],
    feature_map: NDArray[Any],
    mask: NDArray[Any],
    *,
    feature: str,
    spacing_mm: tuple[float, float],
    ax: Axes | None = None,
    unit: str = "",
    window: tuple[float, float] | None = None,
    limits: tuple[float, float] | None = None,
    beyond: bool = False,
    title: str | None = None,
) -> Axes:
    """Draw one slice twice: the scan with the region's contour, and the feature's map over it.

    Maps of several patients compare only under the same `limits`, and none adds up to the value of
    the whole region: a voxel is measured in its small surroundings.

    Parameters
    ----------
    scan, feature_map, mask, beyond
        One slice each, (rows, columns), the first row on top; the map is drawn in the mask only, or
        thinly `beyond` it too, as for heat maps of networks (with `limits` of 0 and 1).
    feature, unit, title, spacing_mm
        For the colour bar and the figure; of rows and of columns.
    ax
        Axes of the overlay, with room on the left; new ones when not given.
    window, limits
        Of the greys (else 1st to 99th percentile) and colours (else 2nd to 98th in the region).

    Returns
    -------
    Axes

    Raises
    ------
    GeometryError, DataError
        The arrays are no slices of one shape with spacings above 0; the region has no value.

    Examples
    --------
    >>> scan = np.arange(64.0).reshape(8, 8)
    >>> ax = draw_feature_overlay(scan, scan, scan > 40, feature="deep_1", spacing_mm=(1.0, 1.0))
    >>> int(ax.images[1].get_array().count())
    23
    """
    scan, values, inside = _cropped(scan, feature_map, mask, spacing_mm=spacing_mm)
    ax = new_axes(_placed(scan.shape, spacing_mm) if ax is None else ax)
    bare = ax.inset_axes((-1 - APART, 0, 1, 1))
    names = ("scan and region", "heat map" if beyond else "map of the feature")
    for axes, name in zip((bare, ax), names, strict=True):
        _draw_scan(axes, scan, aspect=spacing_mm[0] / spacing_mm[1], window=window)
        _outline(axes, inside)
        write(axes, name, (0, 1), coords="axes fraction", offset=(0, 7), colour=MUTED)
    picture = _draw_map(ax, np.ma.masked_where(~(inside | beyond), values), limits, thin=beyond)
    _colour_bar(ax, picture, feature, unit=unit)
    _scale_bar(bare, scan.shape, spacing_mm)
    name_axes(bare, x="", y="", title=title, raised=True)
    return ax


def _draw_map(
    ax: Axes, shown: np.ma.MaskedArray, limits: tuple[float, float] | None, *, thin: bool
) -> ScalarMappable:
    shown = np.ma.masked_invalid(shown)
    low, high = np.percentile(shown.compressed(), (2, 98)) if limits is None else limits
    return ax.imshow(
        shown, cmap=COLOURS, vmin=low, vmax=high, aspect=ax.get_aspect(),
        alpha=THIN if thin else THICK, interpolation="nearest",
    )  # fmt: skip


def _draw_scan(
    axes: Axes, scan: Floats, *, aspect: float, window: tuple[float, float] | None
) -> None:
    low, high = np.nanpercentile(scan, (1, 99)) if window is None else window
    axes.imshow(scan, cmap="gray", vmin=low, vmax=high, aspect=aspect, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _cropped(
    scan: NDArray[Any],
    feature_map: NDArray[Any],
    mask: NDArray[Any],
    *,
    spacing_mm: tuple[float, float],
) -> tuple[Floats, Floats, Mask]:
    """Scan, map and region around the region; refuses what is no slice of all three."""
    shapes = [np.shape(array) for array in (scan, feature_map, mask)]
    flat = len(shapes[0]) == 2 and len(set(shapes)) == 1
    if not flat or len(spacing_mm) != 2 or not min(spacing_mm) > 0:
        raise GeometryError(
            "overlay: expected scan, map and mask of one slice, (rows, columns) of the same shape, "
            f"and two spacings above 0 mm; found shapes {', '.join(map(str, shapes))} and spacings "
            f"{tuple(spacing_mm)}. Cut the same slice from all, and take the spacing of its axes."
        )
    inside = np.asarray(mask) > 0
    values = np.asarray(feature_map, dtype=float)
    known = int(np.isfinite(values[inside]).sum())
    if not known:
        raise DataError(
            f"overlay: expected a map with values in the region; found {int(inside.sum())} voxels "
            "of the region, none with a value. Take the slice that largest_slice gives."
        )
    box = _box(inside, spacing_mm)
    return np.asarray(scan, dtype=float)[box], values[box], inside[box]


def _box(inside: Mask, spacing_mm: tuple[float, float]) -> tuple[slice, slice]:
    """Rows and columns of the region with a margin that is as wide on all sides, in millimetres."""
    ends = [np.flatnonzero(inside.any(axis=axis))[[0, -1]] for axis in (1, 0)]
    sizes = [(end[1] - end[0] + 1) * step for end, step in zip(ends, spacing_mm, strict=True)]
    margins = [int(np.ceil(MARGIN * max(sizes) / step)) for step in spacing_mm]
    rows, columns = (
        slice(max(0, int(end[0]) - margin), int(end[1]) + margin + 1)
        for end, margin in zip(ends, margins, strict=True)
    )
    return rows, columns


def _placed(shape: tuple[int, ...], spacing_mm: tuple[float, float]) -> Axes:
    """Axes of the overlay, placed by the inch, with room for the scan on their left."""
    tall, wide = (length * step for length, step in zip(shape, spacing_mm, strict=True))
    scale = min(PANEL[0] / wide, PANEL[1] / tall)
    width, height = scale * wide, scale * tall
    whole = (EDGE + (2 + APART) * width + SIDE, EDGE + height + ABOVE)
    figure = Figure(figsize=whole, facecolor="white")
    FigureCanvasAgg(figure)
    left = EDGE + (1 + APART) * width
    place = (left / whole[0], EDGE / whole[1], width / whole[0], height / whole[1])
    return figure.add_axes(place)


def _outline(axes: Axes, inside: Mask) -> None:
    """Draw the edge of the region, white with a dark rim, so that it shows on any grey."""
    padded = np.pad(inside, 1).astype(float)
    places = [np.arange(-1, length + 1) for length in inside.shape]
    for colour, width in ((INK, 2.4), ("white", 1.2)):
        axes.contour(places[1], places[0], padded, [0.5], colors=colour, linewidths=width, zorder=3)
    axes.set(xlim=(-0.5, inside.shape[1] - 0.5), ylim=(inside.shape[0] - 0.5, -0.5))


def _colour_bar(ax: Axes, picture: ScalarMappable, feature: str, *, unit: str) -> None:
    bar = ax.figure.colorbar(picture, cax=ax.inset_axes((1.03, 0, 0.035, 1)), extend="both")
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=SMALL, labelcolor=MUTED, color=FAINT)
    name = feature_label(feature, length=44, family=True) + (f" ({unit})" if unit else "")
    bar.set_label(plain(name), fontsize=SMALL, color=INK)


def _scale_bar(axes: Axes, shape: tuple[int, ...], spacing_mm: tuple[float, float]) -> None:
    """Draw a bar of a round length, about a quarter of the picture."""
    wide = shape[1] * spacing_mm[1]
    length = max((mm for mm in LENGTHS_MM if mm <= 0.3 * wide), default=LENGTHS_MM[0])
    left, foot = -0.5 + 0.05 * shape[1], -0.5 + 0.93 * shape[0]
    right = left + length / spacing_mm[1]
    rim = [withStroke(linewidth=4.5, foreground=INK)]
    axes.plot(
        [left, right], [foot, foot], color="white", linewidth=2.5, solid_capstyle="butt",
        path_effects=rim, label="_scale",
    )  # fmt: skip
    write(
        axes, f"{length} mm", ((left + right) / 2, foot), offset=(0, 4), colour="white",
        across="center", upright="bottom",
    )  # fmt: skip
    axes.texts[-1].set_path_effects([withStroke(linewidth=2.5, foreground=INK)])
