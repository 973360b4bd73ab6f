"""Do heat maps depend on what the network has learnt? Its weights are drawn anew to see.

A map that looks the same under random weights explains the scan, not the network: an edge detector
would do as well. Layers are randomised in two ways, by Adebayo et al., NeurIPS 2018
(arXiv:1810.03292), by :func:`~radiogenomics.models.deep.explain.random_weights.randomise`:

* *cascading*: from the output to the input, each layer together with all behind it;
* *independent*: one layer, all others as they were trained.

The rule of the verdict: with all layers randomised, the mean of Spearman's correlation with the map
of the trained network is at most the stated limit (0.5), over patients and repeats. It is needed,
not enough: a map of noise passes too, and maps that pass may point to the wrong place.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import uniform_filter
from torch import Tensor, nn

from radiogenomics.core.errors import DataError, GeometryError, RadiogenomicsWarning
from radiogenomics.core.log import progress
from radiogenomics.models.deep.explain.random_weights import layers_from_output, randomise
from radiogenomics.models.deep.explain.target import Target, parts_of, scans_of
from radiogenomics.stats.ranks import spearman

Floats = NDArray[np.float64]
MapOf = Callable[[nn.Module, Tensor], ArrayLike]
"""Network and scans to heat maps (n, z, y, x)."""

LIMIT = 0.5
SCHEMES = ("cascading", "independent")
SAME = 0.999
"""Mean correlation from which a layer, randomised alone, is said to leave the map as it was. Not
lower: a head drawn anew can have the old one's direction by chance."""
WINDOW, STABLE = 7, (0.01, 0.03)
"""Voxels of a window, and what keeps its ratios finite, as in the paper of the index."""


@dataclass(frozen=True, eq=False)
class SanityCheck:
    """What became of heat maps under random weights.

    Parameters
    ----------
    table
        ``scheme, step, layer, weights`` (entries drawn anew), ``rho, rho_abs, similarity`` (means
        over patients and repeats of Spearman's correlation, of its size, and of
        :func:`structural_similarity` with the map of the trained network), ``flat`` (maps without
        contrast, counted as rho 0) and ``maps`` (patients times repeats).
    rho
        The last of the cascade: all layers randomised.
    limit
        Up to which `rho` says that maps depend on the weights.
    """

    table: pd.DataFrame
    rho: float
    limit: float

    @property
    def depends(self) -> bool:
        """Whether the maps depend on the weights, by the rule."""
        return self.rho <= self.limit

    @property
    def verdict(self) -> str:
        """The verdict with its rule, in words."""
        return (
            f"{'depends' if self.depends else 'does not depend'} on the weights: with all layers "
            f"randomised, maps correlate with those of the trained network by {self.rho:.2f} "
            f"(Spearman; the rule is at most {self.limit:g})"
        )

    @property
    def unmoved(self) -> tuple[str, ...]:
        """Layers that the map does not depend on: randomised alone, they leave it as it was."""
        alone = self.table[self.table["scheme"] == "independent"]
        return tuple(alone.loc[alone["rho"] >= SAME, "layer"])


class _Trained(NamedTuple):
    network: nn.Module
    scans: Tensor
    maps: Floats
    seed: int


def sanity_check(
    network: nn.Module,
    x: ArrayLike | Tensor,
    map_of: MapOf,
    *,
    rng: np.random.Generator,
    target: Target | None = None,
    layers: Sequence[str] | None = None,
    repeats: int = 3,
    limit: float = LIMIT,
) -> SanityCheck:
    """Randomise the layers of a network and see whether its heat maps change.

    What is done, and the rule of the verdict, stand at the head of this module.

    Parameters
    ----------
    network, x
        Trained, and left as it is; scans (n, c, z, y, x) or slices of several patients.
    map_of
        For example ``lambda network, x: grad_cam(network, x, layer="features")``.
    rng, target
        Draws the weights; the score, needed where there are several heads. Layers that it does not
        depend on (a decoder) are left out.
    layers
        Names of parts (``named_modules``) that are each randomised as one, for deep networks; else
        each layer with weights of its own.
    repeats, limit
        Draws of each row of the table (two such rows a layer); of the rule.

    Raises
    ------
    UnknownNameError, DataError
        There is no such layer or head; maps differ between two calls, or have no contrast.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(32, 1))
    >>> scans = torch.rand(4, 1, 6, 6)
    >>> edges = lambda network, x: x[:, 0, None].diff(dim=-1).abs()
    >>> found = sanity_check(network, scans, edges, rng=np.random.default_rng(0))
    >>> found.depends, found.unmoved
    (False, ('2', '0'))
    """
    if repeats < 1 or not 0 < limit < 1:
        raise DataError(
            f"sanity check: expected 1 repeat or more and a limit between 0 and 1; found {repeats} "
            f"and {limit}. 3 and {LIMIT} will do."
        )
    scans = scans_of(x)
    (one,) = parts_of(scans[:1], network, batch=1)
    found = layers_from_output(network, one, target=target or Target(), names=layers)
    trained = _trained(network, scans, map_of, seed=int(rng.integers(2**31)))
    rows = [
        {"scheme": scheme, "step": step, "layer": layer}
        | _row(trained, map_of, names=names, repeats=repeats)
        for scheme, step, layer, names in progress(list(_tasks(found)), "sanity check")
    ]
    table = pd.DataFrame(rows)
    return SanityCheck(table, float(table["rho"].iloc[len(found) - 1]), limit)


