from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    FallbackWarning,
    RadiogenomicsWarning,
    SchemaError,
)
from radiogenomics.features.icc_filter import ICCFilter
from radiogenomics.stats.agreement.icc import FORMS

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "features"
PUBLISHED = pd.Series(0.9, index=[f"x{i}" for i in range(500)])


class NamedICCFilter(ICCFilter):
    """Names the columns of plain arrays, which scikit-learn's checks pass."""

    def fit(self, X, y=None):
        values = X if hasattr(X, "columns") or issparse(X) else np.asarray(X)
        if isinstance(values, np.ndarray) and values.ndim == 2 and values.size:
            X = pd.DataFrame(values, columns=[f"x{i}" for i in range(values.shape[1])])
        return super().fit(X, y)


@parametrize_with_checks([NamedICCFilter(agreement=PUBLISHED, unknown="keep")])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@pytest.fixture
def readings() -> list[pd.DataFrame]:
    table = pd.read_csv(REFERENCE / "icc_filter_input.csv").set_index(["patient", "reading"])
    return [part.droplevel(1) for _, part in table.groupby(level=1)]


@pytest.mark.parametrize("form", FORMS)
def test_agreement_and_choice_are_those_of_r(readings, form):
    table = pd.read_csv(REFERENCE / "icc_filter.csv")
    expected = table[table["form"] == form.replace(",", ";")].set_index("variable")
    fitted = ICCFilter(readings, form).fit(readings[0])
    np.testing.assert_allclose(
        fitted.agreement_, expected[["icc", "low", "high"]].loc[fitted.agreement_.index], rtol=1e-10
    )
    assert list(fitted.get_feature_names_out()) == list(expected.index[expected["icc"] >= 0.75])
    careful = ICCFilter(readings, form, 0.6, use="low").fit(readings[0])
    assert list(careful.get_feature_names_out()) == list(expected.index[expected["low"] >= 0.6])


def test_one_tidy_table_says_what_a_sequence_says(readings, rng):
    tidy = pd.concat(dict(enumerate(readings)), names=["reading"]).swaplevel()
    shuffled = tidy.iloc[rng.permutation(len(tidy))]
    for form in ("ICC(2,1)", "ICC(3,1)"):
        expected = ICCFilter(readings, form).fit(readings[0]).agreement_
        found = ICCFilter(shuffled, form).fit(readings[0]).agreement_
        pd.testing.assert_frame_equal(found, expected, rtol=1e-12)


def test_patients_and_variables_are_aligned_by_name(readings, rng):
    other = readings[1].iloc[rng.permutation(25), rng.permutation(12)]
    expected = ICCFilter(readings[:2]).fit(readings[0]).agreement_
    found = ICCFilter([readings[0], other]).fit(readings[0][readings[0].columns[::-1]]).agreement_
    pd.testing.assert_frame_equal(found.loc[expected.index], expected)


def test_unit_and_zero_of_a_variable_do_not_matter(readings):
    scaled = [table * 1e-200 + 3e-200 for table in readings]
    expected = ICCFilter(readings).fit(readings[0]).agreement_
    pd.testing.assert_frame_equal(
        ICCFilter(scaled).fit(scaled[0]).agreement_, expected, check_exact=False, rtol=1e-9
    )


def test_published_agreement_needs_no_readings(readings):
    expected = ICCFilter(readings, threshold=0.6).fit(readings[0])
    table = expected.agreement_.sample(frac=1, random_state=1)
    for use in ("estimate", "low"):
        expected.set_params(use=use).fit(readings[0])
        found = ICCFilter(agreement=table, threshold=0.6, use=use).fit(readings[0])
        assert found.support_.tolist() == expected.support_.tolist()
    expected.set_params(use="estimate").fit(readings[0])
    series = ICCFilter(agreement=table["icc"], threshold=0.6).fit(readings[0])
    assert series.support_.tolist() == expected.support_.tolist()


def test_variables_not_read_again_are_dropped_kept_or_refused(readings):
    X = readings[0].assign(new=0.0, f01=np.nan)
    for unknown, kept in (("drop", False), ("keep", True)):
        fitted = ICCFilter(readings, unknown=unknown).fit(X)
        assert fitted.unknown_.tolist() == ["new"]
        assert ("new" in fitted.get_feature_names_out()) is kept
        assert "f01" in fitted.get_feature_names_out()
    with pytest.raises(AlignmentError, match="1 that were not.*new"):
        ICCFilter(readings, unknown="error").fit(X)
    for unknown in ("drop", "keep"):
        with pytest.raises(AlignmentError, match="found none.*new.*Name both alike"):
            ICCFilter(readings, unknown=unknown).fit(X[["new"]])


