"""The axes of a nomogram: what each value of a variable adds to the linear predictor."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from radiogenomics.core.errors import (
    DataError,
    RadiogenomicsWarning,
    SchemaError,
    UnknownNameError,
    short_list,
)
from radiogenomics.stats.inputs import Floats, as_floats

# A variable of no more distinct values than these is shown at these only.
_FEW_VALUES = 5
_TICKS = 8


@dataclass(frozen=True)
class Axis:
    """One variable of a nomogram.

    Parameters
    ----------
    name
        Of the variable.
    values
        Shown on the axis: numbers, ascending, or names of levels.
    effects
        What each adds to the linear predictor.
    slope
        Effect of one unit of a number; None for levels.

    Raises
    ------
    DataError
        There are fewer than two values, or not one effect for each.
    """

    name: str
    values: tuple[float, ...] | tuple[str, ...]
    effects: tuple[float, ...]
    slope: float | None = None

    def __post_init__(self) -> None:
        """Refuse an axis that is none."""
        if len(set(self.values)) < 2 or len(self.values) != len(self.effects):
            raise DataError(
                f"{self.name}: expected at least two different values with an effect each; found "
                f"{len(set(self.values))} values and {len(self.effects)} effects. Name the values "
                "to show."
            )
        if not np.isfinite(self.effects).all():
            raise DataError(
                f"{self.name}: expected finite effects; found {short_list(self.effects)}. "
                "Check the model."
            )

    @property
    def lowest(self) -> float:
        """Least effect on the axis."""
        return min(self.effects)

    @property
    def spread(self) -> float:
        """Difference of the greatest and the least effect."""
        return max(self.effects) - min(self.effects)

    def effect_of(self, column: pd.Series) -> Floats:
        """Effect of each patient's value.

        Raises
        ------
        DataError
            A value is missing or no number.
        UnknownNameError
            A level is not on the axis.
        """
        if column.isna().any():
            raise DataError(
                f"{self.name}: expected a value for every patient; found {int(column.isna().sum())}"
                " missing. Complete or drop these patients."
            )
        if self.slope is None:
            known = dict(zip(self.values, self.effects, strict=True))
            foreign = [level for level in column if level not in known]
            if foreign:
                raise UnknownNameError(f"level of {self.name}", foreign[0], map(str, known))
            return np.array([known[level] for level in column], dtype=float)
        numbers = as_floats(column, self.name)
        outside = (numbers < min(self.values)) | (numbers > max(self.values))
        if outside.any():
            warnings.warn(
                f"{self.name}: {int(outside.sum())} of {len(numbers)} patients lie beyond the axis "
                f"of the nomogram, {min(self.values):g} to {max(self.values):g}; their points are "
                "extrapolated.",
                RadiogenomicsWarning,
                stacklevel=3,
            )
        return numbers * self.slope


def axes_of_model(
    coefficients: pd.Series,
    patients: pd.DataFrame,
    *,
    levels: Mapping[str, Mapping[str, str | None]],
    values: Mapping[str, Sequence[float]],
) -> tuple[Axis, ...]:
    """Turn the coefficients of a model into axes, in their order.

    Parameters
    ----------
    coefficients
        One a column of the model.
    patients
        Columns of the model, for the ranges.
    levels
        Variable → level → column, None for the reference level.
    values
        Numeric variable → values on its axis.

    Raises
    ------
    SchemaError
        A column is missing, or a name in `levels` or `values` is unknown.
    DataError
        An axis has fewer than two values.
    """
    owner = {column: name for name, part in levels.items() for column in part.values() if column}
    wanted = [c for c in coefficients.index if c not in owner and c not in values]
    unknown = [c for c in [*owner, *values] if c not in coefficients.index]
    unknown += [c for c in wanted if c not in patients]
    if unknown:
        raise SchemaError(
            f"expected columns of the model, {short_list(coefficients.index)}, in the table and in "
            f"the names of levels and values; found no {short_list(unknown)}. Mend the names."
        )
    axes: dict[str, Axis] = {}
    for column, coef in coefficients.items():
        name = owner.get(column, column)
        if name in axes:
            continue
        if column in owner:
            effects = [0.0 if c is None else float(coefficients[c]) for c in levels[name].values()]
            axes[name] = Axis(name, tuple(levels[name]), tuple(effects))
        elif coef != 0:
            numbers = (
                tuple(sorted(map(float, values[column])))
                if column in values
                else _shown(as_floats(patients[column], str(column)), column)
            )
            # The sum turns -0 into 0.
            axes[name] = Axis(name, numbers, tuple(coef * v + 0.0 for v in numbers), float(coef))
    return tuple(axis for axis in axes.values() if axis.spread > 0)


def _shown(numbers: Floats, name: Any) -> tuple[float, ...]:
    """Values to show of a variable: its own when few, else round ones around them."""
    if not np.isfinite(numbers).all():
        raise DataError(
            f"{name}: expected finite values; found {int((~np.isfinite(numbers)).sum())} that are "
            "not. Impute first, or name the values to show."
        )
    distinct = np.unique(numbers)
    if distinct.size <= _FEW_VALUES:
        return tuple(distinct.tolist())
    return round_ticks(float(distinct[0]), float(distinct[-1]))


def round_ticks(low: float, high: float) -> tuple[float, ...]:
    """Round numbers that reach from at most `low` to at least `high`, five to eleven of them.

    Steps are 1, 2 or 5 times a power of ten.

    Examples
    --------
    >>> round_ticks(23.0, 78.0)
    (20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0)
    """
    if not high > low:
        return (low,)
    raw = (high - low) / _TICKS
    power = 10.0 ** np.floor(np.log10(raw))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= 0.8 * raw)
    # A hair of rounding must not add a tick.
    first, last = np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9)
    digits = max(0, -int(np.floor(np.log10(step))))
    return tuple(round(float(k * step), digits) for k in np.arange(first, last + 1))
