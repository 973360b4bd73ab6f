"""Genes that a selector chooses again and again in halves of the patients."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import clone

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.core.method import Method
from radiogenomics.omics.signature.gene_selector import (
    GeneSelector,
    Given,
    Positions,
    deal_evenly,
    read_given,
)
from radiogenomics.omics.signature.penalised_cox import PenalisedCox

# Frequencies are whole numbers of halves, thresholds decimal fractions.
_ROUNDING = 1e-12


class StabilitySelector(GeneSelector):
    r"""Keep the genes that a selector chooses in at least a share of halves of the patients.

    The patients are parted at random into two halves, ``n_pairs`` times, and the selector is run on
    each; :math:`\hat\Pi_g` is how often it chooses gene g, and those with :math:`\hat\Pi_g \ge \pi`
    (``threshold``) are kept. With q genes chosen on average of p, the expected number of kept genes
    whose chance of being chosen in a half is at most q / p, as it is for noise if the selector does
    no worse than guessing, is at most

    .. math:: \frac{q^2}{(2 \pi - 1) p}

    (Shah and Samworth; Meinshausen and Bühlmann for genes that are exchangeable). It bounds an
    expectation over studies, not the errors of one list, and holds for the genes handed in: not for
    all genes, where a screen has looked at the same outcomes. Each half has its share of every
    cohort's events; the theory has simple halves. Of genes that vary together each is chosen
    seldom, and all may be lost.

    Parameters
    ----------
    base
        Gene selector that is run in each half. None takes the LASSO Cox model (``PenalisedCox``
        without folds) down to q genes, with q the largest that keeps the bound at 1, at least 2
        and at most half of the genes.
    threshold
        :math:`\pi`, above 0.5, at most 1.
    max_genes
        Keep at most so many, the most often chosen; None for all that pass.
    n_pairs
        Pairs of halves.
    random_state
        Seed of the halves; the base keeps its own.

    Attributes
    ----------
    table_ : DataFrame
        ``gene, frequency`` (share of halves, 0 to 1), ``both`` (share of pairs in which both halves
        chose it), ``selected``; the most frequent first.
    n_chosen_ : float
        q, how many genes were chosen in a half on average.
    expected_false_ : float
        The bound.
    genes_ : tuple of str
        The most frequent first (equal frequency: chosen in both halves more often, then in the
        order of the columns); may be empty.

    References
    ----------
    Meinshausen and Bühlmann, J R Stat Soc B 2010;72:417, doi:10.1111/j.1467-9868.2010.00740.x. Shah
    and Samworth, J R Stat Soc B 2013;75:55, doi:10.1111/j.1467-9868.2011.01034.x.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> genes = pd.DataFrame(rng.normal(size=(200, 30)), columns=[f"G{i}" for i in range(30)])
    >>> y = np.array(
    ...     [(True, t) for t in rng.exponential(np.exp(-genes["G3"] - genes["G7"]))],
    ...     dtype=[("event", bool), ("time", float)],
    ... )
    >>> fitted = StabilitySelector(threshold=0.9, n_pairs=10).fit(genes, y)
    >>> fitted.genes_, fitted.expected_false_
    (('G3', 'G7'), 0.6666667)
    """

    card: ClassVar[Method] = Method(
        name="stability_selector",
        title="Genes that a selector chooses in most halves of the patients",
        scope="omics: signature",
        reference="Meinshausen and Bühlmann, J R Stat Soc B 2010;72:417, "
        "doi:10.1111/j.1467-9868.2010.00740.x; Shah and Samworth, J R Stat Soc B 2013;75:55, "
        "doi:10.1111/j.1467-9868.2011.01034.x",
        limits="Genes that vary together share their choices and may all be lost. Half the "
        "patients have less power; bounds the expected number of false genes, not those of one "
        "list.",
        learns=True,
    )

    def __init__(
        self,
        base: GeneSelector | None = None,
        threshold: float = 0.6,
        *,
        max_genes: int | None = None,
        n_pairs: int = 50,
        random_state: int | None = 0,
    ) -> None:
        self.base = base
        self.threshold = threshold
        self.max_genes = max_genes
        self.n_pairs = n_pairs
        self.random_state = random_state

    def fit(self, expression: pd.DataFrame, y: Any, groups: ArrayLike | None = None) -> Self:
        """Run the selector on every half and count.

        Parameters
        ----------
        expression
            Patients × candidate genes, as the base takes them.
        y
            Survival target (structured array of event and time in months).
        groups
            Cohort of each patient; one cohort when None.

        Raises
        ------
        DataError, AlignmentError
            Tables do not fit, or a parameter is senseless.
        OutcomeError
            The outcome cannot be analysed, or fewer than four patients had an event.
        """
        self._check()
        given = read_given(expression, y, groups)
        base = self._base(len(given.genes))
        target, place = np.asarray(y), {gene: i for i, gene in enumerate(given.genes)}
        chosen = np.zeros((self.n_pairs, 2, len(given.genes)), dtype=bool)
        for pair, halves in enumerate(self._pairs(given, expression.index)):
            for half, rows in enumerate(halves):
                fitted = clone(base)
                with warnings.catch_warnings():
                    # What a half lacks, as events for all folds, is no news of the patients.
                    warnings.simplefilter("ignore", RadiogenomicsWarning)
                    fitted.fit(expression.iloc[rows], target[rows], given.cohorts[rows])
                if not getattr(fitted, "fell_back_", False):
                    chosen[pair, half, [place[gene] for gene in fitted.genes_]] = True
        self._count(given, chosen)
        return self

    def _count(self, given: Given, chosen: np.ndarray) -> None:
        frequency, both = chosen.mean(axis=(0, 1)), chosen.all(axis=1).mean(axis=0)
        self.n_chosen_ = float(chosen.sum(axis=2).mean())
        self.expected_false_ = self.n_chosen_**2 / ((2 * self.threshold - 1) * len(given.genes))
        order = np.lexsort((-both, -frequency))
        passed = order[frequency[order] >= self.threshold - _ROUNDING][: self.max_genes]
        self.genes_ = tuple(given.genes[i] for i in passed)
        self.table_ = pd.DataFrame(
            {
                "gene": [given.genes[i] for i in order],
                "frequency": frequency[order],
                "both": both[order],
                "selected": np.isin(order, passed),
            }
        )

    def _pairs(self, given: Given, patients: pd.Index) -> Iterator[tuple[Positions, Positions]]:
        events = len(patients[given.event].unique())
        if events < 4:
            raise OutcomeError(
                "StabilitySelector: expected at least 4 patients with an event, two a half; found "
                f"{events}. Use more patients."
            )
        rng = np.random.default_rng(self.random_state)
        for _ in range(self.n_pairs):
            half = deal_evenly(given, patients, 2, rng=rng)
            yield np.flatnonzero(half == 0), np.flatnonzero(half == 1)

    def _base(self, n_genes: int) -> GeneSelector:
        if self.base is not None:
            return self.base
        wanted = int(np.sqrt((2 * self.threshold - 1) * n_genes) + _ROUNDING)
        return PenalisedCox(rule=None, max_genes=max(1, min(n_genes // 2, max(2, wanted))))

    def _check(self) -> None:
        if not 0.5 < self.threshold <= 1:
            raise DataError(
                f"threshold: expected above 0.5 and at most 1; found {self.threshold}. It is the "
                "share of halves that must choose a gene."
            )
        if self.n_pairs < 1 or (self.max_genes is not None and self.max_genes < 1):
            raise DataError(
                "expected n_pairs and max_genes of at least 1; found "
                f"{self.n_pairs} and {self.max_genes}. 50 pairs are usual."
            )
