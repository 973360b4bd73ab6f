"""iRECIST: the scenarios of the consensus, one a case."""

from __future__ import annotations

import pytest

from radiogenomics.clinical.assessment import Assessment
from radiogenomics.clinical.best_response import progression
from radiogenomics.clinical.irecist import irecist


def read(*follow_up: dict) -> list[str]:
    """Responses of a patient with one target of 100 mm and stable non-target lesions."""
    first = Assessment(0, {"a": 100}, non_target="non-CR/non-PD")
    later = []
    for month, seen in enumerate(follow_up, start=1):
        given = {"non_target": "non-CR/non-PD", **seen}
        later.append(Assessment(month, {"a": given.pop("a")}, **given))
    return irecist([first, *later]).table["overall"].tolist()


def test_without_progression_words_only_get_an_i():
    assert read({"a": 90}, {"a": 60}, {"a": 0}) == ["iSD", "iPR", "iPR"]
    assert read({"a": 0, "non_target": "CR"}) == ["iCR"]


@pytest.mark.parametrize(
    ("follow_up", "expected"),
    [
        # Targets grow by 5 mm more: confirmed. By 4.9 mm: still unconfirmed.
        (({"a": 125}, {"a": 130}), ["iUPD", "iCPD"]),
        (({"a": 125}, {"a": 129.9}), ["iUPD", "iUPD"]),
        (({"a": 125}, {"a": 125}, {"a": 131}), ["iUPD", "iUPD", "iCPD"]),
        # A new lesion, then another; or the measured one grows by 5 mm; or it stays.
        (({"a": 100, "new_lesions": 1}, {"a": 100, "new_lesions": 2}), ["iUPD", "iCPD"]),
        (
            (
                {"a": 100, "new_lesions": 1, "new_lesion_sum_mm": 12},
                {"a": 100, "new_lesions": 1, "new_lesion_sum_mm": 17},
            ),
            ["iUPD", "iCPD"],
        ),
        (({"a": 100, "new_lesions": 1}, {"a": 100, "new_lesions": 1}), ["iUPD", "iUPD"]),
        # Something else progresses.
        (({"a": 125}, {"a": 125, "new_lesions": 1}), ["iUPD", "iCPD"]),
        (({"a": 125}, {"a": 125, "non_target": "PD"}), ["iUPD", "iCPD"]),
        (({"a": 100, "non_target": "PD"}, {"a": 121}), ["iUPD", "iCPD"]),
        # Pseudoprogression: it shrinks, and the next progression starts anew.
        (({"a": 125}, {"a": 60}), ["iUPD", "iPR"]),
        (({"a": 125}, {"a": 60}, {"a": 80}, {"a": 90}), ["iUPD", "iPR", "iUPD", "iCPD"]),
        (({"a": 100, "new_lesions": 1}, {"a": 60}), ["iUPD", "iPR"]),
        # After confirmation nothing is taken back.
        (({"a": 125}, {"a": 131}, {"a": 10}), ["iUPD", "iCPD", "iCPD"]),
    ],
)
def test_scenarios(follow_up, expected):
    assert read(*follow_up) == expected


def test_a_missing_measurement_neither_confirms_nor_takes_back():
    assert read({"a": 125}, {"a": float("nan")}, {"a": 131}) == ["iUPD", "iUPD", "iCPD"]


def test_what_was_not_evaluated_keeps_a_progression_pending():
    states = ("non-CR/non-PD", "PD", "NE", "PD")
    seen = [Assessment(k, {}, non_target=state) for k, state in enumerate(states)]
    assert irecist(seen).table["overall"].tolist() == ["iUPD", "iUPD", "iCPD"]
    assert progression(irecist(seen[:3])) == (1.0, True)


def test_more_measurements_are_no_growth():
    seen = [
        Assessment(0, {"a": 30, "b": 30}),
        Assessment(2, {"a": 80, "b": float("nan")}),
        Assessment(3, {"a": 80, "b": 30}),
    ]
    assert irecist(seen).table["overall"].tolist() == ["iUPD", "iUPD"]


def test_what_cannot_be_evaluated_is_said_so():
    seen = [Assessment(0, {"a": 30}), Assessment(2, {"a": float("nan")})]
    assert irecist(seen).table["overall"].tolist() == ["NE"]
