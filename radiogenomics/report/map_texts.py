"""The words of a map's tables: column → heading."""

from __future__ import annotations

from types import MappingProxyType

PATIENT_COLUMNS = MappingProxyType(
    {"table": "table", "patients": "patients", "shared": "in all tables"}
)
MAP_COLUMNS = MappingProxyType(
    {
        "kind": "kind of link",
        "tested": "pairs tested",
        "found": "found (FDR)",
        "found_family": "found (family-wise)",
        "strongest": "strongest",
        "by_chance": "strongest by chance (95 %)",
        "p_family": "p family-wise",
        "p_map": "p over the kinds",
    }
)
LINK_COLUMNS = MappingProxyType(
    {
        "feature": "feature",
        "gene": "gene",
        "activity": "activity of",
        "rho": "rho",
        "interval": "95 % interval",
        "fdr": "p adjusted (FDR)",
        "p_family": "p of all pairs",
        "p_feature": "p of the feature",
        "p_gene": "p of the gene",
        "p_activity": "p of the activity",
        "rho_unadjusted": "rho unadjusted",
    }
)
GENE_COLUMNS = MappingProxyType(
    {
        "gene": "gene",
        "feature": "strongest feature",
        "rho": "rho",
        "p_gene": "p over its features",
        "p_family": "p of all pairs",
    }
)
SET_LINK_COLUMNS = MappingProxyType(
    {
        "feature": "feature",
        "set": "gene set",
        "size": "genes",
        "contrast_rho": "rho with the set",
        "interval": "95 % interval",
        "fdr_contrast": "p adjusted (FDR)",
        "p_contrast_family": "p of all pairs",
        "contrast_unadjusted": "rho unadjusted",
        "nes": "NES",
        "fdr": "p of NES (FDR)",
    }
)
EDGE_COLUMNS = MappingProxyType(
    {"feature": "feature", "set": "gene set", "leading_edge": "genes from the end inwards"}
)
PATHWAY_COLUMNS = MappingProxyType(
    {
        "set": "gene set",
        "size": "genes",
        "coherence": "coherence",
        "feature": "strongest feature",
        "contrast_rho": "rho with the set",
        "p_set": "p over its features",
        "p_family": "p of all pairs",
    }
)
VANISHED_COLUMNS = MappingProxyType(
    {
        "kind": "kind",
        "feature": "feature",
        "target": "gene or set",
        "rho_unadjusted": "rho without covariates",
        "fdr_unadjusted": "p adjusted (FDR)",
        "rho": "rho beside them",
        "p": "p beside them",
    }
)
MODULE_LINK_COLUMNS = MappingProxyType(
    {
        "feature_module": "module of features",
        "features": "features",
        "gene_module": "module of genes",
        "genes": "genes",
        "rho": "rho",
        "interval": "95 % interval",
        "fdr": "p adjusted (FDR)",
        "p_family": "p of all pairs",
    }
)
MEMBER_COLUMNS = MappingProxyType(
    {"module": "module", "members": "members", "named": "the most typical of them"}
)
JOINT_COLUMNS = MappingProxyType(
    {
        "method": "method",
        "statistic": "statistic",
        "value": "value",
        "interval": "95 % interval",
        "chance": "by chance",
        "p": "p (permutation)",
        "note": "what it is",
    }
)
CONTROL_COLUMNS = MappingProxyType(
    {
        "control": "control",
        "links_found": "gene links found (FDR)",
        "links_family": "family-wise",
        "strongest_rho": "strongest rho",
        "p_family": "p family-wise",
        "sets_found": "set links found (FDR)",
        "sets_family": "family-wise",
        "strongest_set_rho": "strongest rho with a set",
        "p_set_family": "p family-wise",
        "draws": "draws",
    }
)
REPLICATION_COLUMNS = MappingProxyType(
    {
        "kind": "kind",
        "feature": "feature",
        "target": "gene or set",
        "r_first": "rho, first",
        "r_second": "rho, second",
        "p_second": "p one-sided",
        "fdr_second": "p adjusted (FDR)",
        "pooled": "pooled",
        "interval": "95 % interval",
        "i2": "I²",
    }
)
LIKENESS_COLUMNS = MappingProxyType(
    {
        "feature": "feature",
        "similar": "resembles",
        "set": "strongest gene set",
        "contrast_rho": "rho with the set",
        "p_contrast_feature": "p of the feature",
        "gene": "strongest gene",
        "gene_rho": "rho",
    }
)
