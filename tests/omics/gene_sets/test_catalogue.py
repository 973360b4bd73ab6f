from __future__ import annotations

import re

import pytest

from radiogenomics.core.errors import StudyError, UnknownNameError
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.omics.gene_sets.catalogue import SHIPPED, find_gene_set, gene_set_table
from radiogenomics.omics.gene_sets.slots import SLOTS

# As published: name → number of genes.
SIZES = {
    "tls_chemokines_12": 12,
    "tls_cabrita_9": 9,
    "tls_imprint_29": 29,
    "hypoxia_buffa": 51,
    "cytolytic": 2,
    "ifn_gamma_6": 6,
    "cytotoxic_davoli": 7,
    "checkpoints": 8,
    "myeloid_pair": 2,
}
# The same lists in a collection that others made (names there).
ELSEWHERE = {
    "tls_chemokines_12": "TLS|chemokine_12",
    "tls_cabrita_9": "IOBR|TLS_Nature",
    "cytolytic": "PredictIO|CYT",
    "ifn_gamma_6": "PredictIO|IFNG",
    "cytotoxic_davoli": "SignatureSets|CYT_Davoli",
}


def test_shipped_sets_have_their_published_sizes():
    assert {name: len(each) for name, each in SHIPPED.items()} == SIZES


@pytest.mark.parametrize("name", SIZES)
def test_shipped_sets_are_symbols_with_a_citation(name):
    found = find_gene_set(name)
    assert found.name == name
    assert all(re.fullmatch(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)?", gene) for gene in found)
    assert re.search(r"(19|20)\d\d;\d+:", found.source)
    if name != "checkpoints":
        assert re.search(r"doi:10\.\d{4}/\S+", found.source)


@pytest.mark.real
@pytest.mark.parametrize("name", ELSEWHERE)
def test_shipped_sets_are_those_of_an_independent_collection(name, data_root):
    text = (data_root / "omics/genesets/all_signatures.gmt").read_text(encoding="utf-8")
    cells = (line.split("\t") for line in text.splitlines())
    theirs = {first: set(genes) for first, _, *genes in cells}
    assert set(find_gene_set(name)) == theirs[ELSEWHERE[name]]


@pytest.mark.parametrize("slot", SLOTS, ids=lambda slot: slot.name)
def test_an_empty_slot_says_what_to_bring(slot):
    with pytest.raises(StudyError, match="expected its genes from you; found none") as seen:
        find_gene_set(slot.name)
    message = str(seen.value)
    assert slot.supply in message and slot.reason in message and "read_gmt" in message
    assert all(name in message for name in slot.accepts)


@pytest.mark.parametrize("slot", SLOTS, ids=lambda slot: slot.name)
def test_a_slot_is_filled_by_its_own_name_or_that_of_the_file(slot):
    for name in (slot.name, *slot.accepts):
        found = find_gene_set(slot.name, supplied={name: GeneSet(name, ("A", "B"), source="mine")})
        assert (found.name, found.genes) == (slot.name, ("A", "B"))
        assert found.source.endswith("mine")


def test_what_is_supplied_comes_first():
    mine = GeneSet("mine", ("A",), weights=(2.0,))
    found = find_gene_set("cytolytic", supplied={"cytolytic": mine})
    assert (found.name, found.genes, found.weights) == ("cytolytic", ("A",), (2.0,))
    assert find_gene_set("extra", supplied={"extra": mine}).genes == ("A",)


def test_unknown_names_list_near_ones():
    with pytest.raises(UnknownNameError, match="did you mean 'cytolytic'"):
        find_gene_set("cytolitic")
    with pytest.raises(UnknownNameError, match="did you mean 'hypoxia_buffa'"):
        find_gene_set("hypoxia_bufa")


def test_the_table_lists_sets_and_slots():
    table = gene_set_table()
    assert table.index.tolist() == [*SHIPPED, *(slot.name for slot in SLOTS)]
    assert table["shipped"].sum() == len(SHIPPED)
    assert table["genes"].isna().sum() == len(SLOTS)
