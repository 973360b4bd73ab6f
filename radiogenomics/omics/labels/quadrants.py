"""Four classes from two scores: each is high or low."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.core.labels import LabelSet
from radiogenomics.core.method import Method
from radiogenomics.omics.labels.score_label import Cutoff, ScoreLabel
from radiogenomics.omics.labels.target import event_strata
from radiogenomics.omics.scoring.scorer import GeneSetScorer

Quadrants = Mapping[tuple[bool, bool], str]


class QuadrantLabel(BaseEstimator, ABC):
    """Base of the labels with four classes: two scores, each cut in two.

    As a target rule it tells one class, ``positive``, from the other three.

    Parameters
    ----------
    first, second
        Scorers of one gene set each; a subclass has defaults.
    cutoff
        Of both scores; each learns its own. The median when not given.
    positive
        The class that :meth:`transform` calls 1.

    Attributes
    ----------
    first_, second_ : ScoreLabel
        Fitted on the training patients.
    """

    card: ClassVar[Method]
    quadrants: ClassVar[Quadrants] = MappingProxyType({})

    def __init__(
        self,
        first: GeneSetScorer | None = None,
        second: GeneSetScorer | None = None,
        *,
        cutoff: Cutoff | None = None,
        positive: str,
    ) -> None:
        self.first = first
        self.second = second
        self.cutoff = cutoff
        self.positive = positive

    def fit(self, target: pd.DataFrame, y: None = None) -> Self:
        """Learn both scores and cut-offs; ``target`` as in ScoreLabel."""
        if self.positive not in self.quadrants.values():
            raise UnknownNameError("class", self.positive, self.quadrants.values())
        first, second = self._scorers()
        self.first_ = ScoreLabel(first, self.cutoff).fit(target)
        self.second_ = ScoreLabel(second, self.cutoff).fit(target)
        return self

    def classes(self, target: pd.DataFrame) -> pd.Series[str]:
        """Return the class of each patient."""
        check_is_fitted(self, "second_")
        both = zip(self.first_.transform(target), self.second_.transform(target), strict=True)
        names = [self.quadrants[bool(a), bool(b)] for a, b in both]
        return pd.Series(names, index=target.index, name=self.card.name)

    def transform(self, target: pd.DataFrame) -> NDArray[np.intp]:
        """Return 1 (the positive class) or 0 (another) for each patient, shape (n,)."""
        return self.classes(target).eq(self.positive).to_numpy(dtype=np.intp)

    def score_table(self, target: pd.DataFrame) -> pd.DataFrame:
        """Both scores, patients × 2."""
        check_is_fitted(self, "second_")
        columns = {rule.name_: rule.scores(target) for rule in (self.first_, self.second_)}
        return pd.DataFrame(columns, index=target.index)

    def strata(self, target: pd.DataFrame) -> NDArray[np.intp]:
        """Return what folds should balance before any label is learnt, shape (n,)."""
        return event_strata(target)

    def label_set(self, target: pd.DataFrame) -> LabelSet:
        """Scores and classes of patients, with the rule in words."""
        return LabelSet(
            self.card.name, self.score_table(target), self.classes(target), self._in_words()
        )

    def _in_words(self) -> str:
        return " × ".join(
            f"{rule.scorer_.card.name} of {rule.name_} above {rule.cutoff_rule_.cutoff_:.4g} "
            f"({rule.cutoff_rule_.card.name})"
            for rule in (self.first_, self.second_)
        )

    @abstractmethod
    def _scorers(self) -> tuple[GeneSetScorer, GeneSetScorer]:
        """The two given, or those of the label."""
