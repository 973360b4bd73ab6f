"""Converters against molar masses, and there and back."""

from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.clinical import units
from radiogenomics.core.errors import DataError


def test_factors_are_those_of_the_molar_masses() -> None:
    # 1 mg/dl = 10 mg/l; bilirubin C33H36N4O6 584.66 g/mol, creatinine C4H7N3O 113.12 g/mol.
    assert units.bilirubin_to_umol_l(1.0) == pytest.approx(10_000 / 584.66, rel=1e-4)
    assert units.creatinine_to_umol_l(1.0) == pytest.approx(10_000 / 113.12, rel=1e-4)


@pytest.mark.parametrize(
    ("there", "back", "values"),
    [
        (units.bilirubin_to_umol_l, units.bilirubin_to_mg_dl, [0.1, 2.0, 3.0, 28.0]),
        (units.albumin_to_g_l, units.albumin_to_g_dl, [2.8, 3.0, 3.5, 4.6]),
        (units.creatinine_to_umol_l, units.creatinine_to_mg_dl, [0.6, 1.0, 4.0]),
        (units.crp_to_mg_l, units.crp_to_mg_dl, [0.0, 0.3, 1.0, 20.0]),
    ],
)
def test_there_and_back_stays_on_the_cut_offs(there, back, values) -> None:
    assert back(there(values)).tolist() == values


@pytest.mark.parametrize(("g_l", "g_dl"), [(28, 2.8), (30, 3.0), (35, 3.5)])
def test_albumin_cut_offs_are_met_exactly(g_l: float, g_dl: float) -> None:
    assert units.albumin_to_g_dl(g_l) == g_dl


def test_converting_twice_is_refused() -> None:
    with pytest.raises(DataError, match="looks like g/l"):
        units.albumin_to_g_l(units.albumin_to_g_l([4.0, 3.5]))
    with pytest.raises(DataError, match="looks like mg/dl"):
        units.bilirubin_to_mg_dl(units.bilirubin_to_mg_dl([10.0, 20.0]))


def test_missing_stays_missing() -> None:
    np.testing.assert_array_equal(units.crp_to_mg_l([1.0, None]), [10.0, np.nan])
