"""Bad input through a whole run: a specific error, exit code 2 in one line, nothing half-written.

What a manifest alone can get wrong is tried in test_bad_manifests.py; here the same data go into
``run`` and into the command line, with all that a recipe asks of them.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import radiogenomics as rg
from radiogenomics.cli.main import main
from radiogenomics.core.errors import (
    AlignmentError,
    ChecksumError,
    DataError,
    MissingFileError,
    OutcomeError,
    RadiogenomicsError,
    SchemaError,
    StudyError,
    UnknownNameError,
)
from radiogenomics.study.registry import find_study

N = 40
GENES = ("KPNA2", "SMG5", "TP53")


class Brought:
    """A sound cohort and recipe that a test spoils; with images there is a surrogate too."""

    def __init__(self, root: Path, rng: np.random.Generator) -> None:
        self.root = root
        ids = [f"HCC_{number:03d}" for number in range(N)]
        risk = rng.normal(size=N)
        self.clinical = pd.DataFrame(
            {
                "id": ids,
                "months": rng.exponential(20 * np.exp(-risk)) + 0.5,
                "event": [1.0, 1.0, 0.0, 1.0] * (N // 4),
                "response": ["CR", "PD"] * (N // 2),
            }
        )
        index = pd.Index(ids, name="id")
        self.rna = pd.DataFrame(rng.normal(6, 1, (N, 3)), index=index, columns=list(GENES))
        self.rna["KPNA2"] += risk
        self.images = pd.DataFrame(
            rng.normal(size=(N, 4)), index=index, columns=[f"texture_{i}" for i in range(4)]
        )
        self.images["texture_0"] += 2 * risk
        table = {"orientation": "samples_by_variables", "id": {"column": "id"}}
        self.manifest: dict[str, Any] = {
            "cohort": "bad",
            "patients": {"file": "clinical.csv", "id": {"column": "id"}},
            "assays": {
                "rna": {
                    "file": "rna.csv",
                    "identifiers": "symbol",
                    "unit": "log2(TPM+1)",
                    **table,
                },
                "radiomics": {
                    "file": "images.csv",
                    "identifiers": "feature",
                    "unit": "feature",
                    **table,
                },
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
        self.recipe: dict[str, Any] = yaml.safe_load(
            find_study("jtm2025_irs_ctmr").read_text(encoding="utf-8")
        )
        small = {"repeats": 1, "permutations": 1, "outcome_permutations": 9, "random_signatures": 0}
        for name, value in small.items():
            self.recipe["evaluation"][name]["value"] = value
        self.recipe["model"]["comparators"]["value"] = []
        self.study = "study.yaml"

    def save(self) -> tuple[Path, Path]:
        """Write everything; return recipe and manifest."""
        self.clinical.to_csv(self.root / "clinical.csv", index=False)
        self.rna.to_csv(self.root / "rna.csv")
        self.images.to_csv(self.root / "images.csv")
        manifest, recipe = self.root / "manifest.yaml", self.root / "study.yaml"
        manifest.write_text(yaml.safe_dump(self.manifest, sort_keys=False), encoding="utf-8")
        recipe.write_text(yaml.safe_dump(self.recipe, sort_keys=False), encoding="utf-8")
        return self.root / self.study, manifest


@pytest.fixture
def brought(tmp_path: Path, rng: np.random.Generator) -> Brought:
    root = tmp_path / "brought"
    root.mkdir()
    return Brought(root, rng)


def missing_file(case: Brought) -> None:
    case.manifest["assays"]["rna"]["file"] = "rnaa.csv"


def wrong_checksum(case: Brought) -> None:
    case.manifest["assays"]["radiomics"]["sha256"] = "0" * 64


def unknown_column(case: Brought) -> None:
    case.manifest["outcomes"]["OS"]["time"] = "month"


def duplicated_patient(case: Brought) -> None:
    case.clinical.loc[1, "id"] = "HCC_000"


def duplicated_sample(case: Brought) -> None:
    case.images.index = pd.Index(["HCC_001", *case.images.index[1:]], name="id")


def ids_that_match_nowhere(case: Brought) -> None:
    case.rna.index = pd.Index([f"TCGA-{n:04d}" for n in range(N)], name="id")


def images_of_other_patients(case: Brought) -> None:
    case.images.index = pd.Index([f"CT{n:04d}" for n in range(N)], name="id")
    case.manifest["assays"]["radiomics"]["id"]["linked"] = False


def negative_time(case: Brought) -> None:
    case.clinical.loc[3, "months"] = -2.0


def event_without_time(case: Brought) -> None:
    case.clinical.loc[0, "months"] = np.nan


def nine_events(case: Brought) -> None:
    case.clinical["event"] = [1.0] * 9 + [0.0] * (N - 9)


def nobody_dies(case: Brought) -> None:
    case.clinical["event"] = 0.0


def one_class(case: Brought) -> None:
    case.recipe["label"]["weights"]["value"] = [1.0, 1.0]
    case.recipe["label"]["cutoff"]["value"] = 100.0


def absent_gene(case: Brought) -> None:
    case.rna = case.rna.rename(columns={"KPNA2": "KPNA3"})


def constant_gene(case: Brought) -> None:
    case.rna["SMG5"] = 4.2


def constant_features(case: Brought) -> None:
    case.images[:] = 7.0


def features_all_missing(case: Brought) -> None:
    case.images[:] = np.nan


def counts_that_are_negative(case: Brought) -> None:
    case.manifest["assays"]["rna"]["unit"] = "counts"
    case.rna -= 10


def text_in_matrix(case: Brought) -> None:
    case.rna = case.rna.astype(object)
    case.rna.iloc[0, 0] = "high"


def misspelt_study(case: Brought) -> None:
    case.study = "studdy.yaml"


def misspelt_learner(case: Brought) -> None:
    case.recipe["model"]["learner"]["value"] = "swm"


def misspelt_setting(case: Brought) -> None:
    case.recipe["evaluation"]["fold"] = case.recipe["evaluation"].pop("folds")


def more_folds_than_patients(case: Brought) -> None:
    case.recipe["evaluation"]["folds"]["value"] = 50


def weights_of_another_number(case: Brought) -> None:
    case.recipe["label"]["weights"]["value"] = [1.0, 1.0, 1.0]


def a_response_for_an_endpoint(case: Brought) -> None:
    case.recipe["label"]["endpoint"]["value"] = "response"


def no_rna(case: Brought) -> None:
    del case.manifest["assays"]["rna"]


BAD: list[tuple[Callable[[Brought], None], type[RadiogenomicsError], str]] = [
    (missing_file, MissingFileError, r"rnaa\.csv"),
    (wrong_checksum, ChecksumError, r"images\.csv: expected SHA-256 000000000000"),
    (unknown_column, UnknownNameError, "did you mean 'months'"),
    (duplicated_patient, AlignmentError, r"1 repeated \(HCC_000\)"),
    (duplicated_sample, AlignmentError, r"repeated \(HCC_001\)"),
    (ids_that_match_nowhere, AlignmentError, "TCGA-0000"),
    (images_of_other_patients, StudyError, "found 0 .40 with images, 40 with RNA"),
    (negative_time, OutcomeError, "negative.*HCC_003"),
    (event_without_time, OutcomeError, "event without a time.*HCC_000"),
    (nine_events, OutcomeError, "at least 10 events; found 9"),
    (nobody_dies, OutcomeError, "at least 10 events; found 0"),
    (one_class, OutcomeError, "both classes.*found 0 positive"),
    (absent_gene, UnknownNameError, "gene of bad, assay rna 'KPNA2': did you mean 'KPNA3'"),
    (constant_gene, DataError, "SMG5 constant"),
    (constant_features, DataError, "4 constant"),
    (features_all_missing, DataError, "radiomics: expected values; found none"),
    (counts_that_are_negative, DataError, "counts of at least 0"),
    (text_in_matrix, DataError, "'high'"),
    (misspelt_study, UnknownNameError, "unknown study"),
    (misspelt_learner, UnknownNameError, "did you mean 'svm'"),
    (misspelt_setting, SchemaError, "did you mean folds"),
    (more_folds_than_patients, OutcomeError, "50"),
    (weights_of_another_number, SchemaError, "expected 2 finite weights"),
    (a_response_for_an_endpoint, StudyError, "response is a response"),
    (no_rna, StudyError, "expected the assay 'rna' in the discovery cohort; found radiomics"),
]


def files_below(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.mark.parametrize(
    ("spoil", "error", "message"), BAD, ids=lambda value: getattr(value, "__name__", "")
)
@pytest.mark.filterwarnings("ignore::radiogenomics.core.errors.RadiogenomicsWarning")
def test_error_exit_code_and_nothing_written(
    brought: Brought,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Brought], None],
    error: type[RadiogenomicsError],
    message: str,
) -> None:
    spoil(brought)
    recipe, manifest = brought.save()
    before = files_below(tmp_path)
    out = tmp_path / "results" / "run"
    with pytest.raises(error, match=message) as raised:
        rg.run(recipe, cohort=manifest, out=out, jobs=1)
    assert files_below(tmp_path) == before

    words = ["run", recipe, "--cohort", manifest, "--out", out, "--jobs", 1, "--json"]
    monkeypatch.setattr(sys, "argv", ["radiogenomics", "--quiet", *map(str, words)])
    monkeypatch.setattr(logging.getLogger("radiogenomics"), "handlers", [])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code == 2 and said.out == ""
    assert said.err.count("error: ") == 1 and "Traceback" not in said.err
    assert f"error: {raised.value}" in said.err
    assert files_below(tmp_path) == before


def test_sound_as_it_is(brought: Brought, tmp_path: Path) -> None:
    recipe, manifest = brought.save()
    results = rg.run(recipe, cohort=manifest, out=tmp_path / "run", jobs=1)
    assert {m.name for m in results.metrics} >= {"auc", "c_index", "signature_c_index"}
    assert (tmp_path / "run" / "report.html").is_file()
