"""Gene sets of immune activity."""

from __future__ import annotations

from radiogenomics.core.gene_set import GeneSet

CYTOLYTIC = GeneSet(
    "cytolytic",
    ("GZMA", "PRF1"),
    source="Rooney et al., Cell 2015;160:48, doi:10.1016/j.cell.2014.12.033",
)
"""Cytolytic activity; scored by the geometric mean, the mean of logarithms."""

IFN_GAMMA_6 = GeneSet(
    "ifn_gamma_6",
    ("IFNG", "STAT1", "CXCL9", "CXCL10", "IDO1", "HLA-DRA"),
    source="Ayers et al., J Clin Invest 2017;127:2930, doi:10.1172/JCI91190",
)
"""Six genes of the response to interferon γ; scored by the mean of logarithms."""

CYTOTOXIC_DAVOLI = GeneSet(
    "cytotoxic_davoli",
    ("CD247", "CD2", "CD3E", "GZMH", "NKG7", "PRF1", "GZMK"),
    source="Davoli et al., Science 2017;355:eaaf8399, doi:10.1126/science.aaf8399",
)
"""Seven genes of cytotoxic cells."""

CHECKPOINTS = GeneSet(
    "checkpoints",
    ("TNFRSF4", "CD276", "LAG3", "CTLA4", "PDCD1", "NRP1", "IDO1", "CD274"),
    source="Wang et al., J Hepatocell Carcinoma 2024;11:2321 (seven genes); CD274: Zhang et al., "
    "BMC Med Imaging 2025;25:211",
)
"""Checkpoints that studies of liver cancer named, to be compared gene by gene: no score was
published, and NRP1 and IDO1 were higher where the others were lower."""

MYELOID_PAIR = GeneSet(
    "myeloid_pair",
    ("ITGAM", "SIGLEC1"),
    source="Wu et al., J Clin Invest 2020;130:4679, doi:10.1172/JCI135048",
)
"""Genes of CD11b and CD169, the two markers of the myeloid response score. The score was made on
stained tissue; its coefficients are not known here, nor which way each counts."""
