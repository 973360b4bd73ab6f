"""Survival as two classes, alive beyond so many months or not, with a say on who was censored."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils.validation import check_consistent_length, check_is_fitted, has_fit_parameter

from radiogenomics.core.errors import DataError, OutcomeError, StudyError, UnknownNameError
from radiogenomics.core.method import Method
from radiogenomics.models.steps import checked_rows
from radiogenomics.models.survival.model import SurvivalModel, require_target
from radiogenomics.models.tuned import weighable_learners
from radiogenomics.stats.inputs import Bools, Floats, as_floats, survival_target
from radiogenomics.stats.survival.ipcw import censoring_curve
from radiogenomics.stats.survival.kaplan_meier import kaplan_meier

MEDIAN = "median"
EXCLUDE, WEIGHT, EVENT_FREE = "exclude", "weight", "event_free"
POLICIES = (EXCLUDE, WEIGHT, EVENT_FREE)
LEAST_PER_CLASS = 2
# Times that differ by no more than this share differ by rounding, as in stats.inputs.
ROUNDING = 1.5e-8


class SurvivalBeyond(SurvivalModel):
    r"""Classifier of who lives beyond :math:`\tau` months, fitted to and judged by survival.

    Patients followed to :math:`\tau` are alive beyond it (1), those with an event at or before it
    are not (0). Of those censored before it nobody knows. ``censored`` says what becomes of them:

    - ``"exclude"``: left out of training. The dead are seen whenever they die and the living only
      if followed for long, so the dead are too many and the risk comes out too high;
    - ``"weight"``: left out, and the others weighted by :math:`1 / G(\min(T, \tau)-)`, with
      :math:`G(t-)` the Kaplan-Meier probability of not being censored before :math:`t` in the
      training part. The weighted share of the living is then the Kaplan-Meier estimate. Right
      where leaving does not depend on the risk; unsteady where few are followed to
      :math:`\tau`, as these stand for many;
    - ``"event_free"``: counted as alive. Biased: some died after they left, so the risk comes out
      too low, the more so the more were censored.

    A threshold throws away how long patients lived on either side of it; a Cox model does not.

    With ``landmark`` above 0 only patients alive and under observation after that many months are
    trained on (time above it), as they must be when features were measured then. Predictions are
    for such patients; for others, they are not meant.

    Parameters
    ----------
    classifier
        With ``predict_proba``, fitted on labels 0 and 1: a ``TunedClassifier``, say. Weights reach
        its learner and calibration; steps that select features do not see them.
    months
        :math:`\tau`, or ``"median"``: the Kaplan-Meier median of those trained on.
    censored
        ``"exclude"``, ``"weight"`` or ``"event_free"``.
    landmark
        Months from the origin at which patients must still be followed; 0 asks nothing.

    Attributes
    ----------
    months_ : float
        :math:`\tau`, learnt on the training part.
    classifier_ : classifier
        Fitted.
    weights_ : ndarray, shape (n,)
        Of the patients of training; 0 for those left out.
    unknown_, before_landmark_ : int
        Patients of training censored before :math:`\tau`, and lost or dead by the landmark.
    selected_features_ : ndarray of str or None
        Those of the classifier, where it tells them.
    event_times_, last_time_ : ndarray, float
        As in every survival model.

    Raises
    ------
    OutcomeError
        The median is not reached, fewer than 2 patients are known to be on one side of it, or
        nobody is followed to the landmark.
    DataError, UnknownNameError
        Months or landmark are senseless; there is no such policy.
    StudyError
        The classifier gives no probabilities, or takes no weights and is to be given some.

    References
    ----------
    Graf et al. 1999, doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5
    (weights). van Houwelingen, Scand J Stat 2007;34:70 (landmarks). Vock et al., J Biomed Inform
    2016;61:119, doi:10.1016/j.jbi.2016.03.009 (classifiers under censoring).

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> y = np.array([(True, 2), (False, 3), (True, 4), (False, 8), (True, 9), (False, 9)],
    ...              dtype=[("event", bool), ("time", float)])
    >>> model = SurvivalBeyond(LogisticRegression(), 6, "weight").fit(np.arange(6.0)[:, None], y)
    >>> model.labels(y).tolist(), model.weights_.tolist()
    ([0.0, nan, 0.0, 1.0, 1.0, 1.0], [1.0, 0.0, 1.25, 1.25, 1.25, 1.25])
    """

    card: ClassVar[Method] = Method(
        name="survival_beyond",
        title="Classifier of survival beyond a number of months, or beyond the training median",
        scope="models: survival",
        reference="Vock et al., J Biomed Inform 2016;61:119, doi:10.1016/j.jbi.2016.03.009",
        limits="Throws away how long patients lived on either side. Leaving out those censored "
        "early makes the risk too high, counting them as alive too low; weights need "
        "censoring that does not depend on the risk.",
        learns=True,
    )

    def __init__(
        self,
        classifier: Any,
        months: float | str = MEDIAN,
        censored: str = EXCLUDE,
        *,
        landmark: float = 0.0,
    ) -> None:
        self.classifier = classifier
        self.months = months
        self.censored = censored
        self.landmark = landmark

    def fit(self, X: Any, y: Any) -> SurvivalBeyond:
        """Learn the threshold, label the patients and fit the classifier; ``y`` is survival."""
        self._check_parameters()
        rows = checked_rows(self, X, reset=True)
        if len(rows.values) < 2 * LEAST_PER_CLASS:
            raise OutcomeError(
                f"expected at least {2 * LEAST_PER_CLASS} patients; found n_samples = "
                f"{len(rows.values)}. Use more patients."
            )
        time, event = survival_target(require_target(y))
        check_consistent_length(rows.values, time)
        self.event_times_, self.last_time_ = np.unique(time[event]), float(time.max())
        there = self._at_landmark(time)
        self.before_landmark_ = int((~there).sum())
        self.months_ = self._learn_months(time[there], event[there])
        label = _labels(time, event, self.months_)
        self.unknown_ = int((np.isnan(label) & there).sum())
        if self.censored == EVENT_FREE:
            label = np.where(np.isnan(label), 1.0, label)
        used = np.flatnonzero(there & ~np.isnan(label))
        self._require_both(label[used])
        self.weights_ = np.zeros(len(time))
        self.weights_[used] = 1.0
        known = X.iloc[used] if isinstance(X, pd.DataFrame) else rows.values[used]
        target = label[used].astype(int)
        if self.censored == WEIGHT:
            kept = censoring_curve(time[there], event[there])
            self.weights_[used] = 1 / kept.before(np.minimum(time[used], self.months_))
            self.classifier_ = clone(self.classifier).fit(
                known, target, sample_weight=self.weights_[used]
            )
        else:
            self.classifier_ = clone(self.classifier).fit(known, target)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability to be dead by ``months_`` and to be alive beyond it, shape (n, 2)."""
        check_is_fitted(self)
        rows = checked_rows(self, X, reset=False)
        table = X if isinstance(X, pd.DataFrame) else rows.values
        return np.asarray(self.classifier_.predict_proba(table))

    def predict(self, X: Any) -> np.ndarray:
        """Risk, shape (n,), 0 to 1: probability to be dead by ``months_``; higher is worse."""
        return self.predict_proba(X)[:, 0]

    def labels(self, y: Any) -> np.ndarray:
        """Who lived beyond ``months_``: 1 or 0, NaN where nobody knows; shape (n,).

        Parameters
        ----------
        y
            Survival target. Patients lost or dead by the landmark, to whom the model does not
            apply, are NaN as well.
        """
        check_is_fitted(self)
        return self._known(y, self.months_)

    def labels_learnt_from(self, train: Any, y: Any) -> np.ndarray:
        """Label patients as :meth:`labels` would after a fit to others, without the fit.

        Parameters
        ----------
        train
            Survival target of the patients that teach the months.
        y
            Survival target of those who are labelled.
        """
        self._check_parameters()
        time, event = survival_target(train)
        there = self._at_landmark(time)
        return self._known(y, self._learn_months(time[there], event[there]))

    def _known(self, y: Any, months: float) -> np.ndarray:
        time, event = survival_target(y)
        return np.where(self._at_landmark(time), _labels(time, event, months), np.nan)

    @property
    def selected_features_(self) -> Any:
        """Features that the classifier uses; None where it does not tell."""
        check_is_fitted(self, "classifier_")
        return getattr(self.classifier_, "selected_features_", None)

    @property
    def needs_names(self) -> bool:
        """True when the classifier looks variables up by name."""
        return bool(getattr(self.classifier, "needs_names", False))

    def _check_parameters(self) -> None:
        if self.censored not in POLICIES:
            raise UnknownNameError("way with the censored", str(self.censored), POLICIES)
        landmark = float(as_floats(self.landmark, "landmark"))
        if not 0 <= landmark < math.inf:
            raise DataError(
                f"landmark: expected months of 0 or more; found {self.landmark}. Count from the "
                "origin of the survival times."
            )
        if isinstance(self.months, str) and self.months != MEDIAN:
            raise UnknownNameError("threshold of survival", self.months, (MEDIAN,))
        if not isinstance(self.months, str) and not landmark < self.months < math.inf:
            raise DataError(
                f"months: expected a number above the landmark of {landmark:g} months; found "
                f"{self.months}. Choose a later threshold, or 'median'."
            )
        if not hasattr(self.classifier, "predict_proba"):
            raise StudyError(
                "classifier: expected one with probabilities; found "
                f"{type(self.classifier).__name__}. Wrap it in a TunedClassifier, which calibrates."
            )
        if self.censored == WEIGHT and not has_fit_parameter(self.classifier, "sample_weight"):
            raise StudyError(
                "censored='weight': expected a classifier that takes weights of patients; found "
                f"{type(self.classifier).__name__}. Use a TunedClassifier with one of the learners "
                f"{', '.join(weighable_learners())}, or censored='exclude'."
            )

    def _at_landmark(self, time: Floats) -> Bools:
        """Whether patients were followed beyond the landmark; without one, everybody was."""
        there = time > self.landmark if self.landmark > 0 else np.ones(time.shape, dtype=bool)
        return np.asarray(there)

    def _learn_months(self, time: Floats, event: Bools) -> float:
        if not time.size:
            raise OutcomeError(
                f"expected patients followed beyond the landmark of {self.landmark:g} months; "
                "found none. Choose an earlier landmark."
            )
        if not isinstance(self.months, str):
            return float(self.months)
        median = kaplan_meier(time, event).median.value
        if math.isnan(median):
            raise OutcomeError(
                "expected survival that falls to one half, for its median; found "
                f"{int(event.sum())} events in {time.size} patients, which do not suffice. Name "
                "the months, or use a longer follow-up."
            )
        return float(median)

    def _require_both(self, label: Floats) -> None:
        alive = int(label.sum())
        dead = label.size - alive
        if min(alive, dead) < LEAST_PER_CLASS:
            raise OutcomeError(
                f"expected at least {LEAST_PER_CLASS} patients known on each side of "
                f"{self.months_:g} months; found {alive} alive beyond and {dead} dead by then, "
                f"{self.unknown_} censored before. Choose other months, or use more patients."
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _labels(time: Floats, event: Bools, months: float) -> Floats:
    """Alive beyond so many months (1), dead by then (0), or nobody knows (NaN)."""
    just = np.abs(time - months) <= ROUNDING * months
    beyond = ((time > months) & ~just) | (just & ~event)
    return np.where(beyond, 1.0, np.where(event, 0.0, np.nan))
