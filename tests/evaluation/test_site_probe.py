from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from radiogenomics.core.errors import AlignmentError, DataError, OutcomeError, UnknownNameError
from radiogenomics.evaluation.site_probe import pairwise_auc, site_probe
from radiogenomics.evaluation.splits import PatientKFold
from radiogenomics.features.combat import ComBat

HALVES = PatientKFold(2, n_repeats=2, random_state=3)


def cohort(
    rng: np.random.Generator, *, n: int = 60, p: int = 40, shift: float = 0.0, n_sites: int = 3
) -> tuple[pd.DataFrame, pd.Series]:
    site = np.arange(n) % n_sites
    X = rng.normal(size=(n, p)) + shift * rng.normal(size=(n_sites, p))[site]
    ids = [f"P{i}" for i in range(n)]
    names = np.array(["A", "B", "C"])[site]
    return pd.DataFrame(X, index=ids).add_prefix("f"), pd.Series(names, index=ids)


def values(table: pd.DataFrame, metric: str = "auc") -> pd.Series:
    return table[table["metric"] == metric].set_index(["variant", "learnt_on"])["value"]


@pytest.mark.parametrize("n_sites", [2, 3])
def test_pairwise_auc_is_that_of_scikit_learn(rng, n_sites):
    label = rng.integers(0, n_sites, 50)
    told = rng.dirichlet(np.ones(n_sites), 50).round(2)
    told[:, -1] = 1 - told[:, :-1].sum(axis=1)
    if n_sites == 2:
        expected = roc_auc_score(label, told[:, 1])
    else:
        expected = roc_auc_score(label, told, multi_class="ovo", average="macro")
    assert pairwise_auc(told, label) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("p", [8, 120], ids=["few features", "more features than patients"])
def test_training_rows_are_a_plain_ridge_logistic_regression(rng, p):
    features, sites = cohort(rng, p=p, shift=0.3)
    found = site_probe(
        features,
        sites,
        harmonisers={"ComBat": ComBat()},
        splitter=HALVES,
        learnt_on=["training"],
        count=0,
        rng=rng,
    )
    aucs, accuracies = [], []
    for split in HALVES.split(features.index, sites):
        tables = features.assign(**{"@site": sites})
        train, test = tables.iloc[split.train], tables.iloc[split.test]
        combat = ComBat().fit(train)
        # The house penalty: a linear predictor of prior standard deviation 3 on unit features.
        plain = make_pipeline(
            StandardScaler(), LogisticRegression(C=9 / p, max_iter=10_000, tol=1e-8)
        )
        plain.fit(combat.transform(train), train["@site"])
        told = plain.predict_proba(combat.transform(test))
        aucs.append(roc_auc_score(test["@site"], told, multi_class="ovo"))
        guess = plain.classes_[told.argmax(axis=1)]
        accuracies.append(balanced_accuracy_score(test["@site"], guess))
    # A pair of patients may change places by the optimiser's tolerance.
    assert values(found)["ComBat", "training"] == pytest.approx(np.mean(aucs), abs=0.005)
    accuracy = values(found, "balanced_accuracy")["ComBat", "training"]
    assert accuracy == pytest.approx(np.mean(accuracies), abs=0.01)


def test_sites_that_differ_are_told_and_p_is_small(rng):
    features, sites = cohort(rng, shift=2.0)
    found = site_probe(features, sites, splitter=HALVES, count=19, rng=rng)
    assert found["variant"].tolist() == ["raw"] * 4
    assert (values(found) > 0.99).all()
    assert (found["p"] == 0.1).all()  # both tails of 19 permutations: the smallest there is
    assert found["chance"].tolist() == [0.5, 1 / 3, 0.5, 1 / 3]
    assert (found["low"] <= found["value"]).all() and (found["value"] <= found["high"]).all()
    assert set(found["patients"]) == {60} and set(found["sites"]) == {3}
    assert set(found["repeats"]) == {2}


def test_the_default_count_reaches_a_p_of_one_in_a_hundred(rng):
    features, sites = cohort(rng, shift=2.0)
    found = site_probe(features, sites, splitter=HALVES, learnt_on=["held_out"], rng=rng)
    assert (found["p"] == 0.01).all()


def test_a_harmoniser_that_fails_says_in_which_fold(rng):
    features, sites = cohort(rng)
    odd = features.assign(**{"@odd": np.arange(60) == 0})
    alone = {"ComBat": ComBat(covariates=("@odd",))}
    with pytest.raises(DataError, match=r"^repeat 0, fold \d: covariate @odd"):
        site_probe(odd, sites, harmonisers=alone, splitter=HALVES, count=0, rng=rng)


def test_p_is_uniform_where_sites_are_strangers():
    p = []
    for seed in range(40):
        rng = np.random.default_rng([7, seed])
        features, sites = cohort(rng, n=24, p=5, n_sites=2)
        splitter = PatientKFold(2, random_state=seed)
        found = site_probe(
            features, sites, splitter=splitter, learnt_on=["held_out"], count=4, rng=rng
        )
        p.append(found["p"].iloc[0])
    # P(p <= 0.4) is at most 0.4: three standard errors of 40 draws.
    assert np.mean(np.array(p) <= 0.4) < 0.4 + 3 * np.sqrt(0.24 / 40)


