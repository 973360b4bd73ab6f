"""Whether a marker means the same in every subgroup of patients.

Examples
--------
>>> rng = np.random.default_rng(0)
>>> ids = pd.Index([f"P{i}" for i in range(80)])
>>> marker, sex = pd.Series(rng.normal(size=80), ids), rng.choice(["f", "m"], 80)
>>> outcome = SurvivalOutcome("OS", pd.Series(rng.exponential(np.exp(-marker)), ids),
...                           pd.Series(True, ids))
>>> table = subgroup_table(marker, outcome, pd.DataFrame({"sex": sex}, ids), split="training")
>>> table[["term", "n", "events"]].values.tolist()
[['all patients', 80, 80], ['sex: f', 38, 38], ['sex: m', 42, 42]]
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import chdtrc

from radiogenomics.core.errors import AlignmentError, DataError, RadiogenomicsWarning, short_list
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.alignment import per_sd, require_same_patients
from radiogenomics.stats.survival.cox import fit_cox

Floats = NDArray[np.float64]

ALL_PATIENTS = "all patients"
MOST_LEVELS = 10


@dataclass(frozen=True)
class _Marker:
    """A marker as it enters every model, with the outcome of the same patients."""

    values: Floats
    scale: str
    outcome: SurvivalOutcome
    minimum_events: int
    level: float

    def row(self, member: NDArray[np.bool_]) -> dict[str, object]:
        """Hazard ratio among some patients, or why there is none."""
        time, event = self.outcome.time[member], self.outcome.event[member]
        row: dict[str, object] = {"n": int(member.sum()), "events": int(event.sum())}
        row |= dict.fromkeys(("hazard_ratio", "low", "high", "p"), np.nan)
        if row["events"] < self.minimum_events:
            return row | {"note": f"{row['events']} events, fewer than {self.minimum_events}"}
        if np.ptp(self.values[member]) == 0:
            return row | {"note": "the marker is the same for all"}
        fit = fit_cox(self.values[member], time, event)
        if not fit.converged:
            return row | {"note": "one side of the marker has no event, or all come first"}
        low, high = fit.interval(self.level)[0]
        found = (float(fit.hazard_ratio[0]), float(low), float(high), float(fit.p[0]))
        return row | dict(zip(("hazard_ratio", "low", "high", "p"), found, strict=True))

    def interaction(self, code: NDArray[np.intp]) -> float:
        """Likelihood ratio p of marker times subgroup; subgroups below 0 are left out."""
        used = code >= 0
        x = self.values[used][:, None]
        levels = np.unique(code[used])
        member = (code[used][:, None] == levels[1:]).astype(float)
        time, event = self.outcome.time[used], self.outcome.event[used]
        alike = fit_cox(np.hstack([x, member]), time, event)
        apart = fit_cox(np.hstack([x, member, x * member]), time, event)
        statistic = max(2 * (apart.log_likelihood - alike.log_likelihood), 0.0)
        return float(chdtrc(levels.size - 1, statistic))


def subgroup_table(
    marker: pd.Series,
    outcome: SurvivalOutcome,
    subgroups: pd.DataFrame,
    *,
    split: str,
    minimum_events: int = 10,
    level: float = 0.95,
) -> pd.DataFrame:
    """Hazard ratio of a marker in all patients and in each subgroup, for a forest plot.

    A boolean marker is compared high (True) against low; numbers enter per standard deviation
    (n − 1) over all patients. Each hazard ratio is from a model of its subgroup alone.
    ``p_interaction`` is the likelihood ratio test of marker × subgroup beside marker and subgroup,
    over the subgroups that have a hazard ratio. Only it compares subgroups: a marker significant in
    one and not in another need not differ between them. With many factors, some interaction is
    small by chance: state beforehand which are asked.

    Parameters
    ----------
    marker
        Boolean, or numbers where higher is worse; same patients and order as ``outcome``.
    outcome
    subgroups
        One factor a column, in up to 10 levels; at least the patients of ``outcome``. Patients
        without a level (or with empty text) stay out of that factor.
    split
        Where it was measured.
    minimum_events
        Subgroups with fewer keep their row without a hazard ratio.
    level
        Of the intervals.

    Returns
    -------
    DataFrame
        ``split, endpoint, factor, subgroup, term, scale, n, events, hazard_ratio, low, high, p,
        p_interaction, left_out, note``; all patients first. ``note``, and a warning, say why a
        subgroup has no hazard ratio or a factor no test.

    Raises
    ------
    AlignmentError, DataError, OutcomeError
        Other patients; a marker missing or all equal; too few events; a factor of many levels.

    References
    ----------
    Wang et al. 2007, doi:10.1056/NEJMsr077003 (reporting of subgroups).
    """
    which = _marker(marker, outcome, minimum_events=minimum_events, level=level)
    absent = outcome.patient_ids.difference(subgroups.index)
    if len(absent):
        raise AlignmentError(
            f"{split}: expected subgroups of every patient; found none of {len(absent)} "
            f"({short_list(absent)}). Reindex the table; missing values may be empty."
        )
    table = _rows(which, subgroups.loc[outcome.patient_ids].rename(columns=str)).assign(split=split)
    for row in table[table["note"] != ""].itertuples():
        warnings.warn(f"{split}: {row.term}: {row.note}.", RadiogenomicsWarning, stacklevel=2)
    return table[list(_COLUMNS)]


_COLUMNS = (
    "split",
    "endpoint",
    "factor",
    "subgroup",
    "term",
    "scale",
    "n",
    "events",
    "hazard_ratio",
    "low",
    "high",
    "p",
    "p_interaction",
    "left_out",
    "note",
)


def _marker(
    marker: pd.Series, outcome: SurvivalOutcome, *, minimum_events: int, level: float
) -> _Marker:
    require_same_patients(marker.index, outcome.patient_ids, what=f"marker and {outcome.endpoint}")
    outcome.require_events(minimum_events)
    boolean = pd.api.types.is_bool_dtype(marker)
    if not boolean and not pd.api.types.is_numeric_dtype(marker):
        raise DataError(
            f"expected a marker of numbers or booleans; found {marker.dtype}. Code high as True "
            "and low as False."
        )
    values = marker.to_numpy(dtype=float, na_value=np.nan)
    bad = int((~np.isfinite(values)).sum())
    if bad or np.ptp(values) == 0:
        raise DataError(
            f"expected a finite marker that differs between patients; found {bad} missing of "
            f"{values.size}{'' if bad else ', all equal'}. Leave patients without it out."
        )
    scale = "high vs low" if boolean else "per SD"
    return _Marker(
        values if boolean else per_sd(values), scale, outcome, max(minimum_events, 1), level
    )


def _rows(marker: _Marker, subgroups: pd.DataFrame) -> pd.DataFrame:
    everyone = np.ones(len(subgroups), dtype=bool)
    names = {"factor": "", "subgroup": ALL_PATIENTS, "term": ALL_PATIENTS}
    rows = [names | {"p_interaction": np.nan, "left_out": 0, "note": ""} | marker.row(everyone)]
    for _, column in subgroups.replace(r"^\s*$", np.nan, regex=True).items():
        rows += _factor_rows(marker, column)
    return pd.DataFrame(rows).assign(endpoint=marker.outcome.endpoint, scale=marker.scale)


def _factor_rows(marker: _Marker, column: pd.Series) -> Iterator[dict[str, object]]:
    levels = _levels(column)
    members = [(column == level).fillna(False).to_numpy(dtype=bool) for level in levels]
    found = [marker.row(member) for member in members]
    # Positions of subgroups with an estimate; others, and patients without a level, get -1.
    code = np.full(len(column), -1)
    for position, (member, row) in enumerate(zip(members, found, strict=True)):
        if not row.get("note"):
            code[member] = position
    if not levels:
        levels, found = ["missing"], [marker.row(np.zeros(len(column), dtype=bool))]
    p = np.nan
    if np.unique(code[code >= 0]).size > 1:
        p = marker.interaction(code)
    else:
        found[0]["note"] = "; ".join(
            filter(None, [found[0].get("note"), "fewer than two subgroups to compare"])
        )
    for level, row in zip(levels, found, strict=True):
        yield {
            "factor": column.name,
            "subgroup": str(level),
            "term": f"{column.name}: {level}",
            "p_interaction": p,
            "left_out": int(column.isna().sum()),
            "note": "",
            **row,
        }


def _levels(column: pd.Series) -> list[object]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return list(column.cat.remove_unused_categories().cat.categories)
    levels = sorted(column.dropna().unique(), key=_sort_key)
    if len(levels) > MOST_LEVELS:
        raise DataError(
            f"{column.name}: expected up to {MOST_LEVELS} subgroups; found {len(levels)} values. "
            "Cut numbers into classes first, or merge levels."
        )
    return levels


def _sort_key(level: object) -> tuple[bool, object]:
    text = isinstance(level, str)
    return text, level if text else float(level)
