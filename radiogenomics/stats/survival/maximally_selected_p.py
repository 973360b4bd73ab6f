"""P-values of the largest of many standardised two-sample statistics, one a cut-point.

T_m is the standardised sum of the scores of the m patients below a cut-point, and
p = P(max |T_m| >= b) over the cut-points used, when which patient has which score is chance. For
many patients T is a Gaussian process with corr(T_m, T_k) = sqrt(m (n - k) / (k (n - m))), m < k: a
tied-down random walk, so what comes depends on what was only through the latest cut-point. Taking
the largest statistic for one of a cut-point fixed before gives p that are far too small.
"""

from __future__ import annotations

from math import ceil, log, prod

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Floats, as_floats

# Sums of the same scores in another order differ by rounding; that is a tie, not a defeat.
_ROUNDING = 1e-10
# States, or counts times sums, held at once.
_MOST_STATES = 2**22
_ROOT_TWO_PI = np.sqrt(2 * np.pi)


def lausen_schumacher_p(statistic: float, *, minprop: float = 0.1, maxprop: float = 0.9) -> float:
    """P for any number of patients, as if every cut-point between two shares were used.

    With the normal density phi, p = phi(b) (4 / b + (b - 1 / b) log(maxprop (1 - minprop) /
    ((1 - maxprop) minprop))): the tail of a standardised Brownian bridge, which is too large (the
    test holds its level) with few patients or few distinct values.

    Parameters
    ----------
    statistic : float
        b, the largest absolute standardised statistic; p is 1 below 1.
    minprop, maxprop : float
        Least and largest share of patients at or below a cut-point, both between 0 and 1.

    Raises
    ------
    DataError
        If a number is out of range.

    References
    ----------
    Miller & Siegmund 1982, Biometrics 38:1011; Lausen & Schumacher 1992, doi:10.2307/2532740.

    Examples
    --------
    >>> round(lausen_schumacher_p(3.0), 4)
    0.0578
    """
    b = _check_statistic(statistic)
    if not 0 < minprop < maxprop < 1:
        raise DataError(
            f"expected 0 < minprop < maxprop < 1; found {minprop!r} and {maxprop!r}; cut-points at "
            "the very ends have no such p, use another."
        )
    if b < 1:
        return 1.0
    odds = log(maxprop * (1 - minprop) / ((1 - maxprop) * minprop))
    return min(1.0, float(_density(b)) * (4 / b + (b - 1 / b) * odds))


def improved_bonferroni_p(statistic: float, counts: ArrayLike, *, n: int) -> float:
    """P from the pairs of neighbouring cut-points (Worsley's bound, in closed form).

    p = 2 Phi(-b) + sum exp(-b^2 / 2) (t - (b^2 / 4 - 1) t^3 / 6) / pi over neighbouring counts,
    t^2 = 1 - m (n - k) / (k (n - m)). Close for few cut-points or large b; at most 1 here.

    Parameters
    ----------
    statistic : float
    counts : array-like of int, shape (cuts,)
        Patients at or below each cut-point, rising.
    n : int
        Patients.

    Raises
    ------
    DataError
        If the statistic is negative or not finite, or a count is out of range.

    References
    ----------
    Worsley 1982, doi:10.1093/biomet/69.2.297; Lausen, Sauerbrei & Schumacher 1994, in Computational
    Statistics (Dirschedl & Ostermann, eds), 483-496.

    Examples
    --------
    >>> round(improved_bonferroni_p(2.5, range(5, 16), n=20), 3)
    0.073
    """
    b, places = _check_statistic(statistic), _check_counts(counts, n)
    t = np.sqrt(1 - _neighbours(places, n) ** 2)
    terms = np.exp(-(b**2) / 2) * (t - (b**2 / 4 - 1) * t**3 / 6) / np.pi
    return float(np.clip(2 * ndtr(-b) + terms.sum(), 0, 1))


