r"""Grad-CAM: which parts of a scan raise a network's score, seen from one of its layers.

With activations :math:`A_k` of channel k on m cells and the score s, the weight of a channel is
:math:`a_k = \frac{1}{m} \sum_i \partial s / \partial A_{ki}` and the map
:math:`\max(0, \sum_k a_k A_k)`, spread linearly over the voxels. Under a network of convolutions,
global average pooling and a linear head w it is the class activation map :math:`\sum_k w_k A_k`
divided by m.

It is as coarse as the layer, and says what raised the score here, not what causes the outcome. In a
layer that is not pooled right after, averaged gradients can point beside what was used. Hold it
against :func:`~radiogenomics.models.deep.explain.sanity.sanity_check` first.

Selvaraju et al., Int J Comput Vis 2020;128:336-359, doi:10.1007/s11263-019-01228-7.
"""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from radiogenomics.core.errors import DataError
from radiogenomics.models.deep.explain.heat import (
    Maps,
    Scale,
    as_maps,
    check_scale,
    scaled,
    to_voxels,
)
from radiogenomics.models.deep.explain.target import (
    Target,
    at_rest,
    module_named,
    one_call,
    parts_of,
    scans_of,
    volume_shape,
)


def grad_cam(
    network: nn.Module,
    x: ArrayLike | Tensor,
    *,
    target: Target | None = None,
    layer: str | None = None,
    raises: bool = True,
    scale: Scale = "patient",
    batch: int = 4,
) -> Maps:
    """Weigh the channels of a layer by how much the score gains from them, and add them up.

    Formula, limits and source stand at the head of this module.

    Parameters
    ----------
    network, x
        Explained in evaluation mode and left as it is; scans (n, c, z, y, x) or slices.
    target, batch
        Head and column, needed where there are several heads; scans at a time.
    layer
        Name in ``network.named_modules()`` with maps (n, channels, cells ...); else what the
        network names as its ``cam_layer``, or that of :func:`last_convolution`.
    raises
        Show what raises the score; False what lowers it. A risk is worse where it is higher.
    scale
        ``"patient"``: 0 to 1 in each patient, 0 for nothing; ``"raw"``: comparable over patients.

    Returns
    -------
    ndarray of float32, shape (n, z, y, x)
        Not below 0.

    Raises
    ------
    UnknownNameError, GeometryError
        There is no such layer, head or scale; `x` is not scans.
    DataError
        The layer has no maps, the score does not depend on it, or the network says it has none.

    Examples
    --------
    >>> network = nn.Sequential(
    ...     nn.Conv2d(1, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 1)
    ... )
    >>> grad_cam(network, torch.rand(3, 1, 6, 5), layer="0", scale="raw").shape
    (3, 1, 6, 5)
    """
    check_scale(scale)
    chosen, scans = target or Target(), scans_of(x)
    name = _layer_of(network, scans, target=chosen) if layer is None else layer
    module_named(network, name)
    sign = 1.0 if raises else -1.0
    with at_rest(network):
        cells = [
            (sign * _weighed(network, part, layer=name, target=chosen)).clamp(min=0)
            for part in parts_of(scans, network, batch=batch)
        ]
    shape = volume_shape(scans)
    return scaled(as_maps([to_voxels(part, shape) for part in cells]), scale, from_zero=True)


def last_convolution(
    network: nn.Module, x: ArrayLike | Tensor, *, target: Target | None = None
) -> str:
    """Name of the last convolution that a score depends on and that still has a place.

    The last in the order of calls, for the first scan: neither that of a decoder, which no score
    comes from, nor one behind the pooling, whose map has one cell.

    Raises
    ------
    DataError
        There is none.

    Examples
    --------
    >>> network = nn.Sequential(
    ...     nn.Conv2d(1, 2, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Conv2d(2, 3, 1), nn.Flatten()
    ... )
    >>> last_convolution(network, torch.rand(1, 1, 6, 6))
    '0'
    """
    names: dict[str, list[Tensor]] = {
        name: []
        for name, part in network.named_modules()
        if isinstance(part, nn.Conv2d | nn.Conv3d)
    }
    order: list[str] = []

    def keep(name: str, output: Tensor) -> Tensor:
        names[name].append(output)
        order.append(name)
        return output.clone()

    hooks = [
        network.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, output, name=name: keep(name, output)
        )
        for name in names
    ]
    try:
        with at_rest(network):
            first = next(parts_of(scans_of(x)[:1], network, batch=1))
            score = _score(network, first, target=target or Target())
    finally:
        for hook in hooks:
            hook.remove()
    once = [name for name in order if len(names[name]) == 1 and _has_place(names[name][0])]
    outputs = [names[name][0] for name in once]
    reached = torch.autograd.grad(score, outputs, allow_unused=True) if outputs else ()
    used = [name for name, gradient in zip(once, reached, strict=True) if gradient is not None]
    if not used:
        raise DataError(
            "expected a convolution with more than one cell that the score depends on; found none "
            f"among {len(names)}. Name a layer, or use occlusion or attention."
        )
    return used[-1]


def _layer_of(network: nn.Module, scans: Tensor, *, target: Target) -> str:
    """Name of the layer that is looked at when none is asked for."""
    if not hasattr(network, "cam_layer"):
        return last_convolution(network, scans, target=target)
    if network.cam_layer is None:
        raise DataError(
            f"expected a network with a map of features; found {type(network).__name__}, which "
            "says it has none. Use attention or occlusion, or name a layer."
        )
    return str(network.cam_layer)


def _has_place(output: Tensor) -> bool:
    return len(output) == 1 and output[0, 0].numel() > 1


def _score(network: nn.Module, part: Tensor, *, target: Target) -> Tensor:
    """Sum of scores with its graph, though weights be frozen or the network write into `part`."""
    with torch.enable_grad():
        return target.of(network(part.detach().clone().requires_grad_(True).clone())).sum()


def _weighed(network: nn.Module, part: Tensor, *, layer: str, target: Target) -> Tensor:
    """Channels of a layer, weighed and added up, (n, z, y, x) of its cells."""
    seen: list[Any] = []

    def keep(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        seen.append(output)
        # A layer that comes next may write into what it is given.
        return output.clone() if isinstance(output, Tensor) else output

    hook = module_named(network, layer).register_forward_hook(keep)
    try:
        score = _score(network, part, target=target)
    finally:
        hook.remove()
    activations = one_call(seen, layer, patients=len(part))
    flat = volume_shape(part)[0] == 1
    if activations.ndim != 5 and not (flat and activations.ndim == 4):
        raise DataError(
            f"layer {layer!r}: expected maps (patients, channels, cells along each axis); found "
            f"the shape {tuple(activations.shape)}. Name a convolution, or use attention."
        )
    (gradient,) = torch.autograd.grad(score, [activations], allow_unused=True)
    if gradient is None:
        raise DataError(
            f"layer {layer!r}: expected the score to depend on it; found that it does not. Name a "
            "layer before the head."
        )
    cells = tuple(range(2, activations.ndim))
    found = (gradient.mean(dim=cells, keepdim=True) * activations).sum(dim=1).detach()
    return found if found.ndim == 4 else found[:, None]
