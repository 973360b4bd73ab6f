from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from radiogenomics.core.errors import AlignmentError, OutcomeError, StudyError
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation import PatientKFold, concordance_metric, cross_validate_survival
from radiogenomics.evaluation.nulls import cross_validation_survival_null
from radiogenomics.models import CoxModel, TunedSurvival
from radiogenomics.omics import CoxSignature

FOLDS = PatientKFold(3, n_repeats=2, random_state=4)


def simulate(rng, *, link: float, n: int = 48) -> tuple[pd.DataFrame, SurvivalOutcome, pd.Series]:
    """Three features of which the first drives survival by ``link``, and two sites."""
    ids = pd.Index([f"P{i}" for i in range(n)])
    x = pd.DataFrame(rng.normal(size=(n, 3)), index=ids, columns=list("abc"))
    death, end = rng.exponential(20 * np.exp(-link * x["a"])), rng.uniform(10, 60, n)
    outcome = SurvivalOutcome(
        "OS", pd.Series(np.minimum(death, end), ids), pd.Series(death <= end, ids)
    )
    return x, outcome, pd.Series(np.where(np.arange(n) % 3 == 0, "north", "south"), ids)


STEPS = make_pipeline(StandardScaler(), CoxModel(penalty=1.0))


@pytest.mark.parametrize(
    "model",
    [
        CoxModel(penalty=1.0),
        STEPS,
        CoxSignature(["a", "b"], minimum_events=5),
        TunedSurvival(STEPS, {"penalty": [10.0, 1.0]}, n_splits=2),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("sites", [False, True], ids=["all", "within sites"])
def test_null_is_the_whole_procedure_on_permuted_patients(model, sites, rng):
    """Each value is the C of a cross-validation of features whose rows were permuted."""
    x, outcome, site = simulate(rng, link=1.0)
    within = site if sites else None
    null = cross_validation_survival_null(
        model,
        x,
        outcome,
        splitter=FOLDS,
        count=3,
        rng=np.random.default_rng(8),
        blocks=within,
        strata=within,
    )
    assert null.shape == (3,) and len(set(null)) > 1
    draws, orders = np.random.default_rng(8), np.tile(np.arange(48), (3, 1))
    for block in [site == "north", site == "south"] if sites else [site == site]:
        places = np.flatnonzero(block)
        orders[:, places] = draws.permuted(orders[:, places], axis=1)
    for order, value in zip(orders, null, strict=True):
        shuffled = x.iloc[order].set_axis(x.index)
        found = cross_validate_survival(model, shuffled, outcome, splitter=FOLDS, name="x")
        c = concordance_metric(found.predictions, outcome, split="x", strata=within)
        assert value == pytest.approx(c.value, abs=1e-12)


def test_link_is_found_and_jobs_change_nothing(rng):
    x, outcome, _ = simulate(rng, link=1.5)
    found = cross_validate_survival(STEPS, x, outcome, splitter=FOLDS, name="x")
    one, two = (
        cross_validation_survival_null(
            STEPS, x, outcome, splitter=FOLDS, count=19, rng=np.random.default_rng(1), jobs=jobs
        )
        for jobs in (1, 2)
    )
    np.testing.assert_array_equal(one, two)
    metric = concordance_metric(found.predictions, outcome, split="x", null=one)
    assert metric.p_permutation == 1 / 20


class Facts(BaseEstimator):
    """Scores by a column that has to be there under its name."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return X["a"].to_numpy()


def test_a_model_that_looks_names_up_gets_names(rng):
    x, outcome, _ = simulate(rng, link=0.0)
    null = cross_validation_survival_null(Facts(), x, outcome, splitter=FOLDS, count=2, rng=rng)
    assert np.isfinite(null).all()


def test_impossible_input_is_named(rng):
    x, outcome, site = simulate(rng, link=0.0)
    given = {"splitter": FOLDS, "rng": rng}
    with pytest.raises(StudyError, match="at least 1 permutation"):
        cross_validation_survival_null(STEPS, x, outcome, count=0, **given)
    with pytest.raises(AlignmentError, match=r"one block a patient; found 2 without \(P0, P1\)"):
        cross_validation_survival_null(STEPS, x, outcome, count=2, blocks=site.iloc[2:], **given)
    with pytest.raises(AlignmentError, match="one stratum a patient"):
        cross_validation_survival_null(STEPS, x, outcome, count=2, strata=site.iloc[2:], **given)
    alone = pd.Series(x.index, x.index)
    with pytest.raises(OutcomeError, match="patients of one stratum of whom one"):
        cross_validation_survival_null(STEPS, x, outcome, count=2, strata=alone, **given)
    with pytest.raises(AlignmentError, match="another order"):
        cross_validation_survival_null(STEPS, x.iloc[::-1], outcome, count=2, **given)
