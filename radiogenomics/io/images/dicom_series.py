"""DICOM folders and files: which series there are, and which slices make one volume."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.io.images.dicom_header import SPLITTING, Instance, Plane, read_instance
from radiogenomics.io.images.image import Source

FOREIGN = frozenset(
    (".txt", ".md", ".csv", ".json", ".xml", ".html", ".htm", ".pdf", ".jpg", ".jpeg", ".png")
    + (".ini", ".db", ".log", ".yaml", ".yml", ".sha256", ".md5")
)
SAME_PLACE_MM = 0.01
KEY_DIGITS = 8


@dataclass(frozen=True)
class Slice:
    """One slice and the file it is in."""

    instance: Instance
    plane: Plane


@dataclass(frozen=True)
class Series:
    """Slices that belong together: one acquisition of one DICOM series.

    Parameters
    ----------
    key
        Short hash that stands for the series' identifier; ``.1``, ``.2``, ... follow where one
        series holds several acquisitions (phases of a dynamic study, echoes).
    modality
        DICOM word.
    slices
        In the order of the files' names.
    """

    key: str
    modality: str
    slices: tuple[Slice, ...] = field(repr=False)

    @property
    def source(self) -> Source:
        """Identifiers of all slices."""
        sources = [entry.instance.source for entry in self.slices]
        return Source(
            frozenset().union(*(source.series for source in sources)),
            frozenset().union(*(source.frames_of_reference for source in sources)),
            frozenset().union(*(source.instances for source in sources)),
        )

    def __str__(self) -> str:
        """Return modality, number of slices and key."""
        return f"{self.key} ({self.modality or 'no modality'}, {len(self.slices)} slices)"


def read_instances(path: Path, *, name: str) -> tuple[Instance, ...]:
    """Read the headers of a DICOM file, or of all in a folder.

    Hidden files, a DICOMDIR and files with the suffix of another format (text, pictures, tables)
    are passed over; any other file must be DICOM.

    Raises
    ------
    DataError
        There is no DICOM file, or one is damaged (its number in the order of names is given, since
        names may hold identifiers).
    """
    if path.is_file():
        return (read_instance(path, name=name),)
    files = sorted(file for file in path.iterdir() if file.is_file() and _may_be_dicom(file))
    if not files:
        folders = sum(entry.is_dir() for entry in path.iterdir())
        raise DataError(
            f"{name}: expected a folder of DICOM files; found none, and {folders} folders. "
            "Give the folder that holds the slices."
        )
    return tuple(
        read_instance(file, name=f"{name}, file {number} of {len(files)}")
        for number, file in enumerate(files, start=1)
    )


def series_of(instances: Iterable[Instance]) -> tuple[Series, ...]:
    """Sort images into series, localisers left out; a dynamic series becomes several."""
    groups: dict[tuple[str, str], list[Slice]] = defaultdict(list)
    for instance in instances:
        if instance.kind == "image" and not instance.localiser:
            word = "".join(sorted(instance.source.series))
            group = groups[word, instance.header.modality]
            group.extend(Slice(instance, plane) for plane in instance.planes)
    found = []
    for (word, modality), slices in groups.items():
        if not slices:
            continue
        key = sha256(f"{word}\x1f{modality}".encode()).hexdigest()[:KEY_DIGITS]
        parts = _acquisitions(slices)
        for number, part in enumerate(parts, start=1):
            suffix = f".{number}" if len(parts) > 1 else ""
            found.append(Series(key + suffix, modality, tuple(part)))
    return tuple(found)


def choose_series(instances: Sequence[Instance], key: str | None, *, name: str) -> Series:
    """Return the only series, or the one asked for.

    Raises
    ------
    DataError
        There is none, or there are several and none was asked for; they are listed.
    UnknownNameError
        There is no such series.
    """
    found = series_of(instances)
    if not found:
        raise _no_series(instances, name)
    if key is not None:
        named = {series.key: series for series in found}
        if key not in named:
            raise UnknownNameError(f"series in {name}", key, named)
        return named[key]
    if len(found) > 1:
        listed = "; ".join(map(str, sorted(found, key=lambda series: -len(series.slices))[:12]))
        raise DataError(
            f"{name}: expected one series; found {len(found)}: {listed}. "
            "Name one by its key (series), or give a folder that holds one."
        )
    return found[0]


def set_aside(instances: Sequence[Instance], chosen: Series) -> tuple[str, ...]:
    """Notes on the files of a folder that are not in the chosen series."""
    taken = {entry.instance.path for entry in chosen.slices}
    left = [instance for instance in instances if instance.path not in taken]
    localisers = sum(instance.localiser for instance in left)
    others = sum(not instance.localiser and instance.kind != "image" for instance in left)
    notes = []
    if localisers:
        notes.append(f"{localisers} localisers (overview images) were left out")
    if others:
        notes.append(f"{others} DICOM objects that are no images were left out")
    return tuple(notes)


def _may_be_dicom(file: Path) -> bool:
    name = file.name.upper()
    hidden = name.startswith((".", "DICOMDIR")) or name in ("THUMBS.DB", "LICENSE", "README")
    return not hidden and file.suffix.lower() not in FOREIGN


def _no_series(instances: Sequence[Instance], name: str) -> DataError:
    kinds = Counter(instance.kind for instance in instances)
    if any(instance.localiser for instance in instances):
        found, do = "localisers only", "Give the series that was planned on them."
    elif kinds["SEG"] or kinds["RTSTRUCT"]:
        found, do = "a segmentation or structure set", "Give it as mask, and its series as image."
    elif kinds["image"]:
        found, do = (
            "images without a position in the patient's space",
            "Export the volume as NIfTI, or take the original series.",
        )
    else:
        found, do = "DICOM objects without pixel data", "Give the folder that holds the slices."
    return DataError(f"{name}: expected slices of a volume; found {found}. {do}")


def _acquisitions(slices: list[Slice]) -> list[list[Slice]]:
    """Split slices that lie k times at each place, where one tag tells the k apart."""
    places = Counter(_place(entry) for entry in slices)
    times = set(places.values())
    if len(times) != 1 or times == {1}:
        return [slices]
    repeats = times.pop()
    for mark in range(len(SPLITTING)):
        parts: dict[str, list[Slice]] = defaultdict(list)
        for entry in slices:
            parts[entry.plane.marks[mark]].append(entry)
        whole = all(
            len(part) == len({_place(entry) for entry in part}) == len(places)
            for part in parts.values()
        )
        if len(parts) == repeats and whole:
            return [parts[value] for value in sorted(parts, key=_natural)]
    return [slices]


def _place(entry: Slice) -> tuple[int, ...]:
    return tuple(round(value / SAME_PLACE_MM) for value in entry.plane.position)


def _natural(value: str) -> tuple[float, str]:
    """Numbers by size, words behind them."""
    try:
        return float(value), value
    except ValueError:
        return float("inf"), value
