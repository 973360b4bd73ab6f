"""The gene sets that have a name: those shipped, and slots that the user fills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pandas as pd

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.omics.gene_sets.hypoxia import HYPOXIA_BUFFA
from radiogenomics.omics.gene_sets.immune import (
    CHECKPOINTS,
    CYTOLYTIC,
    CYTOTOXIC_DAVOLI,
    IFN_GAMMA_6,
    MYELOID_PAIR,
)
from radiogenomics.omics.gene_sets.slots import SLOTS
from radiogenomics.omics.gene_sets.tls import CHEMOKINES_12, TLS_CABRITA_9, TLS_IMPRINT_29

SHIPPED: Mapping[str, GeneSet] = MappingProxyType(
    {
        each.name: each
        for each in (
            CHEMOKINES_12,
            TLS_CABRITA_9,
            TLS_IMPRINT_29,
            HYPOXIA_BUFFA,
            CYTOLYTIC,
            IFN_GAMMA_6,
            CYTOTOXIC_DAVOLI,
            CHECKPOINTS,
            MYELOID_PAIR,
        )
    }
)
"""Name → GeneSet whose genes are published facts."""


def find_gene_set(name: str, *, supplied: Mapping[str, GeneSet] | None = None) -> GeneSet:
    """Return the gene set of a name.

    What the user supplies comes first, then what is shipped; a slot is filled by a supplied set of
    its own name or of one that it has in GMT files.

    Parameters
    ----------
    name
        Shipped set, slot, or a name in ``supplied``.
    supplied
        Name → GeneSet, as ``read_gmt`` gives it.

    Returns
    -------
    GeneSet
        Under the name asked for.

    Raises
    ------
    StudyError
        The name is a slot and nothing supplied fills it: says which file to bring.
    UnknownNameError
        The name is none of these.

    Examples
    --------
    >>> find_gene_set("cytolytic").genes
    ('GZMA', 'PRF1')
    >>> mine = {"HALLMARK_HYPOXIA": GeneSet("HALLMARK_HYPOXIA", ("CA9", "VEGFA"))}
    >>> find_gene_set("hypoxia_hallmark", supplied=mine).name
    'hypoxia_hallmark'
    """
    given = {} if supplied is None else supplied
    if name in given:
        return _named(name, given[name])
    if name in SHIPPED:
        return SHIPPED[name]
    slots = {slot.name: slot for slot in SLOTS}
    if name not in slots:
        raise UnknownNameError("gene set", name, (*given, *SHIPPED, *slots))
    for accepted in slots[name].accepts:
        if accepted in given:
            return _named(name, given[accepted])
    raise slots[name].unfilled()


def gene_set_table() -> pd.DataFrame:
    """List what has a name.

    Returns
    -------
    DataFrame
        Indexed by ``name``: ``shipped``, ``genes`` (how many; missing for slots), ``source`` (the
        citation, or what to supply).

    Examples
    --------
    >>> gene_set_table().query("shipped")["genes"].tolist()
    [12, 9, 29, 51, 2, 6, 7, 8, 2]
    """
    rows = [(each.name, True, len(each), each.source) for each in SHIPPED.values()]
    rows += [(slot.name, False, pd.NA, slot.supply) for slot in SLOTS]
    table = pd.DataFrame(rows, columns=["name", "shipped", "genes", "source"])
    return table.astype({"genes": "Int64"}).set_index("name")


def _named(name: str, found: GeneSet) -> GeneSet:
    if found.name == name:
        return found
    return replace(found, name=name, source=f"{found.name}: {found.source}")
