"""What both deconvolutions share: the matrix, the genes that are there, and how well it fits."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    RadiogenomicsWarning,
    short_list,
)
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.core.method import Method
from radiogenomics.omics.scoring.expression import (
    checked_frame,
    finite_values,
    orientation_hint,
    refuse_flat,
)
from radiogenomics.omics.scoring.scorer import coverage_table

Floats = NDArray[np.float64]

LOG_CEILING = 50.0
"""Fractions none of which reaches this look like logarithms."""


class Deconvolution(NamedTuple):
    """What a sample is made of, and how well that explains it.

    Parameters
    ----------
    fractions
        Samples × cell types; each row adds up to 1, or is NaN where no type explains the sample.
    quality
        Samples × ``rmse, correlation`` and what else the method says of its fit.
    """

    fractions: pd.DataFrame
    quality: pd.DataFrame


class MatrixDeconvolver(TransformerMixin, BaseEstimator):
    """Base of the methods that explain a sample by a matrix of genes × cell types.

    Bulk expression is taken as a mixture, :math:`y = S w`, of the profiles in the columns of S
    with shares w ≥ 0. Both must be on a linear scale (TPM, FPKM, CPM, array intensities): the
    logarithm of a sum is not the sum of logarithms. Nothing is normalised across samples, so a
    sample's fractions are the same alone and in any company. Fractions are of what the matrix
    knows: a tumour's own cells, absent from it, are spread over the others. A cell that holds more
    RNA counts for more.

    Parameters
    ----------
    signature : DataFrame of shape (genes, cell types)
        Expression of each type, linear.
    min_coverage
        Smallest share of the matrix's genes that must be there, 0 to 1; fewer are refused.
    warn_coverage
        Below this share a warning names what is missing.
    check_scale
        Whether to refuse samples, and a matrix, that look like logarithms (fractions, none of which
        reaches 50). Switch it off for a linear table of weakly expressed genes.

    Attributes
    ----------
    genes_ : Index
        Genes of the matrix that the samples have.
    cell_types_ : Index
    coverage_ : DataFrame
        One row: ``set, genes, found, coverage, missing, constant``.
    condition_number_ : float
        Of the matrix on those genes: how much noise can be blown up; 1 at best.

    Raises
    ------
    AlignmentError
        No gene is shared or too few are, or a gene or a cell type stands twice.
    DataError
        Values are missing, negative or logarithms, a sample has one value for all genes, or the
        matrix has fewer than two types, fewer genes than types, or an empty profile.
    """

    card: ClassVar[Method]

    def __init__(
        self,
        signature: pd.DataFrame,
        *,
        min_coverage: float = 0.5,
        warn_coverage: float = 0.8,
        check_scale: bool = True,
    ) -> None:
        self.signature = signature
        self.min_coverage = min_coverage
        self.warn_coverage = warn_coverage
        self.check_scale = check_scale

    def __sklearn_tags__(self) -> Any:
        """Say that expression is never negative."""
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        return tags

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Find the matrix's genes among the columns; ``y`` is not used."""
        self._check_parameters()
        frame = checked_frame(X)
        profiles = checked_signature(self.signature, check_scale=self.check_scale)
        there = profiles.index[profiles.index.isin(frame.columns)]
        if there.empty:
            raise AlignmentError(
                f"{self.card.name}: expected genes of the matrix among the columns; found none of "
                f"{short_list(profiles.index)} (columns: {short_list(frame.columns, limit=3)}). "
                f"Use HGNC symbols in both.{orientation_hint(profiles.index, frame)}"
            )
        self.n_features_in_ = frame.shape[1]
        self.feature_names_in_ = frame.columns.to_numpy(dtype=object)
        matrix = GeneSet("the signature matrix", tuple(profiles.index))
        self.coverage_ = coverage_table([matrix], frame.columns)
        self._judge_coverage()
        self.genes_, self.cell_types_ = there, profiles.columns
        kept = profiles.loc[there].to_numpy()
        _refuse_singular(kept, profiles.columns, n_features=frame.shape[1])
        self.condition_number_ = float(np.linalg.cond(kept))
        self._profiles = kept
        self._samples(frame)
        self._learn(frame)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the fractions alone, samples × cell types; see :meth:`deconvolve`."""
        return self.deconvolve(X).fractions

    def deconvolve(self, X: pd.DataFrame) -> Deconvolution:
        """Explain each sample, alone.

        Parameters
        ----------
        X
            Samples × genes, linear, 0 or more; genes in any order, others are left out.

        Returns
        -------
        Deconvolution
            Fractions and quality of the fit.

        Warns
        -----
        RadiogenomicsWarning
            No cell type explains a sample: its row is NaN.

        Raises
        ------
        AlignmentError, DataError
            See the class; also where a gene that was there in fit is not.
        """
        check_is_fitted(self)
        frame = checked_frame(X)
        absent = self.genes_[~self.genes_.isin(frame.columns)]
        if len(absent):
            raise AlignmentError(
                f"{self.card.name}: expected the {len(self.genes_):,} genes found in fit; found "
                f"{len(absent):,} absent ({short_list(absent)}). Fit again on the genes that both "
                f"have.{orientation_hint(self.genes_, frame)}"
            )
        solved = [self._solve(sample) for sample in self._samples(frame)]
        shares = np.array([share for share, _ in solved])
        fractions = pd.DataFrame(shares, index=frame.index, columns=self.cell_types_)
        self._warn_unexplained(fractions)
        quality = pd.DataFrame([dict(fit) for _, fit in solved], index=frame.index)
        return Deconvolution(fractions, quality)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the cell types."""
        check_is_fitted(self)
        return self.cell_types_.to_numpy(dtype=object)

    @abstractmethod
    def _solve(self, sample: Floats) -> tuple[Floats, Mapping[str, float]]:
        """Fractions of one sample over ``genes_`` and the quality of its fit."""

    def _learn(self, frame: pd.DataFrame) -> None:
        """Learn from the fitted samples; most methods need none."""

    def _samples(self, frame: pd.DataFrame) -> Floats:
        values = finite_values(frame, self.genes_, what=self.card.name)
        refuse_flat(values, frame.index, what=self.card.name)
        refuse_negative(values, frame.index, what=self.card.name)
        if self.check_scale:
            _refuse_logs(values, frame.index, what=self.card.name)
        return values

    def _check_parameters(self) -> None:
        for name in ("min_coverage", "warn_coverage"):
            share = getattr(self, name)
            if not 0 <= share <= 1:
                raise DataError(f"{name}: expected 0 to 1; found {share!r}. Mend the recipe.")

    def _judge_coverage(self) -> None:
        row = self.coverage_.iloc[0]
        found = (
            f"{self.card.name}: expected at least {{:.0%}} of the matrix's genes; found "
            f"{row['found']} of {row['genes']} (missing {short_list(row['missing'].split(', '))}). "
        )
        if row["coverage"] < self.min_coverage:
            raise AlignmentError(
                found.format(self.min_coverage) + "Mend the symbols, or lower min_coverage."
            )
        if row["coverage"] < self.warn_coverage:
            warnings.warn(
                found.format(self.warn_coverage) + "Types that hang on them are told apart less "
                "well; fractions do not compare with those of the whole matrix.",
                RadiogenomicsWarning,
                stacklevel=3,
            )

    def _warn_unexplained(self, fractions: pd.DataFrame) -> None:
        empty = fractions.index[fractions.isna().any(axis=1)]
        if len(empty):
            warnings.warn(
                f"{self.card.name}: expected each sample to hold some of the cell types; found "
                f"{len(empty)} that none explains ({short_list(empty)}). Their fractions are NaN: "
                "leave these samples out, or use a matrix of their tissue.",
                RadiogenomicsWarning,
                stacklevel=4,
            )


