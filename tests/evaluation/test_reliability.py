from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import AlignmentError, DataError, RadiogenomicsWarning
from radiogenomics.evaluation.reliability import reliability_summary, reliability_table
from radiogenomics.stats.agreement.icc import FORMS

REFERENCE = Path(__file__).resolve().parents[1] / "reference"


@pytest.fixture
def readings() -> list[pd.DataFrame]:
    """Three readings, as R read them for the filter by agreement."""
    table = pd.read_csv(REFERENCE / "features" / "icc_filter_input.csv")
    table = table.set_index(["patient", "reading"])
    return [part.droplevel(1) for _, part in table.groupby(level=1)]


@pytest.mark.parametrize("form", FORMS)
def test_matches_r_psych(readings: list[pd.DataFrame], form: str) -> None:
    table = pd.read_csv(REFERENCE / "features" / "icc_filter.csv")
    expected = table[table["form"] == form.replace(",", ";")].set_index("variable")
    found = reliability_table(readings, form=form).set_index("feature")
    np.testing.assert_allclose(
        found[["icc", "low", "high"]], expected.loc[found.index, ["icc", "low", "high"]], rtol=1e-9
    )
    assert (found["readings"] == 3).all()


def test_within_subject_spread_is_in_the_unit_of_the_feature(readings) -> None:
    values = np.stack(readings, axis=1)
    expected = np.sqrt(values.var(axis=1, ddof=1).mean(axis=0))
    found = reliability_table(readings)
    np.testing.assert_allclose(found["within_sd"], expected, rtol=1e-10)
    np.testing.assert_allclose(found["repeatability"], 1.959964 * np.sqrt(2) * expected, rtol=1e-6)


def test_patients_and_features_are_matched_by_name(readings, rng) -> None:
    other = readings[1]
    shuffled = other.iloc[rng.permutation(len(other)), rng.permutation(other.shape[1])]
    expected = reliability_table(readings[:2])
    found = reliability_table({"first": readings[0], "again": shuffled})
    pd.testing.assert_frame_equal(found, expected)


def test_odd_units_do_not_matter(readings) -> None:
    expected = reliability_table(readings)
    found = reliability_table([table * 1e-150 + 1e-148 for table in readings])
    np.testing.assert_allclose(found["icc"], expected["icc"], rtol=1e-9)


def test_features_without_an_icc_keep_their_row_and_say_why(readings) -> None:
    first = readings[0].assign(flat=0.1 + 0.2, gone=1.0)
    again = readings[1].assign(flat=0.3, gone=np.nan)
    with pytest.warns(RadiogenomicsWarning, match=r"2 of \d+ features have no ICC \(flat, gone\)"):
        found = reliability_table([first, again])
    table = found.set_index("feature")
    assert table.loc["flat", "note"] == "the same for all patients"
    assert table.loc["gone", "note"] == "missing or infinite in 25 patients"
    assert table.loc[["flat", "gone"], "icc"].isna().all()
    pd.testing.assert_frame_equal(found.iloc[:-2], reliability_table(readings[:2]))
    summary = reliability_summary(found)
    assert (summary["undefined"] == 2).all()
    assert (summary["features"] == len(found)).all()


def test_summary_counts() -> None:
    table = pd.DataFrame(
        {"icc": [0.2, 0.5, 0.75, 0.9, np.nan], "low": [0.1, 0.3, 0.5, 0.8, np.nan]}
    )
    found = reliability_summary(table).set_index("threshold")
    assert found["reached"].tolist() == [3, 2, 1]
    assert found["reached_low"].tolist() == [2, 1, 0]
    assert found["share"].tolist() == [0.6, 0.4, 0.2]
    assert found["median"].iloc[0] == 0.625


def test_what_cannot_be_compared_is_refused(readings) -> None:
    first, again, _ = readings
    for error, match, tables in (
        (AlignmentError, "patients", [first, again.iloc[1:]]),
        (AlignmentError, "features", [first, again.iloc[:, 1:]]),
        (AlignmentError, "repeated", [first, pd.concat([again, again])]),
        (AlignmentError, "reading 1", [pd.concat([first, first])] * 2),
        (DataError, "second look", [first]),
        (DataError, "spread of the patients", [first.iloc[:1], again.iloc[:1]]),
        (DataError, "a feature", [first.iloc[:, :0], again.iloc[:, :0]]),
        (DataError, "DataFrames", [first.to_numpy(), again.to_numpy()]),
        (DataError, "numbers", [first.assign(x="a"), again.assign(x="b")]),
    ):
        with pytest.raises(error, match=match):
            reliability_table(tables)
    for table in (pd.DataFrame({"icc": [np.nan], "low": [np.nan]}), pd.DataFrame({"icc": [1.0]})):
        with pytest.raises(DataError, match="reliability_table"):
            reliability_summary(table)
