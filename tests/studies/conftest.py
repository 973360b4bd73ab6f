"""Shipped recipes with some values changed, so that a test has the patience for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from radiogenomics.core.provenance import Provenance
from radiogenomics.study import Study, show

ChangedRecipe = Callable[[Mapping[str, object]], Study]


@pytest.fixture(scope="session")
def recipe() -> ChangedRecipe:
    """``jtm2025_irs_ctmr`` with other values, by the names of its ``settings()``."""

    def changed(values: Mapping[str, object]) -> Study:
        study = show("jtm2025_irs_ctmr")
        for setting, value in values.items():
            section, name = setting.split(".")
            record = getattr(study, section)
            given = getattr(record, name).model_copy(update={"value": value})
            study = study.model_copy(update={section: record.model_copy(update={name: given})})
        return study

    return changed


@pytest.fixture(scope="session")
def provenance() -> Provenance:
    """Of a run that nobody keeps."""
    return Provenance({}, "changed in a test", 0, {"radiogenomics": "test"})
