"""Sex by XIST and the genes of the Y chromosome, held against what was recorded."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    UnknownNameError,
    short_list,
)
from radiogenomics.omics.checks.units import LOG2_CEILING
from radiogenomics.omics.units import LOG2_UNITS

X_GENE = "XIST"
Y_GENES = ("RPS4Y1", "DDX3Y", "KDM5D", "UTY", "USP9Y", "EIF1AY", "ZFY")
"""Expressed in many tissues, outside the part of Y that X has too."""

_SEQUENCING = ("log2(TPM+1)", "log2(FPKM+1)", "log2(CPM+1)", "log2(x+1)")
_RECORDED = ("female", "male")
_MARGIN = 0.5
_PRESENT = 1.5


class SexAgreement(NamedTuple):
    """Recorded and molecular sex compared.

    Parameters
    ----------
    table
        One row a sample: columns of :func:`molecular_sex`, ``recorded`` and ``verdict``
        (``agrees``, ``contradicts``, ``doubtful``, or None without a record).
    compared, agree, contradict, doubtful
        Samples with a recorded sex, and how many of them.
    """

    table: pd.DataFrame
    compared: int
    agree: int
    contradict: int
    doubtful: int


def molecular_sex(
    values: pd.DataFrame, *, unit: str, margin: float = _MARGIN, present: float = _PRESENT
) -> pd.DataFrame:
    """Call the sex of each sample from its own expression.

    With XIST the call is the sign of XIST − Y, Y being the strongest of :data:`Y_GENES`: female
    above ``margin``, male below ``-margin``, else ``unclear``; the platform's background cancels.
    ``unclear`` is a man's tumour that lost Y, a woman's that lost XIST, or two people in one tube.

    Without XIST (tables of protein-coding genes lack it) only Y is seen: male where it is at least
    ``present``, else ``no Y``, which is a woman or a man's tumour that lost it. This needs
    sequencing, where what is not expressed is 0.

    Parameters
    ----------
    values
        Samples × genes, logarithms to base 2.
    unit
        Their unit, one of :data:`radiogenomics.omics.LOG2_UNITS`.
    margin, present
        Limits, in log2.

    Returns
    -------
    DataFrame
        One row a sample: ``xist``; ``y``; ``difference``; ``molecular`` (``female, male, unclear,
        no Y``, None where a value is missing).

    Raises
    ------
    UnknownNameError
        The unit is not one of expression.
    DataError
        The values are no logarithms, or the genes that are needed are absent.

    Examples
    --------
    >>> values = pd.DataFrame({"XIST": [4.1, 0.0], "RPS4Y1": [0.2, 6.3]}, index=["P1", "P2"])
    >>> molecular_sex(values, unit="log2(TPM+1)")["molecular"].to_dict()
    {'P1': 'female', 'P2': 'male'}
    """
    _check_scale(values, unit)
    genes = [gene for gene in Y_GENES if gene in values]
    if not genes or (X_GENE not in values and unit not in _SEQUENCING):
        raise DataError(
            f"expected {X_GENE} and a gene of Y ({', '.join(Y_GENES)}), or these alone in "
            f"sequencing data; found {'no gene of Y' if not genes else 'no ' + X_GENE} in {unit}. "
            "Take the table before genes were left out, or skip this check."
        )
    y = values[genes].max(axis=1)
    xist = values[X_GENE] if X_GENE in values else pd.Series(np.nan, index=values.index)
    difference = xist - y
    if X_GENE in values:
        call = np.select([difference > margin, difference < -margin], _RECORDED, "unclear")
        known = difference.notna()
    else:
        call = np.where(y >= present, "male", "no Y")
        known = y.notna()
    molecular = pd.Series(call.astype(object), index=values.index).where(known, None)
    return pd.DataFrame({"xist": xist, "y": y, "difference": difference, "molecular": molecular})


def check_sex(
    values: pd.DataFrame,
    recorded: pd.Series[str],
    *,
    unit: str,
    margin: float = _MARGIN,
    present: float = _PRESENT,
) -> SexAgreement:
    """Hold molecular sex against the recorded one; a contradiction may be a swapped sample.

    Recorded male with Y silent is ``doubtful`` rather than wrong, as tumours lose Y; so is any
    ``unclear`` sample. Recorded female with Y expressed, or male with XIST instead of Y,
    ``contradicts`` and raises a warning.

    Parameters
    ----------
    values, unit, margin, present
        As of :func:`molecular_sex`.
    recorded
        ``female`` or ``male`` by sample (the index of ``values``); missing where not recorded.

    Raises
    ------
    AlignmentError
        A sample is not in ``recorded``, or stands there twice.
    OutcomeError
        A recorded word is neither ``female`` nor ``male``.
    DataError, UnknownNameError
        As of :func:`molecular_sex`.

    Examples
    --------
    >>> values = pd.DataFrame({"XIST": [4.1, 0.0], "RPS4Y1": [0.2, 6.3]}, index=["P1", "P2"])
    >>> check_sex(values, pd.Series({"P1": "female", "P2": "male"}), unit="log2(TPM+1)").agree
    2
    """
    table = molecular_sex(values, unit=unit, margin=margin, present=present)
    words = _recorded(recorded, table.index)
    verdict = [_verdict(word, call) for word, call in zip(words, table["molecular"], strict=True)]
    table = table.assign(recorded=words, verdict=pd.Series(verdict, table.index, dtype=object))
    found = _agreement(table)
    if found.contradict:
        wrong = table.index[table["verdict"] == "contradicts"]
        warnings.warn(
            f"expected the recorded sex in XIST and Y; found the other one in {len(wrong)} of "
            f"{found.compared} samples ({short_list(wrong)}). Look for swapped samples or a "
            "clinical row of someone else.",
            RadiogenomicsWarning,
            stacklevel=2,
        )
    return found


def _check_scale(values: pd.DataFrame, unit: str) -> None:
    if unit not in LOG2_UNITS:
        raise UnknownNameError("unit of expression", unit, LOG2_UNITS)
    used = [gene for gene in (X_GENE, *Y_GENES) if gene in values]
    high = float(values[used].max(axis=None)) if used else 0.0
    if LOG2_UNITS[unit] != unit or unit == "z-score" or high > LOG2_CEILING:
        raise DataError(
            f"expected logarithms to base 2; found {unit} with values up to {high:.3g}. Apply "
            "to_log2 first; a z-score says nothing about presence."
        )


def _recorded(recorded: pd.Series[str], samples: pd.Index[str]) -> pd.Series[str]:
    """Recorded sex in the order of the samples."""
    absent = samples.difference(recorded.index)
    if len(absent) or recorded.index.has_duplicates:
        raise AlignmentError(
            f"expected the recorded sex of each sample once; found none of {len(absent)} "
            f"({short_list(absent) or '-'}) and {int(recorded.index.duplicated().sum())} repeated. "
            "Index it by sample, missing where it is not recorded."
        )
    words = recorded.reindex(samples)
    odd = words[words.notna() & ~words.isin(_RECORDED)].unique()
    if len(odd):
        raise OutcomeError(
            f"expected sex as female or male; found {short_list(odd)}. Map the words in the "
            "manifest."
        )
    return words


def _verdict(recorded: object, molecular: object) -> str | None:
    if pd.isna(recorded) or molecular is None:
        return None
    if recorded == molecular or (recorded == "female" and molecular == "no Y"):
        return "agrees"
    return "contradicts" if molecular in _RECORDED else "doubtful"


def _agreement(table: pd.DataFrame) -> SexAgreement:
    counts = table["verdict"].value_counts()
    agree, contradict, doubtful = (
        int(counts.get(word, 0)) for word in ("agrees", "contradicts", "doubtful")
    )
    return SexAgreement(table, agree + contradict + doubtful, agree, contradict, doubtful)
