"""The map of a feature over its scan: what is shown, where, and how large it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from radiogenomics.core.errors import DataError, GeometryError
from radiogenomics.plots.feature_overlay import draw_feature_overlay, largest_slice

ROWS, COLUMNS = np.mgrid[:60, :80]
SCAN = 10.0 * ROWS + COLUMNS
MAP = COLUMNS / 10.0
MASK = (ROWS >= 20) & (ROWS < 30) & (COLUMNS >= 30) & (COLUMNS < 50)


def draw(
    *,
    feature_map: np.ndarray = MAP,
    mask: np.ndarray = MASK,
    spacing_mm: tuple[float, float] = (2.0, 1.0),
    ax: Axes | None = None,
    limits: tuple[float, float] | None = None,
    window: tuple[float, float] | None = None,
    beyond: bool = False,
) -> Axes:
    return draw_feature_overlay(
        SCAN,
        feature_map,
        mask,
        feature="original_glcm_JointEntropy",
        spacing_mm=spacing_mm,
        ax=ax,
        unit="bits",
        limits=limits,
        window=window,
        beyond=beyond,
        title="linked",
    )


def test_the_slice_with_the_largest_area_is_found() -> None:
    mask = np.zeros((4, 6, 6), dtype=int)
    mask[1, :2, :2], mask[2, :3, :3], mask[3, 3:, 3:] = 1, 1, 1
    assert largest_slice(mask) == 2
    with pytest.raises(DataError, match="3 axes and 0 voxels"):
        largest_slice(np.zeros((2, 3, 3)))
    with pytest.raises(DataError, match="found 2 axes"):
        largest_slice(np.ones((3, 3)))


def test_the_map_covers_the_region_and_nothing_else() -> None:
    ax = draw()
    scan, overlay = (image.get_array() for image in ax.images)
    # 20 mm across: 7 mm around it, which are 4 rows and 7 columns.
    assert scan.shape == overlay.shape == (10 + 8, 20 + 14)
    assert scan[0, 0] == SCAN[16, 23]
    inside = ~np.ma.getmaskarray(overlay)
    assert inside.sum() == MASK.sum() and inside[4:14, 7:27].all()
    assert overlay.compressed() == pytest.approx(MAP[MASK])
    assert ax.images[0].get_extent() == ax.images[1].get_extent()


def test_a_heat_map_covers_what_is_around_the_region_too() -> None:
    scan, overlay = draw(beyond=True, limits=(0, 8)).images
    assert np.ma.count(overlay.get_array()) == scan.get_array().size
    assert overlay.get_array()[0, 0] == pytest.approx(MAP[16, 23])
    assert overlay.get_alpha() < draw().images[1].get_alpha()


def test_voxels_without_a_value_are_not_drawn() -> None:
    holes = MAP.copy()
    holes[20:22] = np.nan
    assert draw(feature_map=holes).images[1].get_array().count() == MASK.sum() - 40


def test_colours_and_greys_follow_the_values_or_what_is_asked() -> None:
    scan, overlay = draw().images
    assert overlay.get_clim() == pytest.approx(tuple(np.percentile(MAP[MASK], (2, 98))))
    assert scan.get_clim() == pytest.approx(tuple(np.percentile(SCAN[16:34, 23:57], (1, 99))))
    scan, overlay = draw(limits=(0, 9), window=(-100, 200)).images
    assert (scan.get_clim(), overlay.get_clim()) == ((-100, 200), (0, 9))


def test_bar_of_length_is_as_long_as_it_says() -> None:
    for spacing, length in (((2.0, 1.0), 10), ((0.2, 0.1), 1), ((30.0, 15.0), 100)):
        bare = draw(spacing_mm=spacing).child_axes[0]
        (bar,) = (line for line in bare.get_lines() if line.get_label() == "_scale")
        assert np.ptp(bar.get_xdata()) * spacing[1] == pytest.approx(length)
        assert f"{length} mm" in [text.get_text() for text in bare.texts]


def test_voxels_keep_their_shape() -> None:
    assert draw(spacing_mm=(2.0, 1.0)).get_aspect() == 2.0
    assert draw(spacing_mm=(1.0, 1.0)).get_aspect() == 1.0


def test_contour_is_the_edge_of_the_region() -> None:
    ax = draw()
    for axes in (ax, ax.child_axes[0]):
        paths = axes.collections[-1].get_paths()
        vertices = np.vstack([path.vertices for path in paths])
        assert (vertices.min(axis=0), vertices.max(axis=0)) == (
            pytest.approx([6.5, 3.5]),
            pytest.approx([26.5, 13.5]),
        )


def test_colour_bar_names_feature_and_unit() -> None:
    bar = draw().child_axes[1]
    assert bar.get_ylabel() == "glcm JointEntropy (bits)"


def test_a_region_at_the_border_is_drawn(readable: Callable[[Axes], None]) -> None:
    edge = (ROWS < 12) & (COLUMNS > 60)
    ax = draw(mask=edge)
    assert ax.images[1].get_array().count() == edge.sum()
    readable(ax)


def test_bad_input_is_refused() -> None:
    with pytest.raises(GeometryError, match=r"shapes \(60, 80\), \(60, 80\), \(80, 60\)"):
        draw(mask=MASK.T)
    with pytest.raises(GeometryError, match="two spacings above 0 mm"):
        draw(spacing_mm=(1.0, 0.0))
    with pytest.raises(GeometryError, match=r"\(1, 60, 80\)"):
        draw_feature_overlay(SCAN[None], MAP[None], MASK[None], feature="a", spacing_mm=(1.0, 1.0))
    with pytest.raises(DataError, match="found 0 voxels"):
        draw(mask=np.zeros_like(MASK))
    with pytest.raises(DataError, match="200 voxels of the region, none with a value"):
        draw(feature_map=np.full_like(MAP, np.nan))


def test_given_axes_are_drawn_on() -> None:
    ax = Figure().add_subplot()
    assert draw(ax=ax) is ax
