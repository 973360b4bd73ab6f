"""Cell fractions by nu support vector regression, in the manner of CIBERSORT."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.svm import NuSVR

from radiogenomics.core.errors import DataError
from radiogenomics.core.method import Method
from radiogenomics.omics.deconvolution.deconvolver import MatrixDeconvolver, normalised, standing
from radiogenomics.omics.scoring.expression import finite_values

Floats = NDArray[np.float64]


class NuSvrDeconvolver(MatrixDeconvolver):
    r"""Weights of a linear nu-SVR of the sample on the matrix, negatives cut off, as shares.

    The matrix is standardised as a whole and the sample by itself; a support vector regression with
    linear kernel and C = 1 is fitted for each ν; its weights below 0 become 0 and are divided by
    their sum; the ν whose shares explain the sample with the least root mean squared error is kept.
    The loss is flat for small and linear for large differences: a gene that cells outside the
    matrix express pulls no more than any other support vector, unlike least squares.

    With ``permutations`` the correlation of the fit is held against that of mixtures of nothing:
    values of randomly drawn genes in place of those of the matrix, each mixture from one random
    sample **of those seen in fit**, b of them, frozen. Then
    :math:`p = (1 + \#\{r_0 \ge r\}) / (1 + b)`. It says whether the matrix explains the sample at
    all, not whether a fraction is right; the least possible is 1 / (1 + b).

    Where it differs from CIBERSORT: no quantile normalisation across samples (there on by default
    for arrays, and advised against for RNA-seq), no batch correction, no silent anti-log of tables
    whose highest value is below 50 (they are refused), random mixtures are drawn within a sample
    and not from all pooled, and p never is 0. Fractions are relative to the cells in the matrix.

    Parameters
    ----------
    signature : DataFrame of shape (genes, cell types)
        Linear expression.
    nus
        Values of ν, each above 0 and at most 1: about the share of genes that are support vectors.
    permutations
        Random mixtures b for the p-value; 0 for none. Each costs as much as a sample.
    random_state
        Seed of the mixtures.
    min_coverage, warn_coverage, check_scale
        See :class:`~radiogenomics.omics.deconvolution.deconvolver.MatrixDeconvolver`, also for
        errors. Quality holds ``rmse`` (of the standardised sample), ``correlation``, ``nu`` and,
        with ``permutations``, ``p_value``.

    Attributes
    ----------
    null_ : ndarray of shape (permutations,)
        Correlations of the random mixtures, rising.

    References
    ----------
    Newman et al. 2015, doi:10.1038/nmeth.3337; Schölkopf et al. 2000,
    doi:10.1162/089976600300015565.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> matrix = pd.DataFrame(rng.gamma(0.5, 200, (60, 2)), columns=["B", "T"]).rename("g{}".format)
    >>> bulk = (matrix @ pd.DataFrame({"P1": {"B": 0.7, "T": 0.3}})).T
    >>> NuSvrDeconvolver(matrix).fit_transform(bulk).round(2)
          B    T
    P1  0.7  0.3
    """

    card: ClassVar[Method] = Method(
        name="nu_svr",
        title="Cell fractions by nu support vector regression (as CIBERSORT)",
        scope="omics: deconvolution",
        reference="Newman et al., Nat Methods 2015;12:453, doi:10.1038/nmeth.3337",
        limits="Types alike in the matrix trade shares; rare ones are unstable. Linear expression "
        "only. Needs other patients only for p-values, whose null is of the reference's values.",
        learns=True,
    )

    def __init__(
        self,
        signature: pd.DataFrame,
        *,
        nus: tuple[float, ...] = (0.25, 0.5, 0.75),
        permutations: int = 0,
        random_state: int | None = None,
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
        self.nus = nus
        self.permutations = permutations
        self.random_state = random_state

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if not len(self.nus) or not all(0 < nu <= 1 for nu in self.nus):
            raise DataError(
                f"nus: expected numbers above 0 and at most 1; found {self.nus!r}. The usual are "
                "0.25, 0.5 and 0.75."
            )
        if self.permutations < 0:
            raise DataError(
                f"permutations: expected 0 or more; found {self.permutations!r}. 100 resolve p to "
                "0.01."
            )

    def _learn(self, frame: pd.DataFrame) -> None:
        self._standard = _standardised(self._profiles)
        self.null_ = np.empty(0)
        if not self.permutations:
            return
        rng = np.random.default_rng(self.random_state)
        pool = finite_values(frame, frame.columns, what=self.card.name)
        drawn = np.empty((self.permutations, len(self.genes_)))
        for mixture in drawn:
            row = pool[rng.integers(len(pool))]
            mixture[:] = rng.choice(row, len(mixture), replace=False)
        varied = drawn[np.ptp(drawn, axis=1) > 0]
        found = [self._best(mixture)[1]["correlation"] for mixture in varied]
        # Where all drawn are 0, or no type gets a share, the fit explains nothing.
        explained = np.nan_to_num(np.array(found, dtype=float), nan=-1.0)
        self.null_ = np.full(self.permutations, -1.0)
        self.null_[: len(explained)] = explained
        self.null_.sort()

    def _solve(self, sample: Floats) -> tuple[Floats, Mapping[str, float]]:
        shares, fit = self._best(sample)
        if not self.permutations:
            return shares, fit
        as_good = len(self.null_) - np.searchsorted(self.null_, fit["correlation"], side="left")
        p = (1 + as_good) / (1 + len(self.null_)) if np.isfinite(fit["correlation"]) else 1.0
        return shares, MappingProxyType({**fit, "p_value": float(p)})

    def _best(self, sample: Floats) -> tuple[Floats, Mapping[str, float]]:
        target = _standardised(sample)
        nothing = {"rmse": np.inf, "correlation": np.nan, "nu": np.nan}
        best = np.full(len(self.cell_types_), np.nan), MappingProxyType(nothing)
        for nu in self.nus:
            model = NuSVR(nu=nu, C=1.0, kernel="linear").fit(self._standard, target)
            shares = normalised(np.maximum(model.coef_[0], 0))
            if np.isnan(shares).any():
                continue
            fit = standing(self._standard @ shares, target)
            if fit["rmse"] < best[1]["rmse"]:
                best = shares, MappingProxyType({**fit, "nu": float(nu)})
        return best


def _standardised(values: Floats) -> Floats:
    return np.asarray((values - values.mean()) / values.std(ddof=1))
