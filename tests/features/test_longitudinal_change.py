from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import issparse
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, SchemaError
from radiogenomics.features.icc_filter import ICCFilter
from radiogenomics.features.impute import MedianImputer
from radiogenomics.features.longitudinal_change import LongitudinalChange
from radiogenomics.models.linear_svm import LinearSVM
from radiogenomics.models.tuned import TunedClassifier

FEATURES = ("size", "texture|glcm", "mean")


class NamedChange(LongitudinalChange):
    """Names the columns of plain arrays, which scikit-learn's checks pass."""

    def fit(self, X, y=None):
        values = X if issparse(X) else np.asarray(X)
        if isinstance(values, np.ndarray) and values.ndim == 2 and values.size:
            width = (values.shape[1] + 1) // 2
            names = [("baseline", "follow_up")[i // width] for i in range(values.shape[1])]
            names = [f"{name}|x{i % width}" for i, name in enumerate(names)]
            X = pd.DataFrame(values, columns=names)
        return super().fit(X, y)


@parametrize_with_checks(
    [NamedChange("symmetric", missing="baseline_only")],
    expected_failed_checks=lambda estimator: {
        "check_fit2d_1feature": "one column cannot hold two time points"
    },
)
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@pytest.fixture
def table(rng) -> pd.DataFrame:
    names = [f"{point}|{f}" for f in FEATURES for point in ("follow_up", "baseline")]
    return pd.DataFrame(rng.normal(3, 1, size=(8, 6)), list("ABCDEFGH"), names)


def change(mode: str, **parameters) -> LongitudinalChange:
    return LongitudinalChange(mode, **parameters).set_output(transform="pandas")


def test_concatenation_orders_by_time_and_changes_no_value(table):
    out = change("concatenate").fit_transform(table)
    assert list(out) == [f"{p}|{f}" for p in ("baseline", "follow_up") for f in FEATURES]
    pd.testing.assert_frame_equal(out, table[out.columns])


@pytest.mark.parametrize(
    ("mode", "by_hand"),
    [
        ("difference", lambda a, b: b - a),
        ("ratio", lambda a, b: (b - a) / abs(a)),
        ("symmetric", lambda a, b: 2 * (b - a) / (abs(a) + abs(b))),
        ("rate", lambda a, b: (b - a) / 8),
    ],
)
def test_change_is_last_less_first(table, mode, by_hand):
    table["baseline|mean"] *= -1
    out = change(mode).fit_transform(table.assign(**{"@weeks": 8.0} if mode == "rate" else {}))
    assert list(out) == [f"{mode}|{f}" for f in FEATURES]
    for feature in FEATURES:
        expected = by_hand(table[f"baseline|{feature}"], table[f"follow_up|{feature}"])
        np.testing.assert_allclose(out[f"{mode}|{feature}"], expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("a", "b", "ratio"), [(2, 3, 0.5), (2, 0, -1), (-2, -1, 0.5), (-2, 2, 2), (0, 0, 0), (5, 5, 0)]
)
def test_ratio_by_hand(a, b, ratio):
    X = pd.DataFrame({"baseline|f": [float(a)], "follow_up|f": [float(b)]})
    assert LongitudinalChange("ratio").fit_transform(X).item() == ratio
    symmetric = LongitudinalChange("symmetric").fit_transform(X).item()
    assert symmetric == pytest.approx(2 * (b - a) / (abs(a) + abs(b)) if a or b else 0)


def test_ratio_from_nearly_zero_is_missing_never_infinite():
    a, b = np.meshgrid([0.0, 1e-300, -1e-7, 1e-5, 1.0], [0.0, 1.0, -1e300, 1e-300])
    X = pd.DataFrame({"baseline|f": a.ravel(), "follow_up|f": b.ravel()})
    with pytest.warns(RadiogenomicsWarning, match="9 relative changes start from nearly zero"):
        out = LongitudinalChange("ratio").fit_transform(X).ravel()
    missing = np.abs(a.ravel()) < 1e-6 * np.abs(b.ravel())
    assert np.array_equal(np.isnan(out), missing)
    assert np.nanmax(np.abs(out)) <= 1e6 + 1
    symmetric = LongitudinalChange("symmetric").fit_transform(X)
    assert np.abs(symmetric).max() == 2


def test_a_larger_floor_leaves_more_missing():
    X = pd.DataFrame({"baseline|f": [0.01], "follow_up|f": [1.0]})
    assert LongitudinalChange("ratio").fit_transform(X).item() == pytest.approx(99)
    with pytest.warns(RadiogenomicsWarning, match="1 relative change"):
        assert np.isnan(LongitudinalChange("ratio", floor=0.1).fit_transform(X)).all()


def test_three_time_points_end_to_end_or_step_by_step(rng):
    points = ("pre", "week 6", "week 12")
    X = pd.DataFrame(rng.normal(size=(5, 6)), columns=[f"{p}|{f}" for p in points for f in "ab"])
    ends = change("difference", time_points=points).fit_transform(X)
    assert list(ends) == ["difference|a", "difference|b"]
    np.testing.assert_allclose(ends["difference|a"], X["week 12|a"] - X["pre|a"])
    steps = change("difference", time_points=points, steps="successive").fit_transform(X)
    assert list(steps)[::2] == ["difference pre to week 6|a", "difference week 6 to week 12|a"]
    np.testing.assert_allclose(steps.iloc[:, ::2].sum(axis=1), ends["difference|a"])
    with pytest.raises(DataError, match="steps: expected 'ends' with mode 'rate'"):
        change("rate", time_points=points, steps="successive").fit(X.assign(**{"@weeks": 1.0}))


def test_each_patient_is_described_alone(table):
    fitted = change("ratio").fit(table)
    alone = pd.concat([fitted.transform(table.loc[[p]]) for p in table.index])
    pd.testing.assert_frame_equal(alone, fitted.transform(table))
    refitted = change("ratio").fit(table.head(1)).transform(table)
    pd.testing.assert_frame_equal(refitted, alone)
    assert not LongitudinalChange.card.learns


def test_the_interval_is_eaten_and_no_other_row_fact(table):
    weeks = np.arange(1.0, 9)
    X = table.assign(**{"@weeks": weeks})
    step = change("rate")
    assert step.row_facts == ("@weeks",)
    out = step.fit_transform(X)
    assert "@weeks" not in out
    np.testing.assert_allclose(
        out["rate|size"], (table["follow_up|size"] - table["baseline|size"]) / weeks
    )
    assert change("difference").row_facts == ()
    with pytest.raises(SchemaError, match="row fact.*@weeks"):
        change("difference").fit(X)
    with pytest.raises(SchemaError, match="row fact.*@site"):
        step.fit(X.assign(**{"@site": 1.0}))
    with pytest.raises(SchemaError, match="expected the column @weeks.*found none"):
        step.fit(table)


def test_time_points_in_the_wrong_order_are_seen_by_their_interval(table):
    X = table.assign(**{"@weeks": [-6.0, -7, 0] + [6.0] * 5})
    with pytest.raises(DataError, match="found 2 below and 1 of 0.*wrong order"):
        change("rate").fit_transform(X)


def test_missing_values_stay_missing(table):
    X = table.assign(**{"@weeks": 6.0})
    X.loc["C", [c for c in X if c.startswith("follow_up")] + ["@weeks"]] = np.nan
    out = change("rate").fit_transform(X)
    assert out.isna().any(axis=1).tolist() == [p == "C" for p in X.index]
    kept = change("concatenate").fit_transform(X.drop(columns="@weeks"))
    assert kept.loc["C", "baseline|size"] == X.loc["C", "baseline|size"]
    X.loc["D", "@weeks"] = np.nan
    with pytest.raises(DataError, match="seen twice; found 1 missing"):
        change("rate").fit_transform(X)


def test_stands_in_a_pipeline_before_an_imputer(table):
    table.loc["C", "follow_up|size"] = np.nan
    pipe = make_pipeline(LongitudinalChange("difference"), MedianImputer(), StandardScaler())
    assert np.isfinite(pipe.set_output(transform="pandas").fit_transform(table)).all(axis=None)
    assert pipe.get_feature_names_out().tolist() == [f"difference|{f}" for f in FEATURES]


def test_a_feature_that_one_time_point_lacks(table):
    X = table.assign(**{"baseline|sex": 1.0})
    with pytest.raises(SchemaError, match="found 'sex' at baseline and not at follow_up"):
        change("difference").fit(X)
    kept = change("difference", missing="baseline_only").fit_transform(X)
    assert list(kept)[-1] == "baseline|sex" and (kept["baseline|sex"] == 1).all()
    assert list(change("difference", missing="drop").fit_transform(X)) == list(kept)[:-1]
    X = table.assign(**{"follow_up|necrosis": 1.0})
    with pytest.raises(SchemaError, match="'necrosis' at follow_up and not at baseline"):
        change("difference", missing="baseline_only").fit(X)
    lonely = table[["baseline|size", "follow_up|mean"]]
    with pytest.raises(SchemaError, match="found none of 2"):
        change("difference", missing="drop").fit(lonely)


def test_columns_that_cannot_be_placed_are_refused(table):
    with pytest.raises(SchemaError, match="found 1 others .age"):
        change("difference").fit(table.assign(age=60.0))
    with pytest.raises(SchemaError, match="found 3 others .*follow_up.*time_points"):
        change("difference", time_points=("baseline", "follow-up")).fit(table)
    with pytest.raises(SchemaError, match="found none of follow_up"):
        change("difference").fit(table.filter(like="baseline"))
    with pytest.raises(DataError, match="found ndarray without names"):
        LongitudinalChange().fit(table.to_numpy())
    with pytest.raises(ValueError, match="feature names"):
        change("difference").fit(table).transform(table[table.columns[::-1]])


@pytest.mark.parametrize(
    "parameters",
    [{"mode": "delta"}, {"steps": "all"}, {"missing": "skip"}, {"floor": 0}, {"floor": 1}]
    + [{"time_points": p} for p in ("baseline", ("baseline",), ("baseline", "baseline"))],
    ids=lambda p: "-".join(f"{k}={v}" for k, v in p.items()),
)
def test_senseless_parameters_are_refused(table, parameters):
    with pytest.raises(DataError, match=next(iter(parameters))):
        LongitudinalChange(**parameters).fit(table)


def test_names_and_interval_reach_it_inside_a_tuned_classifier(rng):
    points = ("baseline", "follow_up")
    names = [f"{point}|f{i}" for point in points for i in range(6)]
    X = pd.DataFrame(rng.normal(size=(60, 12)), columns=names)
    X["@weeks"] = rng.integers(4, 12, 60).astype(float)
    y = ((X["follow_up|f2"] - X["baseline|f2"]) / X["@weeks"] > 0).astype(int)
    readings = [X.filter(like="baseline").set_axis([f"rate|f{i}" for i in range(6)], axis=1)] * 2
    steps = [
        ("change", LongitudinalChange("rate")),
        ("icc", ICCFilter([r.drop(columns="rate|f5") for r in readings])),
        ("scale", StandardScaler()),
        ("svm", LinearSVM()),
    ]
    model = TunedClassifier(Pipeline(steps), {"C": [0.1, 1.0]}).fit(X, y)
    assert model.selected_features_.tolist() == [f"rate|f{i}" for i in range(5)]
    assert roc_auc_score(y, model.decision_function(X)) > 0.9


@pytest.mark.real
def test_change_of_real_features_is_finite(data_root):
    folder = data_root / "tables" / "hnc_delta_pre_post"
    pre, post = (
        pd.read_excel(folder / f"CT_Fea_{when}.xlsx", header=None) for when in ("Pre", "Post")
    )
    X = pd.concat([pre.add_prefix("baseline|"), post.add_prefix("follow_up|")], axis=1)
    ratio = LongitudinalChange("ratio").fit_transform(X)
    assert ratio.shape == (224, 258) and np.isfinite(ratio).all()
    unchanged = (pre == post).to_numpy()
    assert (unchanged & (pre == 0).to_numpy()).sum() == 167  # 0 / 0 without care
    assert (ratio[unchanged] == 0).all()
    expected = (post / pre - 1) * np.sign(pre)
    np.testing.assert_allclose(ratio[~unchanged], expected.to_numpy()[~unchanged], atol=1e-9)
