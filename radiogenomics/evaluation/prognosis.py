"""A risk held against survival: hazard ratios, concordance and curves, each with its null."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import RadiogenomicsWarning, StudyError
from radiogenomics.core.evidence import Metric
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.alignment import (
    checked_risk,
    per_sd,
    require_same_patients,
    strata_of,
)
from radiogenomics.evaluation.repeats import (
    Estimate,
    Floats,
    comparable_repeats,
    mean_over_repeats,
)
from radiogenomics.stats import (
    concordance,
    concordance_batch,
    fit_cox,
    fit_cox_batch,
    kaplan_meier,
    logrank,
    permutation_p,
)
from radiogenomics.stats import permutations as draw_permutations

PER_SD = "risk (per SD)"
HIGH_VS_LOW = "predicted high vs low"

Findings = tuple[tuple[Metric, ...], dict[str, pd.DataFrame]]


def prognosis(
    risk: pd.Series[float],
    outcome: SurvivalOutcome,
    *,
    split: str,
    cutoff: float | None = None,
    high: pd.Series[bool] | None = None,
    permutations: int = 1000,
    rng: np.random.Generator,
    blocks: pd.Series | None = None,
    strata: pd.Series[Any] | None = None,
    alternative: str = "greater",
    minimum_events: int = 10,
) -> Findings:
    """Hold a risk that was fixed beforehand against survival.

    Metrics: ``hr_per_sd``, the Cox hazard ratio per standard deviation (n − 1) of the risk, chance
    1; ``hr_high_vs_low``, of patients above the locked cut-off, chance 1; ``c_index``, Harrell's C,
    chance ½. What has no finite estimate is left out with a warning. Permuting the risk against the
    outcomes, within ``blocks``, is the right null for a risk that owes nothing to these outcomes;
    for out-of-fold risks fitted on them every permutation must repeat the fit.

    Parameters
    ----------
    risk
        Higher is worse; same patients and order as ``outcome``.
    cutoff, high
        Locked cut-off, strictly above which risk is high; or the classes.
    permutations, rng, blocks
        How many permutations of patients (0 for none); what draws them.
    strata
        Cohort of each patient, with a baseline hazard of its own; no common curve is drawn.
    alternative
        ``"greater"``: only a higher risk that does worse speaks against chance; or ``"two-sided"``.

    Returns
    -------
    metrics : tuple of Metric
    tables : dict
        ``hazard_ratios`` (its ``p`` is Wald's, ``p_logrank`` that of the two groups) and, given
        classes, ``survival_curves``.

    Raises
    ------
    AlignmentError, DataError, OutcomeError, StudyError
        Other patients; a risk missing or all equal; fewer than ``minimum_events``; two cut-offs.
    """
    values = checked_risk(risk, outcome, minimum_events=minimum_events)
    group = _classes(risk, cutoff, high)
    blocks, strata = strata_of(blocks, risk.index), strata_of(strata, risk.index)
    orders = draw_permutations(len(values), permutations, rng, blocks=blocks)
    test = _Test(outcome, orders if permutations else None, alternative, split, strata)
    found, tables = [_hazard_ratio(per_sd(values), test, name="hr_per_sd", term=PER_SD)], {}
    if group is not None:
        found.append(_group_hazard_ratio(group, test))
        if strata is None and group.any() and not group.all():
            tables["survival_curves"] = _curves(outcome, group, split=split)
    metrics = [metric for metric, _ in found if metric is not None]
    tables["hazard_ratios"] = pd.DataFrame([row for _, row in found if row])
    return (*metrics, _concordance(risk, test)), tables


def concordance_metric(
    predictions: pd.DataFrame,
    outcome: SurvivalOutcome,
    *,
    split: str,
    null: ArrayLike | None = None,
    name: str = "c_index",
    alternative: str = "greater",
    strata: pd.Series[Any] | None = None,
) -> Metric:
    """Harrell's C of out-of-sample risks, with its interval and permutation p-value.

    C is taken over all patients of a repeat and averaged over repeats; the interval uses the
    variance of one repeat (mean over repeats), on the logit scale.

    Parameters
    ----------
    predictions
        ``patient_id, repeat, score`` with the risk as score, higher is worse.
    outcome
        Of every patient predicted.
    split
        Where it was measured.
    null
        The same mean C under permutation. For out-of-fold risks fitted on these outcomes every
        permutation must repeat the fits, as in
        :func:`~radiogenomics.evaluation.nulls.cross_validation_survival_null`.
    name
        Of the metric.
    alternative
        As in :func:`prognosis`.
    strata
        Site of each patient, indexed by patient: only patients of one site are compared, so that a
        risk which knows the site and nothing else has ½. A site counts by its pairs.

    Raises
    ------
    SchemaError
        A column is missing, or a patient is twice in a repeat.
    AlignmentError
        A patient has no outcome or no stratum.
    OutcomeError
        No two patients can be compared.

    References
    ----------
    Harrell et al. 1996, doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4.
    """
    estimates = []
    for rows, truth, within in comparable_repeats(predictions, outcome, split=split, strata=strata):
        c = concordance(rows["score"], truth.time, truth.event, strata=within)
        estimates.append(Estimate(c.value, c.se**2, c.low, c.high))
    mean = mean_over_repeats(estimates)
    truth = outcome.for_patients(pd.unique(predictions["patient_id"]))
    p = None if null is None else permutation_p(mean.value, null, alternative=alternative)
    return Metric(
        name, mean.value, mean.low, mean.high, 0.5, len(truth.time), split, p, truth.n_events
    )


class _Test(NamedTuple):
    """An outcome, the permutations and strata of its patients (or none), and what is chance."""

    outcome: SurvivalOutcome
    orders: NDArray[np.intp] | None
    alternative: str
    split: str
    strata: pd.Series[Any] | None

    @property
    def model(self) -> str:
        """How the Cox model is named in tables."""
        return "univariate" if self.strata is None else f"stratified by {self.strata.name}"


def _hazard_ratio(
    covariate: Floats, test: _Test, *, name: str, term: str
) -> tuple[Metric | None, dict[str, object]]:
    """Metric and table row of one covariate; neither where there is no finite estimate."""
    time, event = test.outcome.time, test.outcome.event
    fit = fit_cox(covariate, time, event, strata=test.strata)
    if not fit.converged:
        _warn(f"{test.split}: {name} is left out: one side has no event, so it is not finite.")
        return None, {}
    low, high = map(float, fit.interval()[0])
    p = None
    if test.orders is not None:
        shuffled = covariate[test.orders][:, :, None]
        null = fit_cox_batch(shuffled, time, event, strata=test.strata).coef[:, 0]
        p = permutation_p(float(fit.coef[0]), null, alternative=test.alternative)
    value = float(fit.hazard_ratio[0])
    row: dict[str, object] = {
        "split": test.split,
        "endpoint": test.outcome.endpoint,
        "model": test.model,
        "term": term,
        "hazard_ratio": value,
        "low": low,
        "high": high,
        "p": float(fit.p[0]),
        "n": fit.n,
        "events": fit.events,
    }
    return Metric(name, value, low, high, 1.0, fit.n, test.split, p, fit.events), row


def _group_hazard_ratio(
    group: NDArray[np.bool_], test: _Test
) -> tuple[Metric | None, dict[str, object]]:
    if group.all() or not group.any():
        _warn(
            f"{test.split}: hr_high_vs_low is left out: the locked cut-off calls "
            f"{'all' if group.all() else 'none'} of {group.size} patients high."
        )
        return None, {}
    metric, row = _hazard_ratio(group.astype(float), test, name="hr_high_vs_low", term=HIGH_VS_LOW)
    if row:
        time, event = test.outcome.time, test.outcome.event
        row["p_logrank"] = logrank(time, event, group, strata=test.strata).p
    return metric, row


def _concordance(risk: pd.Series[float], test: _Test) -> Metric:
    null = None
    if test.orders is not None:
        shuffled = risk.to_numpy(dtype=float)[test.orders]
        time, event = test.outcome.time, test.outcome.event
        null = concordance_batch(shuffled, time, event, strata=test.strata)
    frame = pd.DataFrame({"patient_id": risk.index, "repeat": 0, "score": risk.to_numpy()})
    return concordance_metric(
        frame,
        test.outcome,
        split=test.split,
        null=null,
        alternative=test.alternative,
        strata=test.strata,
    )


def _classes(
    risk: pd.Series[float], cutoff: float | None, high: pd.Series[bool] | None
) -> NDArray[np.bool_] | None:
    if cutoff is not None and high is not None:
        raise StudyError("expected a cut-off or ready classes; found both. Drop one of the two.")
    if high is None:
        return None if cutoff is None else risk.to_numpy(dtype=float) > cutoff
    require_same_patients(high.index, risk.index, what="classes and risk")
    return high.to_numpy(dtype=bool)


def _curves(outcome: SurvivalOutcome, group: NDArray[np.bool_], *, split: str) -> pd.DataFrame:
    parts = []
    for name, member in (("predicted high", group), ("predicted low", ~group)):
        curve = kaplan_meier(outcome.time[member], outcome.event[member])
        remaining = np.append(curve.at_risk[1:], 0)
        # Everyone is there at time zero; a drawn curve starts at 1.
        columns = {
            "time": np.append(0.0, curve.time),
            "survival": np.append(1.0, curve.survival),
            "low": np.append(1.0, curve.low),
            "high": np.append(1.0, curve.high),
            "at_risk": np.append(curve.at_risk[0], curve.at_risk),
            "censored": np.append(0, curve.at_risk - remaining - curve.events),
        }
        table = pd.DataFrame(
            {"split": split, "endpoint": outcome.endpoint, "group": name, **columns}
        )
        parts.append(table.iloc[int(curve.time[0] == 0) :])
    return pd.concat(parts, ignore_index=True)


def _warn(message: str) -> None:
    warnings.warn(message, RadiogenomicsWarning, stacklevel=4)
