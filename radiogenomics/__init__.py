"""Multi-omics radiogenomics: files → cohort → labels and features → evidence → report.

Names are loaded when first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import Any

_HOMES = MappingProxyType(
    {
        "Cohort": "core.cohort",
        "Evidence": "core.evidence",
        "FeatureTable": "core.feature_table",
        "LabelSet": "core.labels",
        "Metric": "core.evidence",
        "ResponseOutcome": "core.outcomes",
        "Scan": "core.scan",
        "Signature": "core.signature",
        "SignatureSet": "core.signature",
        "SurvivalOutcome": "core.outcomes",
        "Volume": "core.scan",
        "load_cohort": "io",
        "biopsy": "study",
        "characterise": "study",
        "check": "study",
        "compare": "study",
        "compare_masks": "study",
        "demo": "study",
        "derive": "study",
        "encode": "study",
        "extract": "study",
        "ibsi_compliance": "study",
        "map": "study",
        "methods": "study",
        "pretrain": "study",
        "run": "study",
        "run_simulated": "study",
        "score": "study",
        "segment": "study",
        "track": "study",
        "train": "study",
        "validate": "study",
    }
)
_ROOMS = frozenset(
    {
        "clinical",
        "core",
        "evaluation",
        "features",
        "imaging",
        "io",
        "models",
        "omics",
        "plots",
        "report",
        "simulate",
        "stats",
        "study",
    }
)

__all__ = [*sorted(_HOMES), *sorted(_ROOMS), "__version__"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("radiogenomics.core.provenance").version()
    if name in _HOMES:
        return getattr(import_module(f"radiogenomics.{_HOMES[name]}"), name)
    if name in _ROOMS:
        return import_module(f"radiogenomics.{name}")
    raise AttributeError(f"module 'radiogenomics' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
