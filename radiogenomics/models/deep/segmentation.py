"""A small network that draws masks: a residual U-Net of MONAI behind fit, predict and score."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from monai.losses.dice import DiceCELoss
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from radiogenomics.core.errors import RadiogenomicsWarning, SchemaError, StudyError, short_list
from radiogenomics.core.method import Method
from radiogenomics.core.provenance import version
from radiogenomics.core.scan_arrays import ScanArrays
from radiogenomics.core.weight_file import read_weights, write_weights
from radiogenomics.models.deep.accumulation import accumulated_step
from radiogenomics.models.deep.checkpoints import module_arrays, tensors_like
from radiogenomics.models.deep.devices import pick_device, seeded
from radiogenomics.models.deep.segmentation_patches import (
    Array,
    PatchSource,
    Regions,
    check_regions,
    checked_codes,
    mean_dice,
    region_dice,
    region_masks,
)
from radiogenomics.models.deep.segmentation_unet import (
    SegmentationSettings,
    SegmentationUNet,
    most_probable,
)
from radiogenomics.models.deep.training import Log, train
from radiogenomics.models.deep.training_data import Rows, TrainingData
from radiogenomics.models.deep.training_settings import TrainingSettings

MOST_OTHER_SPACING = 1.25
KIND, ARCHITECTURE = "network", "segmentation_unet"
LIVER_AND_TUMOUR = MappingProxyType({"liver": (1, 2), "tumour": (2,)})
TRAINING = TrainingSettings(
    epochs=100, batch_size=4, learning_rate=2e-3, schedule="cosine", patience=None, clip=1.0
)


class SegmentationNetwork(BaseEstimator):
    r"""Residual U-Net that labels each voxel, learnt from scans with masks.

    Minimises the sum of soft Dice loss (regions of the batch together, without outside) and cross
    entropy (with it), equally weighted. Scans are whole, or patches; of patches, predictions are
    averaged with Gaussian weights where they overlap. Part of the patients is put aside, whole:
    the epoch is kept in which their mean Dice was highest, which is optimistic, so measure it on
    others.

    Small and quick by intention. For masks to work with use a tool that configures itself to the
    data (nnU-Net) and many drawn scans; this shows that the way from masks to measures works, and
    serves where scans are alike and small.

    Parameters
    ----------
    regions
        Region → values of the label volumes that are of it, such as ``{"liver": (1, 2), "tumour":
        (2,)}``, which is meant when None.
    settings
        Sizes and patches; ``SegmentationSettings()`` when None.
    training
        Epochs and the like; its own seed is not used, and it must not augment: scans would be
        turned, and masks not.
    random_state
        Seed of first weights, patches, who is put aside and order.

    Attributes
    ----------
    network_ : SegmentationUNet
        The fitted network, in evaluation mode.
    values_ : tuple of int
        Values of its classes, 0 first.
    channels_, spacing_mm_ : tuple
        Of the scans that it learnt from.
    history_ : DataFrame
        Numbers of each epoch; ``score`` is the mean Dice of the patients put aside. Not kept in
        files.
    best_epoch_ : int
        Epoch of the weights.
    validation_patients_ : tuple of str
        Who was put aside; not kept in files.

    References
    ----------
    Ronneberger et al. 2015, doi:10.1007/978-3-319-24574-4_28 (U-Net). Kerfoot et al. 2019,
    doi:10.1007/978-3-030-12029-0_40 (with residual units). Milletari et al. 2016,
    doi:10.1109/3DV.2016.79 (Dice loss).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = np.zeros((4, 8, 8, 8), dtype=np.uint8)
    >>> labels[:, 2:6, 2:6, 1:5] = 1
    >>> values = (labels + rng.normal(0, 0.2, labels.shape)).astype(np.float32)[:, np.newaxis]
    >>> scans = ScanArrays(values, tuple("ABCD"), ("portal",))
    >>> settings = SegmentationSettings(filters=(4, 8), residual_units=0)
    >>> training = TrainingSettings(epochs=30, batch_size=4, learning_rate=0.02, schedule="none",
    ...     validation_share=0.0)
    >>> model = SegmentationNetwork({"liver": (1,)}, settings=settings, training=training)
    >>> model.fit(scans, labels).score(scans, labels) > 0.9
    True
    """

    card: ClassVar[Method] = Method(
        name=ARCHITECTURE,
        title="Residual U-Net that draws regions, with Dice and cross-entropy loss",
        scope="models: deep",
        reference="Kerfoot et al. 2019, doi:10.1007/978-3-030-12029-0_40",
        limits="Learns what scanners and readers of its scans did alike. Small: for masks to work "
        "with, use nnU-Net or the like. Lesions of a few voxels are missed.",
        learns=True,
    )

    def __init__(
        self,
        regions: Mapping[str, Sequence[int]] | None = None,
        *,
        settings: SegmentationSettings | None = None,
        training: TrainingSettings | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.regions = regions
        self.settings = settings
        self.training = training
        self.random_state = random_state

    def fit(
        self,
        scans: ScanArrays,
        labels: Array,
        *,
        checkpoint_folder: Path | str | None = None,
        resume: bool = False,
        log: Log | None = None,
    ) -> Self:
        """Learn from scans and their label volumes.

        Parameters
        ----------
        scans
            Scans on one scale of intensities.
        labels
            Integers (n, z, y, x) of their rows, as ``label_volumes`` paints them.
        checkpoint_folder, resume, log
            As of :func:`radiogenomics.models.deep.training.train`.

        Raises
        ------
        GeometryError, SchemaError, DataError
            Labels do not fit the scans or regions, or one never occurs; patches are too large.
        StudyError
            The training augments, or its device is not there.
        """
        regions, settings = self._regions(), self._settings()
        training, seed = self._training()
        values = tuple(sorted({0, *(value for part in regions.values() for value in part)}))
        codes = checked_codes(labels, scans, values, complete=True)
        source = PatchSource.draw(
            scans, codes, size=settings.patch, count=settings.patches, seed=seed
        )
        everyone = TrainingData(scans, np.arange(len(scans)))
        learning, aside = everyone.split(training.validation_share, seed=seed)
        with seeded(seed, 0, torch.device("cpu")):
            network = SegmentationUNet(len(scans.channels), len(values), settings)
        held = source.rows(aside)[:: source.count] if len(aside) else None
        record = train(
            network,
            TrainingData(source, source.rows(learning.rows), validation=held),
            _PatchLoss(source),
            settings=training if len(aside) else replace(training, validation_share=0.0),
            validate=_MeanDice(source, values, regions, settings) if len(aside) else None,
            step=_step,
            checkpoint_folder=checkpoint_folder,
            resume=resume,
            log=log,
            recipe={
                "settings": asdict(settings),
                "regions": {name: list(map(int, part)) for name, part in regions.items()},
                "labels": hashlib.sha256(codes.tobytes()).hexdigest(),
            },
        )
        self.network_, self.values_ = network, values
        self.channels_, self.spacing_mm_ = scans.channels, scans.spacing_mm
        self.history_, self.best_epoch_ = record.history, record.best_epoch
        self.validation_patients_ = tuple(scans.patient_ids[row] for row in aside)
        return self

    def predict(self, scans: ScanArrays) -> NDArray[np.uint8]:
        """Return label volumes, shape (n, z, y, x).

        Raises
        ------
        NotFittedError
            It was not fitted.
        SchemaError
            The scans have other phases than those it learnt from.
        GeometryError
            The scans are smaller than its patches.

        Warns
        -----
        RadiogenomicsWarning
            Their voxels are a quarter larger or smaller than those it learnt from.
        """
        check_is_fitted(self, "network_")
        if scans.channels != self.channels_:
            raise SchemaError(
                f"expected scans of {short_list(self.channels_)}, as it learnt from; found "
                f"{short_list(scans.channels)}. Give the same phases in the same order."
            )
        ratio = np.divide(scans.spacing_mm, self.spacing_mm_)
        if np.abs(np.log(ratio)).max() > np.log(MOST_OTHER_SPACING):
            warnings.warn(
                f"voxels are {ratio.min():.2g} to {ratio.max():.2g} times those of the scans that "
                "the network learnt from: resample the scans to the same spacing",
                RadiogenomicsWarning,
                stacklevel=2,
            )
        codes = most_probable(self.network_, scans, self._settings())
        found: NDArray[np.uint8] = np.array(self.values_, dtype=np.uint8)[codes]
        return found

    def predict_masks(self, scans: ScanArrays) -> dict[str, NDArray[np.bool_]]:
        """Return region → where it was drawn, shape (n, z, y, x); raises as :meth:`predict`."""
        return region_masks(self.predict(scans), self._regions())

    def dice(self, scans: ScanArrays, labels: Array) -> pd.DataFrame:
        """Return Dice by patient and region; NaN where neither mask has a voxel.

        Surface distances: :mod:`radiogenomics.imaging.mask_agreement`.

        Raises
        ------
        GeometryError, SchemaError
            As :meth:`predict`; labels do not fit the scans or the regions.
        """
        drawn = self.predict(scans)
        checked_codes(labels, scans, self.values_, complete=False)
        found = region_dice(drawn, labels, self._regions())
        return pd.DataFrame(found, index=pd.Index(scans.patient_ids, name="patient_id"))

    def score(self, scans: ScanArrays, labels: Array) -> float:
        """Return the mean Dice over patients and regions, those without voxels left out."""
        return mean_dice(self.dice(scans, labels).to_dict("series"))

    def save(self, path: Path | str) -> Path:
        """Write weights (``.safetensors``) and their card (``.json``) beside them."""
        check_is_fitted(self, "network_")
        training = (self.training or TRAINING).words()
        words = {
            "kind": KIND,
            "architecture": ARCHITECTURE,
            "settings": asdict(self._settings()),
            "regions": {name: list(map(int, v)) for name, v in self._regions().items()},
            "channels": list(self.channels_),
            "spacing_mm": list(self.spacing_mm_),
            "best_epoch": self.best_epoch_,
            "training": {name: value for name, value in training.items() if name != "device"},
            "trained": f"supervised, to draw {short_list(self._regions())}",
            "software": {"radiogenomics": version(), "torch": str(torch.__version__)},
        }
        return write_weights(path, module_arrays(self.network_), words)

    @classmethod
    def load(cls, path: Path | str, *, device: str = "auto") -> Self:
        """Read a network that :meth:`save` wrote, to predict with; no code can be in such a file.

        Raises
        ------
        SchemaError
            The file is of something else, or its weights do not fit its card.
        MissingFileError, ChecksumError
            A file is missing, or not the one that was written.
        """
        arrays, words = read_weights(path)
        name = Path(path).name
        found = words.get("kind"), words.get("architecture")
        if found != (KIND, ARCHITECTURE):
            raise SchemaError(
                f"{name}: expected a {KIND} {ARCHITECTURE!r}; found {found[0]} {found[1]!r}. "
                "Read it with the class that wrote it."
            )
        try:
            parts: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in words["settings"].items()
            }
            model = cls(
                {region: tuple(values) for region, values in words["regions"].items()},
                settings=SegmentationSettings(**parts),
            )
            z, y, x = words["spacing_mm"]
            model.channels_, model.spacing_mm_ = tuple(words["channels"]), (z, y, x)
            model.best_epoch_ = int(words["best_epoch"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SchemaError(
                f"{name}: expected the card of a {ARCHITECTURE!r}; found {error} missing or too "
                "much. Get both files again."
            ) from error
        regions = model._regions()
        model.values_ = tuple(sorted({0, *(v for part in regions.values() for v in part)}))
        with seeded(0, 0, torch.device("cpu")):
            network = SegmentationUNet(len(model.channels_), len(model.values_), model._settings())
        network.load_state_dict(tensors_like(network, arrays))
        model.network_ = network.to(pick_device(device)).eval()
        return model

    def _regions(self) -> Regions:
        regions = LIVER_AND_TUMOUR if self.regions is None else self.regions
        check_regions(regions)
        return regions

    def _settings(self) -> SegmentationSettings:
        return self.settings or SegmentationSettings()

    def _training(self) -> tuple[TrainingSettings, int]:
        """How to train, and the seed of all that is drawn."""
        asked = self.training or TRAINING
        if asked.augment is not None:
            raise StudyError(
                "augment: expected none, as scans would be turned and masks not; found "
                f"{asked.augment}. Leave it out."
            )
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        return replace(asked, seed=seed), seed


class _PatchLoss:
    """Dice and cross entropy of a batch of patches."""

    def __init__(self, source: PatchSource) -> None:
        self.source = source
        self.loss = DiceCELoss(include_background=False, to_onehot_y=True, softmax=True, batch=True)

    def __call__(self, outputs: Tensor, rows: Rows) -> Tensor:
        target = torch.from_numpy(self.source.labels(rows)).to(outputs.device)
        found: Tensor = self.loss(outputs, target[:, None])
        return found


class _MeanDice:
    """Mean Dice of whole scans of which patches were put aside."""

    def __init__(
        self,
        source: PatchSource,
        values: Sequence[int],
        regions: Regions,
        settings: SegmentationSettings,
    ) -> None:
        self.source, self.values, self.regions = source, np.asarray(values), regions
        self.settings = settings

    def __call__(self, network: nn.Module, rows: Rows) -> float:
        patients = self.source.patients(rows)
        scans = self.source.scans
        held = scans.select(scans.patient_ids[row] for row in patients)
        drawn = self.values[most_probable(network, held, self.settings)]
        return mean_dice(region_dice(drawn, self.values[self.source.codes[patients]], self.regions))


def _step(network: nn.Module, batches: Sequence[Tensor], loss_of_outputs: Any) -> None:
    """One pass where the batch is in memory at once; two where it comes in micro-batches."""
    if len(batches) == 1:
        loss_of_outputs(network(batches[0])).backward()
    else:
        accumulated_step(network, batches, loss_of_outputs)
