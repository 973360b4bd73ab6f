r"""Image features of a simulated study: which carry a block's score, and what the others do.

The score :math:`t_b` of a block (see :mod:`study_truth`) rests on a few informative features,

.. math::

    x = a\,u + \mathrm{diag}\left(\sqrt{1 - a^2}\right)\varepsilon, \qquad
    \Sigma = aa' + D, \qquad t_b = \frac{a'\Sigma^{-1}x}{r}, \qquad
    r^2 = a'\Sigma^{-1}a = \frac{q}{1 + q}, \quad q = a'D^{-1}a.

So that the noise of the features is accounted for, x is drawn given its score:
:math:`x = x_0 + (a/r)(t_b - t_b(x_0))` with :math:`x_0 \sim N(0, \Sigma)`. Then
:math:`x \mid t_b` does not depend on the class, and the separation of x is that of :math:`t_b`
exactly. The other features stand in groups that share a latent (correlation 0.7); the latents of
the first groups are informative features, which adds nothing to what these say. A block that
repeats another is :math:`x' = c\,x + \sqrt{1 - c^2}\,f` with fresh f, which has informative
features of its own, in other places: c is 0.8, and 0.5 for these. Given the earlier block it is f
alone, so its share is new.

What is seen is a monotone function of all that: exponential for a quarter of the other features,
in a unit of its own, shifted by the site (informative features are not, so that the true model
need not know the site). In blocks of 20 features or more one or two are constant and 0.5 % of the
values are missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.simulate.streams import WORLD, stream
from radiogenomics.simulate.study_design import StudyDesign

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

LOADINGS = (0.8, 0.6)
GROUP, WITHIN_GROUP = 10, 0.7
AGAIN, AGAIN_INFORMATIVE = 0.8, 0.5
HEAVY_TAILED, TAIL = 0.25, 0.8
SITE_SD = 0.3
MISSING = 0.005
STABLE, UNSTABLE, UNSTABLE_SHARE = 0.92, 0.5, 0.2
UNITS = (-2.0, 3.0)
SMALL_BLOCK = 20


@dataclass(frozen=True, eq=False)
class _Look:
    """What is fixed of the features of one kind of scan, at all its time points alike."""

    group: Places
    exponential: NDArray[np.bool_]
    constant: NDArray[np.bool_]
    unit: Floats
    zero: Floats
    agreement: Floats


@dataclass(frozen=True, eq=False)
class BlockWorld:
    """What is fixed of one block; parts of a study share it.

    Parameters
    ----------
    name, variables, repeats
        As in the design.
    informative, sign, loading
        Places of the features that carry the score, their signs and a.
    echoed
        Groups whose latents are informative features, one each, in order.
    look
        What the features' values look like.
    """

    name: str
    variables: tuple[str, ...]
    repeats: str | None
    informative: Places
    sign: Floats
    loading: Floats
    echoed: Places
    look: _Look

    def fresh(self, score: Floats, rng: np.random.Generator) -> Floats:
        """Patients × features that say nothing but the block's score, in SD."""
        values = rng.standard_normal((len(score), len(self.variables)))
        carriers = carriers_of(score, self.loading, rng)
        groups = int(self.look.group.max(initial=-1)) + 1
        latent = rng.standard_normal((len(score), groups))
        latent[:, self.echoed] = carriers[:, : len(self.echoed)]
        member = np.flatnonzero(self.look.group >= 0)
        values[:, member] *= np.sqrt(1 - WITHIN_GROUP)
        values[:, member] += np.sqrt(WITHIN_GROUP) * latent[:, self.look.group[member]]
        values[:, self.informative] = carriers * self.sign
        return values

    def again(self, before: Floats, fresh: Floats) -> Floats:
        """The next time point of a block."""
        kept = np.full(len(self.variables), AGAIN)
        kept[self.informative] = AGAIN_INFORMATIVE
        return before * kept + fresh * np.sqrt(1 - kept**2)

    def seen(self, values: Floats, sites: NDArray[Any], rng: np.random.Generator) -> pd.DataFrame:
        """Values as an extraction would give them."""
        look = self.look
        shown = values + _site_shifts(look, sites, self.variables)
        shown[:, look.exponential] = np.exp(TAIL * shown[:, look.exponential])
        shown[:, look.constant] = 0.0
        shown = (shown + look.zero) * look.unit
        # A block of a few variables would lose patients altogether.
        if len(self.variables) >= SMALL_BLOCK:
            shown[(rng.uniform(size=shown.shape) < MISSING) & ~look.constant] = np.nan
        return pd.DataFrame(shown.astype(np.float32), columns=list(self.variables))

    def read_again(self, values: Floats, rng: np.random.Generator) -> Floats:
        """A second reading of the same scans; intraclass correlation by the feature's agreement."""
        spread = np.sqrt(2 * (1 / self.look.agreement - 1))
        return values + spread * rng.standard_normal(values.shape)


