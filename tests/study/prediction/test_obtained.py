"""What a run obtained in words of claims, and why it has no number for others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, recall_score, roc_auc_score

from radiogenomics.stats import wilson
from radiogenomics.study.findings import Findings
from radiogenomics.study.prediction.claims import COLUMNS
from radiogenomics.study.prediction.obtained import obtained_table, with_claims
from radiogenomics.study.prediction.schema import PredictionStudy
from radiogenomics.study.results import Results

CV, NEAR, FAR = "cross-validation", "external:x-internal", "external:mine"
PARTS = ("training", "internal", "external")


def design() -> dict[str, object]:
    sizes = {"patients": 60, "positives": None, "sites": 1}
    part = {name: {"value": size, "source": "paper"} for name, size in sizes.items()}
    return dict.fromkeys(PARTS, part)


@pytest.fixture
def study(study_of) -> PredictionStudy:
    return study_of({"design": design()})


@pytest.fixture
def scores() -> pd.DataFrame:
    rng, parts = np.random.default_rng(3), []
    for split, n in ((CV, 60), (NEAR, 40), (FAR, 50)):
        label = rng.permutation(np.arange(n) % 2).astype(float)
        for model in ("Fusion", "Baseline", "mRECIST"):
            frame = pd.DataFrame({"patient_id": [f"P{i}" for i in range(n)], "repeat": 0})
            margin = label - 0.5 + rng.normal(size=n)
            frame = frame.assign(label=label, score=1 / (1 + np.exp(-margin)), model=model)
            parts.append(frame.assign(split=split, cohort=split, fold=0, risk=0.0))
    whole = pd.concat(parts, ignore_index=True)
    # The class of two patients is not known.
    whole.loc[(whole["split"] == FAR) & whole["patient_id"].isin(["P0", "P1"]), "label"] = np.nan
    return whole


def held(
    study: PredictionStudy,
    tables: Mapping[str, pd.DataFrame],
    *rows: str,
    provenance: object,
    notes: tuple[tuple[str, str], ...] = (),
) -> pd.DataFrame:
    """Claims of the form ``metric,model,split,value`` beside what the tables give."""
    claims = pd.DataFrame(
        [row.split(",") for row in rows], columns=["metric", "model", "split", "value"]
    )
    claims = claims.assign(value=claims["value"].astype(float))
    text = dict.fromkeys(("bound", "where"), "")
    none = dict.fromkeys(("low", "high"), np.nan) | dict.fromkeys(("n", "positives"), pd.NA)
    claims = claims.assign(**text, **none)[list(COLUMNS)]
    results = Results(
        "small", ("near",), "", Findings(tables=dict(tables), notes=notes), provenance
    )
    return with_claims(results, study, claims).tables["claims"]


def learners(scores: pd.DataFrame) -> pd.DataFrame:
    """That there are such splits at all."""
    known = scores.dropna(subset="label").groupby(["split", "model"], sort=False)
    rows = [
        {"split": split, "learner": model, "auc": roc_auc_score(part["label"], part["score"])}
        for (split, model), part in known
    ]
    table = pd.DataFrame(rows).assign(low=0.1, high=0.9, chance=0.5, n=9, positives=4)
    return table.assign(headline=table["learner"] == "Fusion")


def test_cohorts_together_have_the_auc_of_all_their_patients(study, scores, provenance):
    tables = {"learners": learners(scores), "model_scores": scores}
    table = held(
        study, tables,
        "auc,Fusion,internal+external,0.7", "auc,mRECIST,internal+external,0.7",
        "auc,Fusion,training+external,0.7", "brier,Fusion,internal+external,0.2",
        provenance=provenance,
    )  # fmt: skip
    for place, model in enumerate(("Fusion", "mRECIST")):
        rows = scores[(scores["model"] == model) & (scores["split"] != CV)].dropna(subset="label")
        expected = roc_auc_score(rows["label"], rows["score"])
        assert table.loc[place, "obtained"] == pytest.approx(expected, rel=1e-12)
        assert table.loc[place, "held_against"] == f"{NEAR} + {FAR}"
        assert table.loc[place, "obtained_low"] < expected < table.loc[place, "obtained_high"]
    why = "not computed: of several cohorts together only the AUC of locked models is made"
    assert table["verdict"].tolist()[2:] == [why, why]


def test_a_threshold_that_the_recipe_fixes_cuts_every_model(study_of, scores, provenance):
    study = study_of({"design": design(), "evaluation.threshold": 0.5})
    tables = {"learners": learners(scores), "model_scores": scores}
    table = held(
        study, tables,
        "accuracy,Baseline,external,0.7", "sensitivity,Baseline,cross-validation,0.7",
        "accuracy,mRECIST,external,0.7",
        provenance=provenance,
    )  # fmt: skip
    known = scores[scores["model"] == "Baseline"].dropna(subset="label").set_index("split")
    called = (known["score"] >= 0.5).astype(float)
    assert table.loc[0, "obtained"] == accuracy_score(known.loc[FAR, "label"], called[FAR])
    assert table.loc[1, "obtained"] == recall_score(known.loc[CV, "label"], called[CV])
    assert table.loc[2, "verdict"] == "not computed: mRECIST gives no probabilities to cut"


def test_the_headlines_points_are_those_of_the_run(study, scores, provenance):
    point = {"split": FAR, "threshold": 0.4, "low": 0.6, "high": 0.9, "n": 48}
    points = pd.DataFrame(
        [point | {"metric": name, "value": value} for name, value in (("accuracy", 0.8), ("tp", 9))]
    )
    tables = {"learners": learners(scores), "operating_points": points, "model_scores": scores}
    table = held(
        study, tables,
        "accuracy,Fusion,external,0.7", "accuracy,Fusion,cross-validation,0.7",
        "accuracy,Baseline,external,0.7",
        provenance=provenance,
    )  # fmt: skip
    assert table["obtained"].tolist()[0] == 0.8
    assert table.loc[1, "verdict"].startswith("not computed: the threshold was learnt on these")
    assert table.loc[2, "verdict"] == "not computed: the threshold is learnt for Fusion alone"


def test_levels_of_a_fact_and_another_label(study, scores, provenance):
    row = {"split": FAR, "subgroup": "regimen", "level": "A", "auc": 0.8, "low": 0.6, "high": 0.9}
    groups = pd.DataFrame([row | {"n": 20, "positives": 9}])
    tables = {"learners": learners(scores), "subgroup_auc": groups, "model_scores": scores}
    table = held(
        study, tables,
        "auc,Fusion,external:regimen=A,0.7", "auc,Fusion,external:regimen=B,0.7",
        "auc,Fusion,internal:regimen=A,0.7", "auc,Fusion,internal+external:regimen=A,0.7",
        "auc:CSS,Fusion,external,0.7", "c_index,Baseline,external,0.7",
        provenance=provenance,
    )  # fmt: skip
    assert table.loc[0, ["obtained", "held_against"]].tolist() == [0.8, f"{FAR} (regimen=A)"]
    assert table["verdict"].tolist()[1:] == [
        f"not computed: no subgroup regimen=B in {FAR}, but regimen=A",
        f"not computed: no subgroups in {NEAR}",
        "not computed: subgroups are held apart cohort by cohort, not in several together",
        "not computed: the label is of response here; one of CSS is another recipe",
        "not computed: c_index is made of Fusion alone",
    ]


@pytest.mark.parametrize(("meaning", "called"), [("better", 7), ("worse", 3)])
def test_who_lived_on_after_progression_and_was_called_well(
    study_of, scores, provenance, meaning, called
):
    study = study_of({"design": design(), "label.meaning": meaning})
    rows = [(NEAR, "high", 5), (NEAR, "low", 1), (FAR, "high", 2), (FAR, "low", 2)]
    summary = pd.DataFrame(rows, columns=["split", "called", "survived"])
    tables = {"learners": learners(scores), "pseudoprogression_summary": summary}
    table = held(
        study, tables,
        "pseudoprogression_foretold,Fusion,internal+external,0.75",
        "pseudoprogression_foretold,Fusion,training,0.75",
        provenance=provenance,
    )  # fmt: skip
    assert table.loc[0, "obtained"] == called / 10
    bounds = tuple(table.loc[0, ["obtained_low", "obtained_high"]])
    assert bounds == pytest.approx(tuple(map(float, wilson(called, 10))), rel=1e-12)
    assert table.loc[1, "verdict"].startswith("not computed: nobody progressed and lived on there")


def test_what_the_run_left_out_is_said_in_its_own_words(study, scores, provenance):
    said = f"{FAR}, OS: time-dependent AUC is left out at 36 months (nobody was followed)."
    tables = {"learners": learners(scores)}
    table = held(
        study, tables, "td_auc@36:OS,Fusion,external,0.7", "td_auc@24:OS,Fusion,external,0.7",
        provenance=provenance, notes=(("warning", said),),
    )  # fmt: skip
    assert table["verdict"].tolist() == [
        f"not computed: {said[:-1]}",
        "not computed: no td_auc@24:OS of Fusion in external",
    ]


def test_nothing_is_made_of_a_run_without_scores(study):
    assert obtained_table(Findings(), study).empty
