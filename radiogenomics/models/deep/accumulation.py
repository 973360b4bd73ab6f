"""The gradient of a loss over many patients, while memory holds the graph of a few.

The risk set of a Cox loss spans a batch: losses of micro-batches do not add up to the loss of all,
however their gradients are accumulated. But a network meets the loss L only through its outputs o,
a few numbers a patient, so the gradient by the weights w splits by the chain rule,

    dL/dw = sum over micro-batches b of  (dL/do_b) (do_b/dw).

First all micro-batches go through the network without a graph and their outputs are collected;
L of all of them gives dL/do, exact, with the risk sets of the whole batch. Then each micro-batch
goes through once more, with its graph, and is sent back from dL/do_b. The last one keeps its graph
from the first time, so k micro-batches cost 2k - 1 forward and k backward passes, and one costs
what a plain step does. Auxiliary losses, and parameters of the loss itself (weights of heads, a
penalty on the network's weights), get their gradients in between, from the same L.

Dropout: the state of torch's random numbers, of the CPU and of the network's device, is noted
before each micro-batch and put back for its second pass, so each patient meets one mask in both;
afterwards the state is that after the first passes. The gradient is thus exact for the masks drawn,
which are those of a plain loop over the same micro-batches, not those that one large batch would
draw. Random numbers from elsewhere than torch's default generators are not repeated: that shows in
the outputs, and is refused.

Batch normalisation, in training mode, takes mean and variance of each micro-batch. The gradient is
exact for the network so normalised, but that is another network than the whole batch makes, and a
noisy one where micro-batches hold a few patients. Running statistics, as all buffers, move as in
one pass over the micro-batches, not two. Where this matters take instance or group normalisation,
or freeze the statistics.

The same split for contrastive losses: Gao et al. 2021, arXiv:2101.06983.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from radiogenomics.core.errors import DataError, short_list
from radiogenomics.models.deep.cox_loss import single_at_least
from radiogenomics.models.deep.multi_task import RECONSTRUCTION

# Share of the largest output by which a repeated one may differ: beyond the rounding of kernels
# that add up in any order, in half precision too, and below what another dropout mask does.
REPEATED = 0.02
# Name of what has none: the output of a network that gives one tensor.
BARE = ""

Outputs = dict[str, Tensor]


class HeadOutputs(Protocol):
    """What a network gives back, as far as losses read it."""

    outputs: Mapping[str, Tensor]
    reconstruction: Tensor | None


class AccumulatedStep(NamedTuple):
    """What came of one step, before the optimiser moves.

    Attributes
    ----------
    loss : Tensor
        Scalar, of all patients together, without graph.
    outputs : dict of str to Tensor, or Tensor
        Head → shape (n, k), all patients in order, without graph; one tensor where the network
        gives one.
    """

    loss: Tensor
    outputs: Outputs | Tensor


def reconstruction_error(reconstruction: Tensor, volumes: Tensor) -> Tensor:
    """Mean absolute difference of voxels, one number a patient.

    The mean over patients is the L1 loss. Kept by patient, so that losses over many micro-batches
    hold a number a patient and not a volume.

    Parameters
    ----------
    reconstruction
        Shape (n, c, z, y, x), or (n, 1, z, y, x): one channel is then held against each of c.
    volumes
        Shape (n, c, z, y, x).

    Returns
    -------
    Tensor
        Shape (n, 1), 0 or more.

    Raises
    ------
    DataError
        The shapes do not fit.

    Examples
    --------
    >>> reconstruction_error(torch.zeros(1, 1, 2, 2, 2), torch.ones(1, 3, 2, 2, 2))
    tensor([[1.]])
    """
    ours, theirs = reconstruction.shape, volumes.shape
    fits = len(ours) > 2 and (ours[0], ours[2:]) == (theirs[0], theirs[2:])
    if not fits or ours[1] not in (1, theirs[1]):
        raise DataError(
            f"expected a reconstruction of volumes of shape {tuple(theirs)}, or of one channel of "
            f"them; found {tuple(ours)}. Choose a size that the strides of the network divide."
        )
    apart = single_at_least(reconstruction) - single_at_least(volumes)
    return apart.abs().flatten(1).mean(1, keepdim=True)


def head_outputs(
    found: HeadOutputs | Mapping[str, Tensor] | Tensor, volumes: Tensor
) -> Outputs | Tensor:
    """Return what losses read of a network's output: head → (n, k), small in any network.

    The reconstruction is replaced by its error, under the name ``reconstruction``.

    Parameters
    ----------
    found
        What a network of `radiogenomics.models.deep.networks` gives; a tensor or a mapping of
        tensors is taken as it is.
    volumes
        What the network was given.
    """
    if isinstance(found, Tensor | Mapping):
        return found if isinstance(found, Tensor) else dict(found)
    read = dict(found.outputs)
    if found.reconstruction is not None:
        read[RECONSTRUCTION] = reconstruction_error(found.reconstruction, volumes)
    return read


def accumulated_step(
    network: nn.Module,
    batches: Sequence[Tensor],
    loss_of_outputs: Callable[[Any], Tensor],
    *,
    read: Callable[[Any, Tensor], Outputs | Tensor] = head_outputs,
) -> AccumulatedStep:
    """Add to the gradients of a network those of one loss over all micro-batches together.

    Equal, up to rounding, to one forward and backward pass of all, for networks that treat each
    patient alone. How, and what dropout and batch normalisation do: top of this module.

    Parameters
    ----------
    network
        Gradients are added to ``.grad``; zero them before.
    batches
        Micro-batches, each of shape (n_i, ...), moved to the network's device one at a time.
    loss_of_outputs
        From the outputs of all patients in order, head → (n, k), to a scalar; scaled, where half
        precision needs it. Called once.
    read
        From what the network gives and what it was given to the outputs to collect, one tensor or
        several by name, each of length n_i. All of them are held at once: keep them small.

    Returns
    -------
    AccumulatedStep
        Where its loss is not finite, nothing was sent back: stop, and look at its outputs.

    Raises
    ------
    DataError
        No micro-batch; outputs not one a patient; a loss that does not depend on them; a network
        that says something else the second time.

    Examples
    --------
    >>> network, batches = nn.Linear(1, 1), [torch.zeros(2, 1), torch.ones(2, 1)]
    >>> nn.init.ones_(network.weight).item()
    1.0
    >>> step = accumulated_step(network, batches, torch.var)
    >>> round(step.loss.item(), 4), round(network.weight.grad.item(), 4)
    (0.3333, 0.6667)
    """
    if not batches:
        raise DataError("expected micro-batches; found none. Give at least one.")
    passes = _Passes(network, read)
    *early, last = batches
    firsts = [passes.first(batch) for batch in early]
    final = passes.run(last)
    whole = _joined([*firsts, final])
    loss = loss_of_outputs(whole.get(BARE, whole))
    if _sent_back(loss):
        slopes = _slopes(whole, [len(batch) for batch in batches])
        _send_back(final, slopes[-1])
        if early:
            passes.repeat(early, firsts, slopes[:-1])
    told = {name: said.detach() for name, said in whole.items()}
    return AccumulatedStep(loss.detach(), told.get(BARE, told))


def _sent_back(loss: Tensor) -> bool:
    """Go back from the loss to the outputs, unless it is not finite."""
    if not loss.requires_grad:
        raise DataError(
            "expected a loss that depends on the outputs; found one without a gradient. "
            "Compute it in torch, from the outputs that it is given."
        )
    finite = bool(torch.isfinite(loss))
    if finite:
        torch.autograd.backward(loss)
    return finite


class _Passes:
    """Runs a network over micro-batches, and over them again from the same states."""

    def __init__(self, network: nn.Module, read: Callable[[Any, Tensor], Outputs | Tensor]) -> None:
        self._network, self._read = network, read
        self._device = next((p.device for p in network.parameters()), torch.device("cpu"))
        self._buffers = self._copied_buffers()
        self._random: list[tuple[Tensor, ...]] = []

    def run(self, batch: Tensor) -> Outputs:
        placed = batch.to(self._device)
        found = self._read(self._network(placed), placed)
        outputs = {BARE: found} if isinstance(found, Tensor) else dict(found)
        odd = [name for name, said in outputs.items() if not said.ndim or len(said) != len(batch)]
        if odd or not outputs:
            raise DataError(
                f"expected outputs of shape (n, k), one row a patient of {len(batch)}; found "
                f"{short_list(odd) or 'no output'} otherwise. Let `read` give them so."
            )
        return outputs

    def first(self, batch: Tensor) -> Outputs:
        """Run without graph, and note from where."""
        self._random.append(self._random_state())
        with torch.no_grad():
            return self.run(batch)

    def repeat(
        self, batches: Sequence[Tensor], firsts: Sequence[Outputs], slopes: Sequence[Outputs]
    ) -> None:
        """Run again with graph and go back; random numbers and buffers stay as they are now."""
        random, buffers = self._random_state(), self._copied_buffers()
        self._put_back(self._buffers)
        for batch, state, first, slope in zip(batches, self._random, firsts, slopes, strict=True):
            self._set_random_state(state)
            again = self.run(batch)
            _refuse_others(first, again)
            _send_back(again, slope)
        self._set_random_state(random)
        self._put_back(buffers)

    def _copied_buffers(self) -> list[Tensor]:
        return [buffer.clone() for buffer in self._network.buffers()]

    def _put_back(self, values: list[Tensor]) -> None:
        for buffer, value in zip(self._network.buffers(), values, strict=True):
            buffer.copy_(value)

    def _random_state(self) -> tuple[Tensor, ...]:
        own = torch.get_rng_state()
        if self._device.type == "cpu":
            return (own,)
        return own, torch.get_device_module(self._device).get_rng_state(self._device)

    def _set_random_state(self, state: tuple[Tensor, ...]) -> None:
        torch.set_rng_state(state[0])
        if len(state) > 1:
            torch.get_device_module(self._device).set_rng_state(state[1], self._device)


def _joined(parts: Sequence[Outputs]) -> Outputs:
    """Outputs of all patients, from where the loss is sent back to."""
    names = parts[-1].keys()
    if any(part.keys() != names for part in parts):
        raise DataError(
            f"expected the outputs {short_list(names)} of each micro-batch; found others of some. "
            "Let the network give the same heads for any patients."
        )
    return {
        name: torch.cat([part[name].detach() for part in parts]).requires_grad_() for name in names
    }


def _slopes(whole: Outputs, sizes: list[int]) -> list[Outputs]:
    """Gradient of the loss by the outputs of each micro-batch, of those that the loss reads."""
    parts = {name: said.grad.split(sizes) for name, said in whole.items() if said.grad is not None}
    return [{name: part[n] for name, part in parts.items()} for n in range(len(sizes))]


def _send_back(outputs: Outputs, slopes: Outputs) -> None:
    # A frozen head has nothing to send back to.
    names = [name for name in slopes if outputs[name].requires_grad]
    if names:
        torch.autograd.backward([outputs[n] for n in names], [slopes[n] for n in names])


def _refuse_others(first: Outputs, again: Outputs) -> None:
    for name, said in first.items():
        apart = (again[name].detach() - said).abs().max()
        if bool(apart > REPEATED * said.abs().max()):
            raise DataError(
                f"expected the same outputs {name!r} when a micro-batch is repeated; found others "
                f"by up to {float(apart):.3g}. The network draws random numbers outside torch's "
                "default generators, or remembers earlier patients: mend it, or train without "
                "micro-batches."
            )
