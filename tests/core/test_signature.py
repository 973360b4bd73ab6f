from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    SchemaError,
    StudyError,
    UnknownNameError,
)
from radiogenomics.core.signature import Signature, SignatureSet

FIELDS = ("name", "genes", "weights", "centre", "scale", "cutoff", "direction", "unit", "source")


def signature(**changes: object) -> Signature:
    values: dict[str, object] = {
        "name": "IRS",
        "genes": ("KPNA2", "SMG5"),
        "weights": (0.5, -2.0),
        "centre": (4.0, 3.0),
        "scale": (2.0, 0.5),
        "cutoff": 1.0,
        "direction": "risk",
        "unit": "log2(TPM+1)",
        "source": "hand",
    }
    return Signature(**(values | changes))  # type: ignore[arg-type]


def test_score_by_hand() -> None:
    expression = pd.DataFrame(
        {"SMG5": [3.0, 2.0], "other": [9.0, 9.0], "KPNA2": [8.0, 3.0]}, index=["A", "B"]
    )
    scores = signature().score(expression)
    # A: 0.5 (8-4)/2 - 2 (3-3)/0.5 = 1;  B: 0.5 (3-4)/2 - 2 (2-3)/0.5 = -0.25 + 4
    assert scores.to_dict() == {"A": 1.0, "B": 3.75}
    assert scores.name == "IRS"


def test_one_patient_alone_scores_as_in_company() -> None:
    rng = np.random.default_rng(1)
    many = pd.DataFrame(rng.normal(size=(30, 2)), columns=["KPNA2", "SMG5"])
    together = signature().score(many)
    alone = pd.concat([signature().score(many.loc[[row]]) for row in many.index])
    pd.testing.assert_series_equal(alone, together)


def test_a_score_equal_to_the_cutoff_is_low() -> None:
    high = signature().classify(pd.Series({"A": 1.0, "B": 1.0 + 1e-12, "C": -3.0}))
    assert high.to_dict() == {"A": False, "B": True, "C": False}
    assert high.name == "IRS high"


def test_a_missing_score_is_not_called_low() -> None:
    with pytest.raises(DataError, match=r"a score for each patient; found 1 missing \(B\)\. Leave"):
        signature().classify(pd.Series({"A": 1.0, "B": np.nan}))


@pytest.mark.parametrize("part", ["weights", "centre", "scale"])
def test_open_constants_cannot_score(part: str) -> None:
    opened = signature(**{part: None})
    assert not opened.locked
    with pytest.raises(
        StudyError, match="expected fixed weights, centre and scale; found some open"
    ):
        opened.score(pd.DataFrame({"KPNA2": [1.0], "SMG5": [1.0]}))


def test_without_cutoff_it_scores_but_does_not_classify() -> None:
    opened = signature(cutoff=None)
    assert not opened.locked
    scores = opened.score(pd.DataFrame({"KPNA2": [4.0], "SMG5": [3.0]}, index=["A"]))
    assert scores["A"] == 0.0
    with pytest.raises(StudyError, match="expected a fixed cut-off; found none"):
        opened.classify(scores)


def test_locked_when_every_constant_is_fixed_even_at_zero() -> None:
    assert signature().locked
    assert signature(weights=(0.0, 0.0), cutoff=0).locked


def test_absent_gene_names_near_ones() -> None:
    with pytest.raises(
        UnknownNameError, match="gene in the expression matrix 'SMG5': did you mean 'SMG6'"
    ):
        signature().score(pd.DataFrame({"KPNA2": [1.0], "SMG6": [1.0]}))


def test_gene_in_two_columns_is_refused() -> None:
    doubled = pd.DataFrame([[1.0, 2.0, 3.0]], columns=["KPNA2", "SMG5", "KPNA2"])
    with pytest.raises(AlignmentError, match=r"one column a gene; found several of KPNA2\. Choose"):
        signature().score(doubled)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_unmeasured_gene_is_refused_with_the_patient(bad: float) -> None:
    expression = pd.DataFrame({"KPNA2": [1.0, bad], "SMG5": [1.0, 1.0]}, index=["A", "B"])
    with pytest.raises(DataError, match=r"found 1 patients with missing .* \(B\)\. Impute"):
        signature().score(expression)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"genes": ()}, r"expected a list of distinct gene symbols; found \(\)"),
        ({"genes": ("KPNA2", "KPNA2")}, "distinct gene symbols"),
        ({"genes": "KP"}, "distinct gene symbols; found 'KP'"),
        ({"genes": ("KPNA2", 5)}, "distinct gene symbols"),
        ({"weights": (1.0,)}, "expected 2 finite weights, one a gene; found 1. Give one for each"),
        ({"centre": (1.0, np.nan)}, "expected 2 finite centre"),
        ({"scale": (1.0, None)}, "expected 2 finite scale"),
        ({"weights": "12"}, "expected 2 finite weights, one a gene; found '12'"),
        ({"weights": 3.0}, "expected 2 finite weights"),
        ({"weights": (1.0, 10**400)}, "expected 2 finite weights"),
        ({"scale": (1.0, 0.0)}, "expected a positive scale for each gene; found .*Leave out"),
        ({"cutoff": np.nan}, "expected a finite cut-off; found"),
        ({"cutoff": "median"}, "expected a finite cut-off; found .*median"),
    ],
)
def test_impossible_constants_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(SchemaError, match=f"signature IRS: .*{message}"):
        signature(**changes)


