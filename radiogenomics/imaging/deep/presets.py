"""What an encoder is shown and what reads it: one frozen record, and presets under a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Literal, Self, get_args

from radiogenomics.core.errors import SchemaError, UnknownNameError, short_list
from radiogenomics.imaging.masks import LESION_RULES

View = Literal["slice", "slices", "slices_as_channels", "box"]
Normalise = Literal["none", "region", "image", "liver"]
Pooling = Literal["mean", "max", "each"]

BACKBONE_WORDS = (
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "densenet121",
    *(f"efficientnet_b{n}" for n in range(8)),
    "swin_unetr",
    "vit",
)
ONLY_3D = ("swin_unetr", "vit")
CT_LIVER = (-100.0, 250.0)
"""HU from below liver fat to above enhanced vessels; the papers name no window."""


@dataclass(frozen=True)
class EncoderSettings:
    """What a network is shown of a scan, and which network.

    Views are cut in physical space around a region of the scan's own mask, along the axes of the
    scan that lie nearest to those of the patient (rows to the back, columns to the left, slices to
    the head), so how a scanner wrote its files is not seen. Sizes and axes are (z, y, x).

    Parameters
    ----------
    backbone
        ``resnet18``, ``resnet34``, ``resnet50``, ``resnet101``, ``densenet121``,
        ``efficientnet_b0`` ... ``efficientnet_b7``; in 3D also ``swin_unetr`` (its encoder) and
        ``vit``.
    dims
        2 or 3: what the network's convolutions cross.
    view
        ``slice``: the axial slice with most of the region. ``slices``: so many around it, each read
        by itself. ``slices_as_channels``: the same as channels of one picture (2.5D). ``box``: the
        whole region (3D).
    size
        Pixels (y, x) or voxels (z, y, x) that the network reads.
    spacing_mm
        Voxel size (z, y, x) in mm; the view is then centred on the region, and what does not fit is
        cut off. 0 keeps the scan's own along an axis. None: the box around the region and its
        margin is brought to ``size``, so the size of the region is not seen.
    keep_aspect
        Without ``spacing_mm``: one voxel size for all axes, more of the surroundings along the
        short ones; otherwise the box is stretched.
    margin_mm
        Kept around the region, without ``spacing_mm``.
    slices
        Number of slices of the views of several.
    window
        Lowest and highest intensity (HU), brought to 0 and 1; what is beyond is cut off.
    normalise
        Instead of a window, zero mean and unit standard deviation of the ``region`` in the view, of
        the whole ``image``, or of the ``liver`` outside the lesions.
    phases
        Phases of one patient that are the channels, in order; the first has the mask. Empty: each
        scan is read by itself.
    masked
        What is outside the region is 0, so that a ring does not show its tumour.
    lesions
        ``largest`` lesion of the region, or the ``union``.
    pooling
        Over all places of the last feature map and all slices: ``mean`` or ``max``. ``each``: mean
        over places, and each slice for itself.
    repeat
        How often the channel of a scan is repeated: 3 for a network of colour photographs.

    Raises
    ------
    UnknownNameError
        A word is not known.
    SchemaError
        Settings do not fit together.

    Examples
    --------
    >>> settings = EncoderSettings("resnet18", window=(-100, 250), size=(224, 224), repeat=3)
    >>> settings.shape, settings.inputs
    ((1, 224, 224), 3)
    """

    backbone: str = "resnet18"
    dims: int = 2
    view: View = "slice"
    size: tuple[int, ...] = (224, 224)
    spacing_mm: tuple[float, float, float] | None = None
    keep_aspect: bool = True
    margin_mm: float = 10.0
    slices: int = 1
    window: tuple[float, float] | None = None
    normalise: Normalise = "none"
    phases: tuple[str, ...] = ()
    masked: bool = False
    lesions: Literal["largest", "union"] = "largest"
    pooling: Pooling = "mean"
    repeat: int = 1

    def __post_init__(self) -> None:
        """Refuse what no network could be shown."""
        for kind, name, known in (
            ("backbone", self.backbone, BACKBONE_WORDS),
            ("view", self.view, get_args(View)),
            ("normalisation", self.normalise, get_args(Normalise)),
            ("pooling", self.pooling, get_args(Pooling)),
            ("lesion rule", self.lesions, LESION_RULES),
        ):
            if name not in known:
                raise UnknownNameError(kind, name, known)
        problems = [*self._misfits_of_the_view(), *self._misfits_of_intensities()]
        if problems:
            raise SchemaError(f"encoder settings: {'; '.join(problems)}. Correct them.")

    def _misfits_of_the_view(self) -> list[str]:
        wanted = 3 if self.view == "box" else 2
        several = self.view in ("slices", "slices_as_channels")
        rules = (
            (self.dims == wanted, f"expected dims {wanted} for the view {self.view}; {self.dims}"),
            (
                self.backbone not in ONLY_3D or self.dims == 3,
                f"expected dims 3 for {self.backbone}; {self.dims}",
            ),
            (
                len(self.size) == wanted and all(n >= 1 for n in self.size),
                f"expected {wanted} sizes of at least 1; {self.size}",
            ),
            (
                self.spacing_mm is None
                or (len(self.spacing_mm) == 3 and all(mm >= 0 for mm in self.spacing_mm)),
                f"expected three voxel sizes (z, y, x) from 0 mm; {self.spacing_mm}",
            ),
            (self.margin_mm >= 0, f"expected a margin from 0 mm; {self.margin_mm}"),
            (
                self.slices >= 2 if several else self.slices == 1,
                f"expected {'slices from 2' if several else 'slices 1'} for the view {self.view}; "
                f"{self.slices}",
            ),
            (
                self.pooling != "each" or self.view == "slices",
                f"expected the view slices for pooling each; {self.view}",
            ),
        )
        return [f"{wrong} was found" for right, wrong in rules if not right]

    def _misfits_of_intensities(self) -> list[str]:
        window = self.window
        rules = (
            (
                window is None or (len(window) == 2 and window[0] < window[1]),
                f"expected a window of a lower and a higher intensity; {window}",
            ),
            (
                (window is None) != (self.normalise == "none"),
                f"expected either a window (CT) or normalise (MR); {window} and {self.normalise}",
            ),
            (
                len(set(self.phases)) == len(self.phases),
                f"expected each phase once; {short_list(self.phases)}",
            ),
            (
                self.repeat == 1 or (self.repeat > 1 and self.channels == 1),
                f"expected repeat from 1, and only of a single channel; {self.repeat} of "
                f"{self.channels}",
            ),
        )
        return [f"{wrong} was found" for right, wrong in rules if not right]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels (z, y, x) of a view; z counts the slices that are read one by one."""
        if self.view == "box":
            z, y, x = self.size
            return z, y, x
        y, x = self.size
        return (self.slices if self.view == "slices" else 1), y, x

    @property
    def channels(self) -> int:
        """Channels of a view."""
        return len(self.channel_names)

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Phases, and slices where these are channels."""
        phases = self.phases or ("image",)
        if self.view != "slices_as_channels":
            return phases
        return tuple(f"{phase} slice {n}" for phase in phases for n in range(1, self.slices + 1))

    @property
    def inputs(self) -> int:
        """Channels that the network reads."""
        return self.channels * self.repeat

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain data, for the card of weights."""
        found = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: list(v) if isinstance(v, tuple) else v for name, v in found.items()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read settings back from plain data.

        Raises
        ------
        UnknownNameError
            There is no such setting.
        """
        known = [item.name for item in fields(cls)]
        for name in content:
            if name not in known:
                raise UnknownNameError("encoder setting", name, known)
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in content.items()})


ENCODER_PRESETS: Mapping[str, EncoderSettings] = MappingProxyType(
    {
        # For weights of ImageNet: one grey slice in three colours.
        "resnet18_slice": EncoderSettings("resnet18", window=CT_LIVER, repeat=3),
        # Instances of a multi-instance network: cross-sections of a lesion.
        "resnet50_slices": EncoderSettings(
            "resnet50", view="slices", slices=9, normalise="image", pooling="each", repeat=3
        ),
        # For weights of MedicalNet, which knows one channel and z-scores.
        "resnet18_volume": EncoderSettings(
            "resnet18", dims=3, view="box", size=(64, 64, 64), normalise="image"
        ),
        # Liver in three phases, stretched as the multi-phase networks read it.
        "efficientnet_b1_volume": EncoderSettings(
            "efficientnet_b1",
            dims=3,
            view="box",
            size=(128, 128, 128),
            keep_aspect=False,
            margin_mm=5.0,
            window=CT_LIVER,
            phases=("arterial", "portal", "delayed"),
            lesions="union",
        ),
    }
)


def encoder_preset(name: str) -> EncoderSettings:
    """Return the settings a recipe names; UnknownNameError lists near matches.

    Examples
    --------
    >>> encoder_preset("resnet50_slices").shape
    (9, 224, 224)
    """
    if name not in ENCODER_PRESETS:
        raise UnknownNameError("encoder settings", name, ENCODER_PRESETS)
    return ENCODER_PRESETS[name]
