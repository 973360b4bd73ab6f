"""Two scans, and the transform under which one tells most of the other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np

from radiogenomics.core.errors import GeometryError, MissingExtraError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.masks import bounding_box

Array = np.ndarray[Any, np.dtype[Any]]
Kind = Literal["rigid", "affine"]

BINS = 32
LEVELS = (4, 2, 1)
# Finer voxels than this make a registration slower and not better.
FINE_MM = 2.0
# A level on which an axis has fewer voxels than this says little about that axis.
LEAST_VOXELS = 8
# A level with fewer voxels than this has too few for a histogram of two scans.
LEAST_COMPARED = 4000
ITERATIONS = 200
FIRST_STEP_MM = 2.0
MARGIN_MM = 10.0


class ScanPair:
    """Two scans as ITK has them, and the information that they share under a transform."""

    def __init__(
        self,
        fixed: Volume,
        moving: Volume,
        region: str | None,
        *,
        window: tuple[float, float] | None,
        samples: int,
        seed: int,
    ) -> None:
        inside = None if region is None else fixed.mask(region) > 0
        if inside is not None and not inside.any():
            raise GeometryError(f"expected voxels in region {region!r}; found none. Draw it.")
        self._sitk = simpleitk()
        self._fixed = self._coarsened(image_in_space(_windowed(fixed.voxels, window), fixed))
        self._moving = self._coarsened(image_in_space(_windowed(moving.voxels, window), moving))
        self._samples, self._seed = samples, seed
        self._mask = None
        self._centre = _middle(fixed, inside)
        self._starts = [np.zeros(3), _middle(moving, None) - _middle(fixed, None)]
        if inside is not None:
            self._compare_only(image_in_space(inside.view(np.uint8), fixed))
            there = moving.masks.get(str(region), np.zeros(1)) > 0
            if there.any():
                self._starts.append(_middle(moving, there) - self._centre)

    def climb(self, kind: Kind) -> tuple[Any, float]:
        """Transform of the highest information near the best start, and the start's information.

        The search compares smoothed scans at a sample of voxels, so where the scans lie on each
        other already it may end with a little less information than it began with: then the start
        is what is returned.
        """
        begun = [self.information(self._transform("rigid", shift)) for shift in self._starts]
        best = int(np.argmax(begun))
        if not math.isfinite(begun[best]):
            raise GeometryError(
                "expected scans that overlap where they lie or when their middles are brought "
                "together; found no such voxels. Check that both show the same part of the body."
            )
        method = self._method(self._levels())
        method.SetOptimizerAsRegularStepGradientDescent(
            learningRate=FIRST_STEP_MM,
            minStep=1e-3,
            numberOfIterations=ITERATIONS,
            relaxationFactor=0.7,
            gradientMagnitudeTolerance=1e-8,
        )
        method.SetOptimizerScalesFromPhysicalShift()
        transform = self._transform(kind, self._starts[best])
        method.SetInitialTransform(transform, inPlace=True)
        try:
            with _one_thread():
                method.Execute(self._fixed, self._moving)
        except RuntimeError:
            raise GeometryError(
                "expected a registration that ends where the scans overlap; found that it left "
                "the moving scan. Name a region that both show, or register them by hand."
            ) from None
        if self.information(transform) < begun[best]:
            transform = self._transform(kind, self._starts[best])
        return transform, begun[best]

    def information(self, transform: Any) -> float:
        """Mutual information in nats; minus infinity where the scans do not overlap."""
        method = self._method((1,))
        method.SetInitialTransform(transform, inPlace=False)
        try:
            with _one_thread():
                return -float(method.MetricEvaluate(self._fixed, self._moving))
        except RuntimeError:
            return -math.inf

    def covered(self, transform: Any) -> float:
        """Share of what is compared for which the moving scan has voxels."""
        sitk = self._sitk
        ones = sitk.Image(self._moving.GetSize(), sitk.sitkUInt8) + 1
        ones.CopyInformation(self._moving)
        there = voxels_of(onto_grid(ones, self._fixed, transform)) > 0
        if self._mask is None:
            return float(there.mean())
        return float(there[voxels_of(self._mask) > 0].mean())

    def _compare_only(self, region: Any) -> None:
        """Cut the fixed scan to a region and its margin."""
        sitk = self._sitk
        mask = onto_grid(region, self._fixed, sitk.Transform(3, sitk.sitkIdentity))
        if not voxels_of(mask).any():
            raise GeometryError(
                f"expected a region that holds voxels of {FINE_MM:g} mm; found that it falls "
                "between them. Name an organ."
            )
        mask = sitk.BinaryDilate(mask, [math.ceil(MARGIN_MM / mm) for mm in mask.GetSpacing()])
        box = bounding_box(voxels_of(mask) > 0)[::-1]
        first, size = [part.start for part in box], [part.stop - part.start for part in box]
        self._mask = sitk.RegionOfInterest(mask, size, first)
        self._fixed = sitk.RegionOfInterest(self._fixed, size, first)

    def _transform(self, kind: Kind, shift: Array) -> Any:
        """Transform of a kind, turning about the middle of what is compared."""
        sitk = self._sitk
        made = sitk.Euler3DTransform() if kind == "rigid" else sitk.AffineTransform(3)
        made.SetCenter(self._centre.tolist())
        made.SetTranslation(shift.tolist())
        return made

    def _coarsened(self, image: Any) -> Any:
        """Average whole numbers of voxels together, up to FINE_MM."""
        factors = [
            max(1, min(int(FINE_MM / spacing), size // LEAST_VOXELS))
            for spacing, size in zip(image.GetSpacing(), image.GetSize(), strict=True)
        ]
        return self._sitk.BinShrink(image, factors)

    def _levels(self) -> tuple[int, ...]:
        """Levels on which enough voxels are left."""
        thinnest = min(self._fixed.GetSize())
        return tuple(
            factor
            for factor in LEVELS
            if factor == 1
            or (thinnest >= factor * LEAST_VOXELS and self._voxels / factor**3 >= LEAST_COMPARED)
        )

    @property
    def _voxels(self) -> int:
        """How many voxels could be compared."""
        return math.prod(self._fixed.GetSize())

    def _method(self, factors: tuple[int, ...]) -> Any:
        method = self._sitk.ImageRegistrationMethod()
        method.SetNumberOfThreads(1)
        method.SetMetricAsMattesMutualInformation(BINS)
        method.SetMetricSamplingStrategy(method.RANDOM)
        shares = [min(1.0, self._samples * f**3 / self._voxels) for f in factors]
        method.SetMetricSamplingPercentagePerLevel(shares, self._seed)
        method.SetShrinkFactorsPerLevel(factors)
        method.SetSmoothingSigmasPerLevel([f * FINE_MM / 2 for f in factors])
        method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
        method.SetInterpolator(self._sitk.sitkLinear)
        if self._mask is not None:
            method.SetMetricFixedMask(self._mask)
        return method


def simpleitk() -> Any:
    """Import SimpleITK, which is optional and slow to load; MissingExtraError without it."""
    try:
        import SimpleITK
    except ImportError as error:
        raise MissingExtraError(
            f"expected SimpleITK for registration; found: {error}. Install it: "
            "pip install 'radiogenomics[imaging]'."
        ) from None
    return SimpleITK


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let ITK add up in one order; what is set for one registration does not reach its parts."""
    shared = simpleitk().ProcessObject
    before = shared.GetGlobalDefaultNumberOfThreads()
    shared.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        shared.SetGlobalDefaultNumberOfThreads(before)


