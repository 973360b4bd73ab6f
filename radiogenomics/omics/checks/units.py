"""In which unit is an expression table, and can it be the one that was declared?"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, UnknownNameError
from radiogenomics.omics.units import LOG2_UNITS, OFFSET_LOG

Floats = NDArray[np.float64]

GENOME_WIDE = 10_000  # genes from which sums say something
MANY_GENES = 1_000  # genes of which some are strongly expressed in any tissue
LOG2_HIGHEST = 25.0  # 2^25 reads or transcripts of a gene hardly occur
LOG2_CEILING = 50.0  # 2^50 do not
MILLION = 1e6
FPKM_SUMS = (5e4, 5e6)
MANY_SAMPLES = 10  # from which mean and SD of a gene say something
Z_MEAN, Z_SD = 0.25, (0.5, 2.0)


class UnitGuess(NamedTuple):
    """What a table looks like.

    Parameters
    ----------
    unit
        ``counts, TPM, FPKM, log2(TPM+1), log2(FPKM+1), log2(x+1), log2(x+offset), log intensity,
        intensity, z-score`` or ``unknown``.
    others
        Units that the values fit as well.
    evidence
        The numbers that speak for it, in a sentence.
    """

    unit: str
    others: tuple[str, ...]
    evidence: str


@dataclass(frozen=True)
class _Facts:
    genes: int
    samples: int
    low: float
    high: float
    whole: bool
    zeros: float
    total: float
    linear_total: float
    centre: float
    spread: float

    @property
    def genome_wide(self) -> bool:
        return self.genes >= GENOME_WIDE

    @property
    def standardised(self) -> bool:
        return self.centre <= Z_MEAN and Z_SD[0] <= self.spread <= Z_SD[1]


def guess_unit(values: pd.DataFrame) -> UnitGuess:
    """Guess the unit of expression from the values alone, and say why.

    What speaks: negative values, whole numbers, zeros, the largest value, sums over the genes of a
    sample (those of TPM are 10⁶, also after undoing the logarithm), and mean and SD of each gene.
    TPM and CPM cannot be told apart, nor can units of a table of few genes.

    Parameters
    ----------
    values
        Samples × genes; missing values are left out.

    Raises
    ------
    DataError
        There are no values, or an infinite one.

    Examples
    --------
    >>> guess_unit(pd.DataFrame([[0.0, 1520.0, 12.0], [3.0, 80.0, 0.0]]))
    UnitGuess(unit='counts', others=(), evidence='whole numbers only, from 0 to 1520')
    """
    facts = _facts(values)
    span = f"from {facts.low:.4g} to {facts.high:.4g}"
    if facts.low < 0:
        return _guess_negative(facts, span)
    if facts.whole:
        if facts.high <= LOG2_HIGHEST:
            return UnitGuess("unknown", ("counts",), f"whole numbers only, {span}")
        return UnitGuess("counts", (), f"whole numbers only, {span}")
    if facts.high <= LOG2_HIGHEST:
        return _guess_log(facts, span)
    return _guess_linear(facts, span)


def check_unit(values: pd.DataFrame, declared: str, *, what: str = "expression") -> UnitGuess:
    """Hold values against the unit that was declared for them.

    What the unit rules out is an error; what is unlikely is a warning. Values that pass may still
    be in another unit: log2(FPKM+1) and log2(CPM+1) look alike.

    Parameters
    ----------
    values
        Samples × genes.
    declared
        One of :data:`radiogenomics.omics.LOG2_UNITS`.
    what
        Name of the table for the message.

    Returns
    -------
    UnitGuess
        What the values look like.

    Raises
    ------
    UnknownNameError
        The unit is not one of expression.
    DataError
        The values cannot be in that unit: negative counts, logarithms declared as counts.

    Examples
    --------
    >>> check_unit(pd.DataFrame([[0.0, 5.3, 2.1]]), "counts")
    Traceback (most recent call last):
    radiogenomics.core.errors.DataError: expression: expected counts; found fractions and no value
    above 5.3, as in logarithms. It looks like log2(x+1): correct the unit.
    """
    if declared not in LOG2_UNITS:
        raise UnknownNameError("unit of expression", declared, LOG2_UNITS)
    facts = _facts(values)
    guess = guess_unit(values)
    if (found := _contradiction(facts, declared)) is not None:
        raise DataError(f"{what}: expected {declared}; found {found}. {_advice(guess, declared)}")
    if (found := _doubt(facts, declared)) is not None:
        warnings.warn(
            f"{what}: expected {declared}; found {found}. {_advice(guess, declared)}",
            RadiogenomicsWarning,
            stacklevel=2,
        )
    return guess


def _facts(values: pd.DataFrame) -> _Facts:
    numbers = np.atleast_2d(values.to_numpy(dtype=float, na_value=np.nan))
    missing = np.isnan(numbers)
    known = numbers[~missing]
    if known.size == 0 or np.isinf(known).any():
        raise DataError(
            f"expected finite values; found {known.size} values, {int(np.isinf(known).sum())} of "
            "them infinite. Check the file; infinite ones are often logarithms of 0."
        )
    filled = np.where(missing, 0.0, numbers)
    count = np.maximum((~missing).sum(axis=0), 1)
    means = filled.sum(axis=0) / count
    squares = np.where(missing, 0.0, (numbers - means) ** 2).sum(axis=0)
    low, high = float(known.min()), float(known.max())
    linear = np.exp2(filled) - 1 if 0 <= low and high <= LOG2_CEILING else filled
    return _Facts(
        genes=numbers.shape[1],
        samples=numbers.shape[0],
        low=low,
        high=high,
        whole=bool(np.array_equal(known, np.rint(known))),
        zeros=float(np.mean(known == 0)),
        total=float(np.median(filled.sum(axis=1))),
        linear_total=float(np.median(linear.sum(axis=1))),
        centre=float(np.median(np.abs(means))),
        spread=float(np.median(np.sqrt(squares / np.maximum(count - 1, 1)))),
    )


def _guess_negative(facts: _Facts, span: str) -> UnitGuess:
    gene = f"typical mean {facts.centre:.2g} and SD {facts.spread:.2g} of a gene"
    if facts.whole:
        return UnitGuess("unknown", (), f"whole numbers {span}")
    if facts.samples < MANY_SAMPLES:
        return UnitGuess("unknown", ("z-score", OFFSET_LOG), f"values {span}")
    if facts.standardised:
        return UnitGuess("z-score", (), f"values {span}, {gene}")
    if facts.high <= LOG2_HIGHEST:
        return UnitGuess(OFFSET_LOG, ("log intensity",), f"values {span}, {gene}")
    return UnitGuess("unknown", ("intensity",), f"values {span}, {gene}")


def _guess_log(facts: _Facts, span: str) -> UnitGuess:
    if facts.zeros == 0 and facts.low > 1:
        return UnitGuess("log intensity", ("log2(x+1)",), f"values {span}, none of them 0")
    sums = f"values {span} whose powers of 2 less 1 add up to {facts.linear_total:.3g} a sample"
    if _near_million(facts.linear_total, left_out=facts.genome_wide):
        others = ("log2(CPM+1)",) if _near_million(facts.linear_total) else ("log2(FPKM+1)",)
        return UnitGuess("log2(TPM+1)", others, sums)
    if facts.genome_wide and FPKM_SUMS[0] < facts.linear_total < MILLION:
        return UnitGuess("log2(FPKM+1)", ("log2(x+1)",), sums)
    return UnitGuess("log2(x+1)", ("log2(TPM+1)", "log2(FPKM+1)", "log2(CPM+1)"), sums)


def _guess_linear(facts: _Facts, span: str) -> UnitGuess:
    sums = f"fractions {span} that add up to {facts.total:.3g} a sample"
    if facts.high <= LOG2_CEILING:
        return UnitGuess("unknown", ("TPM", "FPKM", "log2(x+1)"), sums)
    if _near_million(facts.total, left_out=facts.genome_wide):
        return UnitGuess("TPM", ("CPM",) if _near_million(facts.total) else ("FPKM",), sums)
    if facts.zeros == 0:
        return UnitGuess("intensity", ("TPM", "FPKM"), f"{sums}, none of them 0")
    if facts.genome_wide and FPKM_SUMS[0] < facts.total < FPKM_SUMS[1]:
        return UnitGuess("FPKM", ("TPM",), sums)
    return UnitGuess("unknown", ("TPM", "FPKM", "counts"), sums)


def _near_million(total: float, *, left_out: bool = False) -> bool:
    """Whether a sum is that of TPM, of all genes or with some (a fifth at most) left out."""
    width = 0.2 if left_out else 0.02
    return abs(total / MILLION - 1) < width


def _contradiction(facts: _Facts, declared: str) -> str | None:
    """What the declared unit rules out."""
    linear = declared in ("counts", "TPM", "FPKM")
    if facts.low < 0 and (linear or declared.startswith("log2")) and declared != OFFSET_LOG:
        return f"negative values, down to {facts.low:.3g}"
    if linear and not facts.whole and facts.high <= LOG2_HIGHEST:
        if declared == "counts" or facts.genes >= MANY_GENES:
            return f"fractions and no value above {facts.high:.3g}, as in logarithms"
    if declared == "counts" and not facts.whole and _near_million(facts.total):
        return f"fractions that add up to {facts.total:.4g} a sample, as TPM do"
    if declared in ("TPM", "FPKM") and facts.whole and facts.high > LOG2_CEILING:
        return f"whole numbers only, up to {facts.high:.4g}, as in counts"
    if not linear and declared != "z-score":
        if facts.high > LOG2_CEILING:
            return f"values up to {facts.high:.4g}, as on a linear scale"
        if facts.whole and facts.high > 1:
            return f"whole numbers only, up to {facts.high:.3g}, as in counts"
    if declared == "z-score" and facts.low >= 0 and facts.samples >= MANY_SAMPLES:
        return f"no value below 0 (lowest {facts.low:.3g})"
    return None


def _doubt(facts: _Facts, declared: str) -> str | None:
    """What is unlikely in the declared unit."""
    if declared == "counts" and not facts.whole:
        return "fractions, as in expected or normalised counts"
    if declared in ("TPM", "log2(TPM+1)", "log2(CPM+1)") and facts.genome_wide:
        total = facts.total if declared == "TPM" else facts.linear_total
        if not _near_million(total, left_out=True):
            return f"sums of {total:.3g} a sample over {facts.genes} genes, where 1e+06 belongs"
    if declared == "FPKM" and _near_million(facts.total):
        return f"sums of {facts.total:.4g} a sample, as TPM have"
    if declared.startswith("log") and facts.high > LOG2_HIGHEST:
        return f"values up to {facts.high:.3g}, large for logarithms to base 2"
    if declared == "z-score" and facts.samples >= MANY_SAMPLES and not facts.standardised:
        return f"genes of typical mean {facts.centre:.2g} and SD {facts.spread:.2g}"
    return None


def _advice(guess: UnitGuess, declared: str) -> str:
    if guess.unit in ("unknown", declared):
        return "Check where the table comes from and correct the unit."
    return f"It looks like {guess.unit}: correct the unit."
