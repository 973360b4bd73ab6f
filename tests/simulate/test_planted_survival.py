from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau
from sklearn.metrics import roc_auc_score
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.metrics import concordance_index_censored

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.simulate.planted_cohort import PlantedCohort
from radiogenomics.simulate.planted_facts import YES_OR_NO
from radiogenomics.simulate.planted_labels import draw_labelled_scans, draw_source_scans
from radiogenomics.simulate.planted_survival import draw_survival_scans, true_concordance
from radiogenomics.simulate.study_truth import concordance

SIZE = 3000
TINY = (16, 16, 16)


@pytest.fixture(scope="module")
def large() -> PlantedCohort:
    return draw_survival_scans(SIZE, hazard_ratio_per_sd=2.5, censored=0.4, seed=7)


@pytest.fixture(scope="module")
def unlinked() -> PlantedCohort:
    return draw_survival_scans(SIZE, hazard_ratio_per_sd=2.5, censored=0.4, seed=7, effect=False)


def log_hazard_ratio(cohort: PlantedCohort, endpoint: str, column: str = "score") -> float:
    model = CoxPHSurvivalAnalysis(ties="efron").fit(
        cohort.truth[[column]], cohort.outcomes[endpoint].to_structured()
    )
    return float(model.coef_[0])


def c_index(cohort: PlantedCohort, endpoint: str, column: str) -> float:
    outcome = cohort.outcomes[endpoint]
    found = concordance_index_censored(
        outcome.event.to_numpy(), outcome.time.to_numpy(), cohort.truth[column].to_numpy()
    )
    return float(found[0])


def test_survival_has_the_asked_hazard_ratio_and_censoring(large: PlantedCohort) -> None:
    # The standard error of a log hazard ratio of 1800 deaths is below 0.03.
    assert log_hazard_ratio(large, "OS") == pytest.approx(np.log(2.5), abs=0.1)
    assert 0.5 < log_hazard_ratio(large, "PFS") < np.log(2.5)
    overall = large.outcomes["OS"]
    assert 1 - overall.event.mean() == pytest.approx(0.4, abs=0.04)


def test_progression_comes_before_death_and_goes_with_it(large: PlantedCohort) -> None:
    death, progression = (large.outcomes[name] for name in ("OS", "PFS"))
    assert (progression.time <= death.time).all()
    assert (progression.event | ~death.event).all()
    assert progression.time.median() < 0.7 * death.time.median()
    assert kendalltau(progression.time, death.time).statistic > 0.4


@pytest.mark.parametrize("endpoint", ["OS", "PFS"])
@pytest.mark.parametrize("column", ["score", "reading"])
def test_true_c_index_is_what_patients_have(
    large: PlantedCohort, endpoint: str, column: str
) -> None:
    expected = large.strength.loc[endpoint, column]
    assert c_index(large, endpoint, column) == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("censored", [0.0, 0.3, 0.7])
def test_simulated_c_index_agrees_with_quadrature(censored: float) -> None:
    slope = float(np.log(3.0))
    found = true_concordance(slope=slope, censored=censored, correlation=0.8).loc["OS"]
    for column, kappa in (("score", 1.0), ("reading", 0.8)):
        exact = concordance(slope, censored=censored, kappa=kappa)
        assert found[column] == pytest.approx(exact, abs=0.025)


def test_facts_know_a_little_of_the_score(large: PlantedCohort) -> None:
    facts, score = large.facts, large.truth["score"]
    for fact, (share, correlation) in YES_OR_NO.items():
        assert facts[fact].mean() == pytest.approx(share, abs=0.04)
        gap = score[facts[fact] == 1].mean() - score[facts[fact] == 0].mean()
        assert (gap > 0.2) == (correlation >= 0.2) or correlation == 0.15, fact
    assert np.corrcoef(np.log(facts["afp"]), score)[0, 1] == pytest.approx(0.3, abs=0.08)
    assert abs(np.corrcoef(facts["age"], score)[0, 1]) < 4 / np.sqrt(SIZE)


def test_facts_agree_with_the_scan_and_with_each_other(large: PlantedCohort) -> None:
    facts, truth = large.facts, large.truth
    assert (facts["size_cm"] * 10 - truth["diameter_mm"]).abs().max() <= 0.5001
    beyond = truth["diameter_mm"] / 10 + 1 + truth["satellites"] > 7
    assert (facts["up_to_seven"] == beyond).all()
    spread = facts[["lung_metastasis", "bone_metastasis", "lymph_node_metastasis"]].any(axis=1)
    assert (facts.loc[spread | (facts["portal_vein_invasion"] == 1), "bclc_c"] == 1).all()
    assert 0 < facts["bclc_c"].mean() < 1
    assert facts.notna().all(axis=None)


def test_without_effect_nothing_knows_of_the_score(unlinked: PlantedCohort) -> None:
    assert abs(log_hazard_ratio(unlinked, "OS")) < 0.1
    assert abs(log_hazard_ratio(unlinked, "PFS", "reading")) < 0.1
    assert (unlinked.strength == 0.5).all(axis=None)
    told = pd.concat([unlinked.truth, unlinked.facts.drop(columns="site")], axis=1)
    others = told.drop(columns="score").corrwith(told["score"])
    assert others.abs().max() < 4.5 / np.sqrt(SIZE)


