"""Platt scaling: a score becomes a probability through two numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from radiogenomics.core.errors import DataError, OutcomeError

MAX_STEPS = 100
# Least standard deviation of the calibrated log-odds: about a quarter of a percent of probability.
LEAST = 0.01
TOLERANCE = 1e-10


@dataclass(frozen=True)
class PlattScaling:
    """Log-odds of the positive class are ``slope * score + intercept``.

    Parameters
    ----------
    slope
        Never negative; 0 only where all scores were the same.
    intercept
        Log-odds at score 0.
    informative
        False where the scores ranked no better than chance: everybody then gets nearly the
        prevalence, in the order of the scores.
    """

    slope: float
    intercept: float
    informative: bool = True

    def log_odds(self, scores: np.ndarray) -> np.ndarray:
        """Calibrated log-odds of scores, same shape."""
        return self.slope * scores + self.intercept

    def probability(self, scores: np.ndarray) -> np.ndarray:
        """Calibrated probability of the positive class, 0 to 1, same shape."""
        return expit(self.log_odds(scores))


def fit_platt(
    scores: np.ndarray, positive: np.ndarray, *, weight: np.ndarray | None = None
) -> PlattScaling:
    r"""Fit Platt's logistic curve to out-of-fold scores, never upside down.

    Maximises the binomial likelihood of :math:`p_i = 1 / (1 + e^{-(a s_i + b)})` against Platt's
    targets, :math:`(n_1 + 1)/(n_1 + 2)` for positives and :math:`1/(n_0 + 2)` for negatives, which
    keep the curve finite when the scores separate the classes. A negative slope would turn the
    model upside down on the strength of its inner folds, and a slope of 0 would throw its order
    away, which is for other patients to judge. So the maximum is taken over slopes at which the
    log-odds have a standard deviation of at least 0.01 (the problem is convex).

    Misleads when the scores are those of patients the model was fitted on: they are too extreme.

    Parameters
    ----------
    scores
        Decision scores, shape (n,), of patients that the scoring model had not seen.
    positive
        True for the positive class, shape (n,).
    weight
        For how many patients each counts, 0 or more, shape (n,); None: each for one.

    Raises
    ------
    OutcomeError, DataError
        One class only; a score is not finite, or there is not one a patient.

    References
    ----------
    Platt, Advances in Large Margin Classifiers 1999:61. Lin, Lin and Weng, Mach Learn 2007;68:267,
    doi:10.1007/s10994-007-5018-6 (Newton's method with backtracking, used here).

    Examples
    --------
    >>> fit_platt(np.array([-2.0, -1.0, 1.0, 2.0]), np.array([0, 0, 1, 1])).slope > 0
    True
    """
    positive = np.asarray(positive, dtype=bool)
    share = _checked_weight(scores, positive, weight)
    n_positive = float(share[positive].sum())
    n_negative = float(share[~positive].sum())
    if min(n_positive, n_negative) == 0:
        raise OutcomeError(
            f"calibration: expected two classes; found one in {len(positive)} patients. "
            "Use more patients."
        )
    targets = np.where(positive, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))
    centre = _mean(scores, share)
    spread = float(np.sqrt(_mean((scores - centre) ** 2, share)))
    level = _mean(targets, share)
    prevalence = float(np.log(level / (1 - level)))
    if spread <= np.finfo(float).eps * max(abs(centre), 1.0):
        return PlattScaling(0.0, prevalence, informative=False)
    standard = (scores - centre) / spread
    slope, intercept = _newton(standard, targets, share, start=prevalence)
    informative = slope > LEAST
    if not informative:
        slope, intercept = LEAST, _level(LEAST * standard, targets, share, start=prevalence)
    return PlattScaling(slope / spread, intercept - slope * centre / spread, informative)


def _checked_weight(
    scores: np.ndarray, positive: np.ndarray, weight: np.ndarray | None
) -> np.ndarray:
    """Weight of each patient; DataError for scores or weights that do not fit the labels."""
    if np.shape(scores) != positive.shape or not np.isfinite(scores).all():
        raise DataError(
            f"calibration: expected a finite score for each of {positive.size} patients; found "
            f"shape {np.shape(scores)}, {int((~np.isfinite(scores)).sum())} not finite. Score "
            "every patient out of fold."
        )
    share = np.ones(positive.shape) if weight is None else np.asarray(weight, dtype=float)
    odd = ~(np.isfinite(share) & (share >= 0))
    if share.shape != positive.shape or odd.any():
        raise DataError(
            f"calibration: expected a weight of 0 or more for each of {positive.size} patients; "
            f"found shape {share.shape}, {int(odd.sum())} negative or not finite. Mend the weights."
        )
    return share


def _mean(values: np.ndarray, share: np.ndarray) -> float:
    return float((share * values).sum() / share.sum())


def _newton(
    scores: np.ndarray, targets: np.ndarray, share: np.ndarray, *, start: float
) -> tuple[float, float]:
    """Maximise the likelihood over slope and intercept; ``scores`` are standardised."""
    design = np.column_stack([scores, np.ones_like(scores)])
    point = np.array([0.0, start])
    loss = _loss(design @ point, targets, share)
    for _ in range(MAX_STEPS):
        p = expit(design @ point)
        gradient = design.T @ (share * (p - targets))
        if np.abs(gradient).max() < TOLERANCE * share.sum():
            break
        # The tiny ridge keeps the step defined when all p are close to 0 or 1.
        hessian = (design * (share * (p * (1 - p)))[:, None]).T @ design + 1e-12 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while (
            trial := _loss(design @ (point - size * step), targets, share)
        ) > loss and size > 1e-10:
            size /= 2
        if size <= 1e-10:
            break
        point, loss = point - size * step, trial
    return float(point[0]), float(point[1])


def _level(log_odds: np.ndarray, targets: np.ndarray, share: np.ndarray, *, start: float) -> float:
    """Intercept beside log-odds that are fixed but for it."""
    level = start
    for _ in range(MAX_STEPS):
        p = expit(log_odds + level)
        gradient = float((share * (p - targets)).sum())
        if abs(gradient) < TOLERANCE * share.sum():
            break
        level -= gradient / float((share * (p * (1 - p))).sum())
    return level


def _loss(log_odds: np.ndarray, targets: np.ndarray, share: np.ndarray) -> float:
    """Negative log-likelihood, stable for large scores."""
    return float((share * (np.logaddexp(0, log_odds) - targets * log_odds)).sum())
