"""First principal component of a set's genes."""

from __future__ import annotations

import warnings
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import FallbackWarning
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.core.method import Method
from radiogenomics.omics.scoring.linear import LinearScorer

Floats = NDArray[np.float64]

# Two components that explain alike to this share cannot be told apart.
_ALIKE = 1e-6


class PrincipalComponent(LinearScorer):
    r"""First principal component of a set's standardised genes.

    :math:`s = \sum_g u_g z_g` with :math:`u` the unit vector along which the reference samples
    spread most. The sign, which algebra leaves open, is chosen so that genes that are up load
    positively on the whole. On its own reference it is R's ``prcomp(scale. = TRUE)$x[, 1]`` up to
    that sign; it is how the score of twelve chemokines is defined.

    The component is the largest thing the genes share, which need not be what the set is named for
    (purity, batch, quality): look at ``explained_`` and at loadings of the wrong sign. It is learnt
    on the reference, so that a small one makes it unstable.

    Parameters
    ----------
    gene_sets
        One GeneSet, several, or name → GeneSet or list of symbols. Weights are not used.
    min_coverage, warn_coverage
        See :class:`~radiogenomics.omics.scoring.scorer.GeneSetScorer`.

    Attributes
    ----------
    explained_ : Series
        Share of the variance of the standardised genes along the component, set by set, 0 to 1.

    References
    ----------
    Messina et al. 2012, doi:10.1038/srep00765 (twelve chemokines).

    Examples
    --------
    >>> rna = pd.DataFrame({"A": [1.0, 2.0, 3.0], "B": [2.0, 4.0, 6.0]}, index=list("abc"))
    >>> score = PrincipalComponent({"AB": ["A", "B"]}).fit(rna)
    >>> score.transform(rna)["AB"].round(3).tolist(), score.explained_.round(3).tolist()
    ([-1.414, 0.0, 1.414], [1.0])
    """

    card: ClassVar[Method] = Method(
        name="pc1",
        title="First principal component of standardised genes",
        scope="omics: scoring",
        reference="Messina et al., Sci Rep 2012;2:765, doi:10.1038/srep00765",
        limits="Measures the largest thing the genes share, which may be purity or batch. Unstable "
        "in small references and where the first two components explain alike.",
        learns=True,
    )

    def _learn(self, values: Floats) -> None:
        super()._learn(values)
        standard = self.reference_.standardise(values)
        self.explained_ = pd.Series(
            {
                each.name: _spread(standard[:, members], loading)
                for members, each, loading in zip(
                    self._members(), self.gene_sets_, self.loadings_, strict=True
                )
            },
            name="explained",
        )

    def _loading(self, standard: Floats, gene_set: GeneSet) -> Floats:
        return leading_direction(standard, gene_set, what=self.card.name)[0]


def leading_direction(standard: Floats, gene_set: GeneSet, *, what: str) -> tuple[Floats, float]:
    """Unit vector along which samples spread most, oriented by the set, and its singular value.

    Parameters
    ----------
    standard
        Samples × genes of the set, standardised.
    gene_set
        Says which genes are up.
    what
        Name for the warning.

    Warns
    -----
    FallbackWarning
        The second direction spreads as much as the first.
    """
    _, spread, directions = np.linalg.svd(standard, full_matrices=False)
    if len(spread) > 1 and spread[0] - spread[1] <= _ALIKE * spread[0]:
        warnings.warn(
            f"{what}: expected one direction along which {gene_set.name} spreads most; found two "
            "that spread alike. The one taken is arbitrary: use more samples or another score.",
            FallbackWarning,
            stacklevel=6,
        )
    direction = directions[0]
    lean = float(direction @ np.array(gene_set.signs))
    # Where up and down cancel, the largest loading decides.
    if abs(lean) <= 1e-9:
        largest = int(np.argmax(np.abs(direction)))
        lean = direction[largest] * gene_set.signs[largest]
    return (direction if lean > 0 else -direction), float(spread[0])


def _spread(standard: Floats, loading: Floats) -> float:
    return float(((standard @ loading) ** 2).sum() / (standard**2).sum())
