"""The cases, one file each, in the order in which they run."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from case import Case

from cases import (
    auc_null,
    bootstrap,
    concordance_null,
    cox_screen,
    cutpoint_scan,
    linear_shap,
    pair_search,
    radiogenomic_map,
    radiomics,
    random_signatures,
    rfecv,
    spearman_all,
    ssgsea,
    surrogate_cv,
    survival_forest_shap,
)

CASES: Mapping[str, Case] = MappingProxyType(
    {
        case.name: case
        for case in (
            radiomics.LIVER,
            radiomics.TUMOUR,
            cox_screen.CASE,
            cutpoint_scan.CASE,
            pair_search.CASE,
            concordance_null.CASE,
            auc_null.CASE,
            random_signatures.CASE,
            surrogate_cv.CASE,
            bootstrap.AUC,
            bootstrap.CONCORDANCE,
            bootstrap.TIME_DEPENDENT_AUC,
            rfecv.CASE,
            linear_shap.CASE,
            survival_forest_shap.CASE,
            ssgsea.CASE,
            spearman_all.CASE,
            radiogenomic_map.CASE,
            radiogenomic_map.WHOLE,
        )
    }
)
