"""The best one, two or three genes together, and how many of them a new cohort rewards."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import comb

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.core.method import Method
from radiogenomics.omics.signature.gene_selector import (
    GeneSelector,
    Given,
    Splitter,
    deal,
    read_given,
    standardise_by_cohort,
)
from radiogenomics.stats.inputs import Floats
from radiogenomics.stats.survival.subset_search import BestSubsets, best_subsets
from radiogenomics.stats.survival.subset_validation import (
    SubsetSizes,
    choose_subset_size,
    left_out_concordance,
)

SizeRule = Literal["ebic", "1se", "best"]


class SubsetSearch(GeneSelector):
    r"""Search all subsets of one to three genes by the partial likelihood over cohorts.

    All single genes and all pairs are ranked exactly; triples are exact up to ``exhaustive`` genes
    and beyond that those with one of the ``beam`` best pairs. Cohorts share coefficients and have
    baseline hazards of their own. Candidates come from elsewhere (a screen, a list): chosen on the
    same patients outside the fold, the concordance is flattered. The size is chosen by

    - ``"1se"``: the smallest whose concordance, in folds that took no part in the search, falls
      short of the best by at most one standard error of that shortfall. In three cohorts that error
      is rough, and a second gene that adds .03 is often left out;
    - ``"best"``: the best mean of the folds, which often takes a gene that adds nothing;
    - ``"ebic"``: the least extended BIC of the best subset, :math:`-2\ell_k + k \log d + 2 \log
      \binom{p}{k}` with d events and p genes screened: a second gene must gain more than
      :math:`\frac{1}{2} \log d + \log \frac{p - 1}{2}` in log-likelihood, which pays for the
      pairs it was picked from. It needs no folds.

    Parameters
    ----------
    max_size
        1, 2 or 3.
    size
        Genes to choose; None to have ``rule`` decide.
    splitter
        Makes the folds, as ``PatientKFold``; None to leave out one cohort at a time. Of a splitter
        that repeats, folds of the first repeat are used.
    rule, screened
        ``"1se"``, ``"best"`` or ``"ebic"``; for the last, the number of genes that candidates were
        picked from, those given when None.
    left_out
        Whether folds are searched too where the size does not hang on them (``"ebic"``, or a size
        given), for the concordances of the tables; that takes most of the time.
    standardise
        Whether every gene is put in standard deviations of each cohort first; needed where cohorts
        were measured on different platforms. A left-out cohort is then standardised by itself.
    keep
        Subsets of each size in the ranking.
    beam, exhaustive
        As in ``stats.survival.subset_search.best_subsets``.
    ties
        ``"efron"`` or ``"breslow"``.

    Attributes
    ----------
    ranking_ : DataFrame
        The best subsets of each size: ``size, rank, genes, log_likelihood, gain`` (over no gene),
        ``coefs``, ``concordance, concordance_se``: in the folds, with coefficients from the others.
        That is flattered, as every fold had a say in the ranking.
    sizes_ : DataFrame
        ``size, looked_at, exhaustive, ebic, concordance, concordance_se, shortfall, shortfall_se``
        (against the best, fold by fold), ``chosen``: here the folds had no say. Concordances are
        NaN when there is nothing to leave out.
    folds_ : DataFrame
        ``size, fold, genes, concordance``: what the search found without each fold.
    coef_ : Series
        Log hazard ratio of each chosen gene, per cohort standard deviation if standardised.
    genes_ : tuple of str
        The best subset of the chosen size.
    size_ : int

    References
    ----------
    Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x; Breiman et al. 1984, Classification and
    Regression Trees, Wadsworth (rule of one standard error); Chen & Chen 2008,
    doi:10.1093/biomet/asn034 (extended BIC, gamma of 1); Volinsky & Raftery 2000,
    doi:10.1111/j.0006-341X.2000.00256.x (events for observations).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> genes = pd.DataFrame(rng.normal(size=(300, 30)), columns=[f"G{i}" for i in range(30)])
    >>> y = np.array(
    ...     [(True, t) for t in rng.exponential(np.exp(-genes["G3"] - genes["G7"]))],
    ...     dtype=[("event", bool), ("time", float)],
    ... )
    >>> SubsetSearch(max_size=2).fit(genes, y, np.repeat(["a", "b", "c"], 100)).genes_
    ('G3', 'G7')
    """

    card: ClassVar[Method] = Method(
        name="subset_search",
        title="Best subset of one to three genes by stratified Cox likelihood",
        scope="omics: signature",
        reference="house",
        limits="The best of millions of pairs fits by chance; correlated genes stand in for one "
        "another, so the choice is less stable than its concordance.",
        learns=True,
    )

    def __init__(
        self,
        max_size: int = 3,
        size: int | None = None,
        *,
        splitter: Splitter | None = None,
        rule: SizeRule = "1se",
        screened: int | None = None,
        left_out: bool = True,
        standardise: bool = True,
        keep: int = 50,
        beam: int = 1000,
        exhaustive: int = 200,
        ties: Literal["efron", "breslow"] = "efron",
    ) -> None:
        self.max_size = max_size
        self.size = size
        self.splitter = splitter
        self.rule = rule
        self.screened = screened
        self.left_out = left_out
        self.standardise = standardise
        self.keep = keep
        self.beam = beam
        self.exhaustive = exhaustive
        self.ties = ties

    def fit(self, expression: pd.DataFrame, y: Any, groups: ArrayLike | None = None) -> Self:
        """Search, decide on a size and keep the best subset.

        Parameters
        ----------
        expression
            Patients × candidate genes, logarithmic, none missing.
        y
            Survival target (structured array of event and time in months).
        groups
            Cohort of each patient; one cohort when None.

        Raises
        ------
        DataError, AlignmentError, OutcomeError
            Tables do not fit, values are missing, a parameter is senseless, or there is nothing to
            leave out and no size is given.
        """
        if self.size is not None and not 1 <= self.size <= self.max_size:
            raise DataError(
                f"size: expected None or 1 to max_size ({self.max_size}); found {self.size}. "
                "Correct it."
            )
        if self.rule not in get_args(SizeRule):
            raise UnknownNameError("rule of size", self.rule, get_args(SizeRule))
        given = read_given(expression, y, groups)
        values = given.values
        if self.standardise:
            values = standardise_by_cohort(values, given.cohorts)
        folds = self._folds(given, expression.index)
        found = best_subsets(
            values, given.time, given.event, strata=given.cohorts, max_size=self.max_size,
            keep=self.keep, beam=self.beam, exhaustive=self.exhaustive, ties=self.ties,
        )  # fmt: skip
        sizes = None
        if folds is not None:
            sizes = choose_subset_size(
                values, given.time, given.event, strata=given.cohorts, folds=folds,
                max_size=self.max_size, beam=self.beam, exhaustive=self.exhaustive, ties=self.ties,
            )  # fmt: skip
        screened = max(self.screened or 0, len(given.genes))
        ebic = _extended_bic(found, events=int(given.event.sum()), screened=screened)
        self.size_ = self._size(sizes, ebic)
        names = np.asarray(given.genes, dtype=object)
        self.sizes_ = _sizes(found, sizes, self.size_).assign(ebic=ebic)
        self.folds_ = _folds(sizes, names)
        self.ranking_ = self._ranking(found, names, values, given=given, folds=folds)
        best = found.levels[self.size_ - 1]
        self.genes_ = tuple(names[best.subsets[0]])
        self.coef_ = pd.Series(best.coef[0], index=list(self.genes_), name="coef")
        return self

    def _size(self, sizes: SubsetSizes | None, ebic: Floats) -> int:
        if self.size is not None:
            return self.size
        if self.rule == "ebic" or sizes is None:
            return int(np.argmin(ebic)) + 1
        return sizes.size if self.rule == "1se" else sizes.best_size

    def _folds(self, given: Given, patients: pd.Index) -> NDArray[Any] | None:
        """Label of each patient's fold; None where none is needed, and none wished or to be had."""
        needed = self.size is None and self.rule != "ebic"
        if not (needed or self.left_out):
            return None
        if self.splitter is None:
            if np.unique(given.cohorts).size > 1:
                return given.cohorts
            if not needed:
                return None
            raise DataError(
                "expected several cohorts, a splitter, a size or rule 'ebic'; found none of the "
                "four, so that nothing can be left out to choose a size. Hand in one of them."
            )
        fold = np.full(given.time.size, -1)
        for at, (_, test) in enumerate(deal(self.splitter, patients, given.event)):
            if (fold >= 0).all():
                break
            if (fold[test] >= 0).any():
                fold[:] = -1
                break
            fold[test] = at
        if (fold < 0).any():
            raise DataError(
                "splitter: expected folds that test every patient once; found others. Use k folds."
            )
        return fold

    def _ranking(
        self,
        found: BestSubsets,
        names: NDArray[Any],
        values: Floats,
        *,
        given: Given,
        folds: NDArray[Any] | None,
    ) -> pd.DataFrame:
        tables = []
        for level in found.levels:
            inside = np.full((len(level.subsets), 1), np.nan)
            if folds is not None:
                inside = left_out_concordance(
                    values, given.time, given.event, subsets=level.subsets, strata=given.cohorts,
                    folds=folds, ties=self.ties,
                )  # fmt: skip
            spread = inside.std(axis=1, ddof=1) if folds is not None else inside[:, 0]
            tables.append(
                pd.DataFrame(
                    {
                        "size": level.size,
                        "rank": np.arange(len(level.subsets)) + 1,
                        "genes": [tuple(names[subset]) for subset in level.subsets],
                        "log_likelihood": level.log_likelihood,
                        "gain": level.log_likelihood - found.null_log_likelihood,
                        "coefs": [tuple(map(float, coef)) for coef in level.coef],
                        "concordance": inside.mean(axis=1),
                        "concordance_se": spread / np.sqrt(inside.shape[1]),
                    }
                )
            )
        return pd.concat(tables, ignore_index=True)


