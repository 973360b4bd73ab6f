"""Bad input, from the outside: each a specific error or finding, and nothing half-written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from radiogenomics.core.errors import (
    AlignmentError,
    ChecksumError,
    DataError,
    MissingFileError,
    OutcomeError,
    RadiogenomicsError,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.io import audit, load_cohort, output_folder

N = 24


class Case:
    """A sound cohort that a test spoils."""

    def __init__(self, root: Path, rng: np.random.Generator) -> None:
        self.root = root
        ids = [f"P{number}" for number in range(N)]
        self.clinical = pd.DataFrame(
            {
                "id": ids,
                "age": rng.integers(40, 80, N).astype(float),
                "months": rng.uniform(1, 60, N),
                "event": [1.0, 0.0] * (N // 2),
                "response": ["CR", "PD"] * (N // 2),
            }
        )
        self.rna = pd.DataFrame(
            rng.normal(6, 1, (N, 3)),
            index=pd.Index(ids, name="id"),
            columns=["KPNA2", "SMG5", "TP53"],
        )
        self.manifest: dict[str, Any] = {
            "cohort": "bad",
            "patients": {"file": "clinical.csv", "id": {"column": "id"}, "columns": {"age": "age"}},
            "assays": {
                "rna": {
                    "file": "rna.csv",
                    "orientation": "samples_by_variables",
                    "identifiers": "symbol",
                    "unit": "log2(TPM+1)",
                }
            },
            "outcomes": {
                "OS": {
                    "kind": "survival",
                    "time": "months",
                    "event": "event",
                    "time_unit": "months",
                },
                "response": {"kind": "response", "column": "response", "criterion": "mRECIST"},
            },
        }

    def save(self) -> Path:
        self.clinical.to_csv(self.root / "clinical.csv", index=False)
        self.rna.to_csv(self.root / "rna.csv")
        path = self.root / "manifest.yaml"
        path.write_text(yaml.safe_dump(self.manifest, sort_keys=False), encoding="utf-8")
        return path


@pytest.fixture
def case(tmp_path: Path, rng: np.random.Generator) -> Case:
    return Case(tmp_path, rng)


def missing_file(case: Case) -> None:
    case.manifest["assays"]["rna"]["file"] = "rnaa.csv"


def wrong_checksum(case: Case) -> None:
    case.manifest["assays"]["rna"]["sha256"] = "0" * 64


def unknown_column(case: Case) -> None:
    case.manifest["patients"]["columns"]["age"] = "agee"


def duplicated_patient(case: Case) -> None:
    case.clinical.loc[1, "id"] = "P0"


def duplicated_sample(case: Case) -> None:
    case.rna.index = ["P0", *case.rna.index[:-1]]


def duplicated_gene(case: Case) -> None:
    case.rna.columns = ["KPNA2", "SMG5", "KPNA2"]


def strange_ids(case: Case) -> None:
    case.rna.index = [f"TCGA-{n:04d}" for n in range(N)]


def negative_time(case: Case) -> None:
    case.clinical.loc[3, "months"] = -2.0


def event_without_time(case: Case) -> None:
    case.clinical.loc[2, "months"] = np.nan


def text_time(case: Case) -> None:
    case.clinical = case.clinical.astype({"months": object})
    case.clinical.loc[2, "months"] = "lost"


def event_of_two(case: Case) -> None:
    case.clinical.loc[2, "event"] = 2.0


def foreign_category(case: Case) -> None:
    case.clinical.loc[2, "response"] = "NE"


def text_in_matrix(case: Case) -> None:
    case.rna = case.rna.astype(object)
    case.rna.iloc[0, 0] = "high"


def infinite_value(case: Case) -> None:
    case.rna.iloc[0, 0] = np.inf


def not_a_workbook(case: Case) -> None:
    (case.root / "rna.xlsx").write_text("<html><body>Sign in to download</body></html>")
    case.manifest["assays"]["rna"]["file"] = "rna.xlsx"


def empty_file(case: Case) -> None:
    (case.root / "empty.csv").touch()
    case.manifest["assays"]["rna"]["file"] = "empty.csv"


def climbing_path(case: Case) -> None:
    case.manifest["assays"]["rna"]["file"] = "../rna.csv"


def misspelt_word(case: Case) -> None:
    case.manifest["assays"]["rna"]["orientaton"] = "x"


def misspelt_unit(case: Case) -> None:
    case.manifest["assays"]["rna"]["unit"] = "log2(TPM)"


BAD: list[tuple[Callable[[Case], None], type[RadiogenomicsError], str]] = [
    (missing_file, MissingFileError, "rnaa.csv"),
    (wrong_checksum, ChecksumError, "expected SHA-256 000000000000"),
    (unknown_column, UnknownNameError, "did you mean 'age'"),
    (duplicated_patient, AlignmentError, "1 repeated \\(P0\\)"),
    (duplicated_sample, AlignmentError, "1 repeated \\(P0\\)"),
    (duplicated_gene, AlignmentError, "1 repeated \\(KPNA2\\)"),
    (strange_ids, AlignmentError, "TCGA-0000.*patients: P0"),
    (negative_time, OutcomeError, "negative.*P3"),
    (event_without_time, OutcomeError, "event without a time.*P2"),
    (text_time, OutcomeError, "text instead of a number.*P2"),
    (event_of_two, OutcomeError, "coded 0/1; found 2"),
    (foreign_category, OutcomeError, "NE"),
    (text_in_matrix, DataError, "'high'"),
    (infinite_value, DataError, "infinite"),
    (not_a_workbook, DataError, "xlsx that can be read"),
    (empty_file, DataError, "empty file"),
    (climbing_path, SchemaError, "below the data root"),
    (misspelt_word, SchemaError, "did you mean orientation"),
    (misspelt_unit, SchemaError, "log2\\(TPM\\+1\\)"),
]


@pytest.mark.parametrize(
    ("spoil", "error", "message"), BAD, ids=lambda v: getattr(v, "__name__", "")
)
def test_specific_error_and_finding(
    case: Case, spoil: Callable[[Case], None], error: type[RadiogenomicsError], message: str
) -> None:
    spoil(case)
    path = case.save()
    with pytest.raises(error, match=message):
        load_cohort(path, data_root=case.root)
    found = audit(path, data_root=case.root)
    assert not found.ok
    assert all(finding.expected and finding.found and finding.do for finding in found.findings)


def test_sound_as_it_is(case: Case) -> None:
    assert audit(case.save(), data_root=case.root).ok


def test_blank_time_of_a_living_patient_is_left_out(case: Case) -> None:
    case.clinical.loc[1, "months"] = np.nan
    cohort = load_cohort(case.save(), data_root=case.root)
    assert len(cohort.survival("OS").time) == N - 1


@pytest.mark.parametrize(
    ("column", "values", "what"),
    [
        ("event", [1.0] * 9 + [0.0] * (N - 9), "outcome OS"),
        ("response", ["CR"] * N, "outcome response"),
    ],
)
def test_too_few_events_and_one_class(
    case: Case, column: str, values: list[object], what: str
) -> None:
    case.clinical[column] = values
    path = case.save()
    load_cohort(path, data_root=case.root)
    errors = [f for f in audit(path, data_root=case.root).findings if f.level == "error"]
    assert [finding.what for finding in errors] == [what]


def test_constant_features_are_told(case: Case) -> None:
    case.rna["TP53"] = 4.2
    found = audit(case.save(), data_root=case.root)
    assert found.ok and "1 of 3 constant (TP53)" in [f.found for f in found.findings]


def test_a_gene_that_is_not_there(case: Case) -> None:
    table = load_cohort(case.save(), data_root=case.root).assay("rna")
    with pytest.raises(UnknownNameError, match="'KPNA3': did you mean 'KPNA2'"):
        table.select(["KPNA3"])


def test_counts_declared_as_log2(case: Case) -> None:
    case.rna = (case.rna * 100).round()
    (finding,) = [f for f in audit(case.save(), data_root=case.root).findings if f.level == "error"]
    assert finding.what == "assay rna" and "counts" in finding.found


def test_object_tags_run_nothing(case: Case) -> None:
    path = case.save()
    proof = case.root / "proof"
    path.write_text(f"cohort: !!python/object/apply:os.system ['touch {proof}']\n")
    with pytest.raises(SchemaError, match="Object tags"):
        load_cohort(path, data_root=case.root)
    assert not proof.exists()


def test_markup_in_names_stays_text(case: Case) -> None:
    evil = "<img src=x onerror=alert(1)>"
    case.clinical.loc[0, "id"] = evil
    case.rna = case.rna.rename(index={"P0": evil}, columns={"TP53": evil})
    case.manifest["title"] = case.manifest["licence"] = evil
    path = case.save()
    cohort = load_cohort(path, data_root=case.root)
    for shown in (cohort, cohort.assay("rna"), audit(path, data_root=case.root)):
        page = shown._repr_html_()
        assert "<img" not in page
        assert "&lt;img" in page


def test_nothing_half_written(case: Case) -> None:
    missing_file(case)
    path, out = case.save(), case.root / "results" / "run"
    with pytest.raises(MissingFileError), output_folder(out) as writer:
        writer.write_text("study.yaml", "started")
        load_cohort(path, data_root=case.root)
    assert not out.parent.exists()
