"""Several networks of the same patients, joined into one risk by what they say out of fold."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from radiogenomics.core.errors import (
    AlignmentError,
    FallbackWarning,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.core.method import Method
from radiogenomics.core.scan_arrays import ROW
from radiogenomics.models.deep.network_estimator import rows_named
from radiogenomics.models.deep.network_risk import NetworkRisk
from radiogenomics.models.deep.survival_network import SurvivalNetwork
from radiogenomics.models.deep.training_data import Rows
from radiogenomics.models.survival.cox import CoxModel
from radiogenomics.models.survival.forest import SurvivalForest
from radiogenomics.models.survival.model import SurvivalModel, require_target, survival_array
from radiogenomics.stats.inputs import Floats, survival_target
from radiogenomics.stats.survival.concordance import concordance, concordance_batch

COMBINE = ("rsf", "weighted_vote", "mean")
CHANCE = 0.5
# Enough that survival stays finite where the risks separate; next to nothing otherwise.
RIDGE = 1.0


class DeepEnsemble(SurvivalModel):
    r"""Ensemble of survival networks, joined by their out-of-fold risks.

    Each member is cross-fitted as :class:`~radiogenomics.models.deep.network_risk.NetworkRisk`
    does: its risks of the training patients come from networks that had not seen them. What joins
    the members learns from these alone; new patients are scored by members trained on all.

    ``"rsf"``, the ensemble of the MMF system: a random survival forest of the members' risks, with
    trees of depth 2. ``"weighted_vote"``: :math:`\sum_m w_m z_m` of the standardised risks, with
    :math:`w_m` in proportion to :math:`\max(C_m - 1/2, 0)` of the out-of-fold concordance (pairs
    within folds); equal weights, with a warning, where nobody is above chance. ``"mean"``: equal
    weights. Survival of the latter two is that of a Cox model (ridge 1) of the out-of-fold risk.

    A forest of a few risks of some hundred patients may well rank worse than their mean; it can say
    what is not monotone, which risks seldom are. Three networks of the same scans err alike.

    Parameters
    ----------
    members
        Name → SurvivalNetwork, unfitted. Their scans are of the same patients in the same order,
        and may differ in phases and shape.
    combine
        ``"rsf"``, ``"weighted_vote"`` or ``"mean"``.
    n_splits
        Folds of the cross-fitting: each member is trained once for each and once more.
    n_estimators
        Trees.
    random_state
        Seed of folds and forest.

    Attributes
    ----------
    members_ : dict of str to NetworkRisk
        Fitted.
    out_of_fold_ : DataFrame
        Standardised risks of the training patients, a column a member, in the order of X.
    concordance_ : Series
        Out-of-fold concordance of each member, within folds, 0 to 1.
    weights_ : Series
        Of each member, summing to 1; not for ``"rsf"``.
    fold_ : ndarray of int, shape (n,)
        Fold of each training patient.
    event_times_, last_time_
        Distinct times of the events in training; longest follow-up.

    Raises
    ------
    SchemaError
        No members, or one that is no SurvivalNetwork.
    AlignmentError
        Members' scans are of other patients than one another's.
    UnknownNameError
        There is no such way to combine.
    OutcomeError, DataError
        As of SurvivalNetwork and NetworkRisk.

    References
    ----------
    npj Precis Oncol 2025;9:185. Ishwaran et al., Ann Appl Stat 2008;2:841,
    doi:10.1214/08-AOAS169.

    Examples
    --------
    >>> from radiogenomics.core.scan_arrays import ScanArrays
    >>> from radiogenomics.models.deep.networks import tiny_settings
    >>> from radiogenomics.models.deep.training_settings import TrainingSettings
    >>> rng = np.random.default_rng(0)
    >>> values = rng.normal(size=(24, 1, 8, 8, 8)).astype(np.float32)
    >>> scans = ScanArrays(values, tuple(f"P{n}" for n in range(24)), ("portal",))
    >>> y = np.array([(True, t) for t in range(1, 25)], dtype=[("event", bool), ("time", float)])
    >>> members = {
    ...     word: SurvivalNetwork(
    ...         scans, word, network_settings=tiny_settings(word),
    ...         training=TrainingSettings(epochs=1, device="cpu"),
    ...     )
    ...     for word in ("vit", "multi_plane_transformer")
    ... }
    >>> ensemble = DeepEnsemble(members, "mean", n_splits=2).fit(scans.table(), y)
    >>> ensemble.predict(scans.table()).shape, len(ensemble.ablation_(scans.table(), y))
    ((24,), 3)
    """

    card: ClassVar[Method] = Method(
        name="deep_ensemble",
        title="Survival networks joined by a random survival forest of their out-of-fold risks",
        scope="models: deep",
        reference="as in npj Precis Oncol 2025;9:185",
        limits="Trains every member once a fold and once more; a forest of three risks gains "
        "little over their mean; members of the same scans err alike.",
        learns=True,
    )
    needs_names: ClassVar[bool] = True

    def __init__(
        self,
        members: Mapping[str, SurvivalNetwork],
        combine: str = "rsf",
        *,
        n_splits: int = 5,
        n_estimators: int = 500,
        random_state: int | None = 0,
    ) -> None:
        self.members = members
        self.combine = combine
        self.n_splits = n_splits
        self.n_estimators = n_estimators
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> DeepEnsemble:
        """Cross-fit all members and learn how to join them; ``y`` is a survival target."""
        self._check()
        rows = self._rows(X, reset=True)
        time, event = survival_target(require_target(y))
        check_consistent_length(rows, time)
        self._target = survival_array(time, event)
        self.event_times_, self.last_time_ = np.unique(time[event]), float(time.max())
        self.members_, found = {}, {}
        for name, member in self.members.items():
            risk = NetworkRisk(member, n_splits=self.n_splits, random_state=self.random_state)
            found[name] = risk.fit_transform(_table(rows), self._target)[:, 0]
            self.members_[name], self.fold_ = risk, risk.fold_
        self.out_of_fold_ = pd.DataFrame(found, index=getattr(X, "index", None))
        values = concordance_batch(self.out_of_fold_.to_numpy().T, time, event, strata=self.fold_)
        self.concordance_ = pd.Series(values, index=self.out_of_fold_.columns)
        self._joint = self._joined(list(self.members_))
        if isinstance(self._joint, _WeightedRisks):
            self.weights_ = pd.Series(self._joint.weights, index=list(self.members_))
            self.fell_back_ = self.combine == "weighted_vote" and not self._any_above_chance()
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Joint risk, shape (n,); higher is worse. Its scale depends on ``combine``."""
        found: np.ndarray = self._joint.predict(self.member_risks(X).to_numpy())
        return found

    def predict_survival(self, X: Any, times: ArrayLike) -> np.ndarray:
        """Probability to live beyond each time.

        Parameters
        ----------
        X
            Table of rows.
        times : array-like of shape (n_times,)
            Months, 0 to ``last_time_``, in any order.

        Returns
        -------
        ndarray of shape (n_patients, n_times)

        Raises
        ------
        DataError
            A time is negative or beyond the follow-up of training.
        """
        risks = self.member_risks(X).to_numpy()
        found: np.ndarray = self._joint.predict_survival(risks, times)
        return found

    def member_risks(self, X: Any) -> pd.DataFrame:
        """Standardised risk by each member trained on all, a column a member; higher is worse."""
        check_is_fitted(self, "members_")
        table = _table(self._rows(X))
        risks = {name: member.transform(table)[:, 0] for name, member in self.members_.items()}
        return pd.DataFrame(risks, index=getattr(X, "index", None))

    def ablation_(self, X: Any, y: Any, *, level: float = 0.95) -> pd.DataFrame:
        """Concordance of every set of members, each joined anew by out-of-fold risks.

        Nothing is learnt from these patients; if they are those of training, though, all is
        flattered. The best row is the best of many: choose none by it.

        Parameters
        ----------
        X, y
            Patients to judge by, and their survival.
        level
            Of the intervals.

        Returns
        -------
        DataFrame
            ``members`` (joined by " + "), ``n_members, concordance, low, high, n_comparable``, one
            row a set, smaller sets first.
        """
        risks = self.member_risks(X)
        time, event = survival_target(require_target(y))
        check_consistent_length(risks, time)
        rows = []
        for size in range(1, len(self.members_) + 1):
            for names in combinations(self.members_, size):
                joint = self._joined(names, warn=False).predict(risks[list(names)].to_numpy())
                found = concordance(joint, time, event, level=level)
                bounds = found.low, found.high
                rows.append((" + ".join(names), size, found.value, *bounds, found.n_comparable))
        columns = ["members", "n_members", "concordance", "low", "high", "n_comparable"]
        return pd.DataFrame(rows, columns=columns)

    def _check(self) -> None:
        if self.combine not in COMBINE:
            raise UnknownNameError("way to combine networks", self.combine, COMBINE)
        kinds = {type(member).__name__ for member in dict(self.members).values()}
        if not kinds or not all(isinstance(m, SurvivalNetwork) for m in self.members.values()):
            raise SchemaError(
                "members: expected a mapping from names to SurvivalNetwork; found "
                f"{', '.join(sorted(kinds)) or 'none'}. Give one network at least."
            )
        first, *others = (member.scans.patient_ids for member in self.members.values())
        if any(patients != first for patients in others):
            raise AlignmentError(
                "members: expected scans of the same patients in the same order; found others. "
                "Use ScanArrays.select(patient_ids) on each."
            )

    def _rows(self, X: Any, *, reset: bool = False) -> Rows:
        scans = next(iter(self.members.values())).scans
        return rows_named(self, X, scans, reset=reset)

    def _joined(
        self, names: Sequence[str], *, warn: bool = True
    ) -> SurvivalForest | _WeightedRisks:
        """What joins some members, learnt from their out-of-fold risks."""
        risks = self.out_of_fold_[list(names)].to_numpy()
        if self.combine == "rsf":
            return ensemble_forest(self.n_estimators, self.random_state).fit(risks, self._target)
        weights = np.ones(len(names))
        if self.combine == "weighted_vote":
            above = np.maximum(self.concordance_[list(names)].to_numpy() - CHANCE, 0.0)
            if above.any():
                weights = above
            elif warn:
                warnings.warn(
                    "weighted_vote: expected a member with an out-of-fold concordance above 1/2; "
                    f"found {self.concordance_.max():.3f} at most. Equal weights are used: read "
                    "this as nothing found.",
                    FallbackWarning,
                    stacklevel=3,
                )
        return _WeightedRisks(weights / weights.sum(), risks, self._target)

    def _any_above_chance(self) -> bool:
        return bool((self.concordance_ > CHANCE).any())


class _WeightedRisks:
    """A weighted sum of risks, and the survival that goes with it."""

    def __init__(self, weights: Floats, risks: Floats, target: np.ndarray) -> None:
        self.weights = weights
        self.cox = CoxModel(penalty=RIDGE).fit((risks @ weights)[:, None], target)

    def predict(self, risks: Floats) -> Floats:
        return risks @ self.weights

    def predict_survival(self, risks: Floats, times: ArrayLike) -> np.ndarray:
        return self.cox.predict_survival(self.predict(risks)[:, None], times)


def ensemble_forest(n_estimators: int = 500, random_state: int | None = 0) -> SurvivalForest:
    """Random survival forest as the released code of the MMF system has it, unfitted.

    Examples
    --------
    >>> ensemble_forest().max_depth
    2
    """
    return SurvivalForest(
        n_estimators,
        max_depth=2,
        min_samples_split=5,
        min_samples_leaf=2,
        max_features="sqrt",
        random_state=random_state,
    )


def _table(rows: Rows) -> pd.DataFrame:
    return pd.DataFrame({ROW: rows.astype(float)})
