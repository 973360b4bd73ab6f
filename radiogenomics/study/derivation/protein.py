"""Protein beside RNA: genes whose protein follows, and the locked signature at protein level."""

from __future__ import annotations

import warnings
import zlib
from dataclasses import replace

import numpy as np
import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import AlignmentError, RadiogenomicsWarning, StudyError, short_list
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.core.signature import Signature
from radiogenomics.evaluation import prognosis
from radiogenomics.evaluation.alignment import per_sd
from radiogenomics.omics import LOG2_UNITS, rename_genes, unit_of
from radiogenomics.omics.checks import check_orientation, check_unit
from radiogenomics.omics.identifiers import GeneNames
from radiogenomics.stats import adjust, fit_cox
from radiogenomics.stats.ranks import spearman
from radiogenomics.study.derivation.cohorts import Discovery, Molecules
from radiogenomics.study.derivation.depth import OUTCOME_PERMUTATIONS
from radiogenomics.study.derivation.plan import DerivationPlan
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.inputs import log2_per_patient, sites_of
from radiogenomics.study.score import FEWEST_REFERENCE, restandardised

FEWEST_PAIRS = 10
# A median over this many genes is no accident of a few; in tumours it is about 0.2 to 0.5.
FEWEST_GENES = 20
LEAST_MEDIAN = 0.1
# Units of manifests that are no unit of expression, and the checks that hold for their values.
_RATIO = "log2(x+offset)"
_CHECKED_AS = "log intensity"


def read_protein(
    cohort: Cohort, plan: DerivationPlan, *, endpoint: str, known: GeneNames | None = None
) -> Molecules:
    """Collect the proteome of one cohort, log2, under approved symbols, with its gaps.

    Unlike RNA a protein stays that lacks a value in some patients, and a patient without the
    endpoint. Linear units become log2(x + 1); ``log2(x+offset)`` and ``feature`` stay as they are.
    Several columns of one gene become their mean.

    Parameters
    ----------
    cohort
        Of the protein manifest, or a discovery cohort that has the assay.
    plan
        Its ``protein_assay`` names the table.
    endpoint
        Survival to hold proteins against; where the cohort lacks it the outcome has no patient.
    known
        Gene names, for former symbols.

    Raises
    ------
    StudyError
        The cohort lacks the assay, or the endpoint is a response.
    DataError, AlignmentError
        The table is turned or its values cannot be in the unit that was declared.
    """
    if plan.protein_assay not in cohort.assays:
        raise StudyError(
            f"{cohort.id}: expected the assay {plan.protein_assay!r}; found "
            f"{', '.join(cohort.assays) or 'none'}. Name it as protein_assay in the plan."
        )
    table = cohort.assay(plan.protein_assay)
    what = f"{cohort.id}, assay {plan.protein_assay}"
    if "sample_type" in table.samples:
        table = table.where("sample_type", "tumour")
    if not table.n_samples:
        raise StudyError(f"{what}: expected tumours; found none. Check sample_type.")
    unit = unit_of(table)
    check_orientation(table.values, known=known, what=what)
    if unit in LOG2_UNITS or unit == _RATIO:
        with warnings.catch_warnings():
            # What is unlikely is judged by RNA: log2 intensities of proteins reach 35.
            warnings.simplefilter("ignore", RadiogenomicsWarning)
            check_unit(table.values, unit if unit in LOG2_UNITS else _CHECKED_AS, what=what)
    values = log2_per_patient(table) if unit in LOG2_UNITS else table.per_patient()
    named = rename_genes(values, known=known, repeated="mean")
    outcome = _no_outcome(endpoint)
    if endpoint in cohort.outcomes:
        survival = cohort.survival(endpoint)
        here = named.values.index[named.values.index.isin(survival.patient_ids)]
        outcome = survival.for_patients(here)
    log_unit = LOG2_UNITS.get(unit, unit)
    return Molecules(cohort, named.values, None, outcome, log_unit, named.genes)


