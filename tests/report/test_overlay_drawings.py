"""Feature maps in the report are drawn from the table alone, on one scale for both patients."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from radiogenomics.core.errors import SchemaError
from radiogenomics.report import overlay_drawings
from radiogenomics.report.content import ReportContent, read_content
from radiogenomics.report.embed import Picture
from radiogenomics.report.overlay_drawings import overlay_pictures

FEATURE, OTHER = "original_glcm_JointEntropy", "wavelet-LLH_firstorder_Mean"


def panel(feature: str, name: str, *, shift: float, size: tuple[int, int]) -> pd.DataFrame:
    """Voxels of one panel, as a map writes them; the region leaves a border of 3."""
    y, x = np.mgrid[10 : 10 + size[0], 40 : 40 + size[1]]
    inside = np.zeros(size, dtype=bool)
    inside[3:-3, 3:-3] = True
    return pd.DataFrame(
        {
            "panel": name,
            "feature": feature,
            "patient": f"{name[:1]}0ff1c3",
            "cohort": "near",
            "y": y.ravel(),
            "x": x.ravel(),
            "scan": (100.0 + y + shift).ravel(),
            "value": np.where(inside, shift + 0.1 * x, np.nan).ravel(),
            "inside": inside.ravel(),
            "spacing_y": 2.0,
            "spacing_x": 1.0,
        }
    )


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.concat(
        [
            panel(FEATURE, "highest", shift=5.0, size=(20, 30)),
            panel(FEATURE, "lowest", shift=0.0, size=(14, 18)),
            panel(OTHER, "highest", shift=-2.0, size=(12, 12)),
        ],
        ignore_index=True,
    )


def content(tables: dict[str, pd.DataFrame]) -> ReportContent:
    return ReportContent("map", ("near",), 0, "1", "nothing", (), tables=tables)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Axes]:
    """The axes behind the pictures."""
    axes: list[Axes] = []
    embed = overlay_drawings.picture

    def kept(ax: Axes, **words: Any) -> Picture:
        axes.append(ax)
        return embed(ax, **words)

    monkeypatch.setattr(overlay_drawings, "picture", kept)
    return axes


def test_panels_of_a_feature_share_greys_and_colours(
    table: pd.DataFrame, drawn: list[Axes]
) -> None:
    found = overlay_pictures(content({"overlay": table.sample(frac=1, random_state=0)}))
    assert len(found) == len(drawn) == 3
    by_caption = {picture.caption: ax for picture, ax in zip(found, drawn, strict=True)}
    first = [ax for caption, ax in by_caption.items() if FEATURE in caption]
    own = table[table["feature"] == FEATURE]
    for image, values, ends in (
        (0, own["scan"], (1, 99)),
        (1, own.loc[own["inside"], "value"], (2, 98)),
    ):
        limits = {ax.images[image].get_clim() for ax in first}
        assert limits == {tuple(np.percentile(values, ends))}
    (other,) = (ax for caption, ax in by_caption.items() if OTHER in caption)
    assert other.images[1].get_clim() != first[0].images[1].get_clim()


def test_what_is_drawn_is_what_the_table_says(table: pd.DataFrame, drawn: list[Axes]) -> None:
    overlay_pictures(content({"overlay": table}))
    shown = drawn[0].images[1].get_array()
    own = table[(table["feature"] == FEATURE) & (table["panel"] == "highest")]
    whole = own["value"].to_numpy().reshape(20, 30)
    assert np.array_equal(shown.compressed(), whole[np.isfinite(whole)])
    # Spacing 2 × 1 mm: a voxel is drawn twice as tall as wide.
    assert drawn[0].get_aspect() == 2.0


def test_captions_name_the_pseudonym_and_the_link(table: pd.DataFrame) -> None:
    links = pd.DataFrame(
        {"feature": [FEATURE], "gene": ["KPNA2"], "rho": [-0.512], "p_family": [0.0204]}
    )
    first, second, other = overlay_pictures(content({"overlay": table, "feature_links": links}))
    assert "patient h0ff1c3 of near" in first.caption and "is highest" in first.caption
    assert "KPNA2 (rho -0.51, family-wise p 0.02)" in first.caption
    assert "patient l0ff1c3" in second.caption and "lowest" in second.caption
    assert "KPNA2" not in other.caption
    assert {picture.table for picture in (first, second, other)} == {"overlay"}


def test_a_table_read_from_its_file_draws_the_same(
    table: pd.DataFrame, tmp_path: Path, drawn: list[Axes]
) -> None:
    (tmp_path / "tables").mkdir()
    table.to_csv(tmp_path / "tables" / "overlay.csv", index=False)
    summary = {
        "study": "map", "cohorts": ["near"], "seed": 0, "version": "1", "verdict": "nothing",
        "metrics": [],
    }  # fmt: skip
    (tmp_path / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    direct = overlay_pictures(content({"overlay": table}))
    read = overlay_pictures(read_content(tmp_path))
    assert [each.caption for each in read] == [each.caption for each in direct]
    for ours, theirs in zip(drawn[:3], drawn[3:], strict=True):
        for one, two in zip(ours.images, theirs.images, strict=True):
            masks = [np.ma.getmaskarray(image.get_array()) for image in (one, two)]
            assert np.array_equal(*masks)
            assert np.ma.allclose(one.get_array(), two.get_array(), rtol=1e-12)


def test_a_map_of_one_value_is_drawn(table: pd.DataFrame) -> None:
    flat = table.assign(value=table["value"].where(table["value"].isna(), 3.0), scan=40.0)
    assert len(overlay_pictures(content({"overlay": flat}))) == 3


def test_no_table_is_no_picture() -> None:
    assert overlay_pictures(content({})) == ()


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (lambda table: table.drop(columns=["inside"]), "found no inside"),
        (lambda table: table.drop(index=[7]), "rectangle"),
        (lambda table: pd.concat([table, table]), "rectangle"),
    ],
    ids=["column", "hole", "twice"],
)
def test_a_broken_table_is_named(table: pd.DataFrame, broken: Any, words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        overlay_pictures(content({"overlay": broken(table)}))
