"""Best subsets of one, two and three candidates by partial likelihood, over several cohorts.

A subset is judged by the maximum of the log partial likelihood of its Cox model, in which all
cohorts share the coefficients and each has a baseline hazard of its own. What is exact:

- one candidate: all models are fitted;
- two: every pair is looked at, and none is dropped but by proof (`subset_newton`) that its
  likelihood is below those kept, so that the list is the list of an exhaustive search;
- three: the same over every triple of up to `exhaustive` candidates. Of more candidates, every
  triple that holds one of the `beam` best pairs, and no other: a triple none of whose pairs is
  among them is missed.

Candidates that do not vary, or have no finite maximum alone, are left out with a warning. Subsets
without a finite maximum are counted and not ranked; those in which one candidate repeats the others
(all but a hundred-millionth of its information) are no subsets.

The best of millions of models fits by chance: of 2,000 candidates that mean nothing, the best pair
gains some 13 in log-likelihood. Judge it in patients that the search has not seen.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.stats.inputs import Floats
from radiogenomics.stats.survival.cox import CoxBatch
from radiogenomics.stats.survival.subset_extension import Singles, Work, extend, fit_singles
from radiogenomics.stats.survival.subset_field import Candidates, check_candidates


@dataclass(frozen=True)
class SubsetLevel:
    """The best subsets of one size.

    Attributes
    ----------
    subsets : ndarray of int, shape (kept, size)
        Positions of candidates, rising in each row; the best subset first.
    log_likelihood : ndarray of shape (kept,)
    coef, se : ndarray of shape (kept, size)
        Log hazard ratios per unit and their standard errors.
    looked_at : int
        Subsets whose likelihood was computed or bounded.
    fitted : int
        Of these, the ones that no bound could drop before a model was evaluated.
    without_maximum : int
        Subsets whose likelihood rises for ever; they are not ranked.
    exhaustive : bool
        Whether all subsets of this size were looked at.
    """

    subsets: NDArray[np.intp]
    log_likelihood: Floats
    coef: Floats
    se: Floats
    looked_at: int
    fitted: int
    without_maximum: int
    exhaustive: bool

    @property
    def size(self) -> int:
        """Candidates a subset."""
        return self.subsets.shape[1]


@dataclass(frozen=True)
class BestSubsets:
    """What `best_subsets` found.

    Attributes
    ----------
    levels : tuple of SubsetLevel
        Size 1 first.
    null_log_likelihood : float
        Without candidates.
    n, events : int
    """

    levels: tuple[SubsetLevel, ...]
    null_log_likelihood: float
    n: int
    events: int


def best_subsets(
    values: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    max_size: int = 3,
    keep: int = 50,
    beam: int = 1000,
    exhaustive: int = 200,
    ties: str = "efron",
) -> BestSubsets:
    """Search the subsets of one to three candidates with the highest partial likelihood.

    What is exact, and when it misleads: top of this module. Coefficients are shared by the strata,
    so that a candidate must be in the same units in all of them.

    Parameters
    ----------
    values : array-like of shape (n, candidates)
        Finite; logarithmic for expression.
    time, event : array-like of shape (n,)
        Follow-up in months; 1 where the event was seen, 0 where censored.
    strata : array-like of shape (n,), optional
        Cohort of each patient; patients are compared within cohorts only.
    max_size, keep : int
        1, 2 or 3; subsets of each size that are returned.
    beam, exhaustive : int
        Best pairs that are extended to triples; up to `exhaustive` candidates all pairs are.
    ties : {"efron", "breslow"}

    Raises
    ------
    OutcomeError, DataError
        If the outcome cannot be analysed, values are missing or a number is senseless.

    References
    ----------
    Furnival & Wilson, Technometrics 1974;16:499, for subsets by bounds; Bach 2010,
    doi:10.1214/09-EJS521, for the bound.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> genes = rng.normal(size=(200, 30))
    >>> time = rng.exponential(np.exp(-genes[:, 3] - genes[:, 7]))
    >>> best_subsets(genes, time, np.ones(200), max_size=2).levels[1].subsets[0].tolist()
    [3, 7]
    """
    given = check_candidates(values, time, event, strata=strata, ties=ties)
    _check_numbers(given, max_size=max_size, keep=keep, beam=beam, exhaustive=exhaustive)
    singles = fit_singles(given)
    _report_left_out(singles, max_size)
    all_triples = singles.order.size <= exhaustive
    pairs = singles.order.size**2 if all_triples else max(keep, beam)
    wanted = (keep, pairs, keep) if max_size == 3 else (keep,) * max_size
    levels = _levels(given, singles, wanted, keep=keep, all_triples=all_triples)
    return BestSubsets(levels, singles.null_log_likelihood, given.time.size, int(given.event.sum()))


def _levels(
    given: Candidates,
    singles: Singles,
    wanted: tuple[int, ...],
    *,
    keep: int,
    all_triples: bool,
) -> tuple[SubsetLevel, ...]:
    """Search each size from the best of the last."""
    best, work = singles.anchors, Work(singles.order.size, singles.order.size, 0)
    levels = []
    for size, number in enumerate(wanted, start=1):
        if size > 1:
            best, work = extend(singles.field, best, number)
        subsets = np.sort(singles.order[best.subsets[:keep]], axis=1)
        exhaustive = size < 3 or all_triples
        levels.append(_level(subsets, given.fit(subsets), work, exhaustive=exhaustive))
    return tuple(levels)


def _level(
    subsets: NDArray[np.intp], fit: CoxBatch, work: Work, *, exhaustive: bool
) -> SubsetLevel:
    # The last digit of a likelihood may fall otherwise than in the search.
    order = np.argsort(-fit.log_likelihood, kind="stable")
    return SubsetLevel(
        subsets=subsets[order],
        log_likelihood=fit.log_likelihood[order],
        coef=fit.coef[order],
        se=fit.se[order],
        looked_at=work.looked_at,
        fitted=work.fitted,
        without_maximum=work.endless,
        exhaustive=exhaustive,
    )


def _check_numbers(
    given: Candidates, *, max_size: int, keep: int, beam: int, exhaustive: int
) -> None:
    candidates = given.values.shape[1]
    if max_size not in (1, 2, 3):
        raise DataError(
            f"expected subsets of at most 1, 2 or 3 candidates; found {max_size!r}. Larger ones "
            "are too many to search: use a penalised or stepwise Cox model."
        )
    if candidates < max_size:
        raise DataError(
            f"expected at least {max_size} candidates for subsets of that size; found "
            f"{candidates}. Offer more or lower max_size."
        )
    if min(keep, beam) < 1 or exhaustive < 0:
        raise DataError(
            "expected keep and beam of at least 1 and exhaustive of at least 0; found "
            f"{keep}, {beam} and {exhaustive}. Correct them."
        )


def _report_left_out(singles: Singles, max_size: int) -> None:
    left_out, usable = singles.left_out, singles.order.size
    if usable < max_size:
        raise DataError(
            f"expected at least {max_size} candidates with a Cox model of their own; found "
            f"{usable}: the others do not vary or order the events without error. Offer others."
        )
    if left_out.size:
        warnings.warn(
            f"{left_out.size} of {left_out.size + usable} candidates were left out of the subset "
            f"search (the first at position {left_out[0]}): expected candidates with a finite "
            "maximum of their own likelihood; these do not vary, or order the events without "
            "error. Filter them beforehand to say which.",
            RadiogenomicsWarning,
            stacklevel=3,
        )
