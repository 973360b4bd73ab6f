"""Recipes as simulated cohorts: everything a recipe reads is there, and as strong as it says."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import DataError, RadiogenomicsWarning, StudyError
from radiogenomics.core.provenance import hash_file
from radiogenomics.core.schema import parse, read_yaml
from radiogenomics.io import audit, load_cohort
from radiogenomics.simulate.study_cohort import draw_study_cohort, write_study_cohort
from radiogenomics.simulate.study_design import ImageDesign, RivalDesign
from radiogenomics.study.prediction.inputs import read_prediction_inputs
from radiogenomics.study.prediction.reading import Reading
from radiogenomics.study.prediction.scans import as_simulated
from radiogenomics.study.prediction.schema import PredictionStudy
from radiogenomics.study.prediction.simulated import design_of, simulate_study
from radiogenomics.study.prediction.simulated_features import preset_features
from radiogenomics.study.registry import shipped

LWCTR = "lwctr2025_os12_ct"


@cache
def recipe(name: str) -> PredictionStudy:
    path = shipped("analyses") / name / "study.yaml"
    return parse(PredictionStudy, read_yaml(path), where=name)


def altered(study: PredictionStudy, *path: str, **values: object) -> PredictionStudy:
    """A copy with other sourced values in one section."""
    if not path:
        return study.model_copy(update=values)
    section = getattr(study, path[0])
    new = {
        name: getattr(section, name).model_copy(update={"value": value})
        for name, value in values.items()
    }
    return study.model_copy(update={path[0]: section.model_copy(update=new)})


def prediction_recipes() -> list[str]:
    found = sorted(path.parent for path in shipped("analyses").glob("*/study.yaml"))
    return [folder.name for folder in found if "kind: prediction" in _head(folder)]


def _head(folder: Path) -> str:
    return (folder / "study.yaml").read_text("utf-8")[:2000]


def loaded(manifest: Path) -> Cohort:
    return load_cohort(manifest, data_root=manifest.parent)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    out = tmp_path_factory.mktemp("simulated") / "new" / "lwctr"
    return simulate_study(recipe(LWCTR), out, seed=2, scale=0.2, features=120)


def test_cohorts_in_the_order_of_the_design(small: tuple[Path, ...]):
    assert [path.parent.name for path in small] == ["training", "internal", "external"]
    cohorts = [loaded(path) for path in small]
    assert [len(cohort.patient_ids) for cohort in cohorts] == [50, 24, 24]
    assert [cohort.id for cohort in cohorts] == [
        f"{LWCTR}-{part}" for part in ("training", "internal", "external")
    ]
    assert all(cohort.simulated for cohort in cohorts)
    sites = [set(cohort.patients["site"]) for cohort in cohorts]
    assert sites == [{"hospital 1"}, {"hospital 1"}, {"hospital 2", "hospital 3"}]
    assert not {*cohorts[0].patient_ids} & {*cohorts[1].patient_ids}


def test_every_manifest_passes_the_check(small: tuple[Path, ...]):
    for path in small:
        assert audit(path, data_root=path.parent).ok


def test_all_that_the_recipe_reads_is_there(small: tuple[Path, ...]):
    study = recipe(LWCTR)
    facts = len(study.blocks["clinical"].facts.value)
    for place, path in enumerate(small):
        cohort = loaded(path)
        found = read_prediction_inputs(cohort, study, complete=False, jobs=1)
        assert found.features.shape == (len(cohort.patient_ids), 4 * 120 + facts)
        assert found.rivals["mRECIST"].dropna().nunique() == 2
        assert set(found.readings) == (set() if place else {"pre_a", "pre_v", "post_a", "post_v"})
        assert set(cohort.outcomes) == {"OS", "PFS", "CSS", "response"}
        assert cohort.outcomes["response"].order == ("CR", "PR", "SD", "PD")
        assert set(cohort.patients["regimen"]) == {"A", "B"}


def test_features_are_named_as_an_extraction_names_them(small: tuple[Path, ...]):
    names = preset_features("lwctr")
    assert len(names) == len(set(names)) == 1316
    assert {
        "original_shape_MinorAxisLength",
        "wavelet-LLH_gldm_DependenceNonUniformity",
        "log-sigma-5-mm-3D_firstorder_InterquartileRange",
    } & set(names)
    block = design_of(recipe(LWCTR)).images["pre_a"]
    assert block.variables == names
    read = loaded(small[0]).assay("pre_a").values
    assert set(read.columns) < set(names)


def test_later_blocks_repeat_the_scan_before_them():
    design = design_of(recipe(LWCTR))
    assert {name: block.repeats for name, block in design.images.items()} == {
        "pre_a": None,
        "pre_v": None,
        "post_a": "pre_a",
        "post_v": "pre_v",
    }
    assert [block.reread for block in design.images.values()] == [50] * 4
    assert isinstance(design.images["post_a"], ImageDesign)
    assert design.rivals == {
        "mRECIST": RivalDesign("response", 0.649, (("PD",), ("CR", "PR", "SD")), "positive", True)
    }


def test_same_seed_same_bytes(small: tuple[Path, ...], tmp_path: Path):
    again = simulate_study(recipe(LWCTR), tmp_path, seed=2, scale=0.2, features=120)
    for one, other in zip(small, again, strict=True):
        for file in one.parent.iterdir():
            assert hash_file(file) == hash_file(other.parent / file.name)
    with pytest.raises(DataError, match="new or empty folder"):
        simulate_study(recipe(LWCTR), tmp_path, seed=2, scale=0.2, features=120)


def test_at_full_size_the_true_model_has_the_published_auc(tmp_path: Path):
    """Six cohorts' true scores against the labels that the files say."""
    design = design_of(recipe(LWCTR), features=20)
    found = []
    for seed in range(6):
        drawn = draw_study_cohort(design, "training", seed=seed)
        training = write_study_cohort(drawn, tmp_path / str(seed))
        os = loaded(training).survival("OS")
        known = os.event | (os.time > 12)
        truth = pd.read_csv(training.parent / "truth.csv", index_col="patient_id")
        found.append(roc_auc_score(os.time[known] > 12, truth["score"][known]))
    # 252 patients: a standard error of about 0.02 each.
    assert np.mean(found) == pytest.approx(0.875, abs=0.02)


