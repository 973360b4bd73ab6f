"""Retest tables: each scan measured again under perturbation, and which features survive it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Literal, get_args

import joblib
import numpy as np
import pandas as pd

from radiogenomics.core.errors import (
    DataError,
    RadiogenomicsError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.core.scan import Scan, Volume
from radiogenomics.imaging.backend import features_of_volume
from radiogenomics.imaging.perturb import noised, redrawn, resized, rotated, translated
from radiogenomics.imaging.regions import with_region
from radiogenomics.imaging.settings import ExtractionSettings
from radiogenomics.stats.agreement.icc import Form, intraclass_correlation

Perturbation = Literal["translation", "rotation", "noise", "size", "contour"]
PERTURBATIONS: tuple[Perturbation, ...] = get_args(Perturbation)

GREATEST_ANGLE_DEGREES = 10.0
GREATEST_CHANGE = 0.15


def perturbed(
    volume: Volume,
    region: str,
    *,
    rng: np.random.Generator,
    kinds: Sequence[Perturbation] = PERTURBATIONS,
) -> Volume:
    """Return the volume as another scan and another reader could have given it.

    Parameters
    ----------
    volume
        Left as it is.
    region
        Name of the mask.
    rng
        Source of the strengths: translation by up to half a voxel along each axis, rotation by up
        to 10 degrees in the axial plane, noise of the level that is in the image, a region up to 15
        per cent larger or smaller, its contour drawn anew along supervoxels.
    kinds
        What happens, in this order.

    Raises
    ------
    UnknownNameError
        There is no such perturbation.
    GeometryError
        The region is empty, or does not survive.

    References
    ----------
    Zwanenburg et al. 2019, doi:10.1038/s41598-018-36938-4.
    """
    volume = with_region(volume, region)
    for kind in kinds:
        volume = _one(volume, region, kind, rng)
    return volume


def retest_table(
    scans: Iterable[Scan],
    settings: ExtractionSettings,
    *,
    region: str = "tumour",
    readings: int = 5,
    kinds: Sequence[Perturbation] = PERTURBATIONS,
    seed: int = 0,
    jobs: int = 1,
) -> pd.DataFrame:
    """Measure every scan several times, each time perturbed anew.

    Parameters
    ----------
    scans
        At least two, best of different patients.
    settings
        What is extracted.
    region
        Name of the mask.
    readings
        Times that each scan is measured.
    kinds
        Perturbations of each reading.
    seed
        Each scan and reading has a random stream of its own under it.
    jobs
        Processes.

    Returns
    -------
    DataFrame
        One row a reading, indexed by (scan number, reading); columns are features. A reading that
        failed is a row of NaN, and a warning says why.

    Raises
    ------
    DataError
        There are fewer than two scans or readings, or every reading failed.
    """
    todo = list(scans)
    if len(todo) < 2 or readings < 2:
        raise DataError(
            f"expected at least 2 scans and 2 readings; found {len(todo)} and {readings}. "
            "Agreement is judged against the spread between patients: add scans."
        )
    one = partial(_read, settings=settings, region=region, kinds=tuple(kinds), seed=seed)
    cells = [
        (scan, number, reading) for number, scan in enumerate(todo) for reading in range(readings)
    ]
    found = joblib.Parallel(n_jobs=jobs)(joblib.delayed(one)(*cell) for cell in cells)
    rows = _numbers(found)
    index = pd.MultiIndex.from_tuples([cell[1:] for cell in cells], names=["scan", "reading"])
    return pd.DataFrame(rows, index=index)


def _numbers(found: Sequence[dict[str, float] | RadiogenomicsError]) -> list[dict[str, float]]:
    """Rows, empty where a reading failed; DataError when all did."""
    failed = [str(row) for row in found if isinstance(row, RadiogenomicsError)]
    if len(failed) == len(found):
        raise DataError(f"expected readings; found that all failed: {failed[0]}")
    if failed:
        warnings.warn(
            f"{len(failed)} of {len(found)} readings failed and are NaN: {failed[0]}",
            RadiogenomicsWarning,
            stacklevel=3,
        )
    return [{} if isinstance(row, RadiogenomicsError) else row for row in found]


def feature_agreement(table: pd.DataFrame, *, form: Form = "ICC(1,1)") -> pd.DataFrame:
    """Intraclass correlation of each feature of a retest table, with its 95 % interval.

    It describes the features of these scans. To select by it is learning: inside a fold only.

    Parameters
    ----------
    table
        Rows indexed by (scan, reading), every scan read equally often, as :func:`retest_table`
        gives them or as readers' tables are stacked.
    form
        ``ICC(1,1)`` for perturbations, which have no identity across scans; ``ICC(2,1)`` for the
        same readers throughout.

    Returns
    -------
    DataFrame
        Indexed by feature: icc, low, high; NaN where a feature is not defined for every reading or
        never varies.

    Raises
    ------
    DataError
        The scans are not read equally often.
    """
    counts = table.groupby(level=0).size()
    if counts.nunique() != 1:
        raise DataError(
            f"expected the same number of readings of each scan; found {counts.min()} to "
            f"{counts.max()}. Leave out scans that lack one."
        )
    values = table.to_numpy(dtype=float).reshape(len(counts), int(counts.iloc[0]), -1)
    defined = np.isfinite(values).all(axis=(0, 1))
    found = np.full((3, defined.size), np.nan)
    if defined.any():
        icc = intraclass_correlation(values[..., defined], form=form)
        found[:, defined] = icc.value, icc.low, icc.high
    return pd.DataFrame(found.T, index=table.columns, columns=["icc", "low", "high"])


def _read(
    scan: Scan,
    number: int,
    reading: int,
    *,
    settings: ExtractionSettings,
    region: str,
    kinds: tuple[Perturbation, ...],
    seed: int,
) -> dict[str, float] | RadiogenomicsError:
    rng = np.random.default_rng([seed, number, reading])
    try:
        changed = perturbed(scan.load(), region, rng=rng, kinds=kinds)
        return features_of_volume(changed, settings, region=region)
    except RadiogenomicsError as error:
        return error


def _one(volume: Volume, region: str, kind: str, rng: np.random.Generator) -> Volume:
    match kind:
        case "translation":
            z, y, x = rng.uniform(-0.5, 0.5, 3)
            return translated(volume, (float(z), float(y), float(x)))
        case "rotation":
            angle = float(rng.uniform(-GREATEST_ANGLE_DEGREES, GREATEST_ANGLE_DEGREES))
            return rotated(volume, region, angle_degrees=angle)
        case "noise":
            return noised(volume, rng=rng)
        case "size":
            change = float(rng.uniform(-GREATEST_CHANGE, GREATEST_CHANGE))
            return resized(volume, region, change=change)
        case "contour":
            return redrawn(volume, region, rng=rng)
        case _:
            raise UnknownNameError("perturbation", kind, PERTURBATIONS)
