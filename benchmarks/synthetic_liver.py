"""A simulated portal-venous CT with a liver, vessels and a tumour; nobody's scan."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[Any]

SPACING_MM = (1.6, 0.78, 0.78)
SHAPE = (119, 400, 400)
LIVER_VOXELS = 1_500_000
# Volume in mm^3 of the shapes below at a scale of 1.
DRAWN_VOXELS = 1_695_000
TUMOUR_RADIUS_MM = 19.8


def synthetic_liver(*, voxels: int = LIVER_VOXELS, seed: int = 7) -> dict[str, Array]:
    """Image and masks (z, y, x) of voxels of 1.6 × 0.78 × 0.78 mm.

    The liver is a lobed ellipsoid of about ``voxels`` mm^3 whose border wobbles, so that its
    surface is as rough as a drawn one; noise is correlated like that of a soft-tissue kernel.

    Returns
    -------
    dict
        ``image`` int16 HU, ``liver`` and ``tumour`` uint8, ``spacing_mm`` float64.
    """
    rng = np.random.default_rng(seed)
    scale = (voxels / DRAWN_VOXELS) ** (1 / 3)
    z, y, x = (
        (np.arange(size) - size / 2) * step for size, step in zip(SHAPE, SPACING_MM, strict=True)
    )
    z, y, x = z[:, None, None] / scale, y[None, :, None] / scale, x[None, None, :] / scale
    wobble = _smooth(rng, sigma_mm=12.0)
    right = (z / 68) ** 2 + ((y - 5) / 72) ** 2 + ((x + 15) / 68) ** 2
    left = (z / 40) ** 2 + ((y + 25) / 45) ** 2 + ((x - 55) / 60) ** 2
    liver = np.minimum(right, left) + 0.12 * wobble < 1
    tumour = np.sqrt((z - 4) ** 2 + (y - 8) ** 2 + (x + 20) ** 2) + 2.5 * wobble < TUMOUR_RADIUS_MM
    vessels = np.abs(_smooth(rng, sigma_mm=6.0)) < 0.08
    image = np.select(
        [tumour & (_smooth(rng, sigma_mm=4.0) > 0.9), tumour, liver & vessels, liver],
        [45.0, 82.0, 165.0, 112.0],
        default=-60.0,
    )
    image += 9 * _smooth(rng, sigma_mm=0.7) + 4 * _smooth(rng, sigma_mm=2.5)
    return {
        "image": np.rint(image).astype(np.int16),
        "liver": liver.astype(np.uint8),
        "tumour": (tumour & liver).astype(np.uint8),
        "spacing_mm": np.array(SPACING_MM),
    }


def _smooth(rng: np.random.Generator, *, sigma_mm: float) -> Array:
    """Noise of unit variance whose neighbours within ``sigma_mm`` go together."""
    sigma = [sigma_mm / step for step in SPACING_MM]
    noise = ndimage.gaussian_filter(rng.standard_normal(SHAPE, dtype=np.float32), sigma)
    return noise / noise.std()
