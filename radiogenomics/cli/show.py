"""What the commands print."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from radiogenomics.io import Audit
from radiogenomics.study import PredictionStudy, Results, Study

WIDTH = 100
# Of an interval this much narrower than its size allows one is told.
TOLD = 1.1
INSIDE = "claimed is inside"


def results_text(results: Results) -> str:
    """Metrics, verdict and where the report lies."""
    lines = ["", *(f"  {metric}" for metric in results.metrics), ""]
    lines += [f"verdict: {results.verdict}"]
    if results.simulated:
        lines += [f"SIMULATED cohorts: {', '.join(results.simulated)}"]
    if results.folder is not None:
        lines += [f"report: {results.folder / 'report.html'}"]
    return "\n".join(lines)


def study_text(study: Study | PredictionStudy) -> str:
    """One recipe as text: question, source, parts, settings with their provenance."""
    lines = [
        study.study,
        textwrap.fill(study.title, WIDTH),
        "",
        textwrap.fill(study.question, WIDTH),
    ]
    lines += ["", f"doi: {study.doi}"]
    if study.requires:
        lines += [f"requires: {', '.join(study.requires)} (checked, not run yet)"]
    if isinstance(study, PredictionStudy):
        lines += ["", *_parts(study)]
    return "\n".join([*lines, "", *_settings(study.settings())])


def claims_text(table: pd.DataFrame) -> str:
    """One claim after the other: what was published, what chance allows, what was obtained."""
    if table.empty:
        return "the paper claims no number."
    held = table["obtained"].notna()
    inside = table.loc[held, "verdict"].str.startswith(INSIDE).sum()
    lines = [f"{held.sum()} of {len(table)} claims held against the run; {inside} lie inside", ""]
    lines += [line for row in table[held].to_dict("records") for line in _claim(row)]
    for verdict, rows in table[~held].groupby("verdict", sort=False):
        claims = (
            f"{_subject(row)} {_bound(row)}{row['claimed']:g}" for row in rows.to_dict("records")
        )
        lines += [_indented(str(verdict), at=0, behind=4), _indented("; ".join(claims), behind=0)]
    return "\n".join(lines)


def gallery_text(table: pd.DataFrame) -> str:
    """How each study went, with its AUC; why a study failed stands below."""
    word = table["status"].str.partition(":")[0].where(~table["status"].str.startswith("req"))
    shown = pd.DataFrame(
        {
            "status": word.fillna(table["status"]).to_numpy(),
            "auc": [_value(*row) for row in table[["auc", "low", "high"]].to_numpy(dtype=float)],
            "p": [_number(p) for p in table["p"].astype(float)],
            "external auc": [_number(auc) for auc in table["external_auc"].astype(float)],
            "seconds": table["seconds"].map("{:.0f}".format, na_action="ignore").fillna("").array,
        },
        index=pd.Index(table["study"], name="study"),
    )
    failed = table[table["status"].str.startswith("failed")]
    return "\n".join([table_text(shown), *(f"{r.study} {r.status}" for r in failed.itertuples())])


def checked_text(table: pd.DataFrame) -> str:
    """What is wrong with recipes, those that are fine left out; the last line is the verdict."""
    lines = [
        f"{row.level}: {row.study}: {row.text}" for row in table.itertuples() if row.level != "ok"
    ]
    errors, warned = (int((table["level"] == level).sum()) for level in ("error", "warning"))
    recipes = table["study"].nunique()
    counted = f"{recipes} recipe{'s' * (recipes != 1)}, {warned} warning{'s' * (warned != 1)}"
    bad = f"not ok: {errors} of {counted}"
    return "\n".join([*lines, bad if errors else f"ok: {counted}"])


def audit_text(audit: Audit) -> str:
    """Cohort flow, overlaps and findings."""
    return str(audit)


def table_text(table: pd.DataFrame) -> str:
    """Return a table of words for the terminal, each column as wide as it must be."""
    cells = table.reset_index().astype(str)
    columns = [[name, *cells[name]] for name in cells]
    widths = [max(map(len, column)) for column in columns]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in zip(*columns, strict=True)
    )


def _parts(study: PredictionStudy) -> Iterator[str]:
    """What a recipe foretells, from which blocks, with which models."""
    label = study.label
    classes = f"class 1 is {label.meaning.value}"
    yield f"foretells: {label.name}; {'a time' if label.rule == 'time_to_event' else classes}"
    for name, block in study.blocks.items():
        steps = ", ".join(step.step for step in block.steps) or "no steps of its own"
        yield _indented(f"block {name} ({block.kind}): {steps}")
    for model in study.models:
        behind = [*(step.step for step in model.steps), model.learner.value]
        way = " > ".join([" + ".join(model.blocks.value), *behind])
        yield _indented(f"model {model.name}: {way}")
    for rival in study.rivals:
        yield _indented(f"rival {rival.name}: {rival.fact.value}, not trained")


def _settings(settings: pd.DataFrame) -> Iterator[str]:
    width = max(map(len, settings["setting"]))
    for row in settings.itertuples():
        yield _indented(f"{row.setting:{width}}  {row.value} ({row.provenance})", behind=width + 2)
        if row.note:
            yield _indented(str(row.note), at=width + 4, behind=0)


def _bound(row: Mapping[Any, Any]) -> str:
    """Sign of a claim that says above or below."""
    bound = row["bound"]
    return f"{bound} " if isinstance(bound, str) and bound else ""


def _claim(row: Mapping[Any, Any]) -> Iterator[str]:
    """One claim that a number was obtained for, in a block of lines."""
    claimed = _value(row["claimed"], row["claimed_low"], row["claimed_high"])
    yield _subject(row)
    yield _indented(f"claimed   {_bound(row)}{claimed} [{row['where']}]")
    if pd.notna(row["low_at_n"]):
        yield _indented(
            f"at n {row['n']:<5}{_range(row['low_at_n'], row['high_at_n'])}{_told(row)}"
        )
    if pd.notna(row["chance_low"]):
        yield _indented(f"chance    {_range(row['chance_low'], row['chance_high'])}")
    if row["size_note"] and pd.notna(row["low_at_n"]):
        yield _indented(f"          {row['size_note']}")
    obtained = _value(row["obtained"], row["obtained_low"], row["obtained_high"])
    yield _indented(f"obtained  {obtained} in {row['held_against']}")
    yield _indented(f"{row['verdict']}")
    yield ""


def _subject(row: Mapping[Any, Any]) -> str:
    model = f" of {row['model']}" if row["model"] else ""
    return f"{row['metric']}{model}{', ' if row['split'] else ''}{row['split']}"


def _told(row: Mapping[Any, Any]) -> str:
    """How much narrower a printed interval is than its size allows."""
    share = row["narrowness"]
    if not isinstance(share, float) or pd.isna(share) or not 0 < share < 1 / TOLD:
        return ""
    return f"; the printed interval is {1 / share:.1f} times narrower"


def _value(value: float, low: float, high: float) -> str:
    return _number(value) + (f" ({_range(low, high)})" if pd.notna(low) else "")


def _range(low: float, high: float) -> str:
    return f"{_number(low)}-{_number(high)}"


def _number(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _indented(text: str, *, at: int = 2, behind: int = 12) -> str:
    """Return a line, folded where it is too long."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=" " * at,
        subsequent_indent=" " * (at + behind),
        break_on_hyphens=False,
    )
