"""Survival analyses of three public tables of patients, held against R on the same files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.cox_table import multivariable_cox_table, univariable_cox_table
from radiogenomics.evaluation.prognosis import concordance_metric
from radiogenomics.stats.survival.concordance import concordance
from radiogenomics.stats.survival.concordance_difference import concordance_test
from radiogenomics.stats.survival.cox import fit_cox
from radiogenomics.stats.survival.kaplan_meier import kaplan_meier
from radiogenomics.stats.survival.logrank import logrank
from radiogenomics.stats.survival.restricted_mean import compare_restricted_means
from radiogenomics.stats.survival.uno import uno_concordance
from radiogenomics.stats.survival.weighted_logrank import weighted_logrank

pytestmark = pytest.mark.real

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "evaluation" / "real_survival.csv"
READERS = (1, 2, 3)
CLOSE = 1e-9
CLINICAL = ["age", "bclc", "afp", "multinodular", "child", "invasion"]
REFERENCES = {"bclc": "A-B", "multinodular": "uninodular", "child": "A"}
# Term of R: term of ours.
TERMS = {
    "age": "age",
    "bclcC-D": "bclc: C-D vs A-B",
    "afpTRUE": "afp: True vs False",
    "multinodularmultinodular": "multinodular: multinodular vs uninodular",
    "childB-C": "child: B-C vs A",
    "invasionTRUE": "invasion: True vs False",
    "comorbidityTRUE": "comorbidity: True vs False",
    "chemoTRUE": "chemo: True vs False",
    "extrahepaticTRUE": "extrahepatic: True vs False",
    "risk": "risk",
    "burden": "burden",
}


@pytest.fixture(scope="module")
def reference() -> pd.Series:
    table = pd.read_csv(REFERENCE).set_index(["analysis", "term", "name"])
    return table["value"].sort_index()


@pytest.fixture(scope="module")
def hcc(data_root) -> pd.DataFrame:
    """Patients after chemoembolisation, with whole days of follow-up."""
    (file,) = (data_root / "tables" / "hcc-tace-seg_clinical").glob("*.csv")
    table = pd.read_csv(file, encoding="utf-8-sig").set_index("TCIA_ID")
    return table.assign(
        days=(7 * table["OS"]).round(),
        died=table["Death_1_StillAliveorLostToFU_0"],
        bclc=np.where(table["BCLC"].isin(["Stage-A", "Stage-B"]), "A-B", "C-D"),
        afp=table["AFP"] >= 400,
        multinodular=table["tumor_nodul"],
        child=np.where(table["CPS"] == "A", "A", "B-C"),
        invasion=table["Vascular invasion"] == 1,
    )


@pytest.fixture(scope="module")
def landmark(hcc) -> pd.DataFrame:
    """Patients who lived to the follow-up scan, with the days from that scan on."""
    seen = hcc[hcc["Interval_FU"] > 0]
    seen = seen.assign(days=seen["days"] - (7 * seen["Interval_FU"]).round())
    return seen[seen["days"] > 0]


@pytest.fixture(scope="module")
def nsclc(data_root) -> pd.DataFrame:
    folder = data_root / "tables" / "nsclc_owkin_survival" / "train"
    clinical, survival = (
        pd.read_csv(folder / name, index_col="PatientID")
        for name in ("clinical_data.csv", "output_VSVxRFU.csv")
    )
    radiomics = pd.read_csv(folder / "radiomics.csv", header=[0, 1], index_col=0)
    volume = np.log(radiomics["shape"]["original_shape_VoxelVolume"])
    return clinical.join(survival).join(volume.rename("volume"))


@pytest.fixture(scope="module")
def crlm(data_root) -> pd.DataFrame:
    file = data_root / "tables/crlm_tcia_clinical/clinical_data_with_img_features.csv"
    table = pd.read_csv(file).set_index("Patient-ID")
    return table.assign(
        chemo=table["chemo_before_liver_resection"] == 1,
        comorbidity=table["major_comorbidity"] == 1,
        extrahepatic=table["extrahep_disease"] == 1,
        risk=table["clinrisk_score"].replace(-999, np.nan),
        burden=np.log(table["Tumor"] / table["Liver"]),
    )


def overall(table: pd.DataFrame) -> SurvivalOutcome:
    return SurvivalOutcome.from_unit("OS", table["days"], table["died"], unit="days")


def check_table(found: pd.DataFrame, reference: pd.Series, analysis: str) -> None:
    """Every number that R gave of this model is in our table."""
    rows = found[~found["reference"]].set_index("term")
    by_variable = found.drop_duplicates("variable").set_index("variable")
    for (term, name), expected in reference[analysis].items():
        if name in ("hazard_ratio", "low", "high", "p"):
            value = rows.loc[TERMS[term], name]
        elif name in ("p_variable", "p_proportional"):
            value = by_variable.loc[term, name]
        else:
            # Counts stand beside each level.
            value = found[found["variable"] == found["variable"].iloc[-1]][name].sum()
        assert value == pytest.approx(expected, rel=CLOSE), (analysis, term, name)


@pytest.mark.parametrize("variable", CLINICAL)
def test_univariable_hazard_ratios_after_chemoembolisation(hcc, reference, variable):
    found = univariable_cox_table(hcc[[variable]], overall(hcc), references=_of([variable]))
    check_table(found, reference, f"hcc_univariable_{variable}")


def _of(variables: list[str]) -> dict[str, object]:
    return {name: level for name, level in REFERENCES.items() if name in variables}


def test_multivariable_model_after_chemoembolisation(hcc, reference):
    found = multivariable_cox_table(hcc[CLINICAL], overall(hcc), references=REFERENCES)
    check_table(found, reference, "hcc_multivariable")


def test_stage_and_response_after_chemoembolisation(hcc, landmark, reference):
    stage = logrank(hcc["days"], hcc["died"], hcc["BCLC"])
    assert stage.statistic == pytest.approx(
        reference["hcc_logrank", "stage", "statistic"], rel=CLOSE
    )
    for reader in READERS:
        known = landmark.dropna(subset=f"{reader}_mRECIST")
        found = logrank(known["days"], known["died"], known[f"{reader}_mRECIST"])
        expected = reference["hcc_landmark_logrank", f"reader{reader}"]
        assert len(known) == expected["n"]
        assert found.statistic == pytest.approx(expected["statistic"], rel=CLOSE)


def test_concordance_of_three_readers_and_their_differences(landmark, reference):
    complete = landmark.dropna(subset=[f"{reader}_mRECIST" for reader in READERS])
    assert len(complete) == reference["hcc_landmark", "all", "n"]
    time, event = complete["days"], complete["died"]
    scores = {}
    for reader in READERS:
        before, after = (complete[f"{reader}_mRECIST_{visit}"] for visit in ("BL", "FU"))
        scores[f"category{reader}"] = complete[f"{reader}_mRECIST"]
        scores[f"change{reader}"] = 100 * (after - before) / before
    for name, score in scores.items():
        found, expected = concordance(score, time, event), reference["hcc_concordance", name]
        assert (found.value, found.se) == pytest.approx(
            (expected["value"], expected["se"]), rel=CLOSE
        )
    for pair in reference["hcc_difference"].index.unique("term"):
        first, second = pair.split("-")
        found = concordance_test(scores[first], scores[second], time=time, event=event)
        expected = reference["hcc_difference", pair]
        for name in ("difference", "se", "p"):
            assert getattr(found, name) == pytest.approx(expected[name], rel=CLOSE)


def test_lung_cancer_of_two_sources(nsclc, reference):
    time, event, source = nsclc["SurvivalTime"], nsclc["Event"], nsclc["SourceDataset"]
    expected = reference["nsclc_logrank"].xs("statistic", level="name")
    assert logrank(time, event, source).statistic == pytest.approx(expected["source"], rel=CLOSE)
    nodes = logrank(time, event, nsclc["Nstage"], strata=source)
    assert nodes.statistic == pytest.approx(expected["nodes within source"], rel=CLOSE)
    weighted = weighted_logrank(time, event, source, weight="fleming-harrington", rho=1)
    assert weighted.statistic == pytest.approx(expected["source by S(t)"], rel=CLOSE)

    fit = fit_cox(nsclc["volume"], time, event, strata=source)
    volume = reference["nsclc_stratified", "volume"]
    assert (fit.coef[0], fit.se[0]) == pytest.approx((volume["coef"], volume["se"]), rel=CLOSE)


def test_concordance_of_tumour_volume_in_lung_cancer(nsclc, reference):
    outcome = SurvivalOutcome.from_unit("OS", nsclc["SurvivalTime"], nsclc["Event"], unit="days")
    risk = pd.DataFrame({"patient_id": outcome.patient_ids, "repeat": 0})
    risk["score"] = nsclc["volume"].to_numpy()
    found = concordance_metric(risk, outcome, split="apparent")
    expected = reference["nsclc_harrell"].xs("value", level="name")
    assert found.value == pytest.approx(expected["volume"], rel=CLOSE)
    for name, part in risk.groupby(nsclc["SourceDataset"].to_numpy()):
        metric = concordance_metric(part, outcome, split=name)
        assert metric.value == pytest.approx(expected[f"volume {name}"], rel=CLOSE)
    uno = uno_concordance(risk["score"], outcome.time, outcome.event, known_weights=True)
    expected = reference["nsclc_uno", "volume"]
    assert (uno.value, uno.se) == pytest.approx((expected["value"], expected["se"]), rel=CLOSE)


@pytest.mark.parametrize(
    ("endpoint", "time", "event"),
    [
        ("OS", "overall_survival_months", "vital_status"),
        ("DFS", "months_to_DFS_progression", "vital_status_DFS"),
    ],
)
def test_colorectal_liver_metastases(crlm, reference, endpoint, time, event):
    known = crlm.dropna(subset="risk")
    outcome = SurvivalOutcome(endpoint, known[time], known[event])
    covariates = ["age", "comorbidity", "chemo", "extrahepatic", "risk", "burden"]
    found = multivariable_cox_table(known[covariates], outcome)
    check_table(found, reference, f"crlm_multivariable_{endpoint}")

    means = compare_restricted_means(crlm[time], crlm[event], crlm["chemo"], tau=60)
    expected = reference[f"crlm_restricted_mean_{endpoint}"]
    for group, mean in (("chemo=TRUE", means.first), ("chemo=FALSE", means.second)):
        theirs = (expected[group, "value"], expected[group, "se"])
        assert (mean.value, mean.se) == pytest.approx(theirs, rel=CLOSE)

    curve = kaplan_meier(crlm[time], crlm[event])
    expected = reference[f"crlm_survival_{endpoint}"]
    for horizon in (36, 60):
        at = np.searchsorted(curve.time, horizon, side="right") - 1
        for name in ("survival", "low", "high"):
            value = getattr(curve, name)[at]
            assert value == pytest.approx(expected[str(horizon), name], rel=CLOSE)
