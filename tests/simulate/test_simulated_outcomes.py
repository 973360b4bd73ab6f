from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from lifelines.utils import concordance_index
from scipy import stats

from radiogenomics.simulate import HCCModel, SimulatedHCC, hcc_cohort
from radiogenomics.simulate.clinical import (
    draw_patients,
    draw_response,
    draw_survival,
    log_hazard,
    response_probability,
)
from radiogenomics.simulate.latents import draw_latents

CLINICAL = HCCModel().clinical
WITHOUT_CENSORING = replace(CLINICAL, follow_up=(1e6, 2e6), dropout=1e-9)


def latents_of(n: int, rng: np.random.Generator) -> pd.DataFrame:
    return draw_latents(pd.RangeIndex(n), HCCModel().latents, rng)


def cohorts(effect: float, seeds: range, n: int = 150) -> list[SimulatedHCC]:
    rngs = [np.random.default_rng(seed) for seed in seeds]
    return [hcc_cohort(n, effect=effect, n_genes=160, rng=rng) for rng in rngs]


def cox(simulated: SimulatedHCC, gene: str) -> pd.Series:
    """Univariate Cox of OS on a gene per SD, by lifelines."""
    expression = simulated.cohort.assay("rna").per_patient()[gene]
    frame = simulated.cohort.survival("OS").to_frame()
    frame["gene"] = (expression - expression.mean()) / expression.std()
    return CoxPHFitter().fit(frame, "time", "event").summary.loc["gene"]


def test_survival_without_censoring_is_weibull(rng: np.random.Generator) -> None:
    drawn = draw_survival(pd.Series(np.zeros(4000)), WITHOUT_CENSORING, rng)
    scale = CLINICAL.survival_median / np.log(2) ** (1 / CLINICAL.survival_shape)
    law = stats.weibull_min(CLINICAL.survival_shape, scale=scale)
    assert drawn["OS"].all()
    assert stats.kstest(drawn["OS_months"], law.cdf).pvalue > 0.001
    # A wrong shape would be seen with this many patients.
    wrong = stats.weibull_min(1.0, scale=scale)
    assert stats.kstest(drawn["OS_months"], wrong.cdf).pvalue < 0.001


def test_log_hazard_is_the_log_hazard_ratio(rng: np.random.Generator) -> None:
    latents = latents_of(4000, rng)
    sites = np.full(4000, "A", dtype=object)
    patients = draw_patients(latents, sites, constants=CLINICAL, effect=1.0, rng=rng)
    hazard = log_hazard(latents, patients, CLINICAL, effect=1.0)
    drawn = draw_survival(hazard, CLINICAL, rng)
    frame = pd.DataFrame({"hazard": hazard, "time": drawn["OS_months"], "event": drawn["OS"]})
    row = CoxPHFitter().fit(frame, "time", "event").summary.loc["hazard"]
    assert abs(row["coef"] - 1.0) < 4 * row["se(coef)"]
    assert row["se(coef)"] < 0.04


def test_progression_comes_no_later_than_death(rng: np.random.Generator) -> None:
    drawn = draw_survival(pd.Series(rng.standard_normal(2000)), CLINICAL, rng)
    assert (drawn["PFS_months"] <= drawn["OS_months"]).all()
    assert (drawn["PFS"] >= drawn["OS"]).all()
    assert (drawn[["OS_months", "PFS_months"]] > 0).all(axis=None)


def test_response_happens_as_often_as_stated(rng: np.random.Generator) -> None:
    latents = latents_of(20_000, rng)
    expected = response_probability(latents, CLINICAL, effect=1.0)
    category = draw_response(latents, CLINICAL, effect=1.0, rng=rng)
    frame = pd.DataFrame({"p": expected, "hit": category.isin(["CR", "PR"])})
    groups = frame.groupby(pd.qcut(expected, 10, labels=False))
    error = np.sqrt(groups["p"].mean() * (1 - groups["p"].mean()) / groups.size())
    assert ((groups["hit"].mean() - groups["p"].mean()).abs() < 4 * error).all()
    assert expected.corr(latents["immune"]) > 0.5
    assert expected.corr(latents["proliferation"]) < -0.3


