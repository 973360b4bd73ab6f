"""ComBat on noise: fitted inside the fold it finds nothing; what it does to confounded labels.

80 patients of three sites that shift and stretch 300 features of noise. Sites are independent of
the label, or hold 80, 50 and 20 % positives.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import LeaveOneGroupOut, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.features.combat import ComBat
from radiogenomics.features.quantile import NormalScores, QuantileNormaliser
from radiogenomics.models.linear_svm import LinearSVM

PATIENTS, FEATURES, REPEATS, FOLDS = 80, 300, 20, 5
POSITIVES = np.array([0.8, 0.5, 0.2])
LEARN = (StandardScaler(), LinearSVM(C=0.1))


def cohort(repeat: int, *, confounded: bool, signal: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Site in the first column, then features; ten of them rise with the label by ``signal``."""
    rng = np.random.default_rng([30, repeat])
    site = rng.permutation(PATIENTS) % 3
    y = rng.permutation(PATIENTS) % 2
    if confounded:
        y = (rng.random(PATIENTS) < POSITIVES[site]).astype(int)
    X = rng.normal(size=(PATIENTS, FEATURES)) * np.exp(rng.normal(0, 0.3, (3, FEATURES)))[site]
    X += rng.normal(size=(3, FEATURES))[site]
    X[:, :10] += signal * y[:, None]
    return np.column_stack([site, X]), y


def auc(model: BaseEstimator, X: np.ndarray, y: np.ndarray, *, seed: int) -> float:
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    return float(
        np.mean(
            [
                roc_auc_score(y[test], model.fit(X[train], y[train]).decision_function(X[test]))
                for train, test in folds.split(X, y)
            ]
        )
    )


def aucs(*steps: BaseEstimator, drop_site: bool = False, **kind: float) -> np.ndarray:
    found = []
    for repeat in range(REPEATS):
        X, y = cohort(repeat, **kind)
        model = make_pipeline(*steps, *LEARN)
        found.append(auc(model, X[:, 1:] if drop_site else X, y, seed=repeat))
    return np.array(found)


def interval(found: np.ndarray) -> tuple[float, float]:
    """99 % t-interval of the mean over independent repeats."""
    scale = stats.sem(found, ddof=1)
    return stats.t.interval(0.99, len(found) - 1, loc=found.mean(), scale=scale)


@pytest.mark.parametrize(
    "settings",
    [{}, {"mean_only": True}, {"reference": 0.0}, {"shrink": False}],
    ids=["default", "mean only", "reference", "no shrinkage"],
)
def test_combat_inside_the_fold_finds_nothing_in_noise(settings):
    low, high = interval(aucs(ComBat(batch=0, **settings), confounded=False))
    assert low < 0.5 < high
    assert high - low < 0.15


@pytest.mark.parametrize("step", [QuantileNormaliser(), NormalScores()], ids=["quantile", "scores"])
def test_normalisers_inside_the_fold_find_nothing_in_noise(step):
    low, high = interval(aucs(step, confounded=False, drop_site=True))
    assert low < 0.5 < high
    assert high - low < 0.15


def test_confounded_sites_pass_for_the_label_and_combat_takes_them_away():
    raw = aucs(drop_site=True, confounded=True)
    assert interval(raw)[0] > 0.6
    low, high = interval(aucs(ComBat(batch=0), confounded=True))
    assert low < 0.5 < high


def separation(repeat: int, *, confounded: bool) -> float:
    """Difference of the class means of the informative features once ComBat has passed."""
    X, y = cohort(repeat, confounded=confounded, signal=0.8)
    informative = ComBat(batch=0).fit_transform(X)[:, :10]
    return float(informative[y == 1].mean() - informative[y == 0].mean())


def test_combat_takes_signal_away_with_confounded_sites():
    """The price of the test above: the part of the label that lies between sites goes with them.

    Sites of 80, 50 and 20 % positives leave 0.19 of the label's variance of 0.25 within them, so
    a difference of 0.8 is expected to shrink to about 0.61.
    """
    apart = [separation(repeat, confounded=False) for repeat in range(REPEATS)]
    together = [separation(repeat, confounded=True) for repeat in range(REPEATS)]
    assert interval(np.array(apart))[0] > 0.7
    low, high = interval(np.array(together))
    assert low < 0.61 < high < 0.7


def test_canary_sings_when_the_label_is_a_covariate():
    """Even inside the fold: a test patient's own label comes in with the covariate."""

    def with_label(repeat: int) -> float:
        X, y = cohort(repeat, confounded=True)
        steps = make_pipeline(ComBat(batch=0, covariates=(1,)), *LEARN)
        return auc(steps, np.insert(X, 1, y, axis=1), y, seed=repeat)

    assert interval(np.array([with_label(r) for r in range(REPEATS)]))[0] > 0.55


def test_leaving_a_site_out_is_refused_or_leaves_it_as_it_is():
    X, y = cohort(0, confounded=False)
    for train, test in LeaveOneGroupOut().split(X, y, groups=X[:, 0]):
        with pytest.raises(DataError, match="unseen sites"):
            ComBat(batch=0).fit(X[train]).transform(X[test])
        with pytest.warns(RadiogenomicsWarning, match="left unadjusted"):
            found = ComBat(batch=0, unseen="pooled").fit(X[train]).transform(X[test])
        assert np.array_equal(found, X[test, 1:])
