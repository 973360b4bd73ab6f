"""From lesions to the patient: one rule says which lesions are measured and how they are joined."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from radiogenomics.core.errors import GeometryError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.backend import Backend, features_of_volume
from radiogenomics.imaging.masks import split_lesions
from radiogenomics.imaging.settings import ExtractionSettings

Features = dict[str, float]

JOINED = ""
BY_SIZE = "#"


def features_of_lesions(
    volume: Volume,
    settings: ExtractionSettings,
    *,
    region: str = "tumour",
    backend: Backend = "native",
    threads: int = 1,
) -> dict[str, Features]:
    r"""Features of a scan by the settings' lesion rule.

    ``largest`` and ``union`` measure one region. ``mean`` measures each lesion and averages,
    ``volume_weighted`` averages with the lesions' volumes as weights,
    :math:`\sum_l v_l f_l / \sum_l v_l`, ``per_lesion`` averages nothing. A feature that is not
    defined for a lesion is left out of its average. Averages mislead for sizes: the mean volume of
    the lesions is not the tumour burden, for which ``union`` is the rule.

    Parameters
    ----------
    volume
        Voxels and masks.
    settings
        Its ``lesions`` is the rule. Lesions below ``minimum_voxels`` are not measured.
    region
        Name of the mask.
    backend
        Engine that measures.
    threads
        Threads of the native engine.

    Returns
    -------
    dict
        With ``per_lesion``: the lesion's number in the mask → features, largest first; where the
        mask does not number them, ``"#1"``, ``"#2"``, ... by size, which in another scan need not
        be the same lesions. Otherwise the one key ``""``.

    Raises
    ------
    UnknownNameError
        The volume lacks the mask.
    GeometryError
        The region is empty, or no lesion is large enough.
    """
    if settings.lesions in ("largest", "union"):
        found = features_of_volume(
            volume, settings, region=region, backend=backend, threads=threads
        )
        return {JOINED: found}
    each = _measured_apart(volume, settings, region=region, backend=backend, threads=threads)
    if settings.lesions == "per_lesion":
        return {lesion: found for lesion, (found, _) in each.items()}
    weighted = settings.lesions == "volume_weighted"
    return {JOINED: _average([(row, size if weighted else 1) for row, size in each.values()])}


def _measured_apart(
    volume: Volume,
    settings: ExtractionSettings,
    *,
    region: str,
    backend: Backend,
    threads: int,
) -> dict[str, tuple[Features, int]]:
    """Features and voxels of each lesion that is large enough."""
    mask = volume.mask(region)
    mask = mask if settings.label is None else (mask == settings.label).astype(np.uint8)
    lesions = split_lesions(mask)
    sizes = np.bincount(lesions.ravel())[1:].tolist()
    kept = [n for n, size in enumerate(sizes, start=1) if size >= settings.minimum_voxels]
    if not kept:
        raise GeometryError(
            f"expected a lesion of at least {settings.minimum_voxels} voxels; found "
            f"{len(sizes)} smaller. Leave the scan out, or lower minimum_voxels knowingly."
        )
    one = settings.model_copy(update={"lesions": "union", "label": None})
    numbered = len(np.unique(mask[mask > 0])) > 1
    each = {}
    for n in kept:
        lesion = lesions == n
        alone = replace(volume, masks={**volume.masks, region: lesion})
        found = features_of_volume(alone, one, region=region, backend=backend, threads=threads)
        name = str(mask[lesion][0]) if numbered else f"{BY_SIZE}{n}"
        each[name] = (found, sizes[n - 1])
    return each


def _average(rows: list[tuple[Features, int]]) -> Features:
    """Weighted mean over lesions; NaN where no lesion has the feature."""
    values = np.array([list(row.values()) for row, _ in rows])
    weights = np.array([weight for _, weight in rows], dtype=float)
    defined = np.isfinite(values)
    shares = defined * weights[:, np.newaxis]
    total = shares.sum(axis=0)
    sums = (np.where(defined, values, 0.0) * shares).sum(axis=0)
    means = np.divide(sums, total, out=np.full(total.shape, np.nan), where=total > 0)
    return dict(zip(rows[0][0], map(float, means), strict=True))
