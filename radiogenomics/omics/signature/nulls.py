"""What chance gives: out-of-fold scores of many gene sets or permuted patients at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.omics.labels.cutoff import MedianCutoff
from radiogenomics.stats import concordance_batch, fit_cox_batch

Floats = NDArray[np.float64]


class TrainTest(Protocol):
    """Positions of the training and of the test patients of one split."""

    @property
    def train(self) -> NDArray[Any]:
        """Positions learnt from."""

    @property
    def test(self) -> NDArray[Any]:
        """Positions predicted."""


def random_gene_sets(
    n_genes: int, size: int, count: int, *, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Draw gene sets, each of all sets of that size equally likely.

    Sets are drawn independently, so two may coincide; within a set no gene repeats. As a null these
    sets ask whether the genes at hand beat any others, in which a tumour's shared programmes
    (proliferation above all) already predict.

    Parameters
    ----------
    n_genes
        Genes to draw from.
    size
        Genes a set.
    count
        Sets.

    Returns
    -------
    ndarray of int, shape (count, size)
        Positions of genes.

    Raises
    ------
    DataError
        A set is larger than what it is drawn from.

    References
    ----------
    Venet et al. 2011, doi:10.1371/journal.pcbi.1002240.

    Examples
    --------
    >>> random_gene_sets(1000, 2, 3, rng=np.random.default_rng(0)).shape
    (3, 2)
    """
    if not 1 <= size <= n_genes:
        raise DataError(
            f"expected sets of 1 to {n_genes} genes; found {size}. "
            "Draw smaller sets or offer more genes."
        )
    sets = np.empty((count, size), dtype=np.intp)
    for row in sets:
        row[:] = rng.choice(n_genes, size=size, replace=False)
    return sets


def out_of_fold_scores(
    designs: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    splits: Sequence[TrainTest],
    cutoff: float | str = "median",
    strata: ArrayLike | None = None,
) -> Floats:
    """Cox risk scores of patients that each fit had not seen, for many designs at once.

    In every split one multivariable Cox model a design is fitted to the training patients, and the
    test patients get its risk less the cut-off learnt there: what :class:`CoxSignature` gives as
    ``decision_function``, many times over. A design may hold other genes, or the same genes with
    patients permuted. Where a fit has no finite maximum the fold's scores are 0, which says nothing
    about its patients.

    Parameters
    ----------
    designs : array-like of shape (batch, n, p)
        Covariates, logarithmic for expression.
    time, event, strata : array-like of shape (n,)
        Months; 1 where the event was seen; cohorts, each with a baseline hazard of its own.
    splits
        Test parts that together hold every patient once: the folds of one repeat.
    cutoff
        ``"median"`` of the training risk, or a number on the scale of covariates centred on the
        training patients.

    Returns
    -------
    ndarray of shape (batch, n)
        Risk above the fold's own cut-off; higher is worse, above 0 is high.

    Raises
    ------
    DataError, OutcomeError
        Another shape; test parts that do not hold every patient once; training without an event.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> gene = np.array([5.0, 4.0, 4.5, 2.0, 3.0, 1.0])
    >>> folds = [SimpleNamespace(train=[0, 1, 2, 3], test=[4, 5]),
    ...          SimpleNamespace(train=[2, 3, 4, 5], test=[0, 1]),
    ...          SimpleNamespace(train=[0, 1, 4, 5], test=[2, 3])]
    >>> out_of_fold_scores(gene[None, :, None], [1, 3, 2, 4, 6, 5], [1] * 6, splits=folds).shape
    (1, 6)
    """
    x, times, events = _checked(designs, time, event, splits=splits)
    groups = np.zeros(times.size, dtype=int) if strata is None else np.asarray(strata)
    scores = np.empty(x.shape[:2])
    for split in splits:
        train = split.train
        fit = fit_cox_batch(x[:, train], times[train], events[train], strata=groups[train])
        coef = np.where(fit.converged[:, None], fit.coef, 0.0)
        risk = np.einsum("bnp,bp->bn", x - x[:, train].mean(axis=1, keepdims=True), coef)
        border = _cutoffs(risk[:, train], cutoff)
        scores[:, split.test] = np.where(fit.converged[:, None], risk[:, split.test] - border, 0.0)
    return scores


def out_of_fold_concordance(
    designs: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    splits_by_repeat: Sequence[Sequence[TrainTest]],
    cutoff: float | str = "median",
    strata: ArrayLike | None = None,
) -> Floats:
    """Harrell's C of out-of-fold Cox scores, averaged over repeats, for many designs at once.

    As :func:`out_of_fold_scores` in each repeat, then Harrell's C over all patients together, or
    over those of each stratum. With nothing to find the mean lies slightly below ½, because a fold
    whose patients fare worse leaves behind training patients who fare better; compare with a null
    made in the same way.

    Parameters
    ----------
    designs, time, event, cutoff, strata
        As in :func:`out_of_fold_scores`.
    splits_by_repeat
        The folds of each repeat.

    Returns
    -------
    ndarray of shape (batch,)
        From 0 to 1; ½ when scores say nothing of the order of events.

    Raises
    ------
    DataError
        As in :func:`out_of_fold_scores`, or there is no repeat.

    References
    ----------
    Harrell et al. 1996, doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4.
    """
    if not splits_by_repeat:
        raise DataError("expected folds of at least one repeat; found none. Split the patients.")
    total = np.zeros(len(np.asarray(designs)))
    for splits in splits_by_repeat:
        scores = out_of_fold_scores(
            designs, time, event, splits=splits, cutoff=cutoff, strata=strata
        )
        total += concordance_batch(scores, time, event, strata=strata)
    return total / len(splits_by_repeat)


def _checked(
    designs: ArrayLike, time: ArrayLike, event: ArrayLike, *, splits: Sequence[TrainTest]
) -> tuple[Floats, Floats, NDArray[Any]]:
    x, times = np.asarray(designs, dtype=float), np.asarray(time, dtype=float)
    if x.ndim != 3 or x.shape[1] != times.size:
        raise DataError(
            f"expected designs of shape (batch, {times.size} patients, covariates); found "
            f"{x.shape}. Put patients on the second axis."
        )
    tested = np.concatenate([split.test for split in splits]) if splits else np.empty(0, dtype=int)
    if not np.array_equal(np.sort(tested), np.arange(times.size)):
        raise DataError(
            f"expected test parts that hold each of {times.size} patients once; found "
            f"{tested.size} positions, {np.unique(tested).size} distinct. Pass the folds of one "
            "repeat."
        )
    return x, times, np.asarray(event)


def _cutoffs(training: Floats, cutoff: float | str) -> Floats:
    """Cut-off of each design, shape (batch, 1)."""
    if cutoff == MedianCutoff.card.name:
        return np.median(training, axis=1, keepdims=True)
    if isinstance(cutoff, str):
        raise UnknownNameError("cut-off", cutoff, (MedianCutoff.card.name,))
    return np.full((len(training), 1), float(cutoff))
