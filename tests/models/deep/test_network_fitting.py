"""Between tables and training: running averages, batches without lone patients, outcomes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from radiogenomics.core.errors import AlignmentError
from radiogenomics.models.deep.network_fitting import (
    of_each_row,
    settle_norms,
    without_lone_patients,
)
from radiogenomics.models.deep.training_data import TrainingData
from radiogenomics.models.deep.training_settings import TrainingSettings

from . import network_worlds as worlds


def normalised(momentum):
    return nn.Sequential(nn.BatchNorm3d(1, momentum=momentum), nn.Flatten(), nn.Linear(64, 1))


def test_averages_that_lag_become_those_of_the_training_part():
    scans, _, _ = worlds.cohort(12, size=4)
    network = normalised(0.01)
    network[0].num_batches_tracked.fill_(100)
    settle_norms(network, TrainingData(scans, range(8)), batch_size=4)
    halves = scans.values[:8].astype(float).reshape(2, -1)
    np.testing.assert_allclose(network[0].running_mean, [halves.mean()], rtol=1e-5)
    variances = halves.var(axis=1, ddof=1)
    np.testing.assert_allclose(network[0].running_var, [variances.mean()], rtol=1e-5)
    assert network[0].num_batches_tracked == 100
    assert network[0].momentum == 0.01
    assert not network.training


@pytest.mark.parametrize(("momentum", "steps"), [(0.01, 500), (0.1, 50)])
def test_averages_that_have_caught_up_are_left(momentum, steps):
    scans, _, _ = worlds.cohort(12, size=4)
    network = normalised(momentum)
    network[0].num_batches_tracked.fill_(steps)
    settle_norms(network, TrainingData(scans, range(8)), batch_size=4)
    assert torch.equal(network[0].running_mean, torch.zeros(1))


@pytest.mark.parametrize("patients", range(2, 30))
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_no_patient_is_left_alone(patients, size):
    scans, _, _ = worlds.cohort(patients, size=2)
    settings = without_lone_patients(TrainingSettings(batch_size=size, micro_batch=size))
    data = TrainingData(scans, range(patients), events=np.arange(patients) % 3 == 0)
    for batch in data.batches(settings.batch_size, seed=0, epoch=1):
        parts = np.array_split(batch, -(-len(batch) // settings.micro_batch))
        assert min(map(len, parts)) > 1


def test_outcomes_are_spread_over_rows():
    found = of_each_row(np.array([3.0, 5.0, 3.0]), np.array([2, 0, 2]), size=4)
    np.testing.assert_array_equal(found[[0, 2]], [5.0, 3.0])
    with pytest.raises(AlignmentError, match="another for 1 rows"):
        of_each_row(np.array([3.0, 5.0, 4.0]), np.array([2, 0, 2]), size=4)
