"""Comparisons of two AUCs; DeLong's test itself is held against pROC in the tests of stats."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from radiogenomics.core.errors import (
    AlignmentError,
    RadiogenomicsWarning,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.evaluation.comparison import comparison_table, unpaired_comparison
from radiogenomics.stats import delong, delong_test, delong_test_unpaired


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
