"""Immune-hypoxia classes: how much immunity, and how little oxygen."""

from __future__ import annotations

import warnings
from types import MappingProxyType
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, UnknownNameError
from radiogenomics.core.method import Method
from radiogenomics.omics.gene_sets.hypoxia import HYPOXIA_BUFFA
from radiogenomics.omics.gene_sets.immune import CYTOTOXIC_DAVOLI
from radiogenomics.omics.labels.quadrants import QuadrantLabel, Quadrants
from radiogenomics.omics.labels.score_label import Cutoff
from radiogenomics.omics.scoring.mean_z import MeanZ
from radiogenomics.omics.scoring.scorer import GeneSetScorer

METHODS = ("cutoffs", "kmeans", "gaussian_mixture")
_CORNERS = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
_STARTS = 20


class ImmuneHypoxiaLabel(QuadrantLabel):
    """Four classes: immunity high or low (H, L) × hypoxic or normoxic (IH, IN).

    HIN (high immunity, normoxic) is the class that was reported to respond to checkpoint
    inhibitors; HIH, LIN and LIH are the others. With ``"cutoffs"`` each score is cut on its own.
    With ``"kmeans"`` and ``"gaussian_mixture"`` four clusters of the two standardised scores are
    found in the training patients and named after the corner they lie nearest to, all four
    together; a patient belongs to the nearest centre, or the likeliest component. Clusters exist
    because they were asked for: where the two scores are one cloud they are arbitrary, and a
    cluster whose centre is not in the quadrant it is named after is warned of. The rule and the
    genes of the published classes are not public: all defaults here are this package's.

    Parameters
    ----------
    first, second
        Scorers of immunity and of hypoxia; mean z of seven cytotoxic genes and of Buffa's 51 genes
        when not given.
    method
        ``"cutoffs"``, ``"kmeans"`` or ``"gaussian_mixture"``.
    cutoff
        For ``"cutoffs"``, of both scores; the median when not given.
    positive
        Class that is called 1.
    random_state
        Seed of the clusters.

    Attributes
    ----------
    names_ : ndarray of str, shape (4,)
        Class of each cluster; of the cluster methods only.

    References
    ----------
    Song et al., Br J Cancer 2024;130:1356 (the classes).
    """

    card: ClassVar[Method] = Method(
        name="immune_hypoxia",
        title="Four classes of immunity and hypoxia",
        scope="omics: label",
        reference="Song et al., Br J Cancer 2024;130:1356",
        limits="Genes and rule of the published classes are not public. Clusters are found in any "
        "cloud.",
        learns=True,
    )
    quadrants: ClassVar[Quadrants] = MappingProxyType(
        {(True, False): "HIN", (True, True): "HIH", (False, False): "LIN", (False, True): "LIH"}
    )

    def __init__(
        self,
        first: GeneSetScorer | None = None,
        second: GeneSetScorer | None = None,
        *,
        method: str = "cutoffs",
        cutoff: Cutoff | None = None,
        positive: str = "HIN",
        random_state: int = 0,
    ) -> None:
        super().__init__(first, second, cutoff=cutoff, positive=positive)
        self.method = method
        self.random_state = random_state

    def fit(self, target: pd.DataFrame, y: None = None) -> Self:
        """Learn both scores, and cut-offs or clusters."""
        if self.method not in METHODS:
            raise UnknownNameError("method", self.method, METHODS)
        super().fit(target)
        if self.method != "cutoffs":
            self._find_clusters(self.score_table(target).to_numpy(dtype=float))
        return self

    def classes(self, target: pd.DataFrame) -> pd.Series[str]:
        """Return the class of each patient."""
        if self.method == "cutoffs":
            return super().classes(target)
        table = self.score_table(target)
        found = self.clusters_.predict((table.to_numpy(dtype=float) - self.centre_) / self.scale_)
        return pd.Series(self.names_[found], index=target.index, name=self.card.name)

    def _find_clusters(self, scores: NDArray[np.float64]) -> None:
        self.centre_, self.scale_ = scores.mean(axis=0), scores.std(axis=0, ddof=1)
        if not (self.scale_ > 0).all():
            raise DataError(
                f"{self.card.name}: expected two scores that vary; found one that is the same in "
                f"all {len(scores)} patients. Use other genes."
            )
        standard = (scores - self.centre_) / self.scale_
        if len(np.unique(standard, axis=0)) < len(_CORNERS):
            raise DataError(
                f"{self.card.name}: expected four clusters of patients; found "
                f"{len(np.unique(standard, axis=0))} distinct patients. Use more, or cut-offs."
            )
        if self.method == "kmeans":
            self.clusters_ = KMeans(4, n_init=_STARTS, random_state=self.random_state)
            centres = self.clusters_.fit(standard).cluster_centers_
        else:
            self.clusters_ = GaussianMixture(4, n_init=_STARTS, random_state=self.random_state)
            centres = self.clusters_.fit(standard).means_
        distance = np.linalg.norm(centres[:, None] - _CORNERS[None], axis=2)
        _, corner = linear_sum_assignment(distance)
        names = [self.quadrants[bool(a > 0), bool(b > 0)] for a, b in _CORNERS[corner]]
        self.names_ = np.array(names, dtype=object)
        astray = self.names_[(np.sign(centres) != _CORNERS[corner]).any(axis=1)]
        if len(astray):
            warnings.warn(
                f"{self.card.name}: expected a cluster in each quadrant; found "
                f"{', '.join(sorted(astray))} centred in another. The scores may be one cloud: "
                "look at them, or use cut-offs.",
                RadiogenomicsWarning,
                stacklevel=3,
            )

    def _scorers(self) -> tuple[GeneSetScorer, GeneSetScorer]:
        return (
            MeanZ(CYTOTOXIC_DAVOLI) if self.first is None else self.first,
            MeanZ(HYPOXIA_BUFFA) if self.second is None else self.second,
        )

    def _in_words(self) -> str:
        if self.method == "cutoffs":
            return super()._in_words()
        first, second = (rule.name_ for rule in (self.first_, self.second_))
        return f"{self.method} of standardised {first} and {second}, four clusters"
