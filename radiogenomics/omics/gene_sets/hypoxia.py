"""Gene sets of hypoxia."""

from __future__ import annotations

from radiogenomics.core.gene_set import GeneSet

HYPOXIA_BUFFA = GeneSet(
    "hypoxia_buffa",
    (
        "ACOT7", "ADM", "AK4", "ALDOA", "ANKRD37", "ANLN", "BNIP3", "CA9", "CDKN3", "CHCHD2",
        "CORO1C", "CTSV", "DDIT4", "ENO1", "ESRP1", "GAPDH", "GPI", "HILPDA", "HK2", "KIF20A",
        "KIF4A", "LDHA", "LRRC42", "MAD2L2", "MAP7D1", "MCTS1", "MIF", "MRGBP", "MRPL13", "MRPL15",
        "MRPS17", "NDRG1", "P4HA1", "PFKP", "PGAM1", "PGK1", "PNP", "PSMA7", "PSRC1", "SEC61G",
        "SHCBP1", "SLC16A1", "SLC25A32", "SLC2A1", "TPI1", "TUBA1B", "TUBA1C", "TUBB6", "UTP11",
        "VEGFA", "YKT6",
    ),
    source="Buffa et al., Br J Cancer 2010;102:428, doi:10.1038/sj.bjc.6605450",
)  # fmt: skip
"""Fifty-one genes, by the symbols of today. MSigDB's copy (M34030) lacks ALDOA and has TUBA1A for
TUBA1B."""
