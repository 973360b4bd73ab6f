"""Concepts read from features: against a plain loop, against SciPy, within sites, and bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge

from radiogenomics.core.errors import AlignmentError, DataError, StudyError
from radiogenomics.evaluation.concept_read_out import concept_read_out
from radiogenomics.evaluation.splits import PatientKFold
from radiogenomics.models.many_targets import ManyRidge

FOLDS = PatientKFold(4, random_state=2)


@pytest.fixture
def tables(rng):
    """80 patients with features; TLS is known of 60, in an order of its own."""
    patients = pd.Index([f"P{n:02d}" for n in range(80)])
    deep = pd.DataFrame(rng.normal(size=(80, 12)), patients).rename(columns="d{}".format)
    tls = pd.DataFrame({"tls": (deep["d3"] + 0.5 * rng.normal(size=80) > 0.3) * 1.0})
    sets = pd.DataFrame(
        {
            "il6": deep["d1"] + deep["d2"] + 0.5 * rng.normal(size=80),
            "unseen": rng.normal(size=80),
        }
    )
    return deep, {"pathology": tls.iloc[rng.permutation(80)[:60]], "pathways": sets}


def test_what_features_know_is_found_and_nothing_else(tables, rng):
    deep, concepts = tables
    found = concept_read_out(
        deep, concepts, ManyRidge(), folds=FOLDS, rng=rng, permutations=199, count=1
    )
    read = found.read.set_index("concept")
    assert read["source"].to_dict() == {"tls": "pathology", "il6": "pathways", "unseen": "pathways"}
    assert read["n"].to_dict() == {"tls": 60, "il6": 80, "unseen": 80}
    assert (read.loc[["tls", "il6"], "p_family"] == 1 / 200).all()
    assert read.loc["unseen", "p"] > 0.05
    assert read.loc["tls", "auc"] > 0.7
    best = found.likeness.set_index(["source", "feature"])
    assert best.loc[("pathology", "d3"), "similar"] == "tls"
    assert best.loc[("pathways", "d1"), "similar"] == "il6"
    assert len(found.likeness) == 2 * 12


def test_numbers_are_those_of_a_plain_loop_and_of_scipy(tables, rng):
    deep, concepts = tables
    some = {"pathology": concepts["pathology"]}
    found = concept_read_out(deep, some, Ridge(), folds=FOLDS, rng=rng, permutations=3)
    y = some["pathology"]["tls"]
    X = deep.loc[y.index]
    missed = total = 0.0
    rhos, sizes = [], []
    for split in FOLDS.split(y.index):
        model = Ridge().fit(X.iloc[split.train], y.iloc[split.train])
        said, true = model.predict(X.iloc[split.test]), y.iloc[split.test]
        missed += ((true - said) ** 2).sum()
        total += ((true - y.iloc[split.train].mean()) ** 2).sum()
        rhos.append(spearmanr(said, true).statistic)
        sizes.append(len(true))
    row = found.read.iloc[0]
    assert row["r2"] == pytest.approx(1 - missed / total, rel=1e-10)
    assert row["rho"] == pytest.approx(np.average(rhos, weights=sizes), rel=1e-10)
    for name, rho in found.likeness[["feature", "rho"]].values:
        assert rho == pytest.approx(spearmanr(X[name], y).statistic, abs=1e-11)


def test_a_concept_that_is_the_site_is_nothing_within_sites(rng):
    patients = pd.Index([f"P{n}" for n in range(48)])
    site = pd.Series(np.resize(["A", "B"], 48), patients)
    deep = pd.DataFrame(rng.normal(size=(48, 3)), patients).rename(columns="d{}".format)
    deep["d0"] += 3 * (site == "A")
    concept = {"pathways": pd.DataFrame({"score": (site == "A") * 1.0})}
    settings = {"folds": FOLDS, "permutations": 39}
    free = concept_read_out(deep, concept, Ridge(), rng=rng, **settings)
    within = concept_read_out(deep, concept, Ridge(), rng=rng, strata=site, **settings)
    assert free.read["p"].item() == 1 / 40
    assert within.read["p"].item() == 1.0


def test_bad_input_says_what_is_expected(tables, rng):
    deep, concepts = tables

    def asked(features, some, **words):
        return concept_read_out(
            features, some, Ridge(), folds=FOLDS, rng=rng, permutations=3, **words
        )

    with pytest.raises(StudyError, match="one or more sources"):
        asked(deep, {})
    with pytest.raises(AlignmentError, match="pathways, features.*found 30 others"):
        asked(deep.iloc[:50], {"pathways": concepts["pathways"]})
    with pytest.raises(AlignmentError, match="pathways, features"):
        asked(pd.concat([deep, deep.iloc[:1]]), {"pathways": concepts["pathways"]})
    with pytest.raises(AlignmentError, match="pathways, strata"):
        asked(deep, {"pathways": concepts["pathways"]}, strata=pd.Series("A", deep.index[:9]))
    with pytest.raises(DataError, match="found gaps in 1"):
        asked(deep, {"pathways": concepts["pathways"].mask(deep["d0"] > 1)[["il6"]]})
    with pytest.raises(DataError, match="do not"):
        asked(deep.assign(dead=0.0), {"pathways": concepts["pathways"]})
