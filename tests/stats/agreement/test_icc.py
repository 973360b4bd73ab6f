from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.stats.agreement.icc import FORMS, intraclass_correlation

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "stats"
CASES = ("shrout_fleiss", "good", "poor")


def readings(case: str) -> np.ndarray:
    table = pd.read_csv(REFERENCE / "icc_input.csv")
    table = table[table["case"] == case]
    return table.pivot(index="subject", columns="reading", values="value").to_numpy()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("form", FORMS)
def test_matches_r_psych(case: str, form: str) -> None:
    table = pd.read_csv(REFERENCE / "icc.csv").set_index(["case", "form"])
    expected = table.loc[(case, form.replace(",", ";"))]
    found = intraclass_correlation(readings(case), form=form)
    for name in ("value", "low", "high"):
        assert getattr(found, name)[0] == pytest.approx(expected[name], rel=1e-10)


def test_many_variables_are_each_on_its_own() -> None:
    columns = [readings("good"), readings("good")[:, ::-1] * 1e6 + 3]
    together = intraclass_correlation(np.stack(columns, axis=-1))
    for number, column in enumerate(columns):
        alone = intraclass_correlation(column)
        assert together.value[number] == pytest.approx(alone.value[0], rel=1e-12)


def test_an_offset_between_readers_counts_in_form_two_only() -> None:
    first = readings("good")[:, :1]
    shifted = np.hstack([first, first + 20])
    assert intraclass_correlation(shifted, form="ICC(3,1)").value[0] == pytest.approx(1)
    assert intraclass_correlation(shifted, form="ICC(2,1)").value[0] < 0.5


def test_perfect_agreement_is_one_and_no_spread_is_nan(rng: np.random.Generator) -> None:
    same = np.repeat(rng.integers(0, 9, (8, 1)).astype(float), 3, axis=1)
    for form in FORMS:
        found = intraclass_correlation(np.stack([same, np.ones_like(same)], axis=-1), form=form)
        assert [found.value[0], found.low[0], found.high[0]] == [1, 1, 1]
        assert np.isnan([found.value[1], found.low[1], found.high[1]]).all()


@pytest.mark.parametrize("form", ["ICC(2,1)", "ICC(2,k)"])
def test_an_interval_contains_the_estimate_or_is_nan_with_one_warning(form: str) -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(size=(6, 3, 2000))
    values[..., ::2] -= 0.95 * values[..., ::2].mean(axis=1, keepdims=True)
    with pytest.warns(RadiogenomicsWarning, match="of 2000 variables lack") as caught:
        found = intraclass_correlation(values, form=form)
    assert len(caught) == 1
    assert not ((found.low > found.value) | (found.value > found.high)).any()
    # No average form exceeds 1, as it would beyond the pole of Spearman and Brown's formula.
    assert np.nanmax(found.value) <= 1 and np.nanmax(found.high) <= 1
    assert np.isnan(found.low).any() and np.isfinite(found.low[1::2]).mean() > 0.5


def test_a_lower_bound_beyond_the_pole_is_nan_and_the_others_are_kept() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(size=(6, 3, 400))
    single = intraclass_correlation(values, form="ICC(2,1)")
    with pytest.warns(RadiogenomicsWarning):
        mean = intraclass_correlation(values, form="ICC(2,k)")
    beyond = (single.low < -0.5) & (single.value > -0.5)
    assert beyond.any()
    assert np.isnan(mean.low[beyond]).all()
    np.testing.assert_allclose(
        mean.value[beyond], 3 * single.value[beyond] / (1 + 2 * single.value[beyond])
    )
    assert (mean.high[beyond] >= mean.value[beyond]).all()


@pytest.mark.parametrize("form", FORMS)
def test_readings_equal_to_rounding_do_not_warn(form: str) -> None:
    rng = np.random.default_rng(6)
    values = np.repeat(rng.normal(size=(8, 1, 50)), 3, axis=1)
    values *= 1 + rng.choice([0, 1e-16, 1e-9], size=values.shape)
    found = intraclass_correlation(values, form=form)
    np.testing.assert_allclose([found.value, found.low, found.high], 1, atol=1e-12)


@pytest.mark.parametrize("form", ["ICC(1,1)", "ICC(2,1)", "ICC(3,1)"])
def test_interval_covers_the_truth_as_often_as_it_says(form: str) -> None:
    rng = np.random.default_rng(11)
    subjects = rng.normal(0, 2, (20, 1, 2000))
    found = intraclass_correlation(subjects + rng.normal(0, 1, (20, 3, 2000)), form=form)
    covered = np.mean((found.low <= 0.8) & (found.high >= 0.8))
    assert 0.935 <= covered <= 0.965  # 3 standard errors of 2000 draws around 0.95


@pytest.mark.parametrize(
    ("values", "form"),
    [
        ([[1.0, 2.0]], "ICC(1,1)"),
        ([[1.0], [2.0]], "ICC(1,1)"),
        ([[1.0, np.nan], [2.0, 3.0]], "ICC(1,1)"),
        ([[1.0, 2.0], [2.0, 3.0]], "ICC(4,1)"),
    ],
)
def test_bad_input_says_what_is_expected(values: list[list[float]], form: str) -> None:
    with pytest.raises(DataError, match="expected"):
        intraclass_correlation(values, form=form)
