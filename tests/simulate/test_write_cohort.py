from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
import yaml

from radiogenomics.core.errors import DataError, MissingFileError
from radiogenomics.core.provenance import hash_file
from radiogenomics.io.cohort import load_cohort
from radiogenomics.simulate import SimulatedHCC, hcc_cohort, write_cohort


@pytest.fixture(scope="module")
def simulated() -> SimulatedHCC:
    return hcc_cohort(
        8,
        n_genes=160,
        n_normals=3,
        phases=("arterial", "portal"),
        single_cell_patients=2,
        modality="MR",
        id="written",
        rng=np.random.default_rng(3),
    )


@pytest.fixture(scope="module")
def manifest(simulated: SimulatedHCC, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(simulated, tmp_path_factory.mktemp("simulated") / "cohort")


def test_what_is_read_is_what_was_written(simulated: SimulatedHCC, manifest: Path) -> None:
    ours, theirs = simulated.cohort, load_cohort(manifest, data_root=manifest.parent)
    assert theirs.id == "written"
    assert theirs.simulated
    assert theirs.licence == ours.licence
    pd.testing.assert_frame_equal(theirs.patients, ours.patients, check_dtype=False)
    assert set(theirs.assays) == set(ours.assays) - {"scrna"}
    for name, table in theirs.assays.items():
        pd.testing.assert_frame_equal(table.values, ours.assay(name).values, check_names=False)
        facts = ours.assay(name).samples
        pd.testing.assert_frame_equal(
            table.samples[list(facts)], facts, check_names=False, check_dtype=False
        )
        assert set(table.variables["unit"]) == set(ours.assay(name).variables["unit"])
    for endpoint in ("OS", "PFS"):
        pd.testing.assert_frame_equal(
            theirs.survival(endpoint).to_frame(),
            ours.survival(endpoint).to_frame(),
            check_names=False,
        )
        assert theirs.survival(endpoint).origin == ours.survival(endpoint).origin
    ours_response, response = ours.response("response"), theirs.response("response")
    assert response.criterion == ours_response.criterion
    assert response.order == ours_response.order
    assert response.category.to_dict() == ours_response.category.to_dict()


def test_scans_survive_the_files_voxel_by_voxel(simulated: SimulatedHCC, manifest: Path) -> None:
    theirs = load_cohort(manifest, data_root=manifest.parent)
    assert len(theirs.scans) == len(simulated.cohort.scans)
    for ours, read in zip(simulated.cohort.scans, theirs.scans, strict=True):
        for fact in ("patient_id", "modality", "phase", "time_point", "regions"):
            assert getattr(read, fact) == getattr(ours, fact)
        one, other = ours.load(), read.load()
        np.testing.assert_array_equal(other.voxels, one.voxels)
        for region in ("liver", "tumour"):
            np.testing.assert_array_equal(other.masks[region], one.masks[region])
        np.testing.assert_allclose(other.spacing_mm, one.spacing_mm)
        np.testing.assert_allclose(other.origin_mm, one.origin_mm)
        np.testing.assert_allclose(other.direction, one.direction)


def test_nifti_positions_are_ras(simulated: SimulatedHCC, manifest: Path) -> None:
    """The NIfTI standard: x to the patient's right is negative, y to the back is negative."""
    image = nibabel.load(next((manifest.parent / "images").glob("*_arterial_baseline.nii.gz")))
    volume = simulated.cohort.scans[0].load()
    x, y, z = volume.origin_mm
    np.testing.assert_allclose(image.affine @ [0, 0, 0, 1], [-x, -y, z, 1])
    np.testing.assert_allclose(image.affine @ [1, 0, 0, 0], [-volume.spacing_mm[2], 0, 0, 0])
    assert image.shape == volume.voxels.shape[::-1]
    assert image.get_data_dtype() == np.int16


def test_manifest_has_checksums_and_no_truth(simulated: SimulatedHCC, manifest: Path) -> None:
    content = yaml.safe_load(manifest.read_text("utf-8"))
    assert content["simulated"] is True
    assert content["licence"] == "simulated, no patient"
    tables = [content["patients"], content["scans"], *content["assays"].values()]
    for table in tables:
        assert hash_file(manifest.parent / table["file"]) == table["sha256"]
    assert "truth" not in manifest.read_text("utf-8")
    assert not {"*", "&"} & {word[0] for word in manifest.read_text("utf-8").split()}
    truth = pd.read_csv(manifest.parent / "truth.csv", index_col="patient_id")
    pd.testing.assert_frame_equal(truth, simulated.truth)
    columns = pd.read_csv(manifest.parent / "patients.csv").columns
    assert not set(columns) & set(simulated.truth)


def test_single_cells_lie_beside_the_manifest(simulated: SimulatedHCC, manifest: Path) -> None:
    import anndata

    read = anndata.read_h5ad(manifest.parent / "single_cell.h5ad")
    ours = simulated.cohort.assay("scrna").adata
    assert (read.X != ours.X).nnz == 0
    assert read.obs["cell_type"].astype(str).tolist() == ours.obs["cell_type"].tolist()


def test_same_cohort_same_files_however_many_processes(tmp_path: Path) -> None:
    hashes = []
    for jobs in (1, 2):
        small = hcc_cohort(3, n_genes=160, rng=np.random.default_rng(1))
        folder = write_cohort(small, tmp_path / str(jobs), jobs=jobs).parent
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        hashes.append({str(path.relative_to(folder)): hash_file(path) for path in files})
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 8 + 3 * 3


def test_folder_with_content_is_left_alone(simulated: SimulatedHCC, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(DataError, match="new or empty folder"):
        write_cohort(simulated, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_empty_folder_is_used_and_absent_parent_refused(tmp_path: Path) -> None:
    small = hcc_cohort(2, n_genes=160, phases=(), rng=np.random.default_rng(1))
    (tmp_path / "empty").mkdir()
    assert write_cohort(small, tmp_path / "empty").is_file()
    assert "scans" not in yaml.safe_load((tmp_path / "empty" / "manifest.yaml").read_text())
    with pytest.raises(MissingFileError, match="nowhere"):
        write_cohort(small, tmp_path / "nowhere" / "cohort")


def test_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    small = hcc_cohort(2, n_genes=160, rng=np.random.default_rng(1))
    monkeypatch.setattr("radiogenomics.simulate.write._write_nifti", fail)
    with pytest.raises(OSError, match="disk full"):
        write_cohort(small, tmp_path / "cohort")
    assert list(tmp_path.iterdir()) == []
