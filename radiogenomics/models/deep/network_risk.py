"""The risk that a network sees, as a column for what is fitted behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone, is_classifier
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.core.method import Method
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.core.scan_arrays import ROW, ScanArrays
from radiogenomics.core.two_classes import two_classes
from radiogenomics.models.deep.multi_instance.bags import Bags
from radiogenomics.models.deep.multi_instance.estimator import MultiInstanceClassifier
from radiogenomics.models.deep.network_classifier import NetworkClassifier
from radiogenomics.models.deep.network_estimator import NetworkEstimator, rows_named
from radiogenomics.models.deep.survival_network import SurvivalNetwork
from radiogenomics.models.deep.training_data import Rows
from radiogenomics.models.out_of_fold import score
from radiogenomics.models.survival.model import deal_folds, require_target
from radiogenomics.stats.inputs import Bools, Floats, survival_target


class NetworkRisk(TransformerMixin, BaseEstimator):
    """One column: what a network says of each patient who was not learnt from.

    A network's risks of its own training part are over-fitted: far better than those of new
    patients. A Cox model with clinical facts, or a forest of several networks, that is fitted to
    them trusts the network too much. So ``fit_transform`` gives cross-fitted risks: the patients
    are dealt to folds, balanced by event or class, and each is scored by a network trained on the
    other folds. ``transform`` gives the risks of one network, trained on all.

    Risks of two networks have no common zero, and the spread depends on how long each was trained.
    Therefore each network's are standardised by mean and SD over the patients whom it had put aside
    to know when to stop, whom it has not learnt from either; where it puts nobody aside, over its
    training part.

    ``fit_transform`` is not ``fit`` followed by ``transform``, on purpose. It trains ``n_splits``
    networks and one more; within inner folds of a tuner, as often for each of these.

    Parameters
    ----------
    estimator
        SurvivalNetwork, NetworkClassifier or MultiInstanceClassifier, unfitted.
    n_splits
        Folds, at least 2. With few the cross-fitted networks have learnt from much less than the
        last one.
    random_state
        Seed of the folds.
    threads
        Of torch on the CPU, while networks learn and speak. On another number the same seed gives
        another network, and processes that share a machine have each its own; None: as it is.

    Attributes
    ----------
    estimator_ : as ``estimator``
        Fitted on all.
    center_, spread_ : float
        By which its risks are standardised.
    out_of_fold_ : ndarray, shape (n,)
        What the last ``fit_transform`` gave; not there after ``fit``.
    fold_ : ndarray of int, shape (n,)
        Who was scored in which fold; a patient that stands twice in X is in one.

    Raises
    ------
    SchemaError
        The estimator is no network, or X has not one column of row numbers.
    DataError
        Fewer than two folds.

    References
    ----------
    Wolpert, Neural Netw 1992;5:241, doi:10.1016/S0893-6080(05)80023-1 (stacked generalisation).

    Examples
    --------
    >>> from radiogenomics.models.deep.networks import tiny_settings
    >>> from radiogenomics.models.deep.training_settings import TrainingSettings
    >>> rng = np.random.default_rng(0)
    >>> values = rng.normal(size=(24, 1, 8, 8, 8)).astype(np.float32)
    >>> scans = ScanArrays(values, tuple(f"P{n}" for n in range(24)), ("portal",))
    >>> y = np.array([(True, t) for t in range(1, 25)], dtype=[("event", bool), ("time", float)])
    >>> network = SurvivalNetwork(
    ...     scans, "vit", network_settings=tiny_settings("vit"),
    ...     training=TrainingSettings(epochs=1, device="cpu"),
    ... )
    >>> risk = NetworkRisk(network, n_splits=2)
    >>> risk.fit_transform(scans.table(), y).shape, risk.transform(scans.table()).shape
    ((24, 1), (24, 1))
    """

    card: ClassVar[Method] = Method(
        name="network_risk",
        title="Risk of a deep network, cross-fitted for those it is trained on",
        scope="models: deep",
        reference="Wolpert, Neural Netw 1992;5:241, doi:10.1016/S0893-6080(05)80023-1",
        limits="Trains a network for each fold and one more; the risks of the training part are of "
        "networks that learnt from fewer patients than the one that scores new ones.",
        learns=True,
    )
    needs_names: ClassVar[bool] = True

    def __init__(
        self,
        estimator: SurvivalNetwork | NetworkClassifier | MultiInstanceClassifier,
        *,
        n_splits: int = 5,
        random_state: int | None = 0,
        threads: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.n_splits = n_splits
        self.random_state = random_state
        self.threads = threads

    def fit(self, X: Any, y: Any) -> Self:
        """Train the network on all; ``y`` is a survival target, or a label of two classes."""
        rows, target, _ = self._checked(X, y)
        with on_threads(self.threads):
            self._fit_on_all(rows, target)
        return self

    def fit_transform(self, X: Any, y: Any) -> Floats:
        """Train it on all, too, and return risks by networks trained without the patient.

        Returns
        -------
        ndarray, shape (n, 1)
            Higher is worse, or more like the second class.
        """
        rows, target, had = self._checked(X, y)
        self.fold_ = folds_of_rows(
            rows, had, n_splits=self.n_splits, random_state=self.random_state
        )
        risks = np.empty(len(rows))
        with on_threads(self.threads):
            for number in range(self.n_splits):
                train, test = self.fold_ != number, self.fold_ == number
                if not test.any():
                    continue
                fitted = fit_on_rows(self.estimator, rows[train], target[train])
                center, spread = risk_unit(fitted, rows[train])
                risks[test] = (risk_of_rows(fitted, rows[test]) - center) / spread
            self._fit_on_all(rows, target)
        self.out_of_fold_ = risks
        return risks[:, None]

    def transform(self, X: Any) -> Floats:
        """Risk by the network trained on all, shape (n, 1); higher is worse."""
        check_is_fitted(self, "estimator_")
        rows = rows_named(self, X, scans_of(self.estimator), reset=False)
        with on_threads(self.threads):
            risks = risk_of_rows(self.estimator_, rows)
        return ((risks - self.center_) / self.spread_)[:, None]

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name of the column: ``risk``."""
        check_is_fitted(self, "estimator_")
        return np.array(["risk"], dtype=object)

    def _checked(self, X: Any, y: Any) -> tuple[Rows, NDArray[Any], Bools]:
        """Rows, target and who had the event or is of the second class."""
        if not isinstance(self.estimator, NetworkEstimator | MultiInstanceClassifier):
            raise SchemaError(
                "estimator: expected a SurvivalNetwork, NetworkClassifier or "
                f"MultiInstanceClassifier; found {type(self.estimator).__name__}. Give one of "
                "these, unfitted."
            )
        refuse_other_order(X, y)
        rows = rows_named(self, X, scans_of(self.estimator), reset=True)
        target = np.asarray(require_target(y))
        check_consistent_length(rows, target)
        if is_classifier(self.estimator):
            return rows, target, two_classes(target)[1] == 1
        return rows, target, survival_target(target)[1]

    def _fit_on_all(self, rows: Rows, target: NDArray[Any]) -> None:
        self.estimator_ = fit_on_rows(self.estimator, rows, target)
        self.center_, self.spread_ = risk_unit(self.estimator_, rows)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = True
        return tags


