"""The two steps by which factors of blocks are learnt from what was observed, and their bound.

Variables of one block that were observed in the same patients form a *group*: they share every
matrix of factors × factors, so the cost grows with variables × factors², and nothing of the size
variables × variables is ever made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from radiogenomics.models.factors.rotation import best_rotation
from radiogenomics.stats.inputs import Floats

LEAST_LOADING = 1e-6


@dataclass(frozen=True, eq=False)
class Observed:
    """Standardised training data, its gaps, and how much each block counts.

    Parameters
    ----------
    values
        Shape (n, p), 0 where missing; the columns of a group stand side by side.
    starts
        First column of each group, shape (groups,).
    group
        Group of each column, shape (p,).
    seen
        1 where a patient has a group, shape (n, groups).
    block
        Number of the block of each group, shape (groups,).
    weight
        What each block's share of the bound is multiplied by, shape (blocks,).
    patterns
        The different rows of ``seen``.
    pattern
        Pattern of each patient, shape (n,).
    """

    values: Floats
    starts: np.ndarray
    group: np.ndarray
    seen: Floats
    block: np.ndarray
    weight: Floats
    patterns: Floats
    pattern: np.ndarray

    def by_group(self, of_columns: Floats) -> Floats:
        """Sum over the columns of each group."""
        return np.add.reduceat(of_columns, self.starts, axis=0)

    def by_block(self, of_groups: Floats) -> Floats:
        """Sum over the groups of each block."""
        total = np.zeros((len(self.weight), *of_groups.shape[1:]))
        np.add.at(total, self.block, of_groups)
        return total

    @property
    def of_column(self) -> np.ndarray:
        """Block of each column."""
        return self.block[self.group]


@dataclass(frozen=True, eq=False)
class Factors:
    """What is believed of the training patients' factors.

    Parameters
    ----------
    mean
        Shape (n, K).
    covariance
        Of each pattern, shape (patterns, K, K).
    """

    mean: Floats
    covariance: Floats


@dataclass(frozen=True, eq=False)
class Loadings:
    """What is believed of the variables.

    Parameters
    ----------
    mean
        Loadings, shape (p, K).
    centre, noise
        Intercept and noise variance, shape (p,).
    precision
        Of the prior of each block's loadings on each factor, shape (blocks, K); zeros: no prior.
    information
        Sum over a group of loadings' second moments, divided by the noise, shape (groups, K, K).
    moments
        Sum over a block of loadings' second moments, shape (blocks, K, K).
    entropy
        Of each block's loadings up to a constant, shape (blocks,); zeros without a prior.
    """

    mean: Floats
    centre: Floats
    noise: Floats
    precision: Floats
    information: Floats
    moments: Floats
    entropy: Floats


def observed(values: Floats, *, block: np.ndarray, weight: Floats) -> tuple[Observed, np.ndarray]:
    """Sort columns into groups; return the data and the column of ``values`` at each place.

    Parameters
    ----------
    values
        Standardised, NaN where missing, shape (n, p).
    block
        Number of the block of each column.
    weight
        Of each block.
    """
    there = ~np.isnan(values)
    keys = np.vstack([block.astype(">u4").view(np.uint8).reshape(-1, 4).T, np.packbits(there, 0)])
    _, first, group = np.unique(keys, axis=1, return_index=True, return_inverse=True)
    order = np.argsort(group, kind="stable")
    sorted_group = group[order]
    seen = there[:, first].astype(float)
    patterns, pattern = np.unique(seen, axis=0, return_inverse=True)
    return (
        Observed(
            values=np.where(there, values, 0.0)[:, order],
            starts=np.searchsorted(sorted_group, np.arange(len(first))),
            group=sorted_group,
            seen=seen,
            block=block[first],
            weight=np.asarray(weight, dtype=float),
            patterns=patterns,
            pattern=pattern.ravel(),
        ),
        order,
    )


def first_factors(data: Observed, n_factors: int) -> Factors:
    """Left singular vectors of the weighted data with gaps at the mean, of unit variance."""
    weighted = data.values * np.sqrt(data.weight)[data.of_column]
    _, vectors = np.linalg.eigh(weighted @ weighted.T)
    mean = vectors[:, ::-1][:, :n_factors] * np.sqrt(len(vectors))
    covariance = np.zeros((len(data.patterns), n_factors, n_factors))
    return Factors(mean, covariance + 1e-3 * np.eye(n_factors))


def loadings_step(
    data: Observed, factors: Factors, *, noise: Floats, precision: Floats, least_noise: float
) -> Loadings:
    """Regress all variables on the factors at once, then update noise and prior.

    In the coordinates V with V'AV = 1 and V'DV = diag(d), A the second moments of the factors of a
    group's patients and D the prior's precision, the ridge regression of each variable is diagonal.
    """
    n_factors = factors.mean.shape[1]
    second = factors.covariance[data.pattern] + _outer(factors.mean)
    moments = np.tensordot(data.seen.T, second, axes=1)
    ridge = precision[data.block]
    basis, shrink = _common_basis(moments, ridge)
    count = data.seen.sum(axis=0)[data.group]
    own = basis[data.group]
    total = (basis.transpose(0, 2, 1) @ (data.seen.T @ factors.mean)[:, :, None])[:, :, 0]
    total = total[data.group]
    cross = np.einsum("jk,jkl->jl", data.values.T @ factors.mean, own)
    sums, squares = data.values.sum(axis=0), np.einsum("ij,ij->j", data.values, data.values)
    kept = 1 / (1 + noise[:, None] * shrink[data.group])
    centre = (sums - (kept * cross * total).sum(axis=1)) / (count - (kept * total**2).sum(axis=1))
    slope = kept * (cross - centre[:, None] * total)
    spread = noise[:, None] * kept if precision.any() else np.zeros_like(kept)
    missed = (
        squares
        - 2 * centre * sums
        + count * centre**2
        - 2 * (slope * (cross - centre[:, None] * total)).sum(axis=1)
        + (slope**2 + spread).sum(axis=1)
    )
    mean = np.einsum("jkl,jl->jk", own, slope)
    new_noise = np.maximum(missed / count, least_noise)
    learnt = Loadings(
        mean,
        centre,
        new_noise,
        precision,
        _summed(data, mean, spread, new_noise, basis),
        _block_moments(data, mean, spread, basis),
        np.zeros(len(data.weight)),
    )
    if not precision.any():
        return learnt
    volume = np.linalg.slogdet(basis)[1]
    entropy = data.by_block(
        data.by_group(np.log(spread).sum(axis=1)) + 2 * volume * np.bincount(data.group)
    ) / 2 + n_factors / 2 * np.bincount(data.of_column)
    return replace(learnt, precision=prior_precision(data, learnt.moments), entropy=entropy)


def prior_precision(data: Observed, moments: Floats) -> Floats:
    """1 / mean squared loading of each block on each factor, at most 1 / LEAST_LOADING."""
    size = np.bincount(data.of_column)[:, None]
    return 1 / (np.diagonal(moments, axis1=1, axis2=2) / size + LEAST_LOADING)


def factors_step(data: Observed, loadings: Loadings) -> tuple[Factors, float]:
    """Exact posterior of each patient's factors given the loadings, and the bound there."""
    n_factors = loadings.mean.shape[1]
    weight = data.weight[data.of_column]
    scaled = loadings.mean * (weight / loadings.noise)[:, None]
    information = loadings.information * data.weight[data.block][:, None, None]
    precision = np.eye(n_factors) + np.tensordot(data.patterns, information, axes=1)
    covariance = np.linalg.inv(precision)
    covariance = (covariance + covariance.transpose(0, 2, 1)) / 2
    pull = data.values @ scaled - data.seen @ data.by_group(scaled * loadings.centre[:, None])
    mean = np.einsum("ik,ikl->il", pull, covariance[data.pattern])
    count = data.seen.sum(axis=0)[data.group]
    spread = (
        np.einsum("ij,ij->j", data.values, data.values)
        - 2 * loadings.centre * data.values.sum(axis=0)
        + count * loadings.centre**2
    )
    bound = (
        (pull * mean).sum()
        - np.linalg.slogdet(precision)[1][data.pattern].sum()
        - (weight * (count * np.log(2 * np.pi * loadings.noise) + spread / loadings.noise)).sum()
    ) / 2
    return Factors(mean, covariance), float(bound + _prior_bound(data, loadings))


