"""A network that learns survival from scans, as an estimator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_consistent_length
from torch import nn

from radiogenomics.core.errors import OutcomeError, UnknownNameError
from radiogenomics.core.method import Method
from radiogenomics.core.scan_arrays import ScanArrays
from radiogenomics.models.deep.checkpoints import Arrays
from radiogenomics.models.deep.multi_task import FORMS, MultiTaskLoss
from radiogenomics.models.deep.network_estimator import NetworkEstimator
from radiogenomics.models.deep.network_fitting import (
    Task,
    heads_said,
    held_out,
    of_each_row,
    put_aside,
)
from radiogenomics.models.deep.training_data import Rows, TrainingData
from radiogenomics.models.deep.training_settings import TrainingSettings
from radiogenomics.models.survival.model import HazardModel, require_target, survival_array
from radiogenomics.stats.inputs import Bools, Floats, survival_target
from radiogenomics.stats.survival.baseline_hazard import BaselineHazard
from radiogenomics.stats.survival.concordance import comparable_pairs, concordance_batch


class SurvivalNetwork(NetworkEstimator, HazardModel):
    r"""Network of scans whose main head is the log hazard of an endpoint.

    The main head is trained by the partial likelihood of Cox over the patients of a batch, other
    heads by the loss of what they are to say; the weights of the losses are learnt (see
    :class:`~radiogenomics.models.deep.multi_task.MultiTaskLoss`). Other heads are there to give the
    network more to learn from than a few hundred events.

    Where running averages of batch normalisation have not yet caught up, they are taken from the
    whole training part before the network is judged or used.

    Part of the patients given to ``fit`` is put aside, balanced by event. They teach nothing; the
    weights are kept that rank them best, by concordance. Nobody else has a say in when to stop: a
    patient scored later, of a test fold or another hospital, has none in anything.

    The survival of a patient of risk :math:`\eta` is :math:`\exp(-H_0(t) e^\eta)`. The baseline
    hazard :math:`H_0` is that of the patients put aside, not of those learnt from: a network that
    knows its training part by heart gives those who died early risks far above all others, so a
    baseline made with them says little hazard is left for anybody else. It rests on few patients
    and ends with their follow-up; where nobody is put aside there is none but the training part's.
    Even so survival is too extreme where the spread of the risks is: look at calibration.

    Parameters
    ----------
    scans
        Of all patients, of the training and of later ones; X says which rows.
    network
        Word of :data:`~radiogenomics.models.deep.networks.NETWORKS`.
    network_settings
        Its sizes, or a mapping from names to values; the paper's when None.
    training
        How to train; ``TrainingSettings()`` when None. Its seed is not used. Where a network needs
        two patients for its batch normalisation, batches are of three at least.
    auxiliaries
        What else to learn: a frame of patients × facts, or a mapping from names to columns, indexed
        by patient or in the order of the scans, NaN where unknown. Facts that are 0 and 1 in the
        training part become one head, other numbers another; ``<name>_event`` with ``<name>_time``,
        or a structured array, is a further endpoint. Only the facts of the training part are read.
    form
        ``"additive"``, or ``"legacy_product"`` with the losses of the code released with the MMF
        system, for replication; that needs auxiliaries.
    checkpoint_folder
        Where runs are kept, each in a folder named by its patients and recipe, with its log: the
        same fit goes on there after a kill, or ends at once where it had ended. None keeps nothing.
    weights
        File to start from: of a whole network or of what stands before its heads.
    random_state
        Seed of first weights, who is put aside, batches, augmentation and dropout. On a CPU the
        same seed and number of threads give the same network.

    Attributes
    ----------
    network_, heads_, history_, best_epoch_, validation_patients_, head_weights_
        As of :class:`~radiogenomics.models.deep.network_estimator.NetworkEstimator`.
    baseline_ : BaselineHazard
        Cumulative hazard of a patient of risk 0.
    event_times_ : ndarray, shape (n_times,)
        Distinct times of the events of all patients given to ``fit``.
    last_time_ : float
        Longest follow-up behind the baseline, months; no survival is foretold beyond it.

    Raises
    ------
    OutcomeError
        No event in the training part, or no comparable pair among the patients put aside.
    AlignmentError
        X names rows that there are not.
    SchemaError
        X has not one column of row numbers; settings or weights of another network.
    DataError
        Too few patients or events to put some aside; a loss is not finite.

    References
    ----------
    npj Precis Oncol 2025;9:185. Katzman et al., BMC Med Res Methodol 2018;18:24,
    doi:10.1186/s12874-018-0482-1. Kendall, Gal and Cipolla, CVPR 2018, arXiv:1705.07115.

    Examples
    --------
    >>> from radiogenomics.models.deep.networks import tiny_settings
    >>> rng = np.random.default_rng(0)
    >>> risk = rng.normal(size=24)
    >>> values = np.tile(risk[:, None, None, None, None], (1, 1, 8, 8, 8)).astype(np.float32)
    >>> scans = ScanArrays(values, tuple(f"P{n}" for n in range(24)), ("portal",))
    >>> y = np.array([(True, t) for t in np.exp(-risk)], dtype=[("event", bool), ("time", float)])
    >>> model = SurvivalNetwork(
    ...     scans, "vit", network_settings=tiny_settings("vit"),
    ...     training=TrainingSettings(epochs=10, learning_rate=0.01, device="cpu"),
    ... ).fit(scans.table(), y)
    >>> model.score(scans.table(), y) > 0.9, len(model.validation_patients_)
    (True, 5)
    """

    card: ClassVar[Method] = Method(
        name="survival_network",
        title="Deep network of scans, trained by the partial likelihood with auxiliary heads",
        scope="models: deep",
        reference="as in npj Precis Oncol 2025;9:185",
        limits="Needs hundreds of events, or weights to start from; another seed gives another "
        "network; scans cropped or acquired otherwise shift its risks; survival too extreme where "
        "it is over-fitted.",
        learns=True,
    )
    main: ClassVar[str] = "survival"
    kind: ClassVar[str] = "cox"
    ties = "efron"

    def __init__(
        self,
        scans: ScanArrays,
        network: str = "efficientnet_b1",
        *,
        network_settings: Any = None,
        training: TrainingSettings | None = None,
        auxiliaries: Any = None,
        form: str = "additive",
        checkpoint_folder: Path | str | None = None,
        weights: Path | str | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        super().__init__(
            scans,
            network,
            network_settings=network_settings,
            training=training,
            auxiliaries=auxiliaries,
            checkpoint_folder=checkpoint_folder,
            weights=weights,
            random_state=random_state,
        )
        self.form = form

    def predict(self, X: Any) -> np.ndarray:
        """Log hazard up to a constant, shape (n,); higher is worse."""
        return self._main_said(X)

    def _learn(self, X: Any, y: Any) -> tuple[Callable[[], Floats], Floats, Bools]:
        """Train; return what the baseline is made of: the patients put aside."""
        if self.form not in FORMS:
            raise UnknownNameError("form of a loss of many heads", self.form, FORMS)
        scans, rows = self._scans_and_rows(X, reset=True)
        time, event = survival_target(require_target(y))
        check_consistent_length(rows, time)
        target = of_each_row(survival_array(time, event), rows, size=len(scans))
        settings = self._seeded()
        data = put_aside(TrainingData(scans, rows, events=event), settings)
        if data.validation is not None:
            _require_pairs(target[data.validation])

        def concordance(network: nn.Module, aside: Rows) -> float:
            said = heads_said(network, scans, aside, batch_size=self._at_once())
            risk, truth = said[self.main][:, 0], target[aside]
            return float(concordance_batch(risk[None], truth["time"], truth["event"])[0])

        self._fit_network(scans, Task(data, target, settings, concordance))
        behind = held_out(data)
        self.event_times_ = np.unique(time[event])
        self.last_time_ = float(target["time"][behind].max())
        return (
            lambda: self._said(scans, behind)[self.main][:, 0],
            target["time"][behind],
            target["event"][behind],
        )

    def _loss(self, kinds: Mapping[str, str]) -> MultiTaskLoss:
        if self.form == "legacy_product":
            return MultiTaskLoss.as_released(kinds, self.main)
        return super()._loss(kinds)

    def _own_parameters(self) -> dict[str, Any]:
        return {"form": self.form}

    def _learnt(self) -> tuple[Arrays, dict[str, Any]]:
        arrays: Arrays = {"event_times": self.event_times_}
        if hasattr(self, "baseline_"):
            arrays["baseline_time"] = self.baseline_.time[0]
            arrays["baseline_cumulative"] = self.baseline_.cumulative[0]
        return arrays, {"last_time": self.last_time_}

    def _relearn(self, arrays: Arrays, words: Mapping[str, Any]) -> None:
        self.event_times_, self.last_time_ = arrays["event_times"], float(words["last_time"])
        if "baseline_time" in arrays:
            self.baseline_ = BaselineHazard(
                np.zeros(1, dtype=int),
                (arrays["baseline_time"],),
                (arrays["baseline_cumulative"],),
                np.array([self.last_time_]),
            )


def _require_pairs(aside: np.ndarray) -> None:
    """Raise unless the patients put aside can be ranked at all."""
    if not comparable_pairs(aside["time"], aside["event"]):
        raise OutcomeError(
            f"expected patients put aside who outlived an event of another; found no comparable "
            f"pair among {len(aside)}. Use a larger validation_share, or more patients."
        )
