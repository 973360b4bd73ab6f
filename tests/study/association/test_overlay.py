"""Feature maps of a map: which features and patients, exact, and no patient's name on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from radiogenomics import simulate
from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import GeometryError, StudyError, UnknownNameError
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.scan import Volume
from radiogenomics.evaluation.association.map import MapSettings, associate
from radiogenomics.imaging import (
    SETTINGS_PRESETS,
    ExtractionSettings,
    extract_features,
    feature_maps,
)
from radiogenomics.io import pseudonym
from radiogenomics.simulate import SimulatedHCC
from radiogenomics.study.association.draw import draw_map
from radiogenomics.study.association.overlay import (
    feature_overlay,
    overlay_stage,
    overlay_wanted,
)
from radiogenomics.study.association.sides import Sides
from radiogenomics.study.association.stages import Drawn

PLANTED, SECOND = "original_glcm_JointEntropy", "original_firstorder_Mean"
SHAPE = "original_shape_Sphericity"
PARAMETERS = {
    "setting": {"binWidth": 10, "label": 1},
    "imageType": {"Original": {}},
    "featureClass": {
        "shape": ["Sphericity"],
        "firstorder": ["Mean", "Entropy"],
        "glcm": ["JointEntropy", "Idn"],
    },
}
COLUMNS = ["panel", "feature", "patient_id", "cohort", "y", "x", "scan", "value", "inside",
           "spacing_y", "spacing_x"]  # fmt: skip


@dataclass(frozen=True)
class Broken:
    """A file that is not there; its name holds the patient's, as names of files do."""

    patient: str

    def __call__(self) -> Volume:
        raise GeometryError(f"scans/{self.patient}_CT.nii.gz: expected voxels; found none.")


