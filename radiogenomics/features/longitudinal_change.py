"""Features of several time points, side by side or as change from one to the next."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar, Literal, NamedTuple, get_args

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, SchemaError, short_list
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import MARK, refuse_row_facts
from radiogenomics.stats.inputs import Floats

Mode = Literal["concatenate", "difference", "ratio", "symmetric", "rate"]
Missing = Literal["error", "baseline_only", "drop"]

SEPARATOR = "|"


class _Column(NamedTuple):
    """An output: column ``later`` of the input, less column ``earlier`` unless that is None."""

    name: str
    later: int
    earlier: int | None


class LongitudinalChange(TransformerMixin, BaseEstimator):
    r"""Turn features of several time points into one description of each patient.

    Input columns are named ``<time point>|<feature>``, the part behind the first bar being the
    feature. With the earlier value :math:`a` and the later value :math:`b` of a patient:

    - ``"concatenate"``: all of them as they are, ordered by time point;
    - ``"difference"``: :math:`b - a`, in the unit of the feature;
    - ``"ratio"``: relative change :math:`(b - a) / |a|`, above 0 for a rise whatever the sign of
      :math:`a`; -1 is a fall to zero, 0 no change;
    - ``"symmetric"``: :math:`2 (b - a) / (|a| + |b|)`, from -2 to 2, defined at zero;
    - ``"rate"``: :math:`(b - a)` per week, over the weeks in the column ``interval``.

    A ratio explodes where a feature starts near zero, as skewness and filtered means do. Where
    :math:`|a| <` ``floor`` :math:`\times |b|` it is left missing, never infinite, and a warning
    counts such values: impute them, or use ``"symmetric"``. Change compounds the measurement error
    of two scans, so features need to agree on retest far better than for one.

    Nothing is learnt from other patients; ``fit`` reads the names only. Missing values stay
    missing, as does every change from or to them: put an imputer behind this step.

    Parameters
    ----------
    mode
        One of the five.
    time_points
        Names of the time points, earliest first; at least two.
    interval
        Row fact with the weeks from the first to the last time point, above 0. Read, and taken out
        of the table, with ``mode="rate"`` only.
    steps
        With more than two time points: ``"ends"`` for change from the first to the last,
        ``"successive"`` for change from each to the next (not for ``"rate"``, which knows one
        interval).
    missing
        What becomes of a feature that a time point lacks: ``"error"``; ``"baseline_only"`` hands
        on, unchanged, features that only the first time point has (sex, say) and fails for others;
        ``"drop"`` leaves out every one that is not there each time.
    floor
        Smallest :math:`|a| / |b|` that may stand below a ratio, above 0 and below 1.

    Attributes
    ----------
    names_ : ndarray of str
        Output columns: ``<time point>|<feature>`` as they came, else ``<mode>|<feature>``, or
        ``<mode> <earlier> to <later>|<feature>`` with successive steps of three or more.

    Raises
    ------
    SchemaError
        A column has no bar or another time point, a feature is not there each time, there is a row
        fact too many or ``interval`` is not there.
    DataError
        ``X`` has no names, a parameter is senseless, or an interval is not above 0 (time points in
        the wrong order).

    References
    ----------
    Fave et al. 2017, doi:10.1038/s41598-017-00665-z (change of radiomic features under treatment).

    Examples
    --------
    >>> import pandas as pd
    >>> X = pd.DataFrame({"baseline|size": [20.0, 40.0], "follow_up|size": [15.0, 50.0]})
    >>> change = LongitudinalChange("ratio").set_output(transform="pandas")
    >>> change.fit_transform(X)
       ratio|size
    0       -0.25
    1        0.25
    """

    card: ClassVar[Method] = Method(
        name="longitudinal_change",
        title="Concatenation, difference, relative change or rate between time points",
        scope="features: construction",
        reference="Fave et al., Sci Rep 2017;7:588, doi:10.1038/s41598-017-00665-z",
        limits="Compounds the error of two scans; ratios explode near zero; only patients who "
        "lived and stayed to be scanned again have a change, so time counts from the last scan.",
        learns=False,
    )
    # Time points are read from the names of columns.
    needs_names: ClassVar[bool] = True

    def __init__(
        self,
        mode: Mode = "concatenate",
        time_points: tuple[str, ...] = ("baseline", "follow_up"),
        interval: str = "@weeks",
        *,
        steps: Literal["ends", "successive"] = "ends",
        missing: Missing = "error",
        floor: float = 1e-6,
    ) -> None:
        self.mode = mode
        self.time_points = time_points
        self.interval = interval
        self.steps = steps
        self.missing = missing
        self.floor = floor

    @property
    def row_facts(self) -> tuple[str, ...]:
        """Row facts that this step takes out of the table."""
        return (self.interval,) if self.mode == "rate" else ()

    def fit(self, X: Any, y: Any = None) -> LongitudinalChange:
        """Read the names of the columns; no patient is looked at, ``y`` is not used."""
        self._check_parameters()
        validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        if not hasattr(self, "feature_names_in_"):
            raise DataError(
                "LongitudinalChange: expected a table with columns named <time point>|<feature>; "
                f"found {type(X).__name__} without names. Pass a DataFrame; in a pipeline, "
                "set_output(transform='pandas') before it."
            )
        names = list(self.feature_names_in_)
        self._check_facts(X, names)
        places = _places(names, self.time_points, facts=self.row_facts)
        shared, alone = self._features(places)
        self._columns = self._outputs(places, shared)
        first = self.time_points[0]
        self._columns += [_Column(f"{first}{SEPARATOR}{f}", places[first][f], None) for f in alone]
        self._weeks = names.index(self.interval) if self.row_facts else None
        self.names_ = np.array([column.name for column in self._columns], dtype=object)
        return self

    def transform(self, X: Any) -> Any:
        """Describe patients, each from its own row; shape (n, number of names_)."""
        check_is_fitted(self)
        values = validate_data(
            self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False
        )
        out = values[:, [column.later for column in self._columns]]
        changes = [i for i, column in enumerate(self._columns) if column.earlier is not None]
        if changes:
            earlier = values[:, [self._columns[i].earlier for i in changes]]
            out[:, changes] = self._change(earlier, out[:, changes], values)
        return out

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the output columns."""
        check_is_fitted(self)
        _check_feature_names_in(self, input_features)
        return self.names_

    def _change(self, earlier: Floats, later: Floats, values: Floats) -> Floats:
        change = later - earlier
        if self.mode == "difference":
            return change
        if self.mode == "rate":
            return change / _checked_weeks(values[:, self._weeks], change)[:, np.newaxis]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if self.mode == "symmetric":
                # Each is divided first, so that the sum of two huge values cannot overflow.
                size = np.maximum(np.abs(earlier), np.abs(later))
                a, b = earlier / size, later / size
                return np.where(size == 0, 0.0, 2 * (b - a) / (np.abs(a) + np.abs(b)))
            near_zero = np.abs(earlier) < self.floor * np.abs(later)
            ratio = np.where(change == 0, 0.0, change / np.abs(earlier))
        if near_zero.any():
            warnings.warn(
                f"LongitudinalChange: {int(near_zero.sum())} relative changes start from nearly "
                "zero and were left missing. Impute them, or use mode='symmetric'.",
                RadiogenomicsWarning,
                stacklevel=4,
            )
        return np.where(near_zero, np.nan, ratio)

    def _features(self, places: dict[str, dict[str, int]]) -> tuple[list[str], list[str]]:
        """Features that each time point has, and those of the first alone to be handed on."""
        known = list(dict.fromkeys(feature for names in places.values() for feature in names))
        first = self.time_points[0]
        shared, alone = [], []
        for feature in known:
            having = [point for point in self.time_points if feature in places[point]]
            if len(having) == len(self.time_points):
                shared.append(feature)
            elif self.missing == "baseline_only" and having == [first]:
                alone.append(feature)
            elif self.missing != "drop":
                lacking = [point for point in self.time_points if point not in having]
                raise SchemaError(
                    f"expected each feature at each time point; found {feature!r} at "
                    f"{', '.join(having)} and not at {', '.join(lacking)}. Extract it there, or "
                    "set missing to 'drop' or, for features of the first time point alone, to "
                    "'baseline_only'."
                )
        if not shared and not alone:
            raise SchemaError(
                f"expected a feature that {', '.join(self.time_points)} share; found none of "
                f"{len(known)}. Name features alike at each time point."
            )
        return shared, alone

    def _outputs(self, places: dict[str, dict[str, int]], shared: list[str]) -> list[_Column]:
        points = self.time_points
        if self.mode == "concatenate":
            return [
                _Column(f"{point}{SEPARATOR}{feature}", places[point][feature], None)
                for point in points
                for feature in shared
            ]
        pairs = [(points[0], points[-1])]
        if self.steps == "successive":
            pairs = list(zip(points[:-1], points[1:], strict=True))
        return [
            _Column(
                (self.mode if len(pairs) == 1 else f"{self.mode} {a} to {b}") + SEPARATOR + feature,
                places[b][feature],
                places[a][feature],
            )
            for a, b in pairs
            for feature in shared
        ]

    def _check_facts(self, X: Any, names: list[str]) -> None:
        if self.row_facts and self.interval not in names:
            raise SchemaError(
                f"mode 'rate': expected the column {self.interval} with the weeks between the time "
                f"points; found {short_list(n for n in names if n.startswith(MARK)) or 'none'}. "
                "Add it, or use mode 'difference'."
            )
        refuse_row_facts(X[[name for name in names if name not in self.row_facts]])

    def _check_parameters(self) -> None:
        for name, value, known in (
            ("mode", self.mode, get_args(Mode)),
            ("steps", self.steps, ("ends", "successive")),
            ("missing", self.missing, get_args(Missing)),
        ):
            if value not in known:
                raise DataError(
                    f"{name}: expected one of {', '.join(known)}; found {value!r}. Correct it."
                )
        points = self.time_points
        if isinstance(points, str) or len(points) < 2 or len(set(points)) < len(points):
            raise DataError(
                "time_points: expected two or more different names, earliest first; found "
                f"{points!r}. List each time point once."
            )
        if self.mode == "rate" and self.steps == "successive" and len(points) > 2:
            raise DataError(
                "steps: expected 'ends' with mode 'rate', for which one interval is known; found "
                "'successive'. Use mode 'difference', or one step for each pair."
            )
        if not 0 < self.floor < 1:
            raise DataError(
                f"floor: expected above 0 and below 1; found {self.floor}. It is a share of the "
                "later value, for example 1e-6."
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _places(
    names: list[str], points: tuple[str, ...], *, facts: tuple[str, ...]
) -> dict[str, dict[str, int]]:
    """Column of each feature at each time point."""
    places: dict[str, dict[str, int]] = {point: {} for point in points}
    odd = []
    for position, name in enumerate(names):
        point, bar, feature = name.partition(SEPARATOR)
        if name in facts:
            continue
        if not bar or point not in places:
            odd.append(name)
        else:
            places[point][feature] = position
    if odd:
        raise SchemaError(
            f"expected columns named <time point>{SEPARATOR}<feature> of the time points "
            f"{', '.join(points)}; found {len(odd)} others ({short_list(odd)}). Rename or drop "
            "them, or name their time point in time_points."
        )
    empty = [point for point in points if not places[point]]
    if empty:
        raise SchemaError(
            f"expected columns of each time point ({', '.join(points)}); found none of "
            f"{', '.join(empty)}. Correct time_points or add the columns."
        )
    return places


def _checked_weeks(weeks: Floats, change: Floats) -> Floats:
    """Intervals, all above 0; missing only where every change is missing too."""
    if (weeks <= 0).any():
        raise DataError(
            f"expected weeks above 0 between the time points; found {int((weeks < 0).sum())} below "
            f"and {int((weeks == 0).sum())} of 0. A negative interval means time points in the "
            "wrong order: give time_points earliest first, or mend the dates."
        )
    lost = np.isnan(weeks) & ~np.isnan(change).all(axis=1)
    if lost.any():
        raise DataError(
            "expected the weeks between the time points of each patient seen twice; found "
            f"{int(lost.sum())} missing. Fill them in, or use mode 'difference'."
        )
    return weeks
