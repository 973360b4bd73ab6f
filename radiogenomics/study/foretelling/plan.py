"""A plan of a virtual biopsy: what is foretold, by which learners, how it is judged."""

from __future__ import annotations

import math
import warnings
from typing import Annotated, Literal

from pydantic import Field

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.core.schema import Record
from radiogenomics.evaluation.association.inputs import FEWEST_PATIENTS
from radiogenomics.evaluation.association.set_limits import SetLimits
from radiogenomics.study.recipe import Folds, Positive

SINGSCORE, MEAN_Z = "singscore", "mean_z"
Linear = Literal["ridge", "pls"]
Learner = Literal["ridge", "pls", "kernel"]
Share = Annotated[float, Field(ge=0, le=1)]
Level = Annotated[float, Field(gt=0, lt=1)]

# Two folds with four patients to test in each: with fewer nothing can be judged.
FORCED = 8
_FEWEST_TESTED = 4


class BiopsyPlan(Record):
    """How images are held against targets; every default is a choice that a user may overrule.

    Parameters
    ----------
    scorer
        ``singscore`` scores each patient alone; ``mean_z`` takes the constants of its genes from
        all patients of the training cohort.
    smallest, largest, min_coverage
        Genes of a set that must and may be measured, and their least share of the set.
    learner
        The one that is judged and locked, fixed before any result is seen.
    comparators
        Others, shown beside it and never chosen from.
    inner_folds, folds, repeats
        Of the tuning, and of the outer cross-validation.
    permutations
        Whole cross-validations with the patients of the targets permuted.
    level
        Of intervals, those for single patients too.
    max_missing
        Share of the patients that may lack a feature or a gene; the median stands for single ones.
    kept
        Targets, best foretold first, that are locked and of which tables of patients speak; named
        genes always are.
    """

    scorer: Literal["singscore", "mean_z"] = "singscore"
    smallest: Annotated[int, Field(ge=1)] = 10
    largest: Annotated[int, Field(ge=1)] = 500
    min_coverage: Share = 0.5
    learner: Linear = "ridge"
    comparators: tuple[Learner, ...] = ("pls", "kernel")
    inner_folds: Folds = 5
    folds: Folds = 5
    repeats: Positive = 3
    permutations: Annotated[int, Field(ge=19)] = 199
    level: Level = 0.95
    max_missing: Share = 0.2
    kept: Positive = 100

    @property
    def learners(self) -> tuple[str, ...]:
        """The learner, then each comparator once that is another one."""
        return tuple(dict.fromkeys((self.learner, *self.comparators)))

    @property
    def limits(self) -> SetLimits:
        """Which gene sets are targets."""
        return SetLimits(self.smallest, self.largest, self.min_coverage)

    def for_patients(self, n: int, *, force: bool) -> BiopsyPlan:
        """The plan itself, or one that so few patients allow where the user insists.

        Raises
        ------
        DataError
            There are fewer than 20 patients, or fewer than 8 with ``force``.
        """
        fewest = FORCED if force else FEWEST_PATIENTS
        if n < fewest:
            raise DataError(
                f"expected at least {fewest} patients with features and expression; found {n}. "
                "What so few foretell is chance; add patients"
                + ("." if force else ", or force it and believe nothing.")
            )
        folds = min(self.folds, n // _FEWEST_TESTED)
        level = self.level
        if math.ceil(level * (n + 1) - 1e-9) > n:
            level = math.floor(100 * n / (n + 1)) / 100
        if (folds, level) != (self.folds, self.level):
            warnings.warn(
                f"{n} patients allow {folds} folds and intervals of level {level:g}, where "
                f"{self.folds} and {self.level:g} were planned.",
                RadiogenomicsWarning,
                stacklevel=2,
            )
        return self.model_copy(update={"folds": folds, "level": level})
