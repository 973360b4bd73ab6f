"""Keep the variables that come out alike when the same patients are read again."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
import pandas as pd
from sklearn.utils.validation import validate_data

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    RadiogenomicsWarning,
    SchemaError,
    short_list,
)
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.features.selector import FeatureSelector
from radiogenomics.stats.agreement.icc import FORMS, Form, intraclass_correlation
from radiogenomics.stats.inputs import Floats, as_floats, check_level

Retest: TypeAlias = pd.DataFrame | Sequence[pd.DataFrame]

# A range below this share of the values is rounding, not spread between patients.
ROUNDING = 1e-13


class ICCFilter(FeatureSelector):
    r"""Keep variables whose intraclass correlation on repeated readings reaches a threshold.

    The readings are a table of its own, given to the constructor: some patients segmented by two
    readers, by one reader twice, or scanned and perturbed several times. For each variable,
    :func:`radiogenomics.stats.agreement.icc.intraclass_correlation` compares disagreement between
    readings with the spread of those patients; the variables of ``X`` are matched to it by name.

    Neither the label nor ``X`` is looked at, so nothing leaks from test patients as long as the
    patients read again are not test patients: take them from the training centre, or from people
    outside the study. The ICC rises with the spread of the patients who were read: a threshold
    reached in a mixed group says little of a homogeneous one. Of 30 patients read twice, an
    ICC(1,1) of 0.75 has an interval from 0.54 to 0.87; ``use="low"`` asks for its lower end.

    Parameters
    ----------
    retest
        Either one DataFrame with rows indexed by (patient, reading), as ``imaging.retest_table``
        gives it, or a sequence of DataFrames, one a reading, of the same patients and variables.
        Which reading is which matters to forms 2 and 3. A patient with an empty reading (a row of
        NaN) is left out with a warning.
    form
        One of the six names of ``stats.agreement.icc.FORMS``: ICC(2,1) for readers, ICC(1,1) for
        perturbations, ICC(3,1) where offsets between readers are forgiven; k instead of 1 when the
        mean of all readings is what is used later.
    threshold
        Smallest ICC at which a variable is kept, at most 1.
    agreement
        Instead of ``retest``: ICC by variable, computed before, as a Series or as a DataFrame with
        the column ``icc`` (and ``low`` for ``use="low"``). ``form`` and ``level`` then do nothing.
    use
        ``"estimate"``, or ``"low"`` for the lower bound of the interval.
    level
        Level of that interval.
    unknown
        What becomes of variables of ``X`` that were not read again: ``"drop"``, ``"keep"`` or
        ``"error"``. One that was, but is missing in a reading or the same for everybody, has no
        ICC and is dropped.
    fallback
        How many of the best variables to keep when none reaches the threshold; 0 fails instead.

    Attributes
    ----------
    agreement_ : DataFrame
        Variables of ``X`` × ``icc``, ``low``, ``high``; NaN where there is none.
    unknown_ : ndarray of str
        Variables of ``X`` that were not read again.
    support_, scores_, fell_back_
        As in :class:`FeatureSelector`; scores are the ICC, or its lower bound.

    Raises
    ------
    DataError
        There are no readings, or fewer than two patients or readings; ``X`` has no names; a
        parameter is senseless.
    AlignmentError
        Readings differ in patients or variables; no variable of ``X`` was read again, or one was
        not and ``unknown`` is ``"error"``.

    References
    ----------
    Koo and Li, J Chiropr Med 2016;15:155, doi:10.1016/j.jcm.2016.02.012 (forms, and 0.75 as good).

    Examples
    --------
    >>> first = pd.DataFrame({"size": [1.0, 2.0, 3.0, 4.0], "noise": [1.0, 2.0, 3.0, 4.0]})
    >>> again = pd.DataFrame({"size": [1.1, 2.0, 2.9, 4.2], "noise": [3.0, 1.0, 4.0, 2.0]})
    >>> list(ICCFilter([first, again]).fit(first).get_feature_names_out())
    ['size']
    """

    card: ClassVar[Method] = Method(
        name="icc_filter",
        title="Keep variables that agree between repeated readings (ICC)",
        scope="features: selection",
        reference="Koo and Li, J Chiropr Med 2016;15:155, doi:10.1016/j.jcm.2016.02.012",
        limits="Depends on the spread of the patients read again. Agreement is not relevance: "
        "volume-like variables pass together. The patients read again must not be test patients.",
        learns=True,
    )
    # Arrays without names cannot be matched with the readings.
    needs_names: ClassVar[bool] = True

    def __init__(
        self,
        retest: Retest | None = None,
        form: Form = "ICC(2,1)",
        threshold: float = 0.75,
        *,
        agreement: pd.Series | pd.DataFrame | None = None,
        use: Literal["estimate", "low"] = "estimate",
        level: float = 0.95,
        unknown: Literal["drop", "keep", "error"] = "drop",
        fallback: int = 1,
    ) -> None:
        self.retest = retest
        self.form = form
        self.threshold = threshold
        self.agreement = agreement
        self.use = use
        self.level = level
        self.unknown = unknown
        self.fallback = fallback

    def fit(self, X: Any, y: Any = None) -> ICCFilter:
        """Match the variables of ``X`` with the readings by name; ``y`` is not used."""
        self._check_parameters()
        refuse_row_facts(X)
        validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        if not hasattr(self, "feature_names_in_"):
            raise DataError(
                f"ICCFilter: expected a table with named columns; found {type(X).__name__} without "
                "names. Pass a DataFrame; in a pipeline, set_output(transform='pandas') before it."
            )
        names = self.feature_names_in_
        self.agreement_, present = self._agreement(names)
        scores = self.agreement_["low" if self.use == "low" else "icc"].to_numpy()
        passed = scores >= self.threshold
        if self.unknown == "keep":
            passed |= ~present
        self._settle(passed, scores)
        return self

    def _agreement(self, names: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
        """ICC, lower and upper bound of the variables of ``X``, and which of them were read."""
        if self.agreement is not None:
            published = _published(self.agreement, need_low=self.use == "low")
            place = published.index.get_indexer(names)
            self._check_unknown(names[place < 0], published.index)
            return published.reindex(names), place >= 0
        values, known = _readings(self.retest)
        place = known.get_indexer(names)
        self._check_unknown(names[place < 0], known)
        found = np.full((len(names), 3), np.nan)
        found[place >= 0] = _icc(values[..., place[place >= 0]], form=self.form, level=self.level)
        return pd.DataFrame(found, index=names, columns=["icc", "low", "high"]), place >= 0

    def _check_parameters(self) -> None:
        if (self.retest is None) == (self.agreement is None):
            raise DataError(
                "ICCFilter: expected either retest (readings) or agreement (ICC by variable); "
                f"found {'none' if self.retest is None else 'both'}. Give one of the two."
            )
        choices = (
            ("form", self.form, FORMS),
            ("use", self.use, ("estimate", "low")),
            ("unknown", self.unknown, ("drop", "keep", "error")),
        )
        for name, value, known in choices:
            if value not in known:
                raise DataError(
                    f"{name}: expected one of {', '.join(known)}; found {value!r}. Correct it."
                )
        check_level(self.level)
        if not self.threshold <= 1:
            raise DataError(
                f"threshold: expected at most 1; found {self.threshold}. Write 0.75 for 75 %."
            )

    def _check_unknown(self, unknown: np.ndarray, known: pd.Index) -> None:
        self.unknown_ = unknown
        if len(unknown) == len(self.feature_names_in_):
            raise AlignmentError(
                f"expected variables of X among the {len(known)} that were read again "
                f"({short_list(known)}); found none ({short_list(unknown)}). Name both alike."
            )
        if self.unknown == "error" and len(unknown):
            raise AlignmentError(
                f"expected each variable of X to be read again; found {len(unknown)} that "
                f"were not ({short_list(unknown)}). Drop them, or set unknown to 'drop' or "
                "'keep'."
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        tags.input_tags.allow_nan = True
        return tags


def _icc(values: Floats, *, form: Form, level: float) -> Floats:
    """ICC, lower and upper bound a row, for readings of shape (patients, readings, variables)."""
    defined = np.isfinite(values).all(axis=(0, 1))
    usable = values[..., defined]
    # An ICC does not change with the unit, while the squares of an odd unit may overflow.
    size = np.abs(usable).max(axis=(0, 1))
    usable = usable - usable.mean(axis=(0, 1))
    spread = np.abs(usable).max(axis=(0, 1))
    varies = spread > ROUNDING * size
    found = np.full((values.shape[2], 3), np.nan)
    icc = intraclass_correlation(usable[..., varies] / spread[varies], form=form, level=level)
    found[np.flatnonzero(defined)[varies]] = np.stack([icc.value, icc.low, icc.high], axis=1)
    return found


def _published(agreement: pd.Series | pd.DataFrame, *, need_low: bool) -> pd.DataFrame:
    table = agreement.to_frame("icc") if isinstance(agreement, pd.Series) else agreement
    needed = ["icc", "low"] if need_low else ["icc"]
    lacking = [name for name in needed if name not in getattr(table, "columns", ())]
    if lacking:
        raise SchemaError(
            "agreement: expected a Series of ICC by variable, or a DataFrame with the column(s) "
            f"{', '.join(needed)}; found none called {', '.join(lacking)}. Name them so."
        )
    _refuse_repeats(table.index, "variables in agreement")
    return table.reindex(columns=["icc", "low", "high"]).astype(float)


def _readings(retest: Any) -> tuple[Floats, pd.Index]:
    """Readings as (patients, readings, variables), without patients that lack one."""
    if isinstance(retest, pd.DataFrame):
        tables = _parted(retest)
    else:
        tables = list(retest)
        if any(not isinstance(table, pd.DataFrame) for table in tables):
            raise DataError(
                "retest: expected DataFrames, one a reading; found "
                f"{short_list(type(table).__name__ for table in tables)}. Give the variables names."
            )
    if len(tables) < 2:
        raise DataError(
            f"retest: expected at least 2 readings; found {len(tables)}. Agreement needs a second "
            "look at the same patients."
        )
    first = tables[0]
    _refuse_repeats(first.columns, "variables in retest")
    _refuse_repeats(first.index, "patients in a reading")
    for number, table in enumerate(tables[1:], start=2):
        _refuse_others(first.columns, table.columns, f"variables in reading {number}")
        _refuse_others(first.index, table.index, f"patients in reading {number}")
    values = np.stack(
        [as_floats(t.loc[first.index, first.columns], "readings") for t in tables], axis=1
    )
    read = ~np.isnan(values).all(axis=2).any(axis=1)
    if not read.all():
        warnings.warn(
            f"{int((~read).sum())} of {len(read)} patients of the retest table lack a reading and "
            "were left out.",
            RadiogenomicsWarning,
            stacklevel=4,
        )
    if read.sum() < 2:
        raise DataError(
            f"retest: expected at least 2 patients with every reading; found {int(read.sum())}. "
            "Agreement is judged against the spread between patients: add some."
        )
    return values[read], first.columns


def _parted(table: pd.DataFrame) -> list[pd.DataFrame]:
    """One table a reading."""
    if table.index.nlevels != 2:
        raise DataError(
            "retest: expected rows indexed by (patient, reading), or a sequence of tables, one a "
            f"reading; found one table with {table.index.nlevels} index level(s). Set the index."
        )
    _refuse_repeats(table.index, "readings in retest")
    return [part.droplevel(1) for _, part in table.groupby(level=1, sort=False)]


def _refuse_repeats(index: pd.Index, what: str) -> None:
    if not index.is_unique:
        raise AlignmentError(
            f"expected {what} each named once; found {short_list(index[index.duplicated()])} more "
            "than once. Rename or drop the copies."
        )


def _refuse_others(first: pd.Index, index: pd.Index, what: str) -> None:
    _refuse_repeats(index, what)
    odd = first.symmetric_difference(index, sort=False)
    if len(odd):
        raise AlignmentError(
            f"expected the same {what} as in the first; found {len(odd)} in one of the two only "
            f"({short_list(odd)}). Leave out what was not read each time."
        )
