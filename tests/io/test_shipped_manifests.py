"""The manifests that ship, held against the real files and what is known of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.cohort import Cohort
from radiogenomics.io import audit, load_cohort, read_manifest

MANIFESTS = Path(__file__).resolve().parents[2] / "data_manifests"
NAMES = sorted(path.stem for path in MANIFESTS.glob("*.yaml"))


@cache
def cohort(name: str, root: Path) -> Cohort:
    return load_cohort(MANIFESTS / f"{name}.yaml", data_root=root)


@pytest.mark.parametrize("name", NAMES)
def test_each_is_complete(name: str) -> None:
    manifest = read_manifest(MANIFESTS / f"{name}.yaml")
    assert manifest.cohort == name and manifest.title and not manifest.simulated
    for table in manifest.tables().values():
        assert all(part.sha256 for part in table.pieces())
        assert table.names_file is None or table.names_sha256


@pytest.mark.real
@pytest.mark.parametrize("name", NAMES)
def test_each_passes_its_audit(name: str, data_root: Path) -> None:
    found = audit(MANIFESTS / f"{name}.yaml", data_root=data_root)
    assert found.ok, str(found)


@pytest.mark.real
def test_tcga_lihc(data_root: Path) -> None:
    lihc = cohort("tcga_lihc", data_root)
    assert len(lihc.patients) == 377
    events = {name: lihc.survival(name).n_events for name in ("OS", "DFI", "PFI")}
    assert events == {"OS": 132, "DFI": 147, "PFI": 185}
    rna = lihc.assay("rna")
    assert (rna.n_samples, rna.n_variables) == (179, 19642)
    tissues = rna.samples["sample_type"].value_counts().to_dict()
    assert tissues == {"tumour": 156, "normal": 21, "recurrent": 2}
    assert rna.select(["KPNA2", "SMG5"]).n_variables == 2
    assert len(lihc.assay("counts").where("sample_type", "tumour").patient_ids) == 371
    assert (lihc.assay("protein").n_samples, lihc.assay("protein").n_variables) == (184, 218)
    assert set(lihc.patients["stage"].dropna()) == {1, 2, 3, 4}


@pytest.mark.real
@pytest.mark.parametrize(
    ("gene", "hazard"), [("KPNA2", (1.35, 1.02, 1.78)), ("SMG5", (1.44, 1.09, 1.90))]
)
def test_tcga_lihc_gives_the_reference_hazard_ratios(
    gene: str, hazard: tuple[float, float, float], data_root: Path
) -> None:
    lifelines = pytest.importorskip("lifelines")
    lihc = cohort("tcga_lihc", data_root)
    values = lihc.assay("rna").where("sample_type", "tumour").per_patient()[gene]
    frame = lihc.survival("OS").to_frame().join(values, how="inner")
    frame = frame[frame["time"] > 0]  # the reference left out one patient without follow-up
    assert (len(frame), frame["event"].sum()) == (155, 55)
    frame[gene] = (frame[gene] - frame[gene].mean()) / frame[gene].std()
    fit = lifelines.CoxPHFitter().fit(frame, "time", "event").summary.loc[gene]
    found = fit[["exp(coef)", "exp(coef) lower 95%", "exp(coef) upper 95%"]]
    np.testing.assert_allclose(found.astype(float), hazard, atol=0.0051)


@pytest.mark.real
def test_gse14520(data_root: Path) -> None:
    geo = cohort("gse14520", data_root)
    assert (geo.assay("rna").n_samples, geo.assay("rna").n_variables) == (43, 13050)
    assert geo.assay("rna").samples["sample_type"].value_counts().to_dict() == {
        "tumour": 22,
        "normal": 21,
    }
    # The five-gene file states follow-up in years of the same 221 tumours.
    five = pd.read_csv(
        data_root / "omics/hcc_ext/gse14520_gpl3921_5genes_os.csv.gz", index_col="id"
    )
    patient = geo.assay("rna_gpl3921").samples["patient_id"]
    os = geo.survival("OS").to_frame().loc[patient[five.index]]
    np.testing.assert_array_equal(os["event"], five["fustat"])
    np.testing.assert_allclose(os["time"], five["futime"] * 12, atol=0.2)
    assert geo.survival("RFS").n_events == 136


@pytest.mark.real
def test_nsclc_radiogenomics(data_root: Path) -> None:
    nsclc = cohort("nsclc_radiogenomics", data_root)
    shared = nsclc.overlap()
    assert (shared.loc["rna", "radiomics"], shared.loc["rna", "radiomics_60"]) == (94, 60)
    assert (len(nsclc.patients), nsclc.assay("rna").n_samples) == (211, 130)
    assert nsclc.assay("radiomics").n_variables == 1316
    assert nsclc.assay("radiomics_60").n_variables == 1764
    table = pd.read_csv(
        data_root / "omics/nsclc_radiogenomics_rna/nsclc_clinical.csv.gz", index_col="Case ID"
    )
    stated = table["Time to Death (days)"].dropna().drop("R01-106")
    os = nsclc.survival("OS")
    np.testing.assert_allclose(os.time[stated.index] * 365.25 / 12, stated)
    assert os.event[stated.index].all() and os.n_events == len(stated) == 62


@pytest.mark.real
def test_hcc_tace_seg(data_root: Path) -> None:
    tace = cohort("hcc_tace_seg", data_root)
    assert (len(tace.patients), tace.survival("OS").n_events) == (105, 93)
    assert tace.survival("TTP").n_events == 45
    table = pd.read_csv(
        data_root / "tables/hcc-tace-seg_clinical/HCC-TACE-Seg_clinical_data-V2 copy.csv",
        index_col="TCIA_ID",
    )
    for reader, name in enumerate(("response", "response_reader_2", "response_reader_3"), start=1):
        category = tace.response(name).category
        ratio = table[f"{reader}_mRECIST_FU"] / table[f"{reader}_mRECIST_BL"]
        change = ratio[category.index]
        np.testing.assert_array_equal(category == "CR", change == 0)
        np.testing.assert_array_equal(category == "PD", change >= 1.2)
    complete = [set(tace.response(name).patient_ids) for name in tace.outcomes if "resp" in name]
    assert len(set.intersection(*complete)) == 93


@pytest.mark.real
def test_hcc_mtm(data_root: Path) -> None:
    mtm = cohort("hcc_mtm", data_root)
    radiomics, outcome = mtm.assay("radiomics"), mtm.response("MTM").category
    for part, size, positive in (("training", 169, 64), ("internal", 88, 27)):
        patients = radiomics.where("part", part).patient_ids
        assert (len(patients), (outcome[patients] == "MTM-positive").sum()) == (size, positive)
    readings = mtm.assay("readings")
    assert (readings.n_samples, len(readings.patient_ids)) == (90, 30)
    assert set(radiomics.variables.index) <= set(readings.variables.index)


@pytest.mark.real
def test_hnc_delta(data_root: Path) -> None:
    hnc = cohort("hnc_delta", data_root)
    assert len(hnc.patients) == 224
    assert hnc.response("recurrence").category.value_counts()["recurrence"] == 57
    for name in ("ct_pre", "ct_post", "pet_pre", "pet_post"):
        assert (hnc.assay(name).n_samples, hnc.assay(name).n_variables) == (224, 257)
    raw = pd.read_excel(data_root / "tables/hnc_delta_pre_post/PET_Fea_Post.xlsx", header=None)
    table = hnc.assay("pet_post").per_patient()
    assert table.loc["17", "SUV_max"] == raw.iloc[16, 0]
    # The names of the shapes stand one column late in the source; the last column is the outcome.
    assert table.loc["17", "volume"] == raw.iloc[16, 249]
    assert table.loc["17", "peri"] == raw.iloc[16, 256]
    assert (table["major_AL"] >= table["minor_AL"]).all() and table["Ecc"].between(0, 1).all()
    label = hnc.response("recurrence").category.eq("recurrence")
    assert (raw[257].to_numpy() == label).all()


@pytest.mark.real
def test_nsclc_owkin(data_root: Path) -> None:
    owkin = cohort("nsclc_owkin", data_root)
    assert len(owkin.patients) == len(owkin.survival("OS").time) == 300
    assert owkin.survival("OS").n_events == 162
    assert (owkin.assay("radiomics").n_samples, owkin.assay("radiomics").n_variables) == (300, 53)
    assert owkin.patients["site"].value_counts().to_dict() == {"l1": 199, "l2": 101}