@pytest.fixture(scope="module")
def parameter_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("settings") / "small.yaml"
    path.write_text(yaml.safe_dump(PARAMETERS), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def settings(parameter_file: Path) -> ExtractionSettings:
    return overlay_wanted(parameter_file, "tumour").settings


@pytest.fixture(scope="module")
def world(settings: ExtractionSettings) -> SimulatedHCC:
    """24 patients with CT and the features of it, and RNA in which two of them are heard."""
    made = simulate.hcc_cohort(24, n_genes=150, id="seen", rng=np.random.default_rng(3))
    rna = made.cohort.assay("rna")
    patients = rna.samples["patient_id"].astype(str)
    found = extract_features(made.cohort.scans, settings)
    measured = found.per_patient().loc[patients]
    values = rna.values.iloc[:, :20].copy()
    noise = np.random.default_rng(4).normal(0, 0.05, (len(values), 3))
    for place, feature in enumerate((PLANTED, SHAPE, SECOND)):
        heard = measured[feature].rank(pct=True).to_numpy()
        values[f"HEARD{place}"] = 5 + heard + (1 + place) * noise[:, place]
    tissue = rna.samples.drop(columns="patient_id")
    facts = found.samples.set_index("patient_id").loc[patients].set_axis(rna.samples.index)
    images = FeatureTable.from_frame(
        measured.set_axis(rna.samples.index), name="radiomics", unit="feature", source="extracted",
        samples=facts, patient_id=patients,
    )  # fmt: skip
    table = FeatureTable.from_frame(
        values, name="rna", unit="log2(x+1)", source="made", samples=tissue, patient_id=patients
    )
    cohort = replace(made.cohort, assays={"rna": table}).with_assay(images)
    return replace(made, cohort=cohort)


def drawn(
    cohort: Cohort, *, features: Sequence[str] = (PLANTED, SHAPE, SECOND), known: bool = True
) -> Drawn:
    """The map of a cohort, with few permutations."""
    images = cohort.assay("radiomics").per_patient()[list(features)]
    genes = cohort.assay("rna").per_patient().loc[images.index]
    settings = MapSettings(permutations=19, fewest=6)
    sides = Sides(
        name=cohort.id,
        features=images,
        genes=genes,
        sources=pd.Series("radiomics", index=images.columns),
        covariates=None,
        strata=None,
        counts=pd.DataFrame(),
        notes=(),
        hashes={},
        cohort=cohort if known else None,
    )
    return Drawn(sides, {}, settings, associate(images, genes, settings=settings))


def test_the_most_linked_features_are_shown_where_they_are_highest_and_lowest(
    world: SimulatedHCC, settings: ExtractionSettings
) -> None:
    given = drawn(world.cohort)
    linked = list(given.found.tables["feature_links"]["feature"])
    assert linked == [PLANTED, SHAPE, SECOND]
    found = overlay_stage(given, settings=settings, region="tumour")
    table = found.tables["overlay"]
    assert list(table) == COLUMNS and set(table["cohort"]) == {"seen"}
    # Sphericity is linked more strongly than the mean, but has no place.
    values = world.cohort.assay("radiomics").per_patient()
    panels = table[["feature", "panel", "patient_id"]].drop_duplicates()
    assert list(panels.itertuples(index=False, name=None)) == [
        (feature, panel, getattr(values[feature], best)())
        for feature in (PLANTED, SECOND)
        for panel, best in (("highest", "idxmax"), ("lowest", "idxmin"))
    ]
    assert table.groupby(["feature", "panel"]).size().max() <= 20_000
    ((level, note),) = found.notes
    assert level == "info" and SHAPE in note and "no place" in note


def test_values_are_those_of_the_map_of_the_whole_region(
    world: SimulatedHCC, settings: ExtractionSettings
) -> None:
    found = overlay_stage(drawn(world.cohort), settings=settings, region="tumour", features=1)
    scans = {scan.patient_id: scan for scan in world.cohort.scans}
    for patient, own in found.tables["overlay"].groupby("patient_id"):
        volume = scans[patient].load()
        whole = feature_maps(volume, "tumour", settings, features=[PLANTED])
        inside = volume.mask("tumour") == 1
        place = int(inside.sum(axis=(1, 2)).argmax())
        at = (own["y"], own["x"])
        assert np.array_equal(own["inside"], inside[place][at])
        assert own["inside"].sum() == inside[place].sum() > 20
        assert np.array_equal(own["scan"], volume.voxels[place][at])
        shown = own["inside"].to_numpy()
        assert np.array_equal(own["value"][shown], whole.maps[PLANTED][place][at][shown])
        assert own["value"][~shown].isna().all()
        assert set(own["spacing_y"]) == set(own["spacing_x"]) == {3.0}
        # The region's box, and up to ten voxels around it.
        rows, columns = np.nonzero(inside[place])
        assert own["y"].min() == max(0, rows.min() - 10)
        assert own["x"].max() == min(inside.shape[2] - 1, columns.max() + 10)


def test_a_run_holds_pseudonyms_only(
    world: SimulatedHCC, parameter_file: Path, tmp_path: Path
) -> None:
    manifest = simulate.write_cohort(world, tmp_path / "files")
    plan = tmp_path / "plan.yaml"
    brief = {"permutations": 19, "modules": False, "joint": False, "negative_controls": False}
    plan.write_text(yaml.safe_dump(brief), encoding="utf-8")
    draw_map(
        features=["radiomics"], expression=["rna"], cohort=manifest, data_root=manifest.parent,
        plan=plan, out=tmp_path / "out", jobs=1, settings=parameter_file, region="tumour",
    )  # fmt: skip
    table = pd.read_csv(tmp_path / "out" / "tables" / "overlay.csv")
    assert "patient_id" not in table and set(table["panel"]) == {"highest", "lowest"}
    highest = world.cohort.assay("radiomics").per_patient()[PLANTED].idxmax()
    first = table[(table["feature"] == PLANTED) & (table["panel"] == "highest")]
    assert set(first["patient"]) == {pseudonym("seen", highest)}
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            text = path.read_text("utf-8")
            assert not [patient for patient in world.cohort.patient_ids if patient in text], path
    recipe = yaml.safe_load((tmp_path / "out" / "study.yaml").read_text("utf-8"))
    assert recipe["feature_maps"] == {"settings": "small.yaml", "region": "tumour"}
    assert "small.yaml" in (tmp_path / "out" / "provenance.json").read_text("utf-8")


def test_without_scans_there_is_a_note_and_no_table(
    world: SimulatedHCC, settings: ExtractionSettings
) -> None:
    blind = replace(world.cohort, scans=())
    for given, word in ((drawn(blind), "without scans"), (drawn(blind, known=False), "files")):
        found = overlay_stage(given, settings=settings, region="tumour")
        ((_, note),) = found.notes
        assert not found.tables and word in note


def test_patients_without_a_scan_are_passed_over(
    world: SimulatedHCC, settings: ExtractionSettings
) -> None:
    order = world.cohort.assay("radiomics").per_patient()[PLANTED].sort_values().index
    kept = set(order[3:-3])
    cohort = replace(
        world.cohort, scans=tuple(s for s in world.cohort.scans if s.patient_id in kept)
    )
    found = overlay_stage(drawn(cohort), settings=settings, region="tumour", features=1)
    assert list(found.tables["overlay"]["patient_id"].unique()) == [order[-4], order[3]]
    assert not found.notes


def test_only_shape_gives_a_note(world: SimulatedHCC, settings: ExtractionSettings) -> None:
    given = drawn(world.cohort, features=[SHAPE])
    found = overlay_stage(given, settings=settings, region="tumour")
    ((_, note),) = found.notes
    assert not found.tables and SHAPE in note and "no other feature is left" in note


def test_a_scan_that_cannot_be_read_gives_a_note_and_the_next_patient(
    world: SimulatedHCC, settings: ExtractionSettings
) -> None:
    order = world.cohort.assay("radiomics").per_patient()[PLANTED].sort_values().index
    broken = set(order[-2:])
    cohort = replace(
        world.cohort,
        scans=tuple(
            replace(scan, loader=Broken(scan.patient_id)) if scan.patient_id in broken else scan
            for scan in world.cohort.scans
        ),
    )
    found = overlay_stage(drawn(cohort), settings=settings, region="tumour", features=1)
    assert list(found.tables["overlay"]["patient_id"].unique()) == [order[-3], order[0]]
    ((level, note),) = found.notes
    assert level == "warning" and "2 scans could not be mapped (GeometryError" in note
    assert pseudonym("seen", order[-1]) in note and order[-1] not in note


def test_a_region_that_no_scan_has_gives_notes(
    world: SimulatedHCC, settings: ExtractionSettings
) -> None:
    found = overlay_stage(drawn(world.cohort), settings=settings, region="spleen", features=1)
    assert not found.tables
    assert [level for level, _ in found.notes] == ["warning", "warning"]
    assert all("5 scans could not be mapped (UnknownNameError" in note for _, note in found.notes)


def test_other_settings_than_those_of_the_table_are_told(
    world: SimulatedHCC, settings: ExtractionSettings
) -> None:
    other = settings.model_copy(update={"bin_width": 20.0})
    found = overlay_stage(drawn(world.cohort), settings=other, region="tumour", features=1)
    assert set(found.tables["overlay"]["panel"]) == {"highest", "lowest"}
    assert len(found.notes) == 2 and "in the table" in found.notes[0][1]


def test_features_that_say_the_same_are_shown_once(
    world: SimulatedHCC, settings: ExtractionSettings
) -> None:
    twin = "original_firstorder_Entropy"
    values = world.cohort.assay("radiomics").per_patient()
    assert values[PLANTED].corr(values[twin], method="spearman") >= 0.9
    given = drawn(world.cohort, features=[PLANTED, twin, SECOND])
    assert list(given.found.tables["feature_links"]["feature"])[:2] == [PLANTED, twin]
    found = overlay_stage(given, settings=settings, region="tumour")
    assert list(found.tables["overlay"]["feature"].unique()) == [PLANTED, SECOND]


def test_of_several_scans_the_one_of_the_table_is_taken(
    world: SimulatedHCC, settings: ExtractionSettings
) -> None:
    made = simulate.hcc_cohort(
        24, n_genes=150, id="seen", phases=("portal", "arterial"), rng=np.random.default_rng(3)
    )
    both = replace(world.cohort, scans=made.cohort.scans)
    one, two = (
        overlay_stage(drawn(cohort), settings=settings, region="tumour", features=1)
        for cohort in (world.cohort, both)
    )
    pd.testing.assert_frame_equal(one.tables["overlay"], two.tables["overlay"])
    silent = both.assay("radiomics").adata.copy()
    silent.obs = silent.obs[["patient_id"]]
    unsaid = both.with_assay(FeatureTable("radiomics", silent))
    found = overlay_stage(drawn(unsaid), settings=settings, region="tumour", features=1)
    assert any("several scans of a patient" in note for _, note in found.notes)
    assert any("in the table" in note for _, note in found.notes)


def test_one_patient_with_a_scan_is_one_panel(
    world: SimulatedHCC, settings: ExtractionSettings
) -> None:
    cohort = replace(world.cohort, scans=world.cohort.scans[:1])
    found = overlay_stage(drawn(cohort), settings=settings, region="tumour", features=1)
    assert set(found.tables["overlay"]["panel"]) == {"highest"} and not found.notes
    nobody = world.cohort.assay("radiomics").for_patients(world.cohort.patient_ids[1:])
    given = drawn(cohort.with_assay(nobody))
    found = overlay_stage(given, settings=settings, region="tumour", features=1)
    assert not found.tables and "none of 23 patients" in found.notes[0][1]


def test_settings_and_region_come_together(parameter_file: Path) -> None:
    assert overlay_wanted(None, None) is None
    wanted = overlay_wanted("ct", "tumour")
    assert wanted.settings == SETTINGS_PRESETS["ct"] and wanted.files == ()
    assert overlay_wanted(parameter_file, "tumour").files == (parameter_file,)
    for pair in (("ct", None), (None, "tumour")):
        with pytest.raises(StudyError, match="--settings and --region"):
            overlay_wanted(*pair)
    with pytest.raises(UnknownNameError, match="lwctr"):
        overlay_wanted("lwctrr", "tumour")


def test_a_notebook_maps_a_scan_or_a_volume(
    world: SimulatedHCC, settings: ExtractionSettings, parameter_file: Path
) -> None:
    scan = world.cohort.scans[0]
    named = feature_overlay(scan, PLANTED, settings=parameter_file)
    given = feature_overlay(scan.load(), PLANTED, region="tumour", settings=settings)
    assert np.array_equal(named.values, given.values, equal_nan=True)
    assert named.whole == world.cohort.assay("radiomics").per_patient()[PLANTED].iloc[0]
