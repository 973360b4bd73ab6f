"""Comparisons of two AUCs or two concordances.

DeLong's test is held against pROC in the tests of stats, that of concordances against survival.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest, norm

from radiogenomics.core.errors import (
    AlignmentError,
    OutcomeError,
    RadiogenomicsWarning,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.comparison import (
    comparison_table,
    concordance_comparison_table,
    unpaired_comparison,
)
from radiogenomics.stats import (
    concordance_test,
    delong,
    delong_test,
    delong_test_unpaired,
)


@pytest.fixture
def frames(rng) -> dict[str, pd.DataFrame]:
    """Three models over two repeats of 80 patients; the second is the best."""
    ids = [f"P{i}" for i in range(80)]
    label = np.tile(np.arange(80) % 2, 2).astype(float)
    base = {"patient_id": ids * 2, "repeat": np.repeat([0, 1], 80), "label": label}
    signal = label + rng.normal(size=160)
    noise = {"a": 1.0, "b": 0.1, "c": 3.0}
    return {
        name: pd.DataFrame({**base, "score": signal + sd * rng.normal(size=160)})
        for name, sd in noise.items()
    }


def test_one_repeat_is_the_delong_test(frames):
    single = {name: frame[frame["repeat"] == 0] for name, frame in frames.items()}
    table = comparison_table(single, reference="b", split="external:x")
    assert list(table["second"]) == ["a", "c"]
    for row in table.itertuples():
        direct = delong_test(
            single["b"]["score"], single[row.second]["score"], single["b"]["label"]
        )
        assert row.difference == pytest.approx(direct.difference, abs=1e-12)
        assert row.p == pytest.approx(direct.p, rel=1e-10)
        z = norm.ppf(0.975)
        assert row.high - row.low == pytest.approx(2 * z * direct.difference / direct.z, rel=1e-9)
    assert (table["n"] == 80).all()


def test_repeats_are_averaged_and_add_no_patients(frames):
    table = comparison_table(frames, reference="b", split="cross-validation")
    parts = []
    for repeat in (0, 1):
        b, c = (frames[name][frames[name]["repeat"] == repeat] for name in "bc")
        parts.append(delong_test(b["score"], c["score"], b["label"]))
    row = table[table["second"] == "c"].iloc[0]
    assert row["difference"] == pytest.approx(np.mean([t.difference for t in parts]), abs=1e-12)
    se = np.sqrt(np.mean([t.se**2 for t in parts]))
    assert row["p"] == pytest.approx(2 * norm.sf(abs(row["difference"]) / se), rel=1e-9)
    assert row["n"] == 80


def test_order_of_rows_does_not_matter(frames):
    shuffled = {**frames, "c": frames["c"].sample(frac=1, random_state=1)}
    pd.testing.assert_frame_equal(
        comparison_table(shuffled, reference="a", split="s"),
        comparison_table(frames, reference="a", split="s"),
    )


def test_a_model_against_itself_differs_by_nothing(frames):
    twin = {"a": frames["a"], "twin": frames["a"]}
    row = comparison_table(twin, reference="a", split="s").iloc[0]
    assert (row["difference"], row["p"]) == (0.0, 1.0)


def test_other_patients_or_labels_are_refused(frames):
    with pytest.raises(AlignmentError, match="a and b on the same patients"):
        comparison_table({"a": frames["a"], "b": frames["b"].iloc[1:]}, reference="a", split="s")
    other = frames["b"].assign(label=1 - frames["b"]["label"])
    with pytest.raises(AlignmentError, match="labels"):
        comparison_table({"a": frames["a"], "b": other}, reference="a", split="s")
    with pytest.raises(UnknownNameError, match="model"):
        comparison_table(frames, reference="d", split="s")


def test_two_groups_are_compared_unpaired(frames):
    one = frames["a"].query("repeat == 0")
    two = frames["b"].query("repeat == 0").assign(patient_id=lambda f: "Q" + f["patient_id"])
    row = unpaired_comparison(one, two, names=("CT", "MR"), split="external").iloc[0]
    direct = delong_test_unpaired(
        delong(one["score"], one["label"]), delong(two["score"], two["label"])
    )
    assert row["p"] == pytest.approx(direct.p, rel=1e-12)
    assert row["n"] == 160
    with pytest.raises(AlignmentError, match="80 shared patients"):
        unpaired_comparison(one, one, names=("CT", "CT"), split="s")


def test_unlabelled_patients_are_left_out_of_both_groups(frames):
    one = frames["a"].query("repeat == 0").reset_index(drop=True)
    two = frames["b"].query("repeat == 0").assign(patient_id=lambda f: "Q" + f["patient_id"])
    known = unpaired_comparison(one.iloc[4:], two, names=("CT", "MR"), split="s")
    one.loc[:3, "label"] = np.nan
    found = unpaired_comparison(one, two, names=("CT", "MR"), split="s")
    pd.testing.assert_frame_equal(found, known)
    assert found["n"].item() == 156


def test_a_patient_twice_in_a_repeat_is_refused(frames):
    twice = pd.concat([frames["a"], frames["a"].iloc[:2]])
    with pytest.raises(SchemaError, match="found 2 patients more than once .*P0"):
        comparison_table({"a": twice, "b": twice}, reference="a", split="s")
    single = twice.query("repeat == 0")
    other = single.assign(patient_id=lambda f: "Q" + f["patient_id"])
    with pytest.raises(SchemaError, match="2 patients more than once"):
        unpaired_comparison(single, other, names=("CT", "MR"), split="s")


def test_a_difference_without_variance_has_a_warning_and_neither_bounds_nor_p():
    base = pd.DataFrame({"patient_id": list("abcd"), "repeat": 0, "label": [0, 0, 1, 1]})
    right, wrong = base.assign(score=[1, 2, 3, 4]), base.assign(score=[4, 3, 2, 1])
    with pytest.warns(RadiogenomicsWarning, match="only a permutation test"):
        paired = comparison_table({"r": right, "w": wrong}, reference="r", split="s")
    wrong = wrong.assign(patient_id=list("wxyz"))
    with pytest.warns(RadiogenomicsWarning, match="only a permutation test"):
        unpaired = unpaired_comparison(right, wrong, names=("r", "w"), split="s")
    for table in (paired, unpaired):
        assert table["difference"].item() == 1.0
        assert table[["low", "high", "p"]].isna().all(axis=None)


STATS = Path(__file__).parents[1] / "reference" / "stats"


def as_outcome(time, event) -> SurvivalOutcome:
    ids = [f"P{i}" for i in range(len(time))]
    time, event = pd.Series(np.asarray(time), ids), pd.Series(np.asarray(event), ids)
    return SurvivalOutcome("OS", time, event)


def as_predictions(*risks) -> pd.DataFrame:
    """One repeat a risk."""
    ids = [f"P{i}" for i in range(len(risks[0]))]
    return pd.concat(
        pd.DataFrame({"patient_id": ids, "repeat": i, "score": np.asarray(risk)})
        for i, risk in enumerate(risks)
    )


@pytest.fixture(scope="module")
def survival() -> pd.DataFrame:
    return pd.read_csv(STATS / "survival_input.csv")


@pytest.mark.parametrize("second", ["x2", "x3"])
def test_concordances_are_compared_as_r_does(survival, second):
    reference = pd.read_csv(STATS / "concordance_difference.csv")
    expected = reference[reference["model"] == f"harrell_x1_{second}"].set_index("name")["value"]
    outcome = as_outcome(survival["time"], survival["event"])
    models = {name: as_predictions(survival[name]) for name in ("x1", second)}
    models[second] = models[second].sample(frac=1, random_state=1)
    row = concordance_comparison_table(models, outcome, reference="x1", split="apparent").iloc[0]
    for name in ("difference", "low", "high", "p"):
        assert row[name] == pytest.approx(expected[name], rel=1e-9)
    assert (row["first"], row["second"], row["split"]) == ("x1", second, "apparent")
    assert (row["n"], row["events"]) == (140, int(survival["event"].sum()))


def test_repeats_of_survival_are_averaged_and_add_no_patients(survival, rng):
    outcome = as_outcome(survival["time"], survival["event"])
    x = survival["x1"].to_numpy()
    risks = {
        name: [x + sd * rng.normal(size=140) for _ in range(3)]
        for name, sd in [("a", 0.1), ("b", 2.0)]
    }
    models = {name: as_predictions(*three) for name, three in risks.items()}
    row = concordance_comparison_table(models, outcome, reference="a", split="cv").iloc[0]
    tests = [
        concordance_test(a, b, time=survival["time"], event=survival["event"])
        for a, b in zip(risks["a"], risks["b"], strict=True)
    ]
    difference = np.mean([test.difference for test in tests])
    se = np.sqrt(np.mean([test.se**2 for test in tests]))
    assert row["difference"] == pytest.approx(difference, rel=1e-12)
    assert row["p"] == pytest.approx(2 * norm.sf(abs(difference) / se), rel=1e-9)
    assert row["high"] - row["low"] == pytest.approx(2 * norm.ppf(0.975) * se, rel=1e-9)
    assert row["n"] == 140


def test_p_of_two_equally_good_concordances_is_uniform(rng):
    found = []
    for _ in range(150):
        signal = rng.normal(size=100)
        death, end = rng.exponential(20 * np.exp(-signal)), rng.uniform(10, 60, 100)
        outcome = as_outcome(np.minimum(death, end), death <= end)
        models = {name: as_predictions(signal + rng.normal(size=100)) for name in "ab"}
        table = concordance_comparison_table(models, outcome, reference="a", split="x")
        found.append(table["p"].item())
    assert kstest(found, "uniform").pvalue > 0.01


def test_survival_models_of_other_patients_are_refused(survival):
    outcome = as_outcome(survival["time"], survival["event"])
    models = {name: as_predictions(survival[name]) for name in ("x1", "x2")}
    table = concordance_comparison_table({"x1": models["x1"]}, outcome, reference="x1", split="s")
    assert table.empty and list(table)[-1] == "events"
    with pytest.raises(UnknownNameError, match="model"):
        concordance_comparison_table(models, outcome, reference="x9", split="s")
    fewer = models | {"x2": models["x2"].iloc[1:]}
    with pytest.raises(AlignmentError, match="x1 and x2 on the same patients and repeats"):
        concordance_comparison_table(fewer, outcome, reference="x1", split="s")
    unscored = models | {"x2": models["x2"].drop(columns="score")}
    with pytest.raises(SchemaError, match="no score"):
        concordance_comparison_table(unscored, outcome, reference="x1", split="s")
    nobody = as_outcome([1.0] * 140, [1] * 140)
    with pytest.raises(OutcomeError, match="s: expected patients of whom one"):
        concordance_comparison_table(models, nobody, reference="x1", split="s")


def test_concordances_without_variance_have_a_warning_and_neither_bounds_nor_p():
    outcome, right = as_outcome([1.0, 2, 3, 4], [1, 1, 1, 1]), as_predictions([4.0, 3, 2, 1])
    models = {"right": right, "wrong": right.assign(score=-right["score"]), "twin": right}
    with pytest.warns(RadiogenomicsWarning, match="concordances of right and wrong .* permutation"):
        table = concordance_comparison_table(models, outcome, reference="right", split="s")
    assert table["difference"].tolist() == [1.0, 0.0]
    assert table.loc[0, ["low", "high", "p"]].isna().all()
    assert table.loc[1, "p"] == 1.0
