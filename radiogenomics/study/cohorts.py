"""The cohorts that a run is given: read from manifests, hashed, each named once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import StudyError
from radiogenomics.io import input_hashes, load_cohort
from radiogenomics.study.registry import find_manifest


def load_cohorts(
    manifests: Sequence[str | Path], data_root: str | Path | None
) -> tuple[list[Cohort], dict[str, str]]:
    """Read cohorts by path or shipped name, with the hash of every file by logical name.

    Parameters
    ----------
    manifests
        At least one.
    data_root
        Folder that their files are relative to; each manifest's own folder when None.

    Raises
    ------
    StudyError
        There is no manifest.
    RadiogenomicsError
        A manifest or a file is wrong; the branch says how.
    """
    if not manifests:
        raise StudyError(
            "expected at least one cohort manifest; found none. Name one with --cohort."
        )
    cohorts: list[Cohort] = []
    hashes: dict[str, str] = {}
    # All are found before the first is read, which may take minutes.
    for path in [find_manifest(name) for name in manifests]:
        root = Path(data_root) if data_root is not None else path.parent
        cohort = load_cohort(path, data_root=root)
        found = input_hashes(path, data_root=root)
        hashes |= {f"{cohort.id}/{name}": digest for name, digest in found.items()}
        cohorts.append(cohort)
    return cohorts, hashes


def require_distinct(cohorts: Sequence[Cohort]) -> None:
    """Raise StudyError where two cohorts have one id."""
    ids = [cohort.id for cohort in cohorts]
    if len(set(ids)) != len(ids):
        raise StudyError(
            f"expected cohorts with distinct ids; found {', '.join(ids)}. Name each once."
        )
