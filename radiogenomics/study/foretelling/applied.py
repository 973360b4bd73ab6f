"""Surrogates applied to patients: what is foretold of each, and how it agrees with measurements."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, short_list
from radiogenomics.core.evidence import Metric
from radiogenomics.evaluation.transport import (
    ALL,
    prediction_agreement,
    transport_differences,
    transport_table,
)
from radiogenomics.stats.permutation import permutation_p, permutations
from radiogenomics.stats.ranks import spearman
from radiogenomics.study.findings import Findings
from radiogenomics.study.foretelling.learners import HeldOut
from radiogenomics.study.foretelling.sides import Applied
from radiogenomics.study.foretelling.surrogates import LockedBiopsy
from radiogenomics.study.foretelling.targets import filled_genes

RHO = "biopsy_rho"
DEALS = 999
SMALLEST_GROUP = 10
FEATURES_KEPT = 10
"""Contributions that are kept of each patient and target."""
# Means of a feature this many training deviations apart are not of one scanner and engine.
_FAR = 3.0
_FEWEST = 4


class Foretold(NamedTuple):
    """What is foretold of patients.

    Attributes
    ----------
    cohort : str
    predicted : DataFrame
        Patients × targets.
    behind : Mapping
        Target → patients × features: what each adds.
    """

    cohort: str
    predicted: pd.DataFrame
    behind: Mapping[str, pd.DataFrame]

    def with_held_out(self, known: HeldOut) -> Foretold:
        """Take the predictions of patients of the training cohort from folds without them."""
        predicted = self.predicted.copy()
        predicted.loc[known.predicted.index] = known.predicted
        behind = {}
        for target, table in self.behind.items():
            own = known.contributions[target]
            joined = table.reindex(columns=table.columns.union(own.columns), fill_value=0.0)
            joined.loc[own.index] = own.reindex(columns=joined.columns, fill_value=0.0)
            behind[target] = joined
        return Foretold(self.cohort, predicted, behind)


def usable_features(applied: Applied, locked: LockedBiopsy, *, max_missing: float) -> pd.DataFrame:
    """Features of the patients who have most of those that the surrogate needs.

    Raises
    ------
    DataError
        No patient has.
    """
    names = [name for name in locked.surrogate.linear.features if name in applied.features]
    gaps = applied.features[names].isna()
    kept = gaps.mean(axis=1) <= max_missing
    if not kept.any():
        raise DataError(
            f"{applied.name}: expected patients with {1 - max_missing:.0%} of the surrogate's "
            f"features; found none of {len(kept)}. Extract them with the same settings."
        )
    filled, lost = int(gaps[kept].to_numpy().sum()), int((~kept).sum())
    if lost or filled:
        warnings.warn(
            f"{applied.name}: {lost} of {len(kept)} patients lack more than {max_missing:.0%} of "
            f"the surrogate's features and are left out; {filled} values of the others are missing "
            "and stand at the training median.",
            RadiogenomicsWarning,
            stacklevel=2,
        )
    return applied.features[kept]


def foretell(cohort: str, features: pd.DataFrame, locked: LockedBiopsy) -> Foretold:
    """Apply the locked surrogates, each patient alone.

    Raises
    ------
    AlignmentError
        A feature is absent, or there twice.
    """
    predicted = locked.surrogate.predict(features)
    linear = locked.surrogate.linear
    shift = (features[list(linear.features)].mean() - linear.centre) / linear.scale
    far = list(shift.index[shift.abs() > _FAR])
    if far:
        warnings.warn(
            f"{cohort}: {len(far)} of {len(shift)} features are on average over {_FAR:g} standard "
            f"deviations away from those of {locked.cohort} ({short_list(far)}): another scanner, "
            "engine or unit, of which the surrogate knows nothing.",
            RadiogenomicsWarning,
            stacklevel=2,
        )
    behind = {
        target: locked.surrogate.contributions(features, target) for target in locked.explained
    }
    return Foretold(cohort, predicted, behind)


def applied_table(foretold: Foretold, locked: LockedBiopsy) -> pd.DataFrame:
    """``patient_id, cohort, target, predicted, low, high, percentile``, a row a prediction."""
    parts = []
    for target, half in zip(locked.targets, locked.half_width, strict=True):
        levels = foretold.predicted[target].to_numpy(dtype=float)
        parts.append(
            pd.DataFrame(
                {
                    "patient_id": foretold.predicted.index,
                    "cohort": foretold.cohort,
                    "target": target,
                    "predicted": levels,
                    "low": levels - half,
                    "high": levels + half,
                    "percentile": locked.percentile(target, levels),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def contribution_table(foretold: Foretold) -> pd.DataFrame:
    """``patient_id, cohort, target, feature, contribution``: the largest of each patient."""
    parts = []
    for target, table in foretold.behind.items():
        values = table.to_numpy(dtype=float)
        count = min(FEATURES_KEPT, values.shape[1])
        order = np.argsort(-np.abs(values), axis=1, kind="stable")[:, :count]
        parts.append(
            pd.DataFrame(
                {
                    "patient_id": np.repeat(table.index.to_numpy(), count),
                    "cohort": foretold.cohort,
                    "target": target,
                    "feature": table.columns.to_numpy()[order].ravel(),
                    "contribution": np.take_along_axis(values, order, axis=1).ravel(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def transport_stage(
    applied: Applied, foretold: Foretold, locked: LockedBiopsy, *, max_missing: float, seed: int
) -> Findings:
    """Hold predictions against measurements where there are any, over all and group by group."""
    if applied.genes is None:
        return Findings()
    genes = filled_genes(applied.genes, max_missing=max_missing)
    measured = locked.rules.measured(genes)
    shared = foretold.predicted.index[foretold.predicted.index.isin(measured.index)]
    if len(shared) < _FEWEST:
        text = (
            f"{applied.name}: {len(shared)} patients have features and expression; {_FEWEST} are "
            "needed to hold predictions against measurements."
        )
        return Findings(notes=(("warning", text),))
    predicted = foretold.predicted.loc[shared, list(measured)]
    measured = measured.loc[shared]
    training = locked.surrogate.linear.training
    tables = [transport_table(predicted, measured, training=training, level=locked.level)]
    groups, notes = _groups(applied, shared)
    found: dict[str, pd.DataFrame] = {}
    if groups is not None:
        own = (predicted.loc[groups.index], measured.loc[groups.index])
        if groups.nunique() > 1:
            found["transport_differences"] = transport_differences(
                *own, training=training, groups=groups, level=locked.level
            ).assign(cohort=foretold.cohort)
        by_group = transport_table(*own, training=training, groups=groups, level=locked.level)
        tables.append(by_group[by_group["group"] != ALL])
    found["transport"] = pd.concat(tables, ignore_index=True).assign(cohort=foretold.cohort)
    strata = None if applied.groups is None else applied.groups.loc[shared]
    metric = _strongest_elsewhere(
        predicted, measured, foretold.cohort, table=tables[0], strata=strata, seed=seed
    )
    metrics = () if metric is None else (metric,)
    return Findings(metrics=metrics, tables=found, notes=tuple(("warning", n) for n in notes))


def agreement_stage(
    first: pd.DataFrame, foretold: Foretold, locked: LockedBiopsy, *, shared: Sequence[str]
) -> Findings:
    """Hold predictions of patients against those from another scan of theirs.

    Parameters
    ----------
    first
        Predictions from the training cohort's scans, out of fold.
    foretold
        Predictions from the other scans; of ``shared`` by the same folds' surrogates.
    locked
        Whose cut between low and high is used.
    shared
        Patients of both.
    """
    text = (
        f"{len(shared)} patients of {foretold.cohort} have identifiers of {locked.cohort} and are "
        "taken for the same patients: surrogates that had not seen them foretell them."
    )
    notes = (("info", text),)
    if len(shared) < _FEWEST:
        return Findings(notes=notes)
    here, there = first.loc[list(shared)], foretold.predicted.loc[list(shared)]
    table = prediction_agreement(
        here, there[list(here)], training=locked.surrogate.linear.training, level=locked.level
    )
    return Findings(tables={"agreement": table.assign(cohort=foretold.cohort)}, notes=notes)


def _groups(applied: Applied, shared: pd.Index) -> tuple[pd.Series[str] | None, list[str]]:
    """Groups that are large enough to be judged, and what was left out."""
    if applied.groups is None:
        return None, []
    groups = applied.groups.loc[shared]
    counts = groups.value_counts()
    large = list(counts.index[counts >= SMALLEST_GROUP])
    small = sorted(set(counts.index) - set(large))
    notes = []
    if small:
        notes.append(
            f"{applied.name}: {len(small)} groups of fewer than {SMALLEST_GROUP} patients are not "
            f"judged on their own ({short_list(small)})."
        )
    return (groups[groups.isin(large)] if large else None), notes


def _strongest_elsewhere(
    predicted: pd.DataFrame,
    measured: pd.DataFrame,
    cohort: str,
    *,
    table: pd.DataFrame,
    strata: pd.Series[str] | None,
    seed: int,
) -> Metric | None:
    """Rank correlation of the target that was best foretold in training, against dealt patients."""
    row = table.iloc[0]
    target = str(row["target"])
    if not np.isfinite(row["rho"]):
        return None
    known = measured[target].notna()
    x, y = predicted.loc[known, target].to_numpy(), measured.loc[known, target].to_numpy()
    blocks = None if strata is None else strata[known].to_numpy()
    orders = permutations(len(x), DEALS, np.random.default_rng([seed, 2]), blocks=blocks)
    null = spearman(x[orders].T, y).rho
    p = permutation_p(float(row["rho"]), null)
    bounds = (float(row["rho"]), float(row["rho_low"]), float(row["rho_high"]))
    split = f"external:{cohort}"
    return Metric(f"{RHO}:{target}", *bounds, 0.0, int(known.sum()), split, p)
