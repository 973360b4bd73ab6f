from __future__ import annotations

from importlib import import_module
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.inspection import permutation_importance as theirs
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sksurv.metrics import concordance_index_censored

from radiogenomics.core.errors import AlignmentError, DataError, OutcomeError, UnknownNameError
from radiogenomics.models.explain.permutation_importance import (
    correlated_groups,
    permutation_importance,
)
from radiogenomics.models.surrogate import surrogate
from radiogenomics.models.survival.cox import CoxModel

MODULE = import_module("radiogenomics.models.explain.permutation_importance")


def test_same_shuffles_give_the_scores_of_scikit_learn(cohort, monkeypatch):
    X, label, _ = cohort
    model = surrogate([], "rf", n_splits=3).fit(X[:50], label[:50])
    held, truth = X[50:], label[50:]
    monkeypatch.setattr(MODULE, "_CELLS", 3 * held.size)
    found = permutation_importance(model, held, truth, n_repeats=7, rng=np.random.default_rng(3))
    rng = np.random.default_rng(3)
    baseline = roc_auc_score(truth, model.decision_function(held))
    assert found.baseline == pytest.approx(baseline, rel=1e-12)
    for row, name in enumerate(held):
        orders = rng.permuted(np.tile(np.arange(len(held)), (7, 1)), axis=1)
        for column, order in enumerate(orders):
            shuffled = held.assign(**{name: held[name].to_numpy()[order]})
            expected = baseline - roc_auc_score(truth, model.decision_function(shuffled))
            assert found.drops[row, column] == pytest.approx(expected, abs=1e-12)


def test_means_agree_with_scikit_learn_within_chance(cohort):
    X, label, _ = cohort
    model = LogisticRegression().fit(X[:50], label[:50])
    held, truth = X[50:], label[50:]
    ours = permutation_importance(model, held, truth, n_repeats=400, rng=np.random.default_rng(0))
    scorer = "roc_auc"
    other = theirs(model, held, truth, scoring=scorer, n_repeats=50, random_state=0)
    spread = np.sqrt(ours.drops.var(axis=1) / 400 + other.importances.var(axis=1) / 50)
    assert (np.abs(ours.drops.mean(axis=1) - other.importances_mean) < 4 * spread + 1e-12).all()


def test_survival_agrees_with_all_permutations():
    rng = np.random.default_rng(1)
    X = pd.DataFrame(rng.normal(size=(60, 2)), columns=["risk", "noise"])
    time = rng.exponential(20 * np.exp(-X["risk"]))
    y = np.array([(t < 40, min(t, 40)) for t in time], dtype=[("e", bool), ("t", float)])
    model = CoxModel().fit(X[:50], y[:50])
    held, target = X[50:56], y[50:56]
    found = permutation_importance(model, held, target, n_repeats=4000, rng=rng)
    assert found.metric == "concordance"

    def c(table):
        return concordance_index_censored(target["e"], target["t"], model.predict(table))[0]

    every = [c(held.assign(risk=held["risk"].to_numpy()[list(o)])) for o in permutations(range(6))]
    exact = c(held) - np.mean(every)
    table = found.table().set_index("feature")
    error = table.loc["risk", "sd"] / np.sqrt(4000)
    assert table.loc["risk", "importance"] == pytest.approx(exact, abs=4 * error)
    assert table.loc["risk", "baseline"] == pytest.approx(c(held), rel=1e-12)


def test_feature_without_weight_has_no_importance(cohort):
    X, label, _ = cohort
    model = LogisticRegression().fit(X, label)
    model.coef_[0, 4] = 0.0
    found = permutation_importance(model, X, label, rng=np.random.default_rng(0)).table()
    row = found.set_index("feature").loc["noise"]
    assert row["importance"] == row["low"] == row["high"] == 0


def test_copies_hide_each_other_until_grouped(rng):
    truth = rng.normal(size=400)
    X = pd.DataFrame(
        {"a": truth, "b": truth + 0.01 * rng.normal(size=400), "c": rng.normal(size=400)}
    )
    label = truth + 0.3 * rng.normal(size=400) > 0
    model = LogisticRegression(C=1e-3).fit(X[:200], label[:200])
    groups = correlated_groups(X[:200])
    assert groups == {"a + b": ["a", "b"], "c": ["c"]}
    alone = permutation_importance(model, X[200:], label[200:], rng=rng).table()
    together = permutation_importance(model, X[200:], label[200:], rng=rng, groups=groups).table()
    assert together["feature"][0] == "a + b"
    assert together["importance"][0] > 2 * alone["importance"].max()
    arrays = permutation_importance(
        LogisticRegression().fit(X[:200].to_numpy(), label[:200]),
        X[200:].to_numpy(),
        label[200:],
        rng=rng,
        groups={"both": ["x0", "x1"]},
    )
    assert list(arrays.groups) == ["both", "x2"]


def test_groups_hold_only_pairs_that_go_together(rng):
    base = rng.normal(size=(80, 3))
    X = pd.DataFrame(np.column_stack([base, base + 0.4 * rng.normal(size=(80, 3)), np.ones(80)]))
    for threshold in (0.5, 0.7, 0.9):
        for members in correlated_groups(X, threshold=threshold).values():
            rho = (
                np.abs(spearmanr(X[[int(m) for m in members]]).statistic) if len(members) > 2 else 1
            )
            assert np.min(rho) >= threshold - 1e-12
    assert "6" in correlated_groups(X, threshold=0.01)


def test_bad_input_is_refused(cohort):
    X, label, y = cohort
    model = LogisticRegression().fit(X, label)

    def ask(X=X, target=label, **options):
        return permutation_importance(model, X, target, rng=np.random.default_rng(0), **options)

    with pytest.raises(OutcomeError, match="one class"):
        ask(X[:4], np.zeros(4, dtype=int))
    with pytest.raises(OutcomeError, match="labels among"):
        ask(target=label + 1)
    with pytest.raises(OutcomeError, match="structured survival target"):
        ask(metric="concordance")
    with pytest.raises(OutcomeError, match="expected a label"):
        ask(target=y, metric="auc")
    with pytest.raises(UnknownNameError, match="auc"):
        ask(metric="auk")
    with pytest.raises(AlignmentError, match="one outcome a patient"):
        ask(target=label[:5])
    with pytest.raises(AlignmentError, match="did you mean 'rim'"):
        ask(groups={"g": ["rimm"]})
    with pytest.raises(AlignmentError, match="rim in several"):
        ask(groups={"g": ["rim"], "h": ["rim", "age"]})
    with pytest.raises(AlignmentError, match="should stand"):
        ask(X[X.columns[::-1]])
    with pytest.raises(DataError, match="at least 2"):
        ask(n_repeats=1)
    with pytest.raises(DataError, match="above 0"):
        correlated_groups(X, threshold=0)
    with pytest.raises(DataError, match="impute first"):
        correlated_groups(X.where(X["rim"] > 0))
