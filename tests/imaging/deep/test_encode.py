from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest

from radiogenomics.core.errors import DataError, GeometryError, RadiogenomicsWarning
from radiogenomics.core.scan import Scan, Volume
from radiogenomics.imaging import deep
from radiogenomics.imaging.deep.crops import crop_scan
from radiogenomics.imaging.deep.encode import deep_features
from radiogenomics.imaging.deep.encoder import Encoder
from radiogenomics.imaging.deep.presets import EncoderSettings
from radiogenomics.imaging.extract import extract_features
from radiogenomics.imaging.settings import ExtractionSettings

pytest.importorskip("SimpleITK")

SETTINGS = EncoderSettings("resnet18", window=(-100, 250), size=(32, 32), repeat=3)


@dataclass(frozen=True)
class Phantom:
    """Loads a liver with a lesion; can be sent to another process."""

    seed: int
    broken: str = ""

    def __call__(self) -> Volume:
        if self.broken:
            raise GeometryError(self.broken)
        rng = np.random.default_rng(self.seed)
        z, y, x = np.indices((8, 24, 24))
        tumour = ((z - 4) ** 2 + (y - 12) ** 2 + (x - 11) ** 2 < 4**2).astype(np.uint8)
        liver = np.ones_like(tumour)
        return Volume(
            rng.normal(60, 10, tumour.shape) + 30 * tumour,
            {"tumour": tumour, "liver": liver},
            (2.0, 1.0, 1.0),
        )


def scans(count: int, *phases: str) -> list[Scan]:
    return [
        Scan(f"P{n}", "CT", Phantom(10 * n + k), phase)
        for n in range(count)
        for k, phase in enumerate(phases or ("portal",))
    ]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(SETTINGS, seed=4)


def test_table_keeps_the_books_of_the_radiomic_one(encoder: Encoder):
    todo = scans(2, "arterial", "portal")
    todo.append(todo[0])
    found = deep_features(todo, encoder, region="tumour_ring_3mm_in_liver")
    radiomic = extract_features(
        todo,
        ExtractionSettings(bin_width=25, families=["firstorder"]),
        region="tumour_ring_3mm_in_liver",
    )
    assert found.samples.drop(columns="lesions").equals(radiomic.samples.drop(columns="lesions"))
    assert list(found.samples.columns) == list(radiomic.samples.columns)
    assert set(found.variables.columns) == set(radiomic.variables.columns)
    assert found.samples.index[-1] == "P0/CT/arterial/baseline/2"
    assert (found.name, found.n_variables) == ("deep", 512)
    assert list(found.values.columns[[0, -1]]) == ["resnet18_0001", "resnet18_0512"]
    facts = found.variables.iloc[0]
    assert facts[["unit", "family", "image_type", "ibsi_code"]].tolist() == [
        "1",
        "deep",
        "slice",
        "",
    ]
    assert facts["source"] == encoder.origin
    assert "resnet18 2D" in encoder.origin and encoder.weight_hash[:12] in encoder.origin


def test_numbers_depend_on_the_scan_alone(encoder: Encoder):
    todo = scans(4)
    expected = np.concatenate(
        [encoder.features(crop_scan([s.load()], SETTINGS).values[np.newaxis]) for s in todo]
    )
    for batch, jobs in ((16, 1), (1, 1), (3, 1), (2, 2)):
        found = deep_features(todo, encoder, batch=batch, jobs=jobs)
        np.testing.assert_array_equal(found.values.to_numpy(np.float32), expected)
    alone = deep_features(todo[2:3], encoder)
    np.testing.assert_array_equal(alone.values.to_numpy(np.float32)[0], expected[2])


def test_phases_of_a_patient_are_one_row():
    settings = replace(SETTINGS, phases=("arterial", "portal"), repeat=1)
    encoder = Encoder(settings)
    todo = scans(3, "portal", "arterial", "delayed")
    found = deep_features(todo, encoder, name="both", batch=2)
    assert list(found.samples.index) == [f"P{n}/CT/arterial+portal/baseline" for n in range(3)]
    portal, arterial, _ = (scan.load() for scan in todo[3:6])
    expected = encoder.features(crop_scan([arterial, portal], settings).values[np.newaxis])
    np.testing.assert_array_equal(found.per_patient().loc["P1"].to_numpy(np.float32), expected[0])
    with pytest.warns(RadiogenomicsWarning, match="1 of 3 scans failed.*found no portal"):
        fewer = deep_features(todo[1:], encoder)
    assert list(fewer.patient_ids) == ["P1", "P2"]


def test_each_slice_can_have_a_row(encoder: Encoder):
    settings = replace(SETTINGS, view="slices", slices=3, pooling="each")
    found = deep_features(scans(2), Encoder(settings, seed=4), batch=1)
    assert found.samples["slice"].tolist() == [1, 2, 3, 1, 2, 3]
    assert found.samples.index[1] == "P0/CT/portal/baseline/slice 2"
    assert found.samples["patient_id"].tolist() == ["P0"] * 3 + ["P1"] * 3
    middle = found.values[found.samples["slice"] == 2].to_numpy()
    single = deep_features(scans(2), encoder)
    np.testing.assert_allclose(middle, single.values, rtol=1e-4, atol=1e-5)


def test_failed_scans_are_counted_and_the_rest_is_kept(encoder: Encoder):
    todo = scans(3)
    todo[1] = Scan("P1", "CT", Phantom(1, broken="no slices"), "portal")
    with pytest.warns(RadiogenomicsWarning, match="1 of 3 scans failed.*1 × GeometryError: no sl"):
        found = deep_features(todo, encoder, batch=1)
    assert list(found.patient_ids) == ["P0", "P2"]
    with pytest.raises(DataError, match="all 3 scans failed: 3 × UnknownNameError"):
        deep_features(scans(3), encoder, region="spleen")
    with pytest.raises(DataError, match="found 0 and batches of 16"):
        deep_features([], encoder)
    with pytest.raises(DataError, match="batches of at least 1"):
        deep_features(scans(1), encoder, batch=0)


def test_regions_that_jut_out_are_counted():
    settings = replace(SETTINGS, spacing_mm=(0, 1, 1), size=(32, 3))
    with pytest.warns(RadiogenomicsWarning, match="juts out of 2 of 2 views") as caught:
        deep_features(scans(2), Encoder(settings))
    assert caught[0].filename == __file__


def test_neither_imaging_nor_views_import_torch():
    program = (
        "import sys, radiogenomics.imaging, radiogenomics.imaging.deep.crops as crops;"
        "from radiogenomics.imaging.deep import EncoderSettings, scan_arrays;"
        "sys.exit('torch' in sys.modules or 'monai' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_names_of_the_room_are_there():
    for name in deep.__all__:
        assert getattr(deep, name) is not None
    assert dir(deep) == sorted(deep.__all__)
    with pytest.raises(AttributeError, match="no attribute 'encode_all'"):
        _ = deep.encode_all