def test_unknown_direction_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown direction 'risky': did you mean 'risk'"):
        signature(direction="risky")


def test_arrays_are_taken_and_become_plain_tuples() -> None:
    made = signature(weights=np.array([1, 2], dtype=np.float32), cutoff=np.float64(0.5))
    assert made.weights == (1.0, 2.0)
    assert made.locked
    assert Signature.from_json(made.to_json()).weights == (1.0, 2.0)


number = st.floats(allow_nan=False, allow_infinity=False)
word = st.text('AB12-β"\\\n\u2028', max_size=8)  # what JSON must escape


@st.composite
def signatures(draw: st.DrawFn) -> Signature:
    genes = draw(st.lists(word, min_size=1, max_size=5, unique=True))
    of_gene = st.none() | st.lists(number, min_size=len(genes), max_size=len(genes)).map(tuple)
    positive = st.floats(min_value=1e-300, allow_nan=False, allow_infinity=False)
    return Signature(
        draw(word),
        tuple(genes),
        draw(of_gene),
        draw(of_gene),
        draw(st.none() | st.lists(positive, min_size=len(genes), max_size=len(genes)).map(tuple)),
        draw(st.none() | number),
        draw(st.sampled_from(["risk", "benefit", "neutral"])),
        draw(word),
        draw(word),
    )


@given(signatures())
def test_json_gives_the_same_signature_back_to_the_last_bit(made: Signature) -> None:
    back = Signature.from_json(made.to_json())
    assert [getattr(back, field) for field in FIELDS] == [getattr(made, field) for field in FIELDS]
    assert back.locked == made.locked


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "expected a signature as JSON; found text that is not"),
        ("[1, 2]", "expected a signature of format 1; found another"),
        ('{"name": "x", "genes": ["A"]}', "expected a signature of format 1"),
        ('{"format": 2, "name": "x", "genes": ["A"]}', "expected a signature of format 1"),
        ('{"format": 1, "genes": ["A"]}', "absent name"),
        ('{"format": 1, "name": "x"}', "absent genes"),
        ('{"format": 1, "name": "x", "genes": ["A"], "wieghts": [1]}', "unknown wieghts"),
        ('{"format": 1, "name": "x", "genes": "KPNA2"}', "distinct gene symbols; found 'KPNA2'"),
        ('{"format": 1, "name": "x", "genes": ["A"], "weights": [NaN]}', "1 finite weights"),
        ('{"format": 1, "name": "x", "genes": ["A"], "weights": [null]}', "1 finite weights"),
        ('{"format": 1, "name": 3, "genes": ["A"]}', "expected name as text; found 3"),
        ('{"format": 1, "name": "x", "genes": ["A"], "source": {}}', "expected source as text"),
    ],
)
def test_malformed_json_is_refused(text: str, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        Signature.from_json(text)


def test_json_is_readable_by_others() -> None:
    fields = json.loads(signature().to_json())
    assert fields["format"] == 1
    assert fields["genes"] == ["KPNA2", "SMG5"]
    assert fields["cutoff"] == 1.0


def test_set_finds_by_name_and_iterates_over_signatures() -> None:
    one, two = signature(name="one"), signature(name="two", cutoff=None)
    both = SignatureSet({"one": one, "two": two})
    assert both["two"] is two
    assert list(both) == [one, two]
    assert len(both) == 2
    with pytest.raises(UnknownNameError, match="unknown signature 'tow': did you mean 'two'"):
        both["tow"]
    with pytest.raises(TypeError):
        both.signatures["three"] = one  # type: ignore[index]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_set_can_be_sent_to_another_process(copied) -> None:
    arrived = copied(SignatureSet({"one": signature()}))
    assert arrived["one"].weights == (0.5, -2.0)


def test_html_escapes_user_text(hostile: str, escaped: str) -> None:
    made = signature(name=hostile, genes=(hostile, "SMG5"), unit=hostile, source=hostile)
    html = made._repr_html_()
    assert hostile not in html
    assert html.count(escaped) == 4
    listed = SignatureSet({hostile: made})._repr_html_()
    assert hostile not in listed
    assert listed.count(escaped) == 2


def test_html_shows_open_constants_as_open() -> None:
    html = signature(weights=None, cutoff=None)._repr_html_()
    assert html.count("–") == 3  # two weights and the cut-off