def test_combat_induces_sites_in_patients_it_has_not_seen():
    """On pure noise: the finding that the probe is there for."""
    found = []
    for seed in range(5):
        rng = np.random.default_rng([8, seed])
        features, sites = cohort(rng, p=200)
        table = site_probe(
            features,
            sites,
            harmonisers={"ComBat": ComBat()},
            splitter=PatientKFold(2, random_state=seed),
            count=0,
            rng=rng,
        )
        found.append(values(table))
    mean = pd.concat(found, axis=1).mean(axis=1)
    assert mean["raw", "held_out"] == pytest.approx(0.5, abs=0.1)
    assert mean["raw", "training"] == pytest.approx(0.5, abs=0.1)
    assert mean["ComBat", "held_out"] > 0.65
    assert mean["ComBat", "training"] < 0.35


def test_combat_helps_where_sites_differ_and_patients_are_many():
    rng = np.random.default_rng(9)
    features, sites = cohort(rng, n=900, p=8, shift=0.7)
    found = site_probe(
        features,
        sites,
        harmonisers={"ComBat": ComBat()},
        splitter=PatientKFold(2),
        count=0,
        rng=rng,
    )
    assert values(found)["raw", "held_out"] > 0.8
    assert values(found)["ComBat", "held_out"] < 0.6


class Nosy(TransformerMixin, BaseEstimator):
    """Wants a row fact and keeps the names of what it was given."""

    row_facts = ("@age",)

    def fit(self, X, y=None):
        assert y is None
        self.names_ = list(X.columns)
        return self

    def transform(self, X):
        assert self.names_ == list(X.columns) == ["f0", "f1", "@age"]
        return X[["f0", "f1"]]


def test_row_facts_go_to_those_that_ask_and_are_no_features(rng):
    features, sites = cohort(rng, p=2)
    facts = features.assign(
        **{"@age": rng.normal(60, 9, 60), "@scanner": sites, "@site": "elsewhere"}
    )
    found = site_probe(
        facts,
        sites,
        harmonisers={
            "nosy": Nosy(),
            "pipeline": make_pipeline(
                ComBat(batch="@scanner", covariates=("@age",)), StandardScaler()
            ),
            "plain": StandardScaler(),
        },
        splitter=HALVES,
        count=0,
        rng=rng,
    )
    alone = site_probe(features, sites, splitter=HALVES, count=0, rng=rng)
    assert values(found)["raw"].equals(values(alone)["raw"])
    assert values(found)["nosy"].equals(values(found)["raw"])
    assert values(found)["plain"].to_numpy() == pytest.approx(values(found)["raw"].to_numpy())
    assert not values(found)["pipeline"].equals(values(found)["raw"])


def test_processes_and_seeds_change_nothing(rng):
    features, sites = cohort(rng, n=30, p=5)

    def run(jobs):
        seeded = np.random.default_rng(4)
        return site_probe(features, sites, splitter=HALVES, count=3, rng=seeded, jobs=jobs)

    pd.testing.assert_frame_equal(run(1), run(2))


def test_gaps_and_constants_are_passed_over(rng):
    features, sites = cohort(rng, p=6, shift=1.0)
    expected = site_probe(features, sites, splitter=HALVES, count=0, rng=rng)
    more = features.assign(constant=5.0, empty=np.nan)
    pd.testing.assert_frame_equal(
        site_probe(more, sites, splitter=HALVES, count=0, rng=rng), expected
    )
    more.iloc[3, 0] = np.nan
    assert site_probe(more, sites, splitter=HALVES, count=0, rng=rng)["value"].notna().all()


def test_without_permutations_p_is_missing(rng):
    features, sites = cohort(rng)
    assert site_probe(features, sites, splitter=HALVES, count=0, rng=rng)["p"].isna().all()


def test_a_site_that_permutation_leaves_with_one_patient_is_no_error(rng):
    features, sites = cohort(rng, n=24, p=3)
    sites.iloc[:] = ["A"] * 10 + ["B"] * 10 + ["C"] * 4
    found = site_probe(features, sites, splitter=HALVES, count=30, rng=rng)
    assert found["p"].between(0, 1).all()


@pytest.mark.parametrize(
    ("change", "settings", "error", "match"),
    [
        ({}, {"count": -1}, DataError, "count of at least 0"),
        ({}, {"learnt_on": []}, DataError, "part to learn on"),
        ({}, {"learnt_on": ["heldout"]}, UnknownNameError, "held_out"),
        ({}, {"harmonisers": {"raw": ComBat()}}, DataError, "other names than 'raw'"),
        ({"P0": None}, {}, DataError, "1 without"),
        ({}, {"splitter": PatientKFold(15)}, OutcomeError, "2 held-out patients of each site"),
    ],
)
def test_bad_input_says_what_is_expected(rng, change, settings, error, match):
    features, sites = cohort(rng, p=3)
    for patient, site in change.items():
        sites[patient] = site
    with pytest.raises(error, match=match):
        site_probe(features, sites, rng=rng, **{"count": 0, "splitter": HALVES, **settings})


def test_wrong_tables_are_refused(rng):
    features, sites = cohort(rng, p=3)
    with pytest.raises(OutcomeError, match="2 sites; found 1"):
        site_probe(features, sites.map(lambda _: "A"), rng=rng)
    with pytest.raises(AlignmentError):
        site_probe(features, sites.iloc[:-1], rng=rng)
    with pytest.raises(DataError, match="none but row facts"):
        site_probe(features.add_prefix("@"), sites, rng=rng)
    with pytest.raises(DataError, match="1 infinite"):
        site_probe(features.replace({"f0": features.iloc[0, 0]}, np.inf), sites, rng=rng)


def test_harmoniser_that_returns_a_table_is_read(rng):
    features, sites = cohort(rng, p=4)
    same = site_probe(
        features,
        sites,
        harmonisers={"same": FunctionTransformer()},
        splitter=HALVES,
        count=0,
        rng=rng,
    )
    assert values(same)["same"].equals(values(same)["raw"])
