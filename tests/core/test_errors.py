from __future__ import annotations

import pickle

import pytest

from radiogenomics.core import errors
from radiogenomics.core.errors import UnknownNameError, near_matches, short_list

BUILT_INS = {
    errors.DataError: ValueError,
    errors.SchemaError: ValueError,
    errors.AlignmentError: ValueError,
    errors.GeometryError: ValueError,
    errors.OutcomeError: ValueError,
    errors.LeakageError: ValueError,
    errors.StudyError: ValueError,
    errors.ChecksumError: OSError,
    errors.MissingFileError: FileNotFoundError,
    errors.MissingExtraError: ImportError,
    errors.UnknownNameError: KeyError,
}


def every_error() -> set[type[errors.RadiogenomicsError]]:
    waiting, found = [errors.RadiogenomicsError], set()
    while waiting:
        for child in waiting.pop().__subclasses__():
            if child.__module__ == errors.__name__:
                found.add(child)
                waiting.append(child)
    return found


def test_the_table_of_built_ins_lists_every_error() -> None:
    assert set(BUILT_INS) == every_error()


@pytest.mark.parametrize(("error", "built_in"), BUILT_INS.items())
def test_each_error_is_also_the_built_in_a_user_would_catch(
    error: type[Exception], built_in: type[Exception]
) -> None:
    assert issubclass(error, errors.RadiogenomicsError)
    assert issubclass(error, built_in)


@pytest.mark.parametrize("error", [e for e in BUILT_INS if e is not UnknownNameError])
def test_errors_reach_another_process_with_their_message(error: type[Exception]) -> None:
    copy = pickle.loads(pickle.dumps(error("expected, found, do")))
    assert type(copy) is error
    assert str(copy) == "expected, found, do"


def test_unknown_name_survives_pickling_whole() -> None:
    error = UnknownNameError("gene", "KPNA", ["KPNA2", "SMG5"])
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is UnknownNameError
    assert (copy.kind, copy.name, copy.known) == ("gene", "KPNA", ("KPNA2", "SMG5"))
    assert str(copy) == str(error)


@pytest.mark.parametrize(
    ("name", "known", "message"),
    [
        ("KPNA", ["KPNA2", "TP53"], "unknown gene 'KPNA': did you mean 'KPNA2'?"),
        ("kpna2", ["KPNA2", "TP53"], "unknown gene 'kpna2': did you mean 'KPNA2'?"),
        ("zzz", ["b", "a"], "unknown gene 'zzz': known: a, b."),
        ("zzz", [], "unknown gene 'zzz': there is none to choose from."),
        (
            "zzz",
            [f"GENE{n}" for n in range(26)],
            "unknown gene 'zzz': none of the 26 known names is near.",
        ),
    ],
)
def test_unknown_name_says_what_could_have_been_meant(
    name: str, known: list[str], message: str
) -> None:
    # KeyError alone would print this in quotes.
    assert str(UnknownNameError("gene", name, known)) == message


def test_near_matches_come_nearest_first_in_their_own_spelling() -> None:
    assert near_matches("radiomic", ["rna", "Radiomics", "radio"]) == ("Radiomics", "radio")


def test_near_matches_are_at_most_three() -> None:
    assert len(near_matches("gene", [f"gene{n}" for n in range(9)])) == 3


@pytest.mark.parametrize(
    ("count", "text"), [(0, ""), (2, "0, 1"), (5, "0, 1, 2, 3, 4"), (7, "0, 1, 2, 3, 4 and 2 more")]
)
def test_short_list_counts_the_rest(count: int, text: str) -> None:
    assert short_list(range(count)) == text