def folds_of_rows(
    rows: Rows, had: Bools, *, n_splits: int, random_state: int | None
) -> NDArray[np.intp]:
    """Fold of each row number, shape (n,), balanced by ``had``; a row drawn twice is in one.

    Parameters
    ----------
    rows, had
        Row numbers, and who had the event, shape (n,).

    Raises
    ------
    DataError
        Fewer than two folds, or fewer patients than folds.

    Examples
    --------
    >>> had = np.array([True, False, True])
    >>> folds_of_rows(np.array([7, 8, 7]), had, n_splits=2, random_state=0)
    array([0, 1, 0])
    """
    _, first, place = np.unique(rows, return_index=True, return_inverse=True)
    if not 2 <= n_splits <= len(first):
        raise DataError(
            f"n_splits: expected 2 or more folds, and a patient for each; found {n_splits} folds "
            f"of {len(first)} patients. Mend the recipe."
        )
    fold: NDArray[np.intp] = deal_folds(had[first], n_splits, random_state=random_state)[place]
    return fold


def fit_on_rows(estimator: Any, rows: Rows, target: NDArray[Any]) -> Any:
    """Fit a clone of an estimator of networks to some rows of its scans."""
    return clone(estimator).fit(_table(rows), target)


def risk_of_rows(fitted: Any, rows: Rows) -> Floats:
    """Risk, or log-odds of the second class, of some rows, shape (n,)."""
    if is_classifier(fitted):
        return score(fitted, _table(rows))
    found: Floats = fitted.predict(_table(rows))
    return found


def risk_unit(fitted: Any, rows: Rows) -> tuple[float, float]:
    """Mean and SD of the risks of those put aside, or of ``rows`` where nobody was; never 0."""
    aside = _rows_of(scans_of(fitted), fitted.validation_patients_)
    risks = risk_of_rows(fitted, aside if len(aside) else np.unique(rows))
    spread = float(risks.std())
    return float(risks.mean()), spread if spread > 0 else 1.0


def scans_of(estimator: Any) -> Any:
    """ScanArrays, or Bags, of all patients whose rows an estimator of networks is given."""
    return estimator.bags if isinstance(estimator, MultiInstanceClassifier) else estimator.scans


@contextmanager
def on_threads(count: int | None) -> Iterator[None]:
    """Let torch have so many threads of the CPU; as many as it has where None."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _rows_of(scans: ScanArrays | Bags, patients: tuple[str, ...]) -> Rows:
    return np.flatnonzero(np.isin(np.asarray(scans.patient_ids, dtype=object), list(patients)))


def _table(rows: Rows) -> pd.DataFrame:
    return pd.DataFrame({ROW: rows.astype(float)})
