"""Run a recipe: files → cohort → labels and features → evidence → report."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import RadiogenomicsWarning, StudyError
from radiogenomics.core.log import get_logger
from radiogenomics.core.provenance import Provenance, hash_file, hash_text, versions
from radiogenomics.evaluation import verdict
from radiogenomics.io import output_folder
from radiogenomics.study.cohorts import load_cohorts, require_distinct
from radiogenomics.study.compare import surrogate_with_claims
from radiogenomics.study.external import validate_externally
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.inputs import Inputs, read_inputs
from radiogenomics.study.prediction.claims import read_claims
from radiogenomics.study.prediction.obtained import with_claims
from radiogenomics.study.prediction.run import Options, run_prediction
from radiogenomics.study.prediction.schema import PredictionStudy
from radiogenomics.study.prognosis import SPLIT
from radiogenomics.study.registry import CLAIMS, AnyStudy, find_study, read_study
from radiogenomics.study.results import Results, without_identities, write_results
from radiogenomics.study.schema import Study
from radiogenomics.study.signature import evaluate_signature
from radiogenomics.study.surrogate import evaluate_surrogate
from radiogenomics.study.weights_seen import require_unseen

DEFAULT_SEED = 0
DEFAULT_OPTIONS = Options()


def run(
    study: str | Path,
    *,
    cohort: str | Path | Sequence[str | Path],
    out: str | Path,
    data_root: str | Path | None = None,
    complete_cases: bool = False,
    legacy: bool = False,
    permutations: int | None = None,
    simulated: bool = False,
    weights: Mapping[str, str | Path] | None = None,
    jobs: int | None = None,
    seed: int = DEFAULT_SEED,
) -> Results:
    """Run a recipe on cohorts and write its report.

    Parameters
    ----------
    study
        Path of a recipe (file or folder) or the name of a shipped one.
    cohort
        One manifest or several, by path or shipped name. The first is the discovery cohort; in the
        others nothing is fitted.
    out
        Output folder; it appears all at once, or not at all.
    data_root
        Folder that the manifests' files are relative to; each manifest's own folder when not given.
    complete_cases, legacy, permutations
        Leave out patients who lack a block, and show how much known defects flatter, of prediction
        studies; permutations of the whole cross-validation instead of the recipe's number (of a
        surrogate at least one).
    simulated, weights
        The scans are a simulated study's, and views and networks as small as its
        ``simulation.scans`` says; encoder preset → file of its weights, random ones if not given.
    jobs
        Processes; all cores when not given. Numbers do not depend on it.
    seed
        Of every random number drawn.

    Raises
    ------
    RadiogenomicsError
        The branch says what was wrong: recipe, manifest, file, identifiers, outcome, geometry.
    """
    recipe, folder = find_study(study), Path(out)
    plan, text = read_study(recipe), recipe.read_text(encoding="utf-8")
    # Opened first: a folder that may not be replaced is refused before minutes are spent.
    with output_folder(folder) as writer:
        cohorts, hashes = _read(_listed(cohort), data_root, weights or {})
        provenance = Provenance(hashes, hash_text(text), seed, versions())
        options = Options(complete_cases, legacy, permutations, simulated, weights or {})
        results = run_cohorts(
            plan, cohorts, seed=seed, jobs=jobs, provenance=provenance, options=options
        )
        if (claims := recipe.with_name(CLAIMS)).is_file():
            results = _beside(read_claims(claims), results, plan)
            writer.write_text(CLAIMS, claims.read_text(encoding="utf-8"))
        write_results(results, writer, recipe=text)
    return replace(results, folder=folder)


def _listed(cohort: str | Path | Sequence[str | Path]) -> list[str | Path]:
    return [cohort] if isinstance(cohort, str | Path) else list(cohort)


def _read(
    manifests: list[str | Path], data_root: str | Path | None, weights: Mapping[str, str | Path]
) -> tuple[list[Cohort], dict[str, str]]:
    """Cohorts, which weights must not have seen, and the hashes of all files."""
    # Weights first: a missing file is told before minutes are spent.
    given = {f"weights of {preset}": hash_file(Path(file)) for preset, file in weights.items()}
    cohorts, hashes = load_cohorts(manifests, data_root)
    require_unseen(weights, cohorts=[cohort.id for cohort in cohorts], hashes=hashes)
    return cohorts, hashes | given


def run_cohorts(
    study: AnyStudy,
    cohorts: Sequence[Cohort],
    *,
    provenance: Provenance,
    seed: int,
    jobs: int | None,
    options: Options = DEFAULT_OPTIONS,
) -> Results:
    """Run a recipe on cohorts already in memory, without writing anything."""
    require_distinct(cohorts)
    if seed < 0:
        raise StudyError(f"expected a seed of at least 0; found {seed}. Choose another.")
    jobs = jobs or os.cpu_count() or 1
    with collected_warnings() as caught:
        if isinstance(study, PredictionStudy):
            findings = run_prediction(study, cohorts, options=options, seed=seed, jobs=jobs)
        else:
            study = _as_asked(study, options)
            inputs = [read_inputs(cohort, study, jobs=jobs) for cohort in cohorts]
            findings = merge(_stages(study, inputs, seed=seed, jobs=jobs))
    remarks = tuple(dict.fromkeys(("warning", text) for text in caught))
    findings = replace(findings, notes=without_identities(findings.notes + remarks, cohorts))
    return Results(
        study=study.study,
        cohorts=tuple(cohort.id for cohort in cohorts),
        verdict=_conclusion(study, findings),
        findings=findings,
        provenance=provenance,
        simulated=tuple(cohort.id for cohort in cohorts if cohort.simulated),
    )


def _beside(claims: pd.DataFrame, results: Results, study: AnyStudy) -> Results:
    """Results with what the paper claims beside what was obtained."""
    if isinstance(study, PredictionStudy):
        return with_claims(results, study, claims)
    return surrogate_with_claims(results, study, claims)


def _as_asked(study: Study, options: Options) -> Study:
    """The recipe of a surrogate with the permutations that were asked for, one at the least.

    Raises
    ------
    StudyError
        An option of prediction studies was given.
    """
    if options.complete_cases or options.legacy or options.weights:
        raise StudyError(
            f"{study.study}: expected a prediction study for complete cases, known defects and "
            "weights of encoders; found a surrogate, which has none. Leave the option out."
        )
    if options.permutations is None:
        return study
    count = study.evaluation.permutations.model_copy(update={"value": max(1, options.permutations)})
    evaluation = study.evaluation.model_copy(update={"permutations": count})
    return study.model_copy(update={"evaluation": evaluation})


def _stages(study: Study, inputs: Sequence[Inputs], *, seed: int, jobs: int) -> Iterator[Findings]:
    log = get_logger(__name__)
    discovery, others = inputs[0], inputs[1:]
    yield _described(study, inputs)
    if discovery.expression is None:
        raise StudyError(
            f"{discovery.cohort.id}: expected the assay {study.label.assay.value!r} in the "
            f"discovery cohort; found {', '.join(discovery.cohort.assays) or 'none'}. "
            "Put a cohort with RNA first."
        )
    made = Findings()
    if discovery.outcome is not None:
        log.info("signature on %s", study.label.endpoint.value)
        made = evaluate_signature(study, discovery, seed=seed)
        yield made
    elif study.label.weights.value is None:
        raise StudyError(
            f"{discovery.cohort.id}: expected {study.label.endpoint.value} to fit weights on; "
            "found no such outcome. Supply label.weights or a cohort with the outcome."
        )
    evidence = None
    if discovery.images is None:
        text = (
            f"{discovery.cohort.id} has no images or image features: the imaging half of the "
            "recipe was not run."
        )
        yield Findings(notes=(("info", text),))
    else:
        surrogate = evaluate_surrogate(study, discovery, seed=seed, jobs=jobs)
        evidence = surrogate.evidence
        yield surrogate
    for other in others:
        log.info("validating in %s", other.cohort.id)
        yield validate_externally(
            study, other, signature=made.signature, evidence=evidence, seed=seed
        )


def _described(study: Study, inputs: Sequence[Inputs]) -> Findings:
    flow = pd.concat(
        [entry.cohort.flow().reset_index().assign(cohort=entry.cohort.id) for entry in inputs],
        ignore_index=True,
    )
    return Findings(
        tables={"cohort_flow": flow, "settings": study.settings()},
        notes=tuple(note for entry in inputs for note in entry.notes),
    )


def _conclusion(study: AnyStudy, findings: Findings) -> str:
    asked = [("auc", "the imaging surrogate"), ("signature_c_index", "the signature")]
    if isinstance(study, PredictionStudy):
        name = f"the model {study.models[0].name}"
        asked = [("auc", name), ("c_index", name)]
    for name, subject in asked:
        metric = findings.metric(name, split=SPLIT)
        if metric is not None:
            return verdict(metric, subject=subject).text
    return "nothing was tested: the cohort has neither an outcome nor images."


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """Gather our own warnings for the report and still show each to the caller, once."""
    texts: list[str] = []
    caught: list[warnings.WarningMessage] = []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", RadiogenomicsWarning)
            yield texts
        texts.extend(str(w.message) for w in caught if issubclass(w.category, RadiogenomicsWarning))
    finally:
        for found in {(w.category, str(w.message)): w for w in caught}.values():
            warnings.warn_explicit(found.message, found.category, found.filename, found.lineno)
