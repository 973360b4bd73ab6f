from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.ensemble import RandomForestClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks
from statsmodels.stats.multitest import multipletests

from radiogenomics.core.errors import DataError, FallbackWarning, OutcomeError, SchemaError
from radiogenomics.features.boruta import Boruta, hit_tests


@pytest.mark.filterwarnings("ignore::radiogenomics.core.errors.FallbackWarning")
@parametrize_with_checks([Boruta(n_estimators=5, max_iter=3)])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@pytest.mark.parametrize("two_step", [False, True])
@pytest.mark.parametrize("rounds", [1, 7, 20, 90])
def test_hit_tests_follow_the_definition(rng, rounds, two_step):
    hits = rng.binomial(rounds, rng.choice([0.02, 0.5, 0.98], 40))
    undecided = rng.random(40) < 0.8
    found = hit_tests(hits, rounds, alpha=0.05, two_step=two_step, undecided=undecided)
    for side, answer in (("greater", found.confirmed), ("less", found.rejected)):
        p = np.array([binomtest(h, rounds, alternative=side).pvalue for h in hits])
        if two_step:
            passed = np.zeros(40, dtype=bool)
            passed[undecided] = multipletests(p[undecided], 0.05, "fdr_bh")[0]
            passed &= p <= 0.05 / rounds
        else:
            passed = multipletests(p, 0.05, "bonferroni")[0] & undecided
        assert answer.tolist() == passed.tolist()


def test_hit_tests_by_hand():
    # Of three variables, all 6 of 6 rounds: 3 / 64 passes; of 4 it would be 4 / 64 and not.
    assert hit_tests([6, 3, 0], 6).confirmed.tolist() == [True, False, False]
    assert hit_tests([6, 3, 0], 6).rejected.tolist() == [False, False, True]
    assert not hit_tests([6, 3, 0, 0], 6).confirmed.any()
    # 7 of 8: (1 + 8) / 256, times one variable.
    assert hit_tests([7], 8, alpha=9 / 256).confirmed.all()
    assert not hit_tests([7], 8, alpha=8.99 / 256).confirmed.any()


def test_one_round_by_hand(monkeypatch):
    """Shadows are shuffled copies, as many as variables and at least five, in one forest."""
    seen = []

    class Spy(RandomForestClassifier):
        def fit(self, X, y):
            seen.append(X.copy())
            return super().fit(X, y)

        @property
        def feature_importances_(self):
            return np.array([0.5, 0.1, 0.2, 0.0, 0.15, 0.2, 0.05][: seen[-1].shape[1]])

    monkeypatch.setattr("radiogenomics.features.boruta.RandomForestClassifier", Spy)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 2)), np.arange(30) % 2
    with pytest.warns(FallbackWarning):
        fitted = Boruta(max_iter=1).fit(X, y)
    (round_,) = seen
    assert round_.shape == (30, 2 + 6)
    np.testing.assert_array_equal(round_[:, :2], X.astype(np.float32))
    for shadow in range(6):
        original = round_[:, shadow % 2]
        assert sorted(round_[:, 2 + shadow]) == sorted(original)
        assert not np.array_equal(round_[:, 2 + shadow], original)
    assert fitted.hits_.tolist() == [1, 0]
    np.testing.assert_allclose(fitted.scores_, [0.3, -0.1])


