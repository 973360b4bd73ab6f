"""Networks with some phases only: who is learnt from, what is held against what, and bad input."""

from __future__ import annotations

import numpy as np
import pytest
from sksurv.metrics import concordance_index_censored

from radiogenomics.core.errors import AlignmentError, LeakageError, SchemaError, UnknownNameError
from radiogenomics.core.scan_arrays import ScanArrays
from radiogenomics.models.deep.ablation import COLUMNS, ablation_table, of_phases
from radiogenomics.models.deep.deep_ensemble import DeepEnsemble
from radiogenomics.stats.survival.concordance_difference import concordance_test

from . import network_worlds as worlds

TRAIN, TEST = np.arange(40), np.arange(40, 60)


class Brightness:
    """A network that calls bright scans bad, and remembers whom it was given."""

    def __init__(self, scans, seen):
        self.scans, self.seen = scans, seen

    def fit(self, X, y):
        self.seen.append((self.scans.channels, tuple(X.index), y["time"].tolist()))
        return self

    def predict(self, X):
        return self.scans.at(X["row"]).mean(axis=(1, 2, 3, 4))


@pytest.fixture(scope="module")
def world():
    """Three phases: the score is plain in the first, less so in the second, not in the third."""
    scans, y, score = worlds.cohort(60, channels=3)
    values = scans.values.copy()
    own = np.random.default_rng(3).normal(size=(60, 2))
    values[:, 1] += own[:, :1, None, None]
    values[:, 2] += (own[:, 1] - score)[:, None, None, None]
    return ScanArrays(values, scans.patient_ids, ("arterial", "portal", "delayed")), y


def risk_of(scans, phases):
    return of_phases(scans, phases).values[TEST].mean(axis=(1, 2, 3, 4))


def test_each_row_is_the_concordance_of_patients_who_were_not_learnt_from(world):
    scans, y = world
    seen = []
    table = ablation_table(
        {"bright": lambda some: Brightness(some, seen)}, scans, y, train=TRAIN, test=TEST
    )
    assert tuple(table) == COLUMNS
    whole = risk_of(scans, scans.channels)
    for row in table.itertuples():
        risk = risk_of(scans, row.phases.split(" + "))
        value, *_ = concordance_index_censored(y["event"][TEST], y["time"][TEST], risk)
        assert row.concordance == pytest.approx(value, abs=1e-12)
        less = concordance_test(risk, whole, time=y["time"][TEST], event=y["event"][TEST])
        assert (row.minus_all, row.minus_all_low, row.minus_all_high) == pytest.approx(
            (less.difference, less.low, less.high), abs=1e-12
        )
        assert row.low < row.concordance < row.high
    assert table["phases"].tolist()[:3] == list(scans.channels)
    assert table["n_phases"].tolist() == [1, 1, 1, 3]
    assert table["minus_all"].iloc[-1] == 0
    assert [channels for channels, *_ in seen] == [
        ("arterial",),
        ("portal",),
        ("delayed",),
        scans.channels,
    ]
    for _, patients, times in seen:
        assert patients == scans.patient_ids[:40] and times == y["time"][TRAIN].tolist()


def test_survival_of_the_judged_reaches_no_risk(world):
    scans, y = world
    other = y.copy()
    other["time"][TEST] = y["time"][TEST][::-1]
    given = []
    for target in (y, other):
        seen = []
        ablation_table(
            {"bright": lambda some, to=seen: Brightness(some, to)},
            scans,
            target,
            train=TRAIN,
            test=TEST,
        )
        given.append(seen)
    assert given[0] == given[1]


def test_sets_that_are_asked_for_stand_in_their_order_and_all_phases_last(world):
    scans, y = world
    table = ablation_table(
        {"one": lambda some: Brightness(some, []), "two": lambda some: Brightness(some, [])},
        scans,
        y,
        train=TRAIN,
        test=TEST,
        phases=[("portal", "arterial"), ("delayed", "arterial", "portal"), ("portal", "arterial")],
    )
    assert table["network"].tolist() == ["one", "one", "two", "two"]
    assert table["phases"].tolist() == ["portal + arterial", "arterial + portal + delayed"] * 2


def test_networks_learn_most_from_the_phase_that_shows_it(world):
    scans, y = world
    table = ablation_table(
        {"vit": lambda some: worlds.network(some, epochs=15)}, scans, y, train=TRAIN, test=TEST
    ).set_index("phases")["concordance"]
    assert table["arterial"] > 0.75
    assert table["arterial"] > table["delayed"] + 0.1


def test_an_ensemble_is_a_network_too(world):
    scans, y = world

    def joined(some):
        words = ("vit", "multi_plane_transformer")
        members = {word: worlds.network(some, word) for word in words}
        return DeepEnsemble(members, "mean", n_splits=2)

    sets = [("arterial",)]
    table = ablation_table({"both": joined}, scans, y, train=TRAIN, test=TEST, phases=sets)
    by_hand = joined(of_phases(scans, sets[0]))
    X = scans.table()
    risk = by_hand.fit(X.iloc[TRAIN], y[TRAIN]).predict(X.iloc[TEST])
    value, *_ = concordance_index_censored(y["event"][TEST], y["time"][TEST], risk)
    assert table["concordance"].iloc[0] == pytest.approx(value, abs=1e-12)


def test_phases_keep_patients_spacing_and_the_order_asked_for(world):
    scans, _ = world
    some = of_phases(scans, ["delayed", "arterial"])
    np.testing.assert_array_equal(some.values, scans.values[:, [2, 0]])
    assert (some.patient_ids, some.spacing_mm) == (scans.patient_ids, scans.spacing_mm)
    for phases in ([], ["portal", "portal"]):
        with pytest.raises(SchemaError, match="one or more, each once"):
            of_phases(scans, phases)
    with pytest.raises(UnknownNameError, match="portl"):
        of_phases(scans, ["portl"])


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ({"test": range(39, 60)}, LeakageError, "found 1 in both parts"),
        ({"test": [60]}, AlignmentError, "row numbers of 60 scans"),
        ({"phases": [("T2",)]}, UnknownNameError, "T2"),
        ({"networks": {}}, SchemaError, "Name a network"),
        ({"y": np.zeros(60)}, ValueError, "expected"),
    ],
)
def test_bad_input_says_what_is_expected(world, words, error, message):
    scans, y = world
    given = {
        "networks": {"bright": lambda some: Brightness(some, [])},
        "y": y,
        "test": TEST,
    } | words
    networks, target = given.pop("networks"), given.pop("y")
    with pytest.raises(error, match=message):
        ablation_table(networks, scans, target, train=TRAIN, **given)
