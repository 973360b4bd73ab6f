"""Ridge regression of many targets, each with a penalty of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from radiogenomics.core.method import Method
from radiogenomics.models.many_targets.linear_surrogate import LinearPerTarget, Spectrum
from radiogenomics.models.many_targets.per_target import checked_penalties
from radiogenomics.models.many_targets.prepared import Choice, Reader
from radiogenomics.stats.inputs import Floats


class RidgeReader:
    """What ridge regressions foretell: a fixed matrix for each penalty, whatever the target.

    Parameters
    ----------
    vectors, values
        Eigenvectors, shape (n, r), and eigenvalues of the training part's kernel.
    scores
        Kernel between the rows asked about and the training part, times ``vectors``: (rows, r).
    penalties
        Shape (candidates,).
    """

    def __init__(
        self, vectors: Floats, values: Floats, scores: Floats, *, penalties: Floats
    ) -> None:
        centred = vectors - vectors.mean(axis=0)
        shrunk = scores / (values + penalties[:, None])[:, None, :]
        self._shape = shrunk.shape[:2]
        self._matrix = shrunk.reshape(len(penalties) * len(scores), values.size) @ centred.T

    def deviations(self, targets: Floats) -> Floats:
        """Return what is foretold less the training mean, shape (candidates, rows, targets)."""
        return (self._matrix @ targets).reshape(*self._shape, -1)


class ManyRidge(LinearPerTarget):
    r"""Ridge regression of thousands of targets on the same features.

    Features are standardised (z) by the training part; for each target t

    .. math:: \min_w \sum_i (y_{it} - \bar y_t - z_i^\top w)^2 + \alpha_t \lVert w \rVert^2

    with the penalty :math:`\alpha_t` of the least squared error over inner folds, all patients
    alike; the training mean (an infinite penalty) is among the candidates, so that a target that
    images do not speak of is foretold as its mean. With one singular value decomposition a fold,
    each penalty is one matrix for all targets.

    The inner error of the best penalty is optimistic: report outer folds. Predictions are drawn
    towards the mean, so that extremes are foretold too mildly. The useful penalties grow with the
    number of features.

    Parameters
    ----------
    alphas
        Penalties to try, as of scikit-learn's ``Ridge`` on standardised features.
    n_splits
        Inner folds of patients; fewer when there are fewer patients. Rows of a table that share an
        index label are one patient's and stay together.
    random_state
        Seed of the inner folds.

    Attributes
    ----------
    best_alphas_ : ndarray of shape (targets,)
        Chosen penalty; infinite where the mean was best.
    inner_r2_ : ndarray of shape (targets,)
        Its inner R², against the means of the inner training parts: 0 to 1, optimistic.
    grid_r2_ : ndarray of shape (1 + alphas, targets)
        Of the mean (0) and of each penalty, the largest first.
    coef_ : ndarray of shape (targets, p), or (p,)
        Change of the prediction per unit of a feature; 0 of features that did not vary.
    intercept_ : ndarray of shape (targets,), or float
        Prediction where all features are 0.
    centre_, scale_ : ndarray of shape (p,)
        Mean and standard deviation of the features; scale 1 where one did not vary.
    target_names_ : tuple of str
    target_mean_, target_median_ : ndarray of shape (targets,)
        In training.
    n_patients_, n_splits_ : int
        Rows in training and inner folds used.

    Raises
    ------
    OutcomeError
        A target does not vary.
    DataError
        There are fewer than four patients, or a parameter is senseless.

    References
    ----------
    Hoerl and Kennard, Technometrics 1970;12:55, doi:10.1080/00401706.1970.10488634.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 20))
    >>> Y = np.column_stack([X[:, 3] + 0.5 * rng.normal(size=60), rng.normal(size=60)])
    >>> model = ManyRidge().fit(X, Y)
    >>> model.best_alphas_.tolist(), model.inner_r2_.round(2).tolist()
    ([10.0, 100.0], [0.76, 0.02])
    """

    card: ClassVar[Method] = Method(
        name="many_ridge",
        title="Ridge regression of many targets, each with a penalty of its own",
        scope="models: many targets",
        reference="Hoerl and Kennard, Technometrics 1970;12:55, doi:10.1080/00401706.1970.10488634",
        limits="Straight lines only; predictions are drawn towards the mean; coefficients of "
        "correlated features share what one of them says.",
        learns=True,
    )

    def __init__(
        self,
        alphas: Sequence[float] = (1e6, 1e5, 1e4, 1e3, 1e2, 1e1, 1.0),
        n_splits: int = 5,
        *,
        random_state: int = 0,
    ) -> None:
        self.alphas = alphas
        self.n_splits = n_splits
        self.random_state = random_state

    def _check_grid(self) -> None:
        checked_penalties(self.alphas, "alphas")

    def _reading(self, spectrum: Spectrum, scores: Floats) -> Reader:
        penalties = checked_penalties(self.alphas, "alphas")
        return RidgeReader(spectrum.vectors, spectrum.values, scores, penalties=penalties)

    def _keep_choice(self, choice: Choice) -> None:
        self._keep_r2(choice)
        grid = np.append(np.inf, checked_penalties(self.alphas, "alphas"))
        self.best_alphas_ = grid[choice.candidate]
