"""What a page is about: the sections of each kind of study, in order, with their words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from radiogenomics.core.evidence import Metric
from radiogenomics.report.content import ReportContent
from radiogenomics.report.vocabulary import CROSS_VALIDATION, DISCOVERY, EXTERNAL, POOLED

Sections = Mapping[str, tuple[str, str]]

DERIVED_FROM = "derived from"
DERIVATION_TABLES = frozenset({"candidates", "screen"})
CHARACTERISATION_TABLES = frozenset(
    {"contrasts", "differential", "gsea", "response", "patient_scores"}
)

SECTIONS: Sections = MappingProxyType(
    {
        "asked": ("What was asked", ""),
        "flow": (
            "Cohort flow",
            "Who was there to be studied. A patient counts in an analysis only with every table "
            "it needs.",
        ),
        "signature": (
            "The genes and the signature",
            "What the molecules say on their own, before any image is looked at.",
        ),
        "labels": (
            "Label distribution",
            "Score of each patient by the locked signature, and the class it gives. In "
            "cross-validation weights and cut-off are learnt anew in each training part, so the "
            "class of a patient near the cut-off may vary.",
        ),
        "performance": (
            "Performance",
            "A number counts as beyond chance only when its whole 95 % interval lies on the better "
            "side of chance and shuffled truth gives as much in at most one permutation of twenty.",
        ),
        "learners": (
            "Learners compared",
            "Whether the choice of learner mattered. The best of several, picked afterwards, looks "
            "better than it is.",
        ),
        "roc": (
            "ROC",
            "Sensitivity against its price in false alarms, from predictions of patients held out.",
        ),
        "calibration": (
            "Calibration",
            "Whether a predicted 30 % happens in 30 of 100. On the diagonal it does; below it, "
            "predictions are too high.",
        ),
        "utility": (
            "Clinical utility",
            "Net benefit of treating by the prediction, beside treating everybody and nobody, over "
            "the probabilities at which one would treat. It asks for calibrated probabilities.",
        ),
        "nulls": (
            "Null distributions",
            "Grey: what the same procedure finds when the truth is shuffled among patients, or "
            "when random genes stand in for the signature's. The orange line is what it found with "
            "the truth in place.",
        ),
        "selection": (
            "Selected features",
            "Features are chosen again in every training part. One that comes and goes depends on "
            "who happened to be in it.",
        ),
        "prognosis": (
            "Prognosis in the discovery cohort",
            "Survival of patients by what was predicted while they were held out: by the molecular "
            "signature, by the image surrogate, or by both. High is higher risk.",
        ),
        "external": (
            "External validation",
            "The locked model and its locked cut-off in patients who took no part in making them.",
        ),
        "settings": (
            "Settings",
            "Where each value comes from. A default stands in for what is not public: it is our "
            "choice, not the study's.",
        ),
        "provenance": (
            "Provenance",
            "Two results with the same hashes, versions and seed come from the same work.",
        ),
        "remarks": ("Warnings and remarks", ""),
    }
)
"""Of a study with images or a signature of its own: anchor → title and lead."""

DERIVATION_SECTIONS: Sections = MappingProxyType(
    {
        "asked": SECTIONS["asked"],
        "flow": (
            "Cohort flow",
            "Patients with expression and follow-up. Events, not patients, are what a derivation "
            "lives on.",
        ),
        "candidates": (
            "Candidate genes",
            "Which genes may enter, by filters that do not look at survival: grey by each filter "
            "alone, blue by it and all above it.",
        ),
        "screen": (
            "Survival screen",
            "Each candidate alone against survival. Of so many genes some stand high by chance: "
            "the screen narrows the search and proves nothing.",
        ),
        "search": (
            "Search",
            "What was looked at among the genes that the screen kept. The best of many fits its "
            "own patients too well, which is why the evidence below repeats the whole search.",
        ),
        "signature": (
            "The signature",
            "Genes, weights, constants and cut-off as they are locked, from all patients derived "
            "from: how well it fits them is no evidence.",
        ),
        "labels": (
            "Risk in the patients derived from",
            "Score of each patient by the locked signature, and the class it gives. In "
            "cross-validation genes, weights and cut-off are found anew in each training part, so "
            "the class of a patient near the cut-off may vary.",
        ),
        "performance": (
            "Performance",
            f"{SECTIONS['performance'][1]} In cross-validation screen, search and weights are "
            "repeated in every training part.",
        ),
        "nulls": (
            "Against chance",
            "Grey: what the same derivation finds when outcomes are shuffled among patients, and "
            "what signatures of random candidates, as large as those of the folds, reach without a "
            "search. The orange line is what was found.",
        ),
        "stability": (
            "Stability of the genes",
            "Whether the same genes come back: in repeats of the whole derivation in other "
            "patients, and in the training parts of the cross-validation. Genes of one programme "
            "stand in for each other, so a rare one is not wrong, but one of several that would "
            "do.",
        ),
        "prognosis": (
            "Prognosis, out of fold",
            "Survival of the patients derived from, by the risk they were given while they were "
            "held out of screen, search and weights. High is higher risk.",
        ),
        "accuracy": (
            "Accuracy and calibration over time",
            "How well the risk tells those who have the event by a time from those who have not, "
            "and whether predicted risks happen as often as foretold: out of fold where the "
            "signature was derived, locked elsewhere.",
        ),
        "subgroups": (
            "Subgroups",
            "The risk within kinds of patients. Only the test of interaction compares them: a "
            "hazard ratio found in one and not in another need not differ between them.",
        ),
        "external": (
            "External validation",
            "The locked signature and its locked cut-off in patients who took no part in making "
            "them.",
        ),
        "protein": (
            "Protein",
            "The genes of the signature, and the risk, read from proteins: hazard ratio per "
            "standard deviation.",
        ),
        "biology": (
            "High against low",
            "Programmes, cell types and genes between patients called high and those called low, "
            "each cohort alone. These describe; they do not say what causes what.",
        ),
        "response": (
            "Response to treatment",
            "Whether a score that was fixed beforehand tells responders from others: above ½, "
            "responders score higher. A signature of prognosis need not tell them.",
        ),
        "cells": (
            "Cells that express the genes",
            "Share of cells of each type in which a gene is read (area), and its mean expression "
            "(shade).",
        ),
        "settings": (
            "Settings",
            "What the plan asked for. Where it says nothing, the value is a default of ours.",
        ),
        "provenance": SECTIONS["provenance"],
        "remarks": SECTIONS["remarks"],
    }
)
"""Of a derivation: anchor → title and lead."""

CHARACTERISATION_SECTIONS: Sections = MappingProxyType(
    {
        "asked": SECTIONS["asked"],
        "flow": ("Cohort flow", "Patients who could be scored, and those with an event."),
        "signature": ("The signature", "Genes, weights, constants and cut-off as they were given."),
        "labels": (
            "Scores",
            "Score of each patient, and who is called high: above the locked cut-off of a "
            "signature, above the median of the cohort by a set of genes.",
        ),
        "performance": SECTIONS["performance"],
        "nulls": (
            "Null distributions",
            "Grey: what shuffled truth, or as many random genes, give. The orange line is what was "
            "found.",
        ),
        "survival": (
            "Prognosis",
            "Survival by the scores, in each cohort and in all together, where the model is "
            "stratified by cohort. Hazard ratios above 1: a higher score does worse.",
        ),
        "accuracy": (
            "Accuracy and calibration over time",
            "How well the locked risk tells those who have the event by a time from those who have "
            "not, and whether predicted risks happen as often as foretold.",
        ),
        "subgroups": DERIVATION_SECTIONS["subgroups"],
        "biology": DERIVATION_SECTIONS["biology"],
        "response": DERIVATION_SECTIONS["response"],
        "protein": DERIVATION_SECTIONS["protein"],
        "cells": DERIVATION_SECTIONS["cells"],
        "settings": DERIVATION_SECTIONS["settings"],
        "provenance": SECTIONS["provenance"],
        "remarks": SECTIONS["remarks"],
    }
)
"""Of a locked signature held against cohorts: anchor → title and lead."""


@dataclass(frozen=True)
class Outline:
    """One kind of page.

    Parameters
    ----------
    sections
        Anchor → title and lead, in the order of the page.
    tiles
        Further numbers for the top, by what they are worth: metric and split; ``external:`` stands
        for each external cohort.
    noun
        Of the study, for pages whose recipe has no title; empty: its name does.
    learns
        Whether anything was learnt from the first cohorts.
    others
        What cohorts are called from which nothing was learnt.
    untested
        Heading of the verdict where no headline number is there to judge.
    """

    sections: Sections
    tiles: tuple[tuple[str, str], ...]
    noun: str = ""
    learns: bool = True
    others: str = "external"
    untested: str = "Not tested"


IMAGES = Outline(
    SECTIONS,
    tiles=(
        ("auc", CROSS_VALIDATION),
        ("auc", EXTERNAL),
        ("hr_per_sd", EXTERNAL),
        ("auc_response", EXTERNAL),
        ("signature_c_index", CROSS_VALIDATION),
        ("signature_hr_per_sd", CROSS_VALIDATION),
        ("signature_random_share", CROSS_VALIDATION),
        ("c_index", CROSS_VALIDATION),
        ("hr_per_sd", CROSS_VALIDATION),
    ),
)
DERIVATION = Outline(
    DERIVATION_SECTIONS,
    tiles=(
        ("signature_c_index", CROSS_VALIDATION),
        ("signature_c_index", EXTERNAL),
        ("signature_random_share", CROSS_VALIDATION),
        ("signature_hr_per_sd_adjusted", CROSS_VALIDATION),
        ("signature_hr_per_sd", CROSS_VALIDATION),
    ),
    noun="Derivation",
)
CHARACTERISATION = Outline(
    CHARACTERISATION_SECTIONS,
    tiles=(),
    noun="Characterisation",
    learns=False,
    others="scored",
    untested="A description",
)


def outline_of(content: ReportContent) -> Outline:
    """Tell from its tables what kind of page a run makes."""
    if not DERIVATION_TABLES.isdisjoint(content.tables):
        return DERIVATION
    return IMAGES if CHARACTERISATION_TABLES.isdisjoint(content.tables) else CHARACTERISATION


def title_of(content: ReportContent) -> str:
    """Return the title of the recipe, else what was done to which signature, else its name."""
    noun, subject = outline_of(content).noun, subject_of(content)
    named = f"{noun} of {subject}" if noun and subject else noun
    return str(content.recipe_fields.get("title") or named or content.study)


def subject_of(content: ReportContent) -> str:
    """Name of the signature or score that a run without images is about; may be empty."""
    fields = content.recipe_fields
    scores = fields.get("scores")
    first = scores[0] if isinstance(scores, list) and scores else ""
    return str(fields.get("name") or first)


def headlines(content: ReportContent) -> tuple[Metric, ...]:
    """Numbers that a claim stands or falls with, the one of the verdict first."""
    outline = outline_of(content)
    if outline.learns:
        return _first(content, ("auc", "signature_c_index"), CROSS_VALIDATION)
    subject = subject_of(content)
    survival = ("signature_c_index", f"c_index:{subject}")
    asked = bool(content.recipe_fields.get("response"))
    names = (f"auc_response:{subject}",) if asked else survival
    pooled = _first(content, names, POOLED)
    return (*pooled, *(m for m in content.metrics if m.name in names and m not in pooled))


def _first(content: ReportContent, names: tuple[str, ...], split: str) -> tuple[Metric, ...]:
    found = (content.metric(name, split) for name in names)
    return tuple(metric for metric in found if metric is not None)[:1]


def roles(content: ReportContent) -> dict[str, str]:
    """Cohort → what it was there for: ``discovery`` if anything was learnt from it."""
    outline, flow = outline_of(content), content.table("cohort_flow")
    learnt_from = set(content.cohorts[:1])
    if flow is not None and (flow["kind"] == DERIVED_FROM).any():
        learnt_from = set(flow.loc[flow["kind"] == DERIVED_FROM, "cohort"])
    return {
        cohort: DISCOVERY if outline.learns and cohort in learnt_from else outline.others
        for cohort in content.cohorts
    }
