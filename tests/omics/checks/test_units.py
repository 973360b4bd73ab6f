from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, UnknownNameError
from radiogenomics.omics.checks import check_unit, guess_unit
from radiogenomics.omics.units import LOG2_UNITS, to_log2

GENES = 12_000


@pytest.fixture
def tables(rng) -> dict[str, pd.DataFrame]:
    """One library in every unit; the unit of each is true by construction."""
    samples = 12
    level = rng.normal(0, 2.2, GENES)
    length = np.exp(rng.normal(8, 0.8, GENES))
    share = np.exp(level + rng.normal(0, 0.6, (samples, GENES)))
    share /= share.sum(axis=1, keepdims=True)
    counts = rng.poisson(share * rng.uniform(2e7, 6e7, (samples, 1)))
    counts[:, rng.random(GENES) < 0.1] = 0
    rate = counts / length
    tpm = rate / rate.sum(axis=1, keepdims=True) * 1e6
    fpkm = rate / counts.sum(axis=1, keepdims=True) * 1e9
    log = np.log2(fpkm + 1)
    varying = log[:, log.std(axis=0) > 0]
    arrays = {
        "counts": counts.astype(float),
        "TPM": tpm,
        "FPKM": fpkm,
        "log2(TPM+1)": np.log2(tpm + 1),
        "log2(FPKM+1)": log,
        "log2(x+offset)": np.log2(tpm + 0.001),
        "log intensity": np.clip(6 + level + rng.normal(0, 0.4, (samples, GENES)), 2.2, 15),
        "z-score": (varying - varying.mean(axis=0)) / varying.std(axis=0, ddof=1),
    }
    return {unit: pd.DataFrame(values) for unit, values in arrays.items()}


def test_every_unit_is_recognised_in_a_genome(tables) -> None:
    guesses = {unit: guess_unit(values).unit for unit, values in tables.items()}
    assert guesses == {unit: unit for unit in tables}


def test_one_sample_is_enough_except_for_what_needs_several(tables) -> None:
    alone = {unit: guess_unit(values.iloc[:1]).unit for unit, values in tables.items()}
    assert alone.pop("z-score") == alone.pop("log2(x+offset)") == "unknown"
    assert alone == {unit: unit for unit in alone}


def test_evidence_gives_the_numbers(tables) -> None:
    high = int(tables["counts"].max(axis=None))
    assert guess_unit(tables["counts"]).evidence == f"whole numbers only, from 0 to {high:.4g}"
    assert "add up to 1e+06 a sample" in guess_unit(tables["TPM"]).evidence


def test_true_declarations_pass_without_a_word(tables) -> None:
    with warnings.catch_warnings(action="error"):
        for unit in LOG2_UNITS.keys() & tables.keys():
            check_unit(tables[unit], unit)
        check_unit(to_log2(tables["counts"], "counts"), "log2(CPM+1)")
        check_unit(tables["log2(FPKM+1)"], "log2(x+1)")


WRONG = [
    ("counts", "log2(TPM+1)", "no value above .*, as in logarithms. It looks like log2.TPM"),
    ("counts", "TPM", "add up to 1e.06 a sample, as TPM do"),
    ("counts", "z-score", "negative values"),
    ("TPM", "counts", "whole numbers only.* as in counts. It looks like counts"),
    ("TPM", "log2(TPM+1)", "as in logarithms"),
    ("FPKM", "log2(FPKM+1)", "as in logarithms"),
    ("FPKM", "z-score", "negative values"),
    ("log2(TPM+1)", "counts", "as on a linear scale"),
    ("log2(TPM+1)", "TPM", "as on a linear scale. It looks like TPM"),
    ("log2(x+1)", "log2(x+offset)", "negative values, down to -9.97"),
    ("log2(FPKM+1)", "z-score", "negative values"),
    ("log intensity", "FPKM", "as on a linear scale"),
    ("z-score", "log2(TPM+1)", "no value below 0"),
    ("z-score", "counts", "no value below 0"),
]


@pytest.mark.parametrize(
    ("declared", "true", "found"), WRONG, ids=[f"{d}, {t}" for d, t, _ in WRONG]
)
def test_wrong_declarations_are_refused(tables, declared, true, found) -> None:
    with pytest.raises(DataError, match=f"rna: expected .*; found .*{found}"):
        check_unit(tables[true], declared, what="rna")


