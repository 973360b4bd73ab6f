"""Layers of a network from its output to its input, and weights drawn anew for some of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from radiogenomics.core.errors import DataError
from radiogenomics.models.deep.explain.target import Target, at_rest, module_named

SPREAD = 0.02
"""Of weights drawn for a tensor of zeros, which has no spread of its own."""
ROOT = "(network)"
"""Name for weights that the network itself holds, outside all its parts."""


def layers_from_output(
    network: nn.Module, x: Tensor, *, target: Target, names: Sequence[str] | None = None
) -> dict[str, tuple[str, ...]]:
    """Layers whose weights a score depends on, the output first, in the order of calls.

    Parameters
    ----------
    network
        Left as it is.
    x
        One scan that it reads.
    target
        The score.
    names
        Parts to take as one layer each; else each module with weights of its own.

    Returns
    -------
    dict
        Layer → names of the modules in it that hold weights; what the score does not depend on (a
        decoder) is left out.

    Raises
    ------
    UnknownNameError
        There is no such part or head.
    DataError
        No layer is left.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 1))
    >>> layers_from_output(network, torch.rand(1, 1, 4, 4), target=Target())
    {'3': ('3',), '0': ('0',)}
    """
    used, order = _used_and_called(network, x, target=target)
    places: dict[str, int] = {}
    for name in dict(network.named_modules()):
        # A layer that its parent reads without calling it is there when the parent is.
        places[name] = order.get(name, places.get(name.rpartition(".")[0], 0))
    holding = [
        name
        for name, part in network.named_modules()
        if any(id(weight) in used for weight in part.parameters(recurse=False))
    ]
    if names is None:
        groups = {name or ROOT: (name,) for name in holding}
    else:
        for name in names:
            module_named(network, name)
        inside = {n: tuple(h for h in holding if f"{h}.".startswith(f"{n}.")) for n in names}
        groups = {name: parts for name, parts in inside.items() if parts}
    if not groups:
        raise DataError(
            "expected layers with weights that the score depends on; found none. Check the head "
            "and the names of layers."
        )
    first = {name: min(places[part] for part in parts) for name, parts in groups.items()}
    rising = sorted(groups, key=first.__getitem__)
    return {name: groups[name] for name in reversed(rising)}


def randomise(network: nn.Module, names: Sequence[str], *, seed: int) -> int:
    """Draw the own weights of modules anew, in place, and return how many numbers that were.

    From a layer's own ``reset_parameters``, which also forgets running means; where it has none,
    from a normal distribution of mean 0 with the root mean square of the weights it replaces. The
    global generator of torch stays as it was.

    Examples
    --------
    >>> network = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    >>> randomise(network, ["1"], seed=0)
    3
    """
    drawn = 0
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        for name in names:
            module = network.get_submodule(name)
            own = list(module.parameters(recurse=False))
            drawn += sum(weight.numel() for weight in own)
            if hasattr(module, "reset_parameters") and not list(module.children()):
                module.reset_parameters()
                continue
            for weight in own:
                wide = float(weight.square().mean().sqrt()) or SPREAD
                weight.normal_(0.0, wide)
    return drawn


def _used_and_called(
    network: nn.Module, x: Tensor, *, target: Target
) -> tuple[set[int], dict[str, int]]:
    """Which weights (by identity) a score depends on, and when each module is first called."""
    order: dict[str, int] = {}

    def note(name: str) -> None:
        order.setdefault(name, len(order))

    hooks = [
        module.register_forward_pre_hook(lambda _module, _inputs, name=name: note(name))
        for name, module in network.named_modules()
    ]
    weights = list(network.parameters())
    frozen = [weight for weight in weights if not weight.requires_grad]
    try:
        for weight in frozen:
            weight.requires_grad_(True)
        with at_rest(network), torch.enable_grad():
            score = target.of(network(x)).sum()
        reached = torch.autograd.grad(score, weights, allow_unused=True) if weights else ()
    finally:
        for weight in frozen:
            weight.requires_grad_(False)
        for hook in hooks:
            hook.remove()
    used = {id(w) for w, gradient in zip(weights, reached, strict=True) if gradient is not None}
    return used, order
