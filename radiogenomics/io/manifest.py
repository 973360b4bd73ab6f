"""Manifests: YAML that says where a cohort's tables lie and what their columns mean.

Never data, never code: paths relative to a data root, checksums, column names, units.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from radiogenomics.core.schema import Record, parse, read_yaml
from radiogenomics.io.layout import Table, Word, require_file

Unit = Literal[
    "counts",
    "TPM",
    "FPKM",
    "log2(TPM+1)",
    "log2(FPKM+1)",
    "log2(CPM+1)",
    "log2(x+1)",
    "log2(x+offset)",
    "z-score",
    "log intensity",
    "feature",
]

_RECIST = ("CR", "PR", "SD", "PD")
CohortId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]


class ColumnRule(Record):
    """Where a fact is read from; a bare string is short for ``{column: ...}``.

    Parameters
    ----------
    column
        Name in the file.
    map
        Value in the file → value of ours; a value that is not listed is an error.
    kind
        ``number`` or ``text``; from the content when not given.
    """

    column: str
    map: dict[Word, bool | int | float | str] | None = None
    kind: Literal["number", "text"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value


class PatientTable(Table):
    """The table of patients.

    Parameters
    ----------
    columns
        Fact of ours → column.
    duplicates
        What happens to a second row of a patient: an error, the first row counts, or numbers are
        averaged (text from the first).
    """

    columns: dict[str, ColumnRule] = Field(default_factory=dict)
    duplicates: Literal["error", "first", "mean"] = "error"

    @model_validator(mode="after")
    def _needs_file(self) -> PatientTable:
        return require_file(self)


class SampleTable(Table):
    """A table that says whose a sample is.

    Parameters
    ----------
    sample, patient
        Columns with the sample's name in the assay and the patient's in the patients' table.
    facts
        Fact of the sample → column, for example ``sample_type`` (tumour, normal, recurrent).
    """

    sample: str
    patient: str
    facts: dict[str, ColumnRule] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _needs_file(self) -> SampleTable:
        return require_file(self)


class AssayTable(Table):
    """Measurements: genes, proteins, image features.

    Parameters
    ----------
    orientation
        ``genes_by_samples`` (one row a variable) or ``samples_by_variables``.
    identifiers
        What variables are called: HGNC ``symbol``, ``ensembl`` (a version is cut off), ``feature``.
    unit
        Of all values.
    variable_column
        Column with the variables' names when they are rows; the first when not given.
    drop
        Columns that are neither variables nor samples.
    facts
        Fact of the sample → column of this table.
    samples
        Table that links samples to patients.
    duplicates
        What happens to a variable that occurs twice.
    repeated_samples
        What happens to a sample name that occurs twice.
    note
        What a user should know before using it.
    """

    orientation: Literal["genes_by_samples", "samples_by_variables"]
    identifiers: Literal["symbol", "ensembl", "feature"]
    unit: Unit
    variable_column: str | None = None
    drop: tuple[str, ...] = ()
    facts: dict[str, ColumnRule] = Field(default_factory=dict)
    samples: SampleTable | None = None
    duplicates: Literal["error", "mean", "max", "first"] = "error"
    repeated_samples: Literal["error", "first", "mean"] = "error"
    note: str = ""

    @model_validator(mode="after")
    def _fits(self) -> AssayTable:
        by_variables = self.orientation == "samples_by_variables"
        if not by_variables and (self.parts or self.facts or self.keep or self.id.row):
            raise ValueError("parts, facts, keep and row numbers need samples_by_variables")
        if by_variables and self.variable_column is not None:
            raise ValueError("variable_column needs genes_by_samples")
        return require_file(self)


class Dates(Record):
    """Time in days from two dates: ``until - (since + plus_days)``.

    Parameters
    ----------
    until, since, plus_days
        Columns.
    date_format
        As in ``strftime``.
    verify
        Column with the same time in days where the source states it; a disagreement of more than a
        day is treated like a time that makes no sense.
    """

    until: str
    since: str
    plus_days: str | None = None
    date_format: str = "%Y-%m-%d"
    verify: str | None = None


class SurvivalRule(Table):
    """A time-to-event outcome.

    Parameters
    ----------
    time
        Column, or how the time is made of dates.
    event
        Column with 0/1, or a column with a map to 0/1.
    time_unit
        Of the column; dates give days.
    origin
        What time zero is.
    incomplete
        ``drop`` leaves out, and counts, patients whose time is negative or not a number, or who
        have an event without a time; otherwise they are an error. A blank time without an event
        always means that the patient lacks the outcome.
    """

    kind: Literal["survival"]
    time: str | Dates
    event: ColumnRule
    time_unit: Literal["days", "weeks", "months", "years"] | None = None
    origin: str = "not stated"
    incomplete: Literal["error", "drop"] = "error"
    note: str = ""

    @model_validator(mode="after")
    def _unit(self) -> SurvivalRule:
        if isinstance(self.time, str) and self.time_unit is None:
            raise ValueError("time_unit: expected days, weeks, months or years; found none")
        if isinstance(self.time, Dates) and self.time_unit not in (None, "days"):
            raise ValueError("time_unit: times made of dates are in days")
        return self


class ResponseRule(Table):
    """An ordered category.

    Parameters
    ----------
    column, map
        Column, and value in the file → category.
    criterion
        ``mRECIST``, ``RECIST 1.1``, ``pathological``, or what the source says.
    order
        Categories from best to worst; those of the map, or CR, PR, SD, PD, when not given.
    """

    kind: Literal["response"]
    column: str
    criterion: str
    map: dict[Word, str] | None = None
    order: tuple[str, ...] = ()
    note: str = ""

    def categories(self) -> tuple[str, ...]:
        """Categories from best to worst."""
        return self.order or tuple(dict.fromkeys((self.map or {}).values())) or _RECIST


class ScanTable(Table):
    """A list of images: one row a scan.

    Columns ``patient_id, modality, phase, time_point, image`` and one ``mask_<region>`` a region;
    the paths in it are relative to the list itself. ``series`` chooses in a folder that holds
    several; ``label_<region>``, ``roi_<region>`` and ``repair_<region>`` say which value, segment
    or structure of the mask is meant, and what happens to one on another grid.
    """

    @model_validator(mode="after")
    def _needs_file(self) -> ScanTable:
        return require_file(self)


OutcomeRule = Annotated[SurvivalRule | ResponseRule, Field(discriminator="kind")]


class Manifest(Record):
    """A cohort: its tables, their meaning, and on what terms it may be used."""

    cohort: CohortId
    title: str = ""
    licence: str = "not stated"
    citation: str = "not stated"
    note: str = ""
    simulated: bool = False
    patients: PatientTable
    assays: dict[str, AssayTable] = Field(default_factory=dict)
    outcomes: dict[str, OutcomeRule] = Field(default_factory=dict)
    scans: ScanTable | None = None

    def tables(self) -> dict[str, Table]:
        """Tables with files of their own, by logical name."""
        named: dict[str, Table] = {"patients": self.patients}
        for name, assay in self.assays.items():
            named[f"assays.{name}"] = assay
            if assay.samples is not None:
                named[f"assays.{name}.samples"] = assay.samples
        for name, rule in self.outcomes.items():
            if rule.pieces():
                named[f"outcomes.{name}"] = rule
        if self.scans is not None:
            named["scans"] = self.scans
        return named


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest.

    Raises
    ------
    MissingFileError
        There is no such file.
    SchemaError
        It is not plain YAML, or a word, type or path in it is wrong; near matches are named.
    """
    path = Path(path)
    return parse(Manifest, read_yaml(path), where=path.name)
