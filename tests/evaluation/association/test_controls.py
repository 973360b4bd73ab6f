"""Controls of a map find less than the map, and say so in its units."""

from __future__ import annotations

import pandas as pd
import pytest

from radiogenomics.evaluation.association.controls import (
    AS_IS,
    MATCHED,
    RANDOM,
    SHUFFLED,
    control_table,
)
from radiogenomics.evaluation.association.map import MapSettings, associate


def patients(n: int) -> pd.Index:
    return pd.Index([f"P{i:03d}" for i in range(n)])


@pytest.fixture
def world(rng) -> dict[str, pd.DataFrame]:
    """Features of which the first ten go with genes of one set, and their controls, which do not.

    A control keeps size, which goes with the genes of another set.
    """
    cause, size = rng.normal(size=(2, 80, 1))
    f, control = rng.normal(size=(2, 80, 15))
    g = rng.normal(size=(80, 1200))
    f[:, :10] += cause
    f[:, 14:] = control[:, 14:] = size
    g[:, :15] += cause
    g[:, 15:30] += 0.7 * size
    names = [f"F{i}" for i in range(15)]
    return {
        "features": pd.DataFrame(f, patients(80), names),
        "genes": pd.DataFrame(g, patients(80), [f"G{i}" for i in range(1200)]),
        "control": pd.DataFrame(control, patients(80), names),
    }


def test_controls_find_less_than_the_map(world) -> None:
    sets = {f"SET{k}": [f"G{g}" for g in range(15 * k, 15 * k + 15)] for k in range(20)}
    settings = MapSettings(permutations=99)
    found = associate(world["features"], world["genes"], gene_sets=sets, settings=settings)
    table = control_table(
        found, world["genes"], gene_sets=sets, settings=settings,
        controls={"shuffled voxels": world["control"]},
    ).set_index("control")  # fmt: skip
    assert list(table.index) == [AS_IS, SHUFFLED, RANDOM, MATCHED, "shuffled voxels"]
    summary = found.tables["map_summary"].set_index("kind")
    real = table.loc[AS_IS]
    assert real["links_found"] == summary.loc["genes", "found"] >= 100
    assert real["sets_found"] == summary.loc["gene sets, mean correlation", "found"] >= 11
    assert real["strongest_rho"] == summary.loc["genes", "strongest"]
    for shuffled in ("links_found", "sets_found"):
        assert table.loc[SHUFFLED, shuffled] <= 0.05 * real[shuffled]
    assert table.loc[RANDOM, "strongest_set_rho"] < 0.8 * real["strongest_set_rho"]
    # Only the two sets go together here, so that the draws that match one take genes of the other.
    assert table.loc[MATCHED, "strongest_set_rho"] <= real["strongest_set_rho"]
    assert table.loc[[RANDOM, MATCHED], "links_found"].isna().all()
    voxels = table.loc["shuffled voxels"]
    alone = associate(world["control"], world["genes"], gene_sets=sets, settings=settings)
    assert voxels["links_found"] == (alone.tables["links"]["fdr"] <= 0.05).sum()
    assert 0 < voxels["links_found"] < 0.2 * real["links_found"]
    assert table["draws"].tolist() == [1, 5, 5, 5, 1]
    assert table["p_family"].isna().tolist() == [False, True, True, True, False]


def test_controls_are_drawn_beside_covariates_and_within_strata(world, rng) -> None:
    site = pd.Series(rng.choice(list("AB"), 80), patients(80))
    shift = site.eq("B").to_numpy()[:, None] * 3.0
    f, g = world["features"] * 0.3 + shift, world["genes"] * 0.3 + shift
    settings = MapSettings(permutations=99)
    plain = associate(f, g, strata=site, settings=settings)
    within = control_table(plain, g, strata=site, settings=settings)
    across = control_table(plain, g, settings=settings)
    # Sites stand behind all pairs, which deals within them keep and others lose.
    assert within.loc[1, "links_found"] > 0.9 * plain.rho.size
    assert across.loc[1, "links_found"] < 0.1 * plain.rho.size
    known = site.to_frame("site")
    adjusted = associate(f, g, covariates=known, settings=settings)
    beside_site = control_table(adjusted, g, covariates=known, settings=settings)
    assert beside_site.loc[1, "links_found"] < 0.05 * beside_site.loc[0, "links_found"]
    assert "sets_found" not in beside_site
