"""What else than C may be computed of permuted patients."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sksurv.metrics import concordance_index_censored

from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation import PatientKFold, cross_validate_survival
from radiogenomics.evaluation.nulls import cross_validation_survival_null
from radiogenomics.models import CoxModel

FOLDS = PatientKFold(3, n_repeats=2, random_state=4)
MODEL = CoxModel(penalty=1.0)


@pytest.fixture
def patients(rng) -> tuple[pd.DataFrame, SurvivalOutcome, pd.Series]:
    ids = pd.Index([f"P{i}" for i in range(48)])
    x = pd.DataFrame(rng.normal(size=(48, 3)), index=ids, columns=list("abc"))
    death, end = rng.exponential(20 * np.exp(-x["a"])), rng.uniform(10, 60, 48)
    time, event = pd.Series(np.minimum(death, end), ids), pd.Series(death <= end, ids)
    return x, SurvivalOutcome("OS", time, event), pd.Series(np.arange(48) % 2, ids).map(str)


def null(patients, *, statistic=None, within=False, count=5):
    x, outcome, site = patients
    return cross_validation_survival_null(
        MODEL,
        x,
        outcome,
        splitter=FOLDS,
        count=count,
        rng=np.random.default_rng(8),
        blocks=site if within else None,
        statistic=statistic,
    )


class Concordance:
    """C of each repeat, averaged: pairs counted one by one."""

    def __init__(self, outcome: SurvivalOutcome) -> None:
        self.outcome = outcome

    def __call__(self, predictions: pd.DataFrame) -> float:
        return float(np.mean([self.one(part) for _, part in predictions.groupby("repeat")]))

    def one(self, part: pd.DataFrame) -> float:
        truth = self.outcome.for_patients(part["patient_id"])
        time, event, risk = truth.time.to_numpy(), truth.event.to_numpy(), part["score"].to_numpy()
        earlier = event[:, None] & (time[:, None] < time[None, :])
        higher = (risk[:, None] > risk[None, :]) + (risk[:, None] == risk[None, :]) / 2
        return float(higher[earlier].mean())


@pytest.mark.parametrize("within", [False, True], ids=["all", "within sites"])
def test_concordance_by_hand_is_the_default(patients, within):
    by_hand = null(patients, statistic=Concordance(patients[1]), within=within)
    np.testing.assert_allclose(by_hand, null(patients, within=within), rtol=1e-12)
    assert len(set(by_hand)) == 5


def test_statistic_sees_the_frame_of_a_cross_validation_with_permuted_features(patients):
    """Patients, repeats and folds are the outcomes'; only scores are others."""
    x, outcome, _ = patients
    seen: list[pd.DataFrame] = []

    def keep(predictions):
        seen.append(predictions)
        return 0.0

    assert null(patients, statistic=keep, count=2).tolist() == [0.0, 0.0]
    order = np.random.default_rng(8).permuted(np.tile(np.arange(48), (2, 1)), axis=1)
    for frame, places in zip(seen, order, strict=True):
        shuffled = x.iloc[places].set_axis(x.index)
        found = cross_validate_survival(MODEL, shuffled, outcome, splitter=FOLDS, name="x")
        pd.testing.assert_frame_equal(frame, found.predictions, rtol=1e-12)


def test_a_statistic_may_be_several_numbers(patients):
    found = null(patients, statistic=Both(patients[1]), count=3)
    assert found.shape == (3, 2)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)


class Both(Concordance):
    """C of the risks and of their opposite."""

    def __call__(self, predictions: pd.DataFrame) -> list[float]:
        opposite = predictions.assign(score=-predictions["score"])
        return [super().__call__(predictions), super().__call__(opposite)]


def test_the_counting_here_is_harrells(patients, rng):
    _, outcome, _ = patients
    risk = rng.normal(size=48)
    frame = pd.DataFrame({"patient_id": outcome.patient_ids, "repeat": 0, "score": risk})
    expected = concordance_index_censored(outcome.event, outcome.time, risk)[0]
    assert Concordance(outcome)(frame) == pytest.approx(expected, rel=1e-12)
