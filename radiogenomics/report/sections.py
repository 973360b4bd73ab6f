"""The sections of a report, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import pandas as pd

from radiogenomics.core.signature import Signature
from radiogenomics.report import (
    biopsy_sections,
    claim_sections,
    derivation_sections,
    drawings,
    map_sections,
    prediction_sections,
)
from radiogenomics.report.content import ReportContent
from radiogenomics.report.outlines import outline_of, roles
from radiogenomics.report.parts import Cell, Section, Table, frame_table, metric_table, number
from radiogenomics.report.section_words import Sections
from radiogenomics.report.split_tables import (
    MOST_ROWS,
    cut_caption,
    hazard_tables,
    split_tables,
)
from radiogenomics.report.texts import (
    CHECK_COLUMNS,
    COMPARISON_COLUMNS,
    FLOW_COLUMNS,
    GENE_COLUMNS,
    LEARNER_COLUMNS,
    POINT_COLUMNS,
    PROVENANCE_WORDS,
    SIGNATURE_COLUMNS,
    SITE_COLUMNS,
    TISSUE_COLUMNS,
)
from radiogenomics.report.vocabulary import DISCOVERY, EXTERNAL, place_of

REMARKS = "remarks"
RISK = "risk"
"""Terms of hazard ratios that begin so are the score's own."""


def build_sections(content: ReportContent) -> tuple[Section, ...]:
    """Return every section the run has something for; the last names those it has not."""
    words = outline_of(content).sections
    everything = [
        _titled(BUILDERS[anchor](content), words) for anchor in words if anchor != REMARKS
    ]
    present = tuple(s for s in everything if s.lines or s.pictures or s.tables or s.text)
    absent = [section.title for section in everything if section not in present]
    return (*_paired(present), _titled(_remarks(content, absent), words))


def _titled(section: Section, words: Sections) -> Section:
    title, lead = words[section.anchor]
    return replace(section, title=title, lead=lead)


