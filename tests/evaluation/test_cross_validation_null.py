import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from radiogenomics.core.errors import StudyError
from radiogenomics.evaluation import (
    PatientKFold,
    cross_validate,
    cross_validation_null,
    pooled_auc,
)
from radiogenomics.omics import CoxSignature, SignatureLabel
from radiogenomics.stats import permutation_p


class NearestMean(ClassifierMixin, BaseEstimator):
    """Difference of distances to the class means: the cheapest learner there is."""

    def fit(self, x, y):
        values, y = np.asarray(x), np.asarray(y)
        self.axis_ = values[y == 1].mean(axis=0) - values[y == 0].mean(axis=0)
        return self

    def decision_function(self, x):
        return np.asarray(x) @ self.axis_


def cohort(rng, *, link: float, n: int = 40) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two genes with outcome, three image features that follow the first gene by ``link``."""
    index = pd.Index([f"P{i}" for i in range(n)])
    genes = rng.normal(size=(n, 2))
    death, censoring = rng.exponential(20 * np.exp(-genes[:, 0])), rng.uniform(10, 80, size=n)
    target = pd.DataFrame(genes, index=index, columns=["A", "B"]).assign(
        time=np.minimum(death, censoring), event=(death <= censoring) * 1.0
    )
    images = pd.DataFrame(rng.normal(size=(n, 3)), index=index, columns=list("xyz"))
    images["x"] += link * genes[:, 0]
    return images, target


RULE = SignatureLabel(CoxSignature(["A", "B"], minimum_events=5))
FOLDS = PatientKFold(3, random_state=0)


def run(rng, *, link: float, count: int, splitter=FOLDS, **settings):
    images, target = cohort(rng, link=link)
    shared = {"splitter": splitter, "target_rule": RULE}
    observed = pooled_auc(
        cross_validate(NearestMean(), images, target, name="x", **shared).predictions
    )
    null = cross_validation_null(
        NearestMean(),
        images,
        target,
        statistic=pooled_auc,
        count=count,
        rng=rng,
        **shared,
        **settings,
    )
    return observed, null


def test_p_values_of_null_cohorts_are_uniform(rng):
    p = []
    for _ in range(60):
        observed, null = run(rng, link=0.0, count=19)
        p.append(permutation_p(observed, null))
    # p is one of 1/20, 2/20, ...: spread over its step it is uniform if the test is exact.
    smooth = np.array(p) - rng.uniform(0, 1 / 20, size=60)
    assert kstest(smooth, "uniform").pvalue > 0.01
    assert np.mean(np.array(p) <= 0.05) < 0.15


def test_link_is_found(rng):
    observed, null = run(rng, link=2.0, count=99)
    assert permutation_p(observed, null) == 0.01


def test_null_is_the_whole_procedure_on_permuted_patients(rng):
    """Each replicate equals cross_validate on features whose rows were permuted."""
    images, target = cohort(rng, link=1.0)
    orders = np.random.default_rng(8).permuted(np.tile(np.arange(40), (5, 1)), axis=1)
    null = cross_validation_null(
        LogisticRegression(),
        images,
        target,
        splitter=FOLDS,
        target_rule=RULE,
        statistic=pooled_auc,
        count=5,
        rng=np.random.default_rng(8),
    )
    for order, value in zip(orders, null, strict=True):
        shuffled = images.iloc[order].set_axis(images.index)
        found = cross_validate(
            LogisticRegression(), shuffled, target, splitter=FOLDS, target_rule=RULE, name="x"
        )
        assert pooled_auc(found.predictions) == pytest.approx(value, abs=1e-12)


def test_jobs_do_not_change_results():
    splitter = PatientKFold(3, n_repeats=2, random_state=5)
    one, two = (
        run(np.random.default_rng(1), link=0.5, count=7, splitter=splitter, jobs=jobs)[1]
        for jobs in (1, 2)
    )
    np.testing.assert_array_equal(one, two)
    assert len(set(one)) > 1


def test_given_labels_are_permuted_too(rng):
    images, target = cohort(rng, link=0.0, n=60)
    labels = (target["A"] > 0).astype(int)
    images["x"] = labels + rng.normal(0, 0.01, size=60)
    null = cross_validation_null(
        NearestMean(), images, labels, splitter=FOLDS, statistic=pooled_auc, count=50, rng=rng
    )
    assert null.max() < 0.95 and abs(null.mean() - 0.5) < 0.1


def test_no_permutation_is_refused(rng):
    with pytest.raises(StudyError, match="at least 1 permutation"):
        run(rng, link=0.0, count=0)