@pytest.mark.parametrize("name", prediction_recipes())
def test_every_recipe_is_simulated_and_read(name: str, tmp_path: Path):
    study, reading = recipe(name), Reading()
    if study.simulation.scans is not None:
        pytest.importorskip("torch")
        scans = study.simulation.scans
        view = scans.view.model_copy(update={"value": (2, 32, 32)})
        smaller = scans.model_copy(update={"view": view})
        simulation = study.simulation.model_copy(update={"scans": smaller})
        study = as_simulated(study.model_copy(update={"simulation": simulation}))
        reading = Reading(view=view.value)
    scale = 0.1 if study.simulation.scans is None else 0.01
    for manifest in simulate_study(study, tmp_path, seed=1, scale=scale, features=40):
        checked = audit(manifest, data_root=manifest.parent)
        assert checked.ok, str(checked)
        cohort = loaded(manifest)
        found = read_prediction_inputs(cohort, study, complete=False, jobs=1, reading=reading)
        assert len(found.features) == len(cohort.patient_ids)
        readouts = study.readouts
        for readout in readouts.survival:
            assert cohort.survival(readout.endpoint.value).n_events >= 10
            assert set(readout.adjust_for.value) <= set(cohort.patients)
        if readouts.subgroups is not None:
            assert set(readouts.subgroups.value) <= set(cohort.patients)
        if readouts.response is not None:
            said = cohort.response(readouts.response.outcome.value)
            assert said.grouped(readouts.response.responders.value).nunique() == 2


def test_fewer_patients_than_the_least_are_left_as_they_are():
    design = design_of(recipe(LWCTR), scale=0.01)
    assert [part.patients for part in design.parts.values()] == [40, 24, 24]


@pytest.mark.parametrize("options", [{"scale": 0.0}, {"scale": 1.5}, {"features": 0}])
def test_numbers_out_of_range_are_refused(options, tmp_path: Path):
    with pytest.raises(DataError, match="expected"):
        simulate_study(recipe(LWCTR), tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_perfect_auc_is_lowered_and_said():
    with pytest.warns(RadiogenomicsWarning, match="do not overlap"):
        design = design_of(altered(recipe(LWCTR), "simulation", auc=1.0))
    assert design.target == 0.999


def test_a_recipe_that_says_too_little_is_refused():
    study = recipe(LWCTR)
    without = study.simulation.model_copy(update={"rivals": {}})
    with pytest.raises(StudyError, match="an AUC of mRECIST"):
        design_of(study.model_copy(update={"simulation": without}))
    without = study.simulation.model_copy(update={"survival": study.simulation.survival[:2]})
    with pytest.raises(StudyError, match="survival of CSS"):
        design_of(study.model_copy(update={"simulation": without}))