def _paired(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """Set ROC and calibration beside each other where each has one picture."""
    pair = [s for s in sections if s.anchor in ("roc", "calibration") and len(s.pictures) == 1]
    return tuple(replace(s, half=len(pair) == 2 and s in pair) for s in sections)


def _asked(content: ReportContent) -> Section:
    fields = content.recipe_fields
    lines = [Cell(str(fields["question"]), "question")] if "question" in fields else []
    cohorts = roles(content)
    learnt = [cohort for cohort, role in cohorts.items() if role == DISCOVERY]
    others = [cohort for cohort in cohorts if cohort not in learnt]
    if learnt or not others:
        several = "s" if len(learnt) > 1 else ""
        names = ", ".join(learnt) or "none"
        lines.append(
            Cell(f"Discovery cohort{several}: {names}. Everything that is learnt is learnt there.")
        )
    if others:
        names, what = ", ".join(others), outline_of(content).others.capitalize()
        lines.append(Cell(f"{what} cohorts: {names}. Nothing is fitted or tuned there."))
    if "citation" in fields:
        doi = f" doi:{fields['doi']}" if fields.get("doi") else ""
        lines.append(Cell(f"Recipe after: {str(fields['citation']).strip()}{doi}", "citation"))
    return Section("asked", lines=tuple(lines))


def _flow(content: ReportContent) -> Section:
    flow = content.table("cohort_flow")
    if flow is None:
        return Section("flow")
    tables = [
        frame_table(
            flow, caption="Cohort flow", columns=FLOW_COLUMNS, group_by="cohort", csv="cohort_flow"
        )
    ]
    odd = content.table("sample_checks")
    if odd is not None:
        first = odd.head(MOST_ROWS)
        caption = cut_caption("Samples to look at", first, whole=odd, order="first rows")
        name = "sample_checks"
        tables.append(
            frame_table(first, caption=caption, columns=CHECK_COLUMNS, group_by="cohort", csv=name)
        )
    return Section("flow", pictures=drawings.flow_pictures(content), tables=tuple(tables))


def _genes(content: ReportContent) -> Section:
    signature = content.signature
    tables = [] if signature is None else [_signature_table(signature)]
    for name, caption, columns in (
        ("genes", "Survival, gene by gene (univariate Cox)", GENE_COLUMNS),
        ("tumour_normal", "Tumour against normal tissue, log2 expression", TISSUE_COLUMNS),
    ):
        table = content.table(name)
        if table is not None:
            tables.append(frame_table(table, caption=caption, columns=columns, csv=name))
    return Section(
        "signature",
        lines=() if signature is None else (Cell(_signature_words(signature)),),
        pictures=drawings.gene_pictures(content),
        tables=tuple(tables),
    )


def _signature_words(signature: Signature) -> str:
    state = "locked: one patient can be scored alone" if signature.locked else "not locked"
    return (
        f"{signature.name} is {state}. Unit {signature.unit}; cut-off {number(signature.cutoff)}; "
        f"direction {signature.direction}; constants: {signature.source}."
    )


def _signature_table(signature: Signature) -> Table:
    constants = {
        name: getattr(signature, name) or [float("nan")] * len(signature.genes)
        for name in ("weights", "centre", "scale")
    }
    return frame_table(
        pd.DataFrame({"gene": signature.genes, **constants}),
        caption=f"Constants of {signature.name}",
        columns=SIGNATURE_COLUMNS,
    )


def _performance(content: ReportContent) -> Section:
    if not content.metrics:
        return Section("performance")
    caption, risk = "Every headline number, as in summary.json", outline_of(content).risk
    tables = [metric_table(content.metrics, caption=caption, risk=risk)]
    probe = content.table("site_probe")
    if probe is not None:
        caption = "Site probe: can the site of held-out patients be told from their features?"
        tables.append(frame_table(probe, caption=caption, columns=SITE_COLUMNS, csv="site_probe"))
    return Section("performance", tables=tuple(tables))


def _learners(content: ReportContent) -> Section:
    learners = content.table("learners")
    if learners is None:
        return Section("learners")
    caption = "Learners, out of fold"
    table = frame_table(learners, caption=caption, columns=LEARNER_COLUMNS, csv="learners")
    compared = split_tables(
        content,
        "comparisons",
        caption="Held against the others, out of fold",
        columns=COMPARISON_COLUMNS,
        place=DISCOVERY,
    )
    pictures = drawings.learner_pictures(content)
    return Section("learners", pictures=pictures, tables=(table, *compared))


def _labels(content: ReportContent) -> Section:
    return Section("labels", pictures=drawings.label_pictures(content))


def _roc(content: ReportContent) -> Section:
    return Section("roc", pictures=drawings.roc_pictures(content, place=DISCOVERY))


def _calibration(content: ReportContent) -> Section:
    return Section("calibration", pictures=drawings.calibration_pictures(content, place=DISCOVERY))


def _utility(content: ReportContent) -> Section:
    return Section("utility", pictures=drawings.decision_pictures(content, place=DISCOVERY))


def _nulls(content: ReportContent) -> Section:
    pictures = (*drawings.null_pictures(content), *drawings.random_pictures(content))
    return Section("nulls", pictures=pictures)


def _selection(content: ReportContent) -> Section:
    return Section("selection", pictures=drawings.selection_pictures(content))


def _prognosis(content: ReportContent) -> Section:
    beside = _adjusted_for(content)
    return Section(
        "prognosis",
        lines=(Cell(f"Adjusted: beside {', '.join(beside)}."),) if beside else (),
        pictures=(
            *drawings.survival_pictures(content, place=DISCOVERY),
            *drawings.forest_pictures(content, place=DISCOVERY),
        ),
        tables=hazard_tables(content, place=DISCOVERY),
    )


def _adjusted_for(content: ReportContent) -> list[str]:
    """What stands beside the risk in the adjusted models of the discovery cohorts."""
    table = content.table("hazard_ratios")
    if table is None:
        return []
    mine = table[table["split"].map(place_of) == DISCOVERY]
    terms = mine.loc[mine["model"] == "adjusted", "term"].drop_duplicates()
    return list(terms[~terms.str.startswith(RISK)])


def _external(content: ReportContent) -> Section:
    metrics = [m for m in content.metrics if m.split.startswith(EXTERNAL)]
    caption = "Headline numbers in external cohorts"
    return Section(
        "external",
        pictures=(
            *drawings.roc_pictures(content, place=EXTERNAL),
            *drawings.calibration_pictures(content, place=EXTERNAL),
            *drawings.decision_pictures(content, place=EXTERNAL),
            *drawings.survival_pictures(content, place=EXTERNAL),
            *drawings.forest_pictures(content, place=EXTERNAL),
        ),
        tables=(
            *((metric_table(metrics, caption=caption),) if metrics else ()),
            *_external_learners(content),
            *hazard_tables(content, place=EXTERNAL),
        ),
    )


def _external_learners(content: ReportContent) -> tuple[Table, ...]:
    """Every locked learner outside, the first against the others, and its operating point."""
    found: list[Table] = []
    for name, caption, columns in (
        ("external_learners", "Learners, locked", LEARNER_COLUMNS),
        ("comparisons", "Held against the others", COMPARISON_COLUMNS),
        ("operating_points", "At the locked threshold", POINT_COLUMNS),
    ):
        found += split_tables(content, name, caption=caption, columns=columns, place=EXTERNAL)
    return tuple(found)


def _settings(content: ReportContent) -> Section:
    settings = content.table("settings")
    if settings is None:
        return Section("settings")
    counts = settings["provenance"].value_counts()
    known = [f"{counts[tag]} {words}" for tag, words in PROVENANCE_WORDS.items() if tag in counts]
    rows = tuple(
        (
            Cell(row.setting, "code"),
            Cell(row.value, "value"),
            Cell(row.provenance, "badge", _tone(row.provenance)),
            Cell(row.note),
        )
        for row in settings.itertuples()
    )
    heads = (Cell("setting"), Cell("value"), Cell("where from"), Cell("note"))
    return Section(
        "settings",
        lines=(Cell(f"{len(settings)} settings: {', '.join(known)}."),),
        tables=(Table("Settings", heads, (("", rows),), "settings"),),
    )


def _tone(provenance: str) -> str:
    return provenance if provenance in PROVENANCE_WORDS else "default"


def _provenance(content: ReportContent) -> Section:
    found = content.provenance
    facts = [("radiogenomics", content.version), ("seed", str(content.seed))]
    if "recipe" in found:
        facts.append(("recipe (SHA-256)", str(found["recipe"])))
    tables = [_pairs("Run", ("what", "value"), facts)]
    for key, caption, heads in (
        ("inputs", "Inputs by content", ("input", "SHA-256")),
        ("versions", "Versions", ("package", "version")),
    ):
        pairs = found.get(key)
        if isinstance(pairs, dict) and pairs:
            tables.append(_pairs(caption, heads, sorted(pairs.items())))
    return Section("provenance", tables=tuple(tables), text=content.recipe)


def _pairs(caption: str, heads: tuple[str, str], pairs: list[tuple[str, str]]) -> Table:
    rows = tuple((Cell(str(name)), Cell(str(value), "code")) for name, value in pairs)
    return Table(caption, (Cell(heads[0]), Cell(heads[1])), (("", rows),))


def _remarks(content: ReportContent, absent: list[str]) -> Section:
    """Warnings first, then remarks, then what this run did not have."""
    lines = [
        *(Cell(text, "remark", "warning") for text in content.notes("warning")),
        *(Cell(text, "remark", "info") for text in content.notes("info")),
    ]
    if absent:
        why = " The remarks above say why." if lines else ""
        names = ", ".join(name if name.isupper() else name[0].lower() + name[1:] for name in absent)
        lines.append(Cell(f"Not part of this run: {names}.{why}", "remark", "absent"))
    if not lines:
        lines.append(Cell("The run raised no warning.", "remark", "info"))
    return Section("remarks", lines=tuple(lines))


BUILDERS: Mapping[str, Callable[[ReportContent], Section]] = MappingProxyType(
    {
        "asked": _asked,
        "flow": _flow,
        "candidates": derivation_sections.candidate_section,
        "screen": derivation_sections.screen_section,
        "search": derivation_sections.search_section,
        "signature": _genes,
        "labels": _labels,
        "performance": _performance,
        "learners": _learners,
        "roc": _roc,
        "calibration": _calibration,
        "utility": _utility,
        "nulls": _nulls,
        "selection": _selection,
        "stability": derivation_sections.stability_section,
        "prognosis": _prognosis,
        "survival": derivation_sections.survival_section,
        "accuracy": derivation_sections.accuracy_section,
        "subgroups": derivation_sections.subgroup_section,
        "external": _external,
        "protein": derivation_sections.protein_section,
        "biology": derivation_sections.biology_section,
        "response": derivation_sections.response_section,
        "cells": derivation_sections.cell_section,
        "map_asked": map_sections.asked_section,
        "map_flow": map_sections.patient_section,
        "map": map_sections.map_section,
        "links": map_sections.link_section,
        "pathways": map_sections.pathway_section,
        "vanished": map_sections.vanished_section,
        "modules": map_sections.module_section,
        "joint": map_sections.joint_section,
        "controls": map_sections.control_section,
        "replication": map_sections.replication_section,
        "likeness": map_sections.likeness_section,
        "biopsy": biopsy_sections.biopsy_section,
        "chance": biopsy_sections.chance_section,
        "foretellers": biopsy_sections.learner_section,
        "transport": biopsy_sections.transport_section,
        "cards": biopsy_sections.card_section,
        "cohorts": prediction_sections.cohort_section,
        "models": prediction_sections.model_section,
        "curves": prediction_sections.curve_section,
        "use": prediction_sections.use_section,
        "outcomes": prediction_sections.outcome_section,
        "cox": prediction_sections.cox_section,
        "subgroup_auc": prediction_sections.subgroup_auc_section,
        "responders": prediction_sections.responder_section,
        "pseudoprogression": prediction_sections.progression_section,
        "inside": prediction_sections.inside_section,
        "claims": claim_sections.claim_section,
        "design_checks": claim_sections.check_section,
        "flattery": claim_sections.flattery_section,
        "settings": _settings,
        "provenance": _provenance,
    }
)
"""Anchor → what stands under it."""
