"""Devices: the same tissue through a CT or an MR scanner of a site."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.simulate.streams import WORLD, stream

MODALITIES = ("CT", "MR")


@dataclass(frozen=True)
class ScannerConstants:
    """Ranges from which a site's devices are drawn, uniformly.

    Parameters
    ----------
    blur_mm
        SD of the point spread.
    ct_noise_hu, ct_offset_hu
        SD of CT noise; miscalibration.
    mr_gain, mr_gain_spread, mr_offset
        Arbitrary units of MR: a site's gain, its log SD between scans, offset.
    mr_noise
        Noise of MR as a share of the gain.
    mr_bias
        Amplitude of the slow bias field.
    grain_voxels
        SD in voxels over which noise is correlated in-plane.
    """

    blur_mm: tuple[float, float] = (1.5, 3.0)
    ct_noise_hu: tuple[float, float] = (7.0, 15.0)
    ct_offset_hu: tuple[float, float] = (-6.0, 6.0)
    mr_gain: tuple[float, float] = (300.0, 1200.0)
    mr_gain_spread: float = 0.15
    mr_offset: tuple[float, float] = (10.0, 80.0)
    mr_noise: tuple[float, float] = (0.012, 0.028)
    mr_bias: float = 0.05
    grain_voxels: tuple[float, float] = (0.3, 0.7)


@dataclass(frozen=True)
class Scanner:
    """One device.

    Parameters
    ----------
    modality
        ``"CT"`` or ``"MR"``.
    blur_mm
        SD of the point spread.
    noise
        SD: HU for CT, share of the gain for MR.
    grain_voxels
        SD in voxels over which noise is correlated in-plane.
    gain, gain_spread, offset, bias
        Arbitrary units of MR; for CT the gain is 1 and the offset a miscalibration in HU.
    """

    modality: str
    blur_mm: float
    noise: float
    grain_voxels: float
    gain: float
    gain_spread: float
    offset: float
    bias: float


def site_scanner(site: str, modality: str, constants: ScannerConstants) -> Scanner:
    """Return the device of ``site``; it depends on the two names only, never on the cohort.

    Raises
    ------
    UnknownNameError
        The modality is neither CT nor MR.
    """
    if modality not in MODALITIES:
        raise UnknownNameError("modality of the simulation", modality, MODALITIES)
    rng = stream(WORLD, "scanner", site, modality)
    blur, grain = rng.uniform(*constants.blur_mm), rng.uniform(*constants.grain_voxels)
    if modality == "CT":
        noise, offset = rng.uniform(*constants.ct_noise_hu), rng.uniform(*constants.ct_offset_hu)
        return Scanner("CT", blur, noise, grain, 1.0, 0.0, offset, 0.0)
    noise, offset = rng.uniform(*constants.mr_noise), rng.uniform(*constants.mr_offset)
    gain = rng.uniform(*constants.mr_gain)
    spread, bias = constants.mr_gain_spread, constants.mr_bias
    return Scanner("MR", blur, noise, grain, gain, spread, offset, bias)


def acquire(
    hu: np.ndarray,
    spacing_mm: tuple[float, float, float],
    scanner: Scanner,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    """Scan tissue.

    CT: ``blur(t) + offset + noise``. MR: magnitude of ``a · bias · g(blur(t)) + complex noise``,
    plus ``b``, with the monotone ``g(t) = log(1 + 3u) / log 4``, ``u = (t + 150) / 400`` clipped to
    [0, 1].

    Parameters
    ----------
    hu
        Tissue in HU (z, y, x).
    spacing_mm
        Voxel size (z, y, x).
    scanner
        The device.
    rng
        Source of noise, gain and bias field.

    Returns
    -------
    numpy.ndarray
        int16: HU, or arbitrary units of at least 0.
    """
    sigma = [scanner.blur_mm / step for step in spacing_mm]
    seen = gaussian_filter(hu, sigma, truncate=3.0, mode="nearest")
    if scanner.modality == "CT":
        seen += np.float32(scanner.offset)
        seen += np.float32(scanner.noise) * _noise(hu.shape, scanner, rng)
        return np.rint(seen).astype(np.int16)
    gain = np.float32(scanner.gain * np.exp(scanner.gain_spread * rng.standard_normal()))
    signal = _mr_signal(seen) * _bias_field(hu.shape, scanner.bias, rng)
    signal += np.float32(scanner.noise) * _noise(hu.shape, scanner, rng)
    quadrature = np.float32(scanner.noise) * _noise(hu.shape, scanner, rng)
    magnitude = np.hypot(signal, quadrature)
    return np.rint(gain * magnitude + np.float32(scanner.offset)).astype(np.int16)


def _mr_signal(hu: np.ndarray) -> np.ndarray:
    share = np.clip((hu + 150) / 400, 0.0, 1.0)
    return np.log1p(3 * share) / np.float32(np.log(4.0))


def _noise(shape: tuple[int, ...], scanner: Scanner, rng: np.random.Generator) -> np.ndarray:
    field = rng.standard_normal(shape, dtype=np.float32)
    grain = scanner.grain_voxels
    field = gaussian_filter(field, (0.0, grain, grain), truncate=3.0, mode="wrap")
    return field / field.std()


def _bias_field(shape: tuple[int, ...], amplitude: float, rng: np.random.Generator) -> np.ndarray:
    """Half a wave along each axis, multiplied onto the signal."""
    profiles = []
    for size in shape:
        position = np.linspace(0.0, np.pi, size, dtype=np.float32)
        wave = np.cos(
            position * np.float32(rng.uniform(0.5, 1.0)) + np.float32(rng.uniform(0, 6.3))
        )
        profiles.append(np.float32(amplitude) * wave)
    z, y, x = profiles
    return np.exp(z[:, None, None] + y[None, :, None] + x[None, None, :])
