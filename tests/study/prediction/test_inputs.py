"""What a cohort offers to a recipe: against the tables it was made of, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError, SchemaError, StudyError, UnknownNameError
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.study.prediction.inputs import follow_up_blocks, read_prediction_inputs


def read(cohort, study, *, complete=False):
    return read_prediction_inputs(cohort, study, complete=complete, jobs=1)


def without(cohort, assay, patients):
    """The cohort with a table that lacks some patients."""
    table = cohort.assay(assay)
    return cohort.with_assay(table.for_patients(table.patient_ids.difference(patients)))


def with_facts(cohort, **facts):
    return replace(cohort, patients=cohort.patients.assign(**facts))


def values(cohort, assay):
    return cohort.assay(assay).per_patient()


def test_blocks_are_the_tables_of_their_name_and_the_facts(cohort_of, study_of):
    cohort, study = cohort_of(), study_of()
    found = read(cohort, study)
    assert list(found.features.index) == list(cohort.patient_ids)
    blocks = [name.split("|")[0] for name in found.features]
    assert list(dict.fromkeys(blocks)) == ["pre", "post", "change", "clinical"]
    for block in ("pre", "post"):
        own = found.features.filter(like=f"{block}|")
        np.testing.assert_array_equal(own, values(cohort, block))
        assert list(own) == [f"{block}|texture_{i}" for i in range(6)]
    np.testing.assert_array_equal(
        found.features[["clinical|age", "clinical|afp"]], cohort.patients[["age", "afp"]]
    )
    assert found.follow_up == ("post", "change") == follow_up_blocks(study)
    assert found.seen_again().all() and found.notes == ()


@pytest.mark.parametrize("mode", ["difference", "ratio", "symmetric", "rate"])
def test_change_is_that_by_hand(mode, cohort_of, study_of):
    cohort = cohort_of()
    a, b = values(cohort, "pre"), values(cohort, "post")
    expected = {
        "difference": b - a,
        "ratio": (b - a) / a.abs(),
        "symmetric": 2 * (b - a) / (a.abs() + b.abs()),
        "rate": (b - a).div(cohort.patients["weeks"], axis=0),
    }
    changes = {"blocks.change.mode": mode}
    if mode == "rate":
        changes["blocks.change.interval"] = "weeks"
    found = read(cohort, study_of(changes)).features.filter(like="change|")
    np.testing.assert_allclose(found, expected[mode], rtol=1e-12)
    assert list(found)[0] == f"change|texture_0 ({mode})"


def test_weeks_below_zero_are_time_points_in_the_wrong_order(cohort_of, study_of):
    cohort = cohort_of()
    study = study_of({"blocks.change.mode": "rate", "blocks.change.interval": "weeks"})
    early = with_facts(cohort, weeks=-cohort.patients["weeks"])
    with pytest.raises(DataError, match="time points in the wrong order"):
        read(early, study)
    with pytest.raises(UnknownNameError, match="'weeks'"):
        read(replace(cohort, patients=cohort.patients.drop(columns="weeks")), study)


def test_who_was_not_scanned_again_has_no_later_block(cohort_of, study_of):
    cohort = cohort_of(lacking=10)
    found = read(cohort, study_of())
    assert len(found.features) == 90
    assert (~found.seen_again()).sum() == 10 and not found.seen_again().iloc[-10:].any()
    later = found.features.filter(regex=r"^(post|change)\|")
    assert later.iloc[-10:].isna().all(axis=None) and later.iloc[:-10].notna().all(axis=None)
    assert found.features.filter(regex=r"^(pre|clinical)\|").notna().all(axis=None)


def test_who_was_not_scanned_again_may_be_left_out(cohort_of, study_of):
    study = study_of({"evaluation.without_follow_up": "exclude"})
    found = read(cohort_of(lacking=10), study)
    assert len(found.features) == 80 and found.seen_again().all()
    assert all(len(known) == 80 for known in found.rivals.values())
    text = "near: 10 patients without a later scan were left out."
    assert found.notes == (("warning", text),)


def two_phases(study_of, **changes):
    """The small recipe with a portal phase of both scans."""
    study = study_of().model_dump(mode="python")
    for block, of in (("portal", "pre"), ("portal_post", "post")):
        study["blocks"][block] = {**study["blocks"][of]}
        study["blocks"][block]["phase"] = {"value": "portal", "source": "paper"}
    return type(study_of()).model_validate(study)


def test_who_lacks_a_later_phase_counts_as_not_scanned_again(cohort_of, study_of):
    """Else the full model would be handed imputed scans while the tables say baseline."""
    cohort = cohort_of(lacking=10)
    for name, of in (("portal", "pre"), ("portal_post", "post")):
        frame = values(cohort, of)
        cohort = cohort.with_assay(
            FeatureTable.from_frame(frame, name=name, unit="feature", source="made")
        )
    cohort = without(cohort, "portal_post", cohort.patient_ids[:3])
    found = read(cohort, two_phases(study_of))
    assert (~found.seen_again()).sum() == 13
    assert found.features.filter(like="post|").iloc[:3].isna().all(axis=None)
    assert [level for level, _ in found.notes] == ["warning"]
    assert "near: 3 patients have some of the later blocks and lack others" in found.notes[0][1]
    assert not any(patient in found.notes[0][1] for patient in cohort.patient_ids)


def test_a_baseline_phase_missing_for_some_is_refused_or_they_are_left_out(cohort_of, study_of):
    cohort = cohort_of()
    gappy = without(cohort, "pre", cohort.patient_ids[:4])
    with pytest.raises(StudyError, match=r"each of the 90|found no pre for 4"):
        read(without(with_portal(cohort), "pre", cohort.patient_ids[:4]), two_baselines(study_of))
    found = read(
        without(with_portal(cohort), "pre", cohort.patient_ids[:4]),
        two_baselines(study_of),
        complete=True,
    )
    assert list(found.features.index) == list(cohort.patient_ids[4:])
    assert "4 patients lack a block and were left out (missing: pre for 4)" in found.notes[0][1]
    # With one baseline block those without it simply have no images there.
    assert len(read(gappy, study_of()).features) == 86


def with_portal(cohort):
    return cohort.with_assay(
        FeatureTable.from_frame(values(cohort, "pre"), name="portal", unit="x", source="made")
    )


def two_baselines(study_of):
    study = study_of().model_dump(mode="python")
    study["blocks"]["portal"] = {**study["blocks"]["pre"]}
    return type(study_of()).model_validate(study)


def later_only(study_of):
    study = study_of().model_dump(mode="python")
    portal = {**study["blocks"]["post"], "phase": {"value": "portal", "source": "paper"}}
    study["blocks"] = {"post": study["blocks"]["post"], "portal": portal}
    return type(study_of()).model_validate(study)


def test_without_a_baseline_every_later_block_is_needed(cohort_of, study_of):
    """There is nothing to fall back to."""
    cohort = with_portal(cohort_of(lacking=5))
    cohort = without(cohort, "portal", cohort.patient_ids[:3])
    with pytest.raises(StudyError, match="found no post for 5, portal for 3"):
        read(cohort, later_only(study_of))
    found = read(cohort, later_only(study_of), complete=True)
    assert len(found.features) == 82 and found.seen_again().all()


def test_too_few_patients_are_refused(cohort_of, study_of):
    with pytest.raises(StudyError, match="near: expected at least 20 patients.*found 19"):
        read(cohort_of(19), study_of())


def test_rivals_rise_with_class_1(cohort_of, study_of):
    cohort = cohort_of()
    found = read(cohort, study_of()).rivals
    progressed = cohort.outcomes["mrecist"].category == "PD"
    np.testing.assert_array_equal(found["mRECIST"], (~progressed).astype(float))
    np.testing.assert_array_equal(found["AFP"], -cohort.patients["afp"])
    rising = read(cohort, study_of({"rivals.1.rises": "positive"})).rivals["AFP"]
    np.testing.assert_array_equal(rising, cohort.patients["afp"])


def test_a_rival_unknown_of_some_is_missing_there(cohort_of, study_of):
    cohort = cohort_of()
    kept = cohort.outcomes["mrecist"].for_patients(cohort.patient_ids[5:])
    cohort = replace(cohort, outcomes={**cohort.outcomes, "mrecist": kept})
    found = read(cohort, study_of()).rivals["mRECIST"]
    assert found.isna().sum() == 5 and list(found.index) == list(cohort.patient_ids)


def test_a_rival_by_stage_places_groups_in_order(cohort_of, study_of):
    cohort = cohort_of()
    changes = {"rivals.1.fact": "stage", "rivals.1.groups": [["C"], ["A", "B"]]}
    found = read(cohort, study_of(changes)).rivals["AFP"]
    np.testing.assert_array_equal(found, (cohort.patients["stage"] != "C").astype(float))
    changes["rivals.1.groups"] = [["C"], ["A"]]
    with pytest.raises(SchemaError, match="expected C, A as stage for AFP; found B"):
        read(cohort, study_of(changes))


def test_readings_are_of_the_same_patients_and_variables(cohort_of, study_of):
    cohort = cohort_of()
    first, second = read(cohort, study_of()).readings["pre"]
    assert (
        len(first) == 20
        and list(first) == list(second)
        and set(read(cohort, study_of()).readings) == {"pre"}
    )
    np.testing.assert_array_equal(first, values(cohort, "pre").iloc[:20])
    np.testing.assert_array_equal(second, values(cohort, "pre_reading_2"))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"blocks.clinical.facts": ["age", "aft"]}, UnknownNameError, "did you mean 'afp'"),
        ({"blocks.clinical.facts": ["stage"]}, SchemaError, "expected numbers.*found A, B, C"),
        ({"rivals.0.fact": "mrecis"}, UnknownNameError, "'mrecis'"),
        ({"rivals.1.fact": "stage"}, SchemaError, "numbers as the fact 'stage' of AFP"),
    ],
)
def test_facts_that_are_not_there_or_are_words_are_named(
    changes, error, message, cohort_of, study_of
):
    with pytest.raises(error, match=message):
        read(cohort_of(), study_of(changes))


def test_a_block_that_is_neither_table_nor_scan_is_named(cohort_of, study_of):
    cohort = cohort_of()
    bare = replace(cohort, assays={n: t for n, t in cohort.assays.items() if n != "post"})
    with pytest.raises(StudyError, match=r"block 'post' as an assay.*found the assays pre, .*rna"):
        read(bare, study_of())
    deep = study_of({"blocks.post.kind": "deep"}, checked=False)
    with pytest.raises(StudyError, match=r"block 'post' as an assay.*or scans \(CT, arterial"):
        read(bare, deep)


def test_scans_with_other_features_have_no_change(cohort_of, study_of):
    cohort = cohort_of()
    renamed = values(cohort, "post").rename(columns={"texture_5": "texture_9"})
    other = FeatureTable.from_frame(renamed, name="post", unit="feature", source="made")
    with pytest.raises(SchemaError, match="found 'texture_5' at pre and not at post"):
        read(cohort.with_assay(other), study_of())


def test_facts_missing_for_some_stay_missing(cohort_of, study_of):
    cohort = cohort_of()
    ages = cohort.patients["age"].where(cohort.patients["age"] > 60)
    found = read(with_facts(cohort, age=ages), study_of()).features["clinical|age"]
    pd.testing.assert_series_equal(found, ages, check_names=False)


def test_a_recipe_without_images_takes_all_patients(cohort_of, study_of):
    study = study_of().model_dump(mode="python")
    study["blocks"] = {"clinical": study["blocks"]["clinical"]}
    found = read(cohort_of(), type(study_of()).model_validate(study))
    assert list(found.features) == ["clinical|age", "clinical|afp"] and len(found.features) == 90
    assert found.follow_up == ()
