"""Encoder: a backbone with fixed weights, as a function of one patient's view."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from radiogenomics.core.errors import DataError, GeometryError, SchemaError, UnknownNameError
from radiogenomics.core.provenance import version
from radiogenomics.core.weight_file import CARD, WEIGHTS, read_card, read_weights, write_weights
from radiogenomics.imaging.deep.backbones import Backbone, Convention, build_backbone
from radiogenomics.imaging.deep.foreign_weights import load_weights, read_foreign
from radiogenomics.imaging.deep.presets import EncoderSettings

Array = np.ndarray[Any, np.dtype[Any]]
Device = Literal["auto", "cpu", "cuda"]

DEVICES = ("auto", "cpu", "cuda")
KIND = "encoder"
# Mean and standard deviation of ImageNet's colours, which torchvision's networks were trained on.
COLOUR_MEAN = (0.485, 0.456, 0.406)
COLOUR_SD = (0.229, 0.224, 0.225)
SHOWN_OF_HASH = 12


class Encoder:
    r"""A frozen network that turns a view into features.

    Nothing is learnt here: the features of a patient depend on that patient's view and on the
    weights, so an encoder may stand outside the folds, unless its weights were trained on patients
    of the study. Without weights the network is random: its features are random filters, a lower
    bound that weights should beat.

    Values are read as the weights' origin was trained: for torchvision's, a window's 0 to 1 is
    brought to :math:`(v - m) / s` with the colours' mean :math:`m` and standard deviation
    :math:`s` in ImageNet, their averages where there are not three channels.

    Misleads where weights come from photographs: features that separate textures of fur need not
    separate tumours; and where scanners differ, which networks see better than readers do.

    Parameters
    ----------
    settings
        What it is shown, and which network.
    weights
        ``.safetensors`` with a card (ours), or a foreign file: safetensors, or a state dict of
        torch with torchvision's, MedicalNet's or MONAI's names. None: random weights.
    seed
        Of random weights.
    device
        ``cpu``; ``cuda``; ``auto``: a GPU if there is one. Features of a GPU differ from those of a
        CPU by rounding.
    adapt_channels
        Fit foreign weights for another number of channels by their mean.

    Attributes
    ----------
    settings
        As given.
    backbone
        The network, frozen.
    width
        Number of features.
    weight_hash
        SHA-256 of all weights by name, and of the convention.
    origin
        Where the weights come from, in words.

    Raises
    ------
    SchemaError
        The weights are of another architecture or kind, or of something that would run code.
    MissingFileError, ChecksumError
        The weights are not there, or not those of their card.

    Examples
    --------
    >>> settings = EncoderSettings("resnet18", window=(-100, 250), size=(32, 32), repeat=3)
    >>> encoder = Encoder(settings, seed=7)
    >>> encoder.features(np.zeros((2, 1, 1, 32, 32), np.float32)).shape
    (2, 512)
    """

    def __init__(
        self,
        settings: EncoderSettings,
        weights: Path | str | None = None,
        seed: int = 0,
        *,
        device: Device = "cpu",
        adapt_channels: bool = False,
    ) -> None:
        self.settings = settings
        self._device = _device(device)
        shape = settings.shape if settings.dims == 3 else settings.shape[1:]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.backbone: Backbone = build_backbone(
                settings.backbone, dims=settings.dims, channels=settings.inputs, shape=shape
            )
        self._mean, self._sd = [0.0], [1.0]
        self.trained = f"random weights, seed {seed}"
        self.notes: tuple[str, ...] = ()
        if weights is not None:
            self._take(Path(weights), adapt_channels=adapt_channels)
        self.backbone.requires_grad_(False).eval().to(self._device)
        self.width = self.backbone.width
        self.weight_hash = _hash(self.backbone)

    @property
    def origin(self) -> str:
        """Architecture, weights and their hash, for the ``source`` of features."""
        short = self.weight_hash[:SHOWN_OF_HASH]
        settings = self.settings
        return (
            f"radiogenomics {version()} {settings.backbone} {settings.dims}D, {settings.view} "
            f"view, {self.trained}, weights {short}"
        )

    def features(self, values: Array, *, batch: int = 16) -> Array:
        """Features of views, pooled over their slices.

        Parameters
        ----------
        values
            (n, channels, z, y, x), as ``crop_scan`` and ``ScanArrays`` have them.
        batch
            Slices or volumes that a GPU is given at once; on a CPU each goes by itself, so that
            the bits of its features do not depend on its company.

        Returns
        -------
        ndarray
            float32 (n, width).

        Raises
        ------
        GeometryError
            Views are of another shape.
        DataError
            Features are not finite, or the settings want each slice for itself.
        """
        if self.settings.pooling == "each":
            raise DataError(
                "expected a pooling over slices; found each. Use instances, or other settings."
            )
        found = self.instances(values, batch=batch)
        return np.asarray(found.max(axis=1) if self.settings.pooling == "max" else found.mean(1))

    def instances(self, values: Array, *, batch: int = 16) -> Array:
        """Features of each slice of views, float32 (n, slices, width); parameters as above."""
        expected = (self.settings.channels, *self.settings.shape)
        if values.ndim != 5 or values.shape[1:] != expected:
            raise GeometryError(
                f"expected views (n, channels, z, y, x) with {' × '.join(map(str, expected))}; "
                f"found {' × '.join(map(str, values.shape))}. Cut them with the encoder's settings."
            )
        if batch < 1:
            raise DataError(f"expected batches of at least 1; found {batch}. Raise the number.")
        single = values if self.settings.dims == 3 else _slices(values)
        size = batch if self._device.type == "cuda" else 1
        parts = [self._read(single[first : first + size]) for first in range(0, len(single), size)]
        found = np.concatenate(parts) if parts else np.empty((0, self.width), np.float32)
        broken = int((~np.isfinite(found)).any(axis=1).sum())
        if broken:
            raise DataError(
                f"expected finite features; found others in {broken} of {len(found)} views. Check "
                "the weights, and the scale of the intensities they were trained on."
            )
        slices = 1 if self.settings.dims == 3 else self.settings.shape[0]
        return found.reshape(len(values), slices, self.width)

    def card(self) -> dict[str, Any]:
        """Return what the weights are, as their card says it."""
        return {
            "kind": KIND,
            "architecture": self.settings.backbone,
            "settings": self.settings.to_json(),
            "trained": self.trained,
            "notes": list(self.notes),
            "convention": self.backbone.convention,
            "input_mean": self._mean,
            "input_sd": self._sd,
            "software": {"radiogenomics": version(), "torch": torch.__version__},
        }

    def save(self, path: Path | str) -> Path:
        """Write the weights as safetensors with their card beside them."""
        state = self.backbone.state_dict()
        return write_weights(path, {k: t.cpu().numpy() for k, t in state.items()}, self.card())

    def _take(self, path: Path, *, adapt_channels: bool) -> None:
        """Read weights from a file and follow the world they come from."""
        if path.suffix == WEIGHTS and path.with_suffix(CARD).is_file():
            arrays, card = read_weights(path)
            self._require_card(path.name, card)
            tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
            self.backbone.follow(_convention(card))
            self.notes = tuple(card.get("notes", ()))
            self.trained = str(card.get("trained", path.name))
            self._mean = list(card.get("input_mean", self._mean))
            self._sd = list(card.get("input_sd", self._sd))
            load_weights(self.backbone, tensors, adapt_channels=adapt_channels)
            return
        loaded = load_weights(self.backbone, read_foreign(path), adapt_channels=adapt_channels)
        self.trained = f"{loaded.convention} weights {path.name}"
        self.notes = loaded.notes
        if loaded.convention == "torchvision" and self.settings.window is not None:
            three = self.settings.inputs == len(COLOUR_MEAN)
            self._mean = list(COLOUR_MEAN) if three else [float(np.mean(COLOUR_MEAN))]
            self._sd = list(COLOUR_SD) if three else [float(np.mean(COLOUR_SD))]

    def _require_card(self, name: str, card: dict[str, Any]) -> None:
        found = (card.get("kind"), card.get("architecture"))
        if found != (KIND, self.settings.backbone):
            raise SchemaError(
                f"{name}: expected weights of an {KIND} {self.settings.backbone}; found those of "
                f"{' '.join(map(str, found))}. Name the backbone that the card names."
            )

    def _read(self, values: Array) -> Array:
        """Features of single slices or volumes (n, channels, [z,] y, x)."""
        x = torch.from_numpy(np.array(values, dtype=np.float32)).to(self._device)
        x = x.repeat_interleave(self.settings.repeat, dim=1)
        per_channel = (1, -1, *[1] * self.settings.dims)
        x = x - torch.tensor(self._mean, device=x.device).view(per_channel)
        x = x / torch.tensor(self._sd, device=x.device).view(per_channel)
        exact = torch.backends.cudnn.flags(deterministic=True, benchmark=False, allow_tf32=False)
        with torch.inference_mode(), exact:
            if self.settings.pooling == "max":
                found = self.backbone.feature_map(x).flatten(2).amax(dim=2)
            else:
                found = self.backbone(x)
        return np.asarray(found.cpu().numpy())


def load_encoder(path: Path | str, *, device: Device = "cpu") -> Encoder:
    """Read an encoder that was saved, with the settings of its card.

    Raises
    ------
    MissingFileError, ChecksumError, SchemaError
        As for :class:`Encoder`; the card holds no settings.
    """
    content = read_card(path).get("settings")
    if not isinstance(content, dict):
        raise SchemaError(
            f"{Path(path).name}: expected a card with the settings of an encoder; found none. "
            "Pass the weights to Encoder with settings."
        )
    return Encoder(EncoderSettings.from_json(content), path, device=device)


def _slices(values: Array) -> Array:
    """Slices (n × z, channels, y, x) of views (n, channels, z, y, x)."""
    return values.swapaxes(1, 2).reshape(-1, values.shape[1], *values.shape[3:])


def _device(name: str) -> torch.device:
    if name not in DEVICES:
        raise UnknownNameError("device", name, DEVICES)
    if name == "cuda" and not torch.cuda.is_available():
        raise DataError("expected a GPU for the device cuda; found none. Use auto or cpu.")
    return torch.device("cpu" if name == "cpu" or not torch.cuda.is_available() else "cuda")


def _convention(card: dict[str, Any]) -> Convention:
    found: Convention = card.get("convention", "monai")
    return found


def _hash(backbone: Backbone) -> str:
    """Hash of all weights by name; equal weights of another convention are another network."""
    digest = hashlib.sha256(f"{backbone.word} {backbone.dims} {backbone.convention}".encode())
    for name, tensor in sorted(backbone.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