def _extended_bic(found: BestSubsets, *, events: int, screened: int) -> Floats:
    """Of the best subset of each size; less is better."""
    size = np.array([level.size for level in found.levels])
    best = np.array([level.log_likelihood[0] for level in found.levels])
    subsets = np.log(comb(screened, size))
    return np.asarray(-2 * best + size * np.log(events) + 2 * subsets)


def _sizes(found: BestSubsets, sizes: SubsetSizes | None, chosen: int) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "size": [level.size for level in found.levels],
            "looked_at": [level.looked_at for level in found.levels],
            "exhaustive": [level.exhaustive for level in found.levels],
            "concordance": np.nan if sizes is None else sizes.mean,
            "concordance_se": np.nan if sizes is None else sizes.se,
            "shortfall": np.nan if sizes is None else sizes.shortfall,
            "shortfall_se": np.nan if sizes is None else sizes.shortfall_se,
        }
    )
    return table.assign(chosen=table["size"] == chosen)


def _folds(sizes: SubsetSizes | None, names: NDArray[Any]) -> pd.DataFrame:
    columns = ["size", "fold", "genes", "concordance"]
    if sizes is None:
        return pd.DataFrame(columns=columns)
    rows = [
        (size, fold, tuple(names[subset]), concordance)
        for size, (subsets, values) in enumerate(
            zip(sizes.subsets, sizes.concordance, strict=True), start=1
        )
        for fold, subset, concordance in zip(sizes.folds, subsets, values, strict=True)
    ]
    return pd.DataFrame(rows, columns=columns)