def gaussian_p(statistic: float, counts: ArrayLike, *, n: int) -> float:
    """P of the Gaussian process at the cut-points used, by integration from one to the next.

    The density of T among paths that stayed within -b to b is carried from cut-point to cut-point
    by Gauss-Legendre nodes, and what leaves is added up: p to about 1e-12 of itself, without
    simulation, also when it is tiny. Time grows as n^2: a second for a thousand patients without
    ties.

    Parameters
    ----------
    statistic, counts, n
        As in `improved_bonferroni_p`.

    Raises
    ------
    DataError
        As in `improved_bonferroni_p`.

    References
    ----------
    Hothorn & Lausen 2003, Computational Statistics & Data Analysis 43:121.

    Examples
    --------
    >>> round(gaussian_p(2.5, range(5, 16), n=20), 4), round(gaussian_p(1.96, [10], n=20), 3)
    (0.0614, 0.05)
    """
    b, places = _check_statistic(statistic), _check_counts(counts, n)
    if b == 0:
        return 1.0
    correlations = _neighbours(places, n)
    spreads = np.sqrt(1 - correlations**2)
    # The densities are even, so half of the range will do; nodes lie a third of a spread apart.
    points = 16 + ceil(3 * b / spreads.min(initial=1.0))
    nodes, weights = np.polynomial.legendre.leggauss(points)
    nodes, weights = b * (nodes + 1) / 2, b * weights
    density, left = _density(nodes), 2 * float(ndtr(-b))
    for rho, sd in zip(correlations, spreads, strict=True):
        mass = weights * density
        centres = rho * nodes
        left += float(mass @ (ndtr((centres - b) / sd) + ndtr(-(centres + b) / sd)))
        near = _density((nodes[:, None] - centres) / sd)
        near += _density((nodes[:, None] + centres) / sd)
        density = near @ mass / (2 * sd)
    return min(1.0, left)


def exact_p(statistic: float, scores: ArrayLike, *, counts: ArrayLike) -> float:
    """P over all orders of the scores, exactly.

    Patients join one by one; which scores have joined, not in which order, decides what may come,
    and the probability of every such set is carried along while no cut-point reached b. That is
    prod (times each distinct score occurs + 1) sets: feasible to 22 patients with distinct scores,
    and to hundreds with two or three.

    Parameters
    ----------
    statistic : float
        Orders whose maximum equals it count.
    scores : array-like of shape (n,)
    counts : array-like of int, shape (cuts,)
        Patients at or below each cut-point, rising.

    Raises
    ------
    DataError
        If there are more than 2^22 sets, or as in `improved_bonferroni_p`.

    References
    ----------
    Hothorn & Lausen 2003, Computational Statistics & Data Analysis 43:121 (an upper bound).

    Examples
    --------
    >>> round(exact_p(2.5, range(1, 16), counts=range(2, 14)), 4)
    0.0451
    """
    b, values = _check_statistic(statistic), _check_scores(scores)
    places = _check_counts(counts, values.size)
    distinct, times = np.unique(values, return_counts=True)
    most = prod(int(k) + 1 for k in times)
    if most > _MOST_STATES:
        raise DataError(
            f"expected at most {_MOST_STATES} sets of scores; found {most}, as {values.size} "
            f"patients have {distinct.size} distinct scores; take a p by permutation or gaussian_p."
        )
    size, total = np.zeros(1, dtype=np.intp), np.zeros(1)
    steps = np.cumprod([1, *(times + 1)])[:-1]
    for score, limit in zip(distinct - values.mean(), times, strict=True):
        joined = np.arange(limit + 1)
        size = (joined[:, None] + size).ravel()
        total = (joined[:, None] * score + total).ravel()
    reached = _reached(total, size, values, b=b, counts=places)
    by_size = np.split(np.argsort(size, kind="stable"), np.cumsum(np.bincount(size))[:-1])
    chance, crossed = np.zeros(size.size), 0.0
    chance[0] = 1.0
    for drawn in range(places[-1]):
        here = by_size[drawn]
        for step, limit in zip(steps, times, strict=True):
            free = limit - here // step % (limit + 1)
            some = free > 0
            from_here = here[some]
            chance[from_here + step] += chance[from_here] * free[some] / (values.size - drawn)
        out = by_size[drawn + 1][reached[by_size[drawn + 1]]]
        crossed += float(chance[out].sum())
        chance[out] = 0.0
    return min(1.0, crossed)