def pass_protein(
    table: pd.DataFrame, discovery: Discovery, plan: DerivationPlan, *, protein: Molecules | None
) -> None:
    """RNA and protein of the same patients go together; genes without a protein do not pass.

    Spearman's correlation of each gene over the patients that have both values. The proteome is
    that of ``protein``, else the assay of the first discovery cohort that has it with enough
    patients and genes. Patients are matched by identifier: with the discovery cohort of the same id
    where there is one, else with the one cohort that has some of these identifiers.

    Adds ``protein_rho, protein_n`` (patients) and ``passes_protein`` to the table.
    """
    if protein is None:
        rna, values = _of_discovery(table, discovery, plan)
    else:
        rna, values = _of_manifest(table, discovery, protein)
    found = spearman(rna, values, fewest=FEWEST_PAIRS)
    _doubt_pairs(found.rho, rna)
    numbers = {"rho": found.rho, "fdr": adjust(found.p), "n": found.n}
    known = pd.DataFrame(numbers, index=rna.columns).reindex(table["gene"])
    limit = plan.candidates.protein or 0
    table["protein_rho"] = known["rho"].to_numpy()
    table["protein_n"] = known["n"].fillna(0).astype(int).to_numpy()
    table["passes_protein"] = ((known["rho"] > 0) & (known["fdr"] <= limit)).to_numpy()


def protein_level(
    signature: Signature,
    protein: Molecules,
    plan: DerivationPlan,
    *,
    discovery: Discovery,
    seed: int,
    permutations: int = OUTCOME_PERMUTATIONS,
) -> Findings:
    """Hold the locked signature against survival with proteins in place of its genes' RNA.

    Genes are looked at one by one (Cox, per SD of the protein in the patients that have it), and
    together: the weights of the signature on proteins that are standardised in this cohort without
    its outcomes, in patients who have all of them. Where genes lack a protein the others make the
    score, without the cut-off. Nothing is fitted to survival; but patients that the signature was
    derived from have lent it their outcomes, which a note counts.

    Returns
    -------
    Findings
        Table ``protein``: ``split, gene, hazard_ratio, low, high, p`` (Wald), ``n, events``;
        metrics ``signature_...`` and table ``hazard_ratios`` of split ``protein:COHORT``.
    """
    split = f"protein:{protein.cohort.id}"
    columns = protein.tumour.loc[:, protein.tumour.nunique() > 1]
    present = [gene for gene in signature.genes if gene in columns]
    notes = [*_gaps(protein), *_known_patients(discovery, protein)]
    absent = [gene for gene in signature.genes if gene not in present]
    if absent:
        rest = f"the score is of {', '.join(present)} alone, without cut-off" if present else ""
        text = f"{split}: no protein of {', '.join(absent)}"
        notes.append(("warning", f"{text}; {rest}." if rest else f"{text}: nothing to look at."))
    if not present:
        return Findings(notes=tuple(notes))
    outcome = protein.outcome
    if outcome.n_events < plan.minimum_events:
        text = (
            f"{split}: not held against {outcome.endpoint}: {outcome.n_events} events in "
            f"{len(outcome.time)} patients with proteins, below {plan.minimum_events}."
        )
        return Findings(notes=(*notes, ("warning", text)))
    rows = _univariate(columns[present], outcome, split=split, minimum_events=plan.minimum_events)
    whole = _together(
        _of_genes(signature, present), protein, plan, split=split, seed=seed, count=permutations
    )
    return merge([Findings(notes=tuple(notes)), rows, whole])


def _of_discovery(
    table: pd.DataFrame, discovery: Discovery, plan: DerivationPlan
) -> tuple[pd.DataFrame, pd.DataFrame]:
    for part in discovery.parts:
        if plan.protein_assay in part.cohort.assays:
            protein = read_protein(part.cohort, plan, endpoint=part.outcome.endpoint)
            rna, values = _paired(table, part, protein)
            if len(rna) >= FEWEST_PAIRS and len(rna.columns):
                return rna, values
    raise StudyError(
        f"candidates.protein: expected a cohort with the assay {plan.protein_assay!r} of at least "
        f"{FEWEST_PAIRS} patients with RNA, and shared genes; found none. Give --protein, or leave "
        "the filter out."
    )


