"""The 1316 features of the longitudinal liver study, of a whole liver and of a tumour."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from case import Agreement, Arrays, Case

THREADS = 2
# Below this a difference is rounding around zero.
NEAR_ZERO = 1e-9
SMALL = 24


def inputs(items: int) -> Arrays:
    """Simulated CT."""
    from synthetic_liver import synthetic_liver

    return synthetic_liver(voxels=items)


def ours(given: Arrays, count: int, *, region: str) -> Arrays:
    """The native engine; image types run in two threads."""
    from radiogenomics.core.scan import Volume
    from radiogenomics.imaging import features_of_volume, settings_preset

    image, mask = _part(given, count, region)
    volume = Volume(image, {region: mask}, tuple(given["spacing_mm"]))
    found = features_of_volume(volume, settings_preset("lwctr"), region=region, threads=THREADS)
    return {"features": np.array(list(found.values()))}


def theirs(given: Arrays, count: int, *, region: str) -> Arrays:
    """pyradiomics under the same settings."""
    import logging

    import SimpleITK as sitk
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    logging.getLogger("radiomics").setLevel(logging.ERROR)
    extractor = RadiomicsFeatureExtractor(
        binWidth=25, resampledPixelSpacing=[1, 1, 1], additionalInfo=False
    )
    extractor.enableImageTypeByName("LoG", customArgs={"sigma": [1.0, 2.0, 3.0, 4.0, 5.0]})
    extractor.enableImageTypeByName("Wavelet")
    image, mask = (_sitk_image(sitk, array, given) for array in _part(given, count, region))
    found = extractor.execute(image, mask)
    return {"features": np.array([float(value) for value in found.values()])}


def _part(given: Arrays, count: int, region: str) -> tuple[Any, Any]:
    """Image and mask; to warm up, only a cube in the middle of the region."""
    image, mask = given["image"], given[region]
    if count >= SMALL**3 + 1:
        return image, mask
    centre = np.argwhere(mask).mean(axis=0).astype(int)
    box = tuple(slice(place - SMALL // 2, place + SMALL // 2) for place in centre)
    cube = np.zeros((SMALL,) * 3, dtype=np.uint8)
    cube[4:-4, 4:-4, 4:-4] = 1
    return image[box].copy(), cube


def _sitk_image(sitk: Any, array: Any, given: Arrays) -> Any:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing([float(size) for size in given["spacing_mm"][::-1]])
    return image


def agreement(found: Arrays, reference: Arrays) -> Agreement:
    """Largest relative difference of the 1316 features, in the peer's order."""
    a, b = found["features"], reference["features"]
    if a.shape != b.shape:
        raise ValueError(f"expected {b.shape} features; found {a.shape}. Mend the case.")
    apart = np.abs(a - b)
    size = np.maximum(np.abs(a), np.abs(b))
    relative = np.divide(apart, size, out=np.zeros_like(apart), where=apart > NEAR_ZERO)
    return Agreement(float(relative.max()), f"{a.size} features compared")


def _case(region: str, job: str) -> Case:
    from synthetic_liver import LIVER_VOXELS

    return Case(
        name=f"radiomics_{region}",
        job=job,
        unit="mm^3 of liver",
        items=LIVER_VOXELS,
        sample=LIVER_VOXELS,
        warm_up=1,
        most_rounds=3,
        package="pyradiomics",
        peer="RadiomicsFeatureExtractor, SimpleITK with its own threads",
        inputs=inputs,
        ours=partial(ours, region=region),
        theirs=partial(theirs, region=region),
        compare=agreement,
        remark=f"ours in {THREADS} threads",
    )


LIVER = _case("liver", "1316 features of a simulated whole liver of {items} mm^3, from CT at 1 mm")
TUMOUR = _case(
    "tumour", "1316 features of a simulated tumour of 37,000 mm^3 in the same CT, at 1 mm"
)
