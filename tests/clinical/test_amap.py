"""aMAP against the written-out formula."""

from __future__ import annotations

import math

import numpy as np
import pytest

from radiogenomics.clinical.amap import amap_score
from radiogenomics.core.errors import DataError, UnknownNameError

PATIENT = {
    "age_years": 50.0,
    "sex": "male",
    "albumin_g_l": 42.0,
    "bilirubin_umol_l": 10.0,
    "platelets_10e9_l": 200.0,
}


def by_hand(age: float, male: int, albumin: float, bilirubin: float, platelets: float) -> float:
    inside = 0.06 * age + 0.89 * male + 0.48 * (math.log10(bilirubin) * 0.66 + albumin * -0.085)
    return (inside - 0.01 * platelets + 7.4) / 14.77 * 100


def test_score_by_hand() -> None:
    assert amap_score(**PATIENT).score == pytest.approx(by_hand(50, 1, 42, 10, 200), rel=1e-13)
    woman = amap_score(**{**PATIENT, "sex": "female"}).score
    assert woman == pytest.approx(by_hand(50, 0, 42, 10, 200), rel=1e-13)


@pytest.mark.parametrize(("cut", "below", "above"), [(50, "low", "medium"), (60, "medium", "high")])
def test_groups_on_both_sides_of_the_cut_offs(cut: float, below: str, above: str) -> None:
    # Age at which the formula gives the cut-off, all else fixed.
    age = 50 + (cut - by_hand(50, 1, 42, 10, 200)) * 14.77 / 6
    found = amap_score(**{**PATIENT, "age_years": [age - 1e-7, age + 1e-7]})
    assert found.group.tolist() == [below, above]


def test_each_factor_moves_the_score_as_published() -> None:
    base = amap_score(**PATIENT).score
    worse = {
        "age_years": 60.0,
        "albumin_g_l": 35.0,
        "bilirubin_umol_l": 30.0,
        "platelets_10e9_l": 90.0,
    }
    for name, value in worse.items():
        assert amap_score(**{**PATIENT, name: value}).score > base
    assert amap_score(**{**PATIENT, "sex": "female"}).score < base


def test_many_patients(rng: np.random.Generator) -> None:
    columns = [rng.uniform(20, 80, 100), rng.integers(0, 2, 100), rng.uniform(25, 50, 100)]
    columns += [rng.uniform(5, 60, 100), rng.uniform(50, 400, 100)]
    age, male, albumin, bilirubin, platelets = columns
    found = amap_score(
        age_years=age,
        sex=np.where(male == 1, "male", "female"),
        albumin_g_l=albumin,
        bilirubin_umol_l=bilirubin,
        platelets_10e9_l=platelets,
    )
    expected = [by_hand(*patient) for patient in zip(*columns, strict=True)]
    np.testing.assert_allclose(found.score, expected, rtol=1e-13)


def test_bad_input() -> None:
    with pytest.raises(DataError, match="per µl"):
        amap_score(**{**PATIENT, "platelets_10e9_l": 180_000})
    with pytest.raises(UnknownNameError, match="did you mean"):
        amap_score(**{**PATIENT, "sex": "mal"})