def _prior_bound(data: Observed, loadings: Loadings) -> float:
    """Minus the divergence of the loadings from their prior; 0 without one."""
    if not loadings.precision.any():
        return 0.0
    size = np.bincount(data.of_column)[:, None]
    squares = np.diagonal(loadings.moments, axis1=1, axis2=2) + size * LEAST_LOADING
    prior = (size * np.log(loadings.precision) - loadings.precision * squares).sum(axis=1) / 2
    return float(data.weight @ (prior + loadings.entropy))


def turned(data: Observed, factors: Factors, loadings: Loadings) -> tuple[Factors, Floats]:
    """Move, scale and turn the factors to where the bound is highest; factors and precision."""
    has_prior = bool(loadings.precision.any())
    # Loadings that are uncertain make a shift costly to blocks that the mean patient lacks.
    centred = factors.mean if has_prior else factors.mean - factors.mean.mean(axis=0)
    second = factors.covariance[data.pattern].sum(axis=0) + centred.T @ centred
    rotation = best_rotation(
        second,
        loadings.moments if has_prior else loadings.moments[:0],
        n_patients=len(centred),
        sizes=np.bincount(data.of_column),
        weights=data.weight,
        least=LEAST_LOADING,
    )
    back = np.linalg.inv(rotation)
    moved = Factors(centred @ back.T, back @ factors.covariance @ back.T)
    if not has_prior:
        return moved, loadings.precision
    return moved, prior_precision(data, rotation.T @ loadings.moments @ rotation)


def _outer(rows: Floats) -> Floats:
    return rows[:, :, None] * rows[:, None, :]


def _common_basis(moments: Floats, ridge: Floats) -> tuple[Floats, Floats]:
    """V and d of each group, with V'AV = 1 and V'DV = diag(d)."""
    lower = np.linalg.cholesky(moments)
    inverse = np.linalg.inv(lower)
    shrink, vectors = np.linalg.eigh((inverse * ridge[:, None, :]) @ inverse.transpose(0, 2, 1))
    return inverse.transpose(0, 2, 1) @ vectors, np.maximum(shrink, 0.0)


def _summed(data: Observed, mean: Floats, spread: Floats, noise: Floats, basis: Floats) -> Floats:
    """Sum over each group of the loadings' second moments, each divided by the noise."""
    scaled = mean / np.sqrt(noise)[:, None]
    centre = data.by_group(_outer(scaled))
    width = data.by_group(spread / noise[:, None])
    return centre + (basis * width[:, None, :]) @ basis.transpose(0, 2, 1)


def _block_moments(data: Observed, mean: Floats, spread: Floats, basis: Floats) -> Floats:
    """Sum over each block of the loadings' second moments."""
    return data.by_block(_summed(data, mean, spread, np.ones(len(mean)), basis))
