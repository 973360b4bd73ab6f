"""A recipe from cohorts to tables: numbers against the functions they come from, and refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from radiogenomics.core.errors import (
    AlignmentError,
    LeakageError,
    OutcomeError,
    RadiogenomicsWarning,
    StudyError,
)
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.outcomes import ResponseOutcome
from radiogenomics.evaluation import auc_metric, comparison_table
from radiogenomics.evaluation.thresholds import lock_threshold, operating_point_table
from radiogenomics.stats import delong_test, kaplan_meier
from radiogenomics.study.prediction.inputs import read_prediction_inputs
from radiogenomics.study.prediction.models import ModelBuilder
from radiogenomics.study.prediction.obtained import obtained_table
from radiogenomics.study.prediction.run import Options
from radiogenomics.study.run import run_cohorts

CV, FAR = "cross-validation", "external:far"
QUICK = Options(permutations=0)
LACKING = pytest.mark.filterwarnings("ignore:.*patients have no follow-up")


@pytest.fixture(scope="module")
def run(provenance):
    def run(study, *cohorts, options=QUICK, seed=0, jobs=1):
        return run_cohorts(
            study, cohorts, provenance=provenance, seed=seed, jobs=jobs, options=options
        )

    return run


@pytest.fixture(scope="module")
def cohorts(cohort_of):
    return cohort_of(), cohort_of(60, id="far", seed=2, sites=("west", "east"))


@pytest.fixture(scope="module")
def results(run, study_of, cohorts):
    """All models and rivals, the recipe's permutations."""
    return run(study_of(), *cohorts, options=Options())


@pytest.fixture(scope="module")
def one(study_of):
    """The recipe with one of its models and no rivals."""

    def one(name="Fusion", changes=None):
        study = study_of(changes)
        kept = tuple(model for model in study.models if model.name == name)
        return study.model_copy(update={"models": kept, "rivals": ()})

    return one


def of_split(table, split):
    return table[table["split"] == split]


def predictions(results, cohort):
    table = results.tables["predictions"]
    return table[table["cohort"] == cohort].drop(columns="cohort")


def notes(results):
    return [text for level, text in results.findings.notes if level == "warning"]


# Tables.


def test_tables_are_those_of_a_validation_and_more(results):
    assert {
        "learners",
        "external_learners",
        "comparisons",
        "roc",
        "precision_recall",
        "calibration",
        "decision_curve",
        "null",
        "selection",
        "operating_points",
        "predictions",
        "cohort_flow",
        "settings",
        "follow_up",
        "study_design",
    } <= set(results.tables)
    for name in ("comparisons", "roc", "precision_recall", "calibration", "decision_curve", "null"):
        assert set(results.tables[name]["split"]) == {CV, FAR}, name
    names = ["Fusion", "Delta", "Baseline", "mRECIST", "AFP"]
    for name in ("learners", "external_learners"):
        table = results.tables[name]
        assert table["learner"].tolist() == names
        assert table["headline"].tolist() == [True] + [False] * 4
        # Rivals only rank.
        assert table["brier"].isna().tolist() == [False] * 3 + [True] * 2
    assert set(results.tables["roc"]["learner"]) == set(names)
    assert results.cohorts == ("near", "far") and results.study == "small"
    assert "the model Fusion" in results.verdict


def test_numbers_of_the_headline_are_those_of_its_predictions(results, cohorts):
    for cohort, split, table in zip(
        cohorts, (CV, FAR), ("learners", "external_learners"), strict=True
    ):
        frame = predictions(results, cohort.id)
        truth = cohort.outcomes["response"].grouped(["CR", "PR"])
        assert set(frame["patient_id"]) == set(cohort.patient_ids)
        np.testing.assert_array_equal(frame["label"], truth.loc[frame["patient_id"]])
        row = results.tables[table].iloc[0]
        assert row["auc"] == pytest.approx(roc_auc_score(frame["label"], frame["score"]))
        metric = results.findings.metric("auc", split=split)
        again = auc_metric(frame, split=split)
        assert (metric.value, metric.low, metric.high) == (again.value, again.low, again.high)
        assert (row["n"], row["positives"]) == (len(cohort.patient_ids), truth.sum())
    assert results.tables["learners"]["auc"].iloc[0] > 0.65


