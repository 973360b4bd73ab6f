"""MELD in its editions: written-out formulas, published rules of clipping, others' test values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from radiogenomics.clinical.meld import meld_3_score, meld_na_score, meld_score
from radiogenomics.core.errors import DataError, RadiogenomicsWarning

HEALTHY = {"bilirubin_mg_dl": 1.0, "creatinine_mg_dl": 1.0, "inr": 1.0}
SICK = {"bilirubin_mg_dl": 4.2, "creatinine_mg_dl": 1.9, "inr": 1.2}


def half_up(value: float) -> int:
    return math.floor(value + 0.5)


def by_hand_3(bili: float, crea: float, inr: float, na: float, alb: float, female: int) -> int:
    bili, inr, crea = max(bili, 1), max(inr, 1), min(max(crea, 1), 3)
    na, alb = min(max(na, 125), 137), min(max(alb, 1.5), 3.5)
    score = (
        1.33 * female
        + 4.56 * math.log(bili)
        + 0.82 * (137 - na)
        - 0.24 * (137 - na) * math.log(bili)
        + 9.09 * math.log(inr)
        + 11.14 * math.log(crea)
        + 1.85 * (3.5 - alb)
        - 1.83 * (3.5 - alb) * math.log(crea)
        + 6
    )
    return min(half_up(score), 40)


def test_meld_against_values_that_other_packages_are_tested_with() -> None:
    # ameld (R): 20.0391626 for these; transplantr (R): 24.798 for INR 2.0, 54 and 170 µmol/l.
    assert meld_score(**SICK) == 20
    assert meld_score(bilirubin_mg_dl=54 / 17.1, creatinine_mg_dl=170 / 88.4, inr=2.0) == 25


def test_meld_na_against_a_value_that_ameld_is_tested_with() -> None:
    assert meld_na_score(**SICK, sodium_mmol_l=125) == 28


def test_meld_by_hand() -> None:
    # 0.957 ln 3 + 0.378 ln 5 + 1.120 ln 2 + 0.643 = 3.0791...
    by_hand = 0.957 * math.log(3) + 0.378 * math.log(5) + 1.120 * math.log(2) + 0.643
    assert meld_score(bilirubin_mg_dl=5, creatinine_mg_dl=3, inr=2) == half_up(10 * by_hand) == 31


def test_values_below_1_and_creatinine_above_the_top_are_clipped() -> None:
    low = meld_score(bilirubin_mg_dl=0.3, creatinine_mg_dl=0.5, inr=0.8)
    assert low == meld_score(**HEALTHY) == 6
    top = meld_score(**{**SICK, "creatinine_mg_dl": [4.0, 9.0]})
    assert top[0] == top[1]
    assert meld_score(**SICK, dialysis=[True, False]).tolist() == [top[0], 20]
    assert meld_score(bilirubin_mg_dl=50, creatinine_mg_dl=4, inr=8) == 40


@pytest.mark.parametrize(("sodium", "same_as"), [(110, 125), (145, 137)])
def test_sodium_is_clipped(sodium: float, same_as: float) -> None:
    for more in ({}, {"albumin_g_dl": 3.0, "sex": "male"}):
        score = meld_3_score if more else meld_na_score
        assert score(**SICK, sodium_mmol_l=sodium, **more) == score(
            **SICK, sodium_mmol_l=same_as, **more
        )


def test_sodium_counts_only_above_11() -> None:
    # Bilirubin alone: 10 (0.378 ln b + 0.643) is 11 up to ln b = 1.34127 and 12 from there on.
    edge = math.exp((1.15 - 0.643) / 0.378)
    eleven = {**HEALTHY, "bilirubin_mg_dl": edge - 0.001}
    twelve = {**HEALTHY, "bilirubin_mg_dl": edge + 0.001}
    assert meld_na_score(**eleven, sodium_mmol_l=125) == meld_score(**eleven) == 11
    expected = half_up(12 + 1.32 * 12 - 0.033 * 12 * 12)
    assert meld_na_score(**twelve, sodium_mmol_l=125) == expected == 23


def test_sodium_adds_nothing_at_40() -> None:
    worst = {"bilirubin_mg_dl": 40, "creatinine_mg_dl": 4, "inr": 5}
    assert meld_na_score(**worst, sodium_mmol_l=[125, 137]).tolist() == [40, 40]


def test_meld_3_by_hand_over_random_patients(rng: np.random.Generator) -> None:
    n = 500
    bili, crea = np.exp(rng.normal(1, 1, n)).clip(0.1, 50), np.exp(rng.normal(0, 0.7, n))
    inr, na = rng.uniform(0.8, 4, n), rng.uniform(115, 145, n)
    alb, female = rng.uniform(1, 5, n), rng.integers(0, 2, n)
    found = meld_3_score(
        bilirubin_mg_dl=bili,
        creatinine_mg_dl=crea,
        inr=inr,
        sodium_mmol_l=na,
        albumin_g_dl=alb,
        sex=np.where(female == 1, "female", "male"),
    )
    patients = zip(bili, crea, inr, na, alb, female, strict=True)
    assert found.tolist() == [by_hand_3(*patient) for patient in patients]
    assert found.min() >= 6


def test_meld_3_dialysis_and_top() -> None:
    more = {"sodium_mmol_l": 130, "albumin_g_dl": 3.0, "sex": "female"}
    on = meld_3_score(**SICK, **more, dialysis=True)
    assert on == meld_3_score(**{**SICK, "creatinine_mg_dl": 3.0}, **more)
    assert on == meld_3_score(**{**SICK, "creatinine_mg_dl": 8.0}, **more)
    assert meld_3_score(bilirubin_mg_dl=50, creatinine_mg_dl=3, inr=8, **more) == 40


def test_never_falls_when_values_get_worse(rng: np.random.Generator) -> None:
    n = 300
    base = {
        "bilirubin_mg_dl": rng.uniform(0.3, 30, n),
        "creatinine_mg_dl": rng.uniform(0.4, 6, n),
        "inr": rng.uniform(0.8, 5, n),
    }
    for name in base:
        worse = {**base, name: base[name] * 1.2}
        assert (meld_score(**worse) >= meld_score(**base)).all()
        assert (
            meld_na_score(**base, sodium_mmol_l=126) >= meld_na_score(**base, sodium_mmol_l=136)
        ).all()


def test_missing_and_bad_input() -> None:
    with pytest.warns(RadiogenomicsWarning, match=r"MELD-Na: 1 of 2 .*sodium 1"):
        found = meld_na_score(**HEALTHY, sodium_mmol_l=[137, np.nan])
    np.testing.assert_array_equal(found, [6, np.nan])
    with pytest.warns(RadiogenomicsWarning, match="creatinine 1"):
        missing = meld_score(bilirubin_mg_dl=1, creatinine_mg_dl=np.nan, inr=1, dialysis=True)
    assert np.isnan(missing)
    with pytest.raises(DataError, match="creatinine: .*looks like µmol/l"):
        meld_score(bilirubin_mg_dl=1, creatinine_mg_dl=90, inr=1)