def checked_signature(signature: Any, *, check_scale: bool = True) -> pd.DataFrame:
    """Return a matrix of genes × cell types as numbers that can explain a linear mixture.

    Raises
    ------
    AlignmentError
        A gene or a cell type stands twice.
    DataError
        It is no frame; values are text, missing, negative or (``check_scale``) logarithms; there
        are fewer than two types, or a type whose profile is empty.
    """
    if not isinstance(signature, pd.DataFrame):
        raise DataError(
            "signature matrix: expected a frame of genes × cell types; found "
            f"{type(signature).__name__}. Read it with read_signature_matrix."
        )
    for names, what in ((signature.index, "gene"), (signature.columns, "cell type")):
        if not names.is_unique:
            twice = names[names.duplicated()].unique()
            raise AlignmentError(
                f"signature matrix: expected each {what} once; found {len(twice)} in several "
                f"({short_list(twice)}). Keep one of each or merge them."
            )
    if signature.shape[1] < 2 or signature.empty:
        raise DataError(
            "signature matrix: expected genes in rows and two or more cell types in columns; found "
            f"{signature.shape[0]} × {signature.shape[1]}. Check the file."
        )
    types = signature.columns
    values = finite_values(signature, types, what="signature matrix")
    refuse_negative(values, signature.index, what="signature matrix")
    empty = values.max(axis=0) <= 0
    if empty.any():
        raise DataError(
            "signature matrix: expected expression in each cell type; found none in "
            f"{short_list(types[empty])}. Leave them out."
        )
    if check_scale and _looks_logarithmic(values.ravel()):
        raise DataError(
            f"signature matrix: expected a linear scale; found fractions up to {values.max():.3g} "
            "only, as in logarithms. Take the anti-log, or set check_scale=False."
        )
    return pd.DataFrame(values, index=signature.index, columns=types)


