from __future__ import annotations

import weakref
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from radiogenomics.core.errors import DataError
from radiogenomics.models.deep.accumulation import accumulated_step
from radiogenomics.models.deep.cox_loss import cox_loss
from radiogenomics.models.deep.multi_task import MultiTaskLoss, MultiTaskTargets

N = 12
CUTS = {"threes": [3, 3, 3, 3], "uneven": [5, 1, 4, 2], "singles": [1] * N, "whole": [N]}


class Small(nn.Module):
    """A 3D convolution, an embedding, two heads and a reconstruction."""

    def __init__(self, *, norm=None, dropout=0.0):
        super().__init__()
        self.conv = nn.Conv3d(2, 4, 3, padding=1)
        self.norm = nn.Identity() if norm is None else norm
        self.drop = nn.Dropout(dropout)
        self.heads = nn.ModuleDict({"os": nn.Linear(4, 1), "labels": nn.Linear(4, 3)})
        self.draw = nn.Conv3d(4, 1, 1)

    def forward(self, x):
        features = self.drop(torch.tanh(self.norm(self.conv(x))))
        embedding = self.drop(features.mean(dim=(2, 3, 4)))
        outputs = {name: head(embedding) for name, head in self.heads.items()}
        return SimpleNamespace(outputs=outputs, reconstruction=self.draw(features))


@pytest.fixture
def data(rng):
    """Volumes, and targets whose risk sets run through all micro-batches."""
    y = np.zeros(N, dtype=[("event", bool), ("time", float)])
    y["time"], y["event"] = rng.integers(1, 6, N), rng.random(N) < 0.6
    y["event"][0] = True
    labels = (rng.random((N, 3)) < 0.5).astype(float)
    labels[2:4] = np.nan
    volumes = torch.from_numpy(rng.normal(size=(N, 2, 5, 5, 5)))
    return volumes, MultiTaskTargets.from_arrays({"os": y}, {"labels": labels})


def built(seed=0, **words):
    torch.manual_seed(seed)
    return Small(**words)


def new_loss(**words):
    return MultiTaskLoss(
        {"os": "cox", "labels": "binary", "reconstruction": "reconstruction"}, **words
    )


def gradients(*modules):
    return torch.cat([p.grad.flatten() for m in modules for p in m.parameters()])


def by_graph_of_all(network, batches, loss_of_outputs):
    """What is to be equalled: a loop over the micro-batches that keeps every graph."""
    parts = []
    for batch in batches:
        found = network(batch)
        error = (found.reconstruction - batch).abs().flatten(1).mean(1, keepdim=True)
        parts.append(found.outputs | {"reconstruction": error})
    loss = loss_of_outputs({name: torch.cat([p[name] for p in parts]) for name in parts[0]})
    loss.backward()
    return loss.detach()


