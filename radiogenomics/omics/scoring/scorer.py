"""What every score of gene sets shares: finding the genes, coverage, and a frame as result."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    RadiogenomicsWarning,
    SchemaError,
    short_list,
)
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.core.method import Method
from radiogenomics.omics.scoring.expression import (
    checked_frame,
    finite_values,
    orientation_hint,
)

Floats = NDArray[np.float64]
GeneSets = GeneSet | Iterable[GeneSet] | Mapping[str, GeneSet | Sequence[str]]


class GeneSetScorer(TransformerMixin, BaseEstimator):
    """Base of the scores: a frame of samples × genes becomes one of samples × sets.

    :meth:`fit` sees the reference samples and fixes all that a score needs of them, the list of
    genes at least; :meth:`transform` then scores each sample against that and nothing else, so a
    patient's score is the same alone and in any company. A subclass says what it learns
    (``_learn``) and how it scores (``_score``).

    Parameters
    ----------
    gene_sets
        One GeneSet, several, or name → GeneSet or list of symbols.
    min_coverage
        Smallest share of a set's genes that must be there, 0 to 1; below it the set is refused.
    warn_coverage
        Below this share a warning names what is missing.

    Attributes
    ----------
    coverage_ : DataFrame
        A row a set: ``set, genes`` (listed), ``found, coverage`` (found / listed), ``missing``,
        ``constant`` (there, but the same in all reference samples, where that makes a gene
        useless); the last two are lists of symbols parted by commas.
    gene_sets_ : tuple of GeneSet
        The sets with the genes that were found.
    genes_ : Index
        Genes that :meth:`transform` needs.

    Raises
    ------
    AlignmentError
        Too few genes of a set are there, a gene stands in several columns, or, in transform, one
        that was there in fit is not.
    DataError
        The input is no frame of numbers, or a value is missing or infinite.
    """

    card: ClassVar[Method]
    # Ranks need all genes of a sample, sums only those of the sets.
    _ranks_all_genes: ClassVar[bool] = False
    _least_samples: ClassVar[int] = 1

    def __init__(
        self, gene_sets: GeneSets, *, min_coverage: float = 0.5, warn_coverage: float = 0.8
    ) -> None:
        self.gene_sets = gene_sets
        self.min_coverage = min_coverage
        self.warn_coverage = warn_coverage

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Find the genes and learn from the reference samples; ``y`` is not used."""
        self._check_parameters()
        sets = as_gene_sets(self.gene_sets)
        frame = checked_frame(X)
        if len(frame) < self._least_samples:
            raise DataError(
                f"{self.card.name}: expected at least {self._least_samples} reference samples; "
                f"found n_samples = {len(frame)}. Use more, or a score that needs none."
            )
        members = pd.Index(
            list(dict.fromkeys(gene for each in sets for gene in each)), dtype=object
        )
        there = frame.columns if self._ranks_all_genes else members[members.isin(frame.columns)]
        self._refuse_absent(sets, frame)
        values = finite_values(frame, there, what=self.card.name)
        constant = self._useless(values)
        self.n_features_in_ = frame.shape[1]
        self.feature_names_in_ = frame.columns.to_numpy(dtype=object)
        self.coverage_ = coverage_table(sets, frame.columns, there[constant])
        self._judge_coverage()
        self.genes_ = there[~constant]
        usable = set(self.genes_)
        self.gene_sets_ = tuple(kept for each in sets if (kept := each.within(usable)) is not None)
        self._learn(values[:, ~constant] if constant.any() else values)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Score each sample, alone.

        Parameters
        ----------
        X
            Samples × genes in the unit of the reference; genes in any order, others are left out.

        Returns
        -------
        DataFrame
            Samples × sets; higher is more of the thing named.
        """
        check_is_fitted(self)
        frame = checked_frame(X)
        absent = self.genes_[~self.genes_.isin(frame.columns)]
        if len(absent):
            raise AlignmentError(
                f"{self.card.name}: expected the {len(self.genes_):,} genes of the reference; "
                f"found {len(absent):,} absent ({short_list(absent)}). Fit again on the genes that "
                f"both have.{orientation_hint(self.genes_, frame)}"
            )
        values = finite_values(frame, self.genes_, what=self.card.name)
        return pd.DataFrame(
            self._score(values, frame.index), index=X.index, columns=self.get_feature_names_out()
        )

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the sets, in the order of the scores."""
        check_is_fitted(self)
        return np.array([each.name for each in self.gene_sets_], dtype=object)

    @abstractmethod
    def _learn(self, values: Floats) -> None:
        """Learn from reference samples × ``genes_``."""

    @abstractmethod
    def _score(self, values: Floats, samples: pd.Index) -> Floats:
        """Score samples × ``genes_``; ``samples`` names them in messages."""

    def _useless(self, values: Floats) -> NDArray[np.bool_]:
        """Genes that the score cannot use, among those that are there."""
        return np.zeros(values.shape[1], dtype=bool)

    def _members(self) -> list[NDArray[np.intp]]:
        """Positions in ``genes_`` of each set's genes."""
        return [self.genes_.get_indexer(list(each.genes)) for each in self.gene_sets_]

    def _refuse_directions(self) -> None:
        """For scores of one direction only."""
        down = [each.name for each in self.gene_sets_ if each.down]
        if down:
            raise SchemaError(
                f"{self.card.name}: expected sets whose genes are all up; found genes that are "
                f"down in {short_list(down)}. Split such a set in two and take the difference of "
                "their scores, or use singscore."
            )

    def _check_parameters(self) -> None:
        for name in ("min_coverage", "warn_coverage"):
            share = getattr(self, name)
            if not 0 <= share <= 1:
                raise DataError(f"{name}: expected 0 to 1; found {share!r}. Mend the recipe.")

    def _refuse_absent(self, sets: Sequence[GeneSet], frame: pd.DataFrame) -> None:
        wanted = pd.Index([gene for each in sets for gene in each])
        if not wanted.isin(frame.columns).any():
            raise AlignmentError(
                f"{self.card.name}: expected genes of {short_list(s.name for s in sets)} among the "
                f"columns; found none of {short_list(wanted)} (columns: "
                f"{short_list(frame.columns, limit=3)}). Use HGNC symbols in both."
                f"{orientation_hint(wanted, frame)}"
            )

    def _judge_coverage(self) -> None:
        table = self.coverage_
        # A set is refused when nothing is left of it, whatever the limit.
        refused = table[(table["coverage"] < self.min_coverage) | (table["found"] == 0)]
        if len(refused):
            raise AlignmentError(
                f"{self.card.name}: expected at least {self.min_coverage:.0%} of each set's genes, "
                f"and at least one; found {_in_words(refused)}. Mend the symbols, leave the set "
                "out, or lower min_coverage."
            )
        thin = table[table["coverage"] < self.warn_coverage]
        if len(thin):
            warnings.warn(
                f"{self.card.name}: expected at least {self.warn_coverage:.0%} of each set's "
                f"genes; found {_in_words(thin)}. The score is made of those that are left and "
                "does not compare with one of the whole set.",
                RadiogenomicsWarning,
                stacklevel=3,
            )