def test_rivals_are_compared_by_delong_on_the_same_patients(results, cohorts):
    table = results.tables["comparisons"]
    for cohort, split in zip(cohorts, (CV, FAR), strict=True):
        frame = predictions(results, cohort.id).set_index("patient_id")
        known = cohort.outcomes["mrecist"].category.loc[frame.index] != "PD"
        afp = -cohort.patients["afp"].loc[frame.index]
        for name, rival in (("mRECIST", known.astype(float)), ("AFP", afp)):
            row = of_split(table, split).set_index("second").loc[name]
            expected = delong_test(frame["score"], rival, frame["label"])
            assert row["first"] == "Fusion"
            assert row["difference"] == pytest.approx(expected.difference)
            assert row["p"] == pytest.approx(expected.p)


def test_models_are_compared_as_if_each_had_run_alone(results, cohorts, run, one):
    """Kept fits of shared blocks change nothing."""
    alone = run(one("Baseline"), *cohorts)
    for cohort, split in zip(cohorts, (CV, FAR), strict=True):
        both = {
            "Fusion": predictions(results, cohort.id),
            "Baseline": predictions(alone, cohort.id),
        }
        expected = comparison_table(both, reference="Fusion", split=split).iloc[0]
        found = of_split(results.tables["comparisons"], split).set_index("second").loc["Baseline"]
        for name in ("difference", "low", "high", "p", "n"):
            assert found[name] == pytest.approx(expected[name], rel=1e-9), name


def test_nulls_are_as_many_as_asked_for_and_give_the_p(results):
    null = results.tables["null"]
    assert of_split(null, CV)["value"].size == 3 and of_split(null, FAR)["value"].size == 19
    for split in (CV, FAR):
        metric = results.findings.metric("auc", split=split)
        drawn = of_split(null, split)["value"]
        expected = (1 + (drawn >= metric.value).sum()) / (1 + drawn.size)
        assert metric.p_permutation == pytest.approx(expected)


def test_permutations_may_be_asked_for_instead_of_the_recipes(run, one, cohorts):
    found = run(one("Baseline"), cohorts[0], options=Options(permutations=2))
    assert len(found.tables["null"]) == 2
    without = run(one("Baseline"), cohorts[0])
    assert "null" not in without.tables
    assert without.findings.metric("auc", split=CV).p_permutation is None
    assert any("not repeated on permuted patients" in text for text in notes(without))
    with pytest.raises(StudyError, match="at least 0 permutations; found -1"):
        run(one("Baseline"), cohorts[0], options=Options(permutations=-1))


def test_threshold_is_locked_on_training_scores(results, cohorts):
    threshold = lock_threshold(predictions(results, "near"), rule="youden")
    found = results.tables["operating_points"]
    assert set(found["threshold"]) == {threshold} and set(found["split"]) == {FAR}
    expected, _ = operating_point_table(predictions(results, "far"), threshold, split=FAR)
    pd.testing.assert_frame_equal(found, expected)
    assert any(f"threshold {threshold:.4g} (youden)" in text for _, text in results.findings.notes)


def test_design_flow_and_settings(results):
    design = results.tables["study_design"]
    assert design["cohort"].tolist() == ["published", "near", "far"]
    assert design["patients"].tolist() == [120, 90, 60]
    assert design["labelled"].tolist() == [pd.NA, 90, 60]
    assert design["positives"].tolist() == [60, 45, 30]
    assert design["sites"].tolist() == [2, 2, 2]
    assert set(results.tables["cohort_flow"]["cohort"]) == {"near", "far"}
    settings = results.tables["settings"].set_index("setting")
    assert settings.loc["blocks.pre.steps.rank_selector.k", "value"] == "2"
    assert settings.loc["models.Delta.blocks", "value"] == "change"
    assert set(settings["provenance"]) == {"paper"}


def test_what_was_obtained_is_said_in_words_of_claims(results, study_of):
    table = obtained_table(results.findings, study_of())
    auc = table[table["metric"] == "auc"]
    for name in ("learners", "external_learners"):
        for row in results.tables[name].itertuples():
            found = auc[(auc["model"] == row.learner) & (auc["split"] == row.split)].iloc[0]
            assert (found["value"], found["low"], found["n"]) == (row.auc, row.low, row.n)
            assert pd.isna(found["p"]) != row.headline
    metric = results.findings.metric("sensitivity", split=FAR)
    found = table[table["metric"] == "sensitivity"].iloc[0]
    assert (found["value"], found["model"], found["split"]) == (metric.value, "Fusion", FAR)


