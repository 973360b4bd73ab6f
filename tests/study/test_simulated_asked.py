"""What a simulation is asked that its recipe cannot give."""

from __future__ import annotations

import warnings

import pytest

from radiogenomics.core.errors import RadiogenomicsWarning, StudyError
from radiogenomics.study.prediction.simulated import design_of
from radiogenomics.study.registry import find_study, read_study
from radiogenomics.study.simulated_asked import Asked

ONCE, TWICE, SURROGATE = "hua2024_response_ct", "lwctr2025_os12_ct", "jtm2025_irs_ctmr"


def recipe(name: str):
    return read_study(find_study(name))


@pytest.mark.parametrize("name", [ONCE, SURROGATE])
def test_no_change_can_be_taken_out_of_one_time_point(name):
    with pytest.raises(StudyError, match="found scans at baseline alone. Leave out --without"):
        Asked(change=False).check(recipe(name))
    Asked(change=False, effect=False).check(recipe(name))


def test_the_change_of_two_time_points_can():
    Asked(change=False).check(recipe(TWICE))


def test_least_numbers_are_told_where_they_act():
    study = recipe(TWICE)
    with pytest.warns(RadiogenomicsWarning, match="at the scale 0.1") as told:
        Asked(scale=0.1).check(study)
    (text,) = (str(each.message) for each in told)
    drawn = {
        name: part.patients for name, part in design_of(study, scale=0.1, features=20).parts.items()
    }
    assert drawn == {"training": 40, "internal": 24, "external": 24}
    for name, share in {"training": 25, "internal": 6, "external": 8}.items():
        assert f"{name} {drawn[name]} instead of {share}" in text


@pytest.mark.parametrize(("name", "scale"), [(TWICE, 0.5), (TWICE, 1.0), (ONCE, 1.0)])
def test_they_are_not_where_they_do_not(name, scale):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Asked(scale=scale).check(recipe(name))
