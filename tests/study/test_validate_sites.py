"""Sites and covariates in a validation: what reaches which step, what is probed and refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml

from radiogenomics.core.errors import (
    DataError,
    LeakageError,
    SchemaError,
    StudyError,
    UnknownNameError,
)
from radiogenomics.evaluation.site_probe import site_probe
from radiogenomics.features import ComBat
from radiogenomics.io.labelled_table import read_labelled_table
from radiogenomics.study import validate
from radiogenomics.study.validate_sites import PlannedHarmoniser, probe_sites

QUICK = {
    "learner": "nb",
    "comparators": [],
    "inner_folds": 2,
    "folds": 3,
    "repeats": 1,
    "permutations": 1,
}
SCALE = {"step": "standardise"}
# One permutation calls nothing found; folds of so few patients may leave a number out.
pytestmark = pytest.mark.filterwarnings("ignore::radiogenomics.core.errors.RadiogenomicsWarning")


def combat(**parameters) -> dict:
    return {"step": "combat", "parameters": parameters}


@pytest.fixture
def files(tmp_path, rng):
    """Write a table of patients of two sites that differ in all features, and a plan."""

    def table(name: str = "train", n: int = 60, *, shift: float = 2.0, **columns):
        y = np.arange(n) % 2
        site = np.where(np.arange(n) < n / 2, "A", "B")
        X = rng.normal(size=(n, 8)) + shift * (site == "B")[:, None]
        X[:, 0] += y
        frame = pd.DataFrame(X).add_prefix("f").assign(label=y, centre=site)
        frame = frame.assign(who=[f"{name}{i}" for i in range(n)], **columns)
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
        return tmp_path / f"{name}.csv"

    def run(train, *steps, external=(), **given):
        plan = tmp_path / "plan.yaml"
        plan.write_text(yaml.safe_dump({**QUICK, "steps": list(steps)}), encoding="utf-8")
        words = {"label": "label", "id": "who", "site": "centre", "jobs": 1, **given}
        return validate(train, external=external, plan=plan, out=tmp_path / "out", **words)

    return table, run


def rename(path, rows: int, site: str) -> None:
    """Let the first patients of a table be of another site."""
    frame = pd.read_csv(path)
    frame.loc[: rows - 1, "centre"] = site
    frame.to_csv(path, index=False)


@pytest.mark.parametrize(("rows", "found"), [(1, "of unseen sites"), (2, "at least 2 training")])
def test_a_rare_site_stops_at_once_and_is_named_with_its_fold(files, tmp_path, rows, found):
    table, run = files
    train = table()
    rename(train, rows, "Rare")
    with pytest.raises(DataError, match=r"^repeat 0, fold \d: .*Rare \(1 patients\)") as stopped:
        run(train, combat(), SCALE)
    assert found in str(stopped.value)
    assert not (tmp_path / "out").exists()


def test_a_site_that_only_an_external_table_has_is_named_with_it(files):
    table, run = files
    other = table("other", 20)
    rename(other, 3, "C")
    with pytest.raises(DataError, match=r"^other: .* found C \(3 patients\) of unseen sites"):
        run(table(), combat(), SCALE, external=[other])


def test_the_probe_is_that_of_the_plan_s_own_harmonisation(files, tmp_path):
    table, run = files
    train = table()
    results = run(train, SCALE, combat(mean_only=True), seed=5)
    found = results.tables["site_probe"]
    read = read_labelled_table(train, label="label", id="who", site="centre")
    sites = read.features.pop("@site")
    expected = site_probe(
        read.features,
        sites,
        harmonisers={"harmonised": ComBat(mean_only=True)},
        rng=np.random.default_rng([5, 3]),
    )
    # Standardising first changes nothing but digits.
    pd.testing.assert_frame_equal(found.drop(columns="cohort"), expected, atol=1e-6)
    assert set(found["cohort"]) == {"train"}
    auc = found.query("metric == 'auc' and learnt_on == 'held_out'").set_index("variant")
    assert auc.loc["raw", "value"] > 0.95 and auc.loc["raw", "p"] == 0.01
    assert auc.loc["harmonised", "value"] < 0.8
    (note,) = [text for _, text in results.findings.notes if text.startswith("site probe")]
    assert f"AUC {auc.loc['raw', 'value']:.2f} (p 0.01)" in note
    assert f"after harmonisation with AUC {auc.loc['harmonised', 'value']:.2f}" in note
    assert "site probe: 2 sites of 60 patients" in (tmp_path / "out" / "report.html").read_text()
    assert (tmp_path / "out" / "tables" / "site_probe.csv").is_file()


def test_sites_without_harmonisation_are_probed_and_warned_of(files):
    table, run = files
    results = run(table(), SCALE)
    assert set(results.tables["site_probe"]["variant"]) == {"raw"}
    (note,) = [note for note in results.findings.notes if note[1].startswith("site probe")]
    assert note[0] == "warning" and "No step of the plan harmonises" in note[1]
    assert "@site" not in set(results.tables["selection"]["feature"])


def test_small_sites_are_left_out_of_the_probe_and_one_site_is_none(files):
    table, _ = files
    path = table(shift=0.0)
    rename(path, 3, "Rare")
    read = read_labelled_table(path, label="label", id="who", site="centre")
    sites = read.features["@site"]
    rng = np.random.default_rng(0)
    found = probe_sites(read, sites, [], rng=rng, jobs=1)
    assert set(found.tables["site_probe"]["patients"]) == {57}
    ((level, text),) = found.notes
    assert level == "info" and text.endswith("Left out, with fewer than 4 patients: Rare.")
    alone = probe_sites(read, sites.mask(sites == "B", "A"), [], rng=rng, jobs=1)
    assert not alone.tables and "not done" in alone.notes[0][1]
    assert not probe_sites(read, None, [], rng=rng, jobs=1).notes


def test_a_probe_that_cannot_be_done_says_why(files):
    """A covariate that all but one patient share differs in one of two halves only."""
    table, _ = files
    read = read_labelled_table(table(), label="label", id="who", site="centre")
    one = pd.Series((np.arange(60) == 0).astype(float), index=read.features.index)
    read.features["@odd"] = one
    steps = [("combat", ComBat(covariates=("@odd",)))]
    rng = np.random.default_rng(0)
    found = probe_sites(read, read.features["@site"], steps, rng=rng, jobs=1)
    ((level, text),) = found.notes
    assert level == "warning" and text.startswith("site probe: not done. repeat 0, fold ")
    assert "covariate @odd" in text


def test_covariates_travel_to_combat_and_are_no_features(files, rng):
    table, run = files
    train = table(age=rng.normal(60, 9, 60), sex=rng.integers(0, 2, 60))
    other = table("other", 20, age=rng.normal(60, 9, 20), sex=rng.integers(0, 2, 20))
    facts = {"fact": ["years=age", "@sex=sex"]}
    steps = (combat(covariates=["@years", "@sex"]), SCALE)
    results = run(train, *steps, external=[other], **facts)
    fitted = results.findings.evidence.model.estimator.pipeline_
    assert [coding.name for coding in fitted["combat"].codings_] == ["@years", "@sex"]
    assert set(results.tables["selection"]["feature"]) == {f"f{i}" for i in range(8)}
    frame = pd.read_csv(train, index_col="who")
    raw = frame.filter(regex=r"^f\d").assign(**{"@site": frame["centre"]})
    raw = raw.assign(**{"@years": frame["age"], "@sex": frame["sex"]})
    direct = ComBat(covariates=("@years", "@sex")).fit(raw)
    np.testing.assert_allclose(fitted["combat"].gamma_star_, direct.gamma_star_, rtol=1e-12)
    columns = yaml.safe_load((results.folder / "study.yaml").read_text())["columns"]
    assert columns["facts"] == {"years": "age", "sex": "sex"}


def test_columns_of_0_and_1_do_what_levels_do(rng):
    """Facts are numbers: a stage of three levels is two columns."""
    X = pd.DataFrame(rng.normal(size=(60, 5))).add_prefix("f")
    X = X.assign(**{"@site": ["A", "B"] * 30, "@stage": rng.choice(["I", "II", "III"], 60)})
    by_level = ComBat(covariates=("@stage",)).fit_transform(X)
    coded = X.drop(columns="@stage").assign(
        **{f"@{level}": (X["@stage"] == level).astype(float) for level in ("II", "III")}
    )
    by_column = ComBat(covariates=("@II", "@III")).fit_transform(coded)
    np.testing.assert_allclose(by_column, by_level, rtol=1e-9)


@pytest.mark.parametrize(
    ("fact", "covariates", "error", "match"),
    [
        ("age", ["@age"], StudyError, "NAME=COLUMN, as in age=Age; found 'age'"),
        (["=age"], ["@age"], StudyError, "found '=age'"),
        (["my age=age"], ["@age"], StudyError, "fact 'my age': expected a name of its own"),
        (["site=age"], ["@age"], StudyError, "option --site"),
        (["age=age", "age=f0"], ["@age"], StudyError, "name each fact once"),
        (["age=label"], ["@age"], StudyError, "found label, the column of the label"),
        (["age=who"], ["@age"], StudyError, "found who, the column of the id"),
        (["age=agee"], ["@age"], UnknownNameError, "column of train 'agee': did you mean 'age'"),
        (["age=age"], [], StudyError, "a step of the plan that uses @age; found none"),
        ([], ["@age"], StudyError, "found none of @age. Name it with --fact age=COLUMN"),
        (["age=age"], ["age"], SchemaError, "expected facts about patients as @NAME; found 'age'"),
        (["age=age"], "@age", SchemaError, "steps.combat.covariates: expected tuple"),
        (["age=hole"], ["@age"], DataError, r"age \(hole\) of every patient; found 1 .*train4"),
        (["age=same"], ["@age"], DataError, "repeat 0, fold 0: covariate @age: .*differ in it"),
    ],
)
def test_facts_that_cannot_be_are_named(files, tmp_path, fact, covariates, error, match):
    table, run = files
    hole = np.where(np.arange(60) == 4, np.nan, 1.0)
    train = table(age=np.arange(60) * 1.5, hole=hole, same=1.0)
    with pytest.raises(error, match=match):
        run(train, combat(covariates=covariates), SCALE, fact=fact)
    assert not (tmp_path / "out").exists()


def test_a_plan_that_uses_sites_asks_for_them(files):
    table, run = files
    with pytest.raises(StudyError, match="found none of @site. Name it with --site COLUMN"):
        run(table(), combat(), SCALE, site=None)


def test_an_external_patient_of_the_second_reading_is_refused(files, tmp_path, rng):
    table, run = files
    other = pd.read_csv(table("other", 20)).drop(columns=["label", "centre", "who"])
    paths = [tmp_path / f"reading{k}.csv" for k in range(2)]
    (other + rng.normal(0, 0.3, other.shape)).to_csv(paths[0], index=False)
    other.to_csv(paths[1], index=False)
    for path in paths:
        pd.read_csv(path).assign(who=[f"R{i}" for i in range(20)]).to_csv(path, index=False)
    with pytest.raises(LeakageError, match="found 20 rows among the readings"):
        run(
            table(),
            {"step": "icc_filter"},
            SCALE,
            external=[tmp_path / "other.csv"],
            retest=paths,
        )


def test_training_patients_may_be_the_ones_who_are_read_again(files, tmp_path, rng):
    table, run = files
    train = table()
    frame = pd.read_csv(train).drop(columns=["label", "centre"])
    paths = [tmp_path / f"reading{k}.csv" for k in range(2)]
    for path in paths:
        noisy = frame.copy()
        noisy.iloc[:, :8] += rng.normal(0, 0.1, (60, 8))
        noisy.to_csv(path, index=False)
    results = run(train, {"step": "icc_filter"}, SCALE, retest=paths)
    assert results.findings.metric("auc", split="cross-validation") is not None


def test_the_harmoniser_gives_each_step_its_facts_and_no_other(rng):
    X = pd.DataFrame(rng.normal(size=(12, 3)), columns=list("abc"))
    X = X.assign(**{"@site": ["A", "B"] * 6})
    found = PlannedHarmoniser([("combat", ComBat())]).fit(X)
    np.testing.assert_allclose(found.transform(X), ComBat().fit_transform(X), rtol=1e-12)


def test_the_null_outside_stays_within_sites(files):
    """Label and score differ between sites only: permuted across them, chance would be beaten."""
    table, run = files
    paths = []
    for name in ("train", "other"):
        path = table(name, 80, shift=3.0)
        frame = pd.read_csv(path)
        frame["label"] = (frame["centre"] == "B").astype(int)
        frame.loc[:3, "label"], frame.loc[76:, "label"] = 1, 0
        frame.to_csv(path, index=False)
        paths.append(path)
    results = run(paths[0], SCALE, external=paths[1:])
    assert results.findings.metric("auc", split="external:other").value > 0.85
    null = results.tables["null"].groupby("split")["value"].mean()
    assert null["external:other"] > 0.75


def test_labels_that_cannot_change_places_are_said_not_to_be_tested(files):
    table, run = files
    path = table()
    frame = pd.read_csv(path)
    frame["label"] = (frame["centre"] == "B").astype(int)
    frame.to_csv(path, index=False)
    results = run(path, SCALE)
    assert results.findings.metric("auc", split="cross-validation").p_permutation is None
    assert "not tested" in results.verdict
    assert any("cannot change places within sites" in text for _, text in results.findings.notes)


def test_one_column_plays_one_part(files):
    table, run = files
    with pytest.raises(StudyError, match="label and site"):
        run(table(), SCALE, site="label")


def test_too_few_permutations_are_said(files):
    table, run = files
    results = run(table(), SCALE)
    assert any("cannot be below 0.5" in text for _, text in results.findings.notes)