# What must not matter.


def test_seed_decides_everything(run, one, cohorts):
    first, again, other = (run(one("Baseline"), *cohorts, seed=seed) for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(first.tables["predictions"], again.tables["predictions"])
    assert not first.tables["predictions"].equals(other.tables["predictions"])


def test_processes_change_nothing(run, one, cohorts):
    study = one("Baseline")
    alone, two = (run(study, *cohorts, options=Options(permutations=2), jobs=n) for n in (1, 2))
    for name in ("predictions", "null"):
        pd.testing.assert_frame_equal(alone.tables[name], two.tables[name])


@LACKING
def test_an_external_patient_is_scored_alone(run, one, cohort_of):
    """Whoever else is in the cohort, scanned again or not."""
    near, far = cohort_of(), cohort_of(60, id="far", seed=2, lacking=4)
    fewer = far.for_patients(far.patient_ids[:50])
    many, few = run(one(), near, far), run(one(), near, fewer)
    both = predictions(many, "far").set_index("patient_id")["score"]
    alone = predictions(few, "far").set_index("patient_id")["score"]
    np.testing.assert_allclose(alone, both.loc[alone.index], rtol=1e-12)
    pd.testing.assert_frame_equal(predictions(many, "near"), predictions(few, "near"))


# Patients who were not scanned again.


@pytest.mark.parametrize("lacking", [0, 15], ids=["all trained on twice", "some trained on once"])
def test_without_a_later_scan_the_baseline_model_scores(
    lacking, run, one, cohort_of, study_of, tmp_path
):
    near, far = cohort_of(lacking=lacking), cohort_of(60, id="far", seed=2, lacking=6)
    study = study_of()
    with pytest.warns(RadiogenomicsWarning, match="have no follow-up"):
        found = run(one(), near, far)
    table = found.tables["follow_up"].set_index("split")
    assert table.loc[FAR].tolist() == [60, 54, 6]
    assert table.loc[CV].tolist() == [90, 90 - lacking, lacking]
    assert any("6 of 60 patients have no follow-up: they are scored by" in t for t in notes(found))
    read = [read_prediction_inputs(c, study, complete=False, jobs=1) for c in (near, far)]
    builder = ModelBuilder(study, read[0], memory=str(tmp_path), random_state=0)
    y = near.outcomes["response"].grouped(["CR", "PR"]).astype(int)
    score = predictions(found, "far").set_index("patient_id")["score"]
    for name, rows, training in (
        ("Baseline", slice(54, 60), slice(None)),
        ("Fusion", slice(0, 54), slice(0, 90 - lacking)),
    ):
        model = next(m for m in study.models if m.name == name)
        columns = builder.columns(model)
        alone = builder.build(model, scanned_once=False)
        alone.fit(read[0].features[columns].iloc[training], y.iloc[training])
        expected = alone.predict_proba(read[1].features[columns].iloc[rows])[:, 1]
        np.testing.assert_allclose(score.iloc[rows], expected, rtol=1e-9)


@LACKING
def test_a_model_without_baseline_says_that_it_sees_nothing_of_them(run, study_of, cohort_of):
    study = study_of()
    study = study.model_copy(update={"models": study.models[1:], "rivals": ()})
    found = run(study, cohort_of(lacking=5))
    text = "Delta: has no baseline block, so patients who were not scanned again"
    assert sum(note.startswith(text) for note in notes(found)) == 1
    assert not any(note.startswith(text) for note in notes(run(study, cohort_of())))


def test_patients_without_a_later_scan_may_be_left_out_everywhere(run, one, cohort_of):
    study = one("Fusion", {"evaluation.without_follow_up": "exclude"})
    found = run(study, cohort_of(lacking=15), cohort_of(60, id="far", seed=2, lacking=6))
    assert [len(predictions(found, name)) for name in ("near", "far")] == [75, 54]
    assert found.tables["follow_up"]["by_baseline_model"].tolist() == [0, 0]
    assert sum("without a later scan were left out" in text for text in notes(found)) == 2


def test_a_rival_that_is_not_known_of_everybody_is_compared_where_it_is(run, study_of, cohort_of):
    near = cohort_of()
    kept = near.outcomes["mrecist"].for_patients(near.patient_ids[3:])
    near = replace(near, outcomes={**near.outcomes, "mrecist": kept})
    study = study_of()
    found = run(study.model_copy(update={"models": study.models[2:]}), near)
    table = found.tables["learners"].set_index("learner")
    assert table["n"].to_dict() == {"Baseline": len(near.patients), "mRECIST": 87, "AFP": 90}
    text = f"{CV}: mRECIST is not known of 3 patients; compared among the others."
    assert text in notes(found)
    pairs = found.tables["comparisons"].set_index("second")["n"]
    assert pairs.to_dict() == {"AFP": 90, "mRECIST": 87}


def test_complete_cases_are_asked_for(run, one, cohort_of):
    near = cohort_of()
    table = near.assay("pre")
    bare = near.with_assay(table.for_patients(near.patient_ids[5:]))
    portal = near.assay("pre").per_patient()
    bare = bare.with_assay(
        FeatureTable.from_frame(portal, name="portal", unit="feature", source="made")
    )
    study = one("Baseline")
    blocks = {**study.blocks, "portal": study.blocks["pre"]}
    study = study.model_copy(update={"blocks": blocks})
    with pytest.raises(StudyError, match="found no pre for 5.*--complete-cases"):
        run(study, bare)
    found = run(study, bare, options=Options(complete_cases=True, permutations=0))
    assert len(predictions(found, "near")) == 85
    assert any("5 patients lack a block and were left out" in text for text in notes(found))


# Refusals.


def test_a_recipe_that_requires_what_is_not_there_is_refused(run, one, cohorts):
    study = one().model_copy(update={"requires": ("deep",)})
    with pytest.raises(StudyError, match="small: .*requires deep, which is not there yet"):
        run(study, *cohorts)


def test_a_cohort_too_small_for_the_folds_is_refused(run, one, cohort_of):
    study = one("Baseline", {"evaluation.folds": 6, "evaluation.inner_folds": 6})
    with pytest.raises(StudyError, match="at least 36 patients.*6 folds with 6 inside; found 30"):
        run(study, cohort_of(30))
    few = cohort_of(60)
    seen = few.outcomes["response"].category.where(np.arange(60) < 4, "PD")
    response = ResponseOutcome("response", seen, "mRECIST")
    few = replace(few, outcomes={**few.outcomes, "response": response})
    with pytest.raises(OutcomeError, match="6 patients of each class for 6 folds; found"):
        run(study, few)


def test_a_label_among_the_features_is_refused(run, one, cohort_of):
    near = cohort_of()
    label = near.outcomes["response"].grouped(["CR", "PR"])
    copied = replace(near, patients=near.patients.assign(age=70.0 - 3 * label))
    with pytest.raises(LeakageError, match=r"near: .*\(clinical\|age\)"):
        run(one("Baseline"), copied)
    # Also in a block of another model.
    values = near.assay("post").per_patient().assign(texture_3=label.astype(float))
    table = FeatureTable.from_frame(values, name="post", unit="feature", source="made")
    with pytest.raises(LeakageError, match=r"\(post\|texture_3\)"):
        run(one("Baseline"), near.with_assay(table))


def test_another_cohort_needs_the_features_of_training(run, one, cohorts):
    near, far = cohorts
    for name in ("pre", "post"):
        values = far.assay(name).per_patient().drop(columns="texture_5")
        far = far.with_assay(
            FeatureTable.from_frame(values, name=name, unit="feature", source="made")
        )
    with pytest.raises(AlignmentError, match=r"far: .*1 missing \(pre\|texture_5\)"):
        run(one("Baseline"), near, far)


def test_another_cohort_of_one_class_is_scored_without_auc(run, one, cohorts):
    near, far = cohorts
    seen = far.outcomes["response"]
    one_class = ResponseOutcome("response", seen.category.replace({"SD": "PR", "PD": "PR"}), "x")
    far = replace(far, outcomes={**far.outcomes, "response": one_class})
    found = run(one("Baseline"), near, far)
    assert "external_learners" not in found.tables
    assert any(
        text.startswith(f"{FAR}: 60 patients with a label, not of both") for text in notes(found)
    )


@pytest.mark.parametrize("label", [None, "survival"])
def test_another_cohort_without_labels_is_scored_all_the_same(label, run, one, cohorts):
    near, far = cohorts
    bare = replace(far, outcomes={"mrecist": far.outcomes["mrecist"]})
    found = run(one("Baseline", {"label": label} if label else None), near, bare)
    frame = predictions(found, "far")
    assert len(frame) == 60 and frame["label"].isna().all() and frame["score"].between(0, 1).all()
    assert "external_learners" not in found.tables
    assert any("outcome of cohort far" in text for text in notes(found))


# Survival, markers, defects.


def test_survival_beyond_the_median_from_end_to_end(run, one, cohorts):
    survival = {
        "endpoint": {"value": "OS", "source": "paper"},
        "horizons": {"value": [6.0, 12.0], "source": "paper"},
        "adjust_for": {"value": ["age"], "source": "paper"},
    }
    study = one("Fusion", {"label": "survival", "readouts": {"survival": [survival]}})
    found = run(study, *cohorts, options=Options(permutations=2))
    near = predictions(found, "near")
    unknown = near["label"].isna().sum()
    assert unknown and len(near) == 90
    row = found.tables["learners"].iloc[0]
    assert row["n"] == 90 - unknown and row["auc"] > 0.6
    assert of_split(found.tables["null"], CV)["value"].between(0, 1).all()
    (cut,) = found.tables["label_months"].to_dict("records")
    known = cohorts[0].outcomes["OS"]
    median = kaplan_meier(known.time, known.event).median.value
    assert (cut["months"], cut["source"], cut["n"]) == (median, "median", 90)
    outcome = cohorts[1].outcomes["OS"]
    far = predictions(found, "far").set_index("patient_id")
    dead_first = outcome.time.loc[far.index][(far["label"] == 0).to_numpy()].max()
    beyond = outcome.time.loc[far.index][(far["label"] == 1).to_numpy()].min()
    assert dead_first <= beyond
    table = found.tables["time_dependent_auc"]
    assert set(table["horizon"]) == {6.0, 12.0} and set(table["split"]) == {CV, FAR}
    assert set(obtained_table(found.findings, study)["metric"]) >= {"td_auc@6:OS", "td_auc@12:OS"}


def test_markers_from_end_to_end(run, one, cohorts):
    found = run(one("Baseline", {"label": "markers"}), *cohorts)
    stains = cohorts[0].patients[["CD8", "PDL1"]]
    far = predictions(found, "far").set_index("patient_id")
    own = cohorts[1].patients.loc[far.index]
    expected = (own["CD8"] > stains["CD8"].median()) & (own["PDL1"] > 1.0)
    np.testing.assert_array_equal(far["label"], expected)


def test_known_defects_are_shown_when_asked_for(run, one, cohorts):
    study = one("Baseline", {"legacy": ["pooled_selection", "cv_percentile_interval"]})
    found = run(study, cohorts[0], options=Options(legacy=True, permutations=0))
    table = found.tables["flattery"]
    assert {"procedure", "auc", "low", "high", "width", "auc_on_noise"} <= set(table)
    assert table["auc_on_noise"].notna().all() and len(table) >= 2
    honest = found.tables["learners"]["auc"].iloc[0]
    assert table["auc"].iloc[0] == pytest.approx(honest)
    with pytest.warns(RadiogenomicsWarning, match="no defects are known that --legacy could show"):
        none = run(one("Baseline"), cohorts[0], options=Options(legacy=True, permutations=0))
    assert "flattery" not in none.tables
    assert any("no defects are known" in text for _, text in none.findings.notes)


# Noise.


def test_noise_is_told_from_nothing(run, one, cohort_of, study_of):
    """Selection in each block, tuning and calibration on features that know nothing."""
    inside, outside = [], []
    for seed in range(8):
        near = cohort_of(60, seed=100 + seed, signal=0.0)
        far = cohort_of(60, id="far", seed=200 + seed, signal=0.0)
        found = run(one(), near, far, seed=seed)
        inside.append(found.tables["learners"]["auc"].iloc[0])
        outside.append(found.tables["external_learners"]["auc"].iloc[0])
    for values, lean in ((inside, 0.03), (outside, 0.0)):
        error = np.std(values, ddof=1) / np.sqrt(len(values))
        assert abs(np.mean(values) - 0.5) < 3 * error + lean, values
