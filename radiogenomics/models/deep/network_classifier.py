"""A network that tells two classes of patients apart by their scans, as an estimator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, column_or_1d
from torch import nn

from radiogenomics.core.errors import OutcomeError
from radiogenomics.core.method import Method
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.core.two_classes import two_classes
from radiogenomics.models.deep.checkpoints import Arrays
from radiogenomics.models.deep.network_estimator import NetworkEstimator
from radiogenomics.models.deep.network_fitting import Task, heads_said, of_each_row, put_aside
from radiogenomics.models.deep.training_data import Rows, TrainingData
from radiogenomics.models.ordered_classifier import OrderedClassifier
from radiogenomics.stats.inputs import Floats


class NetworkClassifier(OrderedClassifier, NetworkEstimator):
    """Network of scans whose main head is the log-odds of the second of two classes.

    All that :class:`~radiogenomics.models.deep.survival_network.SurvivalNetwork` says of training,
    auxiliaries, checkpoints and starting weights holds here; patients are put aside balanced by
    class, and the weights are kept that foretell them best, by logistic loss: the AUC of a few is 1
    long before their probabilities are of use. These are not calibrated.

    Parameters
    ----------
    scans, network, network_settings, training, auxiliaries, checkpoint_folder, weights
        As of SurvivalNetwork; further endpoints are auxiliaries, too.
    random_state
        Seed of first weights, who is put aside, batches, augmentation and dropout.

    Attributes
    ----------
    classes_ : ndarray, shape (2,)
        Labels, sorted; scores are for ``classes_[1]``.
    network_, heads_, history_, best_epoch_, validation_patients_, head_weights_
        As of :class:`~radiogenomics.models.deep.network_estimator.NetworkEstimator`.

    Raises
    ------
    OutcomeError
        The label has not exactly two classes, in all or among the patients put aside.
    AlignmentError, SchemaError, DataError
        As of SurvivalNetwork.

    Examples
    --------
    >>> from radiogenomics.core.scan_arrays import ScanArrays
    >>> from radiogenomics.models.deep.networks import tiny_settings
    >>> from radiogenomics.models.deep.training_settings import TrainingSettings
    >>> y = np.arange(20) % 2
    >>> values = np.tile(y[:, None, None, None, None], (1, 1, 8, 8, 8)).astype(np.float32)
    >>> scans = ScanArrays(values, tuple(f"P{n}" for n in range(20)), ("portal",))
    >>> model = NetworkClassifier(
    ...     scans, "vit", network_settings=tiny_settings("vit"),
    ...     training=TrainingSettings(epochs=20, learning_rate=0.01, device="cpu"),
    ... ).fit(scans.table(), y)
    >>> model.score(scans.table(), y)
    1.0
    """

    card: ClassVar[Method] = Method(
        name="network_classifier",
        title="Deep network of scans for two classes, with auxiliary heads",
        scope="models: deep",
        reference="house",
        limits="Needs hundreds of patients, or weights to start from; another seed gives another "
        "network; scans cropped or acquired otherwise shift its scores; not calibrated.",
        learns=True,
    )
    main: ClassVar[str] = "label"
    kind: ClassVar[str] = "binary"

    def fit(self, X: Any, y: Any) -> Self:
        """Train the network on the patients of X; ``y`` has two classes."""
        refuse_other_order(X, y)
        scans, rows = self._scans_and_rows(X, reset=True)
        label = column_or_1d(_given(y), warn=True)
        check_consistent_length(rows, label)
        check_classification_targets(label)
        self.classes_, code = two_classes(label)
        target = of_each_row(code.astype(float), rows, size=len(scans))
        settings = self._seeded()
        data = put_aside(TrainingData(scans, rows, strata=code), settings)
        _require_both(target[data.rows], "to learn from")
        if data.validation is not None:
            _require_both(target[data.validation], "put aside")

        def minus_log_loss(network: nn.Module, aside: Rows) -> float:
            said = heads_said(network, scans, aside, batch_size=self._at_once())
            sign = 2 * target[aside] - 1
            return -float(np.logaddexp(0.0, -sign * said[self.main][:, 0]).mean())

        self._fit_network(scans, Task(data, target, settings, minus_log_loss))
        return self

    def decision_function(self, X: Any) -> Floats:
        """Log-odds of ``classes_[1]``, shape (n,), not calibrated."""
        return self._main_said(X)

    def predict_proba(self, X: Any) -> Floats:
        """Probability of each class, shape (n, 2), not calibrated."""
        second = expit(self.decision_function(X))
        return np.column_stack([1 - second, second])

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the likelier class."""
        above = self.decision_function(X) > 0
        found: NDArray[Any] = self.classes_[above.astype(int)]
        return found

    def _learnt(self) -> tuple[Arrays, dict[str, Any]]:
        return {}, {"classes": self.classes_.tolist()}

    def _relearn(self, arrays: Arrays, words: Mapping[str, Any]) -> None:
        self.classes_ = np.asarray(words["classes"])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def _given(y: Any) -> Any:
    if y is None:
        raise OutcomeError(
            "expected a label of two classes; this estimator requires y to be passed, but the "
            "target y is None. Give the label of each patient."
        )
    return y


def _require_both(code: Floats, which: str) -> None:
    if len(np.unique(code)) < 2:
        raise OutcomeError(
            f"expected both classes among the patients {which}; found one in {len(code)}. Use "
            "another validation_share, or more patients."
        )
