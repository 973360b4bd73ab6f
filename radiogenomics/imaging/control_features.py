"""Features of negative controls: what is measured once the texture of each scan is destroyed."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.scan import Scan, Volume
from radiogenomics.imaging.backend import Backend
from radiogenomics.imaging.controls import Array, Control, Part, negative_control
from radiogenomics.imaging.extract import extract_features
from radiogenomics.imaging.masks import select_lesions, split_lesions
from radiogenomics.imaging.regions import with_region
from radiogenomics.imaging.settings import ExtractionSettings


@dataclass(frozen=True)
class ControlRule:
    """Which control every scan of a cohort is turned into, and under which seed.

    A rule has no state and can be sent to another process.

    Parameters
    ----------
    control
        ``"shuffled"``, ``"sampled"`` or ``"uniform"``; see
        :func:`~radiogenomics.imaging.controls.negative_control`.
    part
        Voxels that are replaced: ``"inside"`` the region, ``"outside"`` it, or ``"all"``.
    seed
        Of all scans; each has a random stream of its own under it.

    Raises
    ------
    UnknownNameError
        There is no such control or part.
    """

    control: Control = "shuffled"
    part: Part = "inside"
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse a wrong word before any scan is read."""
        for kind, word, known in (
            ("negative control", self.control, get_args(Control)),
            ("part of the image", self.part, get_args(Part)),
        ):
            if word not in known:
                raise UnknownNameError(kind, word, known)

    def apply(
        self, volume: Volume, region: str, *, settings: ExtractionSettings, scan: str
    ) -> Volume:
        """Return the control of one volume.

        What the settings measure as one is replaced as one, and what they measure apart (lesions
        that are averaged, one label of several) apart, so that each keeps its own histogram.

        Parameters
        ----------
        volume
            Left as it is.
        region
            Name of the mask.
        settings
            Those of the extraction that follows; its ``label`` and ``lesions`` are used.
        scan
            What names the scan within the cohort: the stream is found by it, so that a scan gives
            the same control alone, in any company and in any order.

        Raises
        ------
        UnknownNameError
            The volume lacks the mask.
        GeometryError
            The region is empty, or there is no voxel to replace.
        """
        rng = np.random.default_rng([self.seed, zlib.crc32(scan.encode())])
        whole = with_region(volume, region)
        changed = whole
        for measured in _measured(whole.mask(region), settings, apart=self.part == "inside"):
            alone = replace(changed, masks={region: measured})
            changed = negative_control(alone, region, control=self.control, part=self.part, rng=rng)
        return replace(whole, voxels=changed.voxels)


def extract_control_features(
    scans: Iterable[Scan],
    settings: ExtractionSettings,
    *,
    region: str = "tumour",
    control: Control = "shuffled",
    part: Part = "inside",
    seed: int = 0,
    name: str = "radiomics control",
    jobs: int = 1,
    backend: Backend = "native",
) -> FeatureTable:
    """Extract features of many scans after each was turned into its negative control.

    The voxels are replaced as they were read, before resampling, filters and discretisation. All
    else is as in :func:`~radiogenomics.imaging.extract.extract_features`.

    Size and shape of the region stay in every control, and its histogram does in a shuffled one:
    a link that is as strong for the control speaks of these and not of texture. It misleads where
    the mask covers several tissues (shuffling mixes them, which takes away more than texture), and
    where filters reach across the border: what lies there stays, but for ``part="all"``.

    Parameters
    ----------
    scans
        Scans with a mask of ``region``.
    settings
        Those of the features that the control stands beside.
    control, part, seed
        See :class:`ControlRule`.

    Returns
    -------
    FeatureTable
        As of ``extract_features``, with ``control`` and ``control_part`` in ``obs``.

    Raises
    ------
    UnknownNameError
        There is no such control or part.
    DataError
        There is no scan, or all fail.
    MissingExtraError
        The engine is not installed.

    References
    ----------
    Welch et al. 2019, doi:10.1016/j.radonc.2018.10.027.
    """
    rule = ControlRule(control, part, seed)
    controls = [
        replace(scan, loader=_ControlLoader(scan, region, settings, rule)) for scan in scans
    ]
    table = extract_features(
        controls, settings, region=region, name=name, jobs=jobs, backend=backend
    )
    values = table.adata.copy()
    values.obs["control"], values.obs["control_part"] = control, part
    values.var["source"] = values.var["source"].astype(str) + f"; negative control {control} {part}"
    return FeatureTable(table.name, values)


@dataclass(frozen=True)
class _ControlLoader:
    """Loads a scan as its control."""

    scan: Scan
    region: str
    settings: ExtractionSettings
    rule: ControlRule

    def __call__(self) -> Volume:
        scan = self.scan
        named = "/".join((scan.patient_id, scan.modality, scan.phase, scan.time_point))
        return self.rule.apply(scan.load(), self.region, settings=self.settings, scan=named)


def _measured(mask: Array, settings: ExtractionSettings, *, apart: bool) -> list[Array]:
    """Boolean masks of what is measured as one."""
    if settings.lesions in ("largest", "union") or not apart:
        rule = "largest" if settings.lesions == "largest" else "union"
        return [select_lesions(mask, rule, label=settings.label)]
    lesions = split_lesions(mask if settings.label is None else mask == settings.label)
    return [lesions == number for number in range(1, int(lesions.max()) + 1)]
