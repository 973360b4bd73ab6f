from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.stats.groups.moderated_t import ModeratedT, moderated_t

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "stats"
COLUMNS = (
    "estimate standard_error low high t p log_odds mean residual_variance residual_freedom "
    "variance freedom prior_variance prior_freedom"
).split()


@pytest.fixture(scope="module")
def limma() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "moderated_t.csv.gz")


def table(name: str) -> np.ndarray:
    return pd.read_csv(REFERENCE / f"moderated_t_{name}.csv").filter(regex="^[GE]").to_numpy()


def cells() -> np.ndarray:
    """Three groups and age."""
    about = pd.read_csv(REFERENCE / "moderated_t_input.csv")
    group = about["group"].to_numpy()
    return np.column_stack([group == 0, group == 1, group == 2, about["age"]]).astype(float)


def pairs() -> np.ndarray:
    """Five patients, the first five samples before and the next five after."""
    patients = np.tile(np.eye(5), (2, 1))
    return np.column_stack([patients, np.repeat([0.0, 1.0], 5)])


def fitted(case: str) -> ModeratedT:
    values = {
        "gaps": table("gaps"),
        # limma cannot fit a trend with a gene that has no value.
        "gaps trend": np.delete(table("gaps"), 6, axis=1),
        "even": table("even"),
        "even trend": table("even"),
        "paired": table("input")[:10],
        "paired gaps": table("gaps")[:10, 8:],
        "five genes trend": table("input")[:, :5],
        "twenty genes trend": table("input")[:, :20],
    }.get(case, table("input"))
    if case.startswith("paired"):
        return moderated_t(values, pairs(), [0, 0, 0, 0, 0, 1])
    return moderated_t(values, cells(), [-1, 1, 0, 0], trend="trend" in case)


@pytest.mark.parametrize(
    "case",
    [
        "plain",
        "trend",
        "gaps",
        "gaps trend",
        "even",
        "even trend",
        "paired",
        "paired gaps",
        "five genes trend",
        "twenty genes trend",
    ],
)
def test_agrees_with_limma(case: str, limma: pd.DataFrame) -> None:
    expected = limma[limma["case"] == case]
    found = fitted(case)
    for name in COLUMNS:
        value = np.broadcast_to(getattr(found, name), len(expected))
        r = expected[name].to_numpy()
        if case == "gaps" and name in ("variance", "prior_variance"):
            # A gene without any value keeps the prior in limma and has no variance here.
            assert np.isnan(value[6])
            value, r = np.delete(value, 6), np.delete(r, 6)
        np.testing.assert_allclose(value, r, rtol=1e-10, atol=1e-12, err_msg=name)


def test_reference_holds_what_it_should(limma: pd.DataFrame) -> None:
    prior = limma.groupby("case")["prior_freedom"].first()
    assert np.isinf(prior["even"]) and np.isfinite(prior["plain"])
    gaps = limma[limma["case"] == "gaps"]
    assert gaps["t"].isna().sum() == 3
    assert gaps["residual_freedom"].nunique() > 5
    # Without residuals, and tested all the same.
    assert np.isfinite(gaps.loc[gaps["residual_freedom"] == 0, "t"]).sum() == 1


def test_genes_without_a_common_variance_are_tested_as_by_student(rng: np.random.Generator) -> None:
    """With variances all over the place the prior is worth nothing."""
    values = rng.normal(size=(12, 400)) * np.exp(rng.normal(0, 8, 400))
    group = np.repeat([0.0, 1.0], 6)
    found = moderated_t(values, np.column_stack([np.ones(12), group]), [0, 1])
    assert found.prior_freedom < 0.3
    alone = ttest_ind(values[6:], values[:6])
    large = found.residual_variance > 100 * found.prior_variance
    assert large.sum() > 100
    ratio = np.sqrt((10 + found.prior_freedom) / 10)
    np.testing.assert_allclose(found.t[large], ratio * alone.statistic[large], rtol=1e-3)


