"""Attention rollout: which tokens a Transformer's answer draws on, and where these lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.models.deep.explain.heat import Maps, Scale, check_scale, scaled, to_voxels
from radiogenomics.models.deep.explain.target import at_rest, parts_of, scans_of

Floats = NDArray[np.float64]
Heads = Literal["mean", "max", "min"]
Joined = Literal["mean", "product"]
Shape = tuple[int, int, int]

AXES = MappingProxyType({"axial": 0, "coronal": 1, "sagittal": 2})
"""Plane → axis of (z, y, x) along which its slices lie."""


def attention_rollout(
    weights: Sequence[ArrayLike | Tensor], *, heads: Heads = "mean", residual: float = 0.5
) -> Floats:
    r"""Follow attention through all layers of a Transformer, past its residual connections.

    With :math:`W_l` the attention of layer l over its heads, rows to 1, and r the share of the
    residual connection, :math:`\hat W_l = (1 - r) W_l + r I` and the rollout is
    :math:`\hat W_L \cdots \hat W_1`: row i says how much of each token of the input is in token i
    at the end.

    It sees attention only: neither values, nor the head, nor a sign. A token that lowers the score
    is as hot as one that raises it, and all outputs share one map. Under many layers it gets flat.

    Parameters
    ----------
    weights
        Of each layer, the first layer first: (n, heads, tokens, tokens), row i what token i looks
        at. Not below 0; rows are divided by their sum, which leaves those of a softmax.
    heads
        How heads are joined.
    residual
        Share r of the residual connection; a half in the paper.

    Returns
    -------
    ndarray of shape (n, tokens, tokens)
        Rows add up to 1.

    Raises
    ------
    DataError
        Layers differ in shape, a weight is below 0 or not finite, or a row is empty.
    UnknownNameError
        `heads` is another word.

    References
    ----------
    Abnar and Zuidema, ACL 2020:4190-4197, doi:10.18653/v1/2020.acl-main.385

    Examples
    --------
    >>> one = np.array([[[[0.0, 1.0], [0.5, 0.5]]]])
    >>> attention_rollout([one, one])[0]
    array([[0.375 , 0.625 ],
           [0.3125, 0.6875]])
    """
    if heads not in get_args(Heads):
        raise UnknownNameError("way to join heads", heads, get_args(Heads))
    if not 0 <= residual < 1:
        raise DataError(
            f"residual: expected a share from 0 to below 1; found {residual}. 0.5 is usual."
        )
    layers = _checked(weights)
    own = np.eye(layers[0].shape[-1])
    rolled = np.broadcast_to(own, (len(layers[0]), *own.shape))
    for layer in layers:
        rolled = (
            (1 - residual) * _rows_to_one(getattr(layer, heads)(axis=1)) + residual * own
        ) @ rolled
    return np.asarray(rolled)


def planes_to_voxels(
    relevance: ArrayLike,
    planes: Mapping[str, slice],
    *,
    shape: Shape,
    joined: Joined = "mean",
    scale: Scale = "patient",
) -> Maps:
    """Spread the relevance of tokens that stand for slices of three planes over the voxels.

    A voxel lies in one slice of each plane, and gets the mean of what these have, or the geometric
    mean, which is high only where all of them are. Both are made of three profiles: two hot places
    cannot be told from the other corners of the box between them.

    Parameters
    ----------
    relevance
        (n, tokens), for example ``rollout[:, 0]``, what the class token has of each.
    planes
        ``"axial"``, ``"coronal"`` or ``"sagittal"`` → which tokens are its slices, in the order of
        the voxels, as the ``token_places`` of a network says. Fewer tokens than voxels stand for
        slabs of the same thickness.
    shape
        Voxels (z, y, x).
    joined
        ``"mean"`` or ``"product"``.
    scale
        ``"patient"``: from 0 at the lowest voxel to 1 at the highest; ``"raw"``.

    Raises
    ------
    UnknownNameError
        A plane, `joined` or `scale` is another word.
    DataError
        No plane is given, it has no tokens or more than the axis voxels, or a relevance is below 0.

    Examples
    --------
    >>> planes = {"coronal": slice(1, 3), "sagittal": slice(3, 5)}
    >>> planes_to_voxels([[9, 1, 3, 5, 2]], planes, shape=(1, 2, 2), scale="raw")
    array([[[[3. , 1.5],
             [4. , 2.5]]]], dtype=float32)
    """
    check_scale(scale)
    if joined not in get_args(Joined):
        raise UnknownNameError("way to join planes", joined, get_args(Joined))
    profiles = list(_profiles(_relevance(relevance), planes, shape=shape))
    if not profiles:
        raise DataError("expected tokens of one plane or more; found none. Name their positions.")
    if joined == "mean":
        found = sum(profiles[1:], profiles[0]) / len(profiles)
    else:
        found = np.exp(sum(map(_log, profiles)) / len(profiles))
    whole = np.broadcast_to(found, (len(found), *shape)).astype(np.float32)
    return scaled(whole, scale, from_zero=False)


def patches_to_voxels(
    relevance: ArrayLike,
    *,
    grid: Shape,
    shape: Shape,
    first: int = 0,
    scale: Scale = "patient",
) -> Maps:
    """Spread the relevance of tokens that stand for patches of a volume over its voxels, linearly.

    Parameters
    ----------
    relevance
        (n, tokens).
    grid, shape
        Patches and voxels along (z, y, x); x runs fastest.
    first
        Position of the first patch: 1 behind a class token.
    scale
        As in :func:`planes_to_voxels`.

    Raises
    ------
    DataError
        There are too few tokens, or a relevance is below 0.
    UnknownNameError
        The scale is another word.

    Examples
    --------
    >>> patches_to_voxels([[7, 0, 4]], grid=(1, 1, 2), shape=(1, 1, 4), first=1).ravel()
    array([0.  , 0.25, 0.75, 1.  ], dtype=float32)
    """
    check_scale(scale)
    tokens = _relevance(relevance)
    wanted = int(np.prod(grid))
    if first < 0 or tokens.shape[1] < first + wanted:
        raise DataError(
            f"expected {wanted} patches behind the first {first} tokens; found {tokens.shape[1]} "
            "tokens. Take the grid of the network's patches."
        )
    cells = torch.tensor(tokens[:, first : first + wanted].reshape(-1, *grid))
    found = to_voxels(cells, shape).numpy().astype(np.float32)
    return scaled(found, scale, from_zero=False)


def attention_weights(
    network: nn.Module, x: ArrayLike | Tensor, *, batch: int = 4
) -> list[NDArray[np.float32]]:
    """Attention of each layer of a network, as :func:`attention_rollout` takes it.

    Parameters
    ----------
    network
        One that tells it, by a method ``attention_maps(x)``; read in evaluation mode.
    x
        Scans (n, c, z, y, x) or slices (n, c, y, x).
    batch
        Scans at a time.

    Returns
    -------
    list of ndarray of float32, shape (n, heads, tokens, tokens)
        The first layer first.

    Raises
    ------
    DataError
        The network does not tell its attention.

    Examples
    --------
    >>> class Looking(nn.Module):
    ...     def attention_maps(self, x):
    ...         return (torch.softmax(x, dim=-1),)
    >>> [each.shape for each in attention_weights(Looking(), torch.rand(3, 2, 5, 5))]
    [(3, 2, 5, 5)]
    """
    scans = scans_of(x)
    tell = getattr(network, "attention_maps", None)
    if tell is None:
        raise DataError(
            "expected a network with a method attention_maps; found none in "
            f"{type(network).__name__}. Use Grad-CAM or occlusion."
        )
    with at_rest(network), torch.no_grad():
        parts = [tell(part) for part in parts_of(scans, network, batch=batch)]
    return [torch.cat(layer).cpu().numpy() for layer in zip(*parts, strict=True)]


def _checked(weights: Sequence[ArrayLike | Tensor]) -> list[Floats]:
    layers = [
        np.asarray(w.detach().cpu() if isinstance(w, Tensor) else w, dtype=float) for w in weights
    ]
    sizes = {(each.shape[0], *each.shape[-2:]) if each.ndim == 4 else () for each in layers}
    found = ", ".join(str(each.shape) for each in layers[:3]) or "none"
    size = next(iter(sizes), ())
    if len(sizes) != 1 or len(size) != 3 or size[1] != size[2] or not layers[0].size:
        raise DataError(
            "attention: expected of each layer an array (n, heads, tokens, tokens), patients and "
            f"tokens the same in all; found {found}. Leave layers with other tokens out."
        )
    if any(not np.isfinite(each).all() or (each < 0).any() for each in layers):
        raise DataError(
            "attention: expected finite weights not below 0; found others. Take them behind the "
            "softmax."
        )
    return [_rows_to_one(each) for each in layers]


def _rows_to_one(rows: Floats) -> Floats:
    sums = rows.sum(axis=-1, keepdims=True)
    if (sums == 0).any():
        raise DataError(
            "attention: expected each token to look at some token; found a row of zeros. Leave "
            "masked tokens out, or join heads by their mean."
        )
    return np.asarray(rows / sums)


def _relevance(relevance: ArrayLike) -> Floats:
    tokens = np.asarray(relevance, dtype=float)
    if tokens.ndim != 2 or not tokens.size or not np.isfinite(tokens).all() or (tokens < 0).any():
        raise DataError(
            "expected the relevance of tokens as (patients, tokens), finite and not below 0; found "
            f"the shape {tokens.shape}{', with other values' if tokens.ndim == 2 else ''}. Take "
            "one row of the rollout of each patient."
        )
    return tokens


def _profiles(tokens: Floats, planes: Mapping[str, slice], *, shape: Shape) -> Iterator[Floats]:
    """What each plane says along its axis, (n, z, y, x) with 1 along the others."""
    for plane, places in planes.items():
        if plane not in AXES:
            raise UnknownNameError("plane of slices", plane, AXES)
        length, own = shape[AXES[plane]], tokens[:, places]
        count = own.shape[1]
        if not 1 <= count <= length or count != (places.stop or 0) - (places.start or 0):
            raise DataError(
                f"{plane} slices: expected tokens of 1 to {length} of them, one a voxel at most; "
                f"found {count} tokens at {places} of {tokens.shape[1]}. Take the network's own "
                "places."
            )
        along = [1, 1, 1, 1]
        along[0], along[AXES[plane] + 1] = len(tokens), length
        yield own[:, np.arange(length) * count // length].reshape(along)


def _log(profile: Floats) -> Floats:
    # A slice without relevance leaves none where it lies.
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(profile))