def test_default_strength_is_realistic() -> None:
    made = cohorts(1.0, range(16))
    hazard_ratio = {
        gene: np.exp(np.mean([cox(one, gene)["coef"] for one in made]))
        for gene in ("KPNA2", "SMG5")
    }
    assert 1.3 < hazard_ratio["KPNA2"] < 1.7
    assert 1.3 < hazard_ratio["SMG5"] < 1.6
    concordance = [
        concordance_index(
            one.cohort.survival("OS").time,
            -one.truth["log_hazard"],
            one.cohort.survival("OS").event,
        )
        for one in made
    ]
    assert 0.68 < np.mean(concordance) < 0.75
    events = [one.cohort.survival("OS").event.mean() for one in made]
    assert 0.40 < np.mean(events) < 0.55


def test_hazard_ratio_rises_with_the_effect() -> None:
    means = [
        np.mean([cox(one, "KPNA2")["coef"] for one in cohorts(effect, range(8))])
        for effect in (0.0, 0.5, 1.0, 2.0)
    ]
    assert (np.diff(means) > 0.05).all()


def test_without_effect_genes_tell_nothing_of_survival_or_response() -> None:
    made = cohorts(0.0, range(100, 140))
    rows = pd.DataFrame([cox(one, "KPNA2") for one in made])
    # The mean of 40 standard normal z statistics has SD 1 / sqrt(40).
    assert abs(rows["z"].mean()) < 3.5 / np.sqrt(40)
    found = int((rows["p"] < 0.05).sum())
    assert stats.binomtest(found, 40, 0.05).pvalue > 0.001
    p_values = [stats.mannwhitneyu(*_by_response(one, "KPNA2")).pvalue for one in made]
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_with_effect_the_same_checks_find_it() -> None:
    made = cohorts(1.0, range(100, 112))
    rows = pd.DataFrame([cox(one, "KPNA2") for one in made])
    assert rows["z"].mean() > 1.5
    p_values = [stats.mannwhitneyu(*_by_response(one, "CD8A")).pvalue for one in made]
    assert stats.kstest(p_values, "uniform").pvalue < 1e-4


def test_without_effect_the_latents_change_no_outcome() -> None:
    """Exact: the same generator gives the same facts and responses to other tumours."""
    one = latents_of(200, np.random.default_rng(1))
    other = latents_of(200, np.random.default_rng(2))
    sites = np.full(200, "A", dtype=object)
    facts, hazards, responses = [], [], []
    for latents in (one, other):
        rng = np.random.default_rng(3)
        patients = draw_patients(latents, sites, constants=CLINICAL, effect=0.0, rng=rng)
        facts.append(patients.drop(columns="itls"))
        hazards.append(log_hazard(latents, patients, CLINICAL, effect=0.0))
        responses.append(draw_response(latents, CLINICAL, effect=0.0, rng=rng))
    pd.testing.assert_frame_equal(*facts)
    pd.testing.assert_series_equal(*hazards)
    pd.testing.assert_series_equal(*responses)


def test_itls_and_rna_do_not_depend_on_the_effect() -> None:
    null, strong = (
        hcc_cohort(60, effect=effect, n_genes=160, rng=np.random.default_rng(5))
        for effect in (0.0, 2.0)
    )
    pd.testing.assert_frame_equal(
        null.cohort.assay("rna").values, strong.cohort.assay("rna").values
    )
    assert null.cohort.patients["itls"].equals(strong.cohort.patients["itls"])
    immune = null.truth["immune"]
    present = null.cohort.patients["itls"] == "present"
    assert stats.mannwhitneyu(immune[present], immune[~present]).pvalue < 0.001


def _by_response(simulated: SimulatedHCC, gene: str) -> tuple[pd.Series, pd.Series]:
    expression = simulated.cohort.assay("rna").per_patient()[gene]
    responder = simulated.cohort.response("response").grouped(("CR", "PR"))
    return expression[responder], expression[~responder]
