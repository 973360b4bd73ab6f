from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import AlignmentError, DataError, SchemaError, UnknownNameError
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.evaluation import PatientKFold
from radiogenomics.models.deep.multi_instance import Bags

SIZES = {"P1": {"arterial": 3, "t2": 1}, "P2": {"t2": 4}, "P3": {"arterial": 2, "t2": 2}}


def instances(rng, width=5):
    return {
        patient: {name: rng.normal(size=(size, width)) for name, size in sizes.items()}
        for patient, sizes in SIZES.items()
    }


def slice_table(made, rng=None):
    """One row a slice, with its height; in disorder when a generator is given."""
    rows = [
        (patient, name, 2.5 * place, part[place])
        for patient, parts in made.items()
        for name, part in parts.items()
        for place in range(len(part))
    ]
    if rng is not None:
        rows = [rows[n] for n in rng.permutation(len(rows))]
    labels = [f"S{n}" for n in range(len(rows))]
    frame = pd.DataFrame([row[3] for row in rows], index=labels).add_prefix("deep_")
    facts = pd.DataFrame([row[:3] for row in rows], index=labels)
    facts.columns = ["patient_id", "phase", "z_mm"]
    return FeatureTable.from_frame(frame, name="slices", unit="1", source="drawn", samples=facts)


def of(bags, patient, name):
    row, number = bags.patient_ids.index(patient), bags.sequences.index(name)
    return bags.features[row][bags.real[row] & (bags.sequence[row] == number)]


def test_every_instance_is_in_its_patients_bag_and_nowhere_else(rng):
    made = instances(rng)
    bags = Bags.from_arrays(made)
    assert bags.real.sum() == sum(sum(sizes.values()) for sizes in SIZES.values())
    assert not bags.features[~bags.real].any()
    for patient, parts in made.items():
        assert sum(len(of(bags, patient, name)) for name in bags.sequences) == sum(
            map(len, parts.values())
        )
        for name, part in parts.items():
            assert np.array_equal(of(bags, patient, name), part.astype(np.float32))


def test_a_table_of_slices_in_disorder_gives_the_same_bags(rng):
    made = instances(rng)
    table = slice_table(made, rng)
    bags = Bags.from_table(
        table, order="z_mm", sequences=("arterial", "t2"), patient_ids=tuple(SIZES)
    )
    expected = Bags.from_arrays(made)
    for name in ("features", "real", "sequence"):
        assert np.array_equal(getattr(bags, name), getattr(expected, name))
    assert (bags.patient_ids, bags.sequences) == (expected.patient_ids, expected.sequences)


def test_without_an_order_slices_stand_as_in_the_table(rng):
    made = instances(rng)
    turned = {p: {name: part[::-1] for name, part in own.items()} for p, own in made.items()}
    bags = Bags.from_table(slice_table(turned))
    assert np.array_equal(of(bags, "P2", "t2"), made["P2"]["t2"][::-1].astype(np.float32))


def test_depth_by_hand(rng):
    bags = Bags.from_arrays(instances(rng))
    assert bags.depth().tolist() == [[0, 0.5, 1, 0.5], [0, np.float32(1 / 3), np.float32(2 / 3), 1],
                                     [0, 1, 0, 1]]  # fmt: skip


def test_depth_follows_sequences_that_are_mixed():
    features = np.ones((1, 5, 1), np.float32)
    real = np.array([[True, True, True, False, True]])
    bags = Bags(features, real, np.array([[0, 1, 0, 7, 0]]), ("P1",), ("a", "b"))
    assert bags.depth().tolist() == [[0, 0.5, 0.5, 0, 1]]


def test_slices_of_a_patient_never_come_apart(rng):
    """Splitters are given patients: no part of a split shares an instance with the other."""
    made = {f"P{n}": {"t2": rng.normal(size=(1 + n % 4, 3))} for n in range(20)}
    bags = Bags.from_arrays(made)
    X = bags.table()
    assert X.index.is_unique and len(X) == len(made)
    for split in PatientKFold(4, random_state=1).split(X.index):
        parts = [bags.at(X["row"].iloc[rows]) for rows in (split.train, split.test)]
        assert not set(parts[0].patient_ids) & set(parts[1].patient_ids)
        sides = [{part.tobytes() for part in bags.features[bags.real]} for bags in parts]
        assert not sides[0] & sides[1]
        assert len(sides[0] | sides[1]) == bags.real.sum()


def test_rows_selection_and_joining_keep_patients_with_their_instances(rng):
    bags = Bags.from_arrays(instances(rng))
    shuffled = bags.table().sample(frac=1, random_state=3)
    assert bags.at(shuffled["row"]).patient_ids == tuple(shuffled.index)
    small = bags.select(["P3", "P1"])
    more = Bags.from_arrays({"P9": {"t2": rng.normal(size=(9, 5))}}, sequences=("arterial", "t2"))
    both = small.join(more)
    assert both.patient_ids == ("P3", "P1", "P9") and both.real.sum() == 4 + 4 + 9
    for patient, source in (("P3", bags), ("P1", bags), ("P9", more)):
        assert np.array_equal(of(both, patient, "t2"), of(source, patient, "t2"))


