"""Sections of a prediction study."""

from __future__ import annotations

from typing import Any

import pandas as pd

from radiogenomics.plots.style import interval, records
from radiogenomics.report import (
    drawings,
    explanation_drawings,
    prediction_drawings,
)
from radiogenomics.report.content import ReportContent
from radiogenomics.report.parts import Cell, Section, Table, frame_table, unbroken
from radiogenomics.report.prediction_drawings import every_model, place_words
from radiogenomics.report.prediction_texts import (
    CONCORDANCE_COLUMNS,
    COX_COLUMNS,
    DESIGN_COLUMNS,
    FOLLOW_UP_COLUMNS,
    MODEL_COLUMNS,
    PAIRED_COLUMNS,
    PROGRESSED_COLUMNS,
    PROGRESSION_COLUMNS,
    RATE_COLUMNS,
    SUBGROUP_AUC_COLUMNS,
)
from radiogenomics.report.split_tables import cut_caption, split_tables
from radiogenomics.report.texts import FLOW_COLUMNS, HAZARD_COLUMNS, POINT_COLUMNS
from radiogenomics.report.vocabulary import split_words

PUBLISHED = "published"
MOST_PATIENTS = 24


def cohort_section(content: ReportContent) -> Section:
    """Who was there, beside whom the paper had, and who was scanned again."""
    tables: list[Table] = []
    design, follow_up = content.table("study_design"), content.table("follow_up")
    flow = content.table("cohort_flow")
    if design is not None:
        whose = design["cohort"].map(lambda c: "As published" if c == PUBLISHED else "Here")
        shown = design.assign(whose=whose, part=design["part"].map(split_words))
        shown["cohort"] = shown["cohort"].where(shown["cohort"] != PUBLISHED, "")
        caption, name = "Design", "study_design"
        tables.append(
            frame_table(shown, caption=caption, columns=DESIGN_COLUMNS, group_by="whose", csv=name)
        )
    if follow_up is not None:
        shown = follow_up.assign(split=follow_up["split"].map(split_words))
        caption = "Scanned again"
        tables.append(
            frame_table(shown, caption=caption, columns=FOLLOW_UP_COLUMNS, csv="follow_up")
        )
    if flow is not None:
        caption, name = "Cohort flow", "cohort_flow"
        tables.append(
            frame_table(flow, caption=caption, columns=FLOW_COLUMNS, group_by="cohort", csv=name)
        )
    return Section(
        "cohorts",
        lines=_label_lines(content),
        pictures=drawings.flow_pictures(content),
        tables=tuple(tables),
    )


def _label_lines(content: ReportContent) -> tuple[Cell, ...]:
    """What class 1 is, as far as the recipe says."""
    label = content.recipe_fields.get("label")
    if not isinstance(label, dict) or "name" not in label:
        return ()
    meaning, cut = means_better(content), _months_words(content)
    if meaning is None:
        return (Cell(f"Label: {label['name']}{cut}."),)
    which = "better" if meaning else "worse"
    return (
        Cell(
            f"Label: {label['name']}{cut}. Class 1 is the {which} outcome, so that a high score, "
            f"from 0 to 1, foretells the {which} one."
        ),
    )


def _months_words(content: ReportContent) -> str:
    """Where the label cuts survival, and whose median that is where it was learnt."""
    table = content.table("label_months")
    if table is None:
        return ""
    row: Any = records(table)[0]
    words = f", {row.endpoint} beyond {row.months:.1f} months"
    if row.source != "median":
        return words
    whom = f" followed beyond the landmark of {row.landmark:g} months" if row.landmark > 0 else ""
    return (
        f"{words}, the median of the {row.n:g} training patients{whom} (each fold learns its own)"
    )


def means_better(content: ReportContent) -> bool | None:
    """Whether class 1, and so a high score, is the better outcome; None where nothing says so."""
    label = content.recipe_fields.get("label")
    meaning = label.get("meaning") if isinstance(label, dict) else None
    value = meaning.get("value") if isinstance(meaning, dict) else meaning
    return {"better": True, "worse": False}.get(str(value))