UNLIKELY = [
    ("TPM", "FPKM", "where 1e.06 belongs"),
    ("log2(TPM+1)", "log2(FPKM+1)", "where 1e.06 belongs"),
    ("FPKM", "TPM", "as TPM have"),
    ("counts", "FPKM", "fractions, as in expected or normalised counts"),
    ("z-score", "log2(x+offset)", "typical mean"),
]


@pytest.mark.parametrize(
    ("declared", "true", "found"), UNLIKELY, ids=[f"{d}, {t}" for d, t, _ in UNLIKELY]
)
def test_unlikely_declarations_are_warned_of(tables, declared, true, found) -> None:
    with pytest.warns(RadiogenomicsWarning, match=found):
        check_unit(tables[true], declared)


def test_a_logarithm_with_an_offset_may_be_negative_but_no_linear_unit(tables) -> None:
    with warnings.catch_warnings(action="error"):
        check_unit(tables["log2(x+offset)"], "log2(x+offset)")
    with pytest.raises(DataError, match="as on a linear scale"):
        check_unit(tables["TPM"], "log2(x+offset)")


def test_negative_counts() -> None:
    with pytest.raises(DataError, match="expected counts; found negative values, down to -3"):
        check_unit(pd.DataFrame([[5.0, -3.0, 900.0]]), "counts")


def test_rounded_logarithms_and_small_whole_numbers_are_not_called_counts() -> None:
    values = pd.DataFrame([[0.0, 1, 2], [2, 1, 0]])
    assert guess_unit(values).unit == "unknown"
    assert guess_unit(values - 1).unit == "unknown"
    with pytest.raises(DataError, match="whole numbers only, up to 2"):
        check_unit(values, "log2(x+1)")


def test_a_few_genes_may_be_low_in_linear_units() -> None:
    with warnings.catch_warnings(action="error"):
        check_unit(pd.DataFrame([[0.5, 12.3], [1.5, 2.25]]), "TPM")


def test_gaps_change_nothing(tables, rng) -> None:
    for unit in ("counts", "log2(FPKM+1)", "log intensity", "z-score"):
        values = tables[unit]
        gappy = values.mask(rng.random(values.shape) < 0.05)
        assert guess_unit(gappy).unit == unit


def test_nothing_to_judge() -> None:
    with pytest.raises(DataError, match="found 0 values"):
        guess_unit(pd.DataFrame([[np.nan]]))
    with pytest.raises(DataError, match="1 of them infinite"):
        guess_unit(pd.DataFrame([[1.0, -np.inf]]))
    with pytest.raises(UnknownNameError, match="did you mean 'counts'"):
        check_unit(pd.DataFrame([[1.0]]), "count")


@pytest.mark.real
@pytest.mark.parametrize(
    ("file", "units"),
    [
        ("hcc_key_genes/tcga_lihc_fpkm_log2_proteincoding_179samples", ["log2(FPKM+1)"]),
        ("hcc_key_genes/tcga_lihc_starcounts_2976genes_424samples", ["counts"]),
        ("lihc/counts_5183genes_100samples", ["counts"]),
        ("lihc/hccPIRS_tpm_19k_10T", ["log2(TPM+1)"]),
        ("lihc/linnorm_19k_5T5N", ["TPM"]),
        ("lihc/expr_log2fpkm_196genes_tumor", ["log2(x+1)"]),
        ("lihc/porpoise_rna_zscore_1550genes", ["z-score"]),
        ("nsclc_radiogenomics_rna/nsclc_expr_zscore_1000genes", ["z-score"]),
        ("hcc_ext/gse14520_gpl571_expr", ["log intensity"]),
        ("icb/Hugo2016_full_expr", ["log2(FPKM+1)", "log2(x+1)"]),
        ("icb/Snyder2017_full_expr", ["log2(x+1)"]),
        ("icb/Mariathasan_expr", ["log2(x+offset)"]),
        ("lihc/gistic2_thresholded_24776genes", ["unknown"]),
    ],
)
def test_real_tables(data_root, file, units) -> None:
    values = pd.read_parquet(data_root / "omics" / f"{file}.parquet").T
    assert guess_unit(values).unit in units
