"""Every shipped recipe runs end to end, from files that are simulated by its own design.

The quick tests run a copy with fewer folds on the fewest patients; the slow ones run the recipe as
it is shipped.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from scipy.stats import binom

from radiogenomics.core.errors import MissingExtraError, StudyError
from radiogenomics.core.evidence import Metric
from radiogenomics.io import load_cohort
from radiogenomics.study import PredictionStudy, Results, check, compare, run_simulated, show
from radiogenomics.study.prediction.checks import is_labelled
from radiogenomics.study.prediction.labels import TimeLabel
from radiogenomics.study.registry import find_study, study_names

pytestmark = pytest.mark.filterwarnings("ignore::radiogenomics.core.errors.RadiogenomicsWarning")
# Their selection is by rank; a LASSO in each fold of each permutation takes minutes.
QUICK_AS_SHIPPED = (
    "hu2024_response_us",
    "peng2024_myeloid_ct",
    "song2024_hin_mri",
    "wang2024_tfs_ct",
    "xin2023_rnets_ct",
    "zhang2025_time_mri",
)
FEW: dict[str, Any] = {
    "folds": 3,
    "inner_folds": 2,
    "repeats": 1,
    "permutations": 1,
    "outcome_permutations": 19,
    "signature_repeats": 1,
    "random_signatures": 3,
    "comparators": [],
}
SMALL: dict[str, Any] = {"scale": 0.05, "features": 30, "permutations": 0, "jobs": 1}
FEW_VOXELS: dict[str, Any] = {"voxels": [24, 32, 32], "view": [8, 16, 16], "epochs": 1}
# Its Cox model of 19 variables wants as many events in each inner fold.
MORE: dict[str, dict[str, Any]] = {"xu2025_os_ct": {"scale": 0.2}}
CHEAP = "peng2024_myeloid_ct"


@dataclass(frozen=True)
class Ran:
    """A finished run: its recipe, its results, and the folder around data and report."""

    study: str
    results: Results
    folder: Path

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.folder / "result" / "tables" / f"{name}.csv")


def with_few_folds(name: str, folder: Path) -> Path:
    """A copy of a shipped recipe, and its claims, that takes seconds instead of minutes."""
    source, copy = find_study(name), folder / name
    copy.mkdir()
    shutil.copy(source.with_name("claims.csv"), copy)
    fields = yaml.safe_load(source.read_text(encoding="utf-8"))
    for section in ("evaluation", "model"):
        for word, given in fields.get(section, {}).items():
            given["value"] = FEW.get(word, given["value"])
    for word, given in (fields.get("simulation", {}).get("scans") or {}).items():
        given["value"] = FEW_VOXELS.get(word, given["value"])
    (copy / "study.yaml").write_text(yaml.safe_dump(fields, sort_keys=False), encoding="utf-8")
    return copy


@pytest.fixture(scope="module", params=study_names())
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("every")
    copy = with_few_folds(request.param, folder)
    try:
        words = SMALL | MORE.get(request.param, {})
        results = run_simulated(copy, out=folder / "out", **words)
    except MissingExtraError as error:
        pytest.skip(str(error))
    return Ran(request.param, results, folder / "out")


def test_it_ends_in_a_report_about_simulated_patients(ran):
    page = (ran.folder / "result" / "report.html").read_text(encoding="utf-8")
    assert ran.study in page and "simulated" in page.lower()
    summary = json.loads((ran.folder / "result" / "summary.json").read_text(encoding="utf-8"))
    assert summary["study"] == ran.study and summary["verdict"]
    assert summary["simulated"] == summary["cohorts"] == list(ran.results.cohorts)
    assert {metric["split"] for metric in summary["metrics"]} > {"cross-validation"} or (
        len(ran.results.cohorts) == 1
    )


def test_its_tables_are_there(ran):
    tables = {path.stem for path in (ran.folder / "result" / "tables").glob("*.csv")}
    study = show(ran.study)
    timed = isinstance(study, PredictionStudy) and isinstance(study.label, TimeLabel)
    of_learners = "concordances" if timed else "learners"
    assert tables >= {of_learners, "cohort_flow", "settings", "predictions"}
    assert timed or tables >= {"roc", "calibration"}
    claims = pd.read_csv(find_study(ran.study).with_name("claims.csv"))
    assert len(ran.table("claims")) == len(claims)
    if not isinstance(study, PredictionStudy):
        return
    assert tables >= {"design_checks", "study_design", "selection"}
    assert timed or "decision_curve" in tables
    learners = ran.table(of_learners).query("split == 'cross-validation'")
    assert list(learners["learner"]) == [each.name for each in (*study.models, *study.rivals)]
    assert learners["c_index" if timed else "auc"].between(0, 1).all()
    parts = [name for name in study.design if f"{study.study}-{name}" in ran.results.cohorts]
    assert parts == list(study.design)
    labelled = {name for name, part in study.design.items() if is_labelled(part)}
    assert timed or set(ran.table("design_checks")["split"]) == labelled


def test_claims_beside_what_was_obtained(ran):
    table = compare(ran.folder)
    held, verdicts = table["obtained"].notna(), table["verdict"]
    assert not verdicts[~held].str.startswith("claimed").any()
    assert verdicts[held].str.startswith("claimed").all()
    fixed = verdicts.str.endswith("not as many as the paper had")
    if isinstance(show(ran.study), PredictionStudy):
        assert not fixed.any()
        return
    assert set(table.loc[held, "metric"]) == {"auc_response", "hazard_ratio"}
    assert (fixed == held).all()
    notes = ran.table("notes")["text"]
    assert notes.str.contains("120 with MR, whatever the paper had").sum() == 1


def test_a_part_without_a_label_has_none_of_its_words(ran):
    study = show(ran.study)
    parts = study.design.items() if isinstance(study, PredictionStudy) else ()
    for name, part in parts:
        if is_labelled(part):
            continue
        columns = pd.read_csv(ran.folder / "data" / name / "patients.csv").columns
        assert study.label.fact.value not in columns
        external = f"external:{study.study}-{name}"
        assert ran.results.findings.metric("auc", split=external) is None
        assert external in {metric.split for metric in ran.results.metrics}


def test_no_patient_is_named_outside_the_data(ran):
    manifests = sorted((ran.folder / "data").glob("*/manifest.yaml"))
    assert len(manifests) == len(ran.results.cohorts)
    cohorts = [load_cohort(path, data_root=path.parent) for path in manifests]
    patients = [patient for cohort in cohorts for patient in cohort.patient_ids]
    assert len(patients) >= 24 * len(cohorts) and all(cohort.simulated for cohort in cohorts)
    for path in sorted((ran.folder / "result").rglob("*")):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert [p for p in patients if p in text] == [], path.name


def test_what_requires_more_is_checked_and_not_run(tmp_path):
    with (with_few_folds(CHEAP, tmp_path) / "study.yaml").open("a", encoding="utf-8") as stream:
        stream.write("requires: [sonar]\n")
    recipe = check(tmp_path / CHEAP)
    assert recipe.study == CHEAP and recipe.requires == ("sonar",)
    with pytest.raises(StudyError, match="requires sonar, which is not there yet"):
        run_simulated(tmp_path / CHEAP, out=tmp_path / "out", **SMALL)
    assert not (tmp_path / "out").exists()


def test_a_report_says_where_scans_and_networks_were_small(ran):
    study, notes = show(ran.study), ran.table("notes")["text"]
    deep = isinstance(study, PredictionStudy) and study.simulation.scans is not None
    assert notes.str.contains("simulated scans, seen in 8 × 16 × 16 voxels").sum() == deep
    parts = list((ran.folder / "data").glob("*/images"))
    assert len(parts) == (len(ran.results.cohorts) if deep else len(parts))


def headline(results: Results) -> Metric:
    found = results.findings.metric("auc", split="cross-validation")
    assert found is not None
    return found


def test_a_strong_truth_is_found_and_permutations_agree(tmp_path):
    """The recipe as shipped, at its full size, by its name."""
    results = run_simulated(CHEAP, out=tmp_path, features=30, permutations=9, jobs=1)
    auc = headline(results)
    assert auc.low > 0.5 and auc.value > 0.65
    assert auc.p_permutation == pytest.approx(1 / 10)
    assert len(results.tables["null"]) >= 9


def test_without_the_effect_nothing_is_found(tmp_path):
    """Of five worlds, fewer than four intervals that cover one half are what 2 in 100 would see."""
    seeds = range(5)
    copy = with_few_folds(CHEAP, tmp_path)
    words = {**SMALL, "scale": 1.0, "effect": False}
    found = [
        headline(run_simulated(copy, out=tmp_path / str(seed), seed=seed, **words))
        for seed in seeds
    ]
    covered = sum(auc.low <= 0.5 <= auc.high for auc in found)
    assert covered >= binom.ppf(0.02, len(seeds), 0.95)
    assert abs(sum(auc.value for auc in found) / len(found) - 0.5) < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK_AS_SHIPPED)
def test_as_shipped_with_a_null_on_a_third_of_the_patients(name, tmp_path):
    results = run_simulated(name, out=tmp_path, scale=0.3, features=60, permutations=2, jobs=1)
    assert (tmp_path / "result" / "report.html").is_file()
    assert 0 <= headline(results).value <= 1
