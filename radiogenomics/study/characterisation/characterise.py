"""Characterise a score in cohorts: what goes with it, whom it finds, and how they fare."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import yaml

from radiogenomics.core.errors import RadiogenomicsWarning, StudyError
from radiogenomics.core.evidence import Metric
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.core.log import get_logger
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.core.provenance import Provenance, hash_file, hash_text, versions
from radiogenomics.evaluation import verdict
from radiogenomics.evaluation.response import METRIC as RESPONSE_METRIC
from radiogenomics.evaluation.response import POOLED
from radiogenomics.io import output_folder, read_gmt, read_hgnc
from radiogenomics.io.signatures import read_signature
from radiogenomics.omics.identifiers import GeneNames
from radiogenomics.study.characterisation.outcomes import (
    PERMUTATIONS,
    Bench,
    metric_name,
    responses,
    survivals,
)
from radiogenomics.study.characterisation.scores import (
    NamedScore,
    SignatureScore,
    high_or_low,
    named_score,
)
from radiogenomics.study.cohorts import load_cohorts, require_distinct
from radiogenomics.study.derivation.meaning import Questions, cautions, cohort_meaning, questions_of
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.plan import planned_settings
from radiogenomics.study.results import Results, without_identities, write_results
from radiogenomics.study.run import DEFAULT_SEED, collected_warnings
from radiogenomics.study.tumours import Tumours, changed_names, read_tumours

ASSAY = "rna"


@dataclass(frozen=True)
class Wanted:
    """What is asked of the cohorts.

    Parameters
    ----------
    scores
        By the first patients are called high, and the verdict is about it.
    questions
        What is compared between patients called high and low.
    response, responders
        Outcome, and its categories that count as response; None for no such question.
    endpoint
        Time to an event; None for no such question.
    """

    scores: tuple[NamedScore, ...]
    questions: Questions
    response: str | None = None
    responders: tuple[str, ...] = ()
    endpoint: str | None = None

    def __post_init__(self) -> None:
        """Check that the questions can be asked."""
        names = [score.name for score in self.scores]
        if not names or len(set(names)) != len(names):
            raise StudyError(
                "characterise: expected a signature or scores, each once; found "
                f"{', '.join(names) or 'none'}. Give --signature, --scores or both."
            )
        if (self.response is None) == bool(self.responders):
            raise StudyError(
                "characterise: expected a response and its categories that count as such, or "
                f"neither; found response {self.response!r}, responders "
                f"{', '.join(self.responders) or 'none'}. Name both, as --response response "
                "--responders CR --responders PR."
            )

    @property
    def first(self) -> NamedScore:
        """The score that the verdict is about."""
        return self.scores[0]


def characterise(
    *,
    cohort: str | Path | Sequence[str | Path],
    out: str | Path,
    signature: str | Path | None = None,
    scores: Sequence[str] | None = None,
    gene_sets: str | Path | None = None,
    contrasts: Sequence[str] | None = None,
    gsea: Sequence[str] | None = None,
    response: str | None = None,
    responders: Sequence[str] | None = None,
    endpoint: str | None = None,
    hgnc: str | Path | None = None,
    data_root: str | Path | None = None,
    seed: int = DEFAULT_SEED,
) -> Results:
    """Say what a signature or a score of genes goes with in cohorts; write the report.

    Nothing is fitted to an outcome. Patients are called high by the signature's locked cut-off, or
    above the cohort's median of a set; every score is held against response and survival.

    Parameters
    ----------
    cohort, out
        Manifests, by path or shipped name; output folder, which appears all at once or not at all.
    signature, scores
        ``signature.json``, as ``derive`` wrote it; gene sets, ``NAME`` (mean z) or ``NAME:WAY``
        (mean_z, pc1, ssgsea, singscore). The verdict is about the signature, else the first set.
    gene_sets, hgnc
        GMT file; HGNC complete set, for former symbols.
    contrasts, gsea
        Sets compared, all shipped if none; sets tested for enrichment. ``NAME*``: all like it.
    response, responders, endpoint, data_root, seed
        Response, and its categories that a high score is to speak for; survival endpoint; as in
        :func:`~radiogenomics.study.run.run`.

    Raises
    ------
    RadiogenomicsError
        Manifest, file, signature, set, outcome or category is wrong; the branch says which.
    """
    manifests = [cohort] if isinstance(cohort, str | Path) else list(cohort)
    with output_folder(out) as writer:
        with collected_warnings() as caught:
            supplied = read_gmt(gene_sets, repeated_genes="first") if gene_sets else {}
            named = _named(signature, scores or (), supplied)
            own = named[0].own if named else ()
            questions = questions_of(contrasts or (), gsea or (), gene_sets=supplied, own=own)
            wanted = Wanted(named, questions, response, tuple(responders or ()), endpoint)
            known = None if hgnc is None else GeneNames(read_hgnc(hgnc), Path(hgnc).name)
            cohorts, hashes = load_cohorts(manifests, data_root)
            parts = [read_tumours(each, assay=ASSAY, known=known) for each in cohorts]
        given = (path for path in (signature, gene_sets, hgnc) if path is not None)
        hashes |= {Path(path).name: hash_file(Path(path)) for path in given}
        recipe = _recipe(wanted, contrasts=contrasts or (), gsea=gsea or ())
        results = characterise_cohorts(parts, wanted, seed=seed, remarks=caught)
        provenance = Provenance(hashes, hash_text(recipe), seed, versions())
        results = replace(results, provenance=provenance)
        write_results(results, writer, recipe=recipe)
    return replace(results, folder=Path(out))


def _named(
    signature: str | Path | None, scores: Sequence[str], gene_sets: Mapping[str, GeneSet]
) -> tuple[NamedScore, ...]:
    made = () if signature is None else (SignatureScore(read_signature(signature)),)
    return (*made, *(named_score(name, gene_sets) for name in scores))


def characterise_cohorts(
    parts: Sequence[Tumours], wanted: Wanted, *, seed: int, remarks: Sequence[str] = ()
) -> Results:
    """Characterise cohorts already in memory, without writing anything.

    Parameters
    ----------
    parts, wanted, seed
        Cohorts; what is asked of them; of random numbers.
    remarks
        Warnings of the reading.
    """
    cohorts = [part.cohort for part in parts]
    require_distinct(cohorts)
    _require_outcomes(parts, wanted)
    bench = Bench(parts, wanted.scores, seed)
    with collected_warnings() as caught:
        _warn_of_shared_names(parts)
        calls, scored = _called(bench, wanted.first)
        findings = merge([_described(parts, wanted), *scored, *_stages(bench, wanted, calls)])
    warned = tuple(("warning", text) for text in (*caught, *remarks))
    notes = without_identities(dict.fromkeys(findings.notes + warned), cohorts)
    return Results(
        study="characterise",
        cohorts=tuple(each.id for each in cohorts),
        verdict=_conclusion(findings, wanted),
        findings=replace(findings, notes=notes),
        provenance=Provenance({}, hash_text(wanted.first.name), seed, versions()),
        simulated=tuple(each.id for each in cohorts if each.simulated),
    )


def _stages(
    bench: Bench, wanted: Wanted, calls: Mapping[str, pd.Series[bool]]
) -> Iterator[Findings]:
    log = get_logger(__name__)
    for part in bench.parts:
        name = part.cohort.id
        if name in calls:
            log.info("comparing patients of %s", name)
            yield cohort_meaning(
                calls[name], part.values, wanted.questions, split=name, seed=bench.seed
            )
    if calls:
        yield Findings(notes=cautions(wanted.questions))
    if wanted.response is not None:
        log.info("scores against %s", wanted.response)
        yield responses(bench, outcome=wanted.response, responders=wanted.responders)
    if wanted.endpoint is not None:
        log.info("scores against %s", wanted.endpoint)
        yield survivals(bench, endpoint=wanted.endpoint, calls=calls, first=wanted.first)


def _called(bench: Bench, first: NamedScore) -> tuple[dict[str, pd.Series[bool]], list[Findings]]:
    """Who is called high by the first score; tables of that and of every score."""
    calls, stages = {}, []
    for part in bench.parts:
        for score in bench.scores:
            values, notes = bench.score(score, part, part.values.index)
            stages.append(Findings(notes=notes))
            if values is None:
                continue
            stages.append(Findings(tables={"patient_scores": _long(values, score, part)}))
            if score is not first:
                continue
            high, by = high_or_low(values, score)
            calls[part.cohort.id] = high
            table = pd.DataFrame(
                {
                    "patient_id": values.index,
                    "score": values.to_numpy(),
                    "label": high.map({True: "high", False: "low"}).to_numpy(),
                    "cohort": part.cohort.id,
                }
            )
            text = (
                f"{part.cohort.id}: {int(high.sum())} of {len(high)} patients are called high in "
                f"{score.name}, by {by}."
            )
            stages.append(Findings(tables={"label_scores": table}, notes=(("info", text),)))
    return calls, stages


def _long(values: pd.Series[float], score: NamedScore, part: Tumours) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient_id": values.index,
            "cohort": part.cohort.id,
            "score": score.name,
            "value": values.to_numpy(),
        }
    )


def _require_outcomes(parts: Sequence[Tumours], wanted: Wanted) -> None:
    """Refuse an outcome that no cohort has: it is misspelt."""
    for name in (wanted.response, wanted.endpoint):
        if name is not None and not any(name in part.cohort.outcomes for part in parts):
            known = sorted({each for part in parts for each in part.cohort.outcomes})
            raise StudyError(
                f"characterise: expected an outcome that a cohort has; found {name!r}, and "
                f"{', '.join(known) or 'none'} in the cohorts. Name one of these."
            )


def _warn_of_shared_names(parts: Sequence[Tumours]) -> None:
    """The same patients in two cohorts would count twice when pooled."""
    for at, part in enumerate(parts):
        for other in parts[at + 1 :]:
            named = int(part.values.index.isin(other.values.index).sum())
            if named:
                warnings.warn(
                    f"{part.cohort.id} and {other.cohort.id}: expected patients of names of their "
                    f"own; found {named} names in both. If they are the same patients, leave one "
                    "cohort out: pooled numbers count them twice.",
                    RadiogenomicsWarning,
                    stacklevel=2,
                )


def _conclusion(findings: Findings, wanted: Wanted) -> str:
    """The verdict on the first score, by rule 0003: against response, else against survival."""
    name = wanted.first.name
    if wanted.response is not None:
        metric = _headline(findings, f"{RESPONSE_METRIC}:{name}")
        kinds = " or ".join(wanted.responders)
        subject, plain = f"that a high {name} goes with {kinds} in {wanted.response}", "auc"
    elif wanted.endpoint is not None:
        metric, plain = _headline(findings, metric_name(wanted.first, "c_index")), "c_index"
        side = "high"
        if metric is not None and wanted.first.alternative == "two-sided" and metric.value < 0.5:
            # Tested on both sides: said of the side that it lies on.
            side = "low"
            metric = replace(
                metric, value=1 - metric.value, low=1 - metric.high, high=1 - metric.low
            )
        subject = f"that a {side} {name} goes with shorter {wanted.endpoint}"
    else:
        return (
            f"what patients high in {name} have that others have not is described; no outcome was "
            "named, and nothing was tested against chance"
        )
    if metric is None:
        return f"nothing was tested: no cohort could be asked {subject}"
    return verdict(replace(metric, name=plain), subject=subject).text


def _headline(findings: Findings, name: str) -> Metric | None:
    """The pooled number, or that of the only cohort."""
    found = [metric for metric in findings.metrics if metric.name == name]
    return next((metric for metric in found if metric.split == POOLED), found[0] if found else None)


def _described(parts: Sequence[Tumours], wanted: Wanted) -> Findings:
    rows = [row for part in parts for row in _flow(part, wanted)]
    flow = pd.DataFrame(rows, columns=["cohort", "table", "kind", "patients", "events"])
    return Findings(
        tables={
            "cohort_flow": flow.astype({"events": "Int64"}),
            "gene_names": changed_names({part.cohort.id: part.genes for part in parts}),
            "settings": planned_settings(_settings(wanted)),
        }
    )


def _flow(part: Tumours, wanted: Wanted) -> Iterator[tuple[str, str, str, int, int | None]]:
    """Patients with expression, and among them those with an outcome (and an event of it)."""
    name, patients = part.cohort.id, part.values.index
    yield name, ASSAY, "characterised", len(patients), None
    for wish in (wanted.response, wanted.endpoint):
        outcome = None if wish is None else part.cohort.outcomes.get(wish)
        if wish is None or outcome is None:
            continue
        known = patients[patients.isin(outcome.patient_ids)]
        if isinstance(outcome, SurvivalOutcome):
            events = int(outcome.event.loc[known].sum())
        else:
            events = int(outcome.category.loc[known].isin(wanted.responders).sum())
        yield name, wish, "outcome", len(known), events


def _settings(wanted: Wanted) -> dict[str, object]:
    return {
        "scores": [score.name for score in wanted.scores],
        "called high by": wanted.first.name,
        "contrasts of sets": [each.name for each in wanted.questions.scored],
        "contrasts of genes": wanted.questions.genes,
        "enrichment": [each.name for each in wanted.questions.enriched],
        "response": wanted.response,
        "responders": wanted.responders,
        "endpoint": wanted.endpoint,
        "permutations": PERMUTATIONS,
    }


def _recipe(wanted: Wanted, *, contrasts: Sequence[str], gsea: Sequence[str]) -> str:
    asked = {
        "question": f"What goes with {wanted.first.name}, whom does it find, and how do they fare?",
        "scores": [score.name for score in wanted.scores],
        "contrasts": list(contrasts),
        "gsea": list(gsea),
        "response": wanted.response,
        "responders": list(wanted.responders),
        "endpoint": wanted.endpoint,
    }
    return yaml.safe_dump(asked, sort_keys=False, allow_unicode=True)
