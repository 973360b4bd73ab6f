"""Does a table look like what its manifest says it is?

Rules of thumb about units, identifiers, missing, constant and repeated values. What is impossible
is an error, what is unlikely is a warning. They cannot prove a unit: a table that passes may still
be declared wrongly.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from radiogenomics.core.errors import short_list
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.io.findings import Finding, error, warning
from radiogenomics.io.identifiers import share_matching
from radiogenomics.io.manifest import AssayTable

GENOME_WIDE = 10_000  # variables from which sums over genes say something
LOG2_CEILING = 50.0  # 2^50 reads or intensity units do not occur
LOG2_FLOOR = 25.0  # a genome-wide table in linear units goes beyond
MISSING_SHARE = 0.2
TPM_SUM = 1e6
Z_MEAN, Z_SD = 0.25, (0.5, 2.0)

ENSEMBL = r"ENSG\d{11}.*"
DIGITS = r"\d+"
EXCEL_DATE = r"\d{1,2}-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)|\d{4}-\d{2}-\d{2}.*"
LONG_BARCODE = r"TCGA-[A-Z0-9]{2}-[A-Z0-9]{4}-\d{2}.*"


def check_assay(table: FeatureTable, rule: AssayTable) -> list[Finding]:
    """Hold values, units and identifiers of an assay against what the manifest declares."""
    what = f"assay {table.name}"
    values = table.values
    numbers = values.to_numpy(dtype=float)
    return [
        *_contents(values, numbers, what),
        *_units(numbers, rule.unit, what),
        *_variable_names([str(name) for name in values.columns], rule.identifiers, what),
        *_sample_names([str(name) for name in values.index], rule, what),
    ]


def _contents(
    values: pd.DataFrame, numbers: np.ndarray[tuple[int, int], np.dtype[np.float64]], what: str
) -> Iterator[Finding]:
    missing = np.isnan(numbers)
    if missing.any():
        share = float(missing.mean())
        empty = values.columns[np.flatnonzero(missing.all(axis=0))]
        if len(empty):
            yield warning(
                what,
                "values for each variable",
                f"{len(empty)} without any ({short_list(empty)})",
                do="Drop these variables.",
            )
        if share > MISSING_SHARE:
            yield warning(
                what,
                f"at most {MISSING_SHARE:.0%} missing values",
                f"{share:.0%}",
                do="Check the words for missing, and impute inside the fold or drop variables.",
            )
    if len(values) > 1:
        filled = np.where(missing, -np.inf, numbers)
        same = (filled == filled[0]).all(axis=0) & ~missing.all(axis=0)
        constant = values.columns[np.flatnonzero(same)]
        if len(constant):
            yield warning(
                what,
                "variables that differ between samples",
                f"{len(constant)} of {values.shape[1]} constant ({short_list(constant)})",
                do="They tell nothing: drop them inside the pipeline.",
            )
    repeated = pd.Index([row.tobytes() for row in numbers]).duplicated()
    twins = values.index[repeated & ~missing.all(axis=1)]
    if len(twins) and values.shape[1] > 1:
        yield warning(
            what,
            "samples with values of their own",
            f"{len(twins)} equal to another sample in all variables ({short_list(twins)})",
            do="Look for a sample that was entered twice, as it would leak between folds.",
        )


def _units(
    numbers: np.ndarray[tuple[int, int], np.dtype[np.float64]], unit: str, what: str
) -> Iterator[Finding]:
    known = numbers[~np.isnan(numbers)]
    if known.size == 0:
        yield error(what, "values", "none", do="Check the file and the words for missing.")
        return
    low, high = float(known.min()), float(known.max())
    whole = bool(np.array_equal(known, np.rint(known)))
    correct = "Correct unit in the manifest."
    if unit in ("counts", "TPM", "FPKM") or unit.endswith("+1)"):
        if low < 0:
            yield error(what, f"{unit} of at least 0", f"values down to {low:.3g}", do=correct)
    if unit.startswith("log2") and (high > LOG2_CEILING or (whole and high > 1)):
        found = "whole numbers only" if whole else f"values up to {high:.4g}"
        yield error(what, unit, f"{found}, as in counts or linear units", do=correct)
    if unit == "log intensity" and high > LOG2_CEILING:
        yield error(what, unit, f"values up to {high:.4g}, as on a linear scale", do=correct)
    if unit == "counts" and not whole:
        yield warning(
            what,
            "counts as whole numbers",
            "fractions",
            do="Expected counts of a quantifier may be rounded; otherwise correct unit.",
        )
    genome_wide = numbers.shape[1] >= GENOME_WIDE
    if unit in ("TPM", "FPKM", "counts") and genome_wide and high < LOG2_FLOOR:
        # Counts with fractions and such a maximum can be nothing else.
        tell = error if unit == "counts" and not whole else warning
        yield tell(what, unit, f"no value above {high:.3g}, as in log2", do=correct)
    if unit in ("TPM", "log2(TPM+1)") and genome_wide and low >= 0 and high < 2**31:
        yield from _tpm_sums(numbers, unit, what)
    if unit == "z-score":
        yield from _z_scores(numbers, what)


def _tpm_sums(
    numbers: np.ndarray[tuple[int, int], np.dtype[np.float64]], unit: str, what: str
) -> Iterator[Finding]:
    if unit.startswith("log2") and np.nanmax(numbers) > LOG2_CEILING:
        return
    linear = np.exp2(numbers) - 1 if unit.startswith("log2") else numbers
    middle = float(np.median(np.nansum(linear, axis=1)))
    if not 0.8 * TPM_SUM < middle < 1.2 * TPM_SUM:
        yield warning(
            what,
            f"TPM that sum to about {TPM_SUM:.0e} a sample",
            f"a median sum of {middle:.3g}",
            do="Genes were left out, or the unit is another (FPKM, CPM): check it.",
        )


def _z_scores(
    numbers: np.ndarray[tuple[int, int], np.dtype[np.float64]], what: str
) -> Iterator[Finding]:
    if len(numbers) < 10:
        return
    filled = numbers[:, ~np.isnan(numbers).all(axis=0)]
    mean = float(np.median(np.abs(np.nanmean(filled, axis=0))))
    sd = float(np.median(np.nanstd(filled, axis=0, ddof=1)))
    if mean > Z_MEAN or not Z_SD[0] <= sd <= Z_SD[1]:
        yield warning(
            what,
            "z-scores with mean 0 and SD 1 for each variable",
            f"typical absolute mean {mean:.2g} and SD {sd:.2g}",
            do="They were standardised on other samples, or the unit is another: check it.",
        )


def _variable_names(names: list[str], identifiers: str, what: str) -> Iterator[Finding]:
    ensembl = share_matching(ENSEMBL, names)
    if identifiers == "ensembl" and ensembl < 0.5:
        yield error(
            what,
            "Ensembl gene identifiers (ENSG...)",
            f"{1 - ensembl:.0%} other names ({short_list(names, limit=3)})",
            do="Correct identifiers or variable_column in the manifest.",
        )
    if identifiers != "symbol":
        return
    digits = share_matching(DIGITS, names)
    if max(ensembl, digits) > 0.5:
        found = "Ensembl identifiers" if ensembl > digits else "numbers (Entrez?)"
        yield error(
            what,
            "HGNC symbols",
            f"{found} ({short_list(names, limit=3)})",
            do="Correct identifiers or variable_column in the manifest.",
        )
    dates = [name for name in names if share_matching(EXCEL_DATE, [name])]
    if dates:
        yield warning(
            what,
            "HGNC symbols",
            f"{len(dates)} dates ({short_list(dates)})",
            do="A spreadsheet turned symbols such as SEPTIN2 into dates: fetch the original.",
        )


def _sample_names(names: list[str], rule: AssayTable, what: str) -> Iterator[Finding]:
    if (
        rule.id.kind == "plain"
        and rule.samples is None
        and share_matching(LONG_BARCODE, names) > 0.5
    ):
        yield warning(
            what,
            "patient identifiers",
            f"TCGA sample barcodes ({short_list(names, limit=2)})",
            do="Say id: {kind: tcga_barcode}.",
        )
