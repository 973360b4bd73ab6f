"""NT-Xent against loops over its formula, and what contrastive learning brings together."""

import math

import numpy as np
import pytest
import torch

from radiogenomics.core.errors import DataError, SchemaError, StudyError
from radiogenomics.models.deep.augmentation import augmented
from radiogenomics.models.deep.pretraining import Contrastive, nt_xent, pretrain
from radiogenomics.models.deep.pretraining.exercise import Lesson, Reader
from radiogenomics.models.deep.training_settings import Augmentation, TrainingSettings

FLIPS = Contrastive(temperature=0.5, projection=8, views=Augmentation(flip=1.0))


def by_the_formula(projections, temperature):
    n = len(projections)
    copies = [projections[i, 0] for i in range(n)] + [projections[i, 1] for i in range(n)]

    def cosine(a, b):
        return float(a @ b / math.sqrt((a @ a) * (b @ b)))

    total = 0.0
    for i in range(2 * n):
        other = (i + n) % (2 * n)
        below = sum(
            math.exp(cosine(copies[i], copies[k]) / temperature) for k in range(2 * n) if k != i
        )
        total -= math.log(math.exp(cosine(copies[i], copies[other]) / temperature) / below)
    return total / (2 * n)


@pytest.mark.parametrize("n", [2, 5])
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_nt_xent_is_its_formula(rng, n, temperature):
    projections = rng.normal(size=(n, 2, 4))
    found = nt_xent(torch.from_numpy(projections).float(), temperature).item()
    assert found == pytest.approx(by_the_formula(projections, temperature), rel=1e-5)


def test_nt_xent_of_copies_alike_and_others_opposite_is_low():
    apart = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    found = nt_xent(torch.stack([apart, apart], dim=1), 0.5).item()
    assert found == pytest.approx(math.log(1 + 2 * math.exp(-4)), rel=1e-5)
    assert nt_xent(torch.ones(4, 2, 3), 0.1).item() == pytest.approx(math.log(7), rel=1e-6)


def test_nt_xent_does_not_see_lengths_or_order(rng):
    projections = torch.from_numpy(rng.normal(size=(4, 2, 3))).float()
    lengths = torch.from_numpy(rng.uniform(0.5, 2, size=(4, 2, 1))).float()
    first = nt_xent(projections, 0.3)
    assert nt_xent(projections * lengths, 0.3).item() == pytest.approx(first.item(), rel=1e-5)
    assert nt_xent(projections[[2, 0, 3, 1]], 0.3).item() == pytest.approx(first.item(), rel=1e-5)
    assert nt_xent(projections.flip(1), 0.3).item() == pytest.approx(first.item(), rel=1e-5)


def test_nt_xent_refuses_one_scan_and_one_copy():
    for shape in ((1, 2, 3), (4, 1, 3), (4, 2)):
        with pytest.raises(DataError, match=r"projections \(n, 2, k\)"):
            nt_xent(torch.ones(shape), 0.1)


def built(backbone, scans, task):
    rows = np.arange(len(scans))
    lesson = Lesson(scans, rows, rows[:0], None, TrainingSettings(batch_size=8, seed=3))
    torch.manual_seed(0)
    return task.exercise(Reader(backbone, scans), lesson)


def test_the_two_copies_are_changed_each_for_itself(tiny, lesions):
    scans, _ = lesions(4)
    network = built(tiny(), scans, FLIPS).network.eval()
    values = torch.from_numpy(scans.at(range(4)).copy())
    with torch.no_grad():
        found = network.projected(values, seed=11)
        for copy in (0, 1):
            places = range(4 * copy, 4 * copy + 4)
            views = augmented(values, places, augmentation=FLIPS.views, seed=11, epoch=0)
            by_hand = network.head(network.reader(views))
            assert torch.allclose(found[:, copy], by_hand, rtol=1e-5, atol=1e-6)
    assert not torch.equal(found[:, 0], found[:, 1])


def test_copies_differ_between_batches_but_not_of_the_validation_part(tiny, lesions):
    scans, _ = lesions(6)
    exercise = built(tiny(), scans, FLIPS)
    exercise.network.eval()
    values = torch.from_numpy(scans.at(range(6)).copy())
    with torch.no_grad():
        torch.manual_seed(1)
        first, second = exercise.network(values), exercise.network(values)
        torch.manual_seed(1)
        assert torch.equal(exercise.network(values), first)
        told = [exercise.validate(exercise.network, np.arange(6)) for _ in range(2)]
    assert not torch.equal(first, second)
    assert told[0] == told[1]


def test_copies_of_new_scans_come_to_be_told_from_others(tiny, lesions):
    scans, _ = lesions(32)
    settings = TrainingSettings(
        epochs=30, batch_size=16, learning_rate=0.01, validation_share=0.25, schedule="none"
    )
    found = pretrain(tiny(width=16), scans, FLIPS, settings=settings)
    chance = math.log(2 * 8 - 1)
    assert found.history["score"].iloc[-1] > -0.7 * chance
    assert found.history["score"].iloc[-1] > found.history["score"].iloc[0]


def test_refuses_what_is_not_to_be_learnt(tiny, lesions):
    for wrong in ({"temperature": 0.0}, {"projection": 0}, {"views": Augmentation()}):
        with pytest.raises(SchemaError, match="contrastive"):
            Contrastive(**wrong)
    scans, brightness = lesions(8)
    alone = TrainingSettings(epochs=1, batch_size=8, validation_share=0.1)
    with pytest.raises(DataError, match="2 or more patients put aside"):
        pretrain(tiny(), scans, "contrastive", settings=alone)
    with pytest.raises(StudyError, match="found targets"):
        table = scans.table().assign(brightness=brightness)
        pretrain(tiny(), scans, "contrastive", settings=TrainingSettings(epochs=1), targets=table)
