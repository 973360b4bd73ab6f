"""The U-Net that draws masks, and how it reads scans larger than its patches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from monai.inferers.utils import sliding_window_inference
from monai.networks.nets.unet import UNet
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from radiogenomics.core.errors import GeometryError, SchemaError
from radiogenomics.core.scan_arrays import ScanArrays

Shape = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class SegmentationSettings:
    """Sizes of the network, and what it is shown.

    Parameters
    ----------
    filters
        Of each level; the size is halved from one to the next.
    residual_units
        Convolutions of each residual block; 0: plain convolutions.
    patch
        Voxels (z, y, x) that it sees at once; None: whole scans.
    patches
        Patches drawn of each scan.
    overlap
        Share that neighbouring patches have in common when it draws a whole scan.

    Raises
    ------
    SchemaError
        A number outside its range.
    """

    filters: tuple[int, ...] = (16, 32, 64, 128)
    residual_units: int = 2
    patch: Shape | None = None
    patches: int = 8
    overlap: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what no network can have."""
        sizes = (*self.filters, self.patches, *(self.patch or ()))
        if (
            len(self.filters) < 2
            or len(self.patch or (1, 1, 1)) != 3
            or not all(size >= 1 and size == int(size) for size in sizes)
            or self.residual_units < 0
            or not 0 <= self.overlap < 1
        ):
            raise SchemaError(
                "segmentation: expected two or more levels of filters, whole numbers above 0 as "
                f"sizes and an overlap from 0 to below 1; found {self}. Mend the settings."
            )

    @classmethod
    def tiny(cls) -> Self:
        """Return sizes for trying the code, and for scans of 32 voxels a side."""
        return cls(filters=(8, 16, 32), residual_units=1)


class SegmentationUNet(nn.Module):
    """MONAI's U-Net for scans of any size: they are continued to one that it can halve.

    Parameters
    ----------
    channels
        Phases of a scan.
    classes
        Labels, with that of outside.
    settings
        Sizes.

    Examples
    --------
    >>> network = SegmentationUNet(1, 3, SegmentationSettings.tiny())
    >>> tuple(network(torch.zeros(2, 1, 5, 9, 6)).shape)
    (2, 3, 5, 9, 6)
    """

    def __init__(self, channels: int, classes: int, settings: SegmentationSettings) -> None:
        super().__init__()
        steps = len(settings.filters) - 1
        self.multiple = 2**steps
        self.unet = UNet(
            spatial_dims=3,
            in_channels=channels,
            out_channels=classes,
            channels=settings.filters,
            strides=(2,) * steps,
            num_res_units=settings.residual_units,
        )

    def forward(self, scans: Tensor) -> Tensor:
        """Return logits (n, classes, z, y, x) of scans (n, channels, z, y, x)."""
        z, y, x = scans.shape[2:]
        # Two voxels at the deepest level: a layer of one has no variance to normalise by.
        lack = [max(-size % self.multiple, 2 * self.multiple - size) for size in (x, y, z)]
        margins = [side for more in lack for side in (0, more)]
        padded = functional.pad(scans, margins, mode="replicate") if any(lack) else scans
        found: Tensor = self.unet(padded)[..., :z, :y, :x]
        return found


def most_probable(
    network: nn.Module, scans: ScanArrays, settings: SegmentationSettings
) -> NDArray[np.uint8]:
    """Return the most probable class of each voxel, shape (n, z, y, x), scan by scan.

    Raises
    ------
    GeometryError
        The scans are smaller than the patches.
    """
    device = next(network.parameters()).device
    patch = settings.patch
    if patch is not None and any(p > room for p, room in zip(patch, scans.shape, strict=True)):
        raise GeometryError(
            f"expected scans of {patch} voxels or more, the size of the patches; found "
            f"{scans.shape}. Cut larger ones."
        )
    network.eval()
    found = np.empty((len(scans), *scans.shape), dtype=np.uint8)
    for row in range(len(scans)):
        values = torch.from_numpy(np.array(scans.values[row : row + 1])).to(device)
        with torch.no_grad():
            logits = (
                network(values)
                if patch is None
                else sliding_window_inference(
                    values, patch, 4, network, overlap=settings.overlap, mode="gaussian"
                )
            )
        found[row] = logits[0].argmax(dim=0).cpu().numpy()
    return found
