"""From a table of features and a label to a full validation, inside and outside."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from radiogenomics.core.errors import AlignmentError, StudyError
from radiogenomics.core.evidence import Evidence, Metric
from radiogenomics.core.log import get_logger
from radiogenomics.core.provenance import Provenance, hash_frame, hash_text, versions
from radiogenomics.core.row_facts import MARK
from radiogenomics.evaluation import (
    LockedModel,
    PatientKFold,
    auc_metric,
    calibration_metrics,
    cross_validate,
    cross_validation_null,
    pooled_auc,
    verdict,
)
from radiogenomics.evaluation.thresholds import lock_threshold, operating_point_table
from radiogenomics.io.labelled_table import LabelledTable, read_labelled_table, read_readings
from radiogenomics.io.store import output_folder, pseudonym
from radiogenomics.stats import auc_batch, permutations
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.performance import learner_table, performance_tables
from radiogenomics.study.plan import ValidationPlan, planned_settings, read_plan
from radiogenomics.study.results import Results, write_results
from radiogenomics.study.run import DEFAULT_SEED, collected_warnings
from radiogenomics.study.validate_checks import (
    can_be_permuted,
    check_tables,
    read_facts,
    require_own_columns,
    with_facts,
)
from radiogenomics.study.validate_notes import (
    few_permutations,
    leaning,
    not_permuted,
    null_table,
    uninformative,
)
from radiogenomics.study.validate_sites import SITE, probe_sites, rehearse_sites
from radiogenomics.study.words import (
    build_planned,
    check_facts,
    check_plan,
    facts_of_plan,
    planned_steps,
    up_to_facts,
)

SPLIT = "cross-validation"
OUTSIDE_PERMUTATIONS = 1999


def validate(
    train: str | Path,
    *,
    label: str,
    out: str | Path,
    external: Sequence[str | Path] | None = None,
    retest: Sequence[str | Path] | None = None,
    plan: str | Path | None = None,
    id: str | None = None,
    site: str | None = None,
    fact: Sequence[str] | Mapping[str, str] | None = None,
    jobs: int | None = None,
    seed: int = DEFAULT_SEED,
) -> Results:
    """Validate a label's prediction from a feature table and write the report.

    Nested cross-validation of the plan's learner and its comparators on ``train``, with a null of
    permuted labels; then each learner, refitted on all of ``train`` and locked with its threshold,
    scores every ``external`` table, in which nothing is fitted.

    Parameters
    ----------
    train
        Table: one row a patient, one column a feature, and the label.
    label
        Column of 0 and 1, in every table.
    out, external
        Output folder, which appears all at once or not at all; tables of other patients.
    retest
        Readings of the same patients, one file each, for the step ``icc_filter``.
    plan
        YAML of a :class:`~radiogenomics.study.plan.ValidationPlan`; the default one if not given.
    id, site
        Columns of patients, and of sites: for ComBat, the null within them and the site probe.
    fact
        Covariates of ComBat, used as ``@NAME``: ``NAME=COLUMN`` or name → column of numbers.
    jobs, seed
        Processes, all cores when not given; seed.

    Raises
    ------
    RadiogenomicsError
        The branch says what was wrong: plan, file, label, patients on both sides, features missing.
    """
    check_plan(chosen := read_plan(plan))
    taken = {"label": label, "id": id, "site": site}
    require_own_columns(taken)
    facts = read_facts(fact, taken=taken)
    check_facts(chosen, [f"{MARK}{name}" for name in (*facts, *(["site"] if site else []))])
    read = partial(read_labelled_table, label=label, id=id, site=site)
    with output_folder(out) as writer:
        tables = [with_facts(read(path), facts) for path in (train, *(external or ()))]
        readings = read_readings(retest, id=id) if retest else None
        recipe = _recipe(chosen, {**taken, "facts": facts})
        results = validate_tables(
            tables[0], tables[1:], chosen, readings=readings, recipe=recipe, seed=seed, jobs=jobs
        )
        write_results(results, writer, recipe=recipe)
    return replace(results, folder=Path(out))


def validate_tables(
    train: LabelledTable,
    external: Sequence[LabelledTable],
    plan: ValidationPlan,
    *,
    readings: list[pd.DataFrame] | None = None,
    recipe: str = "",
    seed: int = DEFAULT_SEED,
    jobs: int | None = None,
) -> Results:
    """Validate tables that are already in memory, without writing anything."""
    remarks = check_tables(train, external, readings) + few_permutations(plan)
    check_facts(plan, [str(name) for name in train.features if str(name).startswith(MARK)])
    sites = train.features.get(SITE)
    harmonises = SITE in facts_of_plan(plan)
    if not harmonises:
        train = _without_sites(train)
    build = partial(build_planned, plan, readings=readings, random_state=seed)
    jobs = jobs or os.cpu_count() or 1
    splitter = PatientKFold(plan.folds, n_repeats=plan.repeats, random_state=seed)
    with collected_warnings() as caught:
        first_steps = up_to_facts(planned_steps(plan, readings=readings, random_state=seed))
        rehearse_sites(
            first_steps, train, external, splitter=splitter, inner_folds=plan.inner_folds
        )
        probe = probe_sites(
            train,
            sites,
            first_steps if harmonises else [],
            rng=np.random.default_rng([seed, 3]),
            jobs=jobs,
        )
        inside, evidences = _inside(
            train, plan, build, splitter=splitter, sites=sites, rng=[seed, 1], jobs=jobs
        )
        threshold = _threshold(plan, evidences[0])
        outside = [
            _outside(table, plan, evidences, threshold=threshold, rng=[seed, 2, position])
            for position, table in enumerate(external)
        ]
        findings = merge([_described(train, external, plan, threshold), inside, *outside, probe])
    remarks += tuple(dict.fromkeys(("warning", text) for text in caught))
    hashes = {f"{table.name}/table": table.sha256 for table in (train, *external)}
    if readings is not None:
        hashes |= {f"reading {k + 1}": hash_frame(frame) for k, frame in enumerate(readings)}
    headline = findings.metric("auc", split=SPLIT)
    if headline is None:
        raise StudyError("expected the AUC of the cross-validation; found none.")
    return Results(
        study="validate",
        cohorts=(train.name, *(table.name for table in external)),
        verdict=verdict(headline, subject=f"the learner {plan.learner}").text,
        findings=replace(findings, notes=findings.notes + remarks),
        provenance=Provenance(hashes, hash_text(recipe), seed, versions()),
    )


def _without_sites(table: LabelledTable) -> LabelledTable:
    """Keep from the steps what none of them uses."""
    return replace(table, features=table.features.drop(columns=SITE, errors="ignore"))


def _inside(
    train: LabelledTable,
    plan: ValidationPlan,
    build: Any,
    *,
    splitter: PatientKFold,
    sites: pd.Series[str] | None,
    rng: list[int],
    jobs: int,
) -> tuple[Findings, list[Evidence]]:
    """Nested cross-validation of every learner; the null of the first."""
    evidences = []
    for learner in plan.learners:
        get_logger(__name__).info("cross-validating %s", learner)
        found = cross_validate(
            build(learner), train.features, train.labels, splitter=splitter, name=learner, jobs=jobs
        )
        evidences.append(found)
    null = None
    if can_be_permuted(train.labels, sites):
        null = cross_validation_null(
            build(plan.learner),
            train.features,
            train.labels,
            splitter=splitter,
            statistic=pooled_auc,
            blocks=sites,
            count=plan.permutations,
            rng=np.random.default_rng(rng),
            jobs=jobs,
        )
    first = evidences[0]
    metrics = (
        auc_metric(first.predictions, split=SPLIT, null=null),
        *calibration_metrics(first.predictions, split=SPLIT),
    )
    predictions = {evidence.name: evidence.predictions for evidence in evidences}
    tables = {
        **performance_tables(predictions, SPLIT),
        "predictions": _hidden(first.predictions, train),
        "learners": learner_table(predictions, SPLIT),
        **null_table(null, SPLIT),
        "selection": first.selection_frequency().rename_axis("feature").reset_index(),
        **{name: table for name, table in first.tables.items() if name == "fallbacks"},
    }
    remarks = (*uninformative(evidences), *leaning(evidences, SPLIT))
    notes = (*not_permuted(null, SPLIT), *remarks)
    return Findings(metrics=metrics, tables=tables, notes=notes, evidence=first), evidences


def _outside(
    table: LabelledTable,
    plan: ValidationPlan,
    evidences: Sequence[Evidence],
    *,
    threshold: float,
    rng: list[int],
) -> Findings:
    """Score another table with every locked learner; nothing is fitted."""
    split = f"external:{table.name}"
    predictions = {e.name: _scored(e.model, table) for e in evidences}
    first = predictions[plan.learner]
    sites = table.features.get(SITE)
    null = None
    if can_be_permuted(table.labels, sites):
        blocks = None if sites is None else sites.to_numpy(dtype=object)
        # Nothing is fitted again here, so many cost nothing.
        count = max(plan.permutations, OUTSIDE_PERMUTATIONS)
        orders = permutations(len(first), count, np.random.default_rng(rng), blocks=blocks)
        null = auc_batch(first["score"].to_numpy()[orders], first["label"].to_numpy())
    points, point_metrics = operating_point_table(first, threshold, split=split)
    metrics: tuple[Metric, ...] = (
        auc_metric(first, split=split, null=null),
        *calibration_metrics(first, split=split),
        *point_metrics,
    )
    tables = {
        **performance_tables(predictions, split),
        "predictions": _hidden(first, table),
        "external_learners": learner_table(predictions, split),
        **null_table(null, split),
        "operating_points": points,
    }
    return Findings(metrics=metrics, tables=tables, notes=not_permuted(null, split))


def _scored(model: object, table: LabelledTable) -> pd.DataFrame:
    if not isinstance(model, LockedModel):
        raise StudyError("expected a locked model from the cross-validation; found none.")
    try:
        scores = model.predict(table.features)
    except AlignmentError as error:
        raise AlignmentError(f"{table.name}: {error}") from None
    return pd.DataFrame(
        {
            "patient_id": scores.index,
            "repeat": 0,
            "fold": 0,
            "label": table.labels.loc[scores.index].astype(float).to_numpy(),
            "score": scores.to_numpy(),
        }
    )


def _hidden(predictions: pd.DataFrame, table: LabelledTable) -> pd.DataFrame:
    """Predictions under pseudonyms that nobody can make again without the table itself."""
    names = [pseudonym(table.secret, str(patient)) for patient in predictions["patient_id"]]
    hidden = predictions.drop(columns="patient_id")
    hidden.insert(0, "patient", names)
    return hidden.assign(cohort=table.name)


def _threshold(plan: ValidationPlan, evidence: Evidence) -> float:
    if plan.threshold == "youden":
        return lock_threshold(evidence.predictions, rule="youden")
    return float(plan.threshold)


def _described(
    train: LabelledTable,
    external: Sequence[LabelledTable],
    plan: ValidationPlan,
    threshold: float,
) -> Findings:
    flow = pd.DataFrame(
        [
            {
                "cohort": table.name,
                "table": "features",
                "kind": "table",
                "patients": len(table.labels),
                "events": int(table.labels.sum()),
            }
            for table in (train, *external)
        ]
    )
    text = f"threshold {threshold:.4g} ({plan.threshold}) was locked on {train.name}."
    return Findings(
        tables={"cohort_flow": flow, "settings": planned_settings(dict(_settings(plan)))},
        notes=(("info", text),),
    )


def _settings(plan: ValidationPlan) -> Iterator[tuple[str, object]]:
    for planned in plan.steps:
        if not planned.parameters:
            yield f"steps.{planned.step}", "defaults"
        for name, value in planned.parameters.items():
            yield f"steps.{planned.step}.{name}", value
    yield from plan.model_dump(exclude={"steps"}).items()


def _recipe(plan: ValidationPlan, columns: Mapping[str, object]) -> str:
    """Return the plan as YAML, with what was asked of which columns."""
    import yaml

    asked = {
        "question": f"Do these features foretell {columns['label']}?",
        "columns": dict(columns),
    }
    return yaml.safe_dump({**asked, **plan.model_dump(mode="json")}, sort_keys=False)
