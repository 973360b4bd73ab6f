"""LASSO and elastic-net Cox regression over genes, plain and stratified by cohort."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.omics.signature.gene_selector import (
    deal_evenly,
    read_given,
    standardise_by_cohort,
)
from radiogenomics.omics.signature.penalised_cox import PenalisedCox
from radiogenomics.stats.linear_models.elastic_net import elastic_net_path

REFERENCE = Path(__file__).parents[1] / "reference" / "omics"
PATHS = pd.read_csv(REFERENCE / "penalised_cox_path.csv")
COEFS = pd.read_csv(REFERENCE / "penalised_cox_coefs.csv")


def target(time, event) -> np.ndarray:
    y = np.empty(len(time), dtype=[("event", bool), ("time", float)])
    y["event"], y["time"] = event, time
    return y


class OnGivenFolds(PenalisedCox):
    """Takes the folds that R had, which stand in the index."""

    def _folds(self, given, patients):
        return patients.to_numpy() % 10


@pytest.fixture(scope="module")
def r_cohorts() -> pd.DataFrame:
    table = pd.read_csv(REFERENCE / "penalised_cox_input.csv")
    return table.set_index(10 * np.arange(len(table)) + table["fold"])


def parts(table: pd.DataFrame, where: str) -> tuple[pd.DataFrame, np.ndarray, pd.Series | None]:
    rows = table[table["cohort"] == "a"] if where == "one" else table
    groups = None if where == "one" else rows["cohort"]
    return rows.filter(regex=r"^g\d"), target(rows["time"], rows["event"]), groups


@pytest.mark.parametrize("rule", ["min", "1se"])
@pytest.mark.parametrize("alpha", [1.0, 0.5])
@pytest.mark.parametrize("where", ["one", "several"])
def test_agrees_with_cv_glmnet(where, alpha, rule, r_cohorts):
    """R was given raw genes of one cohort, and stratifySurv with genes standardised in each."""
    x, y, groups = parts(r_cohorts, where)
    fitted = OnGivenFolds(alpha, rule, n_lambdas=20).fit(x, y, groups)
    expected = PATHS[(PATHS["where"] == where) & (PATHS["alpha"] == alpha)]
    table = fitted.table_
    # R keeps the penalties of a plain path to eight digits only.
    digits = 3e-8 if where == "one" else 1e-10
    assert_allclose(table["lambda"], expected["lambda"], rtol=digits)
    # At the first penalty R lets a gene in by rounding.
    assert table["genes"].tolist()[1:] == expected["genes"].tolist()[1:]
    assert_allclose(table["loss"], expected["mean"], rtol=digits)
    assert_allclose(table["loss_se"], expected["se"], rtol=digits)
    chosen = expected[expected["min" if rule == "min" else "one_se"]].iloc[0]
    assert fitted.lambda_ == pytest.approx(chosen["lambda"], rel=digits)
    assert np.flatnonzero(fitted.table_["chosen"]).tolist() == [chosen["index"] - 1]
    rows = COEFS[(COEFS["where"] == where) & (COEFS["alpha"] == alpha)]
    theirs = rows[rows["index"] == chosen["index"]].set_index("gene")["coef"]
    assert set(fitted.genes_) == set(theirs.index)
    assert_allclose(fitted.coef_[theirs.index], theirs, rtol=0, atol=digits * theirs.abs().max())
    assert fitted.coef_.abs().is_monotonic_decreasing
    assert fitted.weights_.equals(fitted.coef_)
    assert not fitted.walked_back_


@pytest.mark.parametrize("most", [1, 2])
@pytest.mark.parametrize("rule", ["min", None])
def test_at_most_so_many_genes(rule, most, r_cohorts):
    x, y, groups = parts(r_cohorts, "several")
    free = OnGivenFolds(rule="min").fit(x, y, groups)
    fitted = OnGivenFolds(rule=rule, max_genes=most).fit(x, y, groups)
    assert len(free.genes_) > most >= len(fitted.genes_) > 0
    assert fitted.walked_back_
    assert fitted.weights_.equals(fitted.coef_)
    assert fitted.lambda_ > free.lambda_

    def genes_at(penalty):
        values = standardise_by_cohort(x.to_numpy(), groups.to_numpy())
        outcome = (y["time"], y["event"])
        path = elastic_net_path(values, *outcome, family="cox", strata=groups, lambdas=[penalty])
        return pd.Series(path.coef[0], index=x.columns).loc[lambda coef: coef != 0]

    here = genes_at(fitted.lambda_)
    assert_allclose(fitted.coef_, here[list(fitted.genes_)], rtol=1e-6)
    # A finer step of the sequence further down one more comes in.
    step = 0.05 ** (1 / 59 / 20)
    assert len(genes_at(fitted.lambda_ * step)) > most
    last = fitted.table_.index[fitted.table_["chosen"]][0]
    ahead = fitted.table_["lambda"].iloc[last : last + 2].to_numpy()
    assert ahead[0] >= fitted.lambda_ > ahead[1]


def test_without_folds_nothing_is_drawn(r_cohorts):
    x, y, _ = parts(r_cohorts, "one")
    one, two = (PenalisedCox(rule=None, max_genes=3, random_state=s).fit(x, y) for s in (1, 2))
    assert one.coef_.equals(two.coef_)
    assert one.n_splits_ == 0
    assert one.table_["loss"].isna().all()


def test_seed_decides_on_the_folds(r_cohorts):
    x, y, groups = parts(r_cohorts, "several")
    first, again, other = (PenalisedCox(random_state=seed).fit(x, y, groups) for seed in (0, 0, 1))
    assert first.table_.equals(again.table_)
    assert not first.table_["loss"].equals(other.table_["loss"])


def test_neither_platform_nor_baseline_of_a_cohort_is_seen(r_cohorts):
    x, y, groups = parts(r_cohorts, "several")
    one = PenalisedCox().fit(x, y, groups)
    unit = groups.map({"a": 1.0, "b": 50.0, "c": 0.01})
    slow = np.where(groups == "b", 30.0, 1.0)
    other = PenalisedCox().fit(
        x.mul(unit, axis=0).add(7 * unit, axis=0), target(slow * y["time"], y["event"]), groups
    )
    assert one.genes_ == other.genes_
    assert_allclose(one.coef_, other.coef_, rtol=1e-7)


def test_patients_are_dealt_with_their_share_of_events(rng):
    cohorts, event = np.repeat(["a", "b", "c"], [41, 30, 22]), rng.random(93) < 0.4
    x = pd.DataFrame({"G": rng.normal(size=93)}, index=[f"P{i}" for i in range(93)])
    given = read_given(x, target(np.arange(93) + 1.0, event), cohorts)
    part = deal_evenly(given, x.index, 5, rng=rng)
    assert np.ptp(np.bincount(part)) <= 1
    assert np.ptp(np.bincount(part[event], minlength=5)) <= 1
    for cohort in "abc":
        for kind in (event, ~event):
            counts = np.bincount(part[(cohorts == cohort) & kind], minlength=5)
            assert np.ptp(counts) <= 1
    assert (part != deal_evenly(given, x.index, 5, rng=rng)).any()


def test_rows_of_one_patient_stay_together(rng):
    drawn = rng.integers(0, 40, size=60)
    x = pd.DataFrame({"G": rng.normal(size=40)}, index=[f"P{i}" for i in range(40)]).iloc[drawn]
    given = read_given(x, target(drawn + 1.0, drawn % 2), None)
    part = pd.Series(deal_evenly(given, x.index, 3, rng=rng), index=x.index)
    assert (part.groupby(level=0).nunique() == 1).all()


def test_few_events_make_fewer_folds(rng):
    x = pd.DataFrame(rng.normal(size=(30, 6)), columns=list("ABCDEF"))
    y = target(rng.permutation(30) + 1.0, np.arange(30) < 3)
    with pytest.warns(RadiogenomicsWarning, match="3 folds instead of 5"):
        assert PenalisedCox().fit(x, y).n_splits_ == 3
    with pytest.raises(OutcomeError, match="found 1"):
        PenalisedCox().fit(x, target(y["time"], np.arange(30) < 1))


def test_noise_is_left_alone(rng):
    kept = []
    for seed in range(10):
        x = pd.DataFrame(rng.normal(size=(80, 20)), columns=[f"G{i}" for i in range(20)])
        y = target(rng.exponential(size=80), rng.random(80) < 0.6)
        fitted = PenalisedCox(rule="1se", random_state=seed).fit(x, y)
        kept.append(len(fitted.genes_))
        assert fitted.transform(x).shape == (80, kept[-1])
    assert np.mean(np.array(kept) == 0) >= 0.8


def test_a_constant_gene_is_never_kept(r_cohorts):
    x, y, groups = parts(r_cohorts, "several")
    padded = PenalisedCox().fit(x.assign(flat=3.0), y, groups)
    assert padded.coef_.equals(PenalisedCox().fit(x, y, groups).coef_)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rule": "best"}, "rule"),
        ({"max_genes": 0}, "max_genes"),
        ({"n_splits": 1}, "n_splits"),
        ({"l1_ratio": 0.0}, "l1_ratio"),
        ({"n_lambdas": 1}, "n_lambdas"),
        ({"smallest": 1.0}, "smallest"),
    ],
    ids=str,
)
def test_senseless_settings_are_named(settings, message, r_cohorts):
    x, y, _ = parts(r_cohorts, "one")
    with pytest.raises(DataError, match=message):
        PenalisedCox(**settings).fit(x, y)


def test_bad_values_are_named(r_cohorts):
    x, y, _ = parts(r_cohorts, "one")
    with pytest.raises(DataError, match="missing or infinite"):
        PenalisedCox().fit(x.mask(x > 8), y)
    with pytest.raises(DataError, match="varies with the outcome"):
        PenalisedCox().fit(x * 0 + 1, y)
    with pytest.raises(OutcomeError):
        clone(PenalisedCox()).fit(x, target(-y["time"], y["event"]))