def structural_similarity(first: ArrayLike, second: ArrayLike) -> float:
    r"""Mean structural similarity of two maps with values from 0 to 1.

    In each window of 7 voxels along every axis (less where the map is smaller), with means
    :math:`\mu`, variances :math:`\sigma^2` and covariance :math:`\sigma_{ab}`:
    :math:`\frac{(2\mu_a\mu_b + c_1)(2\sigma_{ab} + c_2)}
    {(\mu_a^2 + \mu_b^2 + c_1)(\sigma_a^2 + \sigma_b^2 + c_2)}` with :math:`c_1 = 0.01^2` and
    :math:`c_2 = 0.03^2`; the mean over windows that lie within the map.

    Parameters
    ----------
    first, second
        Same shape, two axes or more.

    Returns
    -------
    float
        1 for the same map.

    Raises
    ------
    GeometryError
        Shapes differ, or there are no two voxels.

    References
    ----------
    Wang et al., IEEE Trans Image Process 2004;13:600-612, doi:10.1109/TIP.2003.819861

    Examples
    --------
    >>> stripes = np.tile([0.0, 1.0], (8, 4))
    >>> structural_similarity(stripes, stripes), structural_similarity(stripes, 1 - stripes)
    (1.0, -0.96)
    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if a.shape != b.shape or a.size < 2:
        raise GeometryError(
            f"expected two maps of one shape, two voxels or more; found {a.shape} and {b.shape}. "
            "Compare maps of the same scan."
        )
    width = [min(WINDOW, length - 1 + length % 2) for length in a.shape]
    whole = tuple(slice(w // 2, length - w // 2) for w, length in zip(width, a.shape, strict=True))
    count = int(np.prod(width))
    mean_a, mean_b, aa, bb, ab = (
        uniform_filter(field, size=width)[whole] for field in (a, b, a * a, b * b, a * b)
    )
    # Windows are samples; of one voxel there is no variance.
    sample = count / max(count - 1, 1)
    c1, c2 = (constant**2 for constant in STABLE)
    covariance = sample * (ab - mean_a * mean_b)
    variances = sample * (aa - mean_a**2 + bb - mean_b**2)
    alike = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return float((alike / ((mean_a**2 + mean_b**2 + c1) * (variances + c2))).mean())


def _trained(network: nn.Module, scans: Tensor, map_of: MapOf, *, seed: int) -> _Trained:
    """Maps of the trained network that have contrast, with their scans."""
    with warnings.catch_warnings():
        # Maps without contrast are told of below.
        warnings.simplefilter("ignore", RadiogenomicsWarning)
        maps, again = (_maps(network, scans, map_of) for _ in range(2))
    if not np.allclose(maps, again, rtol=1e-4, atol=1e-6 * float(np.abs(maps).max())):
        raise DataError(
            "sanity check: expected the same maps of the same weights; found that two calls "
            "differ. Fix the seed within map_of."
        )
    flat = _is_flat(maps)
    if flat.all():
        raise DataError(
            "sanity check: expected maps with contrast; found none in any patient. Choose another "
            "layer or other patients."
        )
    if flat.any():
        warnings.warn(
            f"sanity check: the maps of {int(flat.sum())} of {len(flat)} patients have no contrast "
            "under the trained weights. They are left out.",
            RadiogenomicsWarning,
            stacklevel=3,
        )
    return _Trained(network, scans[torch.tensor(~flat)], maps[~flat], seed)


def _maps(network: nn.Module, scans: Tensor, map_of: MapOf) -> Floats:
    given: Any = map_of(network, scans.clone())
    maps = np.asarray(given.detach().cpu() if isinstance(given, Tensor) else given, dtype=float)
    if maps.ndim != 4 or len(maps) != len(scans) or not np.isfinite(maps).all():
        raise GeometryError(
            f"sanity check: expected finite maps (n, z, y, x) of {len(scans)} scans; found the "
            f"shape {maps.shape}. Let map_of give one map a patient."
        )
    return maps


def _is_flat(maps: Floats) -> NDArray[np.bool_]:
    return np.asarray(np.ptp(maps.reshape(len(maps), -1), axis=1) == 0)


def _tasks(found: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, int, str, list[str]]]:
    """Scheme, step, layer and the modules that are drawn anew, for each row of the table."""
    for scheme in SCHEMES:
        drawn: list[str] = []
        for step, (layer, parts) in enumerate(found.items(), start=1):
            drawn = [*drawn, *parts] if scheme == SCHEMES[0] else list(parts)
            yield scheme, step, layer, drawn


def _row(trained: _Trained, map_of: MapOf, *, names: list[str], repeats: int) -> dict[str, float]:
    """Likeness of maps with some layers drawn anew."""
    rho, alike, flat, weights = [], [], 0, 0
    for repeat in range(repeats):
        copy = deepcopy(trained.network)
        weights = randomise(copy, names, seed=trained.seed + repeat)
        with warnings.catch_warnings():
            # Maps without contrast are counted.
            warnings.simplefilter("ignore", RadiogenomicsWarning)
            maps = _maps(copy, trained.scans, map_of)
        n = len(maps)
        flat += int(_is_flat(maps).sum())
        rho.append(
            np.nan_to_num(spearman(trained.maps.reshape(n, -1).T, maps.reshape(n, -1).T).rho)
        )
        pairs = zip(map(_to_one, trained.maps), map(_to_one, maps), strict=True)
        alike += [structural_similarity(a, b) for a, b in pairs]
    together = np.concatenate(rho)
    return {
        "weights": weights,
        "rho": float(together.mean()),
        "rho_abs": float(np.abs(together).mean()),
        "similarity": float(np.mean(alike)),
        "flat": flat,
        "maps": len(together),
    }


def _to_one(values: Floats) -> Floats:
    height = float(np.ptp(values))
    return (values - values.min()) / height if height else np.zeros_like(values)
