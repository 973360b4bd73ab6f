"""What every calculator does with units, categories, missing values and patients' order."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from radiogenomics.clinical import measurements
from radiogenomics.clinical.albi import albi_score
from radiogenomics.clinical.amap import amap_score
from radiogenomics.clinical.crafity import crafity_score
from radiogenomics.clinical.measurements import (
    SEX,
    Category,
    Flag,
    Quantity,
    decided,
    read_together,
    truth,
)
from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    RadiogenomicsWarning,
    UnknownNameError,
)

QUANTITIES = [value for value in vars(measurements).values() if isinstance(value, Quantity)]


@pytest.mark.parametrize("quantity", QUANTITIES, ids=lambda q: f"{q.name}-{q.unit}")
def test_bounds_themselves_pass_and_what_is_beyond_is_refused(quantity: Quantity) -> None:
    assert quantity.read([quantity.low, quantity.high]).tolist() == [quantity.low, quantity.high]
    for beyond, look in (
        (quantity.low - 0.01, quantity.below),
        (quantity.high * 1.01, quantity.above),
    ):
        with pytest.raises(DataError, match="1 of 2 outside") as caught:
            quantity.read([quantity.high, beyond])
        assert quantity.unit in str(caught.value)
        assert look in str(caught.value)
        assert "position 1" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "look"),
    [
        ("ALBUMIN_G_L", 4.0, "g/dl"),
        ("ALBUMIN_G_DL", 40.0, "g/l"),
        ("BILIRUBIN_UMOL_L", 1.0, "mg/dl"),
        ("BILIRUBIN_MG_DL", 85.0, "µmol/l"),
        ("INR", 11.5, "seconds"),
        ("INR", 90.0, "per cent"),
        ("CREATININE_MG_DL", 80.0, "µmol/l"),
        ("CREATININE_UMOL_L", 1.1, "mg/dl"),
        ("CRP_MG_DL", 80.0, "mg/l"),
        ("PLATELETS_10E9_L", 210_000, "per µl"),
        ("TUMOUR_SIZE_CM", 45.0, "mm"),
        ("AFP_NG_ML", -0.3, "logarithm"),
        ("PERFORMANCE_STATUS", 80, "Karnofsky"),
        ("AGE_YEARS", 700, "months"),
        ("SODIUM_MMOL_L", 315, "mg/dl"),
    ],
)
def test_usual_values_in_the_other_unit_are_recognised(name: str, value: float, look: str) -> None:
    with pytest.raises(DataError, match=look):
        getattr(measurements, name).read(value)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_values_are_refused(value: float) -> None:
    with pytest.raises(DataError, match="outside"):
        albi_score(bilirubin_umol_l=[10, value], albumin_g_l=[40, 40])


def test_whole_numbers_are_asked_for() -> None:
    with pytest.raises(DataError, match=r"whole numbers; found 1 others, the first 1\.5"):
        measurements.TUMOUR_NUMBER.read([1, 1.5, np.nan])


def test_text_is_refused() -> None:
    with pytest.raises(DataError, match="expected bilirubin as numbers"):
        albi_score(bilirubin_umol_l=["[Unknown]"], albumin_g_l=[40])


def test_table_without_a_usual_value_is_warned_about_and_a_small_one_is_not() -> None:
    mg_l = np.array([5, 12, 40, 3, 8, 22, 31, 55, 2, 18.0])
    with pytest.warns(RadiogenomicsWarning, match="none of 10 values lies between 0 and 1 mg/dl"):
        crafity_score(crp_mg_dl=mg_l, afp_ng_ml=np.full(10, 3.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        crafity_score(crp_mg_dl=mg_l[:9], afp_ng_ml=3.0)
        crafity_score(crp_mg_dl=np.append(mg_l, 0.4), afp_ng_ml=3.0)


def test_warnings_point_at_the_caller() -> None:
    with pytest.warns(RadiogenomicsWarning) as caught:
        amap_score(
            age_years=[50, None],
            sex="male",
            albumin_g_l=40,
            bilirubin_umol_l=10,
            platelets_10e9_l=200,
        )
    assert [warning.filename for warning in caught] == [__file__]


def test_missing_inputs_are_counted() -> None:
    with pytest.warns(RadiogenomicsWarning, match=r"ALBI: 2 of 4 .*bilirubin 2, albumin 1\)"):
        found = albi_score(
            bilirubin_umol_l=[10, np.nan, None, 20], albumin_g_l=[40, 41, np.nan, 35]
        )
    assert np.isnan(found.score).tolist() == [False, True, True, False]
    assert found.grade[1] is None
    assert found.modified_grade[2] is None


def test_a_single_missing_value_gives_a_missing_score() -> None:
    with pytest.warns(RadiogenomicsWarning, match="1 of 1"):
        found = albi_score(bilirubin_umol_l=np.nan, albumin_g_l=40)
    assert np.isnan(found.score)
    assert found.grade is None


@pytest.mark.parametrize("dtype", ["Float64", "Int64", "object"])
def test_series_with_pandas_missing_values(dtype: str) -> None:
    bilirubin = pd.Series([10, pd.NA, 20], dtype=dtype)
    if dtype == "object":
        bilirubin = bilirubin.where(bilirubin.notna(), None)
    with pytest.warns(RadiogenomicsWarning, match="1 of 3"):
        found = albi_score(bilirubin_umol_l=bilirubin, albumin_g_l=pd.Series([40.0, 40.0, 40.0]))
    assert np.isnan(found.score).tolist() == [False, True, False]


def test_patients_keep_their_order(rng: np.random.Generator) -> None:
    bilirubin, albumin = rng.uniform(5, 60, 50), rng.uniform(20, 50, 50)
    order = rng.permutation(50)
    score = albi_score(bilirubin_umol_l=bilirubin, albumin_g_l=albumin).score
    moved = albi_score(bilirubin_umol_l=bilirubin[order], albumin_g_l=albumin[order]).score
    one_by_one = [
        albi_score(bilirubin_umol_l=b, albumin_g_l=a).score
        for b, a in zip(bilirubin, albumin, strict=True)
    ]
    assert np.array_equal(moved, score[order])
    assert score.tolist() == one_by_one


def test_series_of_other_patients_are_refused() -> None:
    with pytest.raises(AlignmentError, match="same patients in the same order"):
        albi_score(
            bilirubin_umol_l=pd.Series([10, 12], index=["P1", "P2"]),
            albumin_g_l=pd.Series([40, 38], index=["P2", "P1"]),
        )


@pytest.mark.parametrize("albumin", [[40, 41, 42], [[40, 41]]])
def test_shapes_that_do_not_fit_are_refused(albumin: list[object]) -> None:
    with pytest.raises(DataError, match=r"albumin \("):
        albi_score(bilirubin_umol_l=[10, 12], albumin_g_l=albumin)


def test_no_patients_no_scores() -> None:
    found = albi_score(bilirubin_umol_l=[], albumin_g_l=[])
    assert found.score.shape == found.grade.shape == (0,)


def test_categories_ignore_case_and_keep_missing() -> None:
    codes = SEX.read(["MALE", "female ", None, np.nan, pd.NA])
    np.testing.assert_array_equal(codes, [0, 1, np.nan, np.nan, np.nan])
    assert SEX.read("Female").tolist() == 1


def test_unknown_categories_name_near_matches() -> None:
    with pytest.raises(
        UnknownNameError, match="unknown ascites 'moderat': did you mean 'moderate'"
    ):
        Category("ascites", ("none", "mild", "moderate")).read(["none", "moderat"])


def test_flags_are_yes_no_or_missing() -> None:
    np.testing.assert_array_equal(Flag("spread").read([True, 0, None]), [1, 0, np.nan])
    with pytest.raises(DataError, match=r"spread: expected 1 \(yes\), 0 \(no\).*the first 2"):
        Flag("spread").read([0, 2])


def test_unknown_statements_follow_three_valued_logic() -> None:
    values = np.array([1.0, 0.0, np.nan])
    for left in values:
        for right in values:
            a = truth(np.array([left == 1]), np.array([left]))
            b = truth(np.array([right == 1]), np.array([right]))
            either = 1 if 1 in (left, right) else (left + right)
            both = 0 if 0 in (left, right) else (left * right)
            np.testing.assert_array_equal(decided(a | b), [either])
            np.testing.assert_array_equal(decided(a & b), [both])


def test_single_values_hold_for_every_patient() -> None:
    inputs = read_together("x", (SEX, "male"), (measurements.AGE_YEARS, [40, 50]))
    assert not inputs.single
    assert [array.tolist() for array in inputs.arrays] == [[0, 0], [40, 50]]
