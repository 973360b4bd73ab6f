from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from radiogenomics.core.errors import AlignmentError, DataError, LeakageError, OutcomeError
from radiogenomics.core.scan_arrays import ScanArrays
from radiogenomics.models.deep.training_data import TrainingData, outputs_by_batch


@pytest.fixture
def scans(rng):
    values = rng.normal(size=(60, 1, 2, 2, 2)).astype(np.float32)
    return ScanArrays(values, tuple(f"P{n}" for n in range(60)), ("portal",))


@pytest.mark.parametrize(("size", "n_events"), [(16, 20), (7, 11), (60, 1), (1, 9), (4, 60)])
def test_batches_hold_every_row_once_and_an_event_each(scans, rng, size, n_events):
    rows = rng.permutation(60)
    events = np.isin(rows, rng.choice(60, n_events, replace=False))
    strata = rows % 3
    data = TrainingData(scans, rows, events=events, strata=strata)
    had = dict(zip(rows, events, strict=True))
    batches = data.batches(size, seed=0, epoch=1)
    assert len(batches) == min(-(-60 // size), n_events)
    assert sorted(np.concatenate(batches)) == list(range(60))
    for found in (
        [len(batch) for batch in batches],
        [sum(had[row] for row in batch) for batch in batches],
    ):
        assert max(found) - min(found) <= 1
    assert min(sum(had[row] for row in batch) for batch in batches) >= 1
    for stratum in range(3):
        for event in (False, True):
            found = [
                sum(had[row] == event and row % 3 == stratum for row in batch) for batch in batches
            ]
            assert max(found) - min(found) <= 1


def test_batches_change_with_the_epoch_and_not_with_the_call(scans):
    data = TrainingData(scans, range(60))
    first, again, next_epoch, other = (
        [batch.tolist() for batch in data.batches(8, seed=seed, epoch=epoch)]
        for seed, epoch in ((0, 1), (0, 1), (0, 2), (1, 1))
    )
    assert first == again
    assert first != next_epoch
    assert first != other


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
def test_split_takes_the_same_share_of_each_level(scans, rng, share):
    rows = rng.permutation(60)
    events = rows < 24
    data = TrainingData(scans, rows, events=events, strata=rows % 2)
    learning, aside = data.split(share, seed=5)
    assert sorted([*learning.rows, *aside]) == list(range(60))
    assert (learning.events == (learning.rows < 24)).all()
    assert (learning.strata == learning.rows % 2).all()
    for event in (True, False):
        for stratum in (0, 1):
            level = ((rows < 24) == event) & (rows % 2 == stratum)
            taken = np.isin(rows[level], aside).sum()
            assert abs(taken - share * level.sum()) <= 1


def test_a_patient_drawn_twice_is_in_one_part(scans, rng):
    rows = rng.integers(0, 60, size=60)
    learning, aside = TrainingData(scans, rows, events=rows % 2 == 0).split(0.3, seed=0)
    assert not set(learning.rows) & set(aside)
    assert len(set(aside)) == len(aside)
    assert sorted(learning.rows) == sorted(rows[~np.isin(rows, aside)])


def test_rows_put_aside_by_the_caller_are_used(scans):
    data = TrainingData(scans, range(10), validation=np.array([50, 51]))
    learning, aside = data.split(0.5, seed=0)
    assert aside.tolist() == [50, 51]
    assert learning.rows.tolist() == list(range(10))
    with pytest.raises(LeakageError, match="found 2 in both"):
        TrainingData(scans, range(10), validation=np.array([3, 4, 50]))


def test_parts_without_events_are_refused(scans):
    one = np.arange(60) == 7
    with pytest.raises(DataError, match="expected events in the training and the validation part"):
        TrainingData(scans, range(60), events=one).split(0.2, seed=0)
    with pytest.raises(OutcomeError, match="expected events among 60 training rows; found none"):
        TrainingData(scans, range(60), events=np.zeros(60, bool))
    with pytest.raises(DataError, match="found all 2 put aside"):
        TrainingData(scans, range(2)).split(0.9, seed=0)


def test_rows_that_do_not_fit_are_refused(scans):
    with pytest.raises(AlignmentError, match="events: expected one for each of 3 rows; found 2"):
        TrainingData(scans, range(3), events=[True, False])
    with pytest.raises(AlignmentError, match="found none"):
        TrainingData(scans, [])


def test_fingerprint_knows_rows_values_and_events(scans):
    data = TrainingData(scans, range(5), events=[True, False, True, False, True])
    same = TrainingData(
        ScanArrays(scans.values.copy(), scans.patient_ids, scans.channels),
        range(5),
        events=[True, False, True, False, True],
    )
    touched = scans.values.copy()
    touched[4, 0, 0, 0, 0] += 1
    unread = scans.values.copy()
    unread[50] += 1
    others = [
        TrainingData(scans, range(5)),
        TrainingData(scans, [0, 1, 2, 4, 3], events=data.events),
        TrainingData(ScanArrays(touched, scans.patient_ids, ("v",)), range(5), events=data.events),
    ]
    assert data.fingerprint() == same.fingerprint()
    assert len({data.fingerprint(), *(other.fingerprint() for other in others)}) == 4
    elsewhere = ScanArrays(unread, scans.patient_ids, ("v",))
    assert TrainingData(elsewhere, range(5), events=data.events).fingerprint() == data.fingerprint()


def test_outputs_by_batch_are_those_of_all_at_once(scans):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(8, 3), nn.Dropout(0.5))
    rows = np.array([7, 3, 3, 59, 0])
    parts = list(outputs_by_batch(network, scans, rows, batch_size=2))
    found = torch.cat([outputs for _, outputs in parts])
    assert np.concatenate([rows for rows, _ in parts]).tolist() == rows.tolist()
    assert not found.requires_grad
    assert torch.allclose(found, network(torch.tensor(scans.at(rows))), rtol=1e-6)