def model_section(content: ReportContent) -> Section:
    """Every model and rival in every cohort, and the first held against the others."""
    risks, models = content.table("concordances"), every_model(content)
    if risks is not None:
        shown = risks.assign(split=risks["split"].map(split_words)).dropna(
            axis="columns", how="all"
        )
        table = frame_table(
            shown,
            caption="Models, out of sample",
            columns=CONCORDANCE_COLUMNS,
            group_by="split",
            csv="concordances",
        )
        pictures = prediction_drawings.concordance_pictures(content)
        return Section("models", pictures=pictures, tables=(table, *_comparison_table(content)))
    if models is None:
        return Section("models")
    shown = models.assign(split=models["split"].map(split_words)).dropna(axis="columns", how="all")
    csv = "learners" if content.table("learners") is not None else "external_learners"
    caption = "Models, out of sample"
    return Section(
        "models",
        pictures=prediction_drawings.model_pictures(content),
        tables=(
            frame_table(shown, caption=caption, columns=MODEL_COLUMNS, group_by="split", csv=csv),
            *_comparison_table(content),
        ),
    )


def _comparison_table(content: ReportContent) -> tuple[Table, ...]:
    """The first model held against the others; difference and interval in one column."""
    table = content.table("comparisons")
    if table is None:
        return ()
    rows = records(table)
    shown = table.assign(
        split=table["split"].map(split_words),
        interval=[unbroken(interval(r.difference, r.low, r.high)) for r in rows],
    )
    what = "AUC" if content.table("concordances") is None else "C-index"
    caption = f"The first held against the others: its {what} less theirs"
    columns, csv = PAIRED_COLUMNS, "comparisons"
    return (frame_table(shown, caption=caption, columns=columns, group_by="split", csv=csv),)


def curve_section(content: ReportContent) -> Section:
    """ROC curves of every split."""
    return Section("curves", pictures=drawings.roc_pictures(content, place=None))


def use_section(content: ReportContent) -> Section:
    """Calibration, net benefit and the locked threshold."""
    return Section(
        "use",
        pictures=(
            *drawings.calibration_pictures(content, place=None),
            *drawings.decision_pictures(content, place=None),
        ),
        tables=split_tables(
            content, "operating_points", caption="At the locked threshold", columns=POINT_COLUMNS
        ),
    )


def outcome_section(content: ReportContent) -> Section:
    """Survival by the score."""
    hazards = _hazards(content, of_cox_models=False)
    lines: tuple[Cell, ...] = ()
    if means_better(content) and content.table("survival_curves") is not None:
        text = "A high score is the better one here: patients of high risk are those of low score."
        lines = (Cell(text),)
    curves = drawings.survival_pictures(content, place=None)
    ratios = prediction_drawings.hazard_pictures(content, hazards)
    areas = prediction_drawings.horizon_pictures(content)
    tables = _hazard_table(hazards, "Cox hazard ratios")
    tables += _horizon_table(content)
    pictures = (*curves, *ratios, *areas)
    return Section("outcomes", lines=lines if curves else (), pictures=pictures, tables=tables)


def _hazards(content: ReportContent, *, of_cox_models: bool) -> pd.DataFrame | None:
    """Rows of the survival models that the recipe names, or those of the score alone."""
    table, models = content.table("hazard_ratios"), content.table("cox_models")
    if table is None:
        return None
    names = [] if models is None else list(models["model"])
    mine = table[table["model"].isin(names) == of_cox_models]
    return None if mine.empty else mine


def _hazard_table(hazards: pd.DataFrame | None, caption: str) -> tuple[Table, ...]:
    if hazards is None:
        return ()
    shown = hazards.assign(split=hazards["split"].map(split_words))
    shown = shown.dropna(axis="columns", how="all")
    columns, csv = HAZARD_COLUMNS, "hazard_ratios"
    return (frame_table(shown, caption=caption, columns=columns, group_by="split", csv=csv),)


def _horizon_table(content: ReportContent) -> tuple[Table, ...]:
    """AUC over time with one row a horizon and one column a model."""
    table = content.table("time_dependent_auc")
    if table is None:
        return ()
    table = table.assign(
        auc=[unbroken(interval(r.auc, r.low, r.high)) for r in records(table)],
        model=table["model"] if "model" in table else "AUC",
        endpoint=table["endpoint"] if "endpoint" in table else "",
        split=table["split"].map(split_words),
    )
    keys, models = ["split", "endpoint", "horizon"], list(table["model"].unique())
    most = table.groupby(keys, sort=False)[["n", "events"]].max()
    first = table.drop_duplicates([*keys, "model"])
    wide = first.pivot(index=keys, columns="model", values="auc").loc[most.index]
    columns = {"endpoint": "endpoint", "horizon": "months", "n": "n", "events": "events"}
    shown = most.join(wide.add_prefix("model ").fillna("–")).reset_index()
    columns |= {f"model {name}": name for name in models}
    csv = "time_dependent_auc"
    return (
        frame_table(
            shown, caption="AUC over time (95 %)", columns=columns, group_by="split", csv=csv
        ),
    )


