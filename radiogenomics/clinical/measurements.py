"""Patients' measurements at the border of the calculators: units, categories, missing values.

Each kind of input reads what a clinician's table holds into floats, NaN where a value is missing.
Nothing is converted and nothing is guessed: a value that cannot be in the unit that the argument
names is refused, with the unit it looks like. Bounds are wider than what laboratories see, so a
value inside them is possible, not right: 30 can be a bilirubin in mg/dl and in µmol/l. Where units
overlap like this, a table of ten patients or more of whom none has a usual value is warned about.
"""

from __future__ import annotations

import inspect
import warnings
from dataclasses import dataclass
from types import FrameType

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.stats.inputs import Bools, Floats, as_floats

Texts = NDArray[np.object_]
Numbers = Floats | float
"""One number a patient; a plain float where single numbers were given."""
Labels = Texts | str | None
"""One label a patient, None where it is missing; a plain string where single values were given."""

ENOUGH_FOR_USUAL = 10
ROOM = "radiogenomics.clinical."


@dataclass(frozen=True)
class Quantity:
    """A measured number in one unit.

    Parameters
    ----------
    name, unit
        For messages.
    low, high
        Values outside are refused; both are allowed themselves.
    below, above
        What a value outside looks like; empty where nothing is likely.
    usual
        Of ten patients or more at least one lies here; None where the bounds tell units apart.
    whole
        Whether only whole numbers make sense.
    """

    name: str
    unit: str
    low: float
    high: float
    below: str = ""
    above: str = ""
    usual: tuple[float, float] | None = None
    whole: bool = False

    def read(self, values: ArrayLike) -> Floats:
        """Return the values as floats, or say which unit they look like."""
        numbers = _floats(values, self.name)
        low, high = numbers < self.low, numbers > self.high
        if low.any() or high.any():
            raise DataError(self._refusal(numbers, low, high))
        if self.whole and (odd := numbers % 1 > 0).any():
            raise DataError(
                f"{self.name}: expected whole numbers; found {int(odd.sum())} others, the first "
                f"{numbers[odd][0]:g}. Correct the column."
            )
        self._warn_of_unusual(numbers)
        return numbers

    def _refusal(self, numbers: Floats, low: Bools, high: Bools) -> str:
        outside = low | high
        first = int(np.flatnonzero(outside)[0])
        look = self.below if np.atleast_1d(low)[first] else self.above
        return (
            f"{self.name}: expected {self.unit} from {self.low:g} to {self.high:g}; found "
            f"{int(outside.sum())} of {numbers.size} outside, the first "
            f"{numbers[outside][0]:g} at position {first}"
            + (f", which looks like {look}" if look else "")
            + ". Convert such values (radiogenomics.clinical.units) or mark them missing."
        )

    def _warn_of_unusual(self, numbers: Floats) -> None:
        known = numbers[~np.isnan(numbers)]
        if self.usual is None or known.size < ENOUGH_FOR_USUAL:
            return
        if not ((known >= self.usual[0]) & (known <= self.usual[1])).any():
            _warn(
                f"{self.name}: none of {known.size} values lies between {self.usual[0]:g} and "
                f"{self.usual[1]:g} {self.unit} (they run from {known.min():g} to "
                f"{known.max():g}). Check that the unit is {self.unit}."
            )


@dataclass(frozen=True)
class Flag:
    """Yes or no: True, 1 or False, 0."""

    name: str

    def read(self, values: ArrayLike) -> Floats:
        """Return 1, 0 or NaN."""
        flags = _floats(values, self.name)
        odd = ~(np.isnan(flags) | (flags == 0) | (flags == 1))
        if odd.any():
            raise DataError(
                f"{self.name}: expected 1 (yes), 0 (no) or missing; found {int(odd.sum())} "
                f"others, the first {flags[odd][0]:g}. Recode the column."
            )
        return flags


