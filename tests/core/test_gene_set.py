from __future__ import annotations

import copy
import pickle

import pytest

from radiogenomics.core.errors import SchemaError, UnknownNameError
from radiogenomics.core.gene_set import GeneSet

BOTH = GeneSet("S", ("A", "B", "C"), weights=(1, 2, 3), directions=("up", "down", "up"))


def test_genes_are_those_given_in_their_order():
    assert (list(BOTH), len(BOTH), "B" in BOTH, "D" in BOTH) == (["A", "B", "C"], 3, True, False)
    assert (BOTH.up, BOTH.down, BOTH.signs) == (("A", "C"), ("B",), (1.0, -1.0, 1.0))
    plain = GeneSet("S", ["A", "B"])
    assert (plain.genes, plain.up, plain.down) == (("A", "B"), ("A", "B"), ())


def test_equal_sets_are_equal_and_can_be_sent():
    assert GeneSet("S", ["A"]) == GeneSet("S", ("A",)) != GeneSet("T", ("A",))
    assert pickle.loads(pickle.dumps(BOTH)) == copy.deepcopy(BOTH) == BOTH
    assert len({BOTH, copy.deepcopy(BOTH)}) == 1
    with pytest.raises(AttributeError):
        BOTH.name = "T"


def test_within_keeps_weights_and_directions_of_what_is_there():
    kept = BOTH.within(["C", "X", "B"])
    assert kept == GeneSet("S", ("B", "C"), weights=(2, 3), directions=("down", "up"))
    assert BOTH.within("ABC") is BOTH
    assert BOTH.within([]) is None
    assert GeneSet("S", ("A", "B")).within(["B"]) == GeneSet("S", ("B",))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": " "}, "expected a name; found ' '"),
        ({"genes": ()}, r"list of gene symbols; found \(\)"),
        ({"genes": "GZMA"}, "list of gene symbols; found 'GZMA'"),
        ({"genes": ("A", " B")}, "without blanks around them; found ' B'"),
        ({"genes": ("A", 7)}, "without blanks around them; found 7"),
        ({"genes": ("A", "B", "A")}, "each gene once; found A several times"),
        ({"weights": (1.0,)}, "expected 2 weights, one a gene; found 1"),
        ({"weights": (1.0, float("inf"))}, "finite weights"),
        ({"weights": (1.0, "high")}, "finite weights"),
        ({"directions": ("up",)}, "expected 2 directions, one a gene; found 1"),
    ],
    ids=str,
)
def test_impossible_sets_are_refused(options, message):
    with pytest.raises(SchemaError, match=message):
        GeneSet(**{"name": "S", "genes": ("A", "B"), **options})


def test_unknown_direction_is_refused():
    with pytest.raises(UnknownNameError, match="unknown direction of a gene 'dn'"):
        GeneSet("S", ("A",), directions=("dn",))


def test_notebooks_show_genes_and_source():
    shown = GeneSet("<S>", ("A", "B"), weights=(0.5, 1.5), source="someone 2020")._repr_html_()
    assert "&lt;S&gt;" in shown and "someone 2020" in shown and "1.5" in shown
