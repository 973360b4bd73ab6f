"""Elastic-net Cox regression whose strata have baseline hazards of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats.linear_models.elastic_net import elastic_net_path
from radiogenomics.stats.linear_models.elastic_net_choice import choose_penalty
from radiogenomics.stats.linear_models.penalised_losses import (
    CoxLoss,
    StratifiedCoxLoss,
    build_loss,
)
from radiogenomics.stats.survival.cox import fit_cox

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "omics"
PATHS = pd.read_csv(REFERENCE / "penalised_cox_path.csv").query("where == 'several'")
COEFS = pd.read_csv(REFERENCE / "penalised_cox_coefs.csv").query("where == 'several'")


@pytest.fixture(scope="module")
def cohorts() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Genes in standard deviations of each cohort, and the outcomes."""
    table = pd.read_csv(REFERENCE / "penalised_cox_input.csv")
    genes = table.filter(regex=r"^g\d").groupby(table["cohort"])
    values = table.filter(regex=r"^g\d")
    return (values - genes.transform("mean")) / genes.transform("std"), table


@pytest.mark.parametrize("alpha", [1.0, 0.5])
def test_path_and_choice_agree_with_glmnet(alpha, cohorts):
    x, table = cohorts
    expected = PATHS[PATHS["alpha"] == alpha]
    usual = elastic_net_path(
        x, table["time"], table["event"], family="cox", strata=table["cohort"], l1_ratio=alpha,
        max_inside=0,
    )  # fmt: skip
    np.testing.assert_allclose(usual.lambdas[0], expected["lambda"].max(), rtol=1e-12)
    found = choose_penalty(
        x, table["time"], table["event"], family="cox", strata=table["cohort"],
        folds=table["fold"], l1_ratio=alpha, lambdas=expected["lambda"],
    )  # fmt: skip
    assert ((found.path.coef != 0).sum(axis=1) == expected["genes"])[1:].all()
    ratio = expected["ratio"]
    np.testing.assert_allclose(found.path.deviance_ratio, ratio, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.mean, expected["mean"], rtol=1e-10)
    np.testing.assert_allclose(found.se, expected["se"], rtol=1e-10)
    assert found.at_min == np.flatnonzero(expected["min"])[0]
    assert found.at_1se == np.flatnonzero(expected["one_se"])[0]
    for index, rows in COEFS[COEFS["alpha"] == alpha].groupby("index"):
        theirs = rows.set_index("gene")["coef"].reindex(x.columns, fill_value=0.0)
        ours = found.path.coef[index - 1]
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10 * theirs.abs().max())


def test_a_vanishing_penalty_gives_the_stratified_cox_model(cohorts):
    x, table = cohorts
    few = x[["g3", "g8", "g1"]]
    outcome = (table["time"], table["event"])
    path = elastic_net_path(few, *outcome, family="cox", strata=table["cohort"], lambdas=[1e-10])
    fit = fit_cox(few, *outcome, strata=table["cohort"], ties="breslow")
    np.testing.assert_allclose(path.coef[0], fit.coef, rtol=1e-6)


def test_the_loss_is_the_sum_of_those_of_the_strata(rng):
    time, event = rng.exponential(size=30).round(1), rng.random(30) < 0.6
    strata = np.repeat(["a", "b", "c"], 10)
    event[20:] = False
    eta, ways = rng.normal(size=30), rng.normal(size=(3, 30))
    whole = StratifiedCoxLoss(time, event, strata)
    parts = [(s, CoxLoss(time[s], event[s])) for s in (slice(0, 10), slice(10, 20))]
    assert whole.value(eta) == pytest.approx(sum(p.value(eta[s]) for s, p in parts) / 3, rel=1e-13)
    assert whole.saturated == pytest.approx(sum(p.saturated for _, p in parts) / 3, rel=1e-13)
    slopes = np.concatenate([p.slope(eta[s]) for s, p in parts] + [np.zeros(10)]) / 3
    np.testing.assert_allclose(whole.slope(eta), slopes, rtol=1e-13)
    curvature = sum(p.curvature(eta[s], ways[:, s]) for s, p in parts) / 3
    np.testing.assert_allclose(whole.curvature(eta, ways), curvature, rtol=1e-12)


def test_one_stratum_is_none_and_shifts_of_time_are_not_seen(rng):
    x, time = rng.normal(size=(60, 5)), rng.exponential(size=60) + 0.1
    event, strata = rng.random(60) < 0.7, np.arange(60) % 2
    plain = elastic_net_path(x, time, event, family="cox")
    one = elastic_net_path(x, time, event, family="cox", strata=np.ones(60))
    np.testing.assert_allclose(one.coef, plain.coef, rtol=1e-12)
    apart = elastic_net_path(x, time, event, family="cox", strata=strata)
    later = np.where(strata == 1, time * 50, time)
    moved = elastic_net_path(x, later, event, family="cox", strata=strata)
    np.testing.assert_allclose(moved.coef, apart.coef, rtol=1e-12)


def test_bad_strata_are_named(rng):
    x, time = rng.normal(size=(6, 2)), np.arange(6) + 1.0
    with pytest.raises(DataError, match="one stratum per patient"):
        elastic_net_path(x, time, np.ones(6), family="cox", strata=[1, 2])
    with pytest.raises(DataError, match="strata for family 'cox' only"):
        build_loss("gaussian", time, strata=np.ones(6))
    with pytest.raises(OutcomeError):
        elastic_net_path(x, time, np.zeros(6), family="cox", strata=np.ones(6))
    alone = np.arange(6)
    with pytest.raises(DataError, match="varies with the outcome"):
        elastic_net_path(x, time, np.ones(6), family="cox", strata=alone)
