"""Virtual biopsy: what images foretell of pathways and genes, locked, and taken elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import yaml

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import StudyError
from radiogenomics.core.provenance import Provenance, hash_file, hash_text, versions
from radiogenomics.io import output_folder, read_gmt, read_hgnc
from radiogenomics.omics.identifiers import GeneNames
from radiogenomics.study.association.sides import Names, Sides, names_given
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.foretelling.applied import (
    Foretold,
    agreement_stage,
    applied_table,
    contribution_table,
    foretell,
    transport_stage,
    usable_features,
)
from radiogenomics.study.foretelling.plan import BiopsyPlan
from radiogenomics.study.foretelling.sides import (
    Applied,
    AppliedWanted,
    BiopsyWanted,
    read_applied,
    read_training,
)
from radiogenomics.study.foretelling.surrogates import FILE, LockedBiopsy, read_surrogates
from radiogenomics.study.foretelling.training import Training, learn, training_findings
from radiogenomics.study.foretelling.words import conclusion
from radiogenomics.study.plan import plan_from, planned_settings
from radiogenomics.study.results import Results, without_identities, write_results
from radiogenomics.study.run import DEFAULT_SEED, collected_warnings


@dataclass(frozen=True)
class Asked:
    """How it is done: the plan, whether few patients are to do, seed and processes."""

    plan: BiopsyPlan
    force: bool
    seed: int
    jobs: int


@dataclass(frozen=True, eq=False)
class Brought:
    """Who is there: what surrogates are learnt from or the locked ones, and to whom they go."""

    sides: Sides | None
    locked: LockedBiopsy | None
    applied: Applied | None

    @property
    def trained_in(self) -> str:
        """Cohort that the surrogates are learnt in."""
        return (
            self.sides.name if self.sides is not None else str(self.locked and self.locked.cohort)
        )

    @property
    def both(self) -> tuple[Sides | Applied, ...]:
        """What was read, training first."""
        return tuple(each for each in (self.sides, self.applied) if each is not None)


def virtual_biopsies(
    *,
    out: str | Path,
    features: Names = None,
    expression: Names = None,
    gene_sets: str | Path | None = None,
    genes: Sequence[str] | str | None = None,
    cohort: str | Path | None = None,
    patients: str | Path | None = None,
    within: str | None = None,
    plan: str | Path | None = None,
    surrogates: str | Path | None = None,
    apply_features: Names = None,
    apply_expression: Names = None,
    apply_cohort: str | Path | None = None,
    apply_patients: str | Path | None = None,
    apply_groups: str | None = None,
    force: bool = False,
    hgnc: str | Path | None = None,
    data_root: str | Path | None = None,
    jobs: int | None = None,
    seed: int = DEFAULT_SEED,
) -> Results:
    """Say how well images foretell pathways and genes out of sample; lock it, and apply it.

    Parameters
    ----------
    out, features, expression
        Output folder, all or nothing; files, either way round, or assays of ``cohort``.
    gene_sets, genes
        GMT whose sets are scored, and single genes; with neither every gene is a target.
    cohort, patients, within
        Manifest, or a table of patients; column (site) inside whose values they are permuted.
    plan, surrogates
        YAML of :class:`~radiogenomics.study.foretelling.plan.BiopsyPlan`;
        ``surrogates.json`` of an earlier run, in place of features and expression.
    apply_features, apply_expression, apply_cohort, apply_patients, apply_groups
        Whom the locked surrogates are applied to; with expression, what is foretold is held
        against what is measured, also by scanner, modality or site (``apply_groups``).
    force, hgnc, data_root, jobs, seed
        Go on with fewer than 20 patients; HGNC complete set; as in ``radiogenomics.run``.

    Raises
    ------
    RadiogenomicsError
        A file, name or option is wrong, or too few patients have features and expression.
    """
    root = _text(data_root)
    wanted = BiopsyWanted(
        names_given(features), names_given(expression),
        cohort=_text(cohort), patients=_text(patients), within=within, data_root=root,
        surrogates=_path(surrogates), gene_sets=_path(gene_sets), hgnc=_path(hgnc),
        genes=names_given(genes),
        applied=AppliedWanted.of(
            names_given(apply_features), names_given(apply_expression), root,
            cohort=_text(apply_cohort), patients=_text(apply_patients), groups=apply_groups,
        ),
    )  # fmt: skip
    asked = Asked(plan_from(BiopsyPlan, plan), force, seed, jobs or os.cpu_count() or 1)
    return _written(wanted, asked, out=Path(out))


def _written(wanted: BiopsyWanted, asked: Asked, *, out: Path) -> Results:
    with output_folder(out) as writer:
        with collected_warnings() as caught:
            brought = _brought(wanted)
            training = None if brought.sides is None else _learnt(brought.sides, wanted, asked)
            locked = brought.locked if training is None else training.locked
            if locked is None:
                raise StudyError("biopsy: expected something to learn from; found nothing.")
            findings = merge(_stages(brought, locked, training, wanted=wanted, asked=asked))
        recipe = _recipe(wanted, asked)
        hashes = {name: sha for each in brought.both for name, sha in each.hashes.items()}
        hashes |= {path.name: hash_file(path) for path in wanted.files}
        provenance = Provenance(hashes, hash_text(recipe), asked.seed, versions())
        results = _results(brought, findings, caught, provenance=provenance)
        write_results(results, writer, recipe=recipe)
        writer.write_text(FILE, locked.to_json())
    return replace(results, folder=out)


def _brought(wanted: BiopsyWanted) -> Brought:
    known = None
    if wanted.hgnc is not None:
        known = GeneNames(read_hgnc(wanted.hgnc), wanted.hgnc.name)
    locked, sides, applied = None, None, None
    if wanted.surrogates is not None:
        locked = read_surrogates(wanted.surrogates)
    else:
        sides = read_training(wanted, known=known)
    brought = Brought(sides, locked, None)
    if wanted.applied is not None:
        applied = read_applied(wanted.applied, known=known)
        if applied.name == brought.trained_in:
            applied = replace(applied, name=f"{applied.name} (applied)")
    return replace(brought, applied=applied)


def _learnt(sides: Sides, wanted: BiopsyWanted, asked: Asked) -> Training:
    plan = asked.plan.for_patients(len(sides.features), force=asked.force)
    sets = {} if wanted.gene_sets is None else _symbols(wanted.gene_sets)
    return learn(
        sides, gene_sets=sets, named=wanted.genes, plan=plan, seed=asked.seed, jobs=asked.jobs
    )


def _stages(
    brought: Brought,
    locked: LockedBiopsy,
    training: Training | None,
    *,
    wanted: BiopsyWanted,
    asked: Asked,
) -> Iterator[Findings]:
    yield _described(brought, wanted, asked)
    if training is None:
        yield _carried(locked)
    else:
        yield training_findings(training)
    if brought.applied is not None:
        yield from _application(brought.applied, locked, training, asked=asked)
    elif training is not None:
        own = training.foretell_held_out(training.features, jobs=asked.jobs)
        foretold = Foretold(training.name, own.predicted, own.contributions)
        yield _of_patients(foretold, locked)


def _application(
    applied: Applied, locked: LockedBiopsy, training: Training | None, *, asked: Asked
) -> Iterator[Findings]:
    missing = asked.plan.max_missing
    features = usable_features(applied, locked, max_missing=missing)
    foretold = foretell(applied.name, features, locked)
    if training is not None:
        shared = features.index[features.index.isin(training.features.index)]
        if len(shared):
            known = training.foretell_held_out(features.loc[shared], jobs=asked.jobs)
            foretold = foretold.with_held_out(known)
            yield agreement_stage(training.predicted, foretold, locked, shared=list(shared))
    yield _of_patients(foretold, locked)
    yield transport_stage(applied, foretold, locked, max_missing=missing, seed=asked.seed)


def _of_patients(foretold: Foretold, locked: LockedBiopsy) -> Findings:
    return Findings(
        tables={
            "applied": applied_table(foretold, locked),
            "contributions": contribution_table(foretold),
        }
    )


def _carried(locked: LockedBiopsy) -> Findings:
    """What the file of the surrogates says of them."""
    tables = {
        "biopsy": locked.biopsy,
        "targets": locked.target_table(),
        "levels": locked.level_table(),
    }
    text = (
        f"surrogates were learnt in {locked.surrogate.linear.n} patients of {locked.cohort}: how "
        "well they foretell there is what their file says. Whether patients they are applied to "
        "were among those is not known here; of such patients agreement is flattered."
    )
    return Findings(tables=tables, notes=(("info", text),))


def _described(brought: Brought, wanted: BiopsyWanted, asked: Asked) -> Findings:
    kinds = {id(brought.sides): "training", id(brought.applied): "applied"}
    flow = pd.concat(
        [each.counts.assign(cohort=each.name, kind=kinds[id(each)]) for each in brought.both],
        ignore_index=True,
    )
    flow["events"] = pd.Series(pd.NA, index=flow.index, dtype="Int64")
    plan = asked.plan.model_dump()
    learnt = {"permuted within": wanted.within} | plan
    settings = learnt if brought.sides is not None else {"max_missing": plan["max_missing"]}
    notes = tuple(("info", note) for each in brought.both for note in each.notes)
    return Findings(
        tables={"cohort_flow": flow, "settings": planned_settings(settings)}, notes=notes
    )


def _results(
    brought: Brought, findings: Findings, caught: Sequence[str], *, provenance: Provenance
) -> Results:
    cohorts: list[Cohort] = [each.cohort for each in brought.both if each.cohort is not None]
    names = [brought.trained_in]
    if brought.applied is not None:
        names.append(brought.applied.name)
    notes = findings.notes + tuple(("warning", text) for text in caught)
    return Results(
        study="biopsy",
        cohorts=tuple(names),
        verdict=conclusion(findings, learnt_in=brought.trained_in),
        findings=replace(findings, notes=without_identities(dict.fromkeys(notes), cohorts)),
        provenance=provenance,
        simulated=tuple(each.id for each in cohorts if each.simulated),
    )


def _recipe(wanted: BiopsyWanted, asked: Asked) -> str:
    record = {
        "question": "How well do images foretell each pathway or gene in patients that no "
        "surrogate has seen?",
        **wanted.recorded(),
        "force": asked.force,
        "plan": asked.plan.model_dump(mode="json"),
    }
    return yaml.safe_dump(record, sort_keys=False, allow_unicode=True)


def _symbols(path: Path) -> Mapping[str, Sequence[str]]:
    return {each.name: each.genes for each in read_gmt(path, repeated_genes="first").values()}


def _text(name: str | Path | None) -> str | None:
    return None if name is None else str(name)


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)
