"""Linear survival support vector machine, by scikit-survival."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.core.method import Method
from radiogenomics.models.survival.model import SurvivalModel, missing_survival, survival_array


class SurvivalSVM(SurvivalModel):
    r"""Linear ranking support vector machine for survival.

    Minimises :math:`\frac12 \lVert w \rVert^2 + \frac{\alpha}{2} \sum \max(0, 1 - w \cdot (x_i -
    x_j))^2` over the comparable pairs, patient i failing before j: the risk :math:`w \cdot x` is to
    be higher by 1 in the one who fails first. Only the order of the times counts; events that share
    a time are put into a random order. It ranks and no more: there is no hazard and no survival
    probability. The sum grows with the square of the patients, so the same ``alpha`` regularises a
    larger cohort less. Standardise first.

    Parameters
    ----------
    alpha
        Weight of the losses beside the margin, above 0; smaller is more regularised.
    max_iter
        Newton steps at most.
    random_state
        Seed of the order of events that share a time.

    Attributes
    ----------
    coef_ : ndarray, shape (n_features_in_,)
        Weights :math:`w`; a positive one raises the risk.
    event_times_ : ndarray, shape (n_times,)
        Distinct times of the events in training.
    last_time_ : float
        Longest follow-up in training, months.

    Raises
    ------
    OutcomeError
        There is no event, or nobody outlived one.
    MissingExtraError
        scikit-survival is not installed.

    References
    ----------
    Pölsterl, Navab and Katouzian, ECML PKDD 2015:243, doi:10.1007/978-3-319-23525-7_15.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(120, 2))
    >>> time = rng.exponential(20 * np.exp(-2 * X[:, 0]))
    >>> y = np.array([(t < 30, min(t, 30)) for t in time], dtype=[("event", bool), ("time", float)])
    >>> low, high = SurvivalSVM(alpha=0.1).fit(X, y).predict([[-2.0, 0], [2.0, 0]])
    >>> bool(low < high)
    True
    """

    card: ClassVar[Method] = Method(
        name="survival_svm",
        title="Linear ranking support vector machine for survival",
        scope="models: survival",
        reference="Pölsterl et al., ECML PKDD 2015:243, doi:10.1007/978-3-319-23525-7_15",
        limits="Ranks only: no hazard and no survival probability; scale-dependent.",
        learns=True,
    )

    def __init__(
        self, alpha: float = 1.0, *, max_iter: int = 200, random_state: int | None = None
    ) -> None:
        self.alpha = alpha
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> SurvivalSVM:
        """Find the weights; ``y`` is a survival target."""
        try:
            from sksurv.svm import FastSurvivalSVM
        except ImportError:
            raise missing_survival("the survival SVM") from None
        if not 0 < self.alpha < np.inf:
            raise DataError(f"alpha: expected a number above 0; found {self.alpha}. Mend the grid.")
        values, time, event = self._training_part(X, y)
        if not ((time > time[event].min()) | ((time == time[event].min()) & ~event)).any():
            raise OutcomeError(
                "expected patients who outlived an event of another; found no comparable pair "
                f"among {len(time)}. Use a longer follow-up or more patients."
            )
        # Places hold all that pairs tell: events stand before those censored at the same time, and
        # an event at time 0 has a place like any other.
        place = np.unique(2 * np.unique(time, return_inverse=True)[1] + ~event, return_inverse=True)
        machine = FastSurvivalSVM(
            rank_ratio=1.0,
            alpha=self.alpha,
            max_iter=self.max_iter,
            tol=1e-8,
            random_state=self.random_state,
        )
        with warnings.catch_warnings():
            # Said where the loss can fall no further in floats: that is the optimum.
            warnings.filterwarnings("ignore", "(?s).*precision loss", ConvergenceWarning)
            found = machine.fit(values, survival_array(place[1] + 1.0, event))
        # Its own weights point to long survival.
        self.coef_ = -found.coef_
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Risk without a unit, shape (n,); higher is worse."""
        return self._new_patients(X) @ self.coef_
