"""Stromal, immune and combined scores, and tumour purity, in the manner of ESTIMATE."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, short_list
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.core.method import Method
from radiogenomics.omics.gene_sets.slots import SLOTS
from radiogenomics.omics.scoring.ssgsea import SsGsea

Floats = NDArray[np.float64]

COMMON_GENES = 10_412
"""Genes among which the published program ranks; its scores and its purity are in this unit."""

_OFFSET, _SLOPE = 0.6049872018, 0.0001467884


class EstimateScores(TransformerMixin, BaseEstimator):
    r"""Single-sample enrichment of a stromal and an immune set, and their sum.

    Each score is that of :class:`~radiogenomics.omics.scoring.ssgsea.SsGsea` with α = 1/4, times
    10,412 / n for a table of n genes: an enrichment grows in proportion to the number of genes
    ranked, and the published program ranks the 10,412 that six platforms shared. Scores thus come
    out on its scale, but are the same only when the table is cut to those very genes: among all
    19,642 coding genes of 156 liver tumours they lay about 900 above the published ones each, in
    the same order (rank correlation 0.998), and the purity 0.17 below. The sum is high where the
    sample holds few tumour cells. Each sample is scored alone.

    With ``purity`` a column is added, :math:`\cos(0.6049872018 + 0.0001467884\,s)` of the sum s.
    That curve was fitted to **Affymetrix arrays only**; for RNA-seq it orders samples but its level
    means little (:func:`tumour_purity`).

    Parameters
    ----------
    stromal, immune
        Their genes: sets or lists of symbols from your GMT (141 each in the R package estimate;
        the slots ``estimate_stromal`` and ``estimate_immune``); they are not shipped.
    purity
        Whether to add ``purity``.
    min_coverage, warn_coverage
        Shares of a set's genes below which it is refused, or a warning given.

    Attributes
    ----------
    coverage_ : DataFrame
        A row a set.

    Raises
    ------
    StudyError
        A set is not given.
    AlignmentError, DataError
        As of SsGsea.

    References
    ----------
    Yoshihara et al. 2013, doi:10.1038/ncomms3612.

    Examples
    --------
    >>> rna = pd.DataFrame([[5.0, 4, 1, 2, 3], [1, 2, 5, 4, 3]], columns=list("abcde"))
    >>> EstimateScores(["a"], ["b"]).fit_transform(rna).round(0)
       stromal  immune  estimate
    0   5206.0  2603.0    7809.0
    1  -5206.0 -2603.0   -7809.0
    """

    card: ClassVar[Method] = Method(
        name="estimate",
        title="Stromal, immune and combined scores, and tumour purity (ESTIMATE)",
        scope="omics: deconvolution",
        reference="Yoshihara et al., Nat Commun 2013;4:2612, doi:10.1038/ncomms3612",
        limits="Depends on which other genes were measured; purity is calibrated for Affymetrix "
        "arrays only.",
        learns=False,
    )

    def __init__(
        self,
        stromal: GeneSet | Sequence[str] | None,
        immune: GeneSet | Sequence[str] | None,
        *,
        purity: bool = False,
        min_coverage: float = 0.5,
        warn_coverage: float = 0.8,
    ) -> None:
        self.stromal = stromal
        self.immune = immune
        self.purity = purity
        self.min_coverage = min_coverage
        self.warn_coverage = warn_coverage

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Find the genes; ``y`` is not used."""
        sets: dict[str, GeneSet | Sequence[str]] = {}
        for name, given in (("stromal", self.stromal), ("immune", self.immune)):
            if given is None:
                raise next(s for s in SLOTS if s.name == f"estimate_{name}").unfilled()
            sets[name] = given
        self._score = SsGsea(
            sets, min_coverage=self.min_coverage, warn_coverage=self.warn_coverage
        ).fit(X)
        self.coverage_ = self._score.coverage_
        self.n_features_in_ = self._score.n_features_in_
        self.feature_names_in_ = self._score.feature_names_in_
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Score each sample, alone.

        Parameters
        ----------
        X
            Samples × genes, linear or logarithmic: only ranks within a sample count.

        Returns
        -------
        DataFrame
            Samples × ``stromal, immune, estimate`` and, if asked for, ``purity``.
        """
        check_is_fitted(self)
        scores = self._score.transform(X) * (COMMON_GENES / len(self._score.genes_))
        scores["estimate"] = scores["stromal"] + scores["immune"]
        if self.purity:
            scores["purity"] = tumour_purity(scores["estimate"])
        return scores

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the scores."""
        check_is_fitted(self)
        names = ["stromal", "immune", "estimate", *(["purity"] if self.purity else [])]
        return np.array(names, dtype=object)


def tumour_purity(score: ArrayLike) -> Floats:
    r"""Share of tumour cells by the published curve, :math:`\cos(0.60499 + 0.00014679\,s)`.

    It falls from 1 at s = -4121 to 0 at s = 6580 and holds for **Affymetrix arrays only**, to whose
    DNA-based purities it was fitted. Beyond that range it would turn round or be negative, and NaN
    is returned; the R package lets the lower side pass.

    Parameters
    ----------
    score
        Sum of the stromal and the immune score, on the published scale.

    Returns
    -------
    ndarray
        0 to 1, or NaN beyond the range.

    Raises
    ------
    DataError
        A score is missing or infinite.

    Warns
    -----
    RadiogenomicsWarning
        Scores lie beyond the range; named where the input is a Series.

    References
    ----------
    Yoshihara et al. 2013, doi:10.1038/ncomms3612.

    Examples
    --------
    >>> tumour_purity([-4000.0, 0.0, 3000.0]).round(3)
    array([1.   , 0.823, 0.502])
    """
    values = np.asarray(score, dtype=float)
    if not np.isfinite(values).all():
        raise DataError(
            f"tumour purity: expected finite scores; found {int((~np.isfinite(values)).sum())} "
            "missing or infinite. Leave these samples out."
        )
    angle = _OFFSET + _SLOPE * values
    beyond = (angle < 0) | (angle > np.pi / 2)
    if beyond.any():
        names = score.index if isinstance(score, pd.Series) else pd.RangeIndex(values.size)
        warnings.warn(
            f"tumour purity: expected scores from {-_OFFSET / _SLOPE:.0f} to "
            f"{(np.pi / 2 - _OFFSET) / _SLOPE:.0f}; found {int(beyond.sum())} beyond "
            f"({short_list(names[beyond.ravel()])}). Their purity is NaN: the curve was fitted to "
            "Affymetrix arrays.",
            RadiogenomicsWarning,
            stacklevel=2,
        )
    return np.where(beyond, np.nan, np.cos(angle))