def image_worlds(design: StudyDesign, seed: int) -> dict[str, BlockWorld]:
    """Fix what the parts of a study share, block by block in the design's order."""
    worlds: dict[str, BlockWorld] = {}
    looks: dict[str, _Look] = {}
    for name, block in design.images.items():
        chain = design.chain(name)
        rng = stream(seed, "look", chain[0])
        size = len(block.variables)
        places = rng.permutation(size)
        constants = 0 if size < SMALL_BLOCK else 1 if size < 25 * SMALL_BLOCK else 2
        each = max(1, min(design.informative, (size - constants) // (2 * len(chain))))
        if chain[0] not in looks:
            others = places[each * len(chain) : size - constants]
            looks[chain[0]] = _look(size, others, places[size - constants :], rng)
        look, number = looks[chain[0]], chain.index(name)
        own = stream(seed, "signs", name)
        groups = int(look.group.max(initial=-1)) + 1
        echoes = min(each, groups // (4 * len(chain)))
        worlds[name] = BlockWorld(
            name=name,
            variables=block.variables,
            repeats=block.repeats,
            informative=places[number * each : (number + 1) * each],
            sign=own.choice((-1.0, 1.0), each),
            loading=np.linspace(*LOADINGS, each),
            echoed=np.arange(number * echoes, (number + 1) * echoes),
            look=look,
        )
    return worlds


def carriers_of(score: Floats, loading: Floats, rng: np.random.Generator) -> Floats:
    """Informative features given their score: patients × features with variance 1 in a class."""
    n, k = len(score), len(loading)
    noise = 1 - loading**2
    free = np.outer(rng.standard_normal(n), loading)
    free += np.sqrt(noise) * rng.standard_normal((n, k))
    return free + np.outer(score - _score(free, loading), loading / reach(loading))


def reach(loading: Floats) -> float:
    """Correlation r of a block's score with the signal that its features load on."""
    q = float((loading**2 / (1 - loading**2)).sum())
    return float(np.sqrt(q / (1 + q)))


def _score(values: Floats, loading: Floats) -> Floats:
    """a'Σ⁻¹x / r, by Σ⁻¹a = D⁻¹a / (1 + q)."""
    weight = loading / (1 - loading**2)
    found: Floats = values @ weight / (1 + weight @ loading) / reach(loading)
    return found


def block_scores(
    worlds: Mapping[str, BlockWorld], values: Mapping[str, Floats]
) -> dict[str, Floats]:
    """Scores from the features alone, in SD before they are shown: what the true model computes."""
    found = {}
    for name, world in worlds.items():
        own = values[name][:, world.informative]
        if world.repeats is not None:
            before = values[world.repeats][:, world.informative]
            own = (own - AGAIN_INFORMATIVE * before) / np.sqrt(1 - AGAIN_INFORMATIVE**2)
        found[name] = _score(own * world.sign, world.loading)
    return found


def _look(size: int, others: Places, constants: Places, rng: np.random.Generator) -> _Look:
    group = np.full(size, -1)
    group[others] = np.arange(len(others)) // GROUP
    exponential, constant = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    exponential[others] = rng.uniform(size=len(others)) < HEAVY_TAILED
    constant[constants] = True
    agreement = np.full(size, STABLE)
    agreement[others[rng.uniform(size=len(others)) < UNSTABLE_SHARE]] = UNSTABLE
    unit = 10.0 ** rng.uniform(*UNITS, size)
    return _Look(group, exponential, constant, unit, rng.uniform(-3.0, 3.0, size), agreement)


def _site_shifts(look: _Look, sites: NDArray[Any], variables: tuple[str, ...]) -> Floats:
    """Shift of each patient's features by where the scan was made; a site is the same anywhere."""
    shifted = look.group >= 0
    found = np.zeros((len(sites), len(variables)))
    for site in dict.fromkeys(sites):
        drawn = stream(WORLD, "features", site, len(variables)).standard_normal(len(variables))
        found[sites == site] = SITE_SD * drawn * shifted
    return found
