"""Cell fractions by non-negative least squares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import nnls

from radiogenomics.core.errors import AlignmentError, DataError, UnknownNameError, short_list
from radiogenomics.core.method import Method
from radiogenomics.omics.deconvolution.deconvolver import MatrixDeconvolver, normalised, standing

Floats = NDArray[np.float64]


class NnlsDeconvolver(MatrixDeconvolver):
    r"""Shares of cell types that leave the least squared difference to a sample.

    .. math:: \min_{w \ge 0} \sum_g v_g \Big(y_g - \sum_k S_{gk} w_k\Big)^2,
              \qquad f_k = w_k / \textstyle\sum_j w_j

    for a sample y, the matrix S and weights of genes v. Unweighted, the few genes expressed most
    decide; and a gene that cells outside the matrix express (a tumour's own) pulls without bound.
    ``weights="expression"`` takes :math:`v_g` as one over the squared mean of the gene's row, so
    that relative differences count, the noise of weak genes included. Neither suits tumours whose
    own cells the matrix lacks: on 156 liver tumours and LM22 the median rank correlation with
    published nu-SVR fractions was 0.13 unweighted and 0.07 weighted, against 0.74 of
    :class:`~radiogenomics.omics.deconvolution.nu_svr.NuSvrDeconvolver`. Fractions do not change
    with the unit of the sample, nor of the matrix as a whole.

    Parameters
    ----------
    signature : DataFrame of shape (genes, cell types)
        Linear expression.
    weights
        None, ``"expression"``, or a Series of numbers above 0 by gene for all genes of the matrix.
    min_coverage, warn_coverage, check_scale
        See :class:`~radiogenomics.omics.deconvolution.deconvolver.MatrixDeconvolver`, also for
        attributes and errors. Quality holds ``rmse`` in the unit of the samples and
        ``correlation``, both unweighted.

    Raises
    ------
    UnknownNameError, AlignmentError, DataError
        ``weights`` is another word, lacks a gene, or is not above 0.

    References
    ----------
    Abbas et al. 2009, doi:10.1371/journal.pone.0006098 (least squares on mixtures of leukocytes).

    Examples
    --------
    >>> matrix = pd.DataFrame({"B": [90.0, 5, 9], "T": [5, 80.0, 9]}, index=["MS4A1", "CD3D", "X"])
    >>> bulk = pd.DataFrame([[73.0, 20, 9]], columns=matrix.index, index=["P1"])
    >>> NnlsDeconvolver(matrix).fit_transform(bulk).round(3)
          B    T
    P1  0.8  0.2
    """

    card: ClassVar[Method] = Method(
        name="nnls",
        title="Cell fractions by non-negative least squares on a signature matrix",
        scope="omics: deconvolution",
        reference="Abbas et al., PLoS ONE 2009;4:e6098, doi:10.1371/journal.pone.0006098",
        limits="A few strongly expressed genes decide unless weighted; cells outside the matrix "
        "pull without bound, as a tumour's own do on a matrix of leukocytes. Linear expression "
        "only.",
        learns=False,
    )

    def __init__(
        self,
        signature: pd.DataFrame,
        *,
        weights: str | pd.Series[float] | None = None,
        min_coverage: float = 0.5,
        warn_coverage: float = 0.8,
        check_scale: bool = True,
    ) -> None:
        super().__init__(
            signature,
            min_coverage=min_coverage,
            warn_coverage=warn_coverage,
            check_scale=check_scale,
        )
        self.weights = weights

    def _learn(self, frame: pd.DataFrame) -> None:
        self._roots = self._root_weights()

    def _solve(self, sample: Floats) -> tuple[Floats, Mapping[str, float]]:
        size = sample.max()
        found, _ = nnls(self._profiles * self._roots[:, None], sample / size * self._roots)
        return normalised(found), standing(self._profiles @ found * size, sample)

    def _root_weights(self) -> Floats:
        if self.weights is None:
            return np.ones(len(self.genes_))
        if isinstance(self.weights, str):
            if self.weights != "expression":
                raise UnknownNameError("weights of genes", self.weights, ("expression",))
            means = self._profiles.mean(axis=1)
            # A gene that no type expresses says as much as the least expressed one that is.
            return np.asarray(1 / np.maximum(means, means[means > 0].min()))
        absent = self.genes_.difference(self.weights.index)
        if len(absent):
            raise AlignmentError(
                f"weights: expected one for each gene of the matrix; found none for {len(absent)} "
                f"({short_list(absent)}). Add them."
            )
        given = self.weights.loc[self.genes_].to_numpy(dtype=float)
        if len(given) != len(self.genes_) or not (np.isfinite(given) & (given > 0)).all():
            raise DataError(
                "weights: expected one finite number above 0 for each gene; found "
                f"{len(given)} for {len(self.genes_)} genes, the least {given.min():.3g}. Mend or "
                "drop the genes."
            )
        return np.asarray(np.sqrt(given))