def _sharing(discovery: Discovery, protein: Molecules) -> list[Molecules]:
    """Discovery cohorts with patients of the proteins, by cohort id and identifier, or by this."""
    own = [part for part in discovery.parts if part.cohort.id == protein.cohort.id]
    patients = protein.tumour.index
    return [p for p in own or discovery.parts if p.tumour.index.isin(patients).any()]


def _of_manifest(
    table: pd.DataFrame, discovery: Discovery, protein: Molecules
) -> tuple[pd.DataFrame, pd.DataFrame]:
    name, sharing = protein.cohort.id, _sharing(discovery, protein)
    if len(sharing) > 1:
        raise AlignmentError(
            f"candidates.protein: expected the patients of {name} in one discovery cohort; found "
            f"their identifiers in {', '.join(p.cohort.id for p in sharing)}. Give the manifest of "
            "the proteins the id of the cohort that they belong to."
        )
    rna, values = _paired(table, sharing[0] if sharing else discovery.parts[0], protein)
    if len(rna) < FEWEST_PAIRS:
        ours = [patient for part in discovery.parts for patient in part.tumour.index]
        raise AlignmentError(
            f"candidates.protein: expected at least {FEWEST_PAIRS} patients of {name} among those "
            f"with RNA; found {len(rna)} of {len(protein.tumour)} (proteins: "
            f"{short_list(protein.tumour.index, limit=3)}; RNA: {short_list(ours, limit=3)}). Use "
            "the same identifiers in both manifests, or leave the filter out."
        )
    if not len(rna.columns):
        raise AlignmentError(
            f"candidates.protein: expected proteins of {name} under symbols of genes; found none "
            f"of {protein.tumour.shape[1]} among those with RNA "
            f"({short_list(protein.tumour.columns, limit=3)}). Name proteins by their genes."
        )
    return rna, values


