"""The cases, one file each, in the order in which they run."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from case import Case

from cases import auc_null, concordance_null, cox_screen, random_signatures, surrogate_cv

CASES: Mapping[str, Case] = MappingProxyType(
    {
        module.CASE.name: module.CASE
        for module in (cox_screen, concordance_null, auc_null, random_signatures, surrogate_cv)
    }
)
