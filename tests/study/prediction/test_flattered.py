"""Known defects on shuffled labels: what is spread over processes, and what is kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.evaluation import PatientKFold
from radiogenomics.evaluation.flattery import flattery_on_noise
from radiogenomics.study.prediction.flattered import DEALS, flattered
from radiogenomics.study.prediction.inputs import read_prediction_inputs
from radiogenomics.study.prediction.models import ModelBuilder

DEFECTS = ["pooled_selection", "cv_percentile_interval"]


@pytest.fixture
def given(study_of, cohort_of):
    study, near = study_of({"legacy": DEFECTS}), cohort_of(60)
    inputs = read_prediction_inputs(near, study, complete=False, jobs=1)
    labels = near.outcomes["response"].grouped(["CR", "PR"]).astype(int)

    def model(memory=None):
        builder = ModelBuilder(study, inputs, memory=memory, random_state=0)
        return builder.build(study.models[-1], scanned_once=False), builder

    columns = model()[1].columns(study.models[-1])
    return study, model, inputs.features[columns], labels.loc[inputs.features.index]


def table(given, *, jobs: int = 1, memory=None) -> pd.DataFrame:
    study, model, features, labels = given
    found = flattered(
        study, model(memory)[0], features=features, labels=labels,
        splitter=PatientKFold(3, random_state=0), seed=5, jobs=jobs,
    )  # fmt: skip
    return found.tables["flattery"].set_index("procedure")


def test_processes_and_memory_change_nothing(given, tmp_path):
    alone = table(given)
    pd.testing.assert_frame_equal(alone, table(given, jobs=2, memory=str(tmp_path)))
    study, model, features, labels = given
    deals = [
        flattery_on_noise(
            model()[0], features, labels,
            splitter=PatientKFold(3, random_state=0), defects=study.legacy.value,
            rng=np.random.default_rng([5, 4, deal]),
        ).set_index("procedure")["auc"]
        for deal in range(DEALS)
    ]  # fmt: skip
    mean = pd.concat(deals, axis=1).mean(axis=1)
    np.testing.assert_allclose(alone["auc_on_noise"], mean.loc[alone.index], rtol=1e-12)
    assert (alone["noise_low"] < alone["auc_on_noise"]).all()
    assert (alone["noise_high"] > alone["auc_on_noise"]).all()