def _paired(
    table: pd.DataFrame, part: Molecules, protein: Molecules
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """RNA and protein, patients × genes that have both."""
    patients = part.tumour.index[part.tumour.index.isin(protein.tumour.index)]
    shared = [gene for gene in table["gene"] if gene in protein.tumour.columns]
    return part.tumour.loc[patients, shared], protein.tumour.loc[patients, shared]


def _doubt_pairs(rho: np.ndarray, rna: pd.DataFrame) -> None:
    """Warn where most genes go their own way, as when patients are matched to others."""
    known = rho[np.isfinite(rho)]
    if len(known) >= FEWEST_GENES and np.median(known) < LEAST_MEDIAN:
        warnings.warn(
            f"candidates.protein: expected RNA and protein of a patient to go together; found a "
            f"median rank correlation of {np.median(known):.2f} over {len(known)} genes in "
            f"{len(rna)} patients. Check that the same identifier is the same patient in both.",
            RadiogenomicsWarning,
            stacklevel=4,
        )


def _known_patients(discovery: Discovery, protein: Molecules) -> list[tuple[str, str]]:
    """How many of the patients have lent their outcomes already."""
    notes = []
    for part in _sharing(discovery, protein):
        shared = int(protein.tumour.index.isin(part.tumour.index).sum())
        same = part.cohort.id == protein.cohort.id
        how = "cohort and identifier" if same else "identifier, from another manifest"
        text = (
            f"protein:{protein.cohort.id}: {shared} of {len(protein.tumour)} patients are those of "
            f"{part.cohort.id} (by {how}), which the signature was derived from: their survival is "
            "not new, and this is no validation."
        )
        notes.append(("warning", text))
    return notes


def _gaps(protein: Molecules) -> list[tuple[str, str]]:
    """How much is missing, and whether rather of weak proteins."""
    values = protein.tumour
    missing = values.isna().mean()
    if not missing.any():
        return []
    text = f"protein:{protein.cohort.id}: {missing.mean():.0%} of the values are missing"
    found = spearman(missing, values.mean(), fewest=FEWEST_GENES)
    if found.rho[0] < 0 and found.p[0] < 0.05 and protein.unit != "z-score":
        text += (
            f", more of weak proteins (Spearman's rho {found.rho[0]:.2f} of share and mean): they "
            "lie below what is detected (left-censored), and what is there is too high"
        )
    text += ". Correlations and hazard ratios are of the patients that have a value."
    return [("info", text)]


def _univariate(
    proteins: pd.DataFrame, outcome: SurvivalOutcome, *, split: str, minimum_events: int
) -> Findings:
    """Cox model of each protein per SD, in the patients that have it."""
    rows, left_out = [], []
    for gene, column in proteins.loc[outcome.patient_ids].items():
        values = column.dropna()
        own = outcome.for_patients(values.index)
        if values.nunique() < 2:
            left_out.append(f"{gene} (does not vary)")
            continue
        if own.n_events < minimum_events:
            left_out.append(f"{gene} ({own.n_events} events)")
            continue
        fit = fit_cox(per_sd(values.to_numpy(dtype=float)), own.time, own.event)
        if not fit.converged:
            left_out.append(f"{gene} (not finite)")
            continue
        low, high = map(float, fit.interval()[0])
        row = (split, gene, float(fit.hazard_ratio[0]), low, high, float(fit.p[0]))
        rows.append((*row, fit.n, fit.events))
    names = ["split", "gene", "hazard_ratio", "low", "high", "p", "n", "events"]
    text = f"{split}: no hazard ratio of {', '.join(left_out)}."
    return Findings(
        tables={"protein": pd.DataFrame(rows, columns=names)} if rows else {},
        notes=(("warning", text),) if left_out else (),
    )


def _of_genes(signature: Signature, present: list[str]) -> Signature:
    """The same weights of some genes; the cut-off belongs to the sum of all."""
    if signature.weights is None:
        raise StudyError(
            f"signature {signature.name}: expected fixed weights; found none. Fit it first."
        )
    if len(present) == len(signature.genes):
        return signature
    weight = dict(zip(signature.genes, signature.weights, strict=True))
    weights = tuple(weight[gene] for gene in present)
    genes = tuple(present)
    return replace(signature, genes=genes, weights=weights, centre=None, scale=None, cutoff=None)


def _together(
    signature: Signature,
    protein: Molecules,
    plan: DerivationPlan,
    *,
    split: str,
    seed: int,
    count: int,
) -> Findings:
    """Prognosis of the weighted score of proteins."""
    values = protein.tumour[list(signature.genes)].dropna()
    patients = values.index[values.index.isin(protein.outcome.patient_ids)]
    outcome = protein.outcome.for_patients(patients)
    flat = (values.loc[patients].nunique() < 2).any()
    if flat or len(values) < FEWEST_REFERENCE or outcome.n_events < plan.minimum_events:
        text = (
            f"{split}: no score: {len(patients)} patients have {outcome.endpoint} and all of "
            f"{', '.join(signature.genes)}, with {outcome.n_events} events; expected "
            f"{FEWEST_REFERENCE} patients, {plan.minimum_events} events and proteins that vary."
        )
        return Findings(notes=(("warning", text),))
    locked = restandardised(signature, values, unit=protein.unit)
    found, tables = prognosis(
        locked.score(values.loc[patients]),
        outcome,
        split=f"signature, {split}",
        cutoff=locked.cutoff,
        permutations=count,
        rng=np.random.default_rng([seed, 6, zlib.crc32(split.encode())]),
        blocks=sites_of(protein.cohort, patients),
        minimum_events=plan.minimum_events,
    )
    metrics = tuple(replace(m, name=f"signature_{m.name}", split=split) for m in found)
    return Findings(metrics=metrics, tables=tables)


def _no_outcome(endpoint: str) -> SurvivalOutcome:
    return SurvivalOutcome(endpoint, pd.Series(dtype=float), pd.Series(dtype=bool))