def test_moderation_keeps_its_level_and_finds_more(rng: np.random.Generator) -> None:
    group = np.repeat([0.0, 1.0], 3)
    spread = np.sqrt(6 / rng.chisquare(6, 4000))
    values = rng.normal(size=(6, 4000)) * spread
    values[3:, :400] += 3
    found = moderated_t(values, np.column_stack([np.ones(6), group]), [0, 1])
    plain = ttest_ind(values[3:], values[:3]).pvalue
    null = found.p[400:]
    assert abs((null < 0.05).mean() - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 3600)
    assert (found.p[:400] < 0.001).sum() > 1.5 * (plain[:400] < 0.001).sum()
    covered = (found.low[:400] <= 3) & (found.high[:400] >= 3)
    assert abs(covered.mean() - 0.95) < 3 * np.sqrt(0.05 * 0.95 / 400)


def test_genes_confounded_by_their_gaps_are_nan(rng: np.random.Generator) -> None:
    """Only samples of group 0 in batch 0 and of group 1 in batch 1 are left."""
    values = rng.normal(size=(8, 30))
    group, batch = np.repeat([0.0, 1.0], 4), np.tile([0.0, 1.0], 4)
    values[group != batch, 0] = np.nan
    design = np.column_stack([np.ones(8), group, batch])
    found = moderated_t(values, design, [0, 1, 0])
    assert np.isnan(found.t[0]) and np.isfinite(found.t[1:]).all()
    both = moderated_t(values, design, [0, 1, 1])
    expected = values[group == 1, 0][1::2].mean() - values[group == 0, 0][::2].mean()
    assert both.estimate[0] == pytest.approx(expected, rel=1e-12)


def test_scale_of_a_covariate_does_not_matter(limma: pd.DataFrame) -> None:
    design = cells()
    design[:, 3] = (design[:, 3] - 60) * 1e-7
    found = moderated_t(table("input"), design, [-1, 1, 0, 0])
    expected = limma.loc[limma["case"] == "plain", "t"]
    np.testing.assert_allclose(found.t, expected, rtol=1e-9, atol=1e-11)


def test_constant_genes_are_warned_of(rng: np.random.Generator) -> None:
    values = rng.normal(size=(8, 40))
    values[:, :3] = 0.0
    design = np.column_stack([np.ones(8), np.repeat([0.0, 1.0], 4)])
    with pytest.warns(RadiogenomicsWarning, match="3 of 40 genes have no residual variance"):
        found = moderated_t(values, design, [0, 1])
    np.testing.assert_allclose(found.p[:3], 1.0)
    values[:, :30] = 0.0
    with pytest.raises(DataError, match="30 of 40 without"):
        moderated_t(values, design, [0, 1])


ONES, HALVES = np.ones(6), np.repeat([0.0, 1.0], 3)
DESIGN = np.column_stack([ONES, HALVES])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": np.ones((5, 4))}, "Samples are rows"),
        ({"contrast": [1.0]}, "weight of each coefficient"),
        ({"contrast": [0.0, 0.0]}, "not all 0"),
        ({"values": np.full((6, 4), np.inf)}, "24 infinite"),
        ({"design": DESIGN * np.nan}, "12 design entries"),
        ({"design": np.column_stack([ONES, ONES]), "contrast": [0, 1]}, r"column\(s\) 1"),
        ({"design": np.column_stack([ONES, 0 * ONES])}, r"column\(s\) 1"),
        ({"design": np.eye(6), "contrast": np.arange(6)}, "more samples than the 6"),
        ({"values": np.arange(12.0).reshape(6, 2)}, "at least 3 genes"),
        ({"values": np.full((6, 4), np.nan)}, "at least 3 genes; found 0"),
        ({"values": [["a"] * 4] * 6}, "as numbers"),
        ({"level": 95}, "confidence level"),
        ({"changed": 0.0}, "share above 0"),
    ],
)
def test_bad_input_says_what_is_expected(change: dict, message: str) -> None:
    values = np.random.default_rng(1).normal(size=(6, 4))
    given = {"values": values, "design": DESIGN, "contrast": [0, 1]} | change
    with pytest.raises(DataError, match=message):
        moderated_t(**given)
