"""Where in the tumour a linked feature is high: its map in two patients of the cohort."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import StudyError, short_list
from radiogenomics.core.log import get_logger
from radiogenomics.core.scan import Scan, Volume
from radiogenomics.imaging import SETTINGS_PRESETS, ExtractionSettings, load_settings
from radiogenomics.imaging.extract import FAILURES
from radiogenomics.imaging.masks import LESION_RULES
from radiogenomics.imaging.slice_map import SliceMap, has_place, image_types, slice_map
from radiogenomics.study.association.stages import Drawn
from radiogenomics.study.findings import Findings
from radiogenomics.study.results import without_identities

HIGHEST, LOWEST = "highest", "lowest"
FEATURES_SHOWN = 2
ALIKE = 0.9
"""|rho| of two features from which the second map would show what the first does."""
TRIES = 5
"""Scans of one end that are tried before the end is given up."""
SAME = 1e-3
"""Relative difference up to which a feature measured again is the one of the table."""
FACTS = ("modality", "phase", "time_point")

Notes = list[tuple[str, str]]


class OverlayWanted(NamedTuple):
    """What feature maps are made with.

    Attributes
    ----------
    settings : ExtractionSettings
        Those of the table of features.
    region : str
        Name of the mask.
    named : str
        The settings as they were asked for: a preset, or the path of a parameter file.
    """

    settings: ExtractionSettings
    region: str
    named: str

    @property
    def files(self) -> tuple[Path, ...]:
        """The parameter file, where there is one."""
        return () if self.named in SETTINGS_PRESETS else (Path(self.named),)

    def words(self) -> dict[str, str]:
        """What a recipe keeps."""
        return {"settings": Path(self.named).name, "region": self.region}


class _Mapped(NamedTuple):
    patient: str
    found: SliceMap
    in_table: float


def overlay_wanted(settings: str | Path | None, region: str | None) -> OverlayWanted | None:
    """Settings by the name of a preset or a parameter file, with the region; None of neither.

    Raises
    ------
    StudyError
        One stands without the other.
    RadiogenomicsError
        There are no such settings.

    Examples
    --------
    >>> overlay_wanted("ct", "tumour").region, overlay_wanted(None, None)
    ('tumour', None)
    """
    if settings is None and region is None:
        return None
    if settings is None or region is None:
        raise StudyError(
            f"feature maps: expected settings and a region; found settings {settings} and region "
            f"{region}. Give both --settings and --region, those of the features, or neither."
        )
    return OverlayWanted(load_settings(settings), region, str(settings))


def feature_overlay(
    scan: Scan | Volume,
    feature: str,
    *,
    region: str = "tumour",
    settings: str | Path | ExtractionSettings,
) -> SliceMap:
    """Map a feature of one scan, in the slice in which the region is largest.

    Parameters
    ----------
    scan
        A scan of a cohort, or voxels with masks.
    feature
        Full name, ``original_glcm_JointEntropy``.
    region
        Name of the mask, or a word that makes one.
    settings
        A preset, a pyradiomics parameter file, or settings: those that the feature came from.

    Returns
    -------
    SliceMap
        What :func:`~radiogenomics.plots.feature_overlay.draw_feature_overlay` takes.

    Raises
    ------
    RadiogenomicsError
        As for :func:`~radiogenomics.imaging.slice_map.slice_map` and ``load_settings``.
    """
    chosen = settings if isinstance(settings, ExtractionSettings) else load_settings(settings)
    volume = scan.load() if isinstance(scan, Scan) else scan
    return slice_map(volume, region, chosen, feature=feature)


def overlay_stage(
    drawn: Drawn,
    *,
    settings: ExtractionSettings,
    region: str,
    features: int = FEATURES_SHOWN,
) -> Findings:
    """Map the most strongly linked features in the patients in whom they are highest and lowest.

    Of features that say the same (rank correlation of 0.9 or more) the first is taken. What cannot
    be mapped is said in notes; a map of links never fails for want of a picture.

    Parameters
    ----------
    drawn
        A map; without a cohort that has scans there is only a note.
    settings, region
        Those that the features were extracted with.
    features
        How many.

    Returns
    -------
    Findings
        ``overlay``: panel (``highest`` or ``lowest``), feature, patient_id, cohort, y, x, scan,
        value, inside, spacing_y, spacing_x; one row a voxel of the slice, around the region. Value
        is missing outside it.
    """
    cohort = drawn.sides.cohort
    if cohort is None or not cohort.scans:
        lacking = "files of features only" if cohort is None else f"{cohort.id} without scans"
        return Findings(notes=(_note(f"expected a cohort with scans; found {lacking}"),))
    notes: Notes = []
    tables = []
    for feature in _linked(drawn, settings, count=features, notes=notes):
        get_logger(__name__).info("feature maps of %s", feature)
        ends = _ends(drawn, cohort, feature, settings=settings, region=region, notes=notes)
        for panel, mapped in ends:
            tables.append(_table(mapped, panel=panel, cohort=cohort.id))
            notes.extend(_differing(mapped, settings))
    found = {"overlay": pd.concat(tables, ignore_index=True)} if tables else {}
    told = without_identities(dict.fromkeys(notes), [cohort])
    return Findings(tables=found, notes=told)


def _linked(
    drawn: Drawn, settings: ExtractionSettings, *, count: int, notes: Notes
) -> Iterator[str]:
    """Features that have a place and are not alike, the most strongly linked first."""
    try:
        known = image_types(settings)
    except FAILURES as error:
        notes.append(_note(f"the settings cannot be used ({error})"))
        return
    chosen: list[str] = []
    nowhere = []
    for feature in drawn.found.tables["feature_links"]["feature"].astype(str):
        if len(chosen) == count:
            break
        if not has_place(feature, known):
            nowhere.append(feature)
        elif not _is_alike(drawn.features, feature, chosen):
            chosen.append(feature)
            yield feature
    if nowhere:
        after = "the strongest others are shown" if chosen else "no other feature is left"
        words = "no place in the scan (shape, deep, or not of these settings)"
        text = f"expected features of intensities; found {words}: {short_list(nowhere)}; {after}"
        notes.append(_note(text, level="info"))


def _is_alike(features: pd.DataFrame, feature: str, chosen: list[str]) -> bool:
    return any(
        abs(features[feature].corr(features[other], method="spearman")) >= ALIKE for other in chosen
    )


def _ends(
    drawn: Drawn,
    cohort: Cohort,
    feature: str,
    *,
    settings: ExtractionSettings,
    region: str,
    notes: Notes,
) -> Iterator[tuple[str, _Mapped]]:
    """The feature's map in the patient in whom it is highest, and in whom it is lowest."""
    scans = _scans(drawn, cohort, feature, notes)
    known = drawn.features[feature].dropna()
    values = known[known.index.isin(list(scans))].sort_values(kind="stable")
    if values.empty:
        text = f"{feature}: none of {len(known)} patients has a scan of the table's kind"
        notes.append(_note(text))
    used: set[str] = set()
    for panel, order in ((HIGHEST, values.index[::-1]), (LOWEST, values.index)):
        reasons = []
        for patient in [each for each in order if each not in used][:TRIES]:
            used.add(patient)
            try:
                found = feature_overlay(scans[patient], feature, region=region, settings=settings)
            except FAILURES as error:
                reasons.append(f"{type(error).__name__}: {error}")
                continue
            yield panel, _Mapped(patient, found, float(values[patient]))
            break
        if reasons:
            words = f"{feature}, {panel}: {len(reasons)} scans could not be mapped"
            notes.append(_note(f"{words} ({reasons[0]})"))


