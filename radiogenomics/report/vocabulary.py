"""The stable names of the metrics in words, and what one number says of chance."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import MappingProxyType

from radiogenomics.core.evidence import Metric

SIGNIFICANCE = 0.05
CROSS_VALIDATION = "cross-validation"
EXTERNAL = "external:"
PROTEIN = "protein:"
POOLED = "pooled"
DISCOVERY = "discovery"
SIGNATURE = "signature_"
SURROGATE = "surrogate"
SIGNATURE_SPLIT = "signature, "
"""In tables that mix both, this stands before the split of what belongs to the signature."""


@dataclass(frozen=True)
class Words:
    """A metric in words.

    Parameters
    ----------
    title
        For readers.
    scale
        ``"share"`` runs from 0 to 1, ``"ratio"`` is read on a logarithmic scale, ``"difference"``
        around 0.
    judged
        Whether being beyond chance is what the metric is for. A calibration intercept, say, only
        describes.
    better
        Which side of chance is the hoped-for one: ``"higher"``, ``"lower"`` or ``"either"``.
    whose
        Of what it is measured, where the name alone does not say.
    chosen
        Whether it is the largest of many: its interval knows nothing of that, and p alone decides.
    """

    title: str
    scale: str
    judged: bool = True
    better: str = "higher"
    whose: str = ""
    chosen: bool = False


METRICS = MappingProxyType(
    {
        "auc": Words("AUC for the label", "share"),
        "auc_response": Words("AUC for treatment response", "share"),
        "c_index": Words("C-index (Harrell)", "share", whose=SURROGATE),
        "hr_per_sd": Words("hazard ratio per SD", "ratio", whose=SURROGATE),
        "hr_high_vs_low": Words("hazard ratio, high against low", "ratio", whose=SURROGATE),
        "signature_hr_per_sd_adjusted": Words(
            "signature: hazard ratio per SD, adjusted", "ratio", judged=False
        ),
        "gene_hr_per_sd": Words("hazard ratio per SD", "ratio", better="either"),
        "signature_random_share": Words(
            "share of random signatures that do as well", "share", better="lower"
        ),
        "signature_random_share_matched": Words(
            "share of random signatures of like expression that do as well",
            "share",
            better="lower",
        ),
        "signature_hr_per_sd_beside_covariates": Words(
            "signature: hazard ratio per SD beside covariates", "ratio", judged=False
        ),
        "signature_stability": Words(
            "signature: stability of its genes (Nogueira)", "share", judged=False
        ),
        "signature_c_index_out_of_bag": Words(
            "signature: C-index (Harrell) of patients not drawn", "share", judged=False
        ),
        "brier": Words("Brier score", "share", judged=False, better="lower"),
        "calibration_intercept": Words(
            "calibration intercept (ideal 0)", "difference", judged=False
        ),
        "calibration_slope": Words("calibration slope (ideal 1)", "difference", judged=False),
        "sensitivity": Words("sensitivity at the locked threshold", "share", judged=False),
        "specificity": Words("specificity at the locked threshold", "share", judged=False),
        "balanced_accuracy": Words("balanced accuracy at the locked threshold", "share"),
        "average_precision": Words("average precision", "share"),
        "ici": Words("integrated calibration index", "share", judged=False, better="lower"),
        "ece": Words("expected calibration error", "share", judged=False, better="lower"),
        "integrated_auc": Words("time-dependent AUC, integrated", "share"),
        "integrated_brier": Words("Brier score, integrated over time", "share", judged=False),
        "integrated_ipa": Words("index of prediction accuracy, integrated", "difference"),
        "d_calibration_p": Words("D-calibration, p", "share", judged=False),
        "strongest_link": Words("strongest link of a feature with a gene", "share", chosen=True),
        "strongest_set_link": Words(
            "strongest link of a feature with a gene set", "share", chosen=True
        ),
        "strongest_nes": Words(
            "strongest enrichment of a gene set (NES)", "difference", chosen=True
        ),
        "strongest_biopsy": Words(
            "R² of the target that images foretell best", "difference", chosen=True
        ),
        "biopsy_rho": Words("rank correlation, foretold and measured", "difference"),
        "tumour_normal_difference": Words(
            "tumour minus normal, log2", "difference", better="either"
        ),
    }
)


AT, MONTHS = "_at_", "_months"
AT_HORIZON = MappingProxyType(
    {
        "auc": Words("time-dependent AUC", "share"),
        "brier": Words("Brier score", "share", judged=False, better="lower"),
        "ipa": Words("index of prediction accuracy", "difference"),
        "ici": Words("integrated calibration index", "share", judged=False, better="lower"),
        "observed_expected": Words("observed over predicted risk (ideal 1)", "ratio", judged=False),
    }
)
"""Of metrics at a horizon, ``NAME_at_T_months``."""


def words_of(name: str, *, risk: str = SURROGATE) -> Words:
    """Words of a metric; one that is not known keeps its name and is not judged.

    ``risk`` is what the page calls the risk that images give.

    Examples
    --------
    >>> words_of("signature_c_index").title, words_of("gene_hr_per_sd:KPNA2").title
    ('signature: C-index (Harrell)', 'KPNA2: hazard ratio per SD')
    >>> words_of("signature_auc_at_24_months").title
    'signature: time-dependent AUC at 24 months'
    >>> words_of("c_index", risk="predicted risk").title
    'predicted risk: C-index (Harrell)'
    """
    base, _, gene = name.partition(":")
    known = METRICS.get(base)
    if known is None and base.startswith(SIGNATURE):
        known = _plain_words(base.removeprefix(SIGNATURE))
        known = known and replace(known, whose="signature")
    known = known or _plain_words(base)
    if known is None:
        return Words(name, "difference", judged=False)
    whose = gene or (risk if known.whose == SURROGATE else known.whose)
    return replace(known, title=f"{whose}: {known.title}", whose=whose) if whose else known


def _plain_words(base: str) -> Words | None:
    """Words of a metric, also of one at a horizon: ``auc_at_24_months``."""
    quantity, at, months = base.removesuffix(MONTHS).partition(AT)
    if not (at and base.endswith(MONTHS)):
        return METRICS.get(base)
    known = AT_HORIZON.get(quantity)
    return known and replace(known, title=f"{known.title} at {months} months")


def is_beyond_chance(metric: Metric) -> bool:
    """True when the interval lies wholly on the better side of chance and permutation p ≤ 0.05.

    The same rule as the verdict's: an interval without a permutation test finds nothing. Of the
    strongest of many the family-wise p decides alone.
    """
    if metric.chance is None or metric.p_permutation is None:
        return False
    if words_of(metric.name).chosen:
        return metric.p_permutation <= SIGNIFICANCE
    above, below = metric.low > metric.chance, metric.high < metric.chance
    beyond = {"higher": above, "lower": below, "either": above or below}
    return beyond[words_of(metric.name).better] and metric.p_permutation <= SIGNIFICANCE


def reading(metric: Metric) -> tuple[str, str]:
    """Kind (``found``, ``chance``, ``open`` or ``plain``) and words of what a metric says.

    Examples
    --------
    >>> reading(Metric("auc", 0.7, 0.6, 0.8, 0.5, 90, "cross-validation", 0.005))
    ('found', 'beyond chance')
    """
    if not words_of(metric.name).judged or metric.chance is None:
        return "plain", "descriptive"
    if math.isnan(metric.value):
        return "open", "no estimate"
    if is_beyond_chance(metric):
        return "found", "beyond chance"
    if metric.p_permutation is None:
        interval = "excludes" if metric.excludes_chance else "includes"
        return "open", f"interval {interval} chance; no permutation test"
    if not metric.excludes_chance and not words_of(metric.name).chosen:
        return "chance", "not distinguishable from chance"
    if metric.p_permutation > SIGNIFICANCE:
        return "chance", "not distinguishable from chance (permutation)"
    return "chance", "on the other side of chance"


def place_of(split: str) -> str:
    """Where a split belongs: ``external:``, ``protein:``, or ``discovery``."""
    return next((place for place in (EXTERNAL, PROTEIN) if place in split), DISCOVERY)


def subject_words(split: str, *, risk: str = SURROGATE) -> str:
    """Say in words what was held against survival, and where.

    Only a surrogate has a signature beside it from which it must be told.
    """
    told = risk == SURROGATE and split == CROSS_VALIDATION
    return f"{risk}, {split_words(split)}" if told else split_words(split)


def split_words(split: str) -> str:
    """Say in words where a metric was measured.

    Examples
    --------
    >>> split_words("signature, cross-validation: a"), split_words("protein:b")
    ('signature, cross-validation (out of fold), a', 'proteins of b')
    >>> split_words("cross-validation, PFS")
    'cross-validation (out of fold), PFS'
    """
    if split.startswith(EXTERNAL):
        return f"external cohort {split.removeprefix(EXTERNAL)}"
    if split.startswith(PROTEIN):
        return f"proteins of {split.removeprefix(PROTEIN)}"
    for joint in (": ", ", "):
        whole, found, part = split.partition(joint)
        if found and whole == CROSS_VALIDATION:
            return f"{split_words(CROSS_VALIDATION)}, {part}"
    if split.startswith(SIGNATURE_SPLIT):
        return f"{SIGNATURE_SPLIT}{split_words(split.removeprefix(SIGNATURE_SPLIT))}"
    return {
        CROSS_VALIDATION: "cross-validation (out of fold)",
        "apparent": "apparent (same patients)",
        "subsamples": "repeats in part of the patients",
        POOLED: "all cohorts together",
        "leave-one-site-out": "each site by what was learnt at the others",
        "map": "against permuted patients",
    }.get(split, split)
