"""Test each variable against survival by a Cox model of its own."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from scipy.special import chdtrc
from sklearn.utils.validation import check_consistent_length, validate_data

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.features.selector import FeatureSelector
from radiogenomics.features.univariate import Correction, check_choice, choose_by_p
from radiogenomics.stats.inputs import Floats, survival_target
from radiogenomics.stats.survival.cox import CoxBatch, fit_cox_batch

CoxTest = Literal["wald", "score", "likelihood_ratio"]


class UnivariateCox(FeatureSelector):
    r"""Keep variables that go with survival in a Cox model of each alone.

    Each variable gets the model :math:`h(t) = h_0(t) \exp(\beta x)`, all fitted side by side, and
    the p-value of :math:`\beta = 0`:

    - ``"wald"``: :math:`(\hat\beta / \mathrm{se})^2`, what papers print beside hazard ratios. It
      has no value where the likelihood rises for ever (one half of the patients without events),
      so the very best variables may be lost; a warning then says so;
    - ``"score"``: slope of the likelihood at 0; the log-rank test for two groups;
    - ``"likelihood_ratio"``: twice the gain in log-likelihood; the steadiest with few events.

    All are chi-squared with one degree of freedom. Variables that matter only together, or only
    beside the stage, are missed; a hazard that is not proportional is averaged over time. Testing
    uses the outcome: outside resampling it makes noise look like signal.

    Parameters
    ----------
    alpha
        Largest p-value, after correction, at which a variable is kept; 1 for no threshold.
    correction
        None, ``"bh"``, ``"by"``, ``"holm"`` or ``"bonferroni"``; see ``stats.multiplicity.adjust``.
    test
        One of the three.
    k
        Keep at most so many, the smallest p-values; None for all that pass.
    ties
        ``"efron"`` or ``"breslow"``.
    fallback
        How many of the smallest p-values to keep when none passes; 0 fails instead.

    Attributes
    ----------
    p_values_ : ndarray, shape (n_features_in_,)
        Before correction; NaN where there is none, which never passes.
    adjusted_ : ndarray, shape (n_features_in_,)
        After correction.
    coef_ : ndarray, shape (n_features_in_,)
        Log hazard ratio per unit; above 0 means a higher value is worse. ±inf where the likelihood
        rises for ever, NaN for constants.
    support_, scores_, fell_back_
        As in :class:`FeatureSelector`; scores are ``-p_values_``.

    Raises
    ------
    OutcomeError
        ``y`` is no survival target, or has no event.
    DataError
        A value is missing or infinite, a parameter is senseless, or no variable is left.

    References
    ----------
    Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x.

    Examples
    --------
    >>> y = np.array(
    ...     [(True, 5.0), (True, 3.0), (False, 8.0), (True, 2.0), (True, 6.0), (True, 9.0)],
    ...     dtype=[("event", bool), ("time", float)],
    ... )
    >>> X = np.array([[0.0, 2.0], [1.0, 1.0], [0.0, 3.0], [1.0, 2.5], [1.0, 0.5], [0.0, 1.5]])
    >>> UnivariateCox(alpha=0.2, test="score").fit(X, y).p_values_
    array([0.1098, 0.6747])
    """

    needs_survival: ClassVar[bool] = True
    card: ClassVar[Method] = Method(
        name="univariate_cox",
        title="Keep variables by a Cox model of each alone",
        scope="features: selection",
        reference="Cox, J R Stat Soc B 1972;34:187, doi:10.1111/j.2517-6161.1972.tb00899.x",
        limits="Misses variables that matter only together; unreliable below about ten events. "
        "Uncorrected, 5 % of noise passes.",
        learns=True,
    )

    def __init__(
        self,
        alpha: float = 0.05,
        correction: Correction | None = None,
        test: CoxTest = "wald",
        *,
        k: int | None = None,
        ties: Literal["efron", "breslow"] = "efron",
        fallback: int = 1,
    ) -> None:
        self.alpha = alpha
        self.correction = correction
        self.test = test
        self.k = k
        self.ties = ties
        self.fallback = fallback

    def fit(self, X: Any, y: Any) -> UnivariateCox:
        """Test each variable; ``y`` is a survival target (event and time in months)."""
        if self.test not in get_args(CoxTest):
            raise DataError(
                f"test: expected one of {', '.join(get_args(CoxTest))}; found {self.test!r}. "
                "Correct it."
            )
        check_choice(alpha=self.alpha, k=self.k)
        refuse_row_facts(X)
        values = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        time, event = survival_target(y)
        check_consistent_length(values, time)
        models = fit_cox_batch(values.T[:, :, np.newaxis], time, event, ties=self.ties)
        self.coef_ = models.coef[:, 0]
        self.p_values_ = _p_values(models, self.test)
        self._warn_of_runaways()
        passed, self.adjusted_ = choose_by_p(
            self.p_values_, alpha=self.alpha, correction=self.correction, k=self.k
        )
        self._settle(passed, -self.p_values_)
        return self

    def _warn_of_runaways(self) -> None:
        lost = np.isinf(self.coef_) & np.isnan(self.p_values_)
        if lost.any():
            warnings.warn(
                f"UnivariateCox: {int(lost.sum())} of {len(lost)} variables have no Wald test, as "
                "they order the events without error; they were dropped. Use "
                "test='likelihood_ratio' to have them judged.",
                RadiogenomicsWarning,
                stacklevel=3,
            )


def _p_values(models: CoxBatch, test: CoxTest) -> Floats:
    if test == "wald":
        return models.p[:, 0]
    if test == "score":
        statistic = models.score_statistic
    else:
        statistic = np.maximum(2 * (models.log_likelihood - models.null_log_likelihood), 0)
    return chdtrc(1, statistic)
