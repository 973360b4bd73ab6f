"""Genes whose Cox models agree over cohorts."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from radiogenomics.core.errors import DataError, FallbackWarning
from radiogenomics.core.method import Method
from radiogenomics.omics.signature.gene_selector import GeneSelector, read_given
from radiogenomics.stats.meta_analysis import PoolingMethod, PoolingTest, meta_analysis
from radiogenomics.stats.multiplicity import adjust
from radiogenomics.stats.survival.cox_screen import CoxScreen, cox_screen


class SurvivalScreen(GeneSelector):
    """Keep genes by univariate Cox models in each cohort, pooled by random effects.

    In every cohort each gene gets a Cox model of its own (Efron's ties); log hazard ratios are
    pooled with the variance between cohorts, and p-values adjusted over all genes. With one cohort
    the pooled estimate is that cohort's. Expression must have one unit in all cohorts, or be
    standardised in each first. Testing uses the outcome: outside resampling noise passes too, and
    genes that matter only beside another are missed.

    Parameters
    ----------
    alpha
        Largest adjusted p-value at which a gene is kept; 1 for no threshold.
    correction
        None, or a word of ``stats.multiplicity.adjust``.
    pooling
        ``"reml"``, ``"dersimonian_laird"``, ``"paule_mandel"`` or ``"fixed"``.
    test
        ``"normal"``, ``"hartung_knapp"`` or ``"hartung_knapp_cautious"``; the last two need two
        cohorts.
    minimum_cohorts
        Cohorts that must have a model of the gene.
    same_sign
        Whether the log hazard ratio must have one sign in all of them.
    k
        Keep at most so many, the smallest p-values; None for all that pass.
    fallback
        How many of the smallest p-values to keep when none passes; 0 fails instead.
    ties
        ``"efron"`` or ``"breslow"``.

    Attributes
    ----------
    table_ : DataFrame
        One row a gene, smallest p first: ``gene, cohorts, coef, se, hazard_ratio, low, high`` (95 %
        interval of the hazard ratio), ``p, adjusted_p, tau2, i2, q, q_p, selected``. NaN where no
        cohort has a model.
    cohort_table_ : DataFrame
        One row a gene and cohort that has it: ``gene, cohort, n, events, coef, se, p``.
    genes_ : tuple of str
        Genes kept, smallest p first.
    fell_back_ : bool
        Whether nothing passed.

    References
    ----------
    Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x; Higgins, Thompson & Spiegelhalter 2009,
    doi:10.1111/j.1467-985X.2008.00552.x.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> genes = pd.DataFrame(rng.normal(size=(200, 50)), columns=[f"G{i}" for i in range(50)])
    >>> y = np.array(
    ...     [(True, t) for t in rng.exponential(np.exp(-genes["G3"]))],
    ...     dtype=[("event", bool), ("time", float)],
    ... )
    >>> SurvivalScreen(alpha=0.01).fit(genes, y, np.repeat(["a", "b"], 100)).genes_
    ('G3',)
    """

    card: ClassVar[Method] = Method(
        name="survival_screen",
        title="Univariate Cox models in every cohort, pooled by random effects",
        scope="omics: signature",
        reference="Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x",
        limits="With two to four cohorts the variance between them is hardly known. Misses genes "
        "that matter only together.",
        learns=True,
    )

    def __init__(
        self,
        alpha: float = 0.05,
        correction: str | None = "bh",
        *,
        pooling: PoolingMethod = "reml",
        test: PoolingTest = "normal",
        minimum_cohorts: int = 1,
        same_sign: bool = False,
        k: int | None = None,
        fallback: int = 1,
        ties: Literal["efron", "breslow"] = "efron",
    ) -> None:
        self.alpha = alpha
        self.correction = correction
        self.pooling = pooling
        self.test = test
        self.minimum_cohorts = minimum_cohorts
        self.same_sign = same_sign
        self.k = k
        self.fallback = fallback
        self.ties = ties

    def fit(self, expression: pd.DataFrame, y: Any, groups: ArrayLike | None = None) -> Self:
        """Test every gene in every cohort.

        Parameters
        ----------
        expression
            Patients × genes, logarithmic; all NaN in a cohort that lacks the gene.
        y
            Survival target (structured array of event and time in months).
        groups
            Cohort of each patient; one cohort when None.

        Raises
        ------
        DataError, AlignmentError, OutcomeError
            Tables do not fit, a parameter is senseless, a cohort has no event, or no gene is left
            and ``fallback`` is 0.
        """
        self._check()
        given = read_given(expression, y, groups)
        screen = cox_screen(
            given.values, given.time, given.event, cohorts=given.cohorts, ties=self.ties
        )
        genes = np.asarray(given.genes, dtype=object)
        self.cohort_table_ = _by_cohort(screen, genes)
        table = self._pool(screen, genes)
        order = np.argsort(table["p"].to_numpy(), kind="stable")
        self.table_ = table.iloc[order].reset_index(drop=True)
        chosen = np.flatnonzero(self.table_["selected"])
        self.fell_back_ = not chosen.size
        if self.fell_back_:
            chosen = self._fall_back()
            self.table_.loc[chosen, "selected"] = True
        self.genes_ = tuple(self.table_["gene"].iloc[chosen[: self.k]])
        self.table_["selected"] = self.table_["gene"].isin(self.genes_)
        return self

    def _pool(self, screen: CoxScreen, genes: np.ndarray) -> pd.DataFrame:
        pooled = meta_analysis(screen.coef, screen.se, method=self.pooling, test=self.test)
        known = ~np.isnan(screen.coef)
        enough = pooled.cohorts >= max(self.minimum_cohorts, 1)
        p = np.where(enough, pooled.p, np.nan)
        adjusted = p if self.correction is None else adjust(p, method=self.correction)
        selected = adjusted <= self.alpha
        if self.same_sign:
            signs = np.where(known, np.sign(screen.coef), 0).sum(axis=0)
            selected &= np.abs(signs) == known.sum(axis=0)
        with np.errstate(over="ignore"):
            ratios = np.exp([pooled.estimate, pooled.low, pooled.high])
        return pd.DataFrame(
            {
                "gene": genes,
                "cohorts": pooled.cohorts.astype(int),
                "coef": pooled.estimate,
                "se": pooled.standard_error,
                "hazard_ratio": ratios[0],
                "low": ratios[1],
                "high": ratios[2],
                "p": p,
                "adjusted_p": adjusted,
                "tau2": pooled.tau2,
                "i2": pooled.i2,
                "q": pooled.q,
                "q_p": pooled.q_p,
                "selected": selected,
            }
        )

    def _fall_back(self) -> np.ndarray:
        best = np.flatnonzero(self.table_["p"].notna())[: self.fallback]
        if not best.size:
            raise DataError(
                f"SurvivalScreen: expected a gene that passes; found none of {len(self.table_)}. "
                "Loosen alpha, allow a fallback, or accept that there is nothing to select."
            )
        warnings.warn(
            f"SurvivalScreen: none of {len(self.table_)} genes passed; the best {best.size} were "
            "kept instead (fallback).",
            FallbackWarning,
            stacklevel=3,
        )
        return best

    def _check(self) -> None:
        if not 0 < self.alpha <= 1:
            raise DataError(
                f"alpha: expected a number above 0, at most 1; found {self.alpha}. Correct it."
            )
        if self.minimum_cohorts < 1 or self.fallback < 0 or (self.k is not None and self.k < 1):
            raise DataError(
                "expected minimum_cohorts and k of at least 1 and fallback of at least 0; found "
                f"{self.minimum_cohorts}, {self.k} and {self.fallback}. Correct them."
            )


def _by_cohort(screen: CoxScreen, genes: np.ndarray) -> pd.DataFrame:
    cohort, gene = np.nonzero(~screen.absent)
    return pd.DataFrame(
        {
            "gene": genes[gene],
            "cohort": screen.cohorts[cohort],
            "n": screen.n[cohort],
            "events": screen.events[cohort],
            "coef": screen.coef[cohort, gene],
            "se": screen.se[cohort, gene],
            "p": screen.p[cohort, gene],
        }
    )
