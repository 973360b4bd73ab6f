from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import ndimage

from radiogenomics.core.errors import (
    DataError,
    GeometryError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.core.scan import Scan, Volume
from radiogenomics.imaging.control_features import ControlRule, extract_control_features
from radiogenomics.imaging.extract import extract_features
from radiogenomics.imaging.settings import ExtractionSettings

SETTINGS = ExtractionSettings(bin_width=10, families=("shape", "firstorder", "glcm"))
HISTOGRAM = ("Mean", "Variance", "Skewness", "Median", "Entropy", "90Percentile")


@dataclass(frozen=True)
class Smooth:
    """A ball whose texture is coarse; two lesions where asked for."""

    number: int
    empty: bool = False

    def __call__(self) -> Volume:
        rng = np.random.default_rng([self.number, 8])
        z, y, x = np.indices((12, 28, 28))
        tumour = ((z - 6) * 2) ** 2 + (y - 14) ** 2 + (x - 14) ** 2 < (6 + self.number) ** 2
        noise = ndimage.gaussian_filter(rng.normal(0, 1, tumour.shape), 2)
        voxels = 50 + 200 * noise + 10 * self.number
        mask = np.zeros_like(tumour) if self.empty else tumour
        return Volume(voxels, {"tumour": mask.astype(np.uint8)}, (2.0, 1.0, 1.0))


def scans(*loaders: Smooth) -> list[Scan]:
    return [Scan(f"P{each.number}", "CT", each, "arterial") for each in loaders]


def controlled(volume: Volume, *, scan: str) -> Volume:
    return ControlRule().apply(volume, "tumour", settings=SETTINGS, scan=scan)


def test_shape_and_histogram_stay_and_texture_goes() -> None:
    cohort = scans(*map(Smooth, range(4)))
    real = extract_features(cohort, SETTINGS).values
    control = extract_control_features(cohort, SETTINGS).values
    assert list(control.columns) == list(real.columns)
    kept = [c for c in real if "_shape_" in c] + [f"original_firstorder_{n}" for n in HISTOGRAM]
    np.testing.assert_allclose(control[kept], real[kept], rtol=1e-12)
    # Neighbours in smooth noise are alike; once shuffled they correlate as nothing but chance.
    correlation = "original_glcm_Correlation"
    assert (real[correlation] > 0.5).all()
    assert (control[correlation].abs() < 0.1).all()


def test_a_scan_gives_the_same_control_alone_and_in_company_and_by_any_number_of_jobs() -> None:
    several = extract_control_features(scans(*map(Smooth, range(3))), SETTINGS, jobs=2).values
    alone = extract_control_features(scans(Smooth(2)), SETTINGS).values
    np.testing.assert_array_equal(several.iloc[[2]], alone)
    other = extract_control_features(scans(Smooth(2)), SETTINGS, seed=1).values
    assert not np.array_equal(alone, other)


def test_patients_have_streams_of_their_own() -> None:
    volume = Smooth(1)()
    first, second = (controlled(volume, scan=name) for name in "ab")
    assert not np.array_equal(first.voxels, second.voxels)
    again = controlled(volume, scan="a")
    np.testing.assert_array_equal(first.voxels, again.voxels)


def test_a_control_of_what_is_outside_leaves_the_region() -> None:
    cohort = scans(Smooth(0), Smooth(1))
    real = extract_features(cohort, SETTINGS).values
    control = extract_control_features(cohort, SETTINGS, part="outside").values
    np.testing.assert_array_equal(real, control)


@pytest.mark.parametrize(
    "changes",
    [
        {"lesions": "per_lesion"},
        {"lesions": "mean"},
        {"lesions": "union"},
        {"lesions": "largest"},
        {"lesions": "union", "label": 2},
        {"lesions": "mean", "label": 2},
    ],
)
def test_each_measured_lesion_keeps_its_own_histogram(changes) -> None:
    settings = SETTINGS.model_copy(update=changes)
    cohort = [Scan("P", "CT", two_lesions)]
    real = extract_features(cohort, settings).values
    control = extract_control_features(cohort, settings).values
    kept = [f"original_firstorder_{name}" for name in HISTOGRAM]
    np.testing.assert_allclose(control[kept], real[kept], rtol=1e-12)
    contrast = "original_glcm_Correlation"
    assert (control[contrast] < real[contrast] - 0.2).all()


def two_lesions() -> Volume:
    """A dark lesion numbered 1 and a bright, larger one numbered 2."""
    volume = Smooth(2)()
    z, y, x = np.indices(volume.voxels.shape)
    second = ((z - 6) * 2) ** 2 + (y - 4) ** 2 + (x - 4) ** 2 < 4**2
    mask = np.where(second, 1, 2 * volume.mask("tumour")).astype(np.uint8)
    return Volume(volume.voxels - 300.0 * second, {"tumour": mask}, volume.spacing_mm)


def test_the_table_says_what_it_is() -> None:
    table = extract_control_features(scans(Smooth(0), Smooth(1)), SETTINGS, control="sampled")
    assert table.samples["control"].tolist() == ["sampled", "sampled"]
    assert table.samples["control_part"].tolist() == ["inside", "inside"]
    assert table.variables["source"].str.endswith("negative control sampled inside").all()
    assert table.samples["phase"].tolist() == ["arterial", "arterial"]


def test_bad_words_and_bad_scans_are_named() -> None:
    with pytest.raises(UnknownNameError, match="shuffled"):
        extract_control_features(scans(Smooth(0)), SETTINGS, control="shufled")
    with pytest.raises(UnknownNameError, match="inside"):
        extract_control_features(scans(Smooth(0)), SETTINGS, part="insied")
    with pytest.raises(DataError, match="expected scans; found none"):
        extract_control_features([], SETTINGS)
    with pytest.warns(RadiogenomicsWarning, match="1 of 2 scans failed"):
        table = extract_control_features(scans(Smooth(0), Smooth(1, empty=True)), SETTINGS)
    assert list(table.patient_ids) == ["P0"]
    with pytest.raises(GeometryError, match="expected"):
        controlled(Smooth(1, empty=True)(), scan="P1")
