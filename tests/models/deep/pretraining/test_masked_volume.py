"""Hidden blocks by count and by hand; the error over them against loops; what the network sees."""

import numpy as np
import pytest
import torch

from radiogenomics.core.errors import SchemaError, StudyError
from radiogenomics.models.deep.pretraining import MaskedVolume, pretrain
from radiogenomics.models.deep.pretraining.exercise import Lesson, Reader
from radiogenomics.models.deep.pretraining.masked_volume import Decoder
from radiogenomics.models.deep.training_settings import TrainingSettings

SETTINGS = TrainingSettings(epochs=2, batch_size=4)


def built(backbone, scans, task, *, learning=None):
    rows = np.arange(len(scans))
    lesson = Lesson(scans, rows if learning is None else learning, rows[:0], None, SETTINGS)
    torch.manual_seed(0)
    return task.exercise(Reader(backbone, scans), lesson)


def test_hides_the_share_of_whole_blocks(tiny, lesions):
    scans, _ = lesions(3, shape=(8, 8, 8))
    network = built(tiny(), scans, MaskedVolume(block=4, share=0.6)).network
    scores = torch.rand(3, *network.score_shape)
    hidden = network.hidden(scores)
    assert hidden.shape == (3, 1, 8, 8, 8)
    for patient in range(3):
        lowest = sorted(scores[patient].flatten().tolist())[:5]
        for z, y, x in np.ndindex(8, 8, 8):
            expected = scores[patient, z // 4, y // 4, x // 4].item() in lowest
            assert bool(hidden[patient, 0, z, y, x]) == expected


def test_hides_the_share_of_each_slice_of_a_backbone_of_pictures(tiny, lesions):
    scans, _ = lesions(2, shape=(3, 8, 8))
    network = built(tiny(dims=2), scans, MaskedVolume(block=2, share=0.25)).network
    hidden = network.hidden(torch.rand(2, *network.score_shape))
    assert network.score_shape == (3, 4, 4)
    assert (hidden.sum(dim=(3, 4)) == 4 * 4).all()
    assert not torch.equal(hidden[:, :, 0], hidden[:, :, 1])


def test_blocks_at_the_edge_are_cut(tiny, lesions):
    scans, _ = lesions(1, shape=(7, 9, 8))
    network = built(tiny(), scans, MaskedVolume(block=4, share=0.5)).network
    assert network.score_shape == (2, 3, 2)
    assert network.hidden(torch.rand(1, 2, 3, 2)).shape == (1, 1, 7, 9, 8)


@pytest.mark.parametrize(("dims", "shape"), [(3, (6, 8, 10)), (2, (3, 8, 10))])
def test_error_is_the_mean_over_hidden_voxels(tiny, lesions, dims, shape):
    scans, _ = lesions(2, shape=shape, channels=2)
    network = built(tiny(dims=dims, channels=2), scans, MaskedVolume(block=4)).network.eval()
    values = torch.from_numpy(scans.at([0, 1]).copy())
    hidden = network.hidden(torch.rand(2, *network.score_shape))
    with torch.no_grad():
        drawn = network.drawn(values, hidden).double().numpy()
        errors = network.errors(values, hidden).numpy()
    assert drawn.shape == values.shape
    for patient in range(2):
        apart = [
            abs(drawn[patient, c, z, y, x] - float(values[patient, c, z, y, x]))
            for c, z, y, x in np.ndindex(2, *shape)
            if hidden[patient, 0, z, y, x]
        ]
        assert errors[patient, 0] == pytest.approx(np.mean(apart), rel=1e-6)


def test_what_is_hidden_is_not_seen_in_any_channel(tiny, lesions):
    scans, _ = lesions(2, channels=2)
    network = built(tiny(channels=2), scans, MaskedVolume(block=4)).network.eval()
    values = torch.from_numpy(scans.at([0, 1]).copy())
    hidden = network.hidden(torch.rand(2, *network.score_shape))
    other = torch.where(hidden, values + 5, values)
    with torch.no_grad():
        assert torch.equal(network.drawn(values, hidden), network.drawn(other, hidden))
        assert not torch.equal(network.drawn(values, hidden), network.drawn(values + 5, hidden))


def test_hidden_voxels_show_the_mean_of_the_scans_to_learn_from(tiny, lesions):
    scans, _ = lesions(6, channels=2)
    network = built(
        tiny(channels=2), scans, MaskedVolume(block=4), learning=np.array([1, 4])
    ).network
    means = scans.at([1, 4]).mean(axis=(0, 2, 3, 4))
    assert np.allclose(network.shown.detach().flatten().numpy(), means, rtol=1e-5)


def test_the_validation_part_is_hidden_alike_each_time(tiny, lesions):
    scans, _ = lesions(6)
    exercise = built(tiny(), scans, MaskedVolume(block=4))
    exercise.network.eval()
    rows = np.array([0, 3, 5])
    with torch.no_grad():
        torch.manual_seed(1)
        first = exercise.validate(exercise.network, rows)
        torch.manual_seed(2)
        assert exercise.validate(exercise.network, rows) == first
        drawn = [exercise.network(torch.from_numpy(scans.at(rows).copy())) for _ in range(2)]
    assert not torch.equal(*drawn)


@pytest.mark.parametrize(
    ("start", "end"),
    [((1, 1, 1), (16, 16, 16)), ((1, 2, 3), (5, 9, 24)), ((2, 2), (7, 32)), ((4, 4), (4, 4))],
)
def test_the_decoder_ends_at_the_size_of_the_scan(start, end):
    decoder = Decoder(6, 3, narrow=4, sizes=(start, end))
    assert decoder(torch.zeros(2, 6, *start)).shape == (2, 3, *end)


def test_learns_to_draw_eight_scans_down_to_their_noise(tiny, lesions):
    scans, _ = lesions(8)
    settings = TrainingSettings(
        epochs=60, batch_size=8, learning_rate=0.003, validation_share=0.0, schedule="none"
    )
    found = pretrain(tiny(width=16), scans, MaskedVolume(block=4, share=0.4), settings=settings)
    loss = found.history["loss"]
    # The mean of |N(0, 0.2)|, which no hidden voxel tells.
    noise = 0.2 * np.sqrt(2 / np.pi)
    assert loss.iloc[0] > 2 * noise
    assert loss.iloc[-5:].mean() < 1.1 * noise


def test_refuses_what_cannot_be_hidden(tiny, lesions):
    for wrong in ({"block": 0}, {"share": 0.0}, {"share": 1.0}, {"width": 0}):
        with pytest.raises(SchemaError, match="masked_volume"):
            MaskedVolume(**wrong)
    scans, brightness = lesions(8)
    with pytest.raises(SchemaError, match="blocks smaller than"):
        pretrain(tiny(), scans, MaskedVolume(block=8), settings=SETTINGS)
    with pytest.raises(StudyError, match="found targets"):
        table = scans.table().assign(brightness=brightness)
        pretrain(tiny(), scans, MaskedVolume(block=4), settings=SETTINGS, targets=table)
