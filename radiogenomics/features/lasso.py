"""LASSO and elastic net for a label or a number, the penalty chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.utils import ClassifierTags
from sklearn.utils.validation import validate_data

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.core.two_classes import two_classes
from radiogenomics.features.path_selector import PathSelector, Rule


class LassoSelector(PathSelector):
    r"""Keep the variables that a LASSO (elastic net) gives a coefficient.

    At each penalty :math:`\lambda` of a falling sequence the coefficients minimise

    .. math:: \frac{1}{n} L(\beta_0, \beta) + \lambda \sum_j \left(\alpha |\beta_j| +
              \frac{1 - \alpha}{2} \beta_j^2\right)

    with L half the residual sum of squares ("gaussian") or the negative log-likelihood of logistic
    regression ("binomial"), variables standardised (1/n), :math:`\alpha` the ``l1_ratio``. The
    penalty is chosen by cross-validated squared error or deviance; definitions are those of R's
    cv.glmnet (``stats.linear_models.elastic_net``, ``stats.linear_models.elastic_net_choice``).

    Of variables that say the same, one is kept, and which one changes with the patients: do not
    read a meaning into it, and report selection frequencies (``features.stability``). ``"min"``
    keeps many that are noise; on noise ``"1se"`` keeps none, and the fallback steps in. Selection
    uses the label: outside resampling it makes noise look like signal.

    Parameters
    ----------
    family
        ``"binomial"`` for a label of two classes; ``"gaussian"`` for numbers, a 0/1 label taken as
        a number among them (as in scripts that select by ``LassoCV``).
    l1_ratio
        Above 0, up to 1, the LASSO.
    rule
        ``"min"``: the lowest cross-validated loss; ``"1se"``: the largest penalty whose loss is
        within one standard error of it.
    n_splits
        Folds, the classes spread evenly; fewer, with a warning, where a class has fewer patients.
    n_lambdas
        Penalties in the usual sequence.
    lambdas
        Penalties to try instead.
    standardise
        False where variables come standardised.
    shuffle
        False for folds in the order of the patients.
    fallback
        How many to keep when every coefficient is zero, the first on the path; 0 fails instead.
    random_state
        Seed of the folds.

    Attributes
    ----------
    lambda_, coef_, lambdas_, cv_mean_, cv_se_, n_splits_, support_, scores_, fell_back_
        As in :class:`PathSelector`.
    intercept_ : float
        Intercept at ``lambda_``.
    classes_ : ndarray, shape (2,)
        The two labels, sorted ("binomial" only); coefficients are for the second.

    Raises
    ------
    OutcomeError
        The label has not exactly two classes ("binomial"), or one with a single patient.
    DataError
        A value is missing or infinite, no variable varies, or a parameter is senseless.

    References
    ----------
    Tibshirani, J R Stat Soc B 1996;58:267. Friedman, Hastie and Tibshirani, J Stat Softw
    2010;33(1), doi:10.18637/jss.v033.i01.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(60, 5)), np.arange(60) % 2
    >>> X[:, 3] += 2 * y
    >>> LassoSelector(rule="1se").fit(X, y).get_support().tolist()
    [False, False, False, True, False]
    """

    card: ClassVar[Method] = Method(
        name="lasso",
        title="LASSO or elastic net, penalty by cross-validation",
        scope="features: selection",
        reference="Tibshirani, J R Stat Soc B 1996;58:267; Friedman et al., J Stat Softw "
        "2010;33(1), doi:10.18637/jss.v033.i01",
        limits="Which of several like variables is kept changes with the patients and the folds. "
        "At the lowest loss it keeps many that are noise.",
        learns=True,
    )

    def __init__(
        self,
        family: Literal["binomial", "gaussian"] = "binomial",
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
        self.family = family
        self.l1_ratio = l1_ratio
        self.rule = rule
        self.n_splits = n_splits
        self.n_lambdas = n_lambdas
        self.lambdas = lambdas
        self.standardise = standardise
        self.shuffle = shuffle
        self.fallback = fallback
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> LassoSelector:
        """Choose the penalty and keep what has a coefficient there."""
        if self.family not in ("binomial", "gaussian"):
            raise UnknownNameError("family", self.family, ("binomial", "gaussian"))
        refuse_row_facts(X)
        refuse_other_order(X, y)
        if self.family == "gaussian":
            values, target = validate_data(
                self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2
            )
            strata = None
        else:
            values, label = validate_data(self, X, y, dtype=np.float64)
            self.classes_, target = two_classes(label)
            strata = target
        path, at = self._choose(values, target.astype(float), family=self.family, strata=strata)
        self.intercept_ = float(path.intercept[at])
        self._settle(self.coef_ != 0, -path.entry_order())
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if self.family == "binomial":
            tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags
