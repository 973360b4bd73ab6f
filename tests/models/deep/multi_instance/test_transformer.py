"""The network against brute force, against torch's own layer, and against what must not matter."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.models.deep.multi_instance.bags import Bags
from radiogenomics.models.deep.multi_instance.transformer import (
    POOLINGS,
    AttentionPooling,
    BagTensors,
    EncoderLayer,
    MultiInstanceTransformer,
    TransformerSettings,
    bag_tensors,
)

CPU = torch.device("cpu")
FEATURES = 6


def bags_of(rng, sizes=((3, 2), (1, 4), (5, 0))):
    return Bags.from_arrays(
        {
            f"P{n}": {
                name: rng.normal(size=(size, FEATURES)) + 2
                for name, size in zip(("arterial", "t2"), own, strict=True)
            }
            for n, own in enumerate(sizes)
        }
    )


def network(pooling="attention", *, position=False, depth=2, seed=1):
    torch.manual_seed(seed)
    settings = TransformerSettings(
        width=16, depth=depth, heads=4, pooling=pooling, position=position
    )
    made = MultiInstanceTransformer(settings, n_features=FEATURES, n_sequences=2)
    made.standardise_by(bag_tensors(bags_of(np.random.default_rng(5))))
    return made.eval()


@pytest.fixture(params=POOLINGS)
def pooling(request):
    return request.param


@pytest.mark.parametrize("gated", [False, True], ids=["plain", "gated"])
def test_attention_pooling_by_brute_force(rng, gated):
    torch.manual_seed(0)
    pool = AttentionPooling(4, gated=gated).double()
    hidden, real = rng.normal(size=(3, 5, 4)), rng.random((3, 5)) < 0.6
    real[:, 1] = True
    pooled, weights = (
        part.detach().numpy() for part in pool(torch.tensor(hidden), torch.tensor(real))
    )
    numbers = {name: part.numpy() for name, part in pool.state_dict().items()}
    for patient in range(3):
        scores = {}
        for k in np.flatnonzero(real[patient]):
            h = hidden[patient, k]
            seen = np.tanh(numbers["view.weight"] @ h + numbers["view.bias"])
            if gated:
                seen = seen / (1 + np.exp(-(numbers["gate.weight"] @ h + numbers["gate.bias"])))
            scores[k] = np.exp(numbers["score.weight"][0] @ seen)
        expected = np.zeros(5)
        for k, score in scores.items():
            expected[k] = score / sum(scores.values())
        np.testing.assert_allclose(weights[patient], expected, rtol=1e-12, atol=0)
        total = sum(expected[k] * hidden[patient, k] for k in range(5))
        np.testing.assert_allclose(pooled[patient], total, rtol=1e-11)


def test_layer_agrees_with_the_one_of_torch(rng):
    torch.manual_seed(0)
    ours = EncoderLayer(TransformerSettings(width=16, heads=4, feedforward=3)).double().eval()
    theirs = nn.TransformerEncoderLayer(
        16, 4, dim_feedforward=48, activation="gelu", batch_first=True, norm_first=True
    )
    theirs.double().eval().load_state_dict(ours.state_dict())
    hidden = torch.tensor(rng.normal(size=(3, 5, 16)))
    real = torch.tensor(rng.random((3, 5)) < 0.6)
    real[:, 0] = True
    told, attention = ours(hidden, real)
    expected = theirs(hidden, src_key_padding_mask=~real)
    np.testing.assert_allclose(told[real].detach(), expected[real].detach(), rtol=1e-12)
    np.testing.assert_allclose(attention.sum(dim=2).detach(), 1.0, rtol=1e-12)
    assert not attention.detach().masked_select(~real.unsqueeze(1)).any()


def test_order_of_instances_means_nothing_without_places(rng, pooling):
    bags = bag_tensors(bags_of(rng))
    order = torch.tensor(rng.permutation(bags.real.shape[1]))
    made = network(pooling)
    with torch.no_grad():
        here, there = made(bags), made(BagTensors(*(part[:, order] for part in bags)))
    np.testing.assert_allclose(there.logit, here.logit, rtol=0, atol=1e-6)
    np.testing.assert_allclose(there.embedding, here.embedding, rtol=0, atol=3e-6)
    np.testing.assert_allclose(there.attention, here.attention[:, order], rtol=0, atol=1e-6)


def test_order_counts_when_places_are_told(rng, pooling):
    bags = bags_of(rng)
    turned = Bags(
        np.take_along_axis(bags.features, np.argsort(~bags.real[:, ::-1], kind="stable")[..., None]
                           * -1 + bags.real.shape[1] - 1, axis=1),
        bags.real, np.zeros_like(bags.sequence), bags.patient_ids, bags.sequences,
    )  # fmt: skip
    same = Bags(bags.features, bags.real, turned.sequence, bags.patient_ids, bags.sequences)
    for position, expected in ((False, True), (True, False)):
        made = network(pooling, position=position)
        with torch.no_grad():
            gap = made(bag_tensors(turned)).logit - made(bag_tensors(same)).logit
        assert bool((gap.abs() < 1e-6).all()) is expected


def test_padding_changes_nothing(rng, pooling):
    """Neither how much of it there is, nor what it holds."""
    bags = bag_tensors(bags_of(rng))
    more = 4
    filled = BagTensors(
        torch.cat([bags.features, torch.full((3, more, FEATURES), 1e6)], dim=1),
        torch.cat([bags.real, torch.zeros(3, more, dtype=torch.bool)], dim=1),
        torch.cat([bags.sequence, torch.ones(3, more, dtype=torch.int64)], dim=1),
        torch.cat([bags.depth, torch.ones(3, more)], dim=1),
    )
    filled.features[~filled.real] = 1e6
    made = network(pooling, position=True)
    with torch.no_grad():
        here, there = made(bags), made(filled)
    np.testing.assert_allclose(there.logit, here.logit, rtol=0, atol=1e-6)
    assert not there.attention[~filled.real].any()
    np.testing.assert_allclose(there.attention[:, :-more], here.attention, rtol=0, atol=1e-6)


def test_one_patient_at_a_time_equals_all_at_once(rng, pooling):
    bags = bag_tensors(bags_of(rng))
    made = network(pooling, position=True)
    with torch.no_grad():
        together = made(bags)
        alone = [made(bags.at(torch.tensor([row]), CPU)) for row in range(3)]
    np.testing.assert_allclose(
        torch.cat([out.logit for out in alone]), together.logit, rtol=0, atol=1e-6
    )
    for row, out in enumerate(alone):
        size = out.attention.shape[1]
        assert size == bags.real[row].sum()
        np.testing.assert_allclose(out.attention[0], together.attention[row, :size], atol=1e-6)


def test_attention_sums_to_one_over_real_instances(rng, pooling):
    bags = bag_tensors(bags_of(rng))
    with torch.no_grad():
        attention = network(pooling)(bags).attention
    np.testing.assert_allclose(attention.sum(dim=1), 1.0, rtol=1e-6)
    assert (attention[bags.real] > 0).all() and not attention[~bags.real].any()


def test_sequence_is_told(rng, pooling):
    bags = bag_tensors(bags_of(rng))
    other = bags._replace(sequence=1 - bags.sequence)
    made = network(pooling)
    with torch.no_grad():
        assert ((made(bags).logit - made(other).logit).abs() > 1e-4).all()


def test_scale_of_the_features_means_nothing(rng):
    """Standardised by the part that it was given, constant features too."""
    bags = bag_tensors(bags_of(rng))
    bags.features[..., 2] = 0.1
    moved = bags._replace(features=bags.features * torch.tensor([1e3, 1, 1, 1, 1e-3, 1]) + 5)
    outputs = []
    for part in (bags, moved):
        made = network()
        made.standardise_by(part)
        with torch.no_grad():
            outputs.append(made(part).logit)
    np.testing.assert_allclose(outputs[1], outputs[0], atol=1e-3)


def test_means_and_deviations_are_of_real_instances(rng):
    bags = bags_of(rng)
    made = network()
    made.standardise_by(bag_tensors(bags))
    instances = bags.features[bags.real].astype(float)
    np.testing.assert_allclose(made.mean, instances.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(made.scale, instances.std(axis=0), rtol=1e-6)


@pytest.mark.parametrize("position", [False, True], ids=["no_place", "place"])
def test_gradient_reaches_every_weight(rng, pooling, position):
    made = network(pooling, position=position).train()
    made(bag_tensors(bags_of(rng))).logit.square().sum().backward()
    still = [name for name, part in made.named_parameters() if part.grad is None]
    assert not still


def test_number_of_weights_by_hand():
    """Width 64, depth 2, 2048 features, 4 sequences."""
    made = MultiInstanceTransformer(TransformerSettings(), n_features=2048, n_sequences=4)
    layer = 4 * (64 * 64 + 64) + (64 * 128 + 128) + (128 * 64 + 64) + 4 * 64
    pool = 64 * 64 + 64 + 64
    expected = (2048 * 64 + 64) + 4 * 64 + 2 * layer + 2 * 64 + pool + (64 + 1)
    assert sum(part.numel() for part in made.parameters()) == expected


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"width": 30}, "width that 4 heads can share; found 30"),
        ({"dropout": 1.0}, "dropout: expected a share"),
        ({"heads": 0}, "expected width, heads"),
        ({"depth": -1}, "expected width, heads"),
        ({"depth": 0, "pooling": "cls"}, "expected a depth of at least 1 with pooling by 'cls'"),
    ],
    ids=["width", "dropout", "heads", "depth", "cls"],
)
def test_impossible_sizes_are_refused(change, words):
    with pytest.raises(DataError, match=words):
        TransformerSettings(**change)


def test_unknown_pooling_is_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'attention'"):
        TransformerSettings(pooling="atention")
