"""What a virtual biopsy foretells: scores of gene sets and single genes, and how they are had."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    RadiogenomicsWarning,
    UnknownNameError,
    short_list,
)
from radiogenomics.evaluation.association.set_limits import SetLimits
from radiogenomics.omics.scoring import Singscore
from radiogenomics.study.foretelling.plan import MEAN_Z

GENE, SET = "gene", "set"


class Target(NamedTuple):
    """What is foretold.

    Attributes
    ----------
    name, kind : str
        ``"gene"`` or ``"set"``.
    genes : tuple of str
        Those that were measured where the surrogate was learnt.
    listed : int
        Genes of the set, measured or not.
    """

    name: str
    kind: str
    genes: tuple[str, ...]
    listed: int


@dataclass(frozen=True, eq=False)
class TargetRules:
    """How targets are had from expression, the same in every cohort.

    Parameters
    ----------
    scorer
        Of gene sets: ``"singscore"`` or ``"mean_z"``.
    targets
        In order.
    constants
        Gene → mean and standard deviation in the training cohort; empty for singscore, which needs
        none.
    min_coverage
        Least share of a set's genes that must be measured.
    """

    scorer: str
    targets: tuple[Target, ...]
    constants: Mapping[str, tuple[float, float]]
    min_coverage: float

    @property
    def names(self) -> list[str]:
        """Names of the targets."""
        return [target.name for target in self.targets]

    def take(self, names: Sequence[str]) -> TargetRules:
        """Return the rules of these targets alone, in their order."""
        by_name = {target.name: target for target in self.targets}
        targets = tuple(by_name[name] for name in names)
        used = {gene for target in targets if target.kind == SET for gene in target.genes}
        constants = {gene: pair for gene, pair in self.constants.items() if gene in used}
        return TargetRules(self.scorer, targets, constants, self.min_coverage)

    def measured(self, genes: pd.DataFrame) -> pd.DataFrame:
        """Measure the targets, patients × targets; those whose genes are not there are left out.

        Raises
        ------
        AlignmentError
            None can be measured.
        """
        columns = set(genes.columns)
        found = {t.name: [gene for gene in t.genes if gene in columns] for t in self.targets}
        # Shares of what was measured in training: a target is to be the same thing here.
        there = [
            target
            for target in self.targets
            if found[target.name]
            and len(found[target.name]) >= self.min_coverage * len(target.genes)
        ]
        lost = [target.name for target in self.targets if target not in there]
        if not there:
            raise AlignmentError(
                f"expected the genes of {len(lost)} targets ({short_list(lost)}) in the "
                f"expression; found too few of every one among {len(columns)} genes "
                f"({short_list(genes.columns)}). Use symbols in both, or leave the expression out."
            )
        if lost:
            warnings.warn(
                f"{len(lost)} of {len(self.targets)} targets are not measured here, as their genes "
                f"are not ({short_list(lost)}).",
                RadiogenomicsWarning,
                stacklevel=2,
            )
        sets = {t.name: found[t.name] for t in there if t.kind == SET}
        parts = [self._scored(genes, sets)] if sets else []
        parts.append(genes[[t.name for t in there if t.kind == GENE]])
        return pd.concat(parts, axis=1)[[target.name for target in there]]

    def _scored(self, genes: pd.DataFrame, sets: Mapping[str, Sequence[str]]) -> pd.DataFrame:
        if self.scorer != MEAN_Z:
            scorer = Singscore(sets, min_coverage=0.0, warn_coverage=0.0)
            return scorer.fit(genes).transform(genes)
        scores = {}
        for name, members in sets.items():
            centre, scale = np.array([self.constants[gene] for gene in members]).T
            scores[name] = ((genes[list(members)] - centre) / scale).mean(axis=1)
        return pd.DataFrame(scores, index=genes.index)


def target_rules(
    genes: pd.DataFrame,
    *,
    gene_sets: Mapping[str, Sequence[str]],
    named: Sequence[str],
    scorer: str,
    limits: SetLimits,
) -> TargetRules:
    """Say what is foretold of a training cohort: its sets and named genes, else every gene.

    Parameters
    ----------
    genes
        Patients × genes, complete (:func:`filled_genes`).
    gene_sets, named
        Name → symbols, and single genes; with neither, every gene that varies is a target.
    scorer, limits
        Of the sets.

    Raises
    ------
    UnknownNameError
        A named gene is not there; near matches are.
    DataError
        No set has enough genes that are measured.
    AlignmentError
        A set is called like a named gene.
    """
    for gene in named:
        if gene not in genes:
            raise UnknownNameError("gene of the expression", gene, map(str, genes.columns))
    varies = genes.columns[genes.nunique() > 1]
    sets = _sets(gene_sets, varies if scorer == MEAN_Z else genes.columns, limits=limits)
    single = list(dict.fromkeys(named)) or ([] if gene_sets else list(map(str, varies)))
    both = [target.name for target in sets if target.name in single]
    if both:
        raise AlignmentError(
            f"expected gene sets and genes of different names; found {short_list(both)} as both. "
            "Rename the set."
        )
    constants: dict[str, tuple[float, float]] = {}
    if scorer == MEAN_Z:
        used = list(dict.fromkeys(gene for target in sets for gene in target.genes))
        means, deviations = genes[used].mean(), genes[used].std(ddof=1)
        constants = {g: (float(means[g]), float(deviations[g])) for g in used}
    targets = (*sets, *(Target(gene, GENE, (gene,), 1) for gene in single))
    return TargetRules(scorer, targets, constants, limits.coverage)


def filled_genes(genes: pd.DataFrame, *, max_missing: float) -> pd.DataFrame:
    """Leave out genes that many patients lack; the median of the others stands for single gaps.

    Raises
    ------
    DataError
        No gene is left.
    """
    missing = genes.isna()
    if not missing.to_numpy().any():
        return genes
    share = missing.mean()
    kept = genes.columns[share <= max_missing]
    lost = genes.columns[share > max_missing]
    if not len(kept):
        raise DataError(
            f"expected genes that {1 - max_missing:.0%} of the patients have; found none of "
            f"{genes.shape[1]}. Impute, or mend the table."
        )
    gappy = int((share[kept] > 0).sum())
    warnings.warn(
        f"{gappy} of {len(kept)} genes have missing values, at most {share[kept].max():.0%} of the "
        "patients: the median of all patients stands for them"
        + (
            f"; {len(lost)} more miss in over {max_missing:.0%} and are left out"
            if len(lost)
            else ""
        )
        + ".",
        RadiogenomicsWarning,
        stacklevel=2,
    )
    return genes[kept].fillna(genes[kept].median())


def _sets(
    gene_sets: Mapping[str, Sequence[str]], genes: pd.Index, *, limits: SetLimits
) -> list[Target]:
    """Gene sets within the limits; a warning says how many are not."""
    found = [
        Target(each.name, SET, tuple(genes[each.places]), each.listed)
        for each in limits.measured(gene_sets, genes)
        if each.fits
    ]
    if gene_sets and not found:
        raise DataError(
            f"{limits.unmet(len(gene_sets), genes)} Use symbols in both, or widen the limits in "
            "the plan."
        )
    if len(found) < len(gene_sets):
        warnings.warn(
            f"{len(gene_sets) - len(found)} of {len(gene_sets)} gene sets are no targets: too few "
            f"or too many of their genes are measured (from {limits.smallest} to {limits.largest}, "
            f"and {limits.coverage:.0%} of the set).",
            RadiogenomicsWarning,
            stacklevel=3,
        )
    return found
