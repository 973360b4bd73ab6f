"""The shipped recipe on real patients: numbers that are known, and a link that is known not to be.

The hazard ratios are those of the data's own notes; that CT tells nothing of KPNA2 and SMG5 in
these lung cancers was found beforehand by another route (no feature beyond chance, family-wise).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import RadiogenomicsWarning
from radiogenomics.core.provenance import Provenance
from radiogenomics.evaluation import verdict
from radiogenomics.io import load_cohort
from radiogenomics.study import Results, run_cohorts
from radiogenomics.study.registry import find_manifest

pytestmark = pytest.mark.real

SPLIT = "cross-validation"
QUICK = {
    "evaluation.repeats": 1,
    "evaluation.signature_repeats": 1,
    "evaluation.permutations": 19,
    "evaluation.outcome_permutations": 199,
    "evaluation.random_signatures": 0,
    "model.inner_folds": 3,
    "model.comparators": (),
}


@pytest.fixture(scope="module")
def lung(data_root: Path) -> Cohort:
    return load_cohort(find_manifest("nsclc_radiogenomics"), data_root=data_root)


@pytest.mark.parametrize(("features", "patients"), [("radiomics", 94), ("radiomics_60", 60)])
def test_no_link_is_found_in_lung_cancer(features, patients, lung, recipe, provenance):
    study = recipe({**QUICK, "features.assay": features})
    found = run_cohorts(study, [lung], provenance=provenance, seed=0, jobs=1)
    auc = found.findings.metric("auc", split=SPLIT)
    assert auc.n == patients
    assert auc.p_permutation > 0.05
    assert auc.low < 0.5 < auc.high
    assert not verdict(auc).found
    assert "is not distinguishable from chance" in found.verdict


@pytest.fixture(scope="module")
def liver(data_root: Path, recipe, provenance: Provenance) -> Results:
    """The recipe as shipped: without images it is quick."""
    cohort = load_cohort(find_manifest("tcga_lihc"), data_root=data_root)
    with pytest.warns(RadiogenomicsWarning, match="10 of 156 patients lack a covariate"):
        return run_cohorts(recipe({}), [cohort], provenance=provenance, seed=0, jobs=1)


@pytest.mark.parametrize(
    ("gene", "known"), [("KPNA2", (1.35, 1.02, 1.78)), ("SMG5", (1.44, 1.09, 1.90))]
)
def test_single_genes_have_the_known_hazard_ratios(gene, known, liver):
    found = liver.findings.metric(f"gene_hr_per_sd:{gene}", split="apparent")
    assert tuple(round(number, 2) for number in (found.value, found.low, found.high)) == known
    # The notes count 155 patients: one was followed for no day and never enters a risk set.
    assert (found.n, found.events) == (156, 55)
    assert found.p_permutation <= 0.05


def test_signature_beats_permuted_patients_and_random_genes(liver):
    signature = liver.findings.metric("signature_c_index", split=SPLIT)
    assert verdict(signature, subject="the signature").found
    assert "the signature is distinguishable from chance" in liver.verdict
    null = liver.tables["null"].query("metric == 'signature_c_index'")["value"]
    assert len(null) == 1000
    assert null.mean() == pytest.approx(0.5, abs=0.03)
    assert signature.value > null.quantile(0.95)

    random = liver.findings.metric("signature_random_share", split=SPLIT)
    drawn = liver.tables["random_signatures"]["value"]
    assert len(drawn) == 1000
    assert random.value == pytest.approx((drawn >= signature.value).mean())
    assert random.high < 0.05


def test_signature_adds_to_stage_sex_and_age(liver):
    adjusted = liver.findings.metric("signature_hr_per_sd_adjusted", split=SPLIT)
    # Ten of the 156 have no stage.
    assert (adjusted.n, adjusted.events) == (146, 51)
    assert adjusted.low > 1
    terms = liver.tables["hazard_ratios"].query("model == 'adjusted'")["term"]
    assert list(terms) == ["risk (per SD)", "stage", "sex: female vs male", "age"]
    curves = liver.tables["survival_curves"]
    assert set(curves["group"]) == {"predicted high", "predicted low"}


@pytest.mark.parametrize("gene", ["KPNA2", "SMG5"])
def test_both_genes_are_raised_in_tumours(gene, liver):
    found = liver.findings.metric(f"tumour_normal_difference:{gene}", split="apparent")
    assert (found.n, found.events) == (177, 156)
    assert found.low > 1
    # The least that 1000 permutations can give, two-sided.
    assert found.p_permutation == pytest.approx(2 / 1001)
