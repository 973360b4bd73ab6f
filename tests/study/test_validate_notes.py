"""What a validation says beside its numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.evidence import Evidence
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.study.validate_notes import leaning

PATIENTS, FOLDS = 100, 5


@pytest.fixture
def truth(rng) -> pd.DataFrame:
    """A label dealt to folds so that their prevalences differ."""
    fold = np.arange(PATIENTS) % FOLDS
    label = (rng.random(PATIENTS) < 0.2 + 0.12 * fold).astype(float)
    names = [f"P{n}" for n in range(PATIENTS)]
    return pd.DataFrame({"patient_id": names, "repeat": 0, "fold": fold, "label": label})


def of_training_parts(truth: pd.DataFrame) -> list[float]:
    return [truth.loc[truth["fold"] != fold, "label"].mean() for fold in truth["fold"]]


def test_a_model_that_found_nothing_is_told_from_one_that_goes_against_the_truth(truth, rng):
    nothing = Evidence("nothing", truth.assign(score=of_training_parts(truth)))
    against = Evidence("against", truth.assign(score=rng.normal(size=PATIENTS) - truth["label"]))
    good = Evidence("good", truth.assign(score=rng.normal(size=PATIENTS) + truth["label"]))
    ((level, text),) = leaning([nothing, against, good], "cross-validation")
    assert level == "warning"
    assert "nothing 0." in text and "within folds 0.500" in text
    assert "against" not in text and "good 0" not in text


def test_nothing_is_said_where_nothing_leans(truth, rng):
    good = Evidence("good", truth.assign(score=rng.normal(size=PATIENTS) + truth["label"]))
    assert leaning([good], "cross-validation") == ()


def test_risks_of_the_training_parts_alone_are_told_too(truth, rng):
    """Each fold's risk is the event rate of the others; those of an eager fold die sooner."""
    time = pd.Series(rng.exponential(10 / (1 + truth["fold"])), index=truth["patient_id"])
    event = pd.Series(1, index=truth["patient_id"])
    risk = -truth["fold"] + 0.0
    nothing = Evidence("nothing", truth.assign(score=risk))
    ((_, text),) = leaning(
        [nothing], "cross-validation", outcome=SurvivalOutcome("OS", time, event)
    )
    assert "a C-index below 0.5" in text and "within folds 0.500" in text
