"""Pictures of linked features over the scans of patients."""

from __future__ import annotations

import numpy as np
import pandas as pd

from radiogenomics.core.errors import SchemaError
from radiogenomics.plots.feature_overlay import draw_feature_overlay
from radiogenomics.report.content import ReportContent
from radiogenomics.report.drawings import Pictures
from radiogenomics.report.embed import Picture, picture
from radiogenomics.report.parts import p_value

TABLE = "overlay"
COLUMNS = (
    "panel", "feature", "cohort", "patient", "y", "x", "scan", "value", "inside", "spacing_y",
    "spacing_x",
)  # fmt: skip
GREYS, COLOURS = (1, 99), (2, 98)
"""Percentiles between which scans and maps of a feature are drawn."""


def overlay_pictures(content: ReportContent) -> Pictures:
    """Scan, region and map of each panel; panels of one feature share greys and colours.

    Raises
    ------
    SchemaError
        A column is missing, or a panel is no full rectangle of voxels.
    """
    table = content.table(TABLE)
    if table is None:
        return ()
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise SchemaError(
            f"{TABLE}.csv: expected the columns {', '.join(COLUMNS)}; found no "
            f"{', '.join(missing)}. Run the map again."
        )
    table = table.assign(
        value=pd.to_numeric(table["value"], errors="coerce"),
        inside=table["inside"].astype(str) == "True",
    )
    found: list[Picture] = []
    for feature, own in table.groupby("feature", sort=False):
        window = _between(own["scan"], GREYS)
        limits = _between(own.loc[own["inside"], "value"].dropna(), COLOURS)
        told = _link(content, str(feature))
        for panel, voxels in own.groupby("panel", sort=False):
            found.append(_panel(voxels, window=window, limits=limits, panel=str(panel), told=told))
    return tuple(found)


def _panel(
    voxels: pd.DataFrame,
    *,
    window: tuple[float, float],
    limits: tuple[float, float],
    panel: str,
    told: str,
) -> Picture:
    first = voxels.iloc[0]
    scan, values, inside = (_grid(voxels, name) for name in ("scan", "value", "inside"))
    ax = draw_feature_overlay(
        scan,
        values,
        inside,
        feature=first["feature"],
        spacing_mm=(float(first["spacing_y"]), float(first["spacing_x"])),
        window=window,
        limits=limits,
        title=f"patient with the {panel} value",
    )
    caption = (
        f"{first['feature']} in patient {first['patient']} of {first['cohort']}, in whom it is "
        f"{panel}: each voxel by its surroundings, panels of one feature on one scale{told}"
    )
    return picture(ax, alt=caption, caption=caption, table=TABLE)


def _grid(voxels: pd.DataFrame, name: str) -> np.ndarray:
    """One column as (rows, columns)."""
    shape = voxels["y"].nunique(), voxels["x"].nunique()
    if shape[0] * shape[1] != len(voxels) or voxels.duplicated(["y", "x"]).any():
        raise SchemaError(
            f"{TABLE}.csv: expected a rectangle of voxels, each once; found {len(voxels)} voxels "
            f"in {shape[0]} rows and {shape[1]} columns. Run the map again."
        )
    return voxels.sort_values(["y", "x"])[name].to_numpy().reshape(shape)


def _between(values: pd.Series[float], percentiles: tuple[int, int]) -> tuple[float, float]:
    low, high = np.percentile(values, percentiles)
    # A map of one value is drawn in the middle of the scale.
    return (float(low), float(high)) if low < high else (float(low) - 0.5, float(low) + 0.5)


def _link(content: ReportContent, feature: str) -> str:
    """The feature's strongest gene, as words."""
    table = content.table("feature_links")
    if table is None or not {"gene", "rho", "p_family"} <= set(table):
        return ""
    own = table[table["feature"] == feature]
    if own.empty:
        return ""
    row = own.iloc[0]
    return (
        f". It goes most with {row['gene']} (rho {row['rho']:.2f}, family-wise "
        f"p {p_value(row['p_family'])})."
    )