def _windowed(voxels: Array, window: tuple[float, float] | None) -> Array:
    low, high = np.percentile(voxels, (1, 99)) if window is None else window
    if not low < high:
        raise GeometryError(
            f"expected a scan of different intensities; found {low:g} in nearly all voxels. Check "
            "the image, or give the window that holds it."
        )
    return np.clip(voxels, low, high).astype(np.float32)


def image_in_space(voxels: Array, space: Volume) -> Any:
    """Return voxels as an image of ITK's that lies where a volume lies."""
    image = simpleitk().GetImageFromArray(voxels)
    image.SetSpacing(list(space.spacing_mm)[::-1])
    image.SetOrigin(space.origin_mm)
    image.SetDirection(space.direction)
    return image


def _middle(volume: Volume, inside: Array | None) -> Array:
    """Middle of the voxels inside, or of the image, in mm (x, y, z)."""
    if inside is None:
        place = (np.array(volume.voxels.shape) - 1) / 2
    else:
        place = np.array([axis.mean() for axis in np.nonzero(inside)])
    steps = place[::-1] * np.array(volume.spacing_mm)[::-1]
    return np.array(volume.origin_mm) + np.array(volume.direction).reshape(3, 3) @ steps


def onto_grid(
    image: Any, grid: Any, transform: Any, *, linear: bool = False, beyond: float = 0
) -> Any:
    """Resample an image onto the grid of another, by the nearest voxel unless linear."""
    sitk = simpleitk()
    resampler = sitk.ResampleImageFilter()
    resampler.SetNumberOfThreads(1)
    resampler.SetReferenceImage(grid)
    resampler.SetTransform(transform)
    resampler.SetInterpolator(sitk.sitkLinear if linear else sitk.sitkNearestNeighbor)
    resampler.SetDefaultPixelValue(beyond)
    return resampler.Execute(image)


def voxels_of(image: Any) -> Array:
    """Voxels (z, y, x) of an image of ITK's."""
    return np.asarray(simpleitk().GetArrayFromImage(image))