def refuse_negative(values: Floats, rows: pd.Index, *, what: str) -> None:
    """Raise DataError where expression is below 0."""
    low = values.min(axis=1) < 0
    if low.any():
        raise DataError(
            f"{what}: expected linear expression of 0 or more; found values down to "
            f"{values.min():.3g} in {int(low.sum())} rows ({short_list(rows[low], limit=3)}), as "
            "in logarithms or z-scores. Negative values in data cannot be mixtures: use TPM, FPKM "
            "or CPM."
        )


def standing(explained: Floats, sample: Floats) -> Mapping[str, float]:
    """Root mean squared difference and Pearson correlation of a fit with its sample."""
    rmse = float(np.sqrt(np.mean((explained - sample) ** 2)))
    if np.ptp(explained) == 0:
        return MappingProxyType({"rmse": rmse, "correlation": np.nan})
    return MappingProxyType(
        {"rmse": rmse, "correlation": float(np.corrcoef(explained, sample)[0, 1])}
    )


def normalised(weights: Floats) -> Floats:
    """Weights as shares of their sum; NaN where all are 0."""
    total = weights.sum()
    return weights / total if total > 0 else np.full(len(weights), np.nan)


def _refuse_logs(values: Floats, samples: pd.Index, *, what: str) -> None:
    logs = np.array([_looks_logarithmic(sample) for sample in values])
    if logs.any():
        raise DataError(
            f"{what}: expected a linear scale; found fractions below {LOG_CEILING:g} throughout, "
            f"as in logarithms, in {int(logs.sum())} samples "
            f"({short_list(samples[logs], limit=3)}). Take the anti-log first (2**x - 1 "
            "for log2(x+1)), or, if they are linear, set check_scale=False."
        )


def _looks_logarithmic(values: Floats) -> bool:
    return bool(values.max() < LOG_CEILING and not np.array_equal(values, np.rint(values)))


def _refuse_singular(matrix: Floats, types: pd.Index, *, n_features: int) -> None:
    if len(matrix) < len(types) or np.linalg.matrix_rank(matrix) < len(types):
        raise DataError(
            f"expected profiles of {len(types)} cell types that can be told apart by the shared "
            f"genes; found {len(matrix)} genes (n_features = {n_features}, of which 1 feature(s) "
            f"or more are shared) of rank {np.linalg.matrix_rank(matrix)}. Add genes, or merge "
            f"types that are alike ({short_list(types, limit=3)})."
        )
