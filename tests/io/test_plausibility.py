from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.io.findings import Finding
from radiogenomics.io.manifest import AssayTable
from radiogenomics.io.plausibility import check_assay

WIDE = 10_000


def check(values: np.ndarray | pd.DataFrame, unit: str, **rule: object) -> list[Finding]:
    frame = pd.DataFrame(values)
    if isinstance(frame.columns, pd.RangeIndex):
        frame.columns = [f"GENE{number}" for number in frame.columns]
        frame.index = [f"P{number}" for number in frame.index]
    fields = {"file": "x.csv", "orientation": "genes_by_samples", "identifiers": "symbol", **rule}
    table = FeatureTable.from_frame(frame, name="rna", unit=unit, source="test")
    return check_assay(table, AssayTable(unit=unit, **fields))


def tpm(rng: np.random.Generator) -> np.ndarray:
    shares = rng.lognormal(0, 2, (12, WIDE))
    return 1e6 * shares / shares.sum(axis=1, keepdims=True)


def test_honest_tables_pass(rng: np.random.Generator) -> None:
    linear = tpm(rng)
    counts = rng.negative_binomial(1, 0.01, (12, 50)).astype(float)
    honest = {
        "TPM": linear,
        "log2(TPM+1)": np.log2(linear + 1),
        "counts": counts,
        "log2(x+1)": np.log2(counts + 1),
        "z-score": rng.normal(size=(40, 50)),
        "log intensity": rng.normal(8, 2, (12, 50)),
        "feature": rng.normal(0, 1e6, (12, 50)),
    }
    assert {unit: check(values, unit) for unit, values in honest.items()} == dict.fromkeys(
        honest, []
    )


@pytest.mark.parametrize("unit", ["log2(TPM+1)", "log2(FPKM+1)", "log2(x+1)"])
def test_counts_declared_as_log2(rng: np.random.Generator, unit: str) -> None:
    counts = rng.negative_binomial(1, 0.01, (12, 50))
    for values in (counts, np.minimum(counts, 40), counts * 1.5):
        levels = [finding.level for finding in check(values, unit)]
        assert "error" in levels


@pytest.mark.parametrize("unit", ["counts", "TPM", "FPKM", "log2(TPM+1)"])
def test_negative_values_where_there_are_none(rng: np.random.Generator, unit: str) -> None:
    found = check(rng.normal(5, 1, (12, 50)) - 6, unit)
    assert found[0].level == "error" and "at least 0" in found[0].expected


def test_tpm_that_do_not_sum_and_logs_declared_linear(rng: np.random.Generator) -> None:
    fpkm = 0.35 * tpm(rng)
    for values, unit in ((fpkm, "TPM"), (np.log2(fpkm + 1), "log2(TPM+1)")):
        (finding,) = check(values, unit)
        assert finding.level == "warning" and "3.5e+05" in finding.found
    assert check(fpkm, "FPKM") == []
    found = check(np.log2(fpkm + 1), "FPKM")
    assert ["as in log2" in finding.found for finding in found] == [True]


def test_z_scores_of_other_samples(rng: np.random.Generator) -> None:
    for values in (rng.normal(2, 1, (40, 50)), rng.normal(0, 30, (40, 50))):
        (finding,) = check(values, "z-score")
        assert finding.level == "warning" and "mean 0 and SD 1" in finding.expected


def test_fractions_among_counts(rng: np.random.Generator) -> None:
    (finding,) = check(rng.gamma(2, 100, (12, 50)), "counts")
    assert finding.level == "warning" and finding.found == "fractions"


def test_constant_missing_and_twin_samples(rng: np.random.Generator) -> None:
    values = rng.normal(8, 1, (12, 6))
    values[:, 1], values[:, 2], values[5] = 3.0, np.nan, values[4]
    values[6:, 3] = np.nan
    found = {finding.expected: finding.found for finding in check(values, "log intensity")}
    assert found["variables that differ between samples"] == "1 of 6 constant (GENE1)"
    assert found["values for each variable"] == "1 without any (GENE2)"
    assert found["at most 20% missing values"] == "25%"
    assert "1 equal" in found["samples with values of their own"]


@pytest.mark.parametrize(
    ("names", "identifiers", "level", "word"),
    [
        (["ENSG00000182481.9", "ENSG00000198952"], "symbol", "error", "Ensembl"),
        (["3838", "23381"], "symbol", "error", "Entrez"),
        (["KPNA2", "SMG5"], "ensembl", "error", "KPNA2"),
        (["KPNA2", "1-Mar"], "symbol", "warning", "1-Mar"),
    ],
)
def test_identifiers_of_another_kind(names, identifiers: str, level: str, word: str) -> None:
    frame = pd.DataFrame([[1.5, 2.5], [2.5, 1.5]], index=["P1", "P2"], columns=names)
    (finding,) = check(frame, "TPM", identifiers=identifiers)
    assert finding.level == level and word in finding.found


def test_sample_barcodes_declared_plain() -> None:
    names = ["TCGA-2Y-A9GS-01A", "TCGA-2Y-A9GT-01A"]
    frame = pd.DataFrame([[1.5, 2.5], [2.5, 1.5]], index=names, columns=["A", "B"])
    (finding,) = check(frame, "TPM")
    assert "tcga_barcode" in finding.do
