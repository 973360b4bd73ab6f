"""What a locked threshold does: the four counts, and the shares made of them with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import check_level, check_scores
from radiogenomics.stats.intervals import wilson

SHARES = ("sensitivity", "specificity", "ppv", "npv", "accuracy")


class Share(NamedTuple):
    """A number made of the four counts, with its interval.

    Attributes
    ----------
    value, low, high : float
        NaN where the number is not defined, as a PPV when nobody is called positive.
    n : int
        Patients it is a share of.
    """

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Confusion:
    """Counts at one threshold.

    Attributes
    ----------
    tp, fp, fn, tn : int
        True and false positives, false and true negatives.
    """

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def n(self) -> int:
        """Patients."""
        return self.tp + self.fp + self.fn + self.tn

    def shares(self, *, level: float = 0.95) -> dict[str, Share]:
        """Return every share by name.

        ``sensitivity, specificity, ppv, npv, accuracy`` with Wilson's interval;
        ``balanced_accuracy``, (sensitivity + specificity) / 2, with a Wald interval from the two
        binomial variances by Agresti and Caffo (one success and one failure added to each class);
        ``f1``, 2 TP / (2 TP + FP + FN), with the interval of f* = TP / (TP + FP + FN), which is a
        plain share, turned into f1 = 2 f* / (1 + f*) (Wilson); ``mcc`` with the multinomial
        delta method on the scale of its inverse hyperbolic tangent.

        Parameters
        ----------
        level : float

        Returns
        -------
        dict of str to Share

        References
        ----------
        Wilson 1927, doi:10.1080/01621459.1927.10502953; Agresti & Caffo 2000,
        doi:10.1080/00031305.2000.10474560; Matthews 1975, doi:10.1016/0005-2795(75)90109-9.

        Examples
        --------
        >>> found = Confusion(tp=40, fp=10, fn=20, tn=80).shares()
        >>> [(name, round(share.value, 3)) for name, share in found.items()][:3]
        [('sensitivity', 0.667), ('specificity', 0.889), ('ppv', 0.8)]
        """
        z = float(ndtri(0.5 + check_level(level) / 2))
        positives, negatives = self.tp + self.fn, self.fp + self.tn
        counts = (
            (self.tp, positives),
            (self.tn, negatives),
            (self.tp, self.tp + self.fp),
            (self.tn, self.tn + self.fn),
            (self.tp + self.tn, self.n),
        )
        found = {name: _wilson(k, n, level) for name, (k, n) in zip(SHARES, counts, strict=True)}
        found["balanced_accuracy"] = _balanced(self, z)
        overlap = _wilson(self.tp, self.tp + self.fp + self.fn, level)
        found["f1"] = Share(*(2 * x / (1 + x) for x in overlap[:3]), overlap.n)
        found["mcc"] = _mcc(self, z)
        return found


def confusion(scores: ArrayLike, labels: ArrayLike, threshold: float) -> Confusion:
    """Count what calling positive at or above a threshold does.

    The threshold has to be locked beforehand: one chosen on these patients flatters every share.

    Parameters
    ----------
    scores : array-like of shape (n,)
        Higher speaks for the positive class.
    labels : array-like of shape (n,)
    threshold : float

    Returns
    -------
    Confusion

    Raises
    ------
    DataError, OutcomeError
        As in `auc`; or the threshold is not a finite number.

    Examples
    --------
    >>> confusion([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 0.4)
    Confusion(tp=1, fp=1, fn=1, tn=1)
    """
    values, positive = check_scores(scores, labels)
    if not np.isfinite(threshold):
        raise DataError(
            f"expected a finite threshold; found {threshold}. Lock one on training predictions."
        )
    called = values >= threshold
    return Confusion(
        tp=int((called & positive).sum()),
        fp=int((called & ~positive).sum()),
        fn=int((~called & positive).sum()),
        tn=int((~called & ~positive).sum()),
    )


def _wilson(successes: int, n: int, level: float) -> Share:
    if n == 0:
        return Share(np.nan, np.nan, np.nan, 0)
    bounds = wilson(successes, n, level=level)
    return Share(successes / n, float(bounds.low), float(bounds.high), n)


def _balanced(counts: Confusion, z: float) -> Share:
    value = (counts.tp / (counts.tp + counts.fn) + counts.tn / (counts.tn + counts.fp)) / 2
    variance, centre = 0.0, 0.0
    for hits, misses in ((counts.tp, counts.fn), (counts.tn, counts.fp)):
        n = hits + misses + 2
        share = (hits + 1) / n
        centre += share / 2
        variance += share * (1 - share) / n / 4
    half = z * float(np.sqrt(variance))
    low, high = max(centre - half, 0.0), min(centre + half, 1.0)
    return Share(value, min(low, value), max(high, value), counts.n)


def _mcc(counts: Confusion, z: float) -> Share:
    """Matthews' correlation; 0 when one side is never called, as no call carries information."""
    called, positives = counts.tp + counts.fp, counts.tp + counts.fn
    product = float(called) * positives * (counts.n - called) * (counts.n - positives)
    if product == 0:
        return Share(0.0, np.nan, np.nan, counts.n)
    root = np.sqrt(product)
    value = float((counts.tp * counts.tn - counts.fp * counts.fn) / root)
    if abs(value) >= 1:
        return Share(value, np.nan, np.nan, counts.n)
    cells = np.array([counts.tp, counts.fp, counts.fn, counts.tn], dtype=float)
    numerator = np.array([counts.tn, -counts.fn, -counts.fp, counts.tp]) / root
    a, b = 1 / called, 1 / positives
    c, d = 1 / (counts.n - positives), 1 / (counts.n - called)
    gradient = numerator - value * np.array([a + b, a + c, b + d, c + d]) / 2
    # Multinomial variance of a function that does not change when all counts are scaled.
    half = z * float(np.sqrt(cells @ gradient**2)) / (1 - value**2)
    low, high = np.tanh(np.arctanh(value) + np.array([-half, half]))
    return Share(value, float(low), float(high), counts.n)
