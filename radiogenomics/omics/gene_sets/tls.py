"""Gene sets of tertiary lymphoid structures (TLS)."""

from __future__ import annotations

from radiogenomics.core.gene_set import GeneSet

CHEMOKINES_12 = GeneSet(
    "tls_chemokines_12",
    (
        "CCL2", "CCL3", "CCL4", "CCL5", "CCL8", "CCL18", "CCL19", "CCL21",
        "CXCL9", "CXCL10", "CXCL11", "CXCL13",
    ),
    source="Coppola et al., Am J Pathol 2011;179:37, doi:10.1016/j.ajpath.2011.03.007; "
    "Messina et al., Sci Rep 2012;2:765, doi:10.1038/srep00765",
)  # fmt: skip
"""Twelve chemokines; scored by the first principal component of standardised logarithms."""

TLS_CABRITA_9 = GeneSet(
    "tls_cabrita_9",
    ("CD79B", "CD1D", "CCR6", "LAT", "SKAP1", "CETP", "EIF1AY", "RBP5", "PTGDS"),
    source="Cabrita et al., Nature 2020;577:561, doi:10.1038/s41586-019-1914-8",
)
"""Nine genes of melanomas with TLS. EIF1AY lies on the Y chromosome: women lack it.

Public code sometimes gives this author's name to CCL19, CCL21, CXCL13, CCL17, CCR7, CXCR5, SELL and
LAMP3; that is another list.
"""

TLS_IMPRINT_29 = GeneSet(
    "tls_imprint_29",
    (
        "APOE", "C1QA", "C7", "CD52", "CD79A", "CXCL12", "DERL3", "FCRL5", "IGHA1", "IGHG1",
        "IGHG2", "IGHG3", "IGHG4", "IGHGP", "IGHM", "IGKC", "IGLC1", "IGLC2", "IGLC3", "IL7R",
        "JCHAIN", "LUM", "MZB1", "PIM2", "PTGDS", "PLTP", "SSR4", "TRBC2", "XBP1",
    ),
    source="Meylan et al., Immunity 2022;55:527, doi:10.1016/j.immuni.2022.02.001",
)  # fmt: skip
"""Imprint of TLS in renal cancer. Half are immunoglobulin genes, which tables of protein-coding
genes leave out."""
