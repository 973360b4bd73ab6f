"""From a table and a label to a validation: what is learnt, what is locked, what is refused."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import roc_auc_score

from radiogenomics.core.errors import (
    AlignmentError,
    LeakageError,
    OutcomeError,
    SchemaError,
    StudyError,
    UnknownNameError,
)
from radiogenomics.io import pseudonym
from radiogenomics.study import validate

PLAN = {
    "steps": [
        {"step": "median_imputer"},
        {"step": "drop_constant"},
        {"step": "standardise"},
        {"step": "rank_selector", "parameters": {"k": 3}},
    ],
    "comparators": ["nb"],
    "inner_folds": 3,
    "folds": 3,
    "repeats": 2,
    "permutations": 19,
}


@pytest.fixture
def files(tmp_path, rng):
    """Two tables with a link from ``f0`` to the label, readings, and a plan."""

    def table(name: str, n: int, effect: float = 1.5):
        y = np.arange(n) % 2
        X = rng.normal(size=(n, 12))
        X[:, 0] += effect * y
        frame = pd.DataFrame(X, columns=[f"f{i}" for i in range(12)]).assign(
            label=y,
            who=[f"{name}{i}" for i in range(n)],
            centre=np.where(np.arange(n) < n / 2, "A", "B"),
        )
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
        return tmp_path / f"{name}.csv"

    def plan(**changes):
        path = tmp_path / "plan.yaml"
        path.write_text(yaml.safe_dump({**PLAN, **changes}), encoding="utf-8")
        return path

    return table, plan


def run(train, external, plan, out, **more):
    given = {"label": "label", "id": "who", "site": "centre", "jobs": 1, **more}
    return validate(train, external=external, plan=plan, out=out, **given)


COMBAT_FIRST = [{"step": "combat"}, *PLAN["steps"]]


def test_a_link_is_found_inside_and_outside(files, tmp_path):
    table, plan = files
    results = run(
        table("train", 90), [table("other", 60)], plan(steps=COMBAT_FIRST), tmp_path / "o"
    )
    inside = results.findings.metric("auc", split="cross-validation")
    outside = results.findings.metric("auc", split="external:other")
    assert inside.excludes_chance and inside.p_permutation == 0.05
    assert outside.excludes_chance
    assert "is distinguishable" in results.verdict
    out = tmp_path / "o"
    assert {"report.html", "summary.json", "provenance.json", "study.yaml"} <= {
        path.name for path in out.iterdir()
    }
    assert json.loads((out / "summary.json").read_text())["cohorts"] == ["train", "other"]
    assert "other0" not in "".join(p.read_text() for p in (out / "tables").glob("*.csv"))


def test_the_external_numbers_are_those_of_the_locked_predictions(files, tmp_path):
    table, plan = files
    results = run(
        table("train", 90), [table("other", 60)], plan(steps=COMBAT_FIRST), tmp_path / "o"
    )
    predictions = results.tables["predictions"]
    scores = predictions[predictions["cohort"] == "other"]
    outside = results.findings.metric("auc", split="external:other")
    assert outside.value == pytest.approx(
        roc_auc_score(scores["label"], scores["score"]), rel=1e-12
    )
    points = results.tables["operating_points"].set_index("metric")
    threshold = points["threshold"].iloc[0]
    called = scores["score"] >= threshold
    assert points.loc["tp", "value"] == (called & (scores["label"] == 1)).sum()
    assert f"{threshold:.4g}" in results.findings.notes[0][1]
    learners = results.tables["external_learners"]
    assert learners["learner"].tolist() == ["svm", "nb"]
    assert results.tables["comparisons"]["second"].unique().tolist() == ["nb"]


def test_nothing_is_found_where_nothing_is(files, tmp_path):
    table, plan = files
    steps = plan(steps=COMBAT_FIRST)
    results = run(table("train", 90, effect=0.0), [], steps, tmp_path / "o")
    assert "is not distinguishable" in results.verdict


def test_readings_reach_the_icc_filter(files, tmp_path, rng):
    table, plan = files
    readings = []
    truth = rng.normal(size=(25, 12))
    for reading in range(2):
        noise = np.where(np.arange(12) < 6, 0.05, 3.0) * rng.normal(size=(25, 12))
        frame = pd.DataFrame(truth + noise, columns=[f"f{i}" for i in range(12)])
        readings.append(tmp_path / f"reading{reading}.csv")
        frame.assign(who=[f"R{i}" for i in range(25)]).to_csv(readings[-1], index=False)
    steps = [{"step": "combat"}, {"step": "icc_filter"}, *PLAN["steps"]]
    train = table("train", 60)
    results = run(train, [], plan(steps=steps), tmp_path / "o", retest=readings)
    chosen = set(results.tables["selection"]["feature"])
    assert "f0" in chosen
    assert chosen <= {f"f{i}" for i in range(6)}
    with pytest.raises(StudyError, match="the step alone"):
        run(train, [], plan(steps=steps), tmp_path / "p")
    with pytest.raises(StudyError, match="readings alone"):
        run(train, [], plan(steps=COMBAT_FIRST), tmp_path / "p", retest=readings)


def test_a_selector_that_keeps_nothing_is_counted(files, tmp_path):
    table, plan = files
    strict = {"step": "univariate_filter", "parameters": {"alpha": 1e-9}}
    steps = [{"step": "combat"}, *PLAN["steps"][:3], strict]
    with pytest.warns(UserWarning, match="nothing passed univariate_filter"):
        results = run(table("train", 60, effect=0.3), [], plan(steps=steps), tmp_path / "o")
    assert set(results.tables["fallbacks"]["step"]) == {"univariate_filter"}
    assert any("univariate_filter" in text for _, text in results.findings.notes)


def test_a_patient_on_both_sides_is_refused(files, tmp_path):
    table, plan = files
    train = table("train", 60)
    again = pd.read_csv(train).iloc[:5].assign(who=[f"new{i}" for i in range(5)])
    again.to_csv(tmp_path / "again.csv", index=False)
    with pytest.raises(LeakageError, match=r"found 5 rows of train again \(new0"):
        run(train, [tmp_path / "again.csv"], plan(steps=COMBAT_FIRST), tmp_path / "o")
    assert not (tmp_path / "o").exists()


def test_rounded_copies_and_copies_inside_are_refused(files, tmp_path):
    table, plan = files
    frame = pd.read_csv(table("train", 60))
    frame.iloc[:4].round(7).assign(who=list("abcd")).to_csv(tmp_path / "again.csv", index=False)
    with pytest.raises(LeakageError, match="found 4 rows of train again"):
        run(tmp_path / "train.csv", [tmp_path / "again.csv"], plan(), tmp_path / "o")
    twice = pd.concat([frame, frame.iloc[[0, 7]].assign(who=["x", "y"])])
    twice.to_csv(tmp_path / "twice.csv", index=False)
    with pytest.raises(LeakageError, match=r"2 rows that repeat another .*\(x, y\)"):
        run(tmp_path / "twice.csv", [], plan(), tmp_path / "o")
    upper = pd.read_csv(table("other", 30))
    upper["who"] = [" Train0 ", *upper["who"][1:]]
    upper.to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(LeakageError, match="found 1 rows of train again"):
        run(tmp_path / "train.csv", [tmp_path / "other.csv"], plan(), tmp_path / "o")


def test_external_patients_may_not_choose_the_features(files, tmp_path):
    table, plan = files
    train, other = table("train", 60), table("other", 30)
    paths = []
    for reading in range(2):
        paths.append(tmp_path / f"reading{reading}.csv")
        pd.read_csv(other).drop(columns=["label", "centre"]).to_csv(paths[-1], index=False)
    steps = [{"step": "combat"}, {"step": "icc_filter"}, *PLAN["steps"]]
    with pytest.raises(LeakageError, match="found 30 rows among the readings"):
        run(train, [other], plan(steps=steps), tmp_path / "o", retest=paths)


def test_what_an_external_table_lacks_is_said_before_anything_is_fitted(files, tmp_path):
    table, plan = files
    train = table("train", 60)
    other = pd.read_csv(table("other", 30))
    other.drop(columns="f3").to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(AlignmentError, match=r"other: expected the features of train.*\(f3\)"):
        run(train, [tmp_path / "other.csv"], plan(), tmp_path / "o")
    other.assign(label=1).to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(OutcomeError, match="other: expected both classes; found only 1"):
        run(train, [tmp_path / "other.csv"], plan(), tmp_path / "o")


def test_pseudonyms_need_the_table_to_be_made_again(files, tmp_path):
    table, plan = files
    results = run(table("train", 60), [], plan(steps=COMBAT_FIRST), tmp_path / "o")
    names = set(results.tables["predictions"]["patient"])
    assert len(names) == 60
    for key in ("train", "cross-validation", "external:train"):
        assert not names & {pseudonym(key, f"train{i}") for i in range(60)}


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"learner": "swm"}, UnknownNameError, "learner"),
        ({"steps": [{"step": "rank_selektor"}]}, UnknownNameError, "rank_selector"),
        ({"steps": [PLAN["steps"][0]] * 2}, StudyError, "each step once"),
        (
            {"steps": [{"step": "rank_selector", "parameters": {"K": 3}}]},
            UnknownNameError,
            "parameter of step rank_selector",
        ),
        ({"threshold": 1.5}, SchemaError, "threshold"),
        ({"steps": [{"step": "coxnet"}]}, StudyError, "time to an event"),
        ({"permutatoins": 9}, SchemaError, "did you mean permutations"),
    ],
)
def test_a_wrong_word_in_the_plan_is_named(files, tmp_path, changes, error, match):
    table, plan = files
    with pytest.raises(error, match=match):
        run(table("train", 60), [], plan(**changes), tmp_path / "o")


def test_too_few_patients_are_refused(files, tmp_path):
    table, plan = files
    with pytest.raises(StudyError, match="at least 20 patients to train on; found 12"):
        run(table("train", 12), [], plan(steps=COMBAT_FIRST), tmp_path / "o")


def test_a_learner_is_not_its_own_rival(files, tmp_path):
    table, plan = files
    quick = plan(comparators=["svm", "nb", "nb"], permutations=1, repeats=1)
    results = run(table("train", 60), [], quick, tmp_path / "o")
    assert results.tables["learners"]["learner"].tolist() == ["svm", "nb"]