def hothorn_lausen_p(statistic: float, scores: ArrayLike, *, counts: ArrayLike) -> float:
    """Upper bound of the exact p, from the exact distribution of each two-sample statistic.

    p <= sum P(A_m) - sum P(A_m, and so A_k whatever comes), A_m being that |T_m| >= b and m, k
    neighbouring counts: near the exact p where p is small. Scores must be whole numbers
    (`whole_scores` maps others to such). R's maxstat counts |T_m| > b only, leaves out the event
    that the smallest scores come first, and with tied values also takes off what was reached
    between two cut-points; this bound does not.

    Parameters
    ----------
    statistic, scores, counts
        As in `exact_p`; scores are whole numbers.

    Raises
    ------
    DataError
        If a score is not whole, n times their sum is above 2^22, or as in `improved_bonferroni_p`.

    References
    ----------
    Hothorn & Lausen 2003, Computational Statistics & Data Analysis 43:121.

    Examples
    --------
    >>> round(hothorn_lausen_p(2.5, range(1, 16), counts=range(2, 14)), 4)
    0.0703
    """
    b, values = _check_statistic(statistic), _check_scores(scores)
    places = _check_counts(counts, values.size)
    whole = np.round(values - values.min()).astype(np.intp)
    table = (values.size + 1) * (int(whole.sum()) + 1)
    if np.abs(whole - (values - values.min())).max() > 0 or table > _MOST_STATES:
        raise DataError(
            f"expected whole scores with at most {_MOST_STATES} counts times sums; found {table} "
            f"and {int((values != np.round(values)).sum())} not whole; use whole_scores, or a p by "
            "permutation."
        )
    chances = _sum_distribution(whole)[places]
    sums = np.arange(chances.shape[1])
    size = np.broadcast_to(places[:, None], chances.shape)
    gap = sums - places[:, None] * whole.mean()
    out = _reached(gap, size, whole.astype(float), b=b, counts=places)
    total = float(chances[out].sum())
    # Low sums stay low if even the largest scores join; high ones if zeros, the smallest, do.
    for row, joined in enumerate(np.diff(places)):
        low = out[row] & (gap[row] < 0) & (sums + joined * whole.max() < sums.size)
        high = out[row] & (gap[row] > 0)
        least = np.flatnonzero(low) + joined * whole.max()
        stays_low = np.flatnonzero(low)[out[row + 1, least] & (gap[row + 1, least] < 0)]
        stays_high = np.flatnonzero(high & out[row + 1] & (gap[row + 1] > 0))
        total -= float(chances[row, stays_low].sum() + chances[row, stays_high].sum())
    return min(1.0, total)


def whole_scores(scores: ArrayLike) -> Floats:
    """Map scores to whole numbers from 0 to n; whole ones and halves keep their distances.

    Parameters
    ----------
    scores : array-like of shape (n,)

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    DataError
        If scores are not finite, or all the same.

    Examples
    --------
    >>> whole_scores([-1.0, 0.2, 0.9]).tolist(), whole_scores([1.5, 2.5, 4.0]).tolist()
    ([0.0, 2.0, 3.0], [0.0, 2.0, 5.0])
    """
    values = _check_scores(scores)
    shifted = values - values.min()
    for factor in (1, 2):
        if (factor * values == np.round(factor * values)).all():
            return np.asarray(factor * shifted)
    return np.asarray(np.round(shifted * values.size / shifted.max()))


def _density(x: float | Floats) -> Floats:
    return np.asarray(np.exp(-(np.asarray(x) ** 2) / 2) / _ROOT_TWO_PI)


def _neighbours(counts: NDArray[np.intp], n: int) -> Floats:
    """Correlation of the statistics at each cut-point and the next."""
    m, k = counts[:-1].astype(float), counts[1:].astype(float)
    return np.asarray(np.sqrt(m * (n - k) / (k * (n - m))))


def _reached(
    gap: Floats, size: NDArray[np.intp], scores: Floats, *, b: float, counts: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Whether the sum of so many scores, less its mean, lies b or more standard errors off."""
    n = scores.size
    variance = size * (n - size) / (n - 1) * scores.var()
    far = gap**2 >= b**2 * variance * (1 - _ROUNDING)
    return np.asarray(far & np.isin(size, counts))


def _sum_distribution(scores: NDArray[np.intp]) -> Floats:
    """P that a random set of m scores has the sum s; shape (n + 1, largest sum + 1)."""
    chances = np.zeros((scores.size + 1, int(scores.sum()) + 1))
    chances[0, 0] = 1.0
    top = 0
    for number, score in enumerate(np.sort(scores), start=1):
        # Of the sets of m among the first so many, a share of m / number has the latest.
        share = np.arange(1, number + 1)[:, None] / number
        latest = share * chances[:number, : top + 1]
        chances[1 : number + 1] *= 1 - share
        top += int(score)
        chances[1 : number + 1, score : top + 1] += latest
    return chances


def _check_statistic(statistic: float) -> float:
    if not 0 <= statistic < np.inf:
        raise DataError(
            f"expected a finite statistic of 0 or more; found {statistic!r}; pass the largest "
            "absolute standardised one."
        )
    return float(statistic)


def _check_scores(scores: ArrayLike) -> Floats:
    values = as_floats(scores, "scores")
    if values.ndim != 1 or not np.isfinite(values).all() or np.unique(values).size < 2:
        raise DataError(
            "expected a one-dimensional array of finite scores that vary; found shape "
            f"{values.shape} with {int((~np.isfinite(values)).sum())} not finite; complete them."
        )
    return values


def _check_counts(counts: ArrayLike, n: int) -> NDArray[np.intp]:
    places = np.asarray(counts)
    whole = np.issubdtype(places.dtype, np.integer) and places.ndim == 1 and places.size > 0
    if not whole or (np.diff(places) < 1).any() or places[0] < 1 or places[-1] >= n:
        raise DataError(
            f"expected rising whole counts of patients from 1 to {n - 1}; found {counts!r}; count "
            "those at or below each cut-point."
        )
    return places.astype(np.intp)
