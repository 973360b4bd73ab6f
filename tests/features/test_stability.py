from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_selection import SelectKBest
from sklearn.utils import check_array
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import (
    DataError,
    FallbackWarning,
    OutcomeError,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.features.lasso import LassoSelector
from radiogenomics.features.selector import FeatureSelector
from radiogenomics.features.stability import StabilitySelection, unimodal_bound
from radiogenomics.stats.linear_models.elastic_net import elastic_net_path


def target(event, time) -> np.ndarray:
    y = np.empty(len(time), dtype=[("event", bool), ("time", float)])
    y["event"], y["time"] = event, time
    return y


def signal(rng, n=80, p=50) -> tuple[np.ndarray, np.ndarray]:
    X = rng.normal(size=(n, p))
    return X, (X[:, :3].sum(axis=1) * 1.5 + rng.logistic(size=n) > 0).astype(int)


class OnPlainTargets(StabilitySelection):
    """Makes survival of the plain labels that scikit-learn's checks pass."""

    def fit(self, X, y):
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        labels = check_array(y, ensure_2d=False, dtype=None)
        return super().fit(X, target(np.ones(len(labels)), np.arange(len(labels)) + 1.0))


@parametrize_with_checks(
    [
        StabilitySelection(n_resamples=4),
        StabilitySelection(family="gaussian", n_resamples=4),
        StabilitySelection(n_resamples=3, share=0.8, complementary_pairs=False),
        OnPlainTargets(family="cox", n_resamples=4),
    ]
)
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


class Recorder(FeatureSelector):
    """Chooses the first column and writes down whom it saw (the last column numbers patients)."""

    seen: list = []

    def __init__(self, fallback: int = 1) -> None:
        self.fallback = fallback

    def fit(self, X, y):
        self.seen.append((X[:, -1].astype(int), np.asarray(y)))
        self._settle(np.arange(X.shape[1]) == 0, -np.arange(X.shape[1]))
        return self


@pytest.fixture
def seen():
    Recorder.seen.clear()
    return Recorder.seen


def test_pairs_share_no_patient_and_halve_the_classes(rng, seen):
    X = np.column_stack([rng.normal(size=(31, 3)), np.arange(31)])
    y = np.arange(31) < 11
    StabilitySelection(Recorder(), n_resamples=20).fit(X, y)
    assert len(seen) == 20
    for first, second in zip(seen[::2], seen[1::2], strict=True):
        assert not set(first[0]) & set(second[0])
        for rows, labels in (first, second):
            assert len(set(rows)) == len(rows) == 15
            assert labels.sum() == 5
            assert (labels == y[rows]).all()
    assert any(set(a[0]) != set(b[0]) for a, b in pairwise(seen[::2]))
    # Every patient is in about as many halves.
    counts = np.bincount(np.concatenate([rows for rows, _ in seen]), minlength=31)
    assert counts.max() <= 10


def test_share_without_pairs_and_events_in_every_subsample(rng, seen):
    X = np.column_stack([rng.normal(size=(40, 3)), np.arange(40)])
    y = target(np.arange(40) < 8, np.arange(40) + 1.0)
    fitted = StabilitySelection(
        Recorder(), "cox", n_resamples=7, share=0.75, complementary_pairs=False
    ).fit(X, y)
    assert [len(rows) for rows, _ in seen] == [30] * 7
    assert all(labels["event"].sum() == 6 for _, labels in seen)
    assert fitted.expected_false_ is None
    assert fitted.expected_false_unimodal_ is None
    assert fitted.frequency_.tolist() == [1, 0, 0, 0]


def test_frequencies_count_what_the_base_chooses(rng, seen):
    X, y = signal(rng)
    numbered = np.column_stack([X, np.arange(len(X))])
    StabilitySelection(Recorder(), n_resamples=10, random_state=3).fit(numbered, y)
    fitted = StabilitySelection(SelectKBest(k=5), n_resamples=10, random_state=3).fit(X, y)
    chosen = [SelectKBest(k=5).fit(X[rows], y[rows]).get_support() for rows, _ in seen]
    np.testing.assert_allclose(fitted.frequency_, np.mean(chosen, axis=0), rtol=1e-12)
    assert fitted.n_chosen_ == 5
    assert fitted.support_.tolist() == (np.mean(chosen, axis=0) >= 0.6 - 1e-9).tolist()


@pytest.mark.parametrize("family", ["binomial", "gaussian", "cox"])
def test_default_base_takes_the_first_on_the_path(rng, seen, family):
    X, label = signal(rng)
    y, event = {
        "binomial": (label, None),
        "gaussian": (X[:, 0] + rng.normal(size=80), None),
        "cox": (rng.exponential(np.exp(-X[:, 0])), rng.random(80) < 0.7),
    }[family]
    outcome = y if event is None else target(event, y)
    numbered = np.column_stack([X, np.arange(len(X))])
    StabilitySelection(Recorder(), family, n_resamples=6).fit(numbered, outcome)
    fitted = StabilitySelection(family=family, n_resamples=6, n_variables=4).fit(X, outcome)
    assert fitted.n_chosen_ == 4
    chosen = []
    for rows, _ in seen:
        died = None if event is None else event[rows]
        fine = elastic_net_path(X[rows], y[rows], died, family=family)
        chosen.append(fine.entry_order() <= 4)
    np.testing.assert_allclose(fitted.frequency_, np.mean(chosen, axis=0), rtol=1e-12)


def test_a_base_that_falls_back_has_chosen_nothing(rng):
    X, y = rng.normal(size=(60, 100)), np.arange(60) % 2
    base = LassoSelector(rule="1se", n_splits=5, n_lambdas=20)
    with pytest.warns(FallbackWarning, match="StabilitySelection: none of 100"):
        fitted = StabilitySelection(base, threshold=0.9, n_resamples=10).fit(X, y)
    assert fitted.fell_back_
    assert fitted.n_chosen_ < 10
    assert fitted.frequency_.max() < 0.9


def test_bounds_by_hand(rng):
    X, y = signal(rng, p=100)
    fitted = StabilitySelection(n_variables=5, threshold=0.75, n_resamples=100).fit(X, y)
    assert fitted.expected_false_ == pytest.approx(25 / (0.5 * 100), rel=1e-12)
    # C = 1 / (2 (2 * 0.75 - 1 - 1 / 100)) = 1 / 0.98
    assert fitted.expected_false_unimodal_ == pytest.approx(0.25 / 0.98, rel=1e-12)
    fitted = StabilitySelection(n_variables=5, threshold=0.9, n_resamples=100).fit(X, y)
    # C = 4 (0.1 + 0.01) / 1.02
    assert fitted.expected_false_unimodal_ == pytest.approx(0.25 * 0.44 / 1.02, rel=1e-12)


def test_unimodal_bound_joins_at_three_quarters_and_knows_its_limits():
    below = unimodal_bound(10, 1000, 0.75, n_pairs=10**9)
    above = unimodal_bound(10, 1000, 0.75 + 1e-12, n_pairs=10**9)
    assert below == pytest.approx(above, rel=1e-6)
    assert unimodal_bound(60, 100, 0.9, n_pairs=50) is None
    assert unimodal_bound(40, 100, 0.55, n_pairs=50) is None
    assert unimodal_bound(1, 100, 0.505, n_pairs=50) is None


@pytest.mark.parametrize("threshold", [0.55, 0.6, 0.75, 0.9, 1.0])
@pytest.mark.parametrize("p", [4, 9, 12, 30, 100, 1000])
def test_default_number_is_the_most_that_keeps_the_sharper_bound_at_one(p, threshold):
    X, y = np.random.default_rng(p).normal(size=(12, p)), np.arange(12) % 2
    fitted = StabilitySelection(threshold=threshold, n_resamples=100)
    fitted._choose = lambda values, outcome: np.arange(p) < 2
    fitted.fit(X, y)
    bounds = [unimodal_bound(q, p, threshold, n_pairs=50) for q in range(1, p // 2 + 1)]
    allowed = sum(bound is not None and bound <= 1 + 1e-9 for bound in bounds)
    assert fitted.n_variables_ == max(2, allowed)


@pytest.mark.parametrize(
    ("parameters", "p", "expected"),
    [
        ({"complementary_pairs": False, "n_resamples": 5}, 100, 4),  # sqrt(0.2 * 100)
        ({"complementary_pairs": False, "n_resamples": 5, "threshold": 0.9}, 20, 4),
        ({"complementary_pairs": False, "n_resamples": 5}, 10, 2),
        ({"n_resamples": 4}, 100, 4),  # too few pairs for the sharper bound
        ({}, 3, 1),  # 2 of 3 at random would pass a threshold of 0.6
        ({"n_variables": 7}, 20, 7),
        ({"base": SelectKBest(k=3)}, 20, None),
    ],
    ids=["first", "first, 0.9", "at least 2", "few pairs", "half", "given", "base"],
)
def test_how_many_are_asked_of_each_subsample(rng, parameters, p, expected):
    X, y = rng.normal(size=(40, p)), np.arange(40) % 2
    X[:, 0] += 5 * y
    assert StabilitySelection(**parameters).fit(X, y).n_variables_ == expected


def test_of_few_variables_all_true_ones_can_be_kept(rng):
    """With one choice a subsample two variables that are as good could never both pass."""
    y = np.arange(120) % 2
    X = rng.normal(size=(120, 12))
    X[:, :2] += 1.2 * y[:, None]
    assert np.flatnonzero(StabilitySelection().fit(X, y).support_).tolist() == [0, 1]


def test_false_choices_stay_below_the_bounds_in_simulation():
    false, found = [], []
    for seed in range(5):
        X, y = signal(np.random.default_rng([8, seed]), n=200, p=100)
        fitted = StabilitySelection(
            threshold=0.7, n_variables=8, n_resamples=50, random_state=seed
        ).fit(X, y)
        found.append(fitted.support_[:3].sum())
        false.append(fitted.support_[3:].sum())
    assert np.mean(found) > 2.7
    assert np.mean(false) < fitted.expected_false_unimodal_ < fitted.expected_false_


def test_seed_and_frames(rng):
    X, y = signal(rng)
    frame = pd.DataFrame(X, columns=[f"f{i}" for i in range(X.shape[1])])
    first = StabilitySelection(n_resamples=20).fit(frame, y)
    again = StabilitySelection(n_resamples=20).fit(frame, y)
    other = StabilitySelection(n_resamples=20, random_state=1).fit(frame, y)
    np.testing.assert_array_equal(first.frequency_, again.frequency_)
    assert not np.array_equal(first.frequency_, other.frequency_)
    assert set(first.get_feature_names_out()) <= set(frame.columns)


X_BAD, Y_BAD = np.random.default_rng(4).normal(size=(20, 3)), np.arange(20) % 2


@pytest.mark.parametrize(
    ("parameters", "X", "y", "error", "message"),
    [
        ({}, X_BAD, np.zeros(20), OutcomeError, "two classes"),
        ({}, X_BAD, np.arange(20) < 1, OutcomeError, "too few"),
        ({}, X_BAD, Y_BAD[1:], ValueError, "inconsistent"),
        ({}, np.where(X_BAD > 1, np.nan, X_BAD), Y_BAD, ValueError, "NaN"),
        ({}, np.ones((20, 3)), Y_BAD, DataError, "found none of 3"),
        ({"family": "poisson"}, X_BAD, Y_BAD, UnknownNameError, "poisson"),
        ({"family": "cox"}, X_BAD, Y_BAD, OutcomeError, "survival target"),
        ({"family": "cox"}, X_BAD, target(np.arange(20) < 1, Y_BAD), OutcomeError, "too few"),
        ({"family": "cox"}, X_BAD, target(np.zeros(20), Y_BAD), OutcomeError, "one event"),
        ({"threshold": 0.5}, X_BAD, Y_BAD, DataError, "threshold"),
        ({"share": 0.4}, X_BAD, Y_BAD, DataError, "share"),
        ({"share": 1.0, "complementary_pairs": False}, X_BAD, Y_BAD, DataError, "share"),
        ({"n_resamples": 5}, X_BAD, Y_BAD, DataError, "n_resamples"),
        ({"n_variables": 0}, X_BAD, Y_BAD, DataError, "n_variables"),
        ({"n_variables": 2, "base": SelectKBest()}, X_BAD, Y_BAD, DataError, "n_variables"),
    ],
)
def test_bad_input_says_what_is_wrong(parameters, X, y, error, message):
    with pytest.raises(error, match=message):
        StabilitySelection(**parameters).fit(X, y)


def test_left_over_row_fact_fails_loudly(rng):
    X, y = signal(rng)
    with pytest.raises(SchemaError, match="row fact.*@site"):
        StabilitySelection().fit(pd.DataFrame(X, columns=[*map(str, range(49)), "@site"]), y)