def planted(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Three features with the signal, a near-copy of the first, and noise."""
    rng = np.random.default_rng([11, seed])
    X = rng.normal(size=(160, 40))
    y = (X[:, :3].sum(axis=1) * 2 + rng.logistic(size=160) > 0).astype(int)
    X[:, 3] = X[:, 0] + 0.3 * rng.normal(size=160)
    return X, y


def test_finds_the_truth_and_near_copies_and_little_else():
    found, false = [], []
    for seed in range(6):
        X, y = planted(seed)
        fitted = Boruta(n_estimators=60, max_iter=30, random_state=seed).fit(X, y)
        assert not fitted.fell_back_
        found.append(fitted.support_[:4].mean())
        false.append(fitted.support_[4:].sum())
    assert np.mean(found) > 0.9
    assert np.mean(false) < 0.5


def test_decisions_hits_and_what_is_kept():
    X, y = planted(0)
    drop = Boruta(n_estimators=40, max_iter=20).fit(X, y)
    keep = Boruta(n_estimators=40, max_iter=20, tentative="keep").fit(X, y)
    assert set(drop.decision_) == {"confirmed", "tentative", "rejected"}
    np.testing.assert_array_equal(drop.decision_, keep.decision_)
    assert drop.support_.tolist() == (drop.decision_ == "confirmed").tolist()
    assert keep.support_.tolist() == (drop.decision_ != "rejected").tolist()
    assert drop.n_iter_ == 20
    rejected = drop.decision_ == "rejected"
    assert (drop.rounds_[~rejected] == 20).all()
    assert (drop.rounds_[rejected] < 20).any()
    p = np.array([binomtest(h, 20, alternative="greater").pvalue for h in drop.hits_]) * 40
    assert (p[drop.decision_ == "tentative"] > 0.05).all()
    lenient = Boruta(n_estimators=40, max_iter=20, perc=70).fit(X, y)
    assert lenient.hits_.sum() > drop.hits_.sum()


def test_noise_is_not_confirmed_and_falls_back(rng):
    X, y = rng.normal(size=(50, 80)), np.arange(50) % 2
    with pytest.warns(FallbackWarning, match="none of 80"):
        fitted = Boruta(n_estimators=30, max_iter=15, fallback=2).fit(X, y)
    assert fitted.fell_back_
    assert fitted.support_.sum() == 2
    assert np.argmax(fitted.scores_) in np.flatnonzero(fitted.support_)
    with pytest.raises(DataError, match="found none of 80"):
        Boruta(n_estimators=30, max_iter=15, fallback=0).fit(X, y)


def test_same_seed_same_decisions_three_classes_and_constants():
    X, _ = planted(1)
    y = np.digitize(X[:, 2], [-0.5, 0.5])
    X[:, 10] = 1
    first, second, other = (
        Boruta(n_estimators=30, max_iter=15, random_state=seed).fit(X, y) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.hits_, second.hits_)
    assert not np.array_equal(first.hits_, other.hits_)
    assert first.classes_.tolist() == [0, 1, 2]
    assert first.support_[2]
    assert first.hits_[10] == 0


X_BAD, Y_BAD = np.random.default_rng(4).normal(size=(20, 3)), np.arange(20) % 2


@pytest.mark.parametrize(
    ("parameters", "X", "y", "error", "message"),
    [
        ({}, X_BAD, np.zeros(20), OutcomeError, "two or more classes"),
        ({}, np.where(X_BAD > 1, np.nan, X_BAD), Y_BAD, ValueError, "NaN"),
        ({}, X_BAD, Y_BAD[:-1], ValueError, "inconsistent"),
        ({"n_estimators": 0}, X_BAD, Y_BAD, DataError, "n_estimators"),
        ({"max_iter": 1.5}, X_BAD, Y_BAD, DataError, "max_iter"),
        ({"alpha": 1.0}, X_BAD, Y_BAD, DataError, "alpha"),
        ({"perc": 0}, X_BAD, Y_BAD, DataError, "perc"),
        ({"tentative": "maybe"}, X_BAD, Y_BAD, DataError, "'drop' or 'keep'; found 'maybe'"),
    ],
)
def test_bad_input_says_what_is_wrong(parameters, X, y, error, message):
    with pytest.raises(error, match=message):
        Boruta(**parameters).fit(X, y)


def test_left_over_row_fact_fails_loudly():
    with pytest.raises(SchemaError, match="row fact.*@site"):
        Boruta().fit(pd.DataFrame(X_BAD).add_prefix("f").assign(**{"@site": 1.0}), Y_BAD)
