"""What a page is about: which kind of study it shows, its headline numbers and its cohorts."""

from __future__ import annotations

from dataclasses import dataclass

from radiogenomics.core.evidence import Metric
from radiogenomics.report.content import ReportContent
from radiogenomics.report.prediction_words import PREDICTION_SECTIONS
from radiogenomics.report.section_words import (
    BIOPSY_SECTIONS,
    CHARACTERISATION_SECTIONS,
    DERIVATION_SECTIONS,
    MAP_SECTIONS,
    SECTIONS,
    Sections,
)
from radiogenomics.report.vocabulary import (
    CROSS_VALIDATION,
    DISCOVERY,
    EXTERNAL,
    POOLED,
    SURROGATE,
)

DERIVED_FROM = "derived from"
DERIVATION_TABLES = frozenset({"candidates", "screen"})
CHARACTERISATION_TABLES = frozenset(
    {"contrasts", "differential", "gsea", "response", "patient_scores"}
)
PREDICTION_TABLES = frozenset({"study_design"})
MAP_TABLES = frozenset({"map_summary"})
BIOPSY_TABLES = frozenset({"biopsy"})


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
    risk
        What the page calls the risk that images give.
    """

    sections: Sections
    tiles: tuple[tuple[str, str], ...]
    noun: str = ""
    learns: bool = True
    others: str = "external"
    untested: str = "Not tested"
    risk: str = SURROGATE


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


MAP = Outline(
    MAP_SECTIONS,
    tiles=(("strongest_link", "map"), ("strongest_set_link", "map"), ("strongest_nes", "map")),
    noun="Radiogenomic map",
    learns=False,
    others="mapped",
)
BIOPSY = Outline(
    BIOPSY_SECTIONS,
    tiles=(),
    noun="Virtual biopsy",
    others="applied",
    untested="Applied, not tested",
)
PREDICTION = Outline(
    PREDICTION_SECTIONS,
    tiles=(("auc", CROSS_VALIDATION), ("auc", EXTERNAL), ("c_index", EXTERNAL)),
    risk="predicted risk",
)


def outline_of(content: ReportContent) -> Outline:
    """Tell from its tables what kind of page a run makes."""
    if not PREDICTION_TABLES.isdisjoint(content.tables):
        return PREDICTION
    if not MAP_TABLES.isdisjoint(content.tables):
        return MAP
    if not BIOPSY_TABLES.isdisjoint(content.tables):
        return BIOPSY
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
    if outline is MAP:
        found = _first(content, ("strongest_link",), "map") + tuple(
            metric for metric in content.metrics if metric.name != "strongest_link"
        )
        return tuple(sorted(found, key=lambda metric: metric.p_permutation or 0.0))
    if outline is BIOPSY:
        return content.metrics
    if outline is PREDICTION:
        return _first(content, ("auc", "c_index"), CROSS_VALIDATION)
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
    if outline is MAP and flow is not None:
        return dict(zip(flow["cohort"], flow["kind"], strict=True))
    return {
        cohort: DISCOVERY if outline.learns and cohort in learnt_from else outline.others
        for cohort in content.cohorts
    }