@dataclass(frozen=True)
class Category:
    """One of a few names; upper and lower case are the same."""

    name: str
    known: tuple[str, ...]

    def read(self, values: ArrayLike) -> Floats:
        """Return the position of each value in ``known``, NaN where it is missing."""
        texts = np.array(values, dtype=object)
        missing = np.asarray(pd.isna(texts))
        texts[missing] = None  # pandas' NA cannot be compared
        places = {word.casefold(): float(place) for place, word in enumerate(self.known)}
        codes = np.full(texts.shape, np.nan)
        for word in pd.unique(texts[~missing]):
            code = places.get(str(word).strip().casefold())
            if code is None:
                raise UnknownNameError(self.name, word, self.known)
            codes[texts == word] = code
        return codes


Input = Quantity | Flag | Category


@dataclass(frozen=True, eq=False)
class Inputs:
    """Inputs of one calculation, one float a patient each.

    Parameters
    ----------
    calculator
        Its name in warnings.
    names
        Of the inputs.
    arrays
        In the order of the names, each of shape (patients,).
    single
        Whether everything was given as single values.
    """

    calculator: str
    names: tuple[str, ...]
    arrays: tuple[Floats, ...]
    single: bool

    @property
    def missing(self) -> Bools:
        """Patients who lack an input, shape (patients,)."""
        return np.asarray(np.isnan(np.vstack(self.arrays)).any(axis=0))

    def warn_of(self, missing: Bools) -> None:
        """Warn of the patients without a result, and of the inputs they lack."""
        if not missing.any():
            return
        counts = {
            name: int(np.isnan(array)[missing].sum())
            for name, array in zip(self.names, self.arrays, strict=True)
        }
        lacking = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
        _warn(
            f"{self.calculator}: {int(missing.sum())} of {missing.size} patients have none for "
            f"want of inputs (missing: {lacking}). Complete them, or leave them out knowingly."
        )

    def numbers(self, result: Floats) -> Numbers:
        """Return the result in the shape in which the inputs came."""
        return float(result[0]) if self.single else result

    def labels(self, codes: Floats, names: tuple[str, ...]) -> Labels:
        """Return ``names[code]`` of each patient, None where the code is NaN."""
        places = np.where(np.isnan(codes), len(names), codes).astype(np.intp)
        texts = np.array([*names, None], dtype=object)[places]
        return texts[0] if self.single else texts


def read_together(calculator: str, *inputs: tuple[Input, ArrayLike]) -> Inputs:
    """Read the inputs of one calculation and line patients up.

    Parameters
    ----------
    calculator
        Its name in warnings.
    *inputs
        Pairs of a kind of input and its values: single values, arrays or Series. A single value
        beside arrays holds for every patient.

    Raises
    ------
    DataError
        Lengths differ, or values are refused.
    AlignmentError
        Series have different indexes.
    UnknownNameError
        A category is not known.

    Examples
    --------
    >>> inputs = read_together("example", (AGE_YEARS, [54, 61]), (SEX, "Female"))
    >>> inputs.arrays
    (array([54., 61.]), array([1., 1.]))
    """
    indexes = [values.index for _, values in inputs if isinstance(values, pd.Series)]
    if any(not index.equals(indexes[0]) for index in indexes[1:]):
        raise AlignmentError(
            f"{calculator}: expected Series over the same patients in the same order; found "
            "different indexes. Take the columns from one table, or reindex them."
        )
    arrays = [kind.read(values) for kind, values in inputs]
    lengths = {array.size for array in arrays if array.ndim}
    if len(lengths) > 1 or any(array.ndim > 1 for array in arrays):
        shapes = ", ".join(
            f"{kind.name} {array.shape}" for (kind, _), array in zip(inputs, arrays, strict=True)
        )
        raise DataError(
            f"{calculator}: expected single values or one value a patient; found shapes {shapes}. "
            "Pass columns of one table."
        )
    shape = (max(lengths, default=1),)
    return Inputs(
        calculator=calculator,
        names=tuple(kind.name for kind, _ in inputs),
        arrays=tuple(np.broadcast_to(array, shape) for array in arrays),
        single=not lengths,
    )


