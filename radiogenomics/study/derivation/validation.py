"""A derived signature in depth: locked, where it was not made, and out of fold, where it was."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from radiogenomics.core.errors import short_list
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.core.signature import Signature
from radiogenomics.evaluation import prognosis
from radiogenomics.omics import SignatureDerivation
from radiogenomics.stats.survival.baseline_hazard import BaselineHazard
from radiogenomics.study.derivation.cohorts import Discovery, Molecules
from radiogenomics.study.derivation.depth import (
    OUTCOME_PERMUTATIONS,
    Place,
    accuracy_over_time,
    beside_covariates,
    calibration,
    event_quartiles,
)
from radiogenomics.study.derivation.evidence import Judge
from radiogenomics.study.derivation.plan import DerivationPlan
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.inputs import sites_of
from radiogenomics.study.prognosis import SPLIT
from radiogenomics.study.score import FEWEST_REFERENCE, restandardised
from radiogenomics.study.subgroups import within_subgroups

Notes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False)
class LockedBaseline:
    """What turns a score of the locked signature into survival; learnt in the discovery alone.

    Attributes
    ----------
    cohort : str
        The cohort whose baseline it is: that of the signature's constants.
    slope : float
        Log hazard ratio per unit of the score; 1 where its weights are those of a Cox model.
    hazard : BaselineHazard
        One baseline a cohort of the discovery.
    horizons : tuple of float
        Months at which calibration is looked at.
    """

    cohort: str
    slope: float
    hazard: BaselineHazard
    horizons: tuple[float, ...]

    @property
    def last(self) -> float:
        """Last follow-up of the cohort, in months; survival beyond is not foretold."""
        return float(self.hazard.last[self.hazard.places([self.cohort], 1)[0]])

    def survival(self, score: pd.Series[float], months: Sequence[float]) -> pd.DataFrame:
        """Survival of patients, 0 to 1: one row a patient, one column a horizon.

        Raises
        ------
        DataError
            A score is not finite, or a horizon beyond ``last``.
        """
        cohorts = np.full(len(score), self.cohort, dtype=object)
        predictor = self.slope * score.to_numpy(dtype=float)
        values = self.hazard.survival(predictor, list(months), strata=cohorts)
        return pd.DataFrame(values, index=score.index, columns=list(map(float, months)))


def lock_baseline(
    fitted: SignatureDerivation, discovery: Discovery, plan: DerivationPlan
) -> LockedBaseline:
    """Lock the baseline hazard that belongs to the locked score.

    A Cox model of the score, stratified by cohort, gives each cohort a baseline of its own; locked
    is that of the cohort whose means and standard deviations are the signature's. A score of 0 is
    the mean patient there, so score and baseline speak of the same patients; an average over
    cohorts would belong to no one's and end with the shortest follow-up. Where others live longer
    or shorter on the whole, the observed over the expected risk tells. The score was fitted to
    these patients and is not shrunk: outside, a calibration slope below 1 is to be expected.

    Parameters
    ----------
    fitted
        The derivation fitted to ``discovery``.
    discovery, plan
        Its cohorts; horizons of the plan or, without, the quartiles of the event times of that
        cohort that can be used, in whole months, so that every cohort outside has the same.

    References
    ----------
    Debray et al. 2013, doi:10.1002/sim.5732 (choice of a baseline); Breslow 1974,
    doi:10.2307/2529620.
    """
    horizons = plan.horizons
    if horizons is None:
        own = (discovery.cohorts.astype(str) == fitted.reference_).to_numpy()
        horizons = event_quartiles(discovery.outcome.time[own], discovery.outcome.event[own])
    return LockedBaseline(
        fitted.reference_, fitted.slope_, fitted.baseline_, tuple(sorted(set(horizons)))
    )


def validate_outside(
    signature: Signature,
    part: Molecules,
    plan: DerivationPlan,
    *,
    baseline: LockedBaseline,
    seed: int,
) -> Findings:
    """Hold the locked signature against survival in a cohort in which nothing is fitted.

    Concordance, hazard ratios (permuted within sites) and curves; accuracy over time; calibration
    of the survival that score and locked baseline foretell; the plan's covariates and subgroups.
    What cannot be had is left out, and a note or warning says why.

    Parameters
    ----------
    signature
        Locked. In another unit, its genes are standardised on this cohort, without outcomes.
    part, plan, seed
        The cohort; covariates, subgroups, horizons and fewest events; of the permutations.
    baseline
        Of :func:`lock_baseline`.

    Returns
    -------
    Findings
        Metrics of split ``external:COHORT``; tables ``hazard_ratios, survival_curves,
        time_dependent_auc, survival_calibration, subgroups``.

    References
    ----------
    Royston & Altman 2013, doi:10.1186/1471-2288-13-33 (external validation of a Cox model).
    """
    place = Place(f"external:{part.cohort.id}")
    locked, notes = _applicable(signature, part, plan, where=place.split)
    if locked is None:
        return Findings(notes=notes)
    outcome = part.outcome
    risk = locked.score(part.tumour).loc[outcome.patient_ids]
    found, tables = prognosis(
        risk,
        outcome,
        split=place.table,
        cutoff=locked.cutoff,
        permutations=OUTCOME_PERMUTATIONS,
        rng=np.random.default_rng([seed, 5, zlib.crc32(place.split.encode())]),
        blocks=sites_of(part.cohort, outcome.patient_ids),
        minimum_events=plan.minimum_events,
    )
    patients, lacking = _asked(part, plan)
    metrics = tuple(place.named(metric) for metric in found)
    beside, within = (patients[_known(n, patients)] for n in (plan.covariates, plan.subgroups))
    stages = [
        Findings(metrics=metrics, tables=tables, notes=notes + lacking),
        accuracy_over_time(risk, outcome, place, horizons=plan.horizons),
        _foretold(risk, outcome, place, baseline=baseline),
        beside_covariates(risk, outcome, place, covariates=beside),
        within_subgroups(risk, outcome, where=place.table, patients=within),
    ]
    return merge(stages)


def validate_inside(
    risk: pd.Series[float], judge: Judge, *, survival: pd.DataFrame | None = None
) -> Findings:
    """Hold out-of-fold risks against survival in depth: over time, beside covariates, in subgroups.

    With several cohorts accuracy over time, calibration and subgroups are taken in each, and the
    model beside covariates is stratified by cohort, with the covariates that all have. Risks are
    means over repeats, a little better than those of one model.

    Parameters
    ----------
    risk
        Out of fold, of the patients of the discovery in their order; higher is worse.
    judge
        Cohorts and plan.
    survival
        Out-of-fold survival, each by its fold's own baseline, as
        :func:`~radiogenomics.evaluation.survival_fold.predicted_survival` gives it; without it
        there is no calibration, since a baseline from all patients has seen those it is tested on.

    Returns
    -------
    Findings
        Metrics of split ``cross-validation``, behind whose names stands the cohort where there are
        several; the tables of :func:`validate_outside` without curves.
    """
    plan, discovery = judge.plan, judge.discovery
    everyone, stages, tables = Place(SPLIT), [], []
    for part, place, members in _parts(discovery):
        own, outcome = risk.loc[members], discovery.outcome.for_patients(members)
        patients, lacking = _asked(part, plan)
        patients = patients.set_axis(members, axis=0)
        tables.append(patients)
        divisions = patients[_known(plan.subgroups, patients)]
        stages += [
            Findings(notes=lacking),
            accuracy_over_time(own, outcome, place, horizons=plan.horizons),
            within_subgroups(own, outcome, where=place.table, patients=divisions),
        ]
        if survival is not None:
            stages.append(calibration(survival.loc[members], outcome, place))
    shared = pd.concat(tables, join="inner")
    stages.append(
        beside_covariates(
            risk,
            discovery.outcome,
            everyone,
            covariates=shared[_known(plan.covariates, shared)],
            strata=judge.strata,
        )
    )
    if survival is None:
        text = (
            f"{everyone.table}: calibration left out: at no month asked for has every training "
            "part an earlier event and follow-up in every cohort."
        )
        stages.append(Findings(notes=(("info", text),)))
    return merge(stages)


def _parts(discovery: Discovery) -> Iterator[tuple[Molecules, Place, pd.Index]]:
    """Each cohort of the discovery and the names that its patients have there."""
    for part in discovery.parts:
        name = part.cohort.id if len(discovery.parts) > 1 else ""
        own = (discovery.cohorts == part.cohort.id).to_numpy(dtype=bool)
        yield part, Place(SPLIT, name), discovery.expression.index[own]


def _applicable(
    signature: Signature, part: Molecules, plan: DerivationPlan, *, where: str
) -> tuple[Signature | None, Notes]:
    """The signature as it applies to a cohort, or None; and what there is to say about that."""
    reason = ""
    absent = [gene for gene in signature.genes if gene not in part.tumour]
    if absent:
        reason = f"{', '.join(absent)} not measured, constant, or missing in a patient"
    elif part.outcome.n_events < plan.minimum_events:
        events = f"{part.outcome.n_events} events of {part.outcome.endpoint}"
        reason = f"{events}, below {plan.minimum_events}"
    elif part.unit != signature.unit and len(part.tumour) < FEWEST_REFERENCE:
        reason = f"{len(part.tumour)} patients, in another unit"
    if reason:
        return None, (("warning", f"{where}: not validated: {reason}."),)
    if part.unit == signature.unit:
        return signature, ()
    locked = restandardised(signature, part.tumour[list(signature.genes)], unit=part.unit)
    text = (
        f"{where}: expression is in {part.unit}, the signature's constants belong to "
        f"{signature.unit}: genes were standardised on this cohort, without its outcomes."
    )
    return locked, (("info", text),)


def _asked(part: Molecules, plan: DerivationPlan) -> tuple[pd.DataFrame, Notes]:
    """Columns of the patients that the plan names, and one warning of those that are not there."""
    known = part.cohort.patients.loc[part.outcome.patient_ids].dropna(axis=1, how="all")
    wanted = list(dict.fromkeys([*plan.covariates, *plan.subgroups]))
    lacking = [name for name in wanted if name not in known]
    if not lacking:
        return known[wanted], ()
    text = (
        f"{part.cohort.id} has no values of {short_list(lacking)}: not adjusted for, and no "
        "subgroups by it."
    )
    return known[_known(wanted, known)], (("warning", text),)


def _known(names: Sequence[str], table: pd.DataFrame) -> list[str]:
    return [name for name in dict.fromkeys(names) if name in table]


def _foretold(
    risk: pd.Series[float], outcome: SurvivalOutcome, place: Place, *, baseline: LockedBaseline
) -> Findings:
    """Calibration of what score and locked baseline foretell, at horizons that both know."""
    months = [month for month in baseline.horizons if month <= baseline.last]
    beyond = [month for month in baseline.horizons if month > baseline.last]
    stages = []
    if beyond:
        reason = f"the baseline of {baseline.cohort} is known to {baseline.last:.4g} months."
        stages.append(place.without(f"calibration at {short_list(beyond)} months", reason))
    elif not months:
        reason = f"the events of {baseline.cohort} leave no time at which it can be judged."
        stages.append(place.without("calibration", reason))
    if months:
        stages.append(calibration(baseline.survival(risk, months), outcome, place))
    return merge(stages)