def test_constant_or_missing_readings_never_pass(readings):
    tables = [t.assign(f01=0.1 * 3, f02=t["f02"].where(t.index > 3)) for t in readings]
    tables[1]["f03"] = np.inf
    fitted = ICCFilter(tables, unknown="keep").fit(readings[0])
    assert fitted.agreement_["icc"].isna().sum() == 3
    assert not fitted.support_[:3].any() and fitted.support_[3:].any()
    assert not len(fitted.unknown_)


def test_patient_with_an_empty_reading_is_left_out(readings):
    tidy = pd.concat(dict(enumerate(readings)), names=["reading"]).swaplevel()
    tidy.loc[(7, 1)] = np.nan
    with pytest.warns(RadiogenomicsWarning, match="1 of 25 patients.*lack a reading"):
        found = ICCFilter(tidy).fit(readings[0]).agreement_
    expected = ICCFilter([t.drop(index=7) for t in readings]).fit(readings[0]).agreement_
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12)


def test_fallback_keeps_the_best_and_says_so(readings):
    with pytest.warns(FallbackWarning, match="none of 12 variables passed; the best 2"):
        fitted = ICCFilter(readings, threshold=0.9999, fallback=2).fit(readings[0])
    assert fitted.fell_back_
    assert list(fitted.get_feature_names_out()) == ["f01", "f02"]
    with pytest.raises(DataError, match="found none of 12"):
        ICCFilter(readings, threshold=0.9999, fallback=0).fit(readings[0])


def test_stands_in_a_pipeline_and_is_cloned_with_its_readings(readings, rng):
    X = pd.concat(readings, ignore_index=True)
    y = np.arange(75) % 2
    pipe = make_pipeline(ICCFilter(tuple(readings)), LogisticRegression())
    fitted = clone(pipe).fit(X, y)
    assert fitted[0].transform(X).shape == (75, fitted[0].support_.sum())
    assert "ICCFilter" in repr(fitted)


def test_input_that_cannot_be_matched_is_refused(readings):
    first, second = readings[:2]
    with pytest.raises(DataError, match="named columns; found ndarray"):
        ICCFilter(readings).fit(first.to_numpy())
    with pytest.raises(DataError, match="either retest .* found none"):
        ICCFilter().fit(first)
    with pytest.raises(DataError, match="found both"):
        ICCFilter(readings, agreement=PUBLISHED).fit(first)
    with pytest.raises(AlignmentError, match="variables in reading 2.*f12"):
        ICCFilter([first, second.drop(columns="f12")]).fit(first)
    with pytest.raises(AlignmentError, match="patients in reading 2.*25"):
        ICCFilter([first, second.drop(index=25)]).fit(first)
    with pytest.raises(AlignmentError, match="each named once.*f01"):
        ICCFilter([first.rename(columns={"f02": "f01"})] * 2).fit(first)
    with pytest.raises(DataError, match="at least 2 readings; found 1"):
        ICCFilter([first]).fit(first)
    with pytest.raises(DataError, match="at least 2 patients.*found 1"):
        ICCFilter([first.head(1), second.head(1)]).fit(first)
    with pytest.raises(DataError, match=r"indexed by \(patient, reading\)"):
        ICCFilter(first).fit(first)
    with pytest.raises(DataError, match="found ndarray"):
        ICCFilter([first.to_numpy()] * 2).fit(first)
    with pytest.raises(SchemaError, match="none called low"):
        ICCFilter(agreement=PUBLISHED, use="low").fit(first)


@pytest.mark.parametrize(
    "parameters",
    [{"form": "ICC(4,1)"}, {"threshold": 75}, {"use": "high"}, {"level": 95}, {"unknown": "pass"}],
    ids=lambda p: next(iter(p)),
)
def test_senseless_parameters_are_refused(readings, parameters):
    with pytest.raises(DataError, match="expected"):
        ICCFilter(readings, **parameters).fit(readings[0])


@pytest.mark.real
@pytest.mark.parametrize(
    ("second", "median", "good"), [("R#1_2", 0.87, 550), ("R#2", 0.84, 469)], ids=["intra", "inter"]
)
def test_published_counts_of_reproducible_features(data_root, second, median, good):
    folder = data_root / "tables" / "hcc_mtm_radiomics2022"
    tables = [pd.read_csv(folder / f"{name}.csv") for name in ("R#1_1", second)]
    fitted = ICCFilter(tables, "ICC(2,1)", 0.75).fit(tables[0])
    assert len(fitted.agreement_) == 792
    assert fitted.support_.sum() == good
    assert fitted.agreement_["icc"].median() == pytest.approx(median, abs=0.005)
