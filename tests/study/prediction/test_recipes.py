"""Every shipped recipe of a prediction study: its words exist, its parts fit each other, its claims
are numbers about things that it names, and nothing unsaid by the paper goes without a note."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from radiogenomics.core.scan import Volume
from radiogenomics.core.schema import parse, read_yaml
from radiogenomics.imaging import settings_preset
from radiogenomics.imaging.regions import with_region
from radiogenomics.models import learner_names
from radiogenomics.models.survival import survival_learner_names
from radiogenomics.study.prediction.checks import check_claims, design_checks, is_labelled, said_by
from radiogenomics.study.prediction.claims import read_claims
from radiogenomics.study.prediction.labels import MarkersLabel, SignatureLabel, TimeLabel
from radiogenomics.study.prediction.schema import ChangeBlock, ImageBlock, PredictionStudy
from radiogenomics.study.recipe import Step
from radiogenomics.study.registry import shipped
from radiogenomics.study.words import STEPS, _defaults

# What pyradiomics gives by default of shape (in space, in a slice) and of each image type.
SHAPE, SHAPE_2D, OTHERS = 14, 9, 93
WITHOUT_NUMBERS = {"wang2024_tfs_ct", "peng2024_myeloid_ct"}

FOLDERS = sorted(
    path.parent
    for path in shipped("analyses").glob("*/study.yaml")
    if read_yaml(path).get("kind") == "prediction"
)
every_recipe = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


@cache
def read(folder: Path) -> PredictionStudy:
    return parse(PredictionStudy, read_yaml(folder / "study.yaml"), where=folder.name)


def steps_of(study: PredictionStudy) -> Iterator[Step]:
    for part in (*study.blocks.values(), *study.models):
        yield from part.steps


@cache
def number_of_features(preset: str) -> int:
    """Count image types on a small volume: each gives the same features, shape comes once."""
    settings = settings_preset(preset)
    voxels = np.random.default_rng(0).normal(60, 30, size=(8, 9, 10)).astype(np.float32)
    everything = tuple(slice(0, n) for n in voxels.shape)
    types = {
        name
        for each in settings.filters
        for name, _ in each.responses(
            voxels, spacing_mm=(1, 1, 1), box=everything, flat_axis=settings.flat_axis
        )
    }
    shape = SHAPE_2D if "shape2D" in settings.families else SHAPE
    return shape + OTHERS * len(types)


@pytest.fixture(scope="module")
def scan() -> Volume:
    """Masks that recipes may name, or make regions of; 5 mm voxels."""
    z, y, x = np.indices((24, 24, 24))
    apart = (z - 12) ** 2 + (y - 12) ** 2 + (x - 12) ** 2
    reach = {"liver": 100, "tumour": 25, "viable_tumour": 9, "spleen": 16}
    masks = {name: (apart < square).astype(np.uint8) for name, square in reach.items()}
    return Volume(np.zeros(apart.shape, dtype=np.float32), masks, (5.0, 5.0, 5.0))


def test_there_are_recipes():
    assert {folder.name for folder in FOLDERS} >= {"lwctr2025_os12_ct", *WITHOUT_NUMBERS}


@every_recipe
def test_recipe_is_named_as_its_folder_and_cited(folder):
    study = read(folder)
    assert study.study == folder.name
    assert re.fullmatch(r"10\.\d{4,}/\S+", study.doi)
    year = re.search(r"20\d\d", folder.name)
    assert year is None or year.group() in study.citation
    assert study.requires == ()


@every_recipe
def test_every_step_and_parameter_builds_something(folder):
    study = read(folder)
    timed = isinstance(study.label, TimeLabel)
    for step in steps_of(study):
        given = {name: value.value for name, value in step.parameters.items()}
        assert set(given) <= set(_defaults(step.step)), step.step
        STEPS[step.step](**given)
        assert timed or not getattr(STEPS[step.step], "needs_survival", False), step.step


@every_recipe
def test_every_learner_exists(folder):
    study = read(folder)
    known = survival_learner_names() if isinstance(study.label, TimeLabel) else learner_names()
    assert {model.learner.value for model in study.models} <= set(known)


@every_recipe
def test_models_join_blocks_that_exist_and_use_all(folder):
    study = read(folder)
    joined = {name for model in study.models for name in model.blocks.value}
    changed = {
        name
        for block in study.blocks.values()
        if isinstance(block, ChangeBlock)
        for name in block.of.value
    }
    assert joined | changed == set(study.blocks)
    names = [each.name for each in (*study.models, *study.rivals)]
    assert len(set(names)) == len(names)


@every_recipe
def test_features_are_read_where_the_library_can(folder, scan):
    for name, block in read(folder).blocks.items():
        if not isinstance(block, ImageBlock):
            continue
        with_region(scan, block.region.value)
        rereads = any(step.step == "icc_filter" for step in block.steps)
        assert not rereads or block.reread.value is not None, name
        if block.kind == "radiomics":
            expected = number_of_features(block.settings.value)
            assert block.features.source != "default" or block.features.value == expected, name


@every_recipe
def test_label_is_complete(folder):
    label = read(folder).label
    if isinstance(label, MarkersLabel):
        assert len(label.cutoffs.value) == len(label.markers.value)
        assert set(label.low.value) <= set(label.markers.value)
    if isinstance(label, SignatureLabel):
        notes = (folder / "NOTES.md").read_text(encoding="utf-8")
        assert "radiogenomics score" in notes and f"`{label.fact.value}`" in notes


@every_recipe
def test_design_and_readouts_fit(folder):
    study = read(folder)
    for name, part in study.design.items():
        assert part.positives.value is None or part.positives.value < part.patients.value, name
    rivals = {rival.name for rival in study.rivals}
    models = {model.name: model for model in study.readouts.cox}
    for model in models.values():
        assert set(model.terms.value) <= {"score", *rivals}
    assert study.readouts.nomogram is None or study.readouts.nomogram.value in models


@every_recipe
def test_simulation_is_about_this_recipe(folder):
    study = read(folder)
    simulated = study.simulation
    assert set(simulated.shares) <= set(study.blocks)
    assert sum(share.value for share in simulated.shares.values()) == pytest.approx(1)
    assert set(simulated.rivals) == {rival.name for rival in study.rivals}
    endpoints = [each.endpoint.value for each in simulated.survival]
    assert len(set(endpoints)) == len(endpoints)
    assert set(endpoints) >= {each.endpoint.value for each in study.readouts.survival}
    label = getattr(study.label, "endpoint", None)
    for each in simulated.survival:
        # Open for the endpoint that makes the label, and for what that endpoint settles.
        own = label is not None and each.endpoint.value == label.value
        assert each.hazard_ratio.value is None or not own, each.endpoint.value
        assert each.hazard_ratio.value is not None or label is not None, each.endpoint.value
    for block in study.blocks.values():
        assert not isinstance(block, ImageBlock) or simulated.informative.value <= (
            block.features.value
        )


@every_recipe
def test_what_is_not_public_is_said(folder):
    """Label, design and settings of extraction: as the paper has them, or with a note."""
    settings = read(folder).settings().set_index("setting")
    here = settings.index.str.match(r"(label|design)\.|blocks\..+\.settings$")
    open_values = settings[here & (settings["provenance"] == "default")]
    assert not list(open_values.index[open_values["note"] == ""])


@every_recipe
def test_claims_are_readable_and_about_this_recipe(folder):
    study, claims = read(folder), read_claims(folder / "claims.csv")
    assert claims.empty == (folder.name in WITHOUT_NUMBERS)
    assert (claims["where"] != "").all()
    check_claims(claims, said_by(study))
    endpoints = {each.endpoint.value for each in study.readouts.survival}
    named = claims["metric"][claims["metric"].str.contains(":")].str.split(":").str[1]
    assert set(named) <= endpoints


@every_recipe
def test_claims_do_not_contradict_sites_and_genes(folder):
    study, claims = read(folder), read_claims(folder / "claims.csv")
    for row in claims[claims["metric"] == "sites"].itertuples():
        sites = [part.sites.value for name, part in study.design.items() if row.split in ("", name)]
        assert row.split == "" or row.value == sites[0]
        assert row.value >= max(sites)
    genes = claims.loc[claims["metric"] == "genes", "value"]
    if isinstance(study.label, SignatureLabel) and len(genes):
        assert set(genes) == {study.label.genes.value}


@every_recipe
def test_simulated_strength_is_a_claim_or_a_default(folder):
    """The strength of the truth is what is claimed of the headline, unless nothing is."""
    study, claims = read(folder), read_claims(folder / "claims.csv")
    if study.simulation.auc.source == "default":
        return
    metric = "c_index" if isinstance(study.label, TimeLabel) else "auc"
    own = claims[(claims["metric"] == metric) & claims["model"].isin([study.models[0].name, ""])]
    assert study.simulation.auc.value in set(own["value"])


@every_recipe
def test_design_checks_say_whose_number_they_assume(folder):
    study = read(folder)
    table = design_checks(study)
    given = study.simulation.auc
    assert table.empty == isinstance(study.label, TimeLabel)
    if table.empty:
        return
    assert set(table["assumed"]) == {given.value} and set(table["source"]) == {given.source}
    assert table["claimed"].isna().all() == (given.source == "default")
    scattered = table["low"].notna()
    labelled = [name for name, part in study.design.items() if is_labelled(part)]
    assert table.loc[scattered, "split"].tolist() == labelled
    assert (table["number"].isna() == scattered).all()


@every_recipe
def test_what_is_called_by_a_bound_has_one(folder):
    claims = read_claims(folder / "claims.csv")
    words = claims["where"].str.contains(r"\b(?:below|above|over|under) \d")
    assert not words.any(), claims.loc[words, "where"].tolist()


def test_bounds_that_are_published():
    bounds = {
        (folder.name, row.metric, row.bound, row.value)
        for folder in FOLDERS
        for row in read_claims(folder / "claims.csv").itertuples()
        if row.bound and row.metric not in ("p", "p:DFS", "p:PFS")
    }
    assert bounds == {
        ("lwctr2025_os12_ct", "brier", "<", 0.25),
        ("min2025_response_ct", "features", ">", 5000),
        ("song2024_hin_mri", "auc", ">", 0.8),
        ("vithayathil2025_os12_ct", "auc", ">", 0.8),
    }


# Nothing public names these values: they are ours.
OURS = {
    "hua2024_response_ct": ("blocks.clinical.facts",),
    "hu2024_response_us": ("blocks.tumour.phase",),
    "qi2024_prsd_ct": ("models.Deep learning.learner",),
    "vithayathil2025_os12_ct": ("readouts.response.responders",),
    "lwctr2025_os12_ct": (
        "label.landmark",
        "design.training.positives",
        "design.external.positives",
    ),
    "zhang2025_time_mri": ("models.Clinical-radiomics.blocks", "models.Combined radiomics.blocks"),
    "liu2025_response_mri": ("blocks.t2.region", "blocks.clinical.facts"),
}


@pytest.mark.parametrize("name", OURS)
def test_what_no_source_says_is_a_default_with_a_note(name):
    settings = read(shipped("analyses") / name).settings().set_index("setting")
    for setting in OURS[name]:
        assert settings.loc[setting, "provenance"] == "default", setting
        assert settings.loc[setting, "note"], setting


def test_the_landmark_is_the_last_week_of_a_follow_up_scan():
    label = read(shipped("analyses") / "lwctr2025_os12_ct").label
    assert label.landmark.value == pytest.approx(10 * 7 / (365.25 / 12), abs=0.05)


@every_recipe
def test_notes_are_short_and_say_what_stands_in(folder):
    lines = (folder / "NOTES.md").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert "| not public | stands in |" in lines
    assert 12 <= len(lines) <= 40


def test_sensitivity_and_specificity_leave_one_split_of_the_independent_patients():
    """`liu2025_itls_swi` derives its positives: here by trying all splits and counts."""
    part = read(shipped("analyses") / "liu2025_itls_swi").design["independent"]
    n = part.patients.value
    fits = {
        cases
        for cases in range(1, n)
        if any(round(hits / cases, 3) == 0.786 for hits in range(cases + 1))
        and any(round(hits / (n - cases), 3) == 0.676 for hits in range(n - cases + 1))
    }
    assert fits == {part.positives.value}
