"""Activities of sources against least squares by hand and against decoupler itself."""

from __future__ import annotations

import builtins

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    MissingExtraError,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.omics.scoring.activities import ActivityScorer, activities

decoupler = pytest.importorskip("decoupler")

GENES = [f"G{n:03d}" for n in range(120)]


@pytest.fixture(scope="module")
def values() -> pd.DataFrame:
    """Nine patients, log2; G119 is 0 in all of them."""
    rng = np.random.default_rng(21)
    frame = pd.DataFrame(
        rng.normal(6, 1, (9, 120)) + rng.normal(0, 2, 120),
        index=[f"P{n}" for n in range(9)],
        columns=GENES,
    )
    return frame.assign(G119=0.0)


@pytest.fixture(scope="module")
def network() -> pd.DataFrame:
    """Five sources that share targets, weights of both signs; targets G120 ... are not measured."""
    rng = np.random.default_rng(22)
    rows = [
        (f"TF{source}", f"G{target:03d}", float(rng.choice((-1, 1)) * rng.uniform(0.3, 2)))
        for source in range(5)
        for target in rng.choice(130, 12 + 5 * source, replace=False)
    ]
    few = [("FEW", gene, 1.0) for gene in GENES[:4]]
    return pd.DataFrame(rows + few, columns=["source", "target", "weight"])


def weights_of(network: pd.DataFrame) -> pd.DataFrame:
    wide = network.pivot(index="target", columns="source", values="weight")
    return wide.reindex(GENES).fillna(0).drop(columns="FEW")


def least_squares(x: np.ndarray, design: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """t and two-sided p of all but the intercept."""
    design = np.column_stack([np.ones(len(x)), design])
    coefficient = np.linalg.solve(design.T @ design, design.T @ x)
    freedom = len(x) - design.shape[1]
    variance = np.sum((x - design @ coefficient) ** 2) / freedom
    t = coefficient / np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design)))
    return t[1:], 2 * stats.t.sf(np.abs(t[1:]), freedom)


