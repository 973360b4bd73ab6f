"""From the words of a derivation plan to the estimator that every fold repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from radiogenomics.evaluation import PatientKFold
from radiogenomics.models.survival import BoostedCox, CoxModel, SurvivalForest
from radiogenomics.omics.signature import (
    GeneSelector,
    ImportanceSelector,
    PenalisedCox,
    SignatureDerivation,
    SignatureGrid,
    StabilitySelector,
    StepwiseCox,
    SubsetSearch,
    SurvivalScreen,
)
from radiogenomics.study.derivation.cohorts import Discovery
from radiogenomics.study.derivation.plan import (
    LARGEST_SUBSET,
    DerivationPlan,
    GridLearner,
    Selector,
)

# Half LASSO, half ridge: genes that vary together come in together.
ELASTIC_NET = 0.5
# Fifty halves tell shares apart by 0.02.
PAIRS = 25
# Derivations are repeated by the hundred; 100 trees, or three permutations of each gene, took twice
# the time and found planted pairs hardly more often in simulated cohorts.
TREES = 50
SMALLEST_LEAF = 5
IMPORTANCE_FOLDS = 3
PERMUTATIONS = 1
# Added to the information of each standardised gene: about what ten events give.
RIDGE = 10.0
# A grid repeats its searches in every fold, so that triples grow from the best pairs alone.
GRID_PAIRS = 50
GRID_EXHAUSTIVE = 20


def derivation_rule(
    plan: DerivationPlan, genes: Sequence[str], discovery: Discovery, *, name: str, seed: int
) -> SignatureDerivation:
    """Return the unfitted derivation that a plan describes: screen, search, weights and cut-off.

    ``max_size`` bounds the genes of every search. Where there are several cohorts, genes are
    standardised in each and patients are compared within cohorts; the likelihoods of all searches
    are stratified by cohort, those of forest, boosting and the learners of a grid are not.
    ``subset`` leaves out one cohort at a time to choose a size; all other searches, and ``subset``
    with one cohort, deal patients to ``inner_folds`` folds. ``forest`` and ``boosting`` (50 trees,
    those of boosting without interactions) lose concordance in three folds, each gene permuted once
    in each. ``stability`` counts in 25 pairs of halves. In a grid, ``subset`` takes up to three
    genes, and triples with one of the 50 best pairs.

    Weights are those of ``lasso``, ``elastic_net`` or the grid's best learner if that is linear,
    and else of a Cox model of the genes. The same seed gives the same derivation.

    Parameters
    ----------
    plan
        Rules.
    genes
        Candidates.
    discovery
        Cohorts to derive from; only their names, unit and number are read.
    name
        Of the signature.
    seed
        Of folds, halves, trees and permutations.
    """
    words = _Words(plan, len(discovery.parts) > 1, len(genes), seed)
    return SignatureDerivation(
        SurvivalScreen(alpha=1, k=plan.keep, pooling=plan.pooling),
        words.grid() if plan.search == "grid" else words.selector(plan.search),
        candidates=tuple(genes),
        cutoff=plan.cutoff,
        reference=discovery.parts[0].cohort.id if words.several else None,
        name=name,
        unit=discovery.parts[0].unit,
        minimum_events=plan.minimum_events,
    )


@dataclass(frozen=True, eq=False)
class _Words:
    """What the words of a plan stand for."""

    plan: DerivationPlan
    several: bool
    screened: int
    seed: int

    @property
    def folds(self) -> PatientKFold:
        return PatientKFold(self.plan.inner_folds, random_state=self.seed)

    def selector(self, word: Selector) -> GeneSelector:
        """Search by its word, never of more than ``max_size`` genes."""
        most, seed = self.plan.max_size, self.seed
        if word == "subset":
            splitter = None if self.several else self.folds
            return SubsetSearch(
                most,
                self.plan.size,
                splitter=splitter,
                rule=self.plan.size_rule,
                screened=self.screened,
            )
        if word == "stepwise":
            return StepwiseCox(criterion="bic", max_genes=most)
        if word == "lasso" or word == "elastic_net":
            return PenalisedCox(
                1.0 if word == "lasso" else ELASTIC_NET,
                max_genes=most,
                n_splits=self.plan.inner_folds,
                random_state=seed,
            )
        if word == "stability":
            return StabilitySelector(max_genes=most, n_pairs=PAIRS, random_state=seed)
        return ImportanceSelector(
            self.learner(word),
            most,
            splitter=PatientKFold(IMPORTANCE_FOLDS, random_state=seed),
            n_repeats=PERMUTATIONS,
            random_state=seed,
        )

    def learner(self, word: GridLearner) -> BaseEstimator:
        """Survival model by its word; ``cox`` and ``ridge_cox`` are linear."""
        if word == "forest":
            return SurvivalForest(TREES, min_samples_leaf=SMALLEST_LEAF, random_state=self.seed)
        if word == "boosting":
            return BoostedCox(TREES, max_depth=1, random_state=self.seed)
        if word == "ridge_cox":
            return Pipeline([("standardise", StandardScaler()), ("cox", CoxModel(RIDGE))])
        return CoxModel()

    def grid(self) -> SignatureGrid:
        """Every selector of the plan with every learner; no gene where none can be fitted."""
        selectors: dict[str, GeneSelector] = {
            word: self.selector(word) for word in self.plan.grid.selectors
        }
        if "subset" in selectors:
            largest = min(self.plan.max_size, LARGEST_SUBSET)
            selectors["subset"].set_params(
                max_size=largest, beam=GRID_PAIRS, exhaustive=GRID_EXHAUSTIVE
            )
        return SignatureGrid(
            selectors,
            {str(word): self.learner(word) for word in self.plan.grid.learners},
            splitter=self.folds,
            may_be_empty=True,
        )
