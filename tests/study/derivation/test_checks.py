"""Samples that are not what they are taken for are reported; nothing missing is an error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import RadiogenomicsWarning
from radiogenomics.io import load_cohort
from radiogenomics.study.derivation.checks import sample_checks
from radiogenomics.study.derivation.cohorts import read_molecules
from radiogenomics.study.registry import find_manifest

COLUMNS = ["patient_id", "cohort", "what", "value"]


@pytest.fixture(scope="module")
def part(near):
    return read_molecules(near.cohort, assay="rna", endpoint="OS")


@pytest.fixture(scope="module")
def sexed(part):
    """Samples of one profile and noise, with XIST, RPS4Y1 and recorded sexes that agree."""
    rng = np.random.default_rng(3)
    n = len(part.tumour)
    female = np.arange(n) % 2 == 0
    genes = rng.uniform(2, 12, 200) + 0.5 * rng.normal(size=(n, 200))
    tumour = pd.DataFrame(genes, part.tumour.index, [f"G{i}" for i in range(200)])
    xist = np.where(female, 5.0, 0.1) + 0.05 * rng.normal(size=n)
    y = np.where(female, 0.1, 6.0) + 0.05 * rng.normal(size=n)
    words = np.where(female, "female", "male")
    return with_sex(replace(part, tumour=tumour.assign(XIST=xist, RPS4Y1=y)), words)


def with_sex(part, words):
    known = pd.Series(words, index=part.tumour.index)
    patients = part.cohort.patients.assign(sex=known.reindex(part.cohort.patients.index))
    return replace(part, cohort=replace(part.cohort, patients=patients))


def notes(found) -> str:
    return " ".join(text for _, text in found.notes)


def test_sound_samples_make_no_table(sexed):
    found = sample_checks([sexed])
    assert not found.tables
    assert "near: outlying samples: 0 of 50." in notes(found)
    assert "50 of 50 agree, 0 contradict, 0 are doubtful." in notes(found)
    assert {level for level, _ in found.notes} == {"info"}


def test_planted_outliers_are_reported_with_their_reason_and_kept(sexed, rng):
    tumour = sexed.tumour.copy()
    genes = tumour.columns.drop(["XIST", "RPS4Y1"])
    tumour.loc[tumour.index[7], genes] = rng.permutation(tumour.loc[tumour.index[7], genes])
    tumour.loc[tumour.index[9], genes] += 6
    odd = replace(sexed, tumour=tumour)
    found = sample_checks([odd])
    table = found.tables["sample_checks"].set_index("patient_id")
    assert list(found.tables["sample_checks"]) == COLUMNS
    assert set(table.index) == {str(tumour.index[7]), str(tumour.index[9])}
    assert table.loc[str(tumour.index[7]), "what"] == "outlying correlation"
    assert table.loc[str(tumour.index[9]), "what"] == "outlying level"
    assert (table["value"] > 5).all() and set(table["cohort"]) == {"near"}
    assert "2 of 50, up to" in notes(found) and "They were kept." in notes(found)
    assert not any(str(patient) in notes(found) for patient in tumour.index)
    pd.testing.assert_frame_equal(odd.tumour, tumour)


def test_swapped_samples_contradict_their_sex(sexed):
    tumour = sexed.tumour.copy()
    swapped = list(tumour.index[[2, 5]])
    tumour.loc[swapped, ["XIST", "RPS4Y1"]] = tumour.loc[
        swapped[::-1], ["XIST", "RPS4Y1"]
    ].to_numpy()
    tumour.loc[tumour.index[11], "RPS4Y1"] = tumour.loc[tumour.index[11], "XIST"]
    found = sample_checks([replace(sexed, tumour=tumour)])
    table = found.tables["sample_checks"].set_index("patient_id")
    assert (table.loc[swapped, "what"] == "sex contradicted").all()
    assert table.loc[str(tumour.index[11]), "what"] == "sex doubtful"
    difference = tumour["XIST"] - tumour["RPS4Y1"]
    np.testing.assert_allclose(table["value"], difference[table.index])
    assert "47 of 50 agree, 2 contradict, 1 are doubtful; a contradiction may" in notes(found)
    assert not any(str(patient) in notes(found) for patient in tumour.index)


def test_patients_without_a_recorded_sex_are_not_compared(sexed):
    words = sexed.cohort.patients["sex"].loc[sexed.tumour.index].to_numpy(dtype=object).copy()
    words[:10] = None
    assert "40 of 40 agree" in notes(sample_checks([with_sex(sexed, words)]))
    nobody = with_sex(sexed, np.full(len(words), None))
    assert "not possible: no patient has a recorded sex" in notes(sample_checks([nobody]))


def test_what_cannot_be_checked_is_said(sexed, part):
    assert "expected XIST and a gene of Y" in notes(sample_checks([part]))
    bare = replace(part.cohort, patients=part.cohort.patients.drop(columns="sex"))
    text = notes(sample_checks([replace(part, cohort=bare)]))
    assert "XIST and Y: not possible: the patients have no column sex" in text
    words = with_sex(sexed, np.full(len(sexed.tumour), "M"))
    assert "expected sex as female or male; found M" in notes(sample_checks([words]))
    standard = replace(sexed, unit="z-score")
    text = notes(sample_checks([standard]))
    assert "outlying samples: not possible: genes are standardised" in text
    assert "a z-score says nothing about presence" in text
    few = replace(sexed, tumour=sexed.tumour.iloc[:2])
    assert "expected at least 3 samples and 2 genes" in notes(sample_checks([few]))
    odd = replace(sexed, unit="feature")
    assert "unknown unit of expression 'feature'" in notes(sample_checks([odd]))


def test_each_cohort_is_its_own_yardstick(sexed):
    cohort = replace(sexed.cohort, id="other")
    other = replace(sexed, cohort=cohort, tumour=sexed.tumour * 0.5 + 3)
    found = sample_checks([sexed, other])
    assert "near: outlying samples: 0" in notes(found)
    assert "other: outlying samples: 0" in notes(found)


@pytest.mark.real
def test_sexes_of_tcga_agree_without_xist(data_root):
    cohort = load_cohort(find_manifest("tcga_lihc"), data_root=data_root)
    with pytest.warns(RadiogenomicsWarning, match="282 of 19642 genes"):
        part = read_molecules(cohort, assay="rna", endpoint="OS")
    assert "XIST" not in part.tumour
    found = sample_checks([part])
    assert "0 contradict" in notes(found)
    swapped = cohort.patients.assign(sex=cohort.patients["sex"].to_numpy()[::-1])
    part = replace(part, cohort=replace(cohort, patients=swapped))
    table = sample_checks([part]).tables["sample_checks"]
    assert (table["what"] == "sex contradicted").sum() > 20
