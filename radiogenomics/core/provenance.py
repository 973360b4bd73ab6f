"""Where a result comes from: content hashes of the inputs, versions, seed and recipe hash."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from radiogenomics.core.errors import ChecksumError, MissingFileError
from radiogenomics.core.immutable import Immutable

REPORTED_PACKAGES = (
    "numpy",
    "scipy",
    "pandas",
    "anndata",
    "scikit-learn",
    "statsmodels",
    "lifelines",
    "SimpleITK",
    "pyradiomics",
)


@dataclass(frozen=True)
class Provenance(Immutable):
    """Everything needed to say that two results come from the same work.

    Parameters
    ----------
    inputs
        Logical name → SHA-256 of the content.
    recipe
        SHA-256 of the recipe.
    seed
        Seed of every random number drawn.
    versions
        Python and packages.
    """

    inputs: Mapping[str, str]
    recipe: str
    seed: int
    versions: Mapping[str, str]

    def __post_init__(self) -> None:
        """Freeze the mappings."""
        self._freeze("inputs", "versions")

    def to_json(self) -> str:
        """Readable JSON, keys sorted: equal work gives equal text."""
        fields = {
            "inputs": dict(self.inputs),
            "recipe": self.recipe,
            "seed": self.seed,
            "versions": dict(self.versions),
        }
        return json.dumps(fields, indent=2, sort_keys=True)


def version() -> str:
    """Version of this package, or ``"unknown"`` when it runs without being installed."""
    try:
        return importlib.metadata.version("radiogenomics")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def versions() -> dict[str, str]:
    """Versions of Python, of this package and of what it computes with."""
    found = {"python": platform.python_version(), "radiogenomics": version()}
    for package in REPORTED_PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content, read in pieces; hexadecimal, lower case.

    Raises
    ------
    MissingFileError
        There is no such file.
    """
    if not path.is_file():
        raise MissingFileError(
            f"expected a file at {path}; found none. Check the path or the data root."
        )
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def hash_text(text: str) -> str:
    """SHA-256 of a text in UTF-8.

    Examples
    --------
    >>> hash_text("KPNA2")[:12]
    '010fcc3c907f'
    """
    return hashlib.sha256(text.encode()).hexdigest()


def hash_frame(frame: pd.DataFrame) -> str:
    """SHA-256 of a table: values, index, column names, and the order of rows and columns.

    Order counts because it changes results: folds follow the rows, and a learner breaks ties by
    column. Types count too (1 and 1.0 differ); names of the index do not. The same table gives the
    same hash in every process and on every machine, for one version of pandas.
    """
    rows = pd.util.hash_pandas_object(frame, index=True)
    digest = hashlib.sha256(rows.to_numpy().astype("<u8").tobytes())
    digest.update("\x1f".join(map(str, frame.columns)).encode())
    return digest.hexdigest()


def check_file(path: Path, expected: str) -> None:
    """Compare a file with the SHA-256 recorded for it.

    Raises
    ------
    ChecksumError
        They differ.
    MissingFileError
        There is no such file.
    """
    found = hash_file(path)
    if found != expected.strip().lower():
        raise ChecksumError(
            f"{path.name}: expected SHA-256 {expected[:12]}…; found {found[:12]}…. "
            "The file changed or the download broke: fetch it again, or correct the manifest."
        )
