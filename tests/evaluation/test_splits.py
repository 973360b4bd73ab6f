import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    LeakageError,
    OutcomeError,
    SchemaError,
    StudyError,
)
from radiogenomics.evaluation import PatientKFold, check_disjoint
from radiogenomics.evaluation.splits import naming
from radiogenomics.features import ComBat


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(st.integers(0, 30), min_size=40, max_size=90),
    folds=st.integers(2, 5),
    seed=st.integers(0, 2**31),
)
def test_patients_are_never_torn_and_tested_once_a_repeat(rows, folds, seed):
    ids = np.array([f"P{i}" for i in [*range(6), *rows]])
    tested = {0: [], 1: []}
    for split in PatientKFold(folds, n_repeats=2, random_state=seed).split(ids):
        assert not set(ids[split.train]) & set(ids[split.test])
        assert sorted([*split.train, *split.test]) == list(range(len(ids)))
        tested[split.repeat].extend(split.test)
    assert all(sorted(rows_) == list(range(len(ids))) for rows_ in tested.values())


def test_classes_and_sizes_are_balanced():
    ids = [f"P{i}" for i in range(53)]
    labels = np.arange(53) % 53 < 17
    splits = list(PatientKFold(5, n_repeats=3, random_state=1).split(ids, labels))
    assert len(splits) == 15
    assert {len(s.test) for s in splits} == {10, 11}
    assert {int(labels[s.test].sum()) for s in splits} == {3, 4}


def test_seed_decides_and_repeats_differ():
    ids = [f"P{i}" for i in range(30)]

    def tests(seed):
        return [s.test.tolist() for s in PatientKFold(3, n_repeats=2, random_state=seed).split(ids)]

    assert tests(4) == tests(4) != tests(5)
    assert tests(4)[:3] != tests(4)[3:]


def test_every_patient_can_meet_every_other():
    """Over repeats each pair shares a fold as often as chance says: (n/k − 1) / (n − 1)."""
    ids = [f"P{i}" for i in range(12)]
    together = np.zeros((12, 12))
    for split in PatientKFold(3, n_repeats=600, random_state=2).split(ids):
        together[np.ix_(split.test, split.test)] += 1
    pairs = together[np.triu_indices(12, 1)] / 600
    assert pairs.mean() == pytest.approx(3 / 11)
    assert np.abs(pairs - 3 / 11).max() < 5 * np.sqrt(3 / 11 * 8 / 11 / 600)


def test_too_few_patients():
    with pytest.raises(OutcomeError, match="at least 5 patients .* found 4"):
        list(PatientKFold(5).split(["a", "b", "c", "d", "d", "d"]))


def test_too_few_of_a_class():
    with pytest.raises(OutcomeError, match="2 of class 1"):
        list(PatientKFold(3).split(list("abcdefg"), [0, 0, 0, 0, 0, 1, 1]))


def test_patient_of_two_classes():
    with pytest.raises(OutcomeError, match="one class a patient.*b"):
        list(PatientKFold(2).split(["a", "b", "b", "c"], [0, 0, 1, 1]))


@pytest.mark.parametrize("classes", [[0, 1], [0, 1, 0, float("nan")]])
def test_classes_must_cover_all_rows(classes):
    with pytest.raises(AlignmentError, match="class of each of 4 rows"):
        list(PatientKFold(2).split(list("abcd"), classes))


def test_missing_identifier():
    with pytest.raises(AlignmentError, match="1 rows without"):
        list(PatientKFold(2).split(["a", None, "b"]))


@pytest.mark.parametrize(("folds", "repeats"), [(1, 1), (5, 0)])
def test_senseless_settings(folds, repeats):
    with pytest.raises(StudyError, match="at least 2 folds and 1 repeat"):
        PatientKFold(folds, n_repeats=repeats)


def test_shared_patients_are_named():
    with pytest.raises(LeakageError, match=r"found 2 \(P2, P3\)"):
        check_disjoint(["P1", "P2", "P3"], ["P3", "P2", "P4"])


def test_a_site_that_the_training_part_lacks_is_named_with_its_fold():
    ids = [f"P{i}" for i in range(30)]
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 3)), index=ids).add_prefix("f")
    X = X.assign(**{"@site": ["Rare", *["A", "B"] * 14, "A"]})
    message = r"^repeat 0, fold \d: .*found Rare \(1 patients\) of unseen sites"
    with pytest.raises(DataError, match=message):
        for split in PatientKFold(3).split(ids):
            with naming(split):
                ComBat().fit(X.iloc[split.train]).transform(X.iloc[split.test])


def test_naming_keeps_the_kind_of_the_error_and_leaves_others_alone():
    with pytest.raises(SchemaError, match=r"^table B: found none$"), naming("table B"):
        raise SchemaError("found none")
    with pytest.raises(StudyError, match=r"^as it was$"), naming("table B"):
        raise StudyError("as it was")
