from __future__ import annotations

import pytest

from radiogenomics.core.errors import AlignmentError, MissingFileError
from radiogenomics.core.provenance import hash_file
from radiogenomics.io import input_hashes, load_cohort


def test_everything_arrives(world) -> None:
    cohort = load_cohort(world.write(), data_root=world.root)
    assert cohort.id == "small" and len(cohort.patients) == 30
    assert cohort.patients["sex"].value_counts().to_dict() == {"male": 15, "female": 15}
    assert cohort.survival("OS").n_events == 15
    assert cohort.response("response").grouped(["CR", "PR"]).sum() == 12
    loaded = cohort.assay("rna").per_patient().loc["P07", "SMG5"]
    assert loaded == world.rna.loc["SMG5", "P07"]
    assert (cohort.licence, cohort.citation) == ("none", "nobody")


def test_patients_known_from_an_assay_alone_have_no_facts(world) -> None:
    world.rna = world.rna.rename(columns={"P30": "P31"})
    cohort = load_cohort(world.write(), data_root=world.root)
    assert cohort.patients.index[-1] == "P31" and len(cohort.patients) == 31
    assert cohort.patients.loc["P31"].isna().all()
    assert "P31" not in cohort.survival("OS").patient_ids


def test_identifiers_that_match_nowhere_show_both_sides(world) -> None:
    world.rna.columns = [f"X{name}" for name in world.rna.columns]
    with pytest.raises(AlignmentError, match="none of 30 there \\(assay rna: XP01.*patients: P01"):
        load_cohort(world.write(), data_root=world.root)
    world.manifest["assays"]["rna"]["id"] = {"linked": False}
    assert len(load_cohort(world.write(), data_root=world.root).patients) == 60


def test_rows_aligned_by_order_must_be_complete(world) -> None:
    world.manifest["patients"]["id"] = {"row": True}
    rule = world.manifest["assays"]["rna"]
    rule |= {"orientation": "samples_by_variables", "id": {"row": True}, "drop": ["unnamed_0"]}
    table = world.rna.T.rename_axis(None)
    world.rna = table
    cohort = load_cohort(world.write(), data_root=world.root)
    row = cohort.assay("rna").per_patient().loc["7"]
    assert row["TP53"] == table.loc["P07", "TP53"]
    world.rna = table.iloc[:29]
    with pytest.raises(AlignmentError, match="aligned by their order; found 29 rows"):
        load_cohort(world.write(), data_root=world.root)


def test_hashes_name_every_input(world) -> None:
    path = world.write()
    hashes = input_hashes(path, data_root=world.root)
    assert list(hashes) == ["manifest", "patients", "assays.rna"]
    assert hashes["assays.rna"] == hash_file(world.root / "rna.csv")
    world.manifest["title"] = "changed"
    assert input_hashes(world.write(), data_root=world.root)["manifest"] != hashes["manifest"]


def test_data_root_that_is_no_folder(world) -> None:
    with pytest.raises(MissingFileError, match="data root"):
        load_cohort(world.write(), data_root=world.root / "nowhere")
