r"""SIMULATED lesions that show a score: how much of it each trait that radiology can see carries.

Of a score S with variance 1, each trait k of a lesion shows a part, with noise of its own:

.. math::

    z_k = \lambda_k S + \sqrt{1 - \lambda_k^2}\,\varepsilon_k, \qquad
    \frac{\lambda_k^2}{1 - \lambda_k^2} = w_k\,Q, \qquad Q = \frac{r^2}{1 - r^2},
    \qquad \sum_k w_k = 1 .

The best linear reading of all traits, :math:`\sum_k \lambda_k z_k / (1 - \lambda_k^2)`, then has
the correlation r with S, and of those traits M that some phases show it has

.. math::

    r_M = \sqrt{\frac{Q_M}{1 + Q_M}}, \qquad Q_M = Q \sum_{k \in M} w_k .

Satellites are counted: their latent is cut into 0 to 4, which keeps the share :math:`\rho` of its
correlation, and :math:`\lambda` is divided by :math:`\rho`, so that both formulas hold for the
count. Position, shape and enhancement of lesions, liver, spleen, noise and scanner say nothing of
S.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, field, fields

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, ndtri

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.simulate.streams import stream

Floats = NDArray[np.float64]

EVERY_PHASE = ("arterial", "portal", "delayed", "T2")
SEEN_IN = (
    ("rim", ("arterial",)),
    ("heterogeneity", ("arterial", "portal", "T2")),
    ("washout", ("portal", "delayed")),
    ("size", EVERY_PHASE),
    ("irregularity", EVERY_PHASE),
    ("satellites", ("arterial", "T2")),
)
"""Trait and the phases in which it is painted."""
TRAITS = tuple(trait for trait, _ in SEEN_IN)
SATELLITES = TRAITS.index("satellites")
SATELLITE_SHARES = (0.45, 0.25, 0.15, 0.10, 0.05)
NUISANCES = 5
MEAN_GROWTH, GROWTH_SCALE = 0.1, 0.12


@dataclass(frozen=True)
class TraitShares:
    """How much of what lesions say of the score each trait says; the sum is 1.

    Parameters
    ----------
    rim
        Height of the enhancing rim; arterial.
    heterogeneity
        SD of the texture; arterial, portal, T2.
    washout
        How much darker than the liver; portal, delayed.
    size, irregularity
        Diameter, and depth of the bumps of its margin; every phase.
    satellites
        Number of small nodules beside it; arterial, T2.
    """

    rim: float = 0.25
    heterogeneity: float = 0.2
    washout: float = 0.25
    size: float = 0.1
    irregularity: float = 0.1
    satellites: float = 0.1


@dataclass(frozen=True)
class PlantedDesign:
    """How strongly lesions show the score.

    Parameters
    ----------
    correlation
        r: of the best linear reading of all traits with the score.
    shares
        w: of each trait.
    effect
        False: lesions are drawn as if there were no score.

    Raises
    ------
    DataError
        The correlation is not between 0 and 1, shares are negative or do not sum to 1, or a count
        of satellites cannot say as much as it should.

    Examples
    --------
    >>> design = PlantedDesign()
    >>> round(design.visible(("arterial", "portal", "delayed")), 3)
    0.9
    >>> round(design.visible(("delayed",)), 3)
    0.811
    """

    correlation: float = 0.9
    shares: TraitShares = field(default_factory=TraitShares)
    effect: bool = True

    def __post_init__(self) -> None:
        """Refuse what no lesion could show."""
        shares = astuple(self.shares)
        if not 0 < self.correlation < 1:
            raise DataError(
                f"planted score: expected a correlation between 0 and 1; found {self.correlation}. "
                "Choose another one, or take the effect out."
            )
        if min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
            raise DataError(
                f"planted score: expected shares from 0 that sum to 1; found {shares}. "
                "Correct them."
            )
        if self._loadings()[SATELLITES] >= 1:
            raise DataError(
                "planted score: expected a share that a count of satellites can carry; found "
                f"{self.shares.satellites:g} at a correlation of {self.correlation:g}. Lower one."
            )

    def loadings(self) -> Floats:
        """λ of the latent of each of ``TRAITS``; zeros without effect."""
        return self._loadings() if self.effect else np.zeros(len(TRAITS))

    def visible(self, phases: Iterable[str]) -> float:
        """Correlation with the score of what some phases show; 0 without effect.

        Raises
        ------
        UnknownNameError
            A phase is none of arterial, portal, delayed and T2.
        """
        chosen = set(phases)
        for phase in sorted(chosen - set(EVERY_PHASE)):
            raise UnknownNameError("phase of the simulation", phase, EVERY_PHASE)
        signal = float(self._signals()[_seen(chosen)].sum())
        return float(np.sqrt(signal / (1 + signal))) if self.effect else 0.0

    def reading(self, traits: ArrayLike, phases: Iterable[str] = EVERY_PHASE) -> Floats:
        """The best linear reading of standardised traits (n, 6) in some phases, mean 0 and SD 1.

        It is what a perfect eye gets from the scans; without effect, from noise (and its SD is
        smaller). Zeros where the phases show nothing.
        """
        signals = self._signals() * _seen(set(phases))
        total = max(float(signals.sum()), float(np.finfo(float).tiny))
        # Σ λ z / (1 − λ²) has the variance Q² + Q.
        weights = np.sqrt(signals * (1 + signals)) / np.sqrt(total * (1 + total))
        found: Floats = np.asarray(traits, dtype=float) @ weights
        return found

    def _signals(self) -> Floats:
        """w Q of each trait, as it is seen."""
        whole = self.correlation**2 / (1 - self.correlation**2)
        return whole * np.array(astuple(self.shares))

    def _loadings(self) -> Floats:
        signals = self._signals()
        found: Floats = np.sqrt(signals / (1 + signals))
        found[SATELLITES] /= _count_correlation()
        return found


@dataclass(frozen=True)
class PlantedLook:
    """What a patient's lesions look like; HU of CT, mm.

    Parameters
    ----------
    rim_hu, heterogeneity_hu, washout_hu, diameter_mm, irregularity, satellites
        The six traits; irregularity is the SD of the log radius over directions.
    enhancement_hu, texture_mm, core_fraction, liver_hu
        Nuisance: arterial lesion minus liver, correlation length of the texture, necrotic share of
        the volume, and how much brighter than usual the liver is.
    growth
        Log of the diameter at follow-up over the present one; lies with heterogeneity and
        irregularity, and is seen in no scan.
    """

    rim_hu: float
    heterogeneity_hu: float
    washout_hu: float
    diameter_mm: float
    irregularity: float
    satellites: int
    enhancement_hu: float
    texture_mm: float
    core_fraction: float
    liver_hu: float
    growth: float


LOOK_COLUMNS = tuple(column.name for column in fields(PlantedLook))


@dataclass(frozen=True, eq=False)
class PlantedTraits:
    """Traits of many patients.

    Parameters
    ----------
    latents
        Patients × ``TRAITS``, standardised; satellites as a standardised count.
    looks
        Patients × fields of :class:`PlantedLook`.
    """

    latents: pd.DataFrame
    looks: pd.DataFrame


def planted_traits(
    scores: ArrayLike, patients: Sequence[str | int], *, seed: int, design: PlantedDesign
) -> PlantedTraits:
    """Draw the traits of patients with the given scores.

    A patient's noise belongs to ``seed`` and the patient, so traits do not depend on who else is
    asked for, and without effect not on the scores.

    Parameters
    ----------
    scores
        (n,): the score to be planted, SD 1 (within a class, where classes differ in it).
    patients
        Who they are.
    seed
        Of the cohort.
    design
        How strongly lesions show the score.

    Raises
    ------
    DataError
        Scores are not finite, or not as many as patients.
    """
    planted = np.asarray(scores, dtype=float).reshape(-1)
    if len(planted) != len(patients) or not np.isfinite(planted).all():
        raise DataError(
            f"planted score: expected a finite score for each of {len(patients)} patients; found "
            f"{len(planted)}, {int((~np.isfinite(planted)).sum())} of them not finite. "
            "Give each patient a number."
        )
    width = len(TRAITS) + NUISANCES
    noise = np.array(
        [stream(seed, "planted look", name).standard_normal(width) for name in patients]
    ).reshape(-1, width)
    loading = design.loadings()
    latent = loading * planted[:, None] + np.sqrt(1 - loading**2) * noise[:, : len(TRAITS)]
    count = np.searchsorted(_cuts(), latent[:, SATELLITES])
    looks = _looks(latent, count, noise[:, len(TRAITS) :])
    mean, spread = _count_moments()
    latent[:, SATELLITES] = (count - mean) / spread
    index = pd.Index(patients, name="patient_id")
    return PlantedTraits(
        pd.DataFrame(latent, index, columns=list(TRAITS)), looks.set_axis(index, axis=0)
    )


def looks_of(table: pd.DataFrame) -> list[PlantedLook]:
    """One :class:`PlantedLook` for each row."""
    columns = [table[name].tolist() for name in LOOK_COLUMNS]
    return [PlantedLook(*row) for row in zip(*columns, strict=True)]


def _seen(phases: set[str]) -> NDArray[np.bool_]:
    """Traits that at least one phase shows."""
    return np.array([bool(phases & set(shown)) for _, shown in SEEN_IN])


def _looks(latent: Floats, count: NDArray[np.intp], other: Floats) -> pd.DataFrame:
    """Traits in HU and mm; columns in the order of :class:`PlantedLook`."""
    rim, texture, washout, size, irregularity, _ = latent.T
    enhancement, length, core, liver, growth = other.T
    faster = 0.55 * texture + 0.55 * irregularity + 0.63 * growth
    columns = (
        np.exp(np.log(22.0) + 0.45 * rim),
        np.exp(np.log(15.0) + 0.4 * texture),
        32.0 + 11.0 * washout,
        np.exp(np.log(56.0) + 0.26 * size),
        np.exp(np.log(0.13) + 0.4 * irregularity),
        count,
        32.0 + 6.0 * enhancement,
        np.exp(np.log(7.0) + 0.12 * length),
        expit(-4.0 + 0.8 * core),
        6.0 * liver,
        MEAN_GROWTH + GROWTH_SCALE * faster,
    )
    return pd.DataFrame(dict(zip(LOOK_COLUMNS, columns, strict=True)))


def _cuts() -> Floats:
    found: Floats = ndtri(np.cumsum(SATELLITE_SHARES)[:-1])
    return found


def _count_moments() -> tuple[float, float]:
    counts, shares = np.arange(len(SATELLITE_SHARES)), np.array(SATELLITE_SHARES)
    mean = float(counts @ shares)
    return mean, float(np.sqrt(counts**2 @ shares - mean**2))


def _count_correlation() -> float:
    """Correlation of the count with the standard normal that it is cut from."""
    density = np.exp(-(_cuts() ** 2) / 2) / np.sqrt(2 * np.pi)
    return float(density.sum() / _count_moments()[1])