def test_nothing_can_be_changed_and_clones_share_the_features(rng):
    bags = Bags.from_arrays(instances(rng))
    for array in (bags.features, bags.real, bags.sequence):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    assert copy.deepcopy(bags) is bags
    sent = pickle.loads(pickle.dumps(bags))
    assert np.array_equal(sent.features, bags.features) and sent.patient_ids == bags.patient_ids


def test_unknown_rows_and_patients_in_two_rows_are_refused(rng):
    bags = Bags.from_arrays(instances(rng))
    for wrong in ([3.0], [-1.0], [0.5], [np.nan]):
        with pytest.raises(AlignmentError, match="expected row numbers of 3 patients"):
            bags.at(wrong)
    with pytest.raises(AlignmentError, match="found 1 of 3 rows of patients who stand there"):
        bags.at([0, 1, 0])
    with pytest.raises(AlignmentError, match="found none of 1"):
        bags.select(["P1", "P7"])
    with pytest.raises(AlignmentError, match="found 6 names, 3 of them different"):
        bags.join(bags)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e39])
def test_features_that_are_no_float32_numbers_are_refused(rng, bad):
    made = instances(rng)
    made["P2"]["t2"][1, 2] = bad
    with pytest.raises(DataError, match="found NaN, infinite or too large ones in 1 of 3 patients"):
        Bags.from_arrays(made)
    if np.isfinite(bad) or np.isnan(bad):
        with pytest.raises(DataError, match="in 1 of 3 patients"):
            Bags.from_table(slice_table(made))


def test_empty_bags_are_refused(rng):
    made = instances(rng) | {"P4": {"t2": np.empty((0, 5))}}
    with pytest.raises(DataError, match="found none in 1 of 4"):
        Bags.from_arrays(made)
    with pytest.raises(DataError, match="found none in 1 of 2"):
        Bags.from_table(slice_table(instances(rng)), patient_ids=("P1", "P7"))


def test_mixed_widths_are_refused(rng):
    made = instances(rng)
    made["P1"]["t2"] = rng.normal(size=(2, 4))
    with pytest.raises(SchemaError, match="one width in all patients"):
        Bags.from_arrays(made)
    with pytest.raises(SchemaError, match="one width"):
        Bags.from_arrays({"P1": {"t2": [1.0, 2.0]}})
    with pytest.raises(SchemaError, match="expected bags like"):
        Bags.from_arrays(instances(rng)).join(
            Bags.from_arrays({"P9": {"arterial": [[1.0]], "t2": [[1.0]]}})
        )


def test_tables_without_the_facts_are_refused(rng):
    table = slice_table(instances(rng))
    with pytest.raises(UnknownNameError, match="sample fact of slices 'sequenc'"):
        Bags.from_table(table, sequence="sequenc")
    with pytest.raises(UnknownNameError, match="unknown sequence 'arterial'"):
        Bags.from_table(table, sequences=("t2",))
    with pytest.raises(SchemaError, match="expected 'phase' as numbers"):
        Bags.from_table(table, order="phase")
    facts = table.samples
    facts.loc["S2", "phase"] = np.nan
    hole = FeatureTable.from_frame(
        table.values, name="slices", unit="1", source="drawn", samples=facts
    )
    with pytest.raises(SchemaError, match="found none in 1 of 12"):
        Bags.from_table(hole)


def test_arrays_of_other_types_and_shapes_are_refused():
    good = {
        "features": np.zeros((2, 3, 1), np.float32),
        "real": np.ones((2, 3), dtype=bool),
        "sequence": np.zeros((2, 3), dtype=int),
        "patient_ids": ("P1", "P2"),
        "sequences": ("t2",),
    }
    for change, error, words in (
        ({"features": np.zeros((2, 3, 1))}, SchemaError, "found float64"),
        ({"features": np.zeros((2, 3), np.float32)}, SchemaError, "found float32 of the shape"),
        ({"real": np.ones((2, 3))}, SchemaError, "real: expected one value"),
        ({"sequence": np.zeros((2, 2), dtype=int)}, SchemaError, "sequence: expected one value"),
        ({"sequence": np.full((2, 3), 1)}, DataError, "sequences numbered 0 to 0; found 1 to 1"),
        ({"patient_ids": ("P1", "P1")}, AlignmentError, "2 names, 1 of them different"),
        ({"sequences": ("t2", "t2")}, SchemaError, "names of sequences, all different"),
        ({"sequences": ()}, SchemaError, "found none"),
    ):
        with pytest.raises(error, match=words):
            Bags(**(good | change))