@pytest.mark.parametrize("cuts", CUTS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_gradient_is_that_of_the_whole_batch(data, cuts, dtype, tolerance):
    volumes, targets = data[0].to(dtype), data[1]
    found = {}
    for name, pieces in (("whole", [N]), ("accumulated", CUTS[cuts])):
        network = built(norm=nn.InstanceNorm3d(4, affine=True)).to(dtype)
        loss = new_loss().to(dtype)
        run = by_graph_of_all if name == "whole" else accumulated_step
        step = run(network, volumes.split(pieces), lambda out, loss=loss: loss(out, targets))
        found[name] = gradients(network, loss), step
    assert_allclose(found["accumulated"][1].loss, found["whole"][1], rtol=tolerance)
    ours, whole = found["accumulated"][0], found["whole"][0]
    assert (ours - whole).abs().max() <= tolerance * whole.abs().max()
    assert ours.abs().min() > 0


def test_micro_batches_on_their_own_have_another_gradient(data):
    """What is avoided: the sum of the losses of micro-batches leaves risk sets cut to pieces."""
    volumes, targets = data
    found = []
    for pieces in ([N], [3, 3, 3, 3]):
        network, start = built().double(), 0
        for batch in volumes.split(pieces):
            rows = range(start, start + len(batch))
            part, start = targets[list(rows)], start + len(batch)
            loss = cox_loss(
                network(batch).outputs["os"],
                part.times["os"],
                part.events["os"],
                mean_over="none",
                allow_no_events=True,
            )
            loss.backward()
        found.append(network.conv.weight.grad)
    assert (found[1] - found[0]).abs().max() > 0.05 * found[0].abs().max()


@pytest.mark.parametrize("cuts", CUTS)
def test_dropout_has_one_mask_in_both_passes(data, cuts):
    volumes, targets = data
    batches, found = volumes.split(CUTS[cuts]), []
    for run in (by_graph_of_all, accumulated_step):
        network, loss = built(dropout=0.4).double(), new_loss().double()
        torch.manual_seed(11)
        run(network, batches, lambda out, loss=loss: loss(out, targets))
        # What is drawn next must not depend on how the step was computed.
        found.append((gradients(network, loss), torch.rand(3)))
    assert_allclose(found[1][0].numpy(), found[0][0].numpy(), rtol=1e-10, atol=1e-14)
    assert torch.equal(found[1][1], found[0][1])


def test_dropout_of_another_seed_would_show(data):
    volumes, targets = data
    found = []
    for seed in (11, 12):
        network, loss = built(dropout=0.4).double(), new_loss().double()
        torch.manual_seed(seed)
        accumulated_step(network, volumes.split(4), lambda out, loss=loss: loss(out, targets))
        found.append(gradients(network))
    assert (found[0] - found[1]).abs().max() > 0.01 * found[0].abs().max()


def test_batch_normalisation_is_that_of_micro_batches_and_counts_once(data):
    volumes, targets = data
    found = {}
    for name, run, size in (
        ("loop", by_graph_of_all, 4),
        ("accumulated", accumulated_step, 4),
        ("whole", by_graph_of_all, N),
    ):
        network, loss = built(norm=nn.BatchNorm3d(4)).double(), new_loss().double()
        run(network, volumes.split(size), lambda out, loss=loss: loss(out, targets))
        found[name] = gradients(network), network.norm
    assert_allclose(found["accumulated"][0], found["loop"][0], rtol=1e-9, atol=1e-13)
    ours, loop = found["accumulated"][1], found["loop"][1]
    assert ours.num_batches_tracked == loop.num_batches_tracked == 3
    assert torch.equal(ours.running_mean, loop.running_mean)
    assert torch.equal(ours.running_var, loop.running_var)
    apart = (found["accumulated"][0] - found["whole"][0]).abs().max()
    assert apart > 1e-3 * found["whole"][0].abs().max()


def test_frozen_batch_normalisation_is_the_whole_batch_again(data):
    volumes, targets = data
    found = []
    for size in (N, 4):
        network = built(norm=nn.BatchNorm3d(4)).double()
        network.norm.eval()
        loss = new_loss().double()
        accumulated_step(network, volumes.split(size), lambda out, loss=loss: loss(out, targets))
        found.append(gradients(network, loss))
    assert_allclose(found[1].numpy(), found[0].numpy(), rtol=1e-10, atol=1e-14)


def test_penalty_on_the_weights_gets_its_gradient(data):
    """The product of the released code depends on the weights past all outputs."""
    volumes, targets = data
    found = []
    for run, size in ((by_graph_of_all, N), (accumulated_step, 5)):
        network, loss = built().double(), new_loss(form="legacy_product", main="os").double()
        run(network, volumes.split(size), lambda out, n=network, k=loss: k(out, targets, n))
        found.append(gradients(network, loss))
    assert_allclose(found[1].numpy(), found[0].numpy(), rtol=1e-9, atol=1e-13)


def test_gradients_are_added(data):
    volumes, targets = data
    network, loss = built().double(), new_loss().double()
    for _ in range(2):
        accumulated_step(network, volumes.split(5), lambda out: loss(out, targets))
    twice = gradients(network, loss)
    network.zero_grad()
    loss.zero_grad()
    accumulated_step(network, volumes.split(5), lambda out: loss(out, targets))
    assert_allclose(twice.numpy(), 2 * gradients(network, loss).numpy(), rtol=1e-12, atol=1e-15)


def largest_held(network, batches, loss_of_outputs, run):
    """Numbers that graphs hold at most at one moment, weights apart."""
    weights = {p.data_ptr() for p in network.parameters()}
    held = {"now": 0, "most": 0}

    class Kept:
        def __init__(self, tensor):
            self.tensor = tensor

    def release(size):
        held["now"] -= size

    def keep(tensor):
        kept = Kept(tensor)
        if tensor.data_ptr() not in weights:
            held["now"] += tensor.numel()
            held["most"] = max(held["most"], held["now"])
            weakref.finalize(kept, release, tensor.numel())
        return kept

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda kept: kept.tensor):
        run(network, batches, loss_of_outputs)
    return held["most"]