def truth(holds: Bools, *needs: Floats) -> pd.arrays.BooleanArray:
    """Return a statement about each patient that is unknown where an input it needs is missing.

    Joined with ``&`` and ``|``, what is known decides where it can: true or unknown is true.

    Examples
    --------
    >>> size = np.array([2.0, 6.0, np.nan])
    >>> (truth(size <= 5, size) | truth(np.array([False, False, True]))).tolist()
    [True, False, True]
    """
    unknown = np.zeros(holds.shape, dtype=bool)
    for values in needs:
        unknown |= np.isnan(values)
    return pd.arrays.BooleanArray(np.array(holds, dtype=bool), unknown)


def decided(statement: pd.arrays.BooleanArray) -> Floats:
    """Return 1 for true, 0 for false, NaN for unknown."""
    return statement.to_numpy(dtype=np.float64, na_value=np.nan)


def _warn(message: str) -> None:
    """Warn at the line that called this room, however deep inside it we are."""
    level = 1
    frame: FrameType | None = inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").startswith(ROOM):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, RadiogenomicsWarning, stacklevel=level)


def _floats(values: ArrayLike, name: str) -> Floats:
    if isinstance(values, pd.Series) and pd.api.types.is_extension_array_dtype(values.dtype):
        values = values.astype(object).where(values.notna(), None)
    return as_floats(values, name)


# Bilirubin of 0.1 mg/dl, the least that laboratories report, is 1.71 µmol/l; normal is below 21.
BILIRUBIN_UMOL_L = Quantity("bilirubin", "µmol/l", 1.7, 1000, below="mg/dl", usual=(5, 1000))
BILIRUBIN_MG_DL = Quantity("bilirubin", "mg/dl", 0.05, 58, above="µmol/l", usual=(0.05, 2.5))
ALBUMIN_G_L = Quantity("albumin", "g/l", 7, 70, below="g/dl", above="mg/dl or µmol/l")
ALBUMIN_G_DL = Quantity("albumin", "g/dl", 0.7, 7, above="g/l or mg/dl")
# A prothrombin time starts at 8 to 9 s; a true INR beyond 8 cannot be told from it.
INR = Quantity(
    "INR",
    "ratio",
    0.5,
    8,
    below="a fraction of normal activity",
    above="a prothrombin time in seconds or per cent",
)
PROTHROMBIN_PROLONGATION_S = Quantity(
    "prothrombin prolongation", "s beyond the control", -5, 100, usual=(-5, 6)
)
CREATININE_MG_DL = Quantity("creatinine", "mg/dl", 0.1, 25, above="µmol/l")
CREATININE_UMOL_L = Quantity("creatinine", "µmol/l", 8, 2300, below="mg/dl")
SODIUM_MMOL_L = Quantity("sodium", "mmol/l", 90, 190, above="mg/dl")
AFP_NG_ML = Quantity("AFP", "ng/ml", 0, 2e7, below="a logarithm", above="pg/ml")
CRP_MG_DL = Quantity("CRP", "mg/dl", 0, 60, above="mg/l", usual=(0, 1))
CRP_MG_L = Quantity("CRP", "mg/l", 0, 600)
PLATELETS_10E9_L = Quantity("platelets", "10⁹/l", 3, 3000, below="10¹²/l", above="a count per µl")
AGE_YEARS = Quantity("age", "years", 0, 120, above="months or days")
TUMOUR_SIZE_CM = Quantity("tumour size", "cm", 0.1, 30, above="mm", usual=(0.1, 10))
TUMOUR_NUMBER = Quantity("tumour number", "tumours", 1, 1000, whole=True)
PERFORMANCE_STATUS = Quantity(
    "performance status", "ECOG grade", 0, 4, above="a Karnofsky index", whole=True
)
ENCEPHALOPATHY_GRADE = Quantity("encephalopathy", "West Haven grade", 0, 4, whole=True)
CHILD_PUGH_CLASS = Category("Child-Pugh class", ("A", "B", "C"))
SEX = Category("sex", ("male", "female"))
