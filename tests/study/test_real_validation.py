"""Validation of published tables of real patients, each number held against another authority."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pingouin
import pytest
import statsmodels.api as sm
import yaml
from scipy.stats import norm
from sklearn.metrics import brier_score_loss, roc_auc_score, roc_curve
from statsmodels.stats.proportion import proportion_confint

from radiogenomics.study import Results, validate

# One patient's far-out texture makes a fold of the cross-validation all but certain of it.
pytestmark = [
    pytest.mark.real,
    pytest.mark.filterwarnings("ignore:expected probabilities between 0 and 1"),
]

LABEL = "MTM"
THRESHOLD = 0.75
OUTSIDE = "external:XY3B"
PLAN = {
    "steps": [
        {"step": "median_imputer"},
        {"step": "drop_constant"},
        {"step": "icc_filter", "parameters": {"threshold": THRESHOLD}},
        {"step": "standardise"},
        {"step": "correlation_clusters", "parameters": {"threshold": 0.9}},
        {"step": "rank_selector", "parameters": {"k": 10}},
    ],
    "learner": "svm",
    "comparators": ["lr"],
    "inner_folds": 3,
    "folds": 3,
    "repeats": 2,
    "permutations": 3,
}


@pytest.fixture(scope="module")
def tables(data_root) -> Path:
    """Folder of the feature tables; every patient with its label, and three readings."""
    return data_root / "tables" / "hcc_mtm_radiomics2022"


@pytest.fixture(scope="module")
def results(tables, tmp_path_factory) -> Results:
    """A validation by a plan that was named before, and smaller than one to be reported."""
    folder = tmp_path_factory.mktemp("validation")
    plan = folder / "plan.yaml"
    plan.write_text(yaml.safe_dump(PLAN), encoding="utf-8")
    return validate(
        tables / "XY3A.csv",
        label=LABEL,
        external=[tables / "XY3B.csv"],
        retest=[tables / "R#1_1.csv", tables / "R#2.csv"],
        plan=plan,
        out=folder / "out",
        jobs=1,
    )


@pytest.fixture(scope="module")
def outside(results) -> pd.DataFrame:
    """Labels and scores of the external patients."""
    predictions = results.tables["predictions"]
    return predictions[predictions["cohort"] == "XY3B"]


def delong_error(scores: np.ndarray, labels: np.ndarray) -> float:
    """Standard error of the area from the placement of each patient among the other class."""
    with_label, without = scores[labels == 1], scores[labels == 0]
    pairs = np.sign(with_label[:, None] - without[None, :]) / 2 + 0.5
    return float(
        np.sqrt(
            pairs.mean(axis=1).var(ddof=1) / len(with_label)
            + pairs.mean(axis=0).var(ddof=1) / len(without)
        )
    )


def test_external_patients_are_those_of_the_file(outside, tables):
    file = pd.read_csv(tables / "XY3B.csv")
    assert outside["label"].tolist() == file[LABEL].tolist()
    assert outside["score"].nunique() > 1


def test_external_area_is_that_of_scikit_learn(results, outside):
    found = results.findings.metric("auc", split=OUTSIDE)
    assert found.value == pytest.approx(
        roc_auc_score(outside["label"], outside["score"]), rel=1e-12
    )
    assert (found.n, found.events) == (88, 27)


def test_external_interval_is_delong_s_on_the_logit_scale(results, outside):
    scores, labels = outside["score"].to_numpy(), outside["label"].to_numpy()
    area = roc_auc_score(labels, scores)
    half = norm.ppf(0.975) * delong_error(scores, labels) / (area * (1 - area))
    centre = np.log(area / (1 - area))
    expected = 1 / (1 + np.exp(-np.array([centre - half, centre + half])))
    found = results.findings.metric("auc", split=OUTSIDE)
    np.testing.assert_allclose([found.low, found.high], expected, rtol=1e-10)


def test_cross_validated_area_is_the_mean_over_repeats(results):
    predictions = results.tables["predictions"]
    inside = predictions[predictions["cohort"] == "XY3A"]
    areas = [roc_auc_score(part["label"], part["score"]) for _, part in inside.groupby("repeat")]
    assert len(areas) == PLAN["repeats"]
    found = results.findings.metric("auc", split="cross-validation")
    assert found.value == pytest.approx(np.mean(areas), rel=1e-12)
    assert inside.groupby("repeat")["patient"].nunique().tolist() == [169, 169]


def test_the_filter_keeps_what_two_readers_agree_on(results, tables):
    model = results.findings.evidence.model.estimator
    fitted = model.pipeline_.named_steps["icc_filter"]
    first, second = (pd.read_csv(tables / name) for name in ("R#1_1.csv", "R#2.csv"))
    names = [name for name in pd.read_csv(tables / "XY3A.csv", nrows=0).columns if name != LABEL]
    values = np.stack([first[names], second[names]], axis=1)
    n, k, _ = values.shape
    grand = values.mean(axis=(0, 1))
    rows = k * ((values.mean(axis=1) - grand) ** 2).sum(axis=0) / (n - 1)
    columns = n * ((values.mean(axis=0) - grand) ** 2).sum(axis=0) / (k - 1)
    left = values - values.mean(axis=1)[:, None] - values.mean(axis=0)[None] + grand
    error = (left**2).sum(axis=(0, 1)) / ((n - 1) * (k - 1))
    icc = (rows - error) / (rows + (k - 1) * error + k * (columns - error) / n)
    kept = {name for name, value in zip(names, icc, strict=True) if value >= THRESHOLD}
    assert set(fitted.get_feature_names_out()) == kept
    assert 0 < len(kept) < len(names)


def test_the_features_nearest_the_threshold_are_judged_as_by_pingouin(results, tables):
    model = results.findings.evidence.model.estimator
    agreement = model.pipeline_.named_steps["icc_filter"].agreement_
    readings = [pd.read_csv(tables / name) for name in ("R#1_1.csv", "R#2.csv")]
    nearest = (agreement["icc"] - THRESHOLD).abs().nsmallest(5).index
    for name in nearest:
        long = pd.concat(
            [
                pd.DataFrame({"patient": table.index, "reader": reader, "value": table[name]})
                for reader, table in enumerate(readings)
            ]
        )
        long["value"] /= long["value"].abs().max()
        table = pingouin.intraclass_corr(long, targets="patient", raters="reader", ratings="value")
        expected = table.loc[table["Type"].isin(["ICC2", "ICC(A,1)"]), "ICC"].item()
        assert agreement.loc[name, "icc"] == pytest.approx(expected, rel=1e-8)


def test_calibration_is_that_of_two_logistic_regressions(results, outside):
    labels, scores = outside["label"].to_numpy(), outside["score"].to_numpy()
    log_odds = np.log(scores / (1 - scores))
    line = sm.GLM(labels, sm.add_constant(log_odds), family=sm.families.Binomial()).fit(tol=1e-14)
    level = sm.GLM(
        labels, np.ones_like(log_odds), family=sm.families.Binomial(), offset=log_odds
    ).fit(tol=1e-14)
    metric = results.findings.metric
    slope, intercept = (metric(f"calibration_{x}", split=OUTSIDE) for x in ("slope", "intercept"))
    assert slope.value == pytest.approx(line.params[1], rel=1e-7)
    np.testing.assert_allclose([slope.low, slope.high], line.conf_int()[1], rtol=1e-6)
    assert intercept.value == pytest.approx(level.params[0], rel=1e-7)
    np.testing.assert_allclose([intercept.low, intercept.high], level.conf_int()[0], rtol=1e-6)
    brier = metric("brier", split=OUTSIDE)
    assert brier.value == pytest.approx(brier_score_loss(labels, scores), rel=1e-12)


def test_the_threshold_is_youden_s_of_the_training_patients_and_stays(results, outside):
    points = results.tables["operating_points"].set_index("metric")
    threshold = points["threshold"].unique().item()
    predictions = results.tables["predictions"]
    inside = predictions[predictions["cohort"] == "XY3A"]
    mean = inside.groupby("patient")[["label", "score"]].mean()
    false, true, cuts = roc_curve(mean["label"], mean["score"], drop_intermediate=False)
    youden = true - false
    assert youden[np.isclose(cuts, threshold, rtol=0, atol=1e-12)].item() == pytest.approx(
        youden.max()
    )
    called = outside["score"] >= threshold
    for name, of in (("sensitivity", 1), ("specificity", 0)):
        members = outside["label"] == of
        right = int((called[members] == bool(of)).sum())
        low, high = proportion_confint(right, int(members.sum()), method="wilson")
        expected = [right / members.sum(), low, high]
        found = points.loc[name, ["value", "low", "high"]].to_numpy(dtype=float)
        np.testing.assert_allclose(found, expected, rtol=1e-10)