def test_memory_holds_the_graph_of_one_micro_batch(data):
    volumes, targets = data
    most = {}
    for name, run, size in (
        ("whole", accumulated_step, N),
        ("loop", by_graph_of_all, 2),
        ("accumulated", accumulated_step, 2),
    ):
        network, loss = built(), new_loss()
        batches = volumes.float().split(size)
        most[name] = largest_held(network, batches, lambda out, k=loss: k(out, targets), run)
    assert most["loop"] > 0.9 * most["whole"]
    assert most["accumulated"] < 1.1 * most["whole"] * 2 / N


def test_each_micro_batch_but_the_last_passes_twice(data):
    volumes, targets = data
    network, loss, seen = built().double(), new_loss().double(), []
    network.register_forward_hook(lambda *_: seen.append(torch.is_grad_enabled()))
    accumulated_step(network, volumes.split(3), lambda out: loss(out, targets))
    assert seen == [False] * 3 + [True] * 4


def test_outputs_come_back_in_order(data):
    volumes, targets = data
    network, loss = built().double(), new_loss().double()
    step = accumulated_step(network, volumes.split(5), lambda out: loss(out, targets))
    with torch.no_grad():
        whole = network(volumes).outputs
    assert set(step.outputs) == {"os", "labels", "reconstruction"}
    for name, said in whole.items():
        assert_allclose(step.outputs[name].numpy(), said.numpy(), rtol=1e-12)
    assert not any(said.requires_grad for said in step.outputs.values())


def test_inside_autocast_no_gradient_is_lost(data):
    """Casts of weights that are cached in the first pass must not cut the graph of the second."""
    volumes, targets = data[0].float(), data[1]
    found = []
    for size in (N, 3):
        network, loss = built(), new_loss()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            accumulated_step(
                network, volumes.split(size), lambda out, loss=loss: loss(out, targets)
            )
        found.append(gradients(network, loss))
    assert (found[1] - found[0]).abs().max() < 0.02 * found[0].abs().max()


def test_one_tensor_and_heads_that_the_loss_leaves_out(data):
    volumes, targets = data
    time, event = targets.times["os"], targets.events["os"]
    flat, network = volumes.flatten(1), nn.Linear(250, 1).double()
    step = accumulated_step(network, flat.split(5), lambda risk: cox_loss(risk, time, event))
    assert step.outputs.shape == (N, 1)
    expected = torch.autograd.grad(cox_loss(network(flat), time, event), network.weight)[0]
    assert_allclose(network.weight.grad.numpy(), expected.numpy(), rtol=1e-10, atol=1e-14)

    network = built().double()
    network.heads["os"].requires_grad_(False)
    accumulated_step(network, volumes.split(5), lambda out: cox_loss(out["os"], time, event))
    assert network.heads["labels"].weight.grad is None
    assert network.heads["os"].weight.grad is None
    assert network.conv.weight.grad.abs().min() > 0


def test_loss_that_is_not_finite_is_not_sent_back(data):
    volumes, _ = data
    network = built().double()
    step = accumulated_step(network, volumes.split(5), lambda out: out["os"].sum() * torch.nan)
    assert torch.isnan(step.loss) and step.outputs["os"].shape == (N, 1)
    assert all(p.grad is None for p in network.parameters())


def test_random_numbers_from_elsewhere_are_noticed(data, rng):
    class Noisy(nn.Linear):
        def forward(self, x):
            return super().forward(x) + torch.from_numpy(rng.normal(size=(len(x), 1)))

    flat = data[0].flatten(1)
    with pytest.raises(DataError, match="when a micro-batch is repeated"):
        accumulated_step(Noisy(250, 1).double(), flat.split(5), torch.var)


def test_bad_use_is_refused(data):
    volumes, _ = data
    network = built().double()
    with pytest.raises(DataError, match="expected micro-batches"):
        accumulated_step(network, [], torch.var)
    with pytest.raises(DataError, match="without a gradient"):
        accumulated_step(network, volumes.split(5), lambda out: out["os"].detach().sum())
    with pytest.raises(DataError, match="found mean otherwise"):
        accumulated_step(
            network,
            volumes.split(5),
            lambda out: out["mean"],
            read=lambda found, _: {"mean": found.outputs["os"].mean()},
        )
    with pytest.raises(DataError, match="of each micro-batch"):
        accumulated_step(
            network,
            volumes.split(5),
            lambda out: out["os"].sum(),
            read=lambda found, x: {"os": found.outputs["os"]} if len(x) == 5 else found.outputs,
        )
