"""What estimators of networks share: rows in, a network trained, answers of all heads out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import nn

from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.core.scan_arrays import ScanArrays, row_column
from radiogenomics.core.weight_file import write_weights
from radiogenomics.models.deep.accumulation import accumulated_step
from radiogenomics.models.deep.auxiliary_heads import HeadPlan, auxiliary_table
from radiogenomics.models.deep.checkpoints import Arrays
from radiogenomics.models.deep.devices import pick_device, seeded
from radiogenomics.models.deep.event_log import EventLog
from radiogenomics.models.deep.multi_task import MultiTaskLoss
from radiogenomics.models.deep.network_fitting import (
    RowLoss,
    Task,
    as_array,
    fingerprint,
    heads_said,
    reconstructs,
    row_targets,
    settle_norms,
    without_lone_patients,
)
from radiogenomics.models.deep.networks import Network, build_network, network_settings
from radiogenomics.models.deep.saved_network import NetworkCard, read_network
from radiogenomics.models.deep.starting_weights import load_starting_weights, network_arrays
from radiogenomics.models.deep.training import train
from radiogenomics.models.deep.training_data import Rows, outputs_by_batch
from radiogenomics.models.deep.training_run import FREE
from radiogenomics.models.deep.training_settings import TrainingSettings
from radiogenomics.stats.inputs import Floats

NAME_LENGTH = 16


class NetworkEstimator(BaseEstimator):
    """Base of the estimators of networks; their parameters are documented there.

    Attributes
    ----------
    network_ : Network
        As fitted, in evaluation mode.
    heads_ : HeadPlan
        What its heads say.
    history_ : DataFrame
        One row an epoch, as of TrainingRecord; not kept in files.
    best_epoch_ : int
        Epoch whose weights are kept.
    validation_patients_ : tuple of str
        Who was put aside, and taught nothing; not kept in files.
    head_weights_ : dict of str to float
        Weight of each loss after that epoch, exp(-s), 1 of a single one; not kept in files.
    """

    card: ClassVar[Method]
    main: ClassVar[str]
    kind: ClassVar[str]
    # Steps hand frames on: the column of row numbers is found by its name.
    needs_names: ClassVar[bool] = True

    network_: Network
    heads_: HeadPlan
    history_: pd.DataFrame
    best_epoch_: int
    validation_patients_: tuple[str, ...]
    head_weights_: dict[str, float]

    def __init__(
        self,
        scans: ScanArrays,
        network: str = "efficientnet_b1",
        *,
        network_settings: Any = None,
        training: TrainingSettings | None = None,
        auxiliaries: Any = None,
        checkpoint_folder: Path | str | None = None,
        weights: Path | str | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.scans = scans
        self.network = network
        self.network_settings = network_settings
        self.training = training
        self.auxiliaries = auxiliaries
        self.checkpoint_folder = checkpoint_folder
        self.weights = weights
        self.random_state = random_state

    def predict_heads(self, X: Any) -> pd.DataFrame:
        """Return what all heads say of the patients.

        Returns
        -------
        DataFrame
            Indexed by patient. Log hazards of endpoints, higher is worse; probabilities of findings
            and of the second class, not calibrated; numbers on their own scale.
        """
        scans, rows = self._new_rows(X)
        index = pd.Index([scans.patient_ids[row] for row in rows], name="patient_id", dtype=object)
        return self.heads_.table(self._said(scans, rows), index)

    def embedding(self, X: Any) -> Floats:
        """Return what the heads read, shape (n, width)."""
        scans, rows = self._new_rows(X)
        parts = outputs_by_batch(self.network_, scans, rows, batch_size=self._at_once())
        return np.concatenate([as_array(said.embedding) for _, said in parts])

    def save(self, path: Path | str) -> Path:
        """Write the fitted network: ``NAME.safetensors`` and its card ``NAME.json``.

        No patient is named in either.

        Raises
        ------
        SchemaError
            The name ends otherwise, or a label is neither text nor a number.
        """
        check_is_fitted(self, "network_")
        arrays, words = self._learnt()
        card = NetworkCard(
            estimator=self.card.name,
            architecture=self.network_.word,
            settings=asdict(self.network_.settings),
            plan=self.heads_,
            channels=self.scans.channels,
            shape=self.network_.shape,
            training=self._training(),
            columns=tuple(map(str, getattr(self, "feature_names_in_", ()))),
            n_columns=self.n_features_in_,
            best_epoch=self.best_epoch_,
            parameters=self._own_parameters(),
            learnt=words,
        )
        return write_weights(path, network_arrays(self.network_) | arrays, card.words())

    @classmethod
    def load(cls, path: Path | str, *, scans: ScanArrays, network: str | None = None) -> Self:
        """Read a network that :meth:`save` wrote, to predict the patients of ``scans``.

        No code can be in such a file. Nobody who was learnt from is known to it, nor are their
        auxiliary facts: fit again with an estimator of your own.

        Parameters
        ----------
        path
            The weights; the card stands beside them.
        scans
            Cropped as those learnt from: as many voxels, the same phases in the same order.
        network
            Which network is expected; any when None.

        Raises
        ------
        SchemaError
            The card is of another estimator, network or phases, or does not fit the weights.
        GeometryError
            Scans of another shape.
        MissingFileError, ChecksumError
            A file is missing, or not the one that was written.
        """
        card, built, arrays = read_network(
            path, estimator=cls.card.name, scans=scans, network=network
        )
        model = cls(
            scans,
            card.architecture,
            network_settings=built.settings,
            training=card.training,
            **card.parameters,
        )
        model.network_ = built.to(pick_device(card.training.device)).eval()
        model.heads_, model.best_epoch_ = card.plan, card.best_epoch
        model.n_features_in_ = card.n_columns
        if card.columns:
            model.feature_names_in_ = np.array(card.columns, dtype=object)
        model._relearn(arrays, card.learnt)
        return model

    def _learnt(self) -> tuple[Arrays, dict[str, Any]]:
        """Arrays and words that a file has to hold beside the network."""
        return {}, {}

    def _relearn(self, arrays: Arrays, words: Mapping[str, Any]) -> None:
        """Take back what :meth:`_learnt` gave."""

    def _own_parameters(self) -> dict[str, Any]:
        """Parameters of the subclass alone, as JSON."""
        return {}

    def _main_said(self, X: Any) -> Floats:
        """Number of the main head, shape (n,)."""
        return self._said(*self._new_rows(X))[self.main][:, 0]

    def _said(self, scans: ScanArrays, rows: Rows) -> dict[str, Floats]:
        return heads_said(self.network_, scans, rows, batch_size=self._at_once())

    def _new_rows(self, X: Any) -> tuple[ScanArrays, Rows]:
        check_is_fitted(self, "network_")
        return self._scans_and_rows(X)

    def _scans_and_rows(self, X: Any, *, reset: bool = False) -> tuple[ScanArrays, Rows]:
        """Scans, and which rows of them a table names; ``reset`` learns its columns."""
        return self.scans, rows_named(self, X, self.scans, reset=reset)

    def _training(self) -> TrainingSettings:
        return self.training or TrainingSettings()

    def _at_once(self) -> int:
        settings = self._training()
        return settings.micro_batch or settings.batch_size

    def _seeded(self) -> TrainingSettings:
        """Settings with the seed of one fit."""
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        return replace(self._training(), seed=seed)

    def _fit_network(self, scans: ScanArrays, task: Task) -> None:
        """Train a new network."""
        table = auxiliary_table(self.auxiliaries, scans.patient_ids)
        plan = HeadPlan.of(table, task.data.rows, main=self.main, kind=self.kind)
        network = self._built(plan, scans, seed=task.settings.seed)
        started = None if self.weights is None else load_starting_weights(network, self.weights)
        kinds = plan.kinds(reconstruction=reconstructs(network, scans, int(task.data.rows[0])))
        loss, targets = self._loss(kinds), row_targets(plan, table, task)
        recipe = {
            "network": network.word,
            "network_settings": asdict(network.settings),
            "heads": plan.words(),
            "parameters": self._own_parameters(),
            "weights": started,
            "targets": fingerprint(targets),
        }
        settings = task.settings
        if network.needs_two_to_train:
            settings = without_lone_patients(settings)
        folder = self._folder(task, recipe)

        def validate(trained: nn.Module, aside: Rows) -> float:
            settle_norms(trained, task.data, batch_size=self._at_once())
            return task.validate(trained, aside)

        record = train(
            network,
            task.data,
            RowLoss(loss, targets, None if loss.main is None else network),
            settings=settings,
            validate=None if task.data.validation is None else validate,
            step=accumulated_step,
            checkpoint_folder=folder,
            resume=folder is not None,
            log=None if folder is None else EventLog(folder),
            recipe=recipe,
        )
        if task.data.validation is None:
            with seeded(settings.seed, settings.epochs + 1, pick_device(settings.device)):
                settle_norms(network, task.data, batch_size=self._at_once())
        self.network_, self.heads_ = network, plan
        self.history_, self.best_epoch_ = record.history, record.best_epoch
        self.validation_patients_ = tuple(scans.patient_ids[row] for row in record.validation)
        self.head_weights_ = loss.weights()

    def _built(self, plan: HeadPlan, scans: ScanArrays, *, seed: int) -> Network:
        """Network with weights of a seed; torch's own generators are left as they were."""
        settings = self.network_settings
        if isinstance(settings, Mapping):
            settings = network_settings(self.network, settings)
        with seeded(seed, 0, torch.device("cpu")):
            return build_network(
                self.network,
                channels=len(scans.channels),
                shape=scans.shape,
                heads=plan.sizes(),
                settings=settings,
            )

    def _loss(self, kinds: Mapping[str, str]) -> MultiTaskLoss:
        # A batch that holds an event of the main endpoint may hold none of a second one.
        several = sum(kind == "cox" for kind in kinds.values()) > (self.kind == "cox")
        # The weight of a single loss would move the learning rate and nothing else.
        return MultiTaskLoss(kinds, learned=len(kinds) > 1, allow_no_events=several)

    def _folder(self, task: Task, recipe: Mapping[str, Any]) -> Path | None:
        """Folder of this recipe on these patients, so that folds do not share one."""
        if self.checkpoint_folder is None:
            return None
        words = {k: v for k, v in task.settings.words().items() if k not in FREE}
        same = json.dumps([recipe, words, task.data.fingerprint()], sort_keys=True)
        return (
            Path(self.checkpoint_folder) / hashlib.sha256(same.encode()).hexdigest()[:NAME_LENGTH]
        )


def rows_named(estimator: BaseEstimator, X: Any, scans: ScanArrays, *, reset: bool) -> Rows:
    """Rows of scans that a table names in its column ``row`` or ``<block>|row``.

    Parameters
    ----------
    estimator
        Whose columns are checked, or learnt where ``reset``.
    X
        Table of numbers; columns other than the rows are not looked at.
    scans
        Whose rows they are.

    Raises
    ------
    SchemaError
        There is not one such column.
    AlignmentError
        There is no such row.
    """
    refuse_row_facts(X)
    values = validate_data(
        estimator,
        X,
        dtype=np.float64,
        ensure_all_finite="allow-nan",
        ensure_min_samples=2 if reset else 1,
        reset=reset,
    )
    names = getattr(estimator, "feature_names_in_", None)
    # A lone column without a name can only hold the rows: pipelines may lose names.
    lone = names is None and values.shape[1] == 1
    column = 0 if lone else row_column([] if names is None else names)
    return scans.places(values[:, column])
