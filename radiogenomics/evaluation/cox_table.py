"""Tables of Cox models as papers print them: each level with counts, each variable with tests.

Examples
--------
>>> ids = [f"P{i}" for i in range(16)]
>>> stage = pd.DataFrame({"stage": ["I", "I", "II", "I", "II", "II", "I", "I"] * 2}, index=ids)
>>> outcome = SurvivalOutcome("OS", pd.Series([5.0, 9, 3, 8, 2, 6, 4, 12] * 2, ids),
...                           pd.Series([1, 0, 1, 1, 1, 1, 1, 0] * 2, ids))
>>> table = univariable_cox_table(stage, outcome)
>>> table[["term", "n", "events", "hazard_ratio", "n_model", "events_model"]].values.tolist()
[['stage: I (reference)', 10, 6, 1.0, 16, 12], ['stage: II vs I', 6, 6, 5.0, 16, 12]]
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.stats.survival.cox import CoxFit, fit_cox
from radiogenomics.stats.survival.proportional_hazards import proportional_hazards

EVENTS_PER_COEFFICIENT = 10

_COLUMNS = (
    "model",
    "variable",
    "level",
    "term",
    "reference",
    "n",
    "events",
    "n_model",
    "events_model",
    "hazard_ratio",
    "low",
    "high",
    "p",
    "p_variable",
    "p_proportional",
    "left_out",
    "note",
)


@dataclass(frozen=True)
class _Variable:
    """A variable of some patients, written as columns of a design; no column when constant."""

    name: str
    values: pd.Series
    levels: tuple[object, ...]
    design: pd.DataFrame

    @property
    def terms(self) -> list[str]:
        return [str(term) for term in self.design.columns]

    def rows(self, event: pd.Series) -> Iterator[dict[str, object]]:
        """What is known before any fit: one row a level, the reference first, or one in all."""
        if not self.levels:
            yield self._row(None, self.name, event, reference=False)
            return
        reference, *others = self.levels
        yield self._row(reference, f"{self.name}: {reference} (reference)", event, reference=True)
        for level, term in zip(others, self.terms, strict=True):
            yield self._row(level, term, event, reference=False)

    def _row(
        self, level: object, term: str, event: pd.Series, *, reference: bool
    ) -> dict[str, object]:
        member = event if level is None else event[self.values == level]
        return {
            "variable": self.name,
            "level": "" if level is None else str(level),
            "term": term,
            "reference": reference,
            "n": len(member),
            "events": int(member.sum()),
            "hazard_ratio": 1.0 if reference else np.nan,
        }


def univariable_cox_table(
    frame: pd.DataFrame,
    outcome: SurvivalOutcome,
    *,
    references: Mapping[str, object] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Fit one Cox model a variable and tabulate them.

    Numbers enter per unit; anything else as categories, each level against the reference: the one
    named, else the first of a pandas categorical, False of booleans, the most frequent of text.
    Each variable uses the patients who have it. A variable that is significant alone need not
    matter beside the others, and picking variables by these p-values makes a later model look
    better than it is.

    Parameters
    ----------
    frame
        Variables in columns; at least the patients of ``outcome``. Empty text counts as missing.
    outcome
        Time and event.
    references
        Reference level of each category that shall not have the default one.
    level
        Of the intervals.

    Returns
    -------
    DataFrame
        ``model, variable, level, term, reference, n, events, n_model, events_model, hazard_ratio,
        low, high, p, p_variable, p_proportional, left_out, note``, one row a level. ``n, events``
        count the level, ``n_model, events_model`` all who have the variable, whom the model is
        fitted to, ``left_out`` the others. ``p`` is Wald's of the level, ``p_variable`` the
        likelihood ratio test of the whole variable, ``p_proportional`` that of proportional
        hazards. Where there is no finite estimate, the row stays without one, ``note`` says why,
        and a warning does; another warns of fewer than 10 events a coefficient.

    Raises
    ------
    AlignmentError, DataError, OutcomeError, UnknownNameError
        Patients without a row; no variable; no event; a reference that is not there.

    References
    ----------
    Peduzzi et al. 1995, doi:10.1016/0895-4356(95)00048-8 (events a coefficient); Grambsch &
    Therneau 1994, doi:10.1093/biomet/81.3.515.
    """
    table = _checked(frame, outcome, references)
    parts = [
        _alone(_variable(table[name].dropna(), references or {}), outcome, level=level)
        for name in table
    ]
    rows = pd.concat(parts, ignore_index=True)
    rows["left_out"] = rows["variable"].map(table.isna().sum())
    for row in rows[rows["note"] != ""].drop_duplicates("variable").itertuples():
        _warn(f"{row.variable} has no hazard ratio: {row.note}.")
    _warn_of_few_events(rows, by="variable")
    return _tidy(rows, model="univariable")


