"""What a label means: how patients called high differ from those called low, cohort by cohort.

Genes that made the label differ between its classes by construction, whatever the label is worth.
They are taken out of every gene set before it is scored, and out of the contrasts and of the
ranking; in the table of single genes they stay, and a note names them. Genes that merely go with
them (a proliferation label and other genes of proliferation) stay everywhere: a contrast says what
else patients called high have, not what makes them so.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from radiogenomics.core.errors import (
    AlignmentError,
    RadiogenomicsWarning,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.omics import SHIPPED, EstimateScores, MeanZ, find_gene_set, moderated_t_table
from radiogenomics.omics.gene_sets.immune import CHECKPOINTS, MYELOID_PAIR
from radiogenomics.omics.meaning.contrasts import contrast_table
from radiogenomics.omics.meaning.enrichment import LONGEST_LIST, enrichment_table
from radiogenomics.omics.scoring.scorer import coverage_table
from radiogenomics.study.derivation.cohorts import Molecules
from radiogenomics.study.derivation.plan import DerivationPlan
from radiogenomics.study.findings import Findings, merge

GENE_BY_GENE = frozenset({CHECKPOINTS.name, MYELOID_PAIR.name})
"""Shipped sets that no score was published of: their genes are compared one by one."""

ESTIMATE = (("StromalSignature", "estimate_stromal"), ("ImmuneSignature", "estimate_immune"))
ESTIMATE_SCORES = MappingProxyType(
    {"stromal": "estimate_stromal", "immune": "estimate_immune", "estimate": "estimate_sum"}
)
MIN_COVERAGE = 0.5
FEWEST = 2
COMMON_SHIFT = 1.0
DIFFERENTIAL = ("gene", "log2_fold_change", "low", "high", "t", "p", "fdr")
GSEA = ("set", "nes", "p", "fdr", "size", "leading_edge")


@dataclass(frozen=True)
class Questions:
    """What is compared between patients called high and low.

    Parameters
    ----------
    scored
        Sets whose mean z is compared.
    genes
        Genes compared one by one.
    estimate
        Stromal and immune set of ESTIMATE, if they are to be scored.
    enriched
        Sets tested for enrichment.
    own
        Genes that made the label.
    """

    scored: tuple[GeneSet, ...]
    genes: tuple[str, ...] = ()
    estimate: tuple[GeneSet, GeneSet] | None = None
    enriched: tuple[GeneSet, ...] = ()
    own: frozenset[str] = frozenset()


def label_meaning(
    high: pd.Series[bool],
    parts: Sequence[Molecules],
    plan: DerivationPlan,
    *,
    gene_sets: Mapping[str, GeneSet],
    seed: int,
    own: Collection[str] = (),
) -> Findings:
    """Compare patients called high with those called low, in each cohort alone.

    Scores of ``plan.contrasts`` (none named: all shipped sets, and ESTIMATE's scores where
    ``gene_sets`` holds its two sets), every gene, and enrichment of ``plan.gsea``. Set scores are
    mean z, standardised in the patients compared; of sets without a published score, as the
    checkpoints, the genes are compared one by one. None of this tests the label, least of all in
    the patients that it was derived from, where genes that go with the outcome were sought.

    Parameters
    ----------
    high
        True for patients called high, named as in ``parts`` or, of several cohorts,
        ``cohort:patient``.
    parts
        Cohorts; their normal tissue and outcomes are not used.
    plan
        ``contrasts`` and ``gsea``.
    gene_sets
        Name → GeneSet, as read from the GMT.
    seed
        Of the enrichment.
    own
        Genes that made the label, as of the signature.

    Returns
    -------
    Findings
        Tables ``contrasts``, ``differential`` and, where sets are named, ``gsea``; column ``split``
        is the cohort's id.

    Raises
    ------
    UnknownNameError, StudyError
        A name is not known, stands for no set, or for one that was not supplied.
    AlignmentError
        No patient of a cohort is among those called. Sets of which too little is measured are left
        out with a warning a cohort.
    """
    questions = questions_of(plan.contrasts, plan.gsea, gene_sets=gene_sets, own=own)
    stages = []
    for part in parts:
        calls = called(high, part, several=len(parts) > 1)
        name = part.cohort.id
        stages.append(cohort_meaning(calls, part.tumour, questions, split=name, seed=seed))
    return merge([*stages, Findings(notes=cautions(questions))])


def questions_of(
    contrasts: Sequence[str],
    gsea: Sequence[str],
    *,
    gene_sets: Mapping[str, GeneSet],
    own: Collection[str] = (),
) -> Questions:
    """Find what names stand for; a trailing ``*`` stands for all that begin so.

    Raises
    ------
    UnknownNameError, StudyError
        A name is not known, stands for no set, or for one that was not supplied.
    """
    mine = frozenset(own)
    named = _named(contrasts or tuple(SHIPPED), gene_sets)
    genes = [gene for each in named if each.name in GENE_BY_GENE for gene in each]
    return Questions(
        scored=_without(mine, (each for each in named if each.name not in GENE_BY_GENE)),
        genes=tuple(gene for gene in dict.fromkeys(genes) if gene not in mine),
        estimate=None if contrasts else _estimate_sets(gene_sets, mine),
        enriched=_without(mine, _named(gsea, gene_sets)),
        own=mine,
    )


def called(high: pd.Series[bool], part: Molecules, *, several: bool) -> pd.Series[bool]:
    """Return the call of each patient of one cohort, under the patients' own names.

    Raises
    ------
    AlignmentError
        None of them is among those called.
    """
    patients = part.tumour.index.astype(str)
    names = [f"{part.cohort.id}:{patient}" for patient in patients] if several else list(patients)
    calls = high.set_axis(high.index.astype(str)).reindex(names).set_axis(part.tumour.index)
    known = calls.dropna().astype(bool)
    if known.empty:
        raise AlignmentError(
            f"{part.cohort.id}: expected its patients among those called high or low; found none "
            f"of {len(patients)} (called: {short_list(high.index, limit=3)}; here: "
            f"{short_list(names, limit=3)}). Check the identifiers."
        )
    return known


def cohort_meaning(
    high: pd.Series[bool],
    tumour: pd.DataFrame,
    questions: Questions,
    *,
    split: str,
    seed: int,
) -> Findings:
    """Compare the patients of one cohort.

    Parameters
    ----------
    high
        True for patients called high.
    tumour
        Patients × genes, log2, complete; those of ``high`` are compared.
    questions
        What is asked.
    split
        Of the tables.
    seed
        Of the enrichment.
    """
    classes = high.value_counts()
    if len(classes) < FEWEST or classes.min() < FEWEST:
        sizes = ", ".join(f"{count} {'high' if name else 'low'}" for name, count in classes.items())
        text = f"{split}: not compared: {sizes}; {FEWEST} or more of each are needed."
        return Findings(notes=(("warning", text),))
    values = tumour.loc[high.index]
    values = values.loc[:, values.nunique() > 1]
    genes = moderated_t_table(values, high)
    tables = {"differential": genes[list(DIFFERENTIAL)]}
    scores = _scores(values, questions, split=split)
    if scores.shape[1]:
        tables["contrasts"] = contrast_table(scores, high)
    if questions.enriched:
        others = values.drop(columns=list(questions.own), errors="ignore")
        found = enrichment_table(others, high, questions.enriched, seed=seed)
        tables["gsea"] = found[list(GSEA)]
    for table in tables.values():
        table.insert(0, "split", split)
    return Findings(tables=tables, notes=_common_shift(genes["t"], split=split))


def _common_shift(t: pd.Series[float], *, split: str) -> tuple[tuple[str, str], ...]:
    """A warning where most genes differ one way, so that nearly any set does."""
    middle = float(t.median())
    if not abs(middle) >= COMMON_SHIFT:
        return ()
    text = (
        f"{split}: half of all genes have a moderated t {'above' if middle > 0 else 'below'} "
        f"{middle:.1f}: patients called high differ in most genes alike, by composition or "
        "normalisation, and so will nearly any score. Enrichment takes that common shift out; "
        "contrasts do not."
    )
    return (("warning", text),)


def cautions(questions: Questions) -> tuple[tuple[str, str], ...]:
    """What a reader must know of these tables, as notes."""
    notes = [
        "contrasts describe what goes with the label; they are no test of it, and in the patients "
        "that it was derived from they are flattered."
    ]
    if questions.own:
        own = short_list(sorted(questions.own), limit=LONGEST_LIST)
        notes.append(
            f"{own} made the label and so differ between its classes by construction: they were "
            "left out of gene sets, contrasts and enrichment; rows of tables/differential.csv with "
            "these genes say nothing."
        )
    if questions.enriched:
        notes.append(
            "enrichment asks whether genes of a set differ more than other genes do; its null "
            "deals the label among the patients again. Sets share genes: several may be one "
            "finding."
        )
    return tuple(("info", text) for text in notes)


def _scores(values: pd.DataFrame, questions: Questions, *, split: str) -> pd.DataFrame:
    """Patients × scores: sets that enough is measured of, single genes, ESTIMATE."""
    left_out: list[str] = []
    scored = _measured(questions.scored, values, left_out)
    blocks = [pd.DataFrame(index=values.index)]
    if scored:
        blocks.append(MeanZ(scored, min_coverage=0, warn_coverage=0).fit_transform(values))
    there = [gene for gene in questions.genes if gene in values]
    left_out += [gene for gene in questions.genes if gene not in values]
    blocks.append(values[there])
    if questions.estimate and len(_measured(questions.estimate, values, left_out)) == FEWEST:
        rule = EstimateScores(*questions.estimate, min_coverage=0, warn_coverage=0)
        blocks.append(rule.fit_transform(values).rename(columns=ESTIMATE_SCORES))
    if left_out:
        warnings.warn(
            f"{split}: expected at least {MIN_COVERAGE:.0%} of the genes of a set that is to be "
            f"compared; found fewer measured, and left out, "
            f"{short_list(left_out, limit=LONGEST_LIST)}.",
            RadiogenomicsWarning,
            stacklevel=2,
        )
    return pd.concat(blocks, axis=1)


def _measured(
    sets: Sequence[GeneSet], values: pd.DataFrame, left_out: list[str]
) -> tuple[GeneSet, ...]:
    if not sets:
        return ()
    table = coverage_table(sets, values.columns)
    enough = (table["coverage"] >= MIN_COVERAGE) & (table["found"] > 0)
    left_out += [f"{row.set} ({row.found} of {row.genes})" for row in table[~enough].itertuples()]
    return tuple(each for each, fit in zip(sets, enough, strict=True) if fit)


def _named(names: Iterable[str], gene_sets: Mapping[str, GeneSet]) -> tuple[GeneSet, ...]:
    """Sets of these names, each once."""
    known = (*gene_sets, *(name for name in SHIPPED if name not in gene_sets))
    found: dict[str, GeneSet] = {}
    for name in names:
        wanted = [name]
        if name.endswith("*"):
            wanted = [each for each in known if each.startswith(name[:-1])]
            if not wanted:
                raise UnknownNameError("beginning of gene sets", name, known)
        found |= {each: find_gene_set(each, supplied=gene_sets) for each in wanted}
    return tuple(found.values())


def _without(own: frozenset[str], sets: Iterable[GeneSet]) -> tuple[GeneSet, ...]:
    """The sets without the label's own genes; one of these alone is gone."""
    kept = (each.within(set(each.genes) - own) for each in sets)
    return tuple(each for each in kept if each is not None)


def _estimate_sets(
    gene_sets: Mapping[str, GeneSet], own: frozenset[str]
) -> tuple[GeneSet, GeneSet] | None:
    """The two sets, also where the GMT names its collection before a stroke."""
    found: list[GeneSet] = []
    for names in ESTIMATE:
        mine = [each for name, each in gene_sets.items() if name.rpartition("|")[2] in names]
        found += _without(own, mine[:1])
    return (found[0], found[1]) if len(found) == len(ESTIMATE) else None
