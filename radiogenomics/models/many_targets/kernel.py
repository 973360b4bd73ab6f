"""Kernel ridge regression of many targets, each with a penalty and a width of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from radiogenomics.core.method import Method
from radiogenomics.models.many_targets.per_target import TunedPerTarget, checked_penalties
from radiogenomics.models.many_targets.prepared import Choice, Positions, Reader, foretell_chosen
from radiogenomics.models.many_targets.ridge import RidgeReader
from radiogenomics.stats.inputs import Floats


class _SideBySide:
    """Readers one after the other, as one."""

    def __init__(self, readers: Sequence[Reader]) -> None:
        self._readers = readers

    def deviations(self, targets: Floats) -> Floats:
        return np.concatenate([reader.deviations(targets) for reader in self._readers])


class ManyKernelRidge(TunedPerTarget):
    r"""Kernel ridge regression of thousands of targets on the same features: bent surfaces.

    .. math:: \hat y_t(x) = \bar y_t + \sum_i \beta_{it} \, e^{-\gamma_t d^2(x, x_i) / p},
              \qquad \beta_t = (K_{\gamma_t} + \alpha_t I)^{-1} (y_t - \bar y_t)

    with the squared distance d² of standardised features, of which p vary, so that a width
    :math:`\gamma` means much the same for few features and for many (two patients of unrelated
    features are about 2 p apart). Each target has the pair of the least squared error over inner
    folds; the training mean is among the candidates.

    Far from all training patients it foretells the mean, without a word. With more features than
    patients distances differ little, and it has not much to add to straight lines.

    Parameters
    ----------
    alphas
        Penalties to try, as of scikit-learn's ``KernelRidge``.
    gammas
        Widths to try: those of ``KernelRidge(kernel="rbf")`` times the number of features that vary
        in training.
    n_splits, random_state
        As of :class:`radiogenomics.models.many_targets.ridge.ManyRidge`.

    Attributes
    ----------
    best_alphas_, best_gammas_ : ndarray of shape (targets,)
        Chosen pair; infinite and 0 where the mean was best.
    grid_r2_ : ndarray of shape (1 + alphas x gammas, targets)
        Inner R² of the mean (0) and of each pair: smallest gamma first, within it largest alpha.
    dual_coef_ : ndarray of shape (n, targets)
        Weights of the training patients.
    inner_r2_, centre_, scale_, target_names_, target_mean_, target_median_, n_patients_, n_splits_
        As of :class:`radiogenomics.models.many_targets.ridge.ManyRidge`.

    Raises
    ------
    OutcomeError, DataError
        As of :class:`radiogenomics.models.many_targets.ridge.ManyRidge`.

    References
    ----------
    Saunders, Gammerman and Vovk, Proc ICML 1998:515.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(80, 2))
    >>> Y = np.column_stack([X[:, 0] ** 2 + 0.1 * rng.normal(size=80), rng.normal(size=80)])
    >>> bool(ManyKernelRidge().fit(X, Y).inner_r2_[0] > 0.6)
    True
    """

    card: ClassVar[Method] = Method(
        name="many_kernel_ridge",
        title="Kernel ridge regression of many targets, each with its penalty and width",
        scope="models: many targets",
        reference="Saunders, Gammerman and Vovk, Proc ICML 1998:515",
        limits="Foretells the mean far from the training patients; cannot be written down as "
        "coefficients of features; holds the training patients' features.",
        learns=True,
    )

    def __init__(
        self,
        alphas: Sequence[float] = (30.0, 10.0, 3.0, 1.0, 0.3),
        gammas: Sequence[float] = (0.1, 0.3, 1.0),
        n_splits: int = 5,
        *,
        random_state: int = 0,
    ) -> None:
        self.alphas = alphas
        self.gammas = gammas
        self.n_splits = n_splits
        self.random_state = random_state

    def _check_grid(self) -> None:
        checked_penalties(self.alphas, "alphas")
        checked_penalties(self.gammas, "gammas")

    def _reader(self, rows: Floats, asked: Floats) -> Reader:
        near, far = _squared_distances(rows, rows), _squared_distances(asked, rows)
        readers = []
        for gamma in self._widths():
            values, vectors = np.linalg.eigh(np.exp(-gamma * near))
            readers.append(self._of_scores(values, vectors, np.exp(-gamma * far) @ vectors))
        return _SideBySide(readers)

    def _keep_choice(self, choice: Choice) -> None:
        self._keep_r2(choice)
        alphas, gammas = checked_penalties(self.alphas, "alphas"), self._widths()
        every_alpha, every_gamma = np.tile(alphas, gammas.size), np.repeat(gammas, alphas.size)
        self.best_alphas_ = np.append(np.inf, every_alpha)[choice.candidate]
        self.best_gammas_ = np.append(0.0, every_gamma)[choice.candidate]

    def _learn(self, rows: Floats, targets: Floats, chosen: Positions) -> None:
        near = _squared_distances(rows, rows)
        readers = []
        for gamma in self._widths():
            values, vectors = np.linalg.eigh(np.exp(-gamma * near))
            # Asked about the eigenvectors themselves, a reader tells the patients' weights.
            readers.append(self._of_scores(values, vectors, vectors))
        self.dual_coef_ = foretell_chosen(_SideBySide(readers), targets, chosen)
        self._rows = rows

    def _deviations(self, rows: Floats) -> Floats:
        far = _squared_distances(rows, self._rows)
        found = np.zeros((len(rows), self.dual_coef_.shape[1]))
        for gamma in np.unique(self.best_gammas_[self.best_gammas_ > 0]):
            own = self.best_gammas_ == gamma
            found[:, own] = np.exp(-gamma * far) @ self.dual_coef_[:, own]
        return found

    def _of_scores(self, values: Floats, vectors: Floats, scores: Floats) -> Reader:
        penalties = checked_penalties(self.alphas, "alphas")
        # Rounding makes the smallest eigenvalues of a positive kernel negative.
        return RidgeReader(vectors, np.maximum(values, 0.0), scores, penalties=penalties)

    def _widths(self) -> Floats:
        return checked_penalties(self.gammas, "gammas")[::-1]


def _squared_distances(rows: Floats, others: Floats) -> Floats:
    """Squared distance of standardised rows a feature that varied in training (others), >= 0."""
    lengths = np.square(rows).sum(axis=1)[:, None] + np.square(others).sum(axis=1)
    varying = max(1, int((others != 0).any(axis=0).sum()))
    return np.maximum(lengths - 2 * rows @ others.T, 0.0) / varying