def cox_section(content: ReportContent) -> Section:
    """Survival models with the score, and one of them as a nomogram."""
    fitted = _hazards(content, of_cox_models=True)
    return Section(
        "cox",
        pictures=(
            *prediction_drawings.cox_pictures(content),
            *prediction_drawings.nomogram_pictures(content),
        ),
        tables=(
            *split_tables(content, "cox_models", caption="Survival models", columns=COX_COLUMNS),
            *_hazard_table(fitted, "Their hazard ratios, in the cohort they were fitted on"),
        ),
    )


def subgroup_auc_section(content: ReportContent) -> Section:
    """AUC within kinds of patients."""
    return Section(
        "subgroup_auc",
        pictures=prediction_drawings.subgroup_auc_pictures(content),
        tables=split_tables(
            content, "subgroup_auc", caption="Subgroups", columns=SUBGROUP_AUC_COLUMNS
        ),
    )


def responder_section(content: ReportContent) -> Section:
    """Responders among patients of high and of low score."""
    return Section(
        "responders",
        pictures=prediction_drawings.response_pictures(content),
        tables=split_tables(
            content, "response_by_score", caption="Responders", columns=RATE_COLUMNS
        ),
    )


def progression_section(content: ReportContent) -> Section:
    """Patients with progression: counts, then one row a patient, those called high first."""
    tables = list(
        split_tables(
            content,
            "pseudoprogression_summary",
            caption=f"Patients with progression{_horizon_words(content)}",
            columns=PROGRESSION_COLUMNS,
        )
    )
    patients = content.table("pseudoprogression")
    if patients is not None:
        order = patients.sort_values("score", ascending=False, kind="stable")
        order = order.sort_values("called", key=lambda called: called != "high", kind="stable")
        names = explanation_drawings.shown_names(order["patient"])
        events = order["event"].map({True: "yes", False: "no"})
        order = order.assign(patient=names, event=events, split=order["split"].map(split_words))
        first = order.head(MOST_PATIENTS)
        caption = cut_caption("Patient by patient", first, whole=order, order="first")
        columns, csv = PROGRESSED_COLUMNS, "pseudoprogression"
        tables.append(
            frame_table(first, caption=caption, columns=columns, group_by="split", csv=csv)
        )
    return Section(
        "pseudoprogression",
        lines=_progression_lines(content),
        pictures=prediction_drawings.progression_pictures(content),
        tables=tuple(tables),
    )


def _horizon_words(content: ReportContent) -> str:
    """Say beyond which time patients lived on, where one holds for all."""
    table = content.table("pseudoprogression_summary")
    if table is None or not {"endpoint", "horizon"} <= set(table):
        return ""
    known = table[["endpoint", "horizon"]].drop_duplicates()
    if len(known) != 1:
        return ""
    endpoint, horizon = known.iloc[0]
    return f"; lived on: {endpoint} beyond {horizon:.3g} months"


def _progression_lines(content: ReportContent) -> tuple[Cell, ...]:
    """One sentence a split."""
    table = content.table("pseudoprogression_summary")
    if table is None:
        return ()
    lines = []
    for split, part in table.groupby("split", sort=False):
        counts = "; ".join(_counted(row) for row in records(part))
        whole = part["progressive"].sum()
        lines.append(Cell(f"{place_words(content, str(split))}: {whole:g} progressed; {counts}."))
    return tuple(lines)


def _counted(row: Any) -> str:
    unknown = f" and of {row.unknown:g} it is not known" if row.unknown else ""
    return (
        f"of {row.progressive:g} called {row.called} {row.survived:g} lived on, "
        f"{row.died_before:g} died before{unknown}"
    )


def inside_section(content: ReportContent) -> Section:
    """What was chosen, and what it adds to the score."""
    return Section(
        "inside",
        pictures=(
            *drawings.selection_pictures(content),
            *explanation_drawings.explanation_pictures(content),
        ),
    )
