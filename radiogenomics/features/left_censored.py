"""Fill values that are missing because they lay below what the instrument detects.

For logarithms of protein or metabolite intensities. What low means is learnt on the training
patients, variable by variable; a new patient's gaps are then filled without any other patient.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from radiogenomics.core.errors import DataError
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.features.kept_variables import KeptVariables

Floats = NDArray[np.float64]

_FEWEST = 3
_LAZAR = "Lazar et al., J Proteome Res 2016;15:1116, doi:10.1021/acs.jproteome.5b00981"


class _LeftCensoredImputer(KeptVariables, ABC):
    """What these imputers share: which variables are kept, and whose gaps are filled."""

    max_missing: float

    def fit(self, X: Any, y: Any = None) -> Any:
        """Learn which variables to keep and what is low in each; ``y`` is not used."""
        if not 0 <= self.max_missing < 1:
            raise DataError(
                f"max_missing: expected a share from 0 to below 1; found {self.max_missing}. "
                "Write 0.5 for 50 %."
            )
        refuse_row_facts(X)
        values = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        if len(values) < _FEWEST:
            raise DataError(
                f"expected at least {_FEWEST} training patients; found n_samples={len(values)}. "
                "Leave this step out."
            )
        here = ~np.isnan(values)
        self.support_ = (1 - here.mean(axis=0) <= self.max_missing) & (here.sum(axis=0) >= _FEWEST)
        if not self.support_.any():
            raise DataError(
                f"expected a variable with at most {self.max_missing:.0%} missing values and "
                f"{_FEWEST} present; found none of {values.shape[1]}. Raise max_missing or check "
                "the table."
            )
        self._learn(values[:, self.support_])
        return self

    def transform(self, X: Any) -> Floats:
        """Keep the variables learnt in ``fit`` and fill their gaps, each patient alone."""
        values = self._kept(X)
        missing = np.isnan(values)
        filled = values.copy()
        for row in np.flatnonzero(missing.any(axis=1)):
            filled[row, missing[row]] = self._low(values[row])[missing[row]]
        return filled

    @abstractmethod
    def _learn(self, values: Floats) -> None:
        """Learn from training patients × kept variables, gaps among them."""

    @abstractmethod
    def _low(self, patient: Floats) -> Floats:
        """Value of each kept variable if it is missing in this patient."""


class LowQuantileImputer(_LeftCensoredImputer):
    """Fill gaps with a low quantile of the variable's training values (MinDet).

    The original takes the quantile over the variables of one sample; here it is over the training
    patients of one variable, so that a variable that is strong in everyone is not filled with the
    floor of the instrument. Everyone's gap in a variable gets one value: variances come out too
    small.

    Parameters
    ----------
    quantile
        Which quantile, 0 to 1 (linear between values); 0 is the smallest.
    max_missing
        Largest share of missing training values at which a variable is kept; 3 must be present.

    Attributes
    ----------
    support_ : ndarray of bool, shape (n_features_in_,)
        True where the variable is kept.
    low_ : ndarray, shape (n_kept,)
        What gaps are filled with, in the unit of the variable.

    Raises
    ------
    DataError
        No variable is kept, there are fewer than 3 patients, or a parameter is out of range.

    References
    ----------
    Lazar et al. 2016, doi:10.1021/acs.jproteome.5b00981.

    Examples
    --------
    >>> X = np.array([[20.0, 25.0], [21.0, np.nan], [22.0, 26.0], [24.0, 27.0]])
    >>> LowQuantileImputer(quantile=0).fit_transform(X)[1]
    array([21., 25.])
    """

    card: ClassVar[Method] = Method(
        name="low_quantile_imputer",
        title="Left-censored gaps filled with a low training quantile (MinDet)",
        scope="features: imputation",
        reference=_LAZAR,
        limits="For values missing because they were too low; wrong for those missing at random. "
        "Shrinks variances.",
        learns=True,
    )

    def __init__(self, quantile: float = 0.01, max_missing: float = 0.5) -> None:
        self.quantile = quantile
        self.max_missing = max_missing

    def _learn(self, values: Floats) -> None:
        self.low_ = _low_quantiles(values, self.quantile)

    def _low(self, patient: Floats) -> Floats:
        return self.low_


class LowNormalImputer(_LeftCensoredImputer):
    """Fill gaps with draws around a low quantile of the variable's training values (MinProb).

    Draws are normal; their mean is the variable's low quantile and their SD is one for all
    variables: the median of the training SDs, times ``sd_factor``. A patient's draws hang on the
    seed learnt in ``fit`` and on his own values alone: repeated, or in other company, they are the
    same. As in :class:`LowQuantileImputer` quantiles are per variable; the original's are per
    sample.

    Parameters
    ----------
    quantile
        Which quantile, 0 to 1.
    sd_factor
        Multiple of the typical SD.
    max_missing
        Largest share of missing training values at which a variable is kept; 3 must be present.
    random_state
        Seed.

    Attributes
    ----------
    support_ : ndarray of bool, shape (n_features_in_,)
        True where the variable is kept.
    low_ : ndarray, shape (n_kept,)
        Means of the draws, in the unit of the variable.
    sd_ : float
        Their SD.
    seed_ : int
        Of the draws.

    Raises
    ------
    DataError
        As of :class:`LowQuantileImputer`.

    References
    ----------
    Lazar et al. 2016, doi:10.1021/acs.jproteome.5b00981.

    Examples
    --------
    >>> X = np.array([[20.0, 25.0], [21.0, np.nan], [22.0, 26.0], [24.0, 27.0]])
    >>> imputer = LowNormalImputer(random_state=0).fit(X)
    >>> bool((imputer.transform(X)[1] == imputer.transform(X[1:2])[0]).all())
    True
    """

    card: ClassVar[Method] = Method(
        name="low_normal_imputer",
        title="Left-censored gaps filled with normal draws around a low quantile (MinProb)",
        scope="features: imputation",
        reference=_LAZAR,
        limits="For values missing because they were too low. Some draws lie above values that "
        "were detected.",
        learns=True,
    )

    def __init__(
        self,
        quantile: float = 0.01,
        sd_factor: float = 1.0,
        max_missing: float = 0.5,
        *,
        random_state: Any = None,
    ) -> None:
        self.quantile = quantile
        self.sd_factor = sd_factor
        self.max_missing = max_missing
        self.random_state = random_state

    def _learn(self, values: Floats) -> None:
        _check_factor(self.sd_factor)
        self.low_ = _low_quantiles(values, self.quantile)
        self.sd_ = float(np.median(np.nanstd(values, axis=0, ddof=1))) * self.sd_factor
        self.seed_ = _seed(self.random_state)

    def _low(self, patient: Floats) -> Floats:
        draws = _generator(self.seed_, patient).standard_normal(len(patient))
        return self.low_ + self.sd_ * draws


class CensoredNormalImputer(_LeftCensoredImputer):
    r"""Fill gaps with draws from the censored part of a normal fitted to what was seen (QRILC).

    Of the n training values of a variable m are missing, taken to be its m lowest. The i-th
    smallest of those seen then stands at the share :math:`p_i = m/n + (1 - m/n)\, i/(n - m + 1)`
    of the whole, and a line through :math:`(\Phi^{-1}(p_i), x_i)` by least squares has the mean
    and the SD of the whole distribution as intercept and slope (regression on order statistics).
    A gap gets a draw from that normal cut above at its quantile :math:`m/n`, at least
    :math:`1/(2n)`.

    The original QRILC fits this line over the variables of one sample on a grid of quantiles; here
    it is over training patients, variable by variable, so that nothing of a new patient's cohort
    matters. Misleads where values are missing at random: these are pushed down.

    Parameters
    ----------
    sd_factor
        Multiple of the SD for the draws; below 1 they keep closer to the limit.
    max_missing
        Largest share of missing training values at which a variable is kept; 3 must be present.
    random_state
        Seed. A patient's draws hang on it and on his own values alone.

    Attributes
    ----------
    support_ : ndarray of bool, shape (n_features_in_,)
        True where the variable is kept.
    mean_, sd_ : ndarray, shape (n_kept,)
        Of the whole distribution, in the unit of the variable.
    limit_ : ndarray, shape (n_kept,)
        Where draws end above.
    seed_ : int
        Of the draws.

    Raises
    ------
    DataError
        As of :class:`LowQuantileImputer`.

    References
    ----------
    Lazar et al. 2016, doi:10.1021/acs.jproteome.5b00981 (QRILC); Gilliom & Helsel 1986,
    doi:10.1029/WR022i002p00135 (regression on the values seen).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> whole = rng.normal(25, 2, size=(2000, 1))
    >>> imputer = CensoredNormalImputer(random_state=0).fit(np.where(whole < 24, np.nan, whole))
    >>> imputer.mean_.round(1), imputer.sd_.round(1), imputer.limit_.round(1)
    (array([25.]), array([2.]), array([24.]))
    """

    card: ClassVar[Method] = Method(
        name="censored_normal_imputer",
        title="Left-censored gaps drawn from the tail of a fitted normal (QRILC)",
        scope="features: imputation",
        reference=_LAZAR,
        limits="Takes every gap of a variable to be below every value seen, and the variable to be "
        "normal: use logarithms. Unstable where more than half is missing.",
        learns=True,
    )

    def __init__(
        self, sd_factor: float = 1.0, max_missing: float = 0.5, *, random_state: Any = None
    ) -> None:
        self.sd_factor = sd_factor
        self.max_missing = max_missing
        self.random_state = random_state

    def _learn(self, values: Floats) -> None:
        _check_factor(self.sd_factor)
        n = len(values)
        lines = np.array([_order_line(column) for column in values.T])
        self.mean_, self.sd_ = lines[:, 0], lines[:, 1]
        share = np.maximum(np.isnan(values).mean(axis=0), 1 / (2 * n))
        self.limit_ = self.mean_ + self.sd_ * ndtri(share)
        self.seed_ = _seed(self.random_state)

    def _low(self, patient: Floats) -> Floats:
        uniform = _generator(self.seed_, patient).random(len(patient))
        spread = self.sd_ * self.sd_factor
        below = np.divide(
            self.limit_ - self.mean_, spread, out=np.zeros_like(spread), where=spread > 0
        )
        # 1 - u is never 0, so the quantile is finite.
        return self.mean_ + spread * ndtri((1 - uniform) * ndtr(below))


def _low_quantiles(values: Floats, quantile: float) -> Floats:
    if not 0 <= quantile <= 1:
        raise DataError(
            f"quantile: expected a share from 0 to 1; found {quantile}. Write 0.01 for 1 %."
        )
    return np.nanquantile(values, quantile, axis=0)


def _check_factor(factor: float) -> None:
    if not 0 < factor < np.inf:
        raise DataError(f"sd_factor: expected a number above 0; found {factor}. Mend the recipe.")


def _order_line(column: Floats) -> tuple[float, float]:
    """Intercept and slope of the ordered values on their normal quantiles."""
    seen = np.sort(column[~np.isnan(column)])
    n, seen_share = len(seen), len(seen) / len(column)
    place = 1 - seen_share + seen_share * np.arange(1, n + 1) / (n + 1)
    x = ndtri(place)
    deviation = x - x.mean()
    slope = float(deviation @ seen / (deviation @ deviation))
    return float(seen.mean() - slope * x.mean()), slope


def _seed(random_state: Any) -> int:
    return int(check_random_state(random_state).randint(2**31 - 1))


def _generator(seed: int, patient: Floats) -> np.random.Generator:
    """Generator of one patient: of the seed and of the values, not of the place in the table."""
    # Adding 0 makes -0 and 0 one; a gap has one representation.
    values = np.where(np.isnan(patient), np.nan, patient + 0.0)
    digest = hashlib.sha256(np.ascontiguousarray(values, dtype="<f8").tobytes()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "little")])
