"""The words of a virtual biopsy's tables: column → heading."""

from __future__ import annotations

from types import MappingProxyType

BIOPSY_COLUMNS = MappingProxyType(
    {
        "target": "target",
        "measured": "genes",
        "r2": "R²",
        "rho_interval": "rho (95 %)",
        "auc_interval": "AUC (95 %)",
        "p": "p",
        "fdr": "FDR",
        "p_family": "p family-wise",
    }
)
LEARNER_HEADS = MappingProxyType(
    {
        "learner": "learner",
        "found": "targets beyond chance",
        "target": "its best target",
        "r2": "R²",
        "chance": "best by chance, mean",
        "p_family": "p family-wise",
        "above": "targets with R² above 0",
    }
)
TRANSPORT_COLUMNS = MappingProxyType(
    {
        "target": "target",
        "group": "patients",
        "n": "n",
        "rho_interval": "rho (95 %)",
        "auc_interval": "AUC (95 %)",
        "r2": "R²",
        "slope": "slope",
        "ccc": "concordance",
        "kappa": "kappa",
    }
)
DIFFERENCE_COLUMNS = MappingProxyType(
    {
        "target": "target",
        "statistic": "statistic",
        "first": "first",
        "second": "second",
        "difference_interval": "difference (95 %)",
        "p": "p",
    }
)
AGREEMENT_COLUMNS = MappingProxyType(
    {
        "target": "target",
        "n": "n",
        "rho_interval": "rho (95 %)",
        "ccc_interval": "concordance (95 %)",
        "bias": "bias",
        "kappa": "kappa",
    }
)