def _scans(drawn: Drawn, cohort: Cohort, feature: str, notes: Notes) -> dict[str, Scan]:
    """One scan a patient: the one the table of features names, if it says, or the first."""
    source = str(drawn.sides.sources[feature])
    facts = pd.DataFrame()
    if source in cohort.assays:
        samples = cohort.assays[source].samples
        facts = samples.set_index(samples["patient_id"].astype(str))
    named = [fact for fact in FACTS if fact in facts]
    found: dict[str, Scan] = {}
    several = False
    for scan in cohort.scans:
        patient = scan.patient_id
        fits = not named or (
            patient in facts.index
            and all(getattr(scan, fact) == facts.at[patient, fact] for fact in named)
        )
        several |= fits and patient in found
        if fits:
            found.setdefault(patient, scan)
    if several:
        text = f"{source} does not say which of several scans of a patient it is of: the first"
        notes.append(_note(f"{text} was taken", level="info"))
    return found


def _table(mapped: _Mapped, *, panel: str, cohort: str) -> pd.DataFrame:
    found = mapped.found
    y, x = np.meshgrid(found.rows, found.columns, indexing="ij")
    return pd.DataFrame(
        {
            "panel": panel,
            "feature": found.feature,
            "patient_id": mapped.patient,
            "cohort": cohort,
            "y": y.ravel(),
            "x": x.ravel(),
            "scan": found.scan.ravel(),
            "value": found.values.ravel(),
            "inside": found.inside.ravel(),
            "spacing_y": found.spacing_mm[0],
            "spacing_x": found.spacing_mm[1],
        }
    )


def _differing(mapped: _Mapped, settings: ExtractionSettings) -> Notes:
    """A note where the feature, measured again, is not the one of the table."""
    found = mapped.found
    same = np.isclose(found.whole, mapped.in_table, rtol=SAME, atol=0)
    if same or settings.lesions not in LESION_RULES:
        return []
    return [
        _note(
            f"{found.feature} is {found.whole:.4g} where it was measured again and "
            f"{mapped.in_table:.4g} in the table: settings, region or scan may be others, or the "
            "table was harmonised"
        )
    ]


def _note(text: str, *, level: str = "warning") -> tuple[str, str]:
    return level, f"Feature maps: {text}."
