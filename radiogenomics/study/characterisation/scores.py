"""Scores by name: a locked signature, or a gene set scored in the patients that are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import pandas as pd

from radiogenomics.core.errors import UnknownNameError, short_list
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.core.signature import Signature
from radiogenomics.omics import (
    MeanZ,
    PrincipalComponent,
    Singscore,
    SsGsea,
    find_gene_set,
)
from radiogenomics.omics.scoring.scorer import GeneSetScorer, coverage_table
from radiogenomics.study.score import FEWEST_REFERENCE, restandardised
from radiogenomics.study.tumours import Tumours

WAYS: Mapping[str, type[GeneSetScorer]] = MappingProxyType(
    {rule.card.name: rule for rule in (MeanZ, PrincipalComponent, SsGsea, Singscore)}
)
"""Word behind the colon of a score → how its set is scored."""

MIN_COVERAGE = 0.5


class Scored(NamedTuple):
    """What became of a score in one cohort.

    Attributes
    ----------
    score : Series or None
        Of the patients asked for; None where it could not be made.
    remark : str
        Why not, or what a reader should know; may be empty.
    """

    score: pd.Series[float] | None
    remark: str


@dataclass(frozen=True)
class SetScore:
    """A gene set, scored anew in the patients of each comparison, without their outcomes.

    Parameters
    ----------
    name
        As asked for.
    genes
        The set.
    way
        One of :data:`WAYS`.
    """

    name: str
    genes: GeneSet
    way: str = MeanZ.card.name

    @property
    def own(self) -> tuple[str, ...]:
        """Genes that make the score."""
        return self.genes.genes

    @property
    def alternative(self) -> str:
        """What speaks against chance in survival: a set says nothing of the direction."""
        return "two-sided"

    def of(self, tumours: Tumours, patients: pd.Index) -> Scored:
        """Score these patients, where at least half of the genes are measured."""
        values = tumours.values.loc[patients]
        found = coverage_table([self.genes], values.columns[values.nunique() > 1]).iloc[0]
        words = f"{found['found']} of {found['genes']} genes measured"
        missing = f" (not: {short_list(found['missing'].split(', '))})" if found["missing"] else ""
        if found["coverage"] < MIN_COVERAGE or not found["found"]:
            return Scored(None, f"{words}{missing}")
        rule = WAYS[self.way](self.genes, min_coverage=0, warn_coverage=0)
        score = rule.fit_transform(values).iloc[:, 0].rename(self.name)
        return Scored(score, f"{words}{missing}" if missing else "")


@dataclass(frozen=True)
class SignatureScore:
    """A signature with all constants fixed.

    Parameters
    ----------
    signature
        The signature.
    """

    signature: Signature

    @property
    def name(self) -> str:
        """Its name."""
        return self.signature.name

    @property
    def own(self) -> tuple[str, ...]:
        """Genes that make the score."""
        return self.signature.genes

    @property
    def alternative(self) -> str:
        """What speaks against chance in survival: of a risk, that high does worse."""
        return "greater" if self.signature.direction == "risk" else "two-sided"

    def of(self, tumours: Tumours, patients: pd.Index) -> Scored:
        """Score these patients, where every gene is measured.

        Where expression is in another unit than the constants, genes are standardised on all of
        the cohort, so that a patient's score is the same in every comparison.
        """
        absent = [gene for gene in self.own if gene not in tumours.values]
        if absent:
            there = len(self.own) - len(absent)
            words = f"{there} of {len(self.own)} genes measured (not: {short_list(absent)})"
            return Scored(None, words)
        locked, text = self.signature, ""
        if tumours.unit != locked.unit:
            if len(tumours.values) < FEWEST_REFERENCE:
                text = (
                    f"expression in {tumours.unit}, constants for {locked.unit}, and "
                    f"{len(tumours.values)} patients are too few to standardise on"
                )
                return Scored(None, text)
            locked = restandardised(locked, tumours.values[list(self.own)], unit=tumours.unit)
            text = (
                f"expression is in {tumours.unit}, the constants belong to "
                f"{self.signature.unit}: genes were standardised on this cohort, without outcomes"
            )
        return Scored(locked.score(tumours.values.loc[patients]), text)


NamedScore = SetScore | SignatureScore


def named_score(name: str, gene_sets: Mapping[str, GeneSet]) -> SetScore:
    """Find what ``NAME`` or ``NAME:WAY`` stands for.

    Raises
    ------
    UnknownNameError, StudyError
        The set or the way is not known, or the set is one that the user must supply.

    Examples
    --------
    >>> found = named_score("tls_chemokines_12:pc1", {})
    >>> found.genes.name, found.way
    ('tls_chemokines_12', 'pc1')
    """
    before, _, way = name.rpartition(":")
    if not before or name in gene_sets:
        return SetScore(name, find_gene_set(name, supplied=gene_sets))
    if way not in WAYS:
        raise UnknownNameError("way of scoring a set", way, WAYS)
    return SetScore(name, find_gene_set(before, supplied=gene_sets), way)


def high_or_low(score: pd.Series[float], of: NamedScore) -> tuple[pd.Series[bool], str]:
    """Call patients high above the locked cut-off or, where there is none, above their median."""
    if isinstance(of, SignatureScore) and of.signature.cutoff is not None:
        return of.signature.classify(score), f"the locked cut-off {of.signature.cutoff:.4g}"
    cutoff = float(score.median())
    return (score > cutoff).rename(f"{of.name} high"), f"the cohort's median {cutoff:.4g}"
