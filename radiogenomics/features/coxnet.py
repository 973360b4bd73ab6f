"""LASSO and elastic net for survival, the penalty chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_consistent_length, validate_data

from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.features.path_selector import PathSelector, Rule
from radiogenomics.stats.inputs import survival_target


class CoxnetSelector(PathSelector):
    r"""Keep the variables that a penalised Cox model gives a coefficient.

    At each penalty :math:`\lambda` of a falling sequence the log hazard ratios minimise

    .. math:: -\frac{1}{n} \ell(\beta) + \lambda \sum_j \left(\alpha |\beta_j| +
              \frac{1 - \alpha}{2} \beta_j^2\right)

    with :math:`\ell` the log partial likelihood (tied events: Breslow), variables standardised
    (1/n), :math:`\alpha` the ``l1_ratio``. The penalty is chosen by the cross-validated partial
    likelihood: the deviance of all patients less that of those outside the fold, at coefficients
    from outside it, per event. Definitions are those of R's cv.glmnet with family "cox", grouped
    (``stats.linear_models.elastic_net``, ``stats.linear_models.elastic_net_choice``).

    With few events most choices fall back or keep one or two; of variables that say the same, an
    arbitrary one is kept. Hazards are taken to be proportional. Selection uses the outcome: outside
    resampling it makes noise look like signal.

    Parameters
    ----------
    l1_ratio
        Above 0, up to 1, the LASSO.
    rule
        ``"min"`` or ``"1se"``, as in :class:`~radiogenomics.features.lasso.LassoSelector`.
    n_splits
        Folds, the events spread evenly; fewer, with a warning, where there are fewer events.
    n_lambdas, lambdas, standardise, shuffle, fallback, random_state
        As in :class:`~radiogenomics.features.lasso.LassoSelector`.

    Attributes
    ----------
    lambda_, coef_, lambdas_, cv_mean_, cv_se_, n_splits_, support_, scores_, fell_back_
        As in :class:`PathSelector`; a coefficient above 0 means a higher value is worse.

    Raises
    ------
    OutcomeError
        ``y`` is no survival target, or has fewer than two events.
    DataError
        A value is missing or infinite, no variable varies, or a parameter is senseless.

    References
    ----------
    Simon et al., J Stat Softw 2011;39(5), doi:10.18637/jss.v039.i05. Verweij and van Houwelingen,
    Stat Med 1993;12:2305.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 5))
    >>> y = np.empty(60, dtype=[("event", bool), ("time", float)])
    >>> y["event"], y["time"] = True, rng.exponential(np.exp(-2 * X[:, 3]))
    >>> CoxnetSelector(rule="1se").fit(X, y).get_support().tolist()
    [False, False, False, True, False]
    """

    needs_survival: ClassVar[bool] = True
    card: ClassVar[Method] = Method(
        name="coxnet",
        title="LASSO or elastic net for survival, penalty by cross-validated partial likelihood",
        scope="features: selection",
        reference="Simon et al., J Stat Softw 2011;39(5), doi:10.18637/jss.v039.i05",
        limits="Needs events: below about fifty the choice of the penalty is a lottery. Which of "
        "several like variables is kept changes with the patients.",
        learns=True,
    )

    def __init__(
        self,
        l1_ratio: float = 1.0,
        rule: Rule = "min",
        *,
        n_splits: int = 10,
        n_lambdas: int = 100,
        lambdas: Sequence[float] | None = None,
        standardise: bool = True,
        shuffle: bool = True,
        fallback: int = 1,
        random_state: int | None = 0,
    ) -> None:
        self.l1_ratio = l1_ratio
        self.rule = rule
        self.n_splits = n_splits
        self.n_lambdas = n_lambdas
        self.lambdas = lambdas
        self.standardise = standardise
        self.shuffle = shuffle
        self.fallback = fallback
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> CoxnetSelector:
        """Choose the penalty; ``y`` is a survival target (event and time in months)."""
        refuse_row_facts(X)
        values = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        time, event = survival_target(y)
        check_consistent_length(values, time)
        path, _ = self._choose(values, time, event.astype(float), family="cox", strata=event)
        self._settle(self.coef_ != 0, -path.entry_order())
        return self