def _alone(variable: _Variable, outcome: SurvivalOutcome, *, level: float) -> pd.DataFrame:
    truth = outcome.for_patients(variable.values.index)
    rows = pd.DataFrame(variable.rows(truth.event))
    rows["n_model"], rows["events_model"] = len(truth.time), truth.n_events
    rows["note"] = _obstacle([variable], truth)
    if rows["note"].iloc[0]:
        return rows
    fit = fit_cox(variable.design, truth.time, truth.event)
    rows = _filled(rows, [variable], fit, level=level)
    rows["p_variable"] = fit.likelihood_ratio_p
    if fit.converged:
        rows["p_proportional"] = _proportional([variable], truth)[variable.name]
    else:
        rows["note"] = _separation([variable], truth)
    return rows


def multivariable_cox_table(
    frame: pd.DataFrame,
    outcome: SurvivalOutcome,
    *,
    references: Mapping[str, object] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Fit one Cox model of all variables and tabulate it.

    Coding of variables as in :func:`univariable_cox_table`. Patients who lack any variable are left
    out, which misleads unless they are missing at random. With fewer than 10 events a coefficient,
    and surely below 5, hazard ratios are biased and intervals cover too rarely.

    Parameters
    ----------
    frame, outcome, references, level
        As in :func:`univariable_cox_table`.

    Returns
    -------
    DataFrame
        Columns as there; ``n_model`` counts the patients who have all variables, and ``n`` is out
        of them. ``p_variable`` compares with the model without the variable. A variable
        that is the same for all has a note and no estimate.

    Raises
    ------
    AlignmentError, DataError, UnknownNameError
        As there.
    OutcomeError
        No more events than parameters, or no finite maximum.

    """
    table = _checked(frame, outcome, references)
    complete = table.dropna()
    if len(complete) < len(table):
        lacking = ", ".join(f"{name}: {n}" for name, n in table.isna().sum().items() if n)
        _warn(f"{len(table) - len(complete)} of {len(table)} patients lack a variable ({lacking}).")
    truth = outcome.for_patients(complete.index)
    variables = [_variable(complete[name], references or {}) for name in complete]
    used = [variable for variable in variables if variable.terms]
    fit = _fit_all(used, truth)
    parts = []
    for variable in variables:
        rows = pd.DataFrame(variable.rows(truth.event))
        rows["note"] = "" if variable.terms else "the same for all patients"
        if not variable.terms:
            _warn(f"{variable.name} is the same for all {len(complete)} patients: no hazard ratio.")
        parts.append(rows)
    rows = pd.concat(parts, ignore_index=True)
    rows["n_model"], rows["events_model"] = len(complete), truth.n_events
    rows["left_out"] = len(table) - len(complete)
    rows = _filled(rows, used, fit, level=level)
    rows["p_variable"] = rows["variable"].map(_likelihood_ratios(used, truth, fit))
    rows["p_proportional"] = rows["variable"].map(_proportional(used, truth))
    _warn_of_few_events(rows.assign(model="all together"), by="model")
    return _tidy(rows, model="multivariable")


def _fit_all(variables: list[_Variable], truth: SurvivalOutcome) -> CoxFit:
    if not variables:
        raise DataError(
            "expected a variable that differs between patients; found none among "
            f"{len(truth.time)} patients who have all variables. Leave out what is missing or "
            "constant."
        )
    note = _obstacle(variables, truth)
    if note:
        raise OutcomeError(
            f"{truth.endpoint}: expected more events than parameters; found {note}. Drop "
            "variables, merge levels, or penalise (ridge or lasso)."
        )
    fit = fit_cox(_design(variables), truth.time, truth.event)
    if not fit.converged:
        raise OutcomeError(
            f"{truth.endpoint}: expected a Cox model with a finite maximum; found none: "
            f"{_separation(variables, truth)}."
        )
    return fit


def _likelihood_ratios(
    variables: list[_Variable], truth: SurvivalOutcome, fit: CoxFit
) -> dict[str, float]:
    found = {}
    for variable in variables:
        rest = [other for other in variables if other is not variable]
        less = fit.null_log_likelihood
        if rest:
            less = fit_cox(_design(rest), truth.time, truth.event).log_likelihood
        statistic = max(2 * (fit.log_likelihood - less), 0.0)
        found[variable.name] = float(chdtrc(len(variable.terms), statistic))
    return found


def _proportional(variables: list[_Variable], truth: SurvivalOutcome) -> dict[str, float]:
    if truth.time[truth.event].nunique() < 2:
        _warn("proportional hazards cannot be tested: all events share one time.", stacklevel=4)
        return {variable.name: np.nan for variable in variables}
    names = [variable.name for variable in variables for _ in variable.terms]
    found = proportional_hazards(_design(variables), truth.time, truth.event, terms=names)
    return dict(zip(found.terms, map(float, found.p), strict=True))


def _filled(
    rows: pd.DataFrame, variables: list[_Variable], fit: CoxFit, *, level: float
) -> pd.DataFrame:
    """Write the estimates beside their terms; nothing where there is none."""
    numbers = np.column_stack([fit.hazard_ratio, fit.interval(level), fit.p])
    numbers[~np.isfinite(numbers).all(axis=1)] = np.nan
    terms = [term for variable in variables for term in variable.terms]
    names = ["hazard_ratio", "low", "high", "p"]
    estimates = pd.DataFrame(numbers, index=terms, columns=names).reindex(rows["term"])
    filled = rows.drop(columns="hazard_ratio").assign(**dict.fromkeys(names, np.nan))
    filled[names] = estimates.to_numpy()
    filled.loc[rows["reference"], "hazard_ratio"] = 1.0
    return filled


def _obstacle(variables: list[_Variable], truth: SurvivalOutcome) -> str:
    """Why no model can be fitted, or nothing."""
    terms = sum(len(variable.terms) for variable in variables)
    if all(variable.values.empty for variable in variables):
        return "missing for all patients"
    if not terms:
        return "the same for all patients"
    if truth.n_events <= terms:
        return f"{truth.n_events} events for {terms} parameters"
    return ""


def _separation(variables: list[_Variable], truth: SurvivalOutcome) -> str:
    """What keeps the maximum from being finite, and what to do."""
    empty = [
        f"{variable.name} {level}"
        for variable in variables
        for level in variable.levels
        if not truth.event[variable.values == level].any()
    ]
    if empty:
        return f"no event in {short_list(empty)}; merge levels or penalise (ridge or lasso)"
    return "variables repeat each other or order the events; drop one or penalise (ridge or lasso)"


def _variable(values: pd.Series, references: Mapping[str, object]) -> _Variable:
    name = str(values.name)
    values = values.infer_objects()
    if pd.api.types.is_bool_dtype(values):
        levels, first = [False, True], False
    elif pd.api.types.is_numeric_dtype(values):
        design = pd.DataFrame({name: values.astype(float)})
        return _Variable(name, values, (), design if values.nunique() > 1 else design.iloc[:, :0])
    elif isinstance(values.dtype, pd.CategoricalDtype):
        levels = list(values.cat.remove_unused_categories().cat.categories)
        first = levels[0] if levels else None
    else:
        values = values.astype(str)
        counts = values.value_counts(sort=False).sort_index()
        levels, first = list(counts.index), counts.idxmax() if len(counts) else None
    present = [level for level in levels if (values == level).any()]
    if name in references:
        first = references[name]
        if first not in present:
            raise UnknownNameError(f"level of {name}", str(first), map(str, present))
    ordered = [level for level in present if level == first]
    ordered += [level for level in present if level != first]
    design = pd.DataFrame(
        {f"{name}: {x} vs {ordered[0]}": (values == x).astype(float) for x in ordered[1:]},
        index=values.index,
    )
    return _Variable(name, values, tuple(ordered), design)


def _design(variables: list[_Variable]) -> pd.DataFrame:
    return pd.concat([variable.design for variable in variables], axis=1)


def _checked(
    frame: pd.DataFrame, outcome: SurvivalOutcome, references: Mapping[str, object] | None
) -> pd.DataFrame:
    absent = outcome.patient_ids.difference(frame.index)
    if len(absent):
        raise AlignmentError(
            f"{outcome.endpoint}: expected variables of every patient; found none of {len(absent)} "
            f"({short_list(absent)}). Reindex the table; missing values may be empty."
        )
    if frame.index.has_duplicates or frame.columns.has_duplicates or frame.shape[1] == 0:
        raise DataError(
            "expected one row a patient and one or more columns, each once; found "
            f"{int(frame.index.duplicated().sum())} repeated patients, "
            f"{int(frame.columns.duplicated().sum())} repeated columns of {frame.shape[1]}. "
            "Drop the repeats."
        )
    for name in references or {}:
        if name not in frame:
            raise UnknownNameError("variable", str(name), map(str, frame.columns))
    outcome.require_events(1)
    table = frame.loc[outcome.patient_ids].rename(columns=str)
    for name in table.select_dtypes(include=["object", "string"]):
        table[name] = table[name].replace(r"^\s*$", np.nan, regex=True)
    numbers = table.select_dtypes(include="number").to_numpy(dtype=float, na_value=np.nan)
    if np.isinf(numbers).any():
        raise DataError(
            f"expected finite numbers; found {int(np.isinf(numbers).sum())} infinite. Correct them "
            "or set them missing."
        )
    return table


def _warn_of_few_events(rows: pd.DataFrame, by: str) -> None:
    """Warn once of models, one a value of ``by``, with few events for their coefficients."""
    fitted = rows[~rows["reference"] & (rows["note"] == "")]
    models = fitted.groupby(by, sort=False)["events_model"].agg(["first", "size"]).itertuples()
    few = [row for row in models if row.first < EVENTS_PER_COEFFICIENT * row.size]
    if few:
        counts = short_list(f"{row.first} events for {row.size} ({row.Index})" for row in few)
        text = f"coefficients: {counts}. With fewer than {EVENTS_PER_COEFFICIENT} events each"
        advice = "hazard ratios are biased and intervals cover too rarely: merge, drop or penalise."
        _warn(f"{text}, {advice}", stacklevel=4)


def _tidy(rows: pd.DataFrame, *, model: str) -> pd.DataFrame:
    return rows.assign(model=model).reindex(columns=list(_COLUMNS))


def _warn(message: str, *, stacklevel: int = 3) -> None:
    warnings.warn(message, RadiogenomicsWarning, stacklevel=stacklevel)