def as_gene_sets(gene_sets: GeneSets) -> tuple[GeneSet, ...]:
    """Return gene sets as a tuple, whatever way they came.

    Parameters
    ----------
    gene_sets
        One GeneSet, several, or name → GeneSet or list of symbols; the name in a mapping is the
        one the score gets.

    Raises
    ------
    SchemaError
        There is none, or something is no gene set.
    AlignmentError
        Two have the same name.

    Examples
    --------
    >>> [each.name for each in as_gene_sets({"CYT": ["GZMA", "PRF1"]})]
    ['CYT']
    """
    if isinstance(gene_sets, GeneSet):
        return (gene_sets,)
    if isinstance(gene_sets, Mapping):
        return _same_names([_renamed(name, each) for name, each in gene_sets.items()])
    given = [] if isinstance(gene_sets, str) or gene_sets is None else list(gene_sets)
    odd = [each for each in given if not isinstance(each, GeneSet)]
    if odd or not given:
        raise SchemaError(
            "gene_sets: expected GeneSets, or a mapping of names to symbols; found "
            f"{short_list(map(repr, odd)) or repr(gene_sets)}. Give a list of symbols a name: "
            '{"CYT": ["GZMA", "PRF1"]}.'
        )
    return _same_names(given)


def coverage_table(
    sets: Iterable[GeneSet], measured: pd.Index, constant: pd.Index | None = None
) -> pd.DataFrame:
    """Say how much of each set is measured.

    Parameters
    ----------
    sets
        What is to be scored.
    measured
        Symbols that are there.
    constant
        Those of them that do not vary and so count as missing.

    Returns
    -------
    DataFrame
        ``set, genes, found, coverage, missing, constant``, a row a set.

    Examples
    --------
    >>> cyt = GeneSet("CYT", ("GZMA", "PRF1"))
    >>> coverage_table([cyt], pd.Index(["PRF1", "TP53"]))[["set", "found", "coverage", "missing"]]
       set  found  coverage missing
    0  CYT      1       0.5    GZMA
    """
    there, flat = set(measured), set() if constant is None else set(constant)
    rows = []
    for each in sets:
        missing = [gene for gene in each if gene not in there]
        useless = [gene for gene in each if gene in flat]
        found = len(each) - len(missing) - len(useless)
        rows.append(
            (each.name, len(each), found, found / len(each), ", ".join(missing), ", ".join(useless))
        )
    columns = ["set", "genes", "found", "coverage", "missing", "constant"]
    return pd.DataFrame(rows, columns=columns)


def _renamed(name: str, each: GeneSet | Sequence[str]) -> GeneSet:
    if not isinstance(each, GeneSet):
        return GeneSet(name, each if isinstance(each, str) else tuple(each))
    return each if each.name == name else replace(each, name=name)


def _same_names(sets: list[GeneSet]) -> tuple[GeneSet, ...]:
    names = [each.name for each in sets]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated or not sets:
        raise AlignmentError(
            "gene_sets: expected at least one set, and each name once; found "
            f"{short_list(repeated) or 'none'}. Rename the sets, since each score has its name."
        )
    return tuple(sets)


def _in_words(table: pd.DataFrame) -> str:
    """The first few sets of a coverage table, with what they lack."""
    words = []
    for row in table.head(3).itertuples():
        lacks = [
            f"{what} {short_list(text.split(', '))}"
            for what, text in (("missing", row.missing), ("constant", row.constant))
            if text
        ]
        words.append(f"{row.found} of {row.genes} in {row.set} ({'; '.join(lacks)})")
    rest = len(table) - len(words)
    return ", ".join(words) + (f" and {rest} more sets" if rest else "")
