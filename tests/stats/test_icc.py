from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError
from radiogenomics.stats.icc import FORMS, intraclass_correlation

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "stats"
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
