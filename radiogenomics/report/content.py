"""What an output folder holds, read once and checked at this border."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
from pydantic import ConfigDict

from radiogenomics.core.errors import MissingFileError, SchemaError, short_list
from radiogenomics.core.evidence import Metric
from radiogenomics.core.schema import Record, parse, read_yaml
from radiogenomics.core.signature import Signature
from radiogenomics.report.known_tables import (
    NUMBERS_NAMED_VALUE,
    REQUIRED_COLUMNS,
    TEXT_COLUMNS,
    TEXT_OF_TABLE,
)

SUMMARY = "summary.json"


class MetricRecord(Record):
    """One metric as ``summary.json`` has it; a number that was not finite is null."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    chance: float | None
    n: int
    split: str
    p_permutation: float | None = None
    events: int | None = None


class Summary(Record):
    """``summary.json``; a later version may write further fields, which are left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    study: str
    cohorts: tuple[str, ...]
    seed: int
    version: str
    verdict: str
    metrics: tuple[MetricRecord, ...]
    simulated: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ReportContent:
    """Everything a report is made of.

    Parameters
    ----------
    study, cohorts, seed, version, verdict
        From ``summary.json``; the discovery cohort comes first.
    metrics
        Headline numbers; a value that was not finite is NaN.
    simulated
        Cohorts in which no patient exists.
    tables
        Tidy tables by name, only those with rows.
    recipe
        ``study.yaml`` as text, and its fields.
    provenance
        ``provenance.json``: inputs, recipe, seed, versions.
    signature
        The locked signature, if the run made one.
    """

    study: str
    cohorts: tuple[str, ...]
    seed: int
    version: str
    verdict: str
    metrics: tuple[Metric, ...]
    simulated: tuple[str, ...] = ()
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    recipe: str = ""
    recipe_fields: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    signature: Signature | None = None

    def table(self, name: str) -> pd.DataFrame | None:
        """Return a table, or None when the run had none of that name."""
        return self.tables.get(name)

    def metric(self, name: str, split: str) -> Metric | None:
        """Return the metric of that name and split, or None when the run had none."""
        return next((m for m in self.metrics if (m.name, m.split) == (name, split)), None)

    def notes(self, level: str) -> tuple[str, ...]:
        """Texts of the notes of one level."""
        notes = self.table("notes")
        return () if notes is None else tuple(notes.loc[notes["level"] == level, "text"])


def read_content(folder: str | Path) -> ReportContent:
    """Read the output folder of a run.

    Only ``summary.json`` must be there; what else is absent is a part the run did not have.

    Parameters
    ----------
    folder
        What ``radiogenomics run --out`` wrote.

    Raises
    ------
    MissingFileError
        There is no such folder, or no ``summary.json`` in it.
    SchemaError
        A file is not what its name says.
    """
    folder = Path(folder)
    if not (folder / SUMMARY).is_file():
        raise MissingFileError(
            f"expected the output folder of a run, with {SUMMARY} in it, at {folder}; found "
            f"{_found(folder)}. Name the folder given as --out, or run the study first."
        )
    summary = parse(Summary, _read_json(folder / SUMMARY), where=SUMMARY)
    recipe, fields = _read_recipe(folder / "study.yaml")
    provenance = folder / "provenance.json"
    signature = folder / "signature.json"
    return ReportContent(
        study=summary.study,
        cohorts=summary.cohorts,
        seed=summary.seed,
        version=summary.version,
        verdict=summary.verdict,
        metrics=tuple(_metric(record) for record in summary.metrics),
        simulated=_simulated(summary, folder),
        tables=_read_tables(folder / "tables"),
        recipe=recipe,
        recipe_fields=fields,
        provenance=_read_json(provenance) if provenance.is_file() else {},
        signature=Signature.from_json(_text(signature)) if signature.is_file() else None,
    )


def _found(folder: Path) -> str:
    if not folder.exists():
        return "nothing"
    if not folder.is_dir():
        return "a file"
    names = sorted(path.name for path in folder.iterdir())
    return f"a folder with {', '.join(names[:5])}" if names else "an empty folder"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise SchemaError(
            f"{path.name}: expected UTF-8 text; found other bytes. Run the study again."
        ) from None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise SchemaError(
            f"{path.name}: expected JSON; found text that is not ({error}). Run the study again."
        ) from None
    if not isinstance(content, dict):
        raise SchemaError(
            f"{path.name}: expected an object with named fields; found "
            f"{type(content).__name__}. Run the study again."
        )
    return content


def _read_recipe(path: Path) -> tuple[str, Mapping[str, Any]]:
    return (_text(path), read_yaml(path)) if path.is_file() else ("", {})


def _metric(record: MetricRecord) -> Metric:
    numbers = {name: getattr(record, name) for name in ("value", "low", "high")}
    known = {name: math.nan if number is None else number for name, number in numbers.items()}
    return Metric(**{**record.model_dump(), **known})


def _simulated(summary: Summary, folder: Path) -> tuple[str, ...]:
    """Cohorts named as simulated in the summary, or marked so in the cohort flow."""
    named = set(summary.simulated)
    flow = _read_table(folder / "tables" / "cohort_flow.csv")
    if flow is not None and {"cohort", "simulated"} <= set(flow.columns):
        named |= set(flow.loc[flow["simulated"].astype(str).str.lower() == "true", "cohort"])
    return (*[c for c in summary.cohorts if c in named], *sorted(named - set(summary.cohorts)))


def _read_tables(folder: Path) -> Mapping[str, pd.DataFrame]:
    found = {path.stem: _read_table(path) for path in sorted(folder.glob("*.csv"))}
    return MappingProxyType({name: table for name, table in found.items() if table is not None})


def _read_table(path: Path) -> pd.DataFrame | None:
    """Read one table; None when it is absent or has no rows.

    Names are text even where they look like numbers or like a missing value (a gene may be called
    NAN); a converter is what keeps pandas from guessing.
    """
    if not path.is_file():
        return None
    text = [c for c in TEXT_COLUMNS if c != "value" or path.stem not in NUMBERS_NAMED_VALUE]
    text += TEXT_OF_TABLE.get(path.stem, ())
    try:
        header = pd.read_csv(path, nrows=0, encoding="utf-8")
        table = pd.read_csv(
            path, encoding="utf-8", converters={c: str for c in text if c in header.columns}
        )
    except pd.errors.EmptyDataError:
        return None
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise SchemaError(
            f"tables/{path.name}: expected a table as CSV; found something else ({error}). "
            "Run the study again."
        ) from None
    missing = [c for c in REQUIRED_COLUMNS.get(path.stem, ()) if c not in table]
    if missing:
        raise SchemaError(
            f"tables/{path.name}: expected the columns {', '.join(REQUIRED_COLUMNS[path.stem])}; "
            f"found no {short_list(missing)}. Run the study again."
        )
    return table if len(table) else None
