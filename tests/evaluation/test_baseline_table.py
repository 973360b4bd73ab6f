from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.baseline_table import ALL_PATIENTS, baseline_table

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "stats"
NUMBERS = ("age", "afp", "bmi")
CATEGORIES = ("sex", "virus", "stage", "rare")
STAGED = {"stage": "ordered"}


@pytest.fixture
def expected() -> pd.Series:
    rows = pd.read_csv(REFERENCE / "baseline_table.csv")
    return rows.set_index(["groups", "variable", "name"])["value"].sort_index()


@pytest.fixture
def patients() -> dict[str, pd.DataFrame]:
    frame = pd.read_csv(REFERENCE / "baseline_table_input.csv", index_col="id")
    return {"two": frame[frame["arm"] != "C"], "three": frame}


def described(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[["arm", *NUMBERS, *CATEGORIES]]


@pytest.mark.parametrize("groups", ["two", "three"])
def test_numbers_of_each_group_match_r(patients, expected, groups) -> None:
    table = baseline_table(described(patients[groups]), by="arm", kinds=STAGED)
    cells = table.cells.set_index(["variable", "group", "level"]).sort_index()
    for variable in NUMBERS:
        for name, value in expected[groups, variable].items():
            what, _, group = name.partition(".")
            if group in ("A", "B", "C") and what != "mann-whitney":
                found = cells.loc[(variable, group, ""), what]
                assert found == pytest.approx(value, rel=1e-12), (variable, name)
    for variable in CATEGORIES:
        counts = expected[groups, variable]
        for name, value in counts[counts.index.str.startswith("count.")].items():
            _, level, group = name.split(".")
            assert cells.loc[(variable, group, level), "count"] == value


@pytest.mark.parametrize("groups", ["two", "three"])
def test_chosen_tests_and_differences_match_r(patients, expected, groups) -> None:
    two = groups == "two"
    ranked = ("Mann-Whitney", "mann-whitney") if two else ("Kruskal-Wallis", "kruskal-wallis")
    tests = baseline_table(described(patients[groups]), by="arm", kinds=STAGED).tests
    tests = tests.set_index("variable")
    for variable in (*NUMBERS, *CATEGORIES):
        name, key = ranked
        wanted = expected[groups, variable]
        if variable in ("sex", "virus", "rare"):
            small = wanted["least expected"] < 5
            name, key = ("Fisher's exact", "fisher") if small else ("chi-squared", "chi-squared")
        assert tests.loc[variable, "test"] == name
        assert tests.loc[variable, "p"] == pytest.approx(wanted[key], rel=1e-8)
        difference = tests.loc[variable, "standardised_difference"]
        assert difference == pytest.approx(wanted["difference"], rel=1e-9)


def test_tests_asked_for_match_r(patients, expected) -> None:
    for groups, asked in (
        ("two", {"age": "t", "afp": "welch", "bmi": "anova", "sex": "fisher", "stage": "trend"}),
        ("three", {"age": "anova", "virus": "chi-squared", "stage": "chi-squared"}),
    ):
        table = baseline_table(described(patients[groups]), by="arm", kinds=STAGED, tests=asked)
        tests = table.tests.set_index("variable")
        for variable, test in asked.items():
            p = expected[groups, variable, test]
            assert tests.loc[variable, "p"] == pytest.approx(p, rel=1e-8), (variable, test)
    normal = baseline_table(
        described(patients["two"]), by="arm", kinds={"age": "normal"}, tests={"sex": "none"}
    ).tests.set_index("variable")
    assert normal.loc["age", "test"] == "Welch's t"
    assert normal.loc["age", "p"] == pytest.approx(expected["two", "age", "welch"], rel=1e-9)
    assert normal.loc["sex", "test"] == "" and np.isnan(normal.loc["sex", "p"])


@pytest.mark.parametrize("groups", ["two", "three"])
def test_follow_up_matches_r(patients, expected, groups) -> None:
    frame = patients[groups]
    outcome = SurvivalOutcome("OS", frame["time"], frame["event"])
    table = baseline_table(described(frame), by="arm", survival=[outcome])
    cells = table.cells.set_index(["variable", "group", "level"]).sort_index()
    for group in frame["arm"].unique():
        wanted = expected[groups, "OS"]
        found = cells.loc[("OS", group, "median follow-up")]
        assert found["median"] == wanted[f"follow-up.{group}"]
        assert found["low"] == wanted[f"low.{group}"]
        assert found["high"] == pytest.approx(wanted[f"high.{group}"], nan_ok=True)
        assert cells.loc[("OS", group, "events"), "count"] == wanted[f"events.{group}"]
    assert "OS" not in set(table.tests["variable"])


def test_counts_add_up(patients) -> None:
    frame = described(patients["three"])
    table = baseline_table(frame, by="arm")
    assert table.sizes.to_dict() == {ALL_PATIENTS: 140, **frame["arm"].value_counts().to_dict()}
    for (_, group), part in table.cells.groupby(["variable", "group"]):
        assert (part["n"] + part["missing"] == table.sizes[group]).all()
        if part["kind"].iloc[0] == "categorical":
            assert part["count"].sum() == part["n"].iloc[0]
            assert part["share"].sum() == pytest.approx(1)


def test_text_of_a_small_table() -> None:
    frame = pd.DataFrame(
        {
            "arm": pd.Categorical(["new", "old", "new", "old", "new"], ["old", "new"]),
            "age": [60, 70, 50, np.nan, 65],
            "cirrhosis": [1, 0, 1, 1, 0],
            "stage": pd.Categorical(["I", "II", "I", "II", ""], ["I", "II", ""], ordered=True),
        }
    )
    frame["stage"] = frame["stage"].cat.remove_categories("")
    text = baseline_table(frame, by="arm", digits={"age": 0}).to_frame()
    assert text.columns.tolist() == [
        "characteristic",
        "all patients (n = 5)",
        "old (n = 2)",
        "new (n = 3)",
        "standardised difference",
        "p",
        "test",
    ]
    rows = text.set_index(text["characteristic"].str.strip("\u2003"))
    assert rows.iloc[0, 1:4].tolist() == ["62 (58 to 66)", "70 (70 to 70)", "60 (55 to 62)"]
    assert rows.iloc[1, 1:4].tolist() == ["1 (20.0)", "1 (50.0)", "0 (0.0)"]
    assert rows.loc["cirrhosis, n (%)", "test"] == "Fisher's exact"
    assert rows.loc["cirrhosis, n (%)", "p"] == ">0.999"
    assert rows.loc["I"].iloc[1:4].tolist() == ["2 (50.0)", "0 (0.0)", "2 (100.0)"]
    assert rows.loc["stage, n (%)", "standardised difference"] == "inf"
    assert rows.index.tolist() == [
        *("age, median (Q1 to Q3)", "missing", "cirrhosis, n (%)", "0", "1"),
        *("stage, n (%)", "I", "II", "missing"),
    ]


def test_without_groups_there_are_no_tests(patients) -> None:
    table = baseline_table(described(patients["three"]).drop(columns="arm"))
    assert table.tests.empty
    assert table.to_frame().columns.tolist() == ["characteristic", "all patients (n = 140)"]


def test_numbers_of_two_values_are_categories_written_as_they_were_coded() -> None:
    frame = pd.DataFrame({"sex": [1, 2, np.nan, 2], "grade": [1, 2, 3, 2]})
    cells = baseline_table(frame).cells.set_index("variable")
    assert cells.loc["sex", "level"].tolist() == ["1", "2"]
    assert cells.loc["sex", "count"].tolist() == [1, 2]
    assert cells.loc["grade", "kind"] == "continuous"


def test_html_is_escaped_and_whole() -> None:
    frame = pd.DataFrame({"<b>x</b>": np.arange(6.0), "g": ["<i>"] * 3 + ["b"] * 3})
    table = baseline_table(frame, by="g")
    html = table._repr_html_()
    assert "<b>x</b>" not in html and "&lt;i&gt;" in html
    assert repr(table) == "BaselineTable(1 variables; all patients: 6, <i>: 3, b: 3)"


def test_what_has_no_test_says_why() -> None:
    frame = pd.DataFrame(
        {
            "g": ["a", "a", "a", "b", "b", "b"],
            "flat": [2.0] * 6,
            "one": ["yes"] * 6,
            "gone": [1.0, 2, 3, np.nan, np.nan, np.nan],
            "empty": [np.nan] * 6,
            "apart": [1.0, 1, 1, 2, 2, 2],
            "blank": ["x", "", " ", "y", "x", "y"],
        }
    )
    tests = baseline_table(frame, by="g", kinds={"apart": "normal"}).tests.set_index("variable")
    assert tests.loc["flat", "note"] == tests.loc["one", "note"] == "the same for all patients"
    assert tests.loc["gone", "note"] == "missing for all of b"
    assert tests.loc["empty", "note"] == "missing for all of a, b"
    assert "no spread within groups" in tests.loc["apart", "note"]
    assert tests.loc["apart", "standardised_difference"] == np.inf
    assert tests["p"].drop("blank").isna().all()
    text = baseline_table(frame, by="g").to_frame()
    assert text["p"].iloc[0] == "–"
    assert text["all patients (n = 6)"].tolist()[-3:] == ["2 (50.0)", "2 (50.0)", "2 (33.3)"]


def test_patients_without_a_group_are_left_out_with_a_warning(patients) -> None:
    frame = described(patients["three"]).copy()
    frame.loc[frame.index[:7], "arm"] = None
    with pytest.warns(RadiogenomicsWarning, match="7 of 140 patients have no arm"):
        table = baseline_table(frame, by="arm")
    assert table.sizes[ALL_PATIENTS] == 133
    pd.testing.assert_frame_equal(table.cells, baseline_table(frame.iloc[7:], by="arm").cells)


def test_patients_without_an_outcome_count_as_missing(patients) -> None:
    frame = patients["three"]
    part = frame.iloc[:100]
    outcome = SurvivalOutcome("OS", part["time"], part["event"])
    cells = baseline_table(frame[["age"]], survival=[outcome]).cells
    events = cells[cells["level"] == "events"].iloc[0]
    assert (events["n"], events["missing"], events["count"]) == (100, 40, part["event"].sum())


def test_bad_input_says_what_is_expected(patients) -> None:
    frame = described(patients["three"])
    ids = frame.assign(name=frame.index)
    other = SurvivalOutcome("OS", pd.Series([1.0], ["X"]), pd.Series([1], ["X"]))
    for error, match, call in (
        (AlignmentError, "repeated", lambda: baseline_table(pd.concat([frame, frame]))),
        (AlignmentError, "none of 140", lambda: baseline_table(frame, survival=[other])),
        (UnknownNameError, "arm", lambda: baseline_table(frame, by="armm")),
        (UnknownNameError, "'agee'", lambda: baseline_table(frame, kinds={"agee": "normal"})),
        (UnknownNameError, "continuous", lambda: baseline_table(frame, kinds={"age": "contin"})),
        (UnknownNameError, "chi-squared", lambda: baseline_table(frame, tests={"sex": "t"})),
        (UnknownNameError, "categorical", lambda: baseline_table(frame, tests={"sex": "trend"})),
        (DataError, "two groups", lambda: baseline_table(frame, by="arm", tests={"age": "t"})),
        (DataError, "one group", lambda: baseline_table(frame.assign(arm="A"), by="arm")),
        (DataError, "with 0 variables", lambda: baseline_table(frame[["arm"]], by="arm")),
        (DataError, "Drop identifiers", lambda: baseline_table(ids)),
        (DataError, "numbers for kind", lambda: baseline_table(frame, kinds={"sex": "normal"})),
        (DataError, "order of its", lambda: baseline_table(frame, kinds={"sex": "ordered"})),
        (DataError, "infinite", lambda: baseline_table(frame.assign(age=np.inf))),
        (DataError, "dates", lambda: baseline_table(frame.assign(d=pd.Timestamp("2020-01-01")))),
        (
            DataError,
            "column of all",
            lambda: baseline_table(frame.replace({"arm": {"A": ALL_PATIENTS}}), by="arm"),
        ),
    ):
        with pytest.raises(error, match=match):
            call()


def test_chance_finds_five_in_a_hundred() -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.normal(size=(60, 400)), columns=[f"x{i}" for i in range(400)])
    frame["arm"] = rng.permutation(["a", "b"] * 30)
    p = baseline_table(frame, by="arm").tests["p"]
    assert 0.017 <= (p < 0.05).mean() <= 0.083  # 3 standard errors
