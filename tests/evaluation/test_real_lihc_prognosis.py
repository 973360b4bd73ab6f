"""KPNA2 and SMG5 in TCGA-LIHC: the hazard ratios known from the data's own notes, and beyond."""

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation import (
    PatientKFold,
    adjusted_hazard_ratio,
    concordance_metric,
    cross_validate_survival,
    prognosis,
    verdict,
)
from radiogenomics.omics import (
    CoxSignature,
    out_of_fold_concordance,
    out_of_fold_scores,
    random_gene_sets,
)
from radiogenomics.stats import permutation_p, permutations

pytestmark = pytest.mark.real

EXPRESSION = "omics/hcc_key_genes/tcga_lihc_fpkm_log2_proteincoding_179samples.parquet"
CLINICAL = "omics/lihc/clinical_tcga_lihc.csv.gz"
PAIR = ["KPNA2", "SMG5"]


@pytest.fixture(scope="module")
def lihc(data_root) -> tuple[pd.DataFrame, SurvivalOutcome, pd.DataFrame]:
    """Primary tumours of the patients followed up beyond the day of diagnosis."""
    samples = pd.read_parquet(data_root / EXPRESSION).T
    tumours = samples[samples.index.str[13:15] == "01"]
    tumours = tumours.set_axis(tumours.index.str[:12])
    clinical = pd.read_csv(data_root / CLINICAL).set_index("bcr_patient_barcode")
    clinical = clinical.loc[tumours.index]
    followed = clinical["OS.time"] > 0
    clinical, tumours = clinical[followed], tumours[followed]
    outcome = SurvivalOutcome.from_unit("OS", clinical["OS.time"], clinical["OS"], unit="days")
    return tumours, outcome, clinical


def test_hazard_ratios_per_sd_are_the_known_ones(lihc, rng):
    tumours, outcome, _ = lihc
    assert (len(tumours), outcome.n_events) == (155, 55)
    for gene, expected in (("KPNA2", (1.35, 1.02, 1.78)), ("SMG5", (1.44, 1.09, 1.90))):
        metrics, _ = prognosis(tumours[gene], outcome, split="apparent", permutations=0, rng=rng)
        found = metrics[0]
        assert tuple(round(v, 2) for v in (found.value, found.low, found.high)) == expected


def test_pair_is_prognostic_out_of_fold_and_beats_chance(lihc, rng):
    tumours, outcome, _ = lihc
    splitter = PatientKFold(5, n_repeats=10, random_state=0)
    evidence = cross_validate_survival(
        CoxSignature(PAIR), tumours[PAIR], outcome, splitter=splitter, name="IRS"
    )
    folds = list(splitter.split(tumours.index, outcome.event.astype(int)))
    repeats = [[s for s in folds if s.repeat == repeat] for repeat in range(10)]
    values = tumours[PAIR].to_numpy()
    settings = {"splits_by_repeat": repeats}
    null = out_of_fold_concordance(
        values[permutations(155, 200, rng)], outcome.time, outcome.event, **settings
    )
    found = concordance_metric(evidence.predictions, outcome, split="cross-validation", null=null)
    quick = out_of_fold_scores(values[None], outcome.time, outcome.event, splits=repeats[0])[0]
    slow = evidence.predictions.query("repeat == 0").set_index("patient_id")["score"]
    np.testing.assert_allclose(quick, slow.loc[tumours.index], rtol=1e-8, atol=1e-10)
    assert 0.6 < found.value < 0.67
    assert verdict(found, subject="the signature").found

    varied = tumours.loc[:, tumours.std() > 0.1].to_numpy()
    pairs = random_gene_sets(varied.shape[1], 2, 200, rng=rng)
    chance = out_of_fold_concordance(
        np.moveaxis(varied[:, pairs], 0, 1), outcome.time, outcome.event, **settings
    )
    assert permutation_p(found.value, chance) < 0.05


def test_pair_adds_to_stage_sex_and_age(lihc):
    tumours, outcome, clinical = lihc
    stage = clinical["ajcc_pathologic_tumor_stage"].str.extract(r"Stage (III|II|IV|I)")[0]
    covariates = pd.DataFrame(
        {
            "age": clinical["age_at_initial_pathologic_diagnosis"],
            "sex": clinical["gender"].str.lower(),
            "stage": stage,
        }
    )
    risk = CoxSignature(PAIR).fit(tumours, outcome.to_structured()).predict(tumours)
    with pytest.warns(UserWarning, match="lack a covariate"):
        table = adjusted_hazard_ratio(risk, outcome, covariates, split="apparent")
    first = table.iloc[0]
    assert first["term"] == "risk (per SD)" and first["low"] > 1
    assert first["n"] + first["left_out"] == 155
