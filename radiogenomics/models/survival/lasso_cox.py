"""LASSO and elastic-net Cox regression as an estimator."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np

from radiogenomics.core.errors import DataError
from radiogenomics.core.method import Method
from radiogenomics.models.survival.model import LinearHazardModel, deal_folds, usable_splits
from radiogenomics.stats.inputs import Bools, Floats
from radiogenomics.stats.linear_models.elastic_net import elastic_net_path
from radiogenomics.stats.linear_models.elastic_net_choice import choose_penalty


class LassoCox(LinearHazardModel):
    r"""Cox regression with a LASSO or elastic-net penalty.

    The coefficients maximise :math:`\ell(\beta)/n - \alpha (\rho \lVert \beta \rVert_1 +
    \frac{1 - \rho}{2} \lVert \beta \rVert^2)` with :math:`\ell` the log partial likelihood (Breslow
    ties), :math:`n` the patients, :math:`\rho` the ``l1_ratio``, and :math:`\alpha` the penalty,
    the ``lambda`` of R's glmnet; that of ``standardise`` is the same there. The smallest
    :math:`\alpha` at which all coefficients are zero, :math:`\alpha_{\max}`, differs from data to
    data, so the penalty is a ``share`` of it, which a grid can name beforehand. Or ``rule`` chooses
    it by the cross-validated partial likelihood, as cv.glmnet, or ``alpha`` gives it outright.

    Of features that go together one is kept, nearly at random, with pure LASSO. Where no
    coefficient is left, all patients have risk 0: concordance one half, and the survival of the
    whole cohort. Coefficients are shrunk: read no hazard ratio from them.

    Parameters
    ----------
    share
        Penalty as a share of the largest useful one, above 0, at most 1.
    l1_ratio
        1 is the LASSO; towards 0 it becomes ridge. Above 0.
    alpha
        The penalty itself; when given, neither ``share`` nor ``rule`` is used.
    rule : {None, "min", "1se"}
        When given, ``share`` is not used: the penalty of the least deviance of the inner folds, or
        the largest that is within one standard error of it.
    standardise
        Whether features are penalised per standard deviation; coefficients are per unit anyway.
    n_splits
        Inner folds of ``rule``, the events dealt out evenly; fewer when there are fewer events.
    random_state
        Seed of the inner folds.

    Attributes
    ----------
    coef_ : ndarray, shape (n_features_in_,)
        Log hazard ratio per unit, shrunk; 0 where a feature was left out.
    center_ : ndarray, shape (n_features_in_,)
        Means in training.
    alpha_ : float
        The penalty used.
    n_selected_ : int
        Coefficients that are not 0.
    baseline_ : BaselineHazard
        Cumulative hazard (Breslow) at risk 0, that is of a patient at ``center_``.
    event_times_ : ndarray, shape (n_times,)
        Distinct times of the events in training.
    last_time_ : float
        Longest follow-up in training, months.

    Raises
    ------
    OutcomeError
        There is no event, or with ``rule`` fewer than two.
    DataError
        No feature varies, or a parameter is out of range.

    References
    ----------
    Tibshirani, Stat Med 1997;16:385. Simon, Friedman, Hastie and Tibshirani, J Stat Softw
    2011;39(5):1, doi:10.18637/jss.v039.i05.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(120, 30))
    >>> time = rng.exponential(20 * np.exp(-X[:, 0]))
    >>> y = np.array([(t < 30, min(t, 30)) for t in time], dtype=[("event", bool), ("time", float)])
    >>> model = LassoCox(share=0.7).fit(X, y)
    >>> np.flatnonzero(model.coef_)
    array([0])
    """

    card: ClassVar[Method] = Method(
        name="lasso_cox",
        title="Cox regression with a LASSO or elastic-net penalty",
        scope="models: survival",
        reference="Simon et al., J Stat Softw 2011;39(5):1, doi:10.18637/jss.v039.i05",
        limits="Coefficients are shrunk and no hazard ratios; of features that go together one is "
        "kept nearly at random.",
        learns=True,
    )

    def __init__(
        self,
        share: float = 0.3,
        l1_ratio: float = 1.0,
        *,
        alpha: float | None = None,
        rule: str | None = None,
        standardise: bool = True,
        n_splits: int = 10,
        random_state: int | None = 0,
    ) -> None:
        self.share = share
        self.l1_ratio = l1_ratio
        self.alpha = alpha
        self.rule = rule
        self.standardise = standardise
        self.n_splits = n_splits
        self.random_state = random_state

    def _learn(self, X: Any, y: Any) -> tuple[Callable[[], Floats], Floats, Bools]:
        self._check_parameters()
        values, time, event = self._training_part(X, y)
        self.center_ = values.mean(axis=0)
        centred = values - self.center_
        self.alpha_, self.coef_ = self._solve(centred, time, event)
        self.n_selected_ = int(np.count_nonzero(self.coef_))
        return lambda: centred @ self.coef_, time, event

    def _check_parameters(self) -> None:
        if not 0 < self.share <= 1:
            raise DataError(
                f"share: expected a number above 0 and at most 1; found {self.share}. "
                "Mend the grid."
            )
        if self.alpha is not None and not 0 < self.alpha < np.inf:
            raise DataError(
                f"alpha: expected a finite number above 0; found {self.alpha}. Mend the grid."
            )
        if self.rule not in (None, "min", "1se"):
            raise DataError(f"rule: expected 'min', '1se' or None; found {self.rule!r}. Mend it.")

    def _solve(self, values: Floats, time: Floats, event: Bools) -> tuple[float, Floats]:
        """Penalty and coefficients."""
        path_of = partial(
            elastic_net_path,
            values,
            time,
            event,
            family="cox",
            l1_ratio=self.l1_ratio,
            standardise=self.standardise,
        )
        if self.alpha is None and self.rule is not None:
            chosen = choose_penalty(
                values,
                time,
                event,
                family="cox",
                l1_ratio=self.l1_ratio,
                standardise=self.standardise,
                folds=deal_folds(
                    event, usable_splits(event, self.n_splits), random_state=self.random_state
                ),
            )
            at = chosen.at_min if self.rule == "min" else chosen.at_1se
            return float(chosen.path.lambdas[at]), chosen.path.coef[at]
        # Its first penalty, the only one solved here, is the smallest that leaves nothing.
        largest = path_of(n_lambdas=2, max_inside=0).lambdas[0]
        alpha = float(self.share * largest if self.alpha is None else self.alpha)
        return alpha, path_of(lambdas=[alpha]).coef[0]
