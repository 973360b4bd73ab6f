"""A headline number in plain words, claiming no more than it shows."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from radiogenomics.core.errors import StudyError
from radiogenomics.core.evidence import Metric

SIGNIFICANCE = 0.05

LOWER_IS_BETTER = frozenset({"brier"})

_WORDS = MappingProxyType(
    {
        "auc": "AUC",
        "c_index": "C-index",
        "hr_per_sd": "hazard ratio per SD",
        "hr_high_vs_low": "hazard ratio of high against low",
        "brier": "Brier score",
    }
)


@dataclass(frozen=True)
class Verdict:
    """What one metric says of chance.

    Parameters
    ----------
    found
        True when the metric is distinguishable from chance.
    text
        One sentence with the numbers it rests on.
    """

    found: bool
    text: str


def verdict(metric: Metric, *, subject: str = "the imaging surrogate") -> Verdict:
    """Say whether a metric is distinguishable from chance.

    It is when two things hold at once: the permutation p-value is at most 0.05, and the 95 %
    interval lies wholly on the better side of the chance level. Without a permutation p chance was
    not tested, and the sentence says that: neither found nor not. "Not distinguishable" is not
    "absent": a wide interval also leaves room for links that matter.

    Parameters
    ----------
    metric
        With a chance level.
    subject
        What the sentence is about.

    Raises
    ------
    StudyError
        The metric has no chance level.

    Examples
    --------
    >>> verdict(Metric("auc", 0.53, 0.44, 0.62, 0.5, 130, "cross-validation", 0.31, 65)).text
    'the imaging surrogate is not distinguishable from chance (AUC 0.530, 95 % interval ...)'
    >>> verdict(Metric("auc", 0.71, 0.62, 0.79, 0.5, 130, "external:b")).text
    'the imaging surrogate was not tested against chance (AUC 0.710, ..., no permutation test, ...)'
    """
    if metric.chance is None:
        raise StudyError(
            f"metric {metric.name}: expected a chance level to hold it against; found none. "
            "Judge a metric that has one, such as auc."
        )
    lower = metric.name in LOWER_IS_BETTER
    beyond = metric.high < metric.chance if lower else metric.low > metric.chance
    p = metric.p_permutation
    numbers = (
        f"({_words(metric.name)} {metric.value:.3f}, 95 % interval {metric.low:.3f}–"
        f"{metric.high:.3f}, {'no permutation test' if p is None else f'permutation p {p:.2g}'}, "
        f"n {metric.n})"
    )
    if p is None:
        return Verdict(False, f"{subject} was not tested against chance {numbers}")
    found = p <= SIGNIFICANCE and beyond
    claim = "is" if found else "is not"
    return Verdict(found, f"{subject} {claim} distinguishable from chance {numbers}")


def _words(name: str) -> str:
    """Words of a metric, also of one with a prefix or suffix, as in ``signature_c_index``."""
    for known, words in _WORDS.items():
        if name == known or name.startswith(f"{known}_") or name.endswith(f"_{known}"):
            return words
    return name
