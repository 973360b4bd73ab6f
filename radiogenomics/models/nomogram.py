"""Nomogram: a regression model as points that are added up by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.core.method import Method
from radiogenomics.models.nomogram_axes import Axis, axes_of_model, round_ticks
from radiogenomics.models.nomogram_model import cox_predictor, logistic_predictor
from radiogenomics.stats.inputs import as_floats
from radiogenomics.stats.survival.baseline_hazard import BaselineHazard

MAX_POINTS = 100.0
# Probabilities that an axis may carry, thinned to those that patients can reach.
_PROBABILITIES = (0.01, 0.05, *(round(0.1 * k, 1) for k in range(1, 10)), 0.95, 0.99)
_FEWEST_TICKS = 3


class NomogramScore(NamedTuple):
    """What a nomogram says of patients; all tables have one row a patient.

    Attributes
    ----------
    points : DataFrame
        Points of each variable.
    total : Series
        Their sum.
    probability : DataFrame
        One column an outcome, such as ``12-month survival``; 0 to 1.
    """

    points: pd.DataFrame
    total: pd.Series
    probability: pd.DataFrame


@dataclass(frozen=True)
class Nomogram:
    r"""A Cox or logistic model written as points.

    Each variable :math:`j` adds :math:`f_j(x)` to the linear predictor: a slope times the value, or
    an effect for each level. Its axis shows a range of values; with :math:`m_j` the least effect on
    it and :math:`r` the widest spread of effects on any axis, the points are :math:`100 (f_j(x) -
    m_j) / r`: 0 at the better end of each axis, 100 at the worse end of the widest. The linear
    predictor is :math:`\eta = a + \sum_j m_j + \frac{r}{100}` times the total of the points, with
    :math:`a` the intercept, and the probability :math:`\exp(-H_0(t) e^\eta)` (Cox: survival beyond
    t) or :math:`1 / (1 + e^{-\eta})` (logistic: of the second class). These are the points of R's
    ``rms::nomogram`` for the same values on the axes.

    It is the model in another notation, no better calibrated than that is: show its calibration,
    in other patients, beside it. Points depend on the ranges shown; probabilities do not. Beyond
    the end of an axis points go on in a straight line.

    Parameters
    ----------
    axes
        The variables.
    intercept
        Linear predictor where all effects are 0.
    baseline
        Cumulative hazard at linear predictor 0; None for a logistic model.
    outcome
        Words for the probability of a logistic model.

    Raises
    ------
    DataError
        No variable has an effect.

    References
    ----------
    Iasonos et al., J Clin Oncol 2008;26:1364, doi:10.1200/JCO.2007.12.9791. Harrell, Regression
    Modeling Strategies, 2nd ed., Springer 2015.

    Examples
    --------
    >>> grade = Axis("grade", values=("low", "high"), effects=(0.0, 1.0))
    >>> size = Axis("size", values=(0.0, 5.0, 10.0), effects=(0.0, 1.0, 2.0), slope=0.2)
    >>> drawn = Nomogram((grade, size), intercept=-2.0, outcome="response")
    >>> drawn.points_table()["points"].tolist()
    [0.0, 50.0, 0.0, 50.0, 100.0]
    >>> patient = pd.DataFrame({"grade": ["high"], "size": [5.0]})
    >>> drawn.score(patient).probability["response"].tolist()
    [0.5]
    """

    card: ClassVar[Method] = Method(
        name="nomogram",
        title="Regression model as points that are added up by hand",
        scope="models: presentation",
        reference="Iasonos et al., J Clin Oncol 2008;26:1364, doi:10.1200/JCO.2007.12.9791",
        limits="No better calibrated than its model; suggests more precision than tens of patients "
        "give; main effects only.",
        learns=False,
    )

    axes: tuple[Axis, ...]
    intercept: float
    baseline: BaselineHazard | None = None
    outcome: str = "probability"

    def __post_init__(self) -> None:
        """Refuse a nomogram without an effect."""
        if not self.axes or not max(axis.spread for axis in self.axes) > 0:
            raise DataError(
                f"expected a variable with an effect; found none among {len(self.axes)} axes. "
                "A model that tells patients apart is needed."
            )

    @property
    def points_per_unit(self) -> float:
        """Points for one unit of the linear predictor."""
        return MAX_POINTS / max(axis.spread for axis in self.axes)

    @property
    def lowest(self) -> float:
        """Linear predictor at 0 points in total."""
        return self.intercept + sum(axis.lowest for axis in self.axes)

    @property
    def max_total(self) -> float:
        """Total of the points at the worse end of every axis."""
        return sum(axis.spread for axis in self.axes) * self.points_per_unit

    @classmethod
    def from_cox(
        cls,
        model: Any,
        patients: pd.DataFrame,
        *,
        levels: Mapping[str, Mapping[str, str | None]] | None = None,
        values: Mapping[str, Sequence[float]] | None = None,
    ) -> Nomogram:
        """Write a fitted Cox model as a nomogram.

        Behind a pipeline axes have the units of its table: scaling is undone, and a step that
        imputes left out, as a reader looks up values that are there.

        Parameters
        ----------
        model : CoxModel or LassoCox
            Fitted on a DataFrame; or a Pipeline or TunedSurvival that ends in one, behind steps
            that scale, select or impute each column by itself.
        patients
            The table it was fitted on, for the ranges of the axes.
        levels
            Variable → level → indicator column of the model, None for the reference level: the
            columns become one axis under the variable's name.
        values
            Numeric variable → values on its axis; when not given, round numbers around those of
            the patients, or the values themselves when there are at most five.

        Raises
        ------
        SchemaError
            The model does not know the names of its features, or a column is missing.
        DataError
            No coefficient differs from 0 (those that are 0 get no axis), the model is of another
            kind, or a step bends or mixes columns.
        """
        found, baseline = cox_predictor(model, patients)
        axes = axes_of_model(found.coefficients, patients, levels=levels or {}, values=values or {})
        return cls(axes, found.intercept, baseline)

    @classmethod
    def from_logistic(
        cls,
        model: Any,
        patients: pd.DataFrame,
        *,
        levels: Mapping[str, Mapping[str, str | None]] | None = None,
        values: Mapping[str, Sequence[float]] | None = None,
        outcome: str | None = None,
    ) -> Nomogram:
        """Write a fitted binary logistic model as a nomogram; parameters as in :meth:`from_cox`.

        Parameters
        ----------
        model : sklearn.linear_model.LogisticRegression
            Two classes; the probability is that of ``classes_[1]``. Or a Pipeline that ends in one,
            or a TunedClassifier that ends in any linear classifier, with its calibration.
        patients, levels, values
            As in :meth:`from_cox`.
        outcome
            Words for the probability; when not given, the name of the class.
        """
        found = logistic_predictor(model, patients)
        axes = axes_of_model(found.coefficients, patients, levels=levels or {}, values=values or {})
        words = f"probability of {model.classes_[1]}" if outcome is None else outcome
        return cls(axes, found.intercept, outcome=words)

    def points_table(self) -> pd.DataFrame:
        """Points of each value shown on each axis.

        Returns
        -------
        DataFrame
            ``variable, value`` (number or level), ``effect`` (on the linear predictor) and
            ``points``, in the order of the axes.
        """
        return pd.DataFrame(
            [
                (axis.name, value, effect, (effect - axis.lowest) * self.points_per_unit)
                for axis in self.axes
                for value, effect in zip(axis.values, axis.effects, strict=True)
            ],
            columns=["variable", "value", "effect", "points"],
        )

    def probability_table(
        self, horizons: ArrayLike = (), *, total_points: ArrayLike | None = None
    ) -> pd.DataFrame:
        """Probabilities at totals of points: what is read off downwards.

        Parameters
        ----------
        horizons
            Months, for a Cox model; none for a logistic one.
        total_points
            Totals; when not given, round numbers over the whole axis.

        Returns
        -------
        DataFrame
            ``outcome, total_points, linear_predictor, probability``.

        Raises
        ------
        DataError
            Horizons do not fit the model, or lie outside its follow-up.
        """
        totals = (
            np.array(round_ticks(0.0, self.max_total))
            if total_points is None
            else np.atleast_1d(as_floats(total_points, "total points"))
        )
        predictor = self.lowest + totals / self.points_per_unit
        chances = self._probabilities(predictor, horizons)
        return _tidy(chances, totals, predictor)

    def probability_axes(
        self, horizons: ArrayLike = (), *, probabilities: Sequence[float] | None = None
    ) -> pd.DataFrame:
        """Totals of points at round probabilities: the ticks of the lowest axes when drawn.

        Parameters
        ----------
        horizons
            Months, for a Cox model; none for a logistic one.
        probabilities
            Between 0 and 1; when not given, round ones. Those out of reach are left out.

        Returns
        -------
        DataFrame
            ``outcome, total_points, linear_predictor, probability``.

        Raises
        ------
        DataError
            Horizons do not fit the model, nobody has failed by then, or no probability is in reach.
        """
        ends = self._probabilities(
            np.array([self.lowest, self.lowest + self.max_total / self.points_per_unit]), horizons
        )
        hazards = [None] if self.baseline is None else self.baseline.at(horizons)
        parts = []
        for (outcome, reach), hazard in zip(ends.items(), hazards, strict=True):
            low, high = reach.min(), reach.max()
            asked = _reachable(low, high) if probabilities is None else probabilities
            chances = np.asarray(asked, dtype=float)
            chances = chances[(chances >= low) & (chances <= high)]
            if not chances.size or not low < high:
                raise DataError(
                    f"{outcome}: expected probabilities that patients can reach, {low:.3g} to "
                    f"{high:.3g}; found none. Choose others, or another horizon."
                )
            predictor = (
                logit(chances) if hazard is None else np.log(-np.log(chances)) - np.log(hazard)
            )
            totals = (predictor - self.lowest) * self.points_per_unit
            parts.append(_tidy({outcome: chances}, totals, predictor))
        return pd.concat(parts, ignore_index=True)

    def score(self, patients: pd.DataFrame, horizons: ArrayLike = ()) -> NomogramScore:
        """Points, their total and probabilities of patients.

        Parameters
        ----------
        patients
            One column a variable, in the words of the axes: numbers, or names of levels.
        horizons
            Months, for a Cox model; none for a logistic one.

        Returns
        -------
        NomogramScore

        Raises
        ------
        SchemaError
            A variable has no column.
        DataError
            A value is missing or not a number, or horizons do not fit.
        UnknownNameError
            A level is not on its axis.

        Warns
        -----
        RadiogenomicsWarning
            A value lies beyond the end of its axis.
        """
        missing = [axis.name for axis in self.axes if axis.name not in patients]
        if missing:
            raise SchemaError(
                f"expected a column for each variable of the nomogram; found no {missing}. "
                "Add them, in the words of the axes."
            )
        points, predictor = pd.DataFrame(index=patients.index), np.full(len(patients), self.lowest)
        for axis in self.axes:
            above = axis.effect_of(patients[axis.name]) - axis.lowest
            points[axis.name] = above * self.points_per_unit
            predictor += above
        chances = pd.DataFrame(self._probabilities(predictor, horizons), index=patients.index)
        return NomogramScore(points, points.sum(axis=1).rename("total_points"), chances)

    def _probabilities(self, predictor: np.ndarray, horizons: ArrayLike) -> dict[str, np.ndarray]:
        """Probability of each outcome, in words, for each linear predictor."""
        at = np.atleast_1d(as_floats(horizons, "horizons"))
        if self.baseline is None:
            if at.size:
                raise DataError(
                    f"expected no horizons, as a logistic model has no time; found {at.size}. "
                    "Leave them out."
                )
            return {self.outcome: expit(predictor)}
        if not at.size or len(np.unique(at)) < at.size:
            raise DataError(
                f"expected different horizons in months, at least one; found {at.tolist()}. "
                "Write [12, 24], say."
            )
        survival = self.baseline.survival(predictor, at)
        return {f"{month:g}-month survival": survival[:, k] for k, month in enumerate(at)}


def _reachable(low: float, high: float) -> tuple[float, ...]:
    """Round probabilities from low to high; finer ones when few of the usual lie there."""
    usual = tuple(p for p in _PROBABILITIES if low <= p <= high)
    if len(usual) >= _FEWEST_TICKS:
        return usual
    return tuple(p for p in round_ticks(low, high) if max(low, 1e-12) <= p <= min(high, 1 - 1e-12))


def _tidy(
    chances: Mapping[str, np.ndarray], totals: np.ndarray, predictor: np.ndarray
) -> pd.DataFrame:
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "outcome": outcome,
                    "total_points": totals,
                    "linear_predictor": predictor,
                    "probability": values,
                }
            )
            for outcome, values in chances.items()
        ],
        ignore_index=True,
    )
