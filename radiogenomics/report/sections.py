"""The sections of a report, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from radiogenomics.core.signature import Signature
from radiogenomics.report import drawings
from radiogenomics.report.content import ReportContent
from radiogenomics.report.embed import Picture
from radiogenomics.report.parts import Cell, Section, Table, frame_table, metric_table, number
from radiogenomics.report.texts import (
    COMPARISON_COLUMNS,
    FLOW_COLUMNS,
    GENE_COLUMNS,
    HAZARD_COLUMNS,
    LEARNER_COLUMNS,
    POINT_COLUMNS,
    PROVENANCE_WORDS,
    SECTIONS,
    SIGNATURE_COLUMNS,
    SITE_COLUMNS,
    TISSUE_COLUMNS,
)
from radiogenomics.report.vocabulary import split_words, subject_words


def build_sections(content: ReportContent) -> tuple[Section, ...]:
    """Return every section the run has something for; the last names those it has not."""
    everything = (
        _asked(content),
        _flow(content),
        _genes(content),
        _section("labels", pictures=drawings.label_pictures(content)),
        _performance(content),
        _learners(content),
        _section("roc", pictures=drawings.roc_pictures(content, external=False)),
        _section("calibration", pictures=drawings.calibration_pictures(content, external=False)),
        _utility(content),
        _section("nulls", pictures=drawings.null_pictures(content)),
        _section("selection", pictures=drawings.selection_pictures(content)),
        _prognosis(content),
        _external(content),
        _settings(content),
        _provenance(content),
    )
    present = tuple(s for s in everything if s.lines or s.pictures or s.tables or s.text)
    absent = [section.title for section in everything if section not in present]
    return (*_paired(present), _remarks(content, absent))


def _paired(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """Set ROC and calibration beside each other where each has one picture."""
    pair = [s for s in sections if s.anchor in ("roc", "calibration") and len(s.pictures) == 1]
    return tuple(replace(s, half=len(pair) == 2 and s in pair) for s in sections)


def _section(
    anchor: str,
    *,
    lines: tuple[Cell, ...] = (),
    pictures: tuple[Picture, ...] = (),
    tables: tuple[Table, ...] = (),
    text: str = "",
) -> Section:
    title, lead = SECTIONS[anchor]
    return Section(anchor, title, lead, lines, pictures, tables, text)


def _asked(content: ReportContent) -> Section:
    fields = content.recipe_fields
    lines = [Cell(str(fields["question"]), "question")] if "question" in fields else []
    first, *others = content.cohorts or ("none",)
    lines.append(Cell(f"Discovery cohort: {first}. Everything that is learnt is learnt in it."))
    if others:
        lines.append(
            Cell(f"External cohorts: {', '.join(others)}. Nothing is fitted or tuned in them.")
        )
    if "citation" in fields:
        doi = f" doi:{fields['doi']}" if fields.get("doi") else ""
        lines.append(Cell(f"Recipe after: {str(fields['citation']).strip()}{doi}", "citation"))
    return _section("asked", lines=tuple(lines))


def _flow(content: ReportContent) -> Section:
    flow = content.table("cohort_flow")
    if flow is None:
        return _section("flow")
    table = frame_table(
        flow, caption="Cohort flow", columns=FLOW_COLUMNS, group_by="cohort", csv="cohort_flow"
    )
    return _section("flow", pictures=drawings.flow_pictures(content), tables=(table,))


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
    return _section(
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
        caption=f"Signature {signature.name}, refitted on the whole discovery cohort",
        columns=SIGNATURE_COLUMNS,
    )


def _performance(content: ReportContent) -> Section:
    if not content.metrics:
        return _section("performance")
    tables = [metric_table(content.metrics, caption="Every headline number, as in summary.json")]
    probe = content.table("site_probe")
    if probe is not None:
        caption = "Site probe: can the site of held-out patients be told from their features?"
        tables.append(frame_table(probe, caption=caption, columns=SITE_COLUMNS, csv="site_probe"))
    return _section("performance", tables=tuple(tables))


def _learners(content: ReportContent) -> Section:
    learners = content.table("learners")
    if learners is None:
        return _section("learners")
    caption = "Learners, out of fold"
    table = frame_table(learners, caption=caption, columns=LEARNER_COLUMNS, csv="learners")
    compared = _split_tables(
        content,
        "comparisons",
        caption="Held against the others, out of fold",
        columns=COMPARISON_COLUMNS,
        external=False,
    )
    pictures = drawings.learner_pictures(content)
    return _section("learners", pictures=pictures, tables=(table, *compared))


def _utility(content: ReportContent) -> Section:
    return _section("utility", pictures=drawings.decision_pictures(content, external=False))


def _prognosis(content: ReportContent) -> Section:
    return _section(
        "prognosis",
        pictures=(
            *drawings.survival_pictures(content, external=False),
            *drawings.forest_pictures(content, external=False),
        ),
        tables=_hazard_tables(content, external=False),
    )


def _external(content: ReportContent) -> Section:
    metrics = [m for m in content.metrics if m.split.startswith(drawings.EXTERNAL)]
    caption = "Headline numbers in external cohorts"
    return _section(
        "external",
        pictures=(
            *drawings.roc_pictures(content, external=True),
            *drawings.calibration_pictures(content, external=True),
            *drawings.decision_pictures(content, external=True),
            *drawings.survival_pictures(content, external=True),
            *drawings.forest_pictures(content, external=True),
        ),
        tables=(
            *((metric_table(metrics, caption=caption),) if metrics else ()),
            *_external_learners(content),
            *_hazard_tables(content, external=True),
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
        found += _split_tables(content, name, caption=caption, columns=columns, external=True)
    return tuple(found)


def _split_tables(
    content: ReportContent,
    name: str,
    *,
    caption: str,
    columns: Mapping[str, str],
    external: bool,
) -> tuple[Table, ...]:
    table = content.table(name)
    if table is None:
        return ()
    mine = table[table["split"].str.startswith(drawings.EXTERNAL) == external]
    if mine.empty:
        return ()
    mine = mine.assign(split=mine["split"].map(split_words))
    return (frame_table(mine, caption=caption, columns=columns, group_by="split", csv=name),)


def _hazard_tables(content: ReportContent, *, external: bool) -> tuple[Table, ...]:
    table = content.table("hazard_ratios")
    if table is None:
        return ()
    mine = table[table["split"].str.contains(drawings.EXTERNAL, regex=False) == external]
    if mine.empty:
        return ()
    mine = mine.dropna(axis="columns", how="all")
    mine = mine.assign(split=mine["split"].map(subject_words))
    return (
        frame_table(
            mine,
            caption="Cox hazard ratios",
            columns=HAZARD_COLUMNS,
            group_by="split",
            csv="hazard_ratios",
        ),
    )


def _settings(content: ReportContent) -> Section:
    settings = content.table("settings")
    if settings is None:
        return _section("settings")
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
    return _section(
        "settings",
        lines=(Cell(f"{len(settings)} settings: {', '.join(known)}."),),
        tables=(Table("Settings of the recipe", heads, (("", rows),), "settings"),),
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
    return _section("provenance", tables=tuple(tables), text=content.recipe)


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
    return _section("remarks", lines=tuple(lines))