@pytest.mark.parametrize("method", ["ulm", "mlm"])
def test_scores_and_p_are_those_of_least_squares(values, network, method) -> None:
    found = activities(values, network, method=method)
    weights = weights_of(network)
    assert list(found.scores) == list(found.p) == list(weights)
    for patient, x in values.iterrows():
        if method == "mlm":
            t, p = least_squares(x.to_numpy(), weights.to_numpy())
        else:
            each = [least_squares(x.to_numpy(), w.to_numpy()[:, None]) for _, w in weights.items()]
            t, p = (np.concatenate(part) for part in zip(*each, strict=True))
        np.testing.assert_allclose(found.scores.loc[patient], t, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(found.p.loc[patient], p, rtol=1e-8)


def test_zscore_is_its_formula(values, network) -> None:
    found = activities(values, network, method="zscore")
    for name, w in weights_of(network).items():
        mean = values @ w / np.abs(w).sum()
        score = (mean - values.mean(axis=1)) * np.sqrt((w != 0).sum()) / values.std(axis=1)
        np.testing.assert_allclose(found.scores[name], score, rtol=1e-8)
        np.testing.assert_allclose(found.p[name], 2 * stats.norm.sf(np.abs(score)), rtol=1e-8)


@pytest.mark.parametrize("method", ["ulm", "mlm", "zscore"])
def test_scores_and_p_are_those_of_decoupler(values, network, method) -> None:
    found = activities(values, network, method=method)
    theirs, p = getattr(decoupler.mt, method)(values, network, tmin=5, empty=False)
    np.testing.assert_allclose(found.scores, theirs[found.scores.columns], rtol=1e-8, atol=1e-10)
    # decoupler adjusts over the sources of a patient, but for mlm, and in single precision.
    adjusted = method != "mlm"
    ours = stats.false_discovery_control(found.p, axis=1) if adjusted else found.p
    rtol = np.finfo(np.float32).eps if adjusted else 1e-8
    np.testing.assert_allclose(ours, p[found.p.columns], rtol=rtol, atol=1e-14)


@pytest.mark.parametrize("method", ["ulm", "mlm", "zscore"])
def test_a_patient_scores_the_same_alone_and_in_company(values, network, method) -> None:
    together = activities(values, network, method=method).scores
    alone = activities(values.iloc[[4]], network, method=method).scores
    # G118 is 0 in this patient alone: a gene that decoupler would drop, alone.
    changed = values.copy()
    changed.loc["P4", "G118"] = 0
    np.testing.assert_allclose(together.iloc[[4]], alone, rtol=1e-10)
    np.testing.assert_allclose(
        activities(changed, network, method=method).scores.iloc[[4]],
        activities(changed.iloc[[4]], network, method=method).scores,
        rtol=1e-10,
    )
    scorer = ActivityScorer(network, method=method).fit(values.iloc[:6])
    np.testing.assert_allclose(
        scorer.transform(values).iloc[[7]], scorer.transform(values.iloc[[7]]), rtol=1e-10
    )


def test_the_scorer_centres_on_the_patients_it_was_fitted_on(values, network) -> None:
    scorer = ActivityScorer(network).fit(values.iloc[:6])
    by_hand = activities(values - values.iloc[:6].mean(), network).scores
    np.testing.assert_allclose(scorer.transform(values), by_hand, rtol=1e-8, atol=1e-10)
    assert scorer.get_feature_names_out().tolist() == list(by_hand)
    shuffled = values.sample(frac=1, axis=1, random_state=1).assign(OTHER=3.0)
    pd.testing.assert_frame_equal(scorer.transform(shuffled), scorer.transform(values))
    with pytest.raises(AlignmentError, match="found 1 absent \\(G003\\)"):
        scorer.transform(values.drop(columns="G003"))


def test_centring_finds_the_patient_whose_source_is_active(network) -> None:
    rng = np.random.default_rng(5)
    base = rng.normal(6, 2, 120)
    frame = pd.DataFrame(base + rng.normal(0, 0.5, (30, 120)), columns=GENES)
    weights = weights_of(network)["TF3"].to_numpy()
    dose = rng.normal(0, 1, 30)
    frame += np.outer(dose, weights)
    r = np.corrcoef(ActivityScorer(network).fit_transform(frame)["TF3"], dose)[0, 1]
    assert r > 0.9


def test_coverage_counts_what_is_found(values, network) -> None:
    coverage = activities(values, network).coverage.set_index("source")
    there = network["target"].isin(GENES).groupby(network["source"]).agg(["size", "sum"])
    assert coverage["targets"].to_dict() == there["size"].to_dict()
    assert coverage["found"].to_dict() == there["sum"].to_dict()
    assert coverage["scored"].to_dict() == {name: name != "FEW" for name in coverage.index}


def test_bad_networks_are_named(values, network) -> None:
    with pytest.raises(SchemaError, match="source, target, weight; found source, target, mor"):
        activities(values, network.rename(columns={"weight": "mor"}))
    with pytest.raises(SchemaError, match="found list"):
        activities(values, [("TF", "G001", 1.0)])
    twice = pd.concat([network, network.iloc[:3].assign(weight=[9.0, 9.0, network.weight[2]])])
    with pytest.raises(SchemaError, match="3 surplus rows of 3 edges.*2 of them with different"):
        activities(values, twice)
    for broken in (0.0, np.nan, np.inf, "up"):
        with pytest.raises(SchemaError, match="found 1 rows without"):
            activities(
                values, network.astype({"weight": object}).replace(network.weight[0], broken)
            )
    with pytest.raises(SchemaError, match="in each of 0 rows"):
        activities(values, network.iloc[:0])
    lower = network.assign(target=network["target"].str.lower())
    with pytest.raises(AlignmentError, match=r"found none of \d+ .*but for their case; near: G"):
        activities(values, lower)
    with pytest.raises(AlignmentError, match="transpose the table"):
        activities(values.T, network)
    with pytest.raises(DataError, match=r"with 60 targets or more.*at most \d\d, TF4"):
        activities(values, network, smallest=60)


def test_a_regression_without_a_single_answer_is_refused(values, network) -> None:
    double = network[network["source"] == "TF1"].assign(source="COPY")
    with pytest.raises(DataError, match="found 1 of 6 whose weights are a sum"):
        activities(values, pd.concat([network, double]), method="mlm")
    assert "COPY" in activities(values, pd.concat([network, double])).scores
    targets = values[GENES[:20]]
    all_of_them = pd.DataFrame({"source": "TF", "target": GENES[:20], "weight": 1.0})
    with pytest.raises(DataError, match="1 sources with one weight on all of them"):
        activities(targets, all_of_them)
    few = values[GENES[:6]]
    several = pd.DataFrame(
        [(f"TF{n}", GENES[n], 1.0) for n in range(5)], columns=["source", "target", "weight"]
    )
    with pytest.raises(DataError, match="7 genes or more for a regression on 5"):
        activities(few, several, method="mlm", smallest=1)


def test_bad_values_and_words_are_named(values, network) -> None:
    with pytest.raises(DataError, match="1 missing"):
        activities(values.mask(values == values.iloc[2, 7]), network)
    with pytest.raises(DataError, match="one value for all"):
        activities(values.mul(0).add(3), network)
    with pytest.raises(UnknownNameError, match="did you mean 'ulm'"):
        activities(values, network, method="ulmm")
    with pytest.raises(DataError, match="1 target or more"):
        activities(values, network, smallest=0)
    with pytest.raises(DataError, match="at least 2 patients"):
        ActivityScorer(network).fit(values.iloc[:1])


def test_without_decoupler_the_extra_is_named(values, network, monkeypatch) -> None:
    real = builtins.__import__

    def refuse(name, *rest):
        if name == "decoupler":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtraError, match=r"radiogenomics\[omics\]"):
        activities(values, network)


class OnArrays(ActivityScorer):
    """Names the columns of scikit-learn's arrays x0, x1, ..."""

    def fit(self, X, y=None):
        super().fit(self._named(validate_data(self, X, dtype=np.float64)))
        validate_data(self, X, dtype=np.float64)
        return self

    def transform(self, X):
        values = validate_data(self, X, dtype=np.float64, reset=False)
        return super().transform(self._named(values)).to_numpy()

    def _named(self, values):
        return pd.DataFrame(values, columns=[f"x{n}" for n in range(values.shape[1])])


EDGES = pd.DataFrame({"source": "TF", "target": ["x0"], "weight": [1.0]})


@parametrize_with_checks([OnArrays(EDGES, method="zscore", smallest=1)])
def test_the_scorer_is_an_estimator(estimator, check) -> None:
    check(estimator)
