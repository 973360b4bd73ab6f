"""Finding and reading recipes and manifests: a path first, then the names that ship."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import radiogenomics
from radiogenomics.core.errors import MissingFileError, UnknownNameError
from radiogenomics.core.schema import parse, read_yaml
from radiogenomics.study.schema import Study
from radiogenomics.study.words import check_words

PACKAGE = Path(radiogenomics.__file__).parent


def shipped(folder: str) -> Path:
    """Folder of recipes (``analyses``) or manifests (``data_manifests``).

    In an installed package it lies beside the modules; in a checkout, beside the package.
    """
    installed = PACKAGE / "_shipped" / folder
    return installed if installed.is_dir() else PACKAGE.parent / folder


def find_study(name: str | Path) -> Path:
    """Return the path of a ``study.yaml`` from a file, a folder or a shipped name."""
    path = Path(name)
    candidates = [path, path / "study.yaml"]
    if _may_be_shipped(path, "analyses"):
        candidates.append(shipped("analyses") / path.name / "study.yaml")
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise UnknownNameError("study", str(name), study_names())


def find_manifest(name: str | Path) -> Path:
    """Return the path of a manifest from a file or a shipped name."""
    path = Path(name)
    candidates = [path]
    if _may_be_shipped(path, "data_manifests"):
        candidates.append(shipped("data_manifests") / f"{path.name.removesuffix('.yaml')}.yaml")
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    if path.suffix in (".yaml", ".yml"):
        raise MissingFileError(
            f"expected a manifest at {path}; found none. Check the path, or name a shipped one: "
            f"{', '.join(manifest_names())}."
        )
    raise UnknownNameError("manifest", str(name), manifest_names())


def _may_be_shipped(path: Path, folder: str) -> bool:
    """True for a bare name and ``folder/name``; a path elsewhere means that file and no other."""
    return str(path.parent) in (".", folder)


def read_study(path: Path) -> Study:
    """Read ``study.yaml`` and check each word, including the steps' parameters.

    Raises
    ------
    MissingFileError, SchemaError, UnknownNameError
        The file is absent, a field is wrong, or a step, parameter or learner is not known.
    """
    study = parse(Study, read_yaml(path), where=f"{path.parent.name}/{path.name}")
    check_words(study)
    return study


def study_names() -> tuple[str, ...]:
    """Names of the recipes that ship with the package."""
    return tuple(sorted(path.parent.name for path in shipped("analyses").glob("*/study.yaml")))


def manifest_names() -> tuple[str, ...]:
    """Names of the manifests that ship with the package."""
    return tuple(sorted(path.stem for path in shipped("data_manifests").glob("*.yaml")))


def study_list() -> pd.DataFrame:
    """Shipped recipes as a table: title, label, learner, what the paper claims."""
    rows = []
    for name in study_names():
        study = read_study(find_study(name))
        rows.append(
            {
                "study": name,
                "title": study.title,
                "label": study.label.name,
                "learner": study.model.learner.value,
                "claim": "; ".join(
                    f"{row.metric} {row.value}" for row in study_claims(name).itertuples()
                ),
                "requires": ", ".join(study.requires) or "nothing more",
            }
        )
    return pd.DataFrame(rows).set_index("study")


def study_claims(name: str | Path) -> pd.DataFrame:
    """Return the published numbers of a study: metric, value, low, high, where."""
    path = find_study(name).with_name("claims.csv")
    if not path.is_file():
        raise MissingFileError(
            f"expected the published numbers at {path}; found none. Add claims.csv."
        )
    return pd.read_csv(
        path, dtype={"metric": str, "value": str, "where": str}, keep_default_na=False
    )


def study_show(study: str | Path) -> Study:
    """Return a recipe; its ``settings()`` is a table of every value and where it comes from."""
    return read_study(find_study(study))
