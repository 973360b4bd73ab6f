"""AUC of the headline within levels of facts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from radiogenomics.evaluation.comparison import unpaired_comparison
from radiogenomics.stats.classification.auc import delong
from radiogenomics.study.prediction.readouts.subgroups import subgroup_auc


def by(*facts: str) -> dict:
    return {"value": list(facts), "source": "paper"}


def rows_of(part, level: str, fact: str = "regimen"):
    frame = part.predictions["M"]
    return frame[part.cohort.patients[fact].loc[frame["patient_id"]].eq(level).to_numpy()]


def test_each_level_agrees_with_scikit_learn_and_delong(make_study, make_part):
    part = make_part()
    table = subgroup_auc(make_study(subgroups=by("regimen", "sex")), [part]).tables["subgroup_auc"]
    assert table["subgroup"].tolist() == ["regimen"] * 2 + ["sex"] * 2
    for row in table.itertuples():
        rows = rows_of(part, row.level, row.subgroup)
        assert row.auc == pytest.approx(roc_auc_score(rows["label"], rows["score"]))
        area = delong(rows["score"], rows["label"])
        assert (row.low, row.high) == (pytest.approx(area.low), pytest.approx(area.high))
        assert (row.n, row.positives) == (len(rows), rows["label"].sum())


def test_interaction_is_the_unpaired_comparison(make_study, make_part):
    part = make_part("far", 80, seed=3)
    table = subgroup_auc(make_study(subgroups=by("regimen")), [part]).tables["subgroup_auc"]
    one, two = (rows_of(part, level) for level in ("TKI", "VEGF"))
    p = unpaired_comparison(one, two, names=("TKI", "VEGF"), split="x")["p"].iloc[0]
    assert table["p_interaction"].tolist() == pytest.approx([p, p], rel=1e-12)


def test_repeats_add_no_patients(make_study, make_part):
    part = make_part(repeats=3)
    study = make_study(subgroups=by("regimen"))
    table = subgroup_auc(study, [part]).tables["subgroup_auc"].set_index("level")
    rows = rows_of(part, "TKI")
    each = [roc_auc_score(r["label"], r["score"]) for _, r in rows.groupby("repeat")]
    assert table.loc["TKI", "auc"] == pytest.approx(np.mean(each))
    assert table.loc["TKI", "n"] == len(rows) / 3
    thrice = replace(part, predictions={"M": part.predictions["M"].query("repeat == 0")})
    single = subgroup_auc(study, [thrice]).tables["subgroup_auc"].set_index("level")
    # Three times the patients would narrow the interval by a factor of 1.7.
    width = table["high"] - table["low"]
    assert ((width / (single["high"] - single["low"])) > 0.8).all()


def test_small_levels_are_left_out_with_a_note(make_study, make_part):
    part = make_part()
    patients = part.cohort.patients.copy()
    patients["regimen"] = np.where(np.arange(120) < 6, "both", patients["regimen"])
    part = replace(part, cohort=replace(part.cohort, patients=patients))
    found = subgroup_auc(make_study(subgroups=by("regimen")), [part])
    table = found.tables["subgroup_auc"]
    assert table["level"].tolist() == ["TKI", "VEGF"]
    assert table["p_interaction"].isna().all()
    assert "fewer than 5 patients of a class in both (" in found.notes[0][1]


def test_patients_without_label_or_fact_do_not_count(make_study, make_part):
    part = make_part()
    patients = part.cohort.patients.copy()
    patients.iloc[:10, patients.columns.get_loc("regimen")] = None
    patients.iloc[10:12, patients.columns.get_loc("regimen")] = " "
    frame = part.predictions["M"].copy()
    frame.loc[100:, "label"] = np.nan
    part = replace(part, cohort=replace(part.cohort, patients=patients), predictions={"M": frame})
    table = subgroup_auc(make_study(subgroups=by("regimen")), [part]).tables["subgroup_auc"]
    assert table["n"].sum() == 88


@pytest.mark.parametrize(
    ("fact", "said"), [("stage", "not known of this cohort"), ("age", "more than 10 subgroups")]
)
def test_facts_that_cannot_be_used_are_notes(make_study, make_part, fact, said):
    found = subgroup_auc(make_study(subgroups=by(fact)), [make_part()])
    assert not found.tables
    assert said in found.notes[0][1]


def test_no_label_at_all_is_a_note(make_study, make_part):
    part = make_part()
    part = replace(part, predictions={"M": part.predictions["M"].assign(label=np.nan)})
    found = subgroup_auc(make_study(subgroups=by("sex")), [part])
    assert "no patient with a label" in found.notes[0][1]


def test_numbers_and_responses_can_be_subgroups(make_study, make_part):
    part = make_part(n=200)
    patients = part.cohort.patients.assign(ecog=np.arange(200) % 2 * 1.0)
    part = replace(part, cohort=replace(part.cohort, patients=patients))
    table = subgroup_auc(make_study(subgroups=by("ecog", "response")), [part]).tables[
        "subgroup_auc"
    ]
    assert table.loc[table["subgroup"] == "ecog", "level"].tolist() == ["0", "1"]
    assert "SD" in set(table.loc[table["subgroup"] == "response", "level"])


def test_separated_levels_have_no_test(make_study, make_part):
    part = make_part()
    frame = part.predictions["M"].copy()
    frame["score"] = frame["label"] * 0.5 + frame["score"] * 0.1
    apart = replace(part, predictions={"M": frame})
    flipped = frame.copy()
    tki = rows_of(apart, "TKI").index
    flipped.loc[tki, "score"] = 1 - frame.loc[tki, "score"]
    found = subgroup_auc(
        make_study(subgroups=by("regimen")), [replace(part, predictions={"M": flipped})]
    )
    table = found.tables["subgroup_auc"].set_index("level")
    assert table["auc"].to_dict() == {"TKI": 0.0, "VEGF": 1.0}
    assert table["p_interaction"].isna().all()
    assert "areas without variance have no test" in found.notes[0][1]
