"""Partial least squares of many targets, each with a number of components of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from radiogenomics.core.errors import DataError
from radiogenomics.core.method import Method
from radiogenomics.models.many_targets.linear_surrogate import LinearPerTarget, Spectrum
from radiogenomics.models.many_targets.prepared import Choice, Reader
from radiogenomics.stats.inputs import Floats

# What is left of a target, or of a direction, below this share of what it was is rounding.
_NOTHING = 1e-12


class PlsReader:
    """What PLS regressions foretell, all targets side by side.

    The scores of a target's components span what the kernel makes of the target again and again.
    In the kernel's eigenvectors each such step is a product of numbers.

    Parameters
    ----------
    spectrum
        Of the training part.
    scores
        As of :class:`~radiogenomics.models.many_targets.ridge.RidgeReader`.
    components
        Numbers to foretell with, rising.
    """

    def __init__(self, spectrum: Spectrum, scores: Floats, *, components: Sequence[int]) -> None:
        self._vectors, self._values = spectrum.vectors, spectrum.values
        self._scores, self._components = scores, tuple(components)

    def deviations(self, targets: Floats) -> Floats:
        """Return what is foretold less the training mean, shape (candidates, rows, targets)."""
        left = self._vectors.T @ (targets - targets.mean(axis=0))
        start = np.sqrt(np.einsum("rt,rt->t", left, left))
        duals: list[Floats] = []
        directions: list[Floats] = []
        total = np.zeros_like(left)
        found = np.empty((len(self._components), len(self._scores), targets.shape[1]))
        for number in range(1, self._components[-1] + 1):
            dual, direction = self._next(left, start, duals=duals, directions=directions)
            duals.append(dual)
            directions.append(direction)
            share = np.einsum("rt,rt->t", direction, left)
            left = left - direction * share
            total += dual * share
            if number in self._components:
                found[self._components.index(number)] = self._scores @ total
        return found

    def _next(
        self, left: Floats, start: Floats, *, duals: list[Floats], directions: list[Floats]
    ) -> tuple[Floats, Floats]:
        """Next component of each target: training scores of length 1, and what makes them."""
        dual, direction = left, self._values[:, None] * left
        before = np.sqrt(np.einsum("rt,rt->t", direction, direction))
        for _ in range(2):  # once leaves rounding behind where components are nearly the same
            for earlier, its_dual in zip(directions, duals, strict=True):
                share = np.einsum("rt,rt->t", earlier, direction)
                direction = direction - earlier * share
                dual = dual - its_dual * share
        length = np.sqrt(np.einsum("rt,rt->t", direction, direction))
        rest = np.sqrt(np.einsum("rt,rt->t", left, left))
        goes_on = (length > _NOTHING * before) & (rest > _NOTHING * start)
        inverse = np.where(goes_on, 1 / np.where(goes_on, length, 1.0), 0.0)
        return dual * inverse, direction * inverse


class ManyPls(LinearPerTarget):
    r"""Partial least squares regression of thousands of targets on the same features.

    For each target on its own (PLS1): a component is the weighted sum of standardised features
    whose covariance with what is left of the target is largest; the target is regressed on the
    components, which are uncorrelated. The number of components is that of the least squared error
    over inner folds, all patients alike; none, the training mean, is among the candidates.

    Few components take the directions in which features vary together *and* go with the target,
    where ridge takes the former first. With many of them it is least squares, and learns noise by
    heart.

    Parameters
    ----------
    components
        Numbers of components to try; as of scikit-learn's ``PLSRegression`` with one target.
    n_splits, random_state
        As of :class:`radiogenomics.models.many_targets.ridge.ManyRidge`.

    Attributes
    ----------
    best_components_ : ndarray of int, shape (targets,)
        Chosen number; 0 where the mean was best.
    inner_r2_, grid_r2_, coef_, intercept_, centre_, scale_, target_names_, target_mean_, \
target_median_, n_patients_, n_splits_
        As of :class:`radiogenomics.models.many_targets.ridge.ManyRidge`, fewest components first.

    Raises
    ------
    OutcomeError, DataError
        As of :class:`radiogenomics.models.many_targets.ridge.ManyRidge`.

    References
    ----------
    Wold, Sjöström and Eriksson, Chemom Intell Lab Syst 2001;58:109,
    doi:10.1016/S0169-7439(01)00155-1. Rosipal and Trejo, J Mach Learn Res 2001;2:97 (by kernels).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 20))
    >>> Y = np.column_stack([X[:, 3] + 0.5 * rng.normal(size=60), rng.normal(size=60)])
    >>> ManyPls().fit(X, Y).best_components_.tolist()
    [3, 0]
    """

    card: ClassVar[Method] = Method(
        name="many_pls",
        title="Partial least squares of many targets, each with its number of components",
        scope="models: many targets",
        reference="Wold, Sjöström and Eriksson, Chemom Intell Lab Syst 2001;58:109, "
        "doi:10.1016/S0169-7439(01)00155-1",
        limits="Straight lines only; overfits sooner than ridge where features outnumber patients.",
        learns=True,
    )

    def __init__(
        self,
        components: Sequence[int] = (1, 2, 3, 4, 5),
        n_splits: int = 5,
        *,
        random_state: int = 0,
    ) -> None:
        self.components = components
        self.n_splits = n_splits
        self.random_state = random_state

    def _check_grid(self) -> None:
        self._numbers()

    def _reading(self, spectrum: Spectrum, scores: Floats) -> Reader:
        return PlsReader(spectrum, scores, components=self._numbers())

    def _keep_choice(self, choice: Choice) -> None:
        self._keep_r2(choice)
        self.best_components_ = np.array([0, *self._numbers()])[choice.candidate]

    def _numbers(self) -> list[int]:
        given = np.asarray(self.components)
        if given.size == 0 or not np.issubdtype(given.dtype, np.integer) or given.min() < 1:
            raise DataError(
                f"components: expected whole numbers of 1 or more; found {self.components}. "
                "1 to 5 are usual; the training mean is among the candidates anyway."
            )
        return [int(number) for number in np.unique(given)]