def test_sites_are_dealt_evenly_and_by_lot(large: PlantedCohort) -> None:
    assert set(large.facts["site"].value_counts()) == {SIZE // 3}
    means = large.truth["score"].groupby(large.facts["site"]).mean()
    assert means.abs().max() < 4 / np.sqrt(SIZE / 3)


def test_scans_belong_to_the_patients_and_are_made_once() -> None:
    cohort = draw_survival_scans(5, shape=TINY, seed=3, sites=("A",))
    assert cohort.scans is cohort.scans
    assert cohort.scans.patient_ids == tuple(cohort.facts.index)
    assert cohort.scans.channels == ("arterial", "portal", "delayed")
    again = draw_survival_scans(5, shape=TINY, seed=3, sites=("A",))
    np.testing.assert_array_equal(cohort.scans.values, again.scans.values)
    pd.testing.assert_frame_equal(cohort.facts, again.facts)
    assert "SIMULATED" in repr(cohort)


def test_other_cohorts_are_other_patients() -> None:
    one, two, three = (
        draw_survival_scans(4, seed=seed, id=id)
        for seed, id in ((1, "training"), (1, "external"), (2, "training"))
    )
    for other in (two, three):
        assert not set(one.facts.index) & set(other.facts.index)
        assert not np.isclose(one.truth["score"], other.truth["score"]).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hazard_ratio_per_sd": 0.5}, "hazard ratio"),
        ({"hazard_ratio_per_sd": float("nan")}, "hazard ratio"),
        ({"censored": 1.0}, "censored share"),
        ({"censored": -0.1}, "censored share"),
        ({"patients": 3}, "at least 4"),
        ({"sites": ()}, "one site"),
        ({"sites": ("A", "A")}, "each once"),
        ({"shape": (2, 2, 2)}, "at least 8"),
    ],
    ids=str,
)
def test_impossible_survival_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        draw_survival_scans(**({"patients": 10, "seed": 1} | arguments))
    with pytest.raises(UnknownNameError, match="arterial"):
        draw_survival_scans(10, seed=1, phases=("artrial",))


def test_classes_are_as_far_apart_as_the_auc_says() -> None:
    cohort = draw_labelled_scans(SIZE, auc=0.85, positives=0.3, seed=5)
    positive = cohort.facts["itls"] == "present"
    assert positive.sum() == 900
    for column in ("score", "reading"):
        expected = cohort.strength.loc["itls", column]
        found = roc_auc_score(positive, cohort.truth[column])
        assert found == pytest.approx(expected, abs=0.03), column
    assert cohort.strength.loc["itls", "score"] == pytest.approx(0.85)
    within = cohort.truth["score"].groupby(positive).std()
    np.testing.assert_allclose(within, 1, atol=0.08)
    assert cohort.outcomes == {}


def test_fewer_phases_read_less() -> None:
    both, late = (
        draw_labelled_scans(10, seed=5, phases=phases).strength.loc["itls", "reading"]
        for phases in (("arterial", "portal", "delayed"), ("delayed",))
    )
    assert both > late + 0.01


def test_without_effect_classes_are_the_same() -> None:
    cohort = draw_labelled_scans(SIZE, seed=5, effect=False)
    positive = cohort.facts["itls"] == "present"
    for column in ("score", "reading", "diameter_mm", "washout_hu"):
        assert roc_auc_score(positive, cohort.truth[column]) == pytest.approx(0.5, abs=0.045)
    assert (cohort.strength == 0.5).all(axis=None)


@pytest.mark.parametrize(
    "arguments",
    [{"auc": 1.0}, {"auc": 0.4}, {"positives": 0.0}, {"positives": 1.0}, {"positives": 0.01}],
    ids=str,
)
def test_impossible_classes_are_refused(arguments: dict[str, float]) -> None:
    with pytest.raises(DataError, match="both classes"):
        draw_labelled_scans(10, seed=1, **arguments)


def test_source_patients_are_others_and_have_tasks() -> None:
    source = draw_source_scans(40, shape=TINY, seed=1, modality="MR", phases=("portal", "T2"))
    target = draw_labelled_scans(40, seed=1)
    assert not set(source.tasks.index) & set(target.facts.index)
    assert source.scans.channels == ("portal", "T2")
    assert tuple(source.tasks.index) == source.scans.patient_ids
    assert "itls" not in source.tasks
    assert source.tasks.mean().abs().max() < 0.8
    assert source.tasks.std().between(0.6, 1.6).all()


def test_source_tasks_can_be_read_from_the_arrays() -> None:
    """The larger the lesion, the more of the liver is bright in the arterial phase."""
    source = draw_source_scans(80, shape=TINY, seed=2, effect=False, sites=("A",))
    bright = (source.scans.values[:, 0] > 0.58).mean(axis=(1, 2, 3))
    assert np.corrcoef(bright, source.tasks["size"])[0, 1] > 0.5
