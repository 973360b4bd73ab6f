"""What a backbone is shown of scans, slices and channels; backbones that are none."""

import numpy as np
import pytest
import torch
from torch import nn

from radiogenomics.core.errors import SchemaError
from radiogenomics.models.deep.pretraining.exercise import Lesson, Reader
from radiogenomics.models.deep.training_settings import TrainingSettings


def test_volumes_are_read_as_they_are(tiny, lesions):
    scans, _ = lesions(3, channels=2)
    backbone = tiny(channels=2).eval()
    reader = Reader(backbone, scans)
    values = torch.from_numpy(scans.at([0, 1, 2]).copy())
    assert torch.equal(reader(values), backbone(values))
    assert reader.map_size == (2, 2, 2)


def test_pictures_are_read_slice_by_slice_and_averaged(tiny, lesions):
    scans, _ = lesions(3, shape=(5, 8, 8), channels=2)
    backbone = tiny(dims=2, channels=2).eval()
    reader = Reader(backbone, scans)
    values = torch.from_numpy(scans.at([0, 1, 2]).copy())
    by_hand = torch.stack([backbone(values[:, :, z]) for z in range(5)]).mean(0)
    assert torch.allclose(reader(values), by_hand, rtol=1e-6)
    assert torch.equal(reader.as_scans(reader.as_read(values), 3), values)
    assert reader.map_size == (2, 2)


def test_one_channel_is_repeated_for_colours(tiny, lesions):
    scans, _ = lesions(2, shape=(1, 8, 8))
    backbone = tiny(dims=2, channels=3).eval()
    values = torch.from_numpy(scans.at([0, 1]).copy())
    assert torch.equal(
        Reader(backbone, scans)(values), backbone(values[:, :, 0].repeat(1, 3, 1, 1))
    )


def test_asking_a_backbone_leaves_its_running_means(tiny, lesions):
    backbone = tiny().train()
    before = backbone.body[1].running_mean.clone()
    Reader(backbone, lesions(2)[0])
    assert torch.equal(backbone.body[1].running_mean, before)
    assert backbone.training


def test_refuses_what_is_no_backbone(tiny, lesions):
    scans, _ = lesions(2)
    with pytest.raises(SchemaError, match="without feature_map, width"):
        Reader(nn.Linear(2, 2), scans)
    with pytest.raises(SchemaError, match="scans of 3 channels"):
        Reader(tiny(channels=3), lesions(2, channels=2)[0])
    wide = tiny()
    wide.width = 9
    with pytest.raises(SchemaError, match="feature map"):
        Reader(wide, scans)
    odd = tiny()
    odd.dims = 4
    with pytest.raises(SchemaError, match="dims 2 or 3"):
        Reader(odd, scans)


def test_refuses_features_that_are_not_pooled(tiny, lesions):
    backbone = tiny()
    backbone.forward = lambda x: backbone.feature_map(x).flatten(1)
    with pytest.raises(SchemaError, match=r"features \(1, 8\)"):
        Reader(backbone, lesions(2)[0])


def test_batches_hold_every_row_once_and_none_alone(lesions):
    scans, _ = lesions(9)
    rows = np.arange(9)
    lesson = Lesson(scans, rows, rows[:0], None, TrainingSettings(batch_size=4))
    found = list(lesson.batches(rows, torch.device("cpu")))
    assert [len(batch) for batch, _ in found] == [3, 3, 3]
    assert np.array_equal(np.concatenate([batch for batch, _ in found]), rows)
    assert np.array_equal(found[1][1].numpy(), scans.at([3, 4, 5]))
