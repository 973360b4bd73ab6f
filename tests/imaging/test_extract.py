from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from radiogenomics.core.errors import (
    DataError,
    GeometryError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.core.provenance import version
from radiogenomics.core.scan import Scan, Volume
from radiogenomics.imaging import extract_features, features_of_volume, settings_preset
from radiogenomics.imaging.settings import ExtractionSettings

PLAIN = ExtractionSettings(bin_width=25, families=["shape", "firstorder", "glcm"])


@dataclass(frozen=True)
class Phantom:
    """Loads a liver with two lesions; can be sent to another process."""

    seed: int
    gain: float = 1.0
    radius: float = 4.0
    broken: str = ""

    def __call__(self) -> Volume:
        if self.broken:
            raise GeometryError(self.broken)
        rng = np.random.default_rng(self.seed)
        z, y, x = np.indices((20, 32, 32))
        liver = ((y - 16) ** 2 + (x - 16) ** 2 < 15**2).astype(np.uint8)
        tumour = np.zeros(liver.shape, dtype=np.uint8)
        tumour[(z - 10) ** 2 + (y - 12) ** 2 + (x - 12) ** 2 < self.radius**2] = 1
        tumour[(z - 10) ** 2 + (y - 22) ** 2 + (x - 22) ** 2 < 3**2] = 2
        voxels = rng.normal(60, 10, size=liver.shape) + 30 * (tumour > 0)
        return Volume(self.gain * voxels, {"liver": liver, "tumour": tumour}, (2.0, 1.0, 1.0))


def scans(*loaders: Phantom, phase: str = "arterial") -> list[Scan]:
    return [Scan(f"P{i}", "CT", loader, phase) for i, loader in enumerate(loaders)]


def test_table_has_a_row_a_scan_with_its_facts():
    table = extract_features(scans(Phantom(1), Phantom(2)), PLAIN)
    assert list(table.patient_ids) == ["P0", "P1"]
    facts = table.samples.iloc[0]
    assert facts[["modality", "phase", "time_point", "region", "lesions"]].tolist() == [
        "CT", "arterial", "baseline", "tumour", "largest",
    ]  # fmt: skip
    variable = table.variables.loc["original_glcm_JointEntropy"]
    assert variable[["unit", "family", "image_type", "ibsi_code"]].tolist() == [
        "bit", "glcm", "original", "TU9B",
    ]  # fmt: skip
    assert variable["source"] == f"radiogenomics {version()} native engine, pyradiomics conventions"
    expected = features_of_volume(Phantom(2)(), PLAIN)
    np.testing.assert_array_equal(table.per_patient().loc["P1"], list(expected.values()))


def test_lesion_rule_decides_what_is_measured():
    volume = "original_shape_VoxelVolume"
    tumour = Phantom(1)().mask("tumour")
    for rule, size in (("largest", (tumour == 1).sum()), ("union", (tumour > 0).sum())):
        settings = PLAIN.model_copy(update={"lesions": rule})
        assert features_of_volume(Phantom(1)(), settings)[volume] == 2.0 * size


def test_both_backends_give_one_table():
    pytest.importorskip("radiomics", reason="pyradiomics is not installed")
    native, theirs = (
        extract_features(scans(Phantom(1)), settings_preset("irs"), backend=backend)
        for backend in ("native", "pyradiomics")
    )
    assert list(native.values.columns) == list(theirs.values.columns)
    np.testing.assert_allclose(native.values, theirs.values, rtol=1e-9, atol=1e-9)
    assert set(theirs.variables["source"]) == {"pyradiomics 3.0.1"}


def test_unknown_backend_names_the_near_one():
    with pytest.raises(UnknownNameError, match="did you mean 'native'"):
        features_of_volume(Phantom(1)(), PLAIN, backend="nativ")


def test_each_lesion_can_have_a_row():
    settings = PLAIN.model_copy(update={"lesions": "per_lesion"})
    table = extract_features(scans(Phantom(1)), settings)
    assert list(table.samples["lesion"]) == ["1", "2"]
    assert list(table.samples.index) == [
        "P0/CT/arterial/baseline/lesion 1", "P0/CT/arterial/baseline/lesion 2",
    ]  # fmt: skip
    sizes = table.values["original_shape_VoxelVolume"]
    tumour = Phantom(1)().mask("tumour")
    assert list(sizes) == [2.0 * (tumour == 1).sum(), 2.0 * (tumour == 2).sum()]


def test_label_is_measured_and_an_absent_one_is_named():
    second = PLAIN.model_copy(update={"label": 2})
    volume = "original_shape_VoxelVolume"
    expected = 2.0 * (Phantom(1)().mask("tumour") == 2).sum()
    assert features_of_volume(Phantom(1)(), second)[volume] == expected
    with pytest.raises(GeometryError, match="label 5 in the mask; found 1, 2"):
        features_of_volume(Phantom(1)(), PLAIN.model_copy(update={"label": 5}))


def test_region_of_one_intensity_is_refused_unless_only_its_shape_is_asked_for():
    phantom = Phantom(1)()
    flat = Volume(np.full(phantom.voxels.shape, 7), phantom.masks, phantom.spacing_mm)
    with pytest.raises(GeometryError, match="found 7 in all"):
        features_of_volume(flat, PLAIN)
    only_shape = ExtractionSettings(bin_width=25, families=["shape"])
    assert len(features_of_volume(flat, only_shape)) == 14


def test_liver_normalised_features_do_not_see_the_scanner_gain():
    settings = settings_preset("irs")
    ct, other = (features_of_volume(Phantom(3, gain)(), settings) for gain in (1.0, 0.01))
    np.testing.assert_allclose(list(other.values()), list(ct.values()), rtol=1e-6)
    raw = [features_of_volume(Phantom(3, gain)(), PLAIN) for gain in (1.0, 0.01)]
    assert raw[0]["original_firstorder_Mean"] > 50 * raw[1]["original_firstorder_Mean"]


def test_liver_can_be_the_region_and_the_yardstick():
    found = features_of_volume(Phantom(1)(), settings_preset("irs"), region="liver")
    whole = Phantom(1)().mask("liver")
    assert found["original_shape_VoxelVolume"] == 2.0 * (whole > 0).sum()


def test_failed_scans_are_counted_and_the_rest_is_kept():
    loaders = (Phantom(1), Phantom(2, broken="no slices"), Phantom(3, radius=1.0))
    with pytest.warns(RadiogenomicsWarning, match="1 of 3 scans failed.*1 × GeometryError: no sl"):
        table = extract_features(scans(*loaders), PLAIN.model_copy(update={"minimum_voxels": 5}))
    assert list(table.patient_ids) == ["P0", "P2"]


def test_missing_mask_is_a_reason():
    with pytest.raises(DataError, match="all 2 scans failed: 2 × UnknownNameError: unknown region"):
        extract_features(scans(Phantom(1), Phantom(2)), PLAIN, region="spleen")
    with pytest.raises(UnknownNameError):
        features_of_volume(Phantom(1)(), PLAIN, region="tumor")


def test_no_scans_is_an_error():
    with pytest.raises(DataError, match="found none"):
        extract_features([], PLAIN)


def test_mistakes_in_the_program_are_not_swallowed():
    def loader() -> Volume:
        raise TypeError("not a matter of one scan")

    with pytest.raises(TypeError):
        extract_features([Scan("P0", "CT", loader)], PLAIN)


def test_several_scans_of_one_kind_get_names_of_their_own():
    twice = [Scan("P0", "MR", Phantom(seed)) for seed in (1, 2)]
    names = extract_features(twice, PLAIN).samples.index
    assert list(names) == ["P0/MR/none/baseline", "P0/MR/none/baseline/2"]


def test_processes_give_the_same_table():
    todo = scans(*(Phantom(seed) for seed in range(4)))
    alone, together = (extract_features(todo, PLAIN, jobs=jobs).values for jobs in (1, 2))
    assert alone.equals(together)
