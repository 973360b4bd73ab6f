"""Check a manifest or a recipe before anything is computed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from radiogenomics.core.errors import RadiogenomicsError, RadiogenomicsWarning, UnknownNameError
from radiogenomics.core.schema import read_yaml
from radiogenomics.io import Audit, audit
from radiogenomics.study.registry import (
    AnyStudy,
    find_manifest,
    find_study,
    manifest_names,
    read_study,
    study_names,
)


def check(target: str | Path, *, data_root: str | Path | None = None) -> Audit | AnyStudy:
    """Check a manifest against its files, or a recipe against the library's words.

    Parameters
    ----------
    target
        Path or shipped name of a manifest or a recipe.
    data_root
        Folder that a manifest's files are relative to; the manifest's own folder when not given.

    Returns
    -------
    Audit or Study
        For a manifest the cohort flow with every finding (look at ``ok``); for a recipe the recipe.

    Raises
    ------
    UnknownNameError
        There is neither a manifest nor a recipe of that name.
    SchemaError, UnknownNameError
        A word of the recipe is not known.
    """
    path = _resolve(target)
    if "study" in read_yaml(path):
        return read_study(path)
    return audit(path, data_root=Path(data_root) if data_root is not None else path.parent)


def check_studies(studies: Sequence[str | Path] | None = None) -> pd.DataFrame:
    """Check several recipes, each against the library's words and its own claims.

    Parameters
    ----------
    studies
        Paths or shipped names; all shipped ones when not given.

    Returns
    -------
    DataFrame
        ``study, level, text``: a row for each recipe, with ``level`` ``ok``, ``warning`` or
        ``error``, and one for each further warning.
    """
    rows: list[tuple[str, str, str]] = []
    for name in studies or study_names():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", RadiogenomicsWarning)
            try:
                read_study(find_study(name))
                found = []
            except RadiogenomicsError as error:
                found = [("error", str(error))]
        ours = [str(w.message) for w in caught if issubclass(w.category, RadiogenomicsWarning)]
        found += [("warning", text) for text in dict.fromkeys(ours)]
        rows += [(str(name), *each) for each in found or [("ok", "")]]
    return pd.DataFrame(rows, columns=["study", "level", "text"])


def _resolve(target: str | Path) -> Path:
    for find in (find_study, find_manifest):
        try:
            return find(target)
        except (UnknownNameError, FileNotFoundError):
            continue
    raise UnknownNameError("manifest or study", str(target), (*manifest_names(), *study_names()))
