"""A small cohort: three patients, one of whom has two RNA samples and no image."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.outcomes import ResponseOutcome, SurvivalOutcome
from radiogenomics.core.scan import Scan, Volume

HOSTILE = "<script>alert('x')</script>&"
ESCAPED = "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&amp;"


@pytest.fixture
def hostile() -> str:
    """A text that would run in a notebook if it were not escaped."""
    return HOSTILE


@pytest.fixture
def escaped() -> str:
    return ESCAPED


@pytest.fixture
def rna() -> FeatureTable:
    values = pd.DataFrame(
        {"KPNA2": [5.0, 4.0, np.nan, 2.0], "SMG5": [1.0, 2.0, 3.0, 4.0]},
        index=["A-tumour", "A-normal", "B-tumour", "C-tumour"],
    )
    return FeatureTable.from_frame(
        values,
        name="rna",
        unit="log2(TPM+1)",
        source="hand",
        patient_id=["A", "A", "B", "C"],
        samples=pd.DataFrame(
            {"sample_type": ["tumour", "normal", "tumour", "tumour"]}, index=values.index
        ),
    )


@pytest.fixture
def radiomics() -> FeatureTable:
    values = pd.DataFrame({"volume_mm3": [10.0, 20.0], "energy": [0.5, 0.25]}, index=["A", "B"])
    return FeatureTable.from_frame(values, name="radiomics", unit="feature", source="hand")


@pytest.fixture
def os_outcome() -> SurvivalOutcome:
    ids = ["A", "B", "C"]
    return SurvivalOutcome(
        "OS",
        pd.Series([6.0, 12.5, 0.0], index=ids),
        pd.Series([1, 0, 1], index=ids),
        "diagnosis",
    )


@pytest.fixture
def response_outcome() -> ResponseOutcome:
    return ResponseOutcome("response", pd.Series(["PR", "PD"], index=["A", "C"]), "mRECIST")


def no_pixels() -> Volume:
    raise OSError("this scan has no pixels")


@pytest.fixture
def cohort(
    rna: FeatureTable,
    radiomics: FeatureTable,
    os_outcome: SurvivalOutcome,
    response_outcome: ResponseOutcome,
) -> Cohort:
    patients = pd.DataFrame(
        {
            "age": [61.0, np.nan, 70.0],
            "sex": ["female", None, "male"],
            "resected": [True, False, True],
            "visits": [3, 1, 2],
        },
        index=pd.Index(["A", "B", "C"], name="patient"),
    )
    scans = tuple(
        Scan(patient, "CT", no_pixels, phase=phase, regions=("tumour",))
        for patient, phase in (("A", "arterial"), ("A", "portal"), ("B", "arterial"))
    )
    return Cohort(
        "toy",
        patients,
        {"rna": rna, "radiomics": radiomics},
        scans,
        {"OS": os_outcome, "response": response_outcome},
        citation="nobody (2024)",
        licence="CC0",
        simulated=True,
    )
