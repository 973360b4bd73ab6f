"""What is asked of a simulation: how many patients, where, seen how."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from radiogenomics.core.errors import DataError, SchemaError, UnknownNameError
from radiogenomics.simulate.scanner import MODALITIES
from radiogenomics.simulate.volumes import PHASES, TIME_POINTS


@dataclass(frozen=True)
class Design:
    """Size and measurements of a cohort; see :func:`~radiogenomics.simulate.hcc_cohort`.

    Parameters
    ----------
    n_patients, effect, sites, modality, n_genes, n_normals, phases, time_points
        As there.
    single_cell_patients, id
        As there.

    Raises
    ------
    DataError
        A number is out of its range, or a name is given twice.
    SchemaError
        The cohort's id has characters that a manifest does not take.
    UnknownNameError
        An unknown modality, phase or time point.
    """

    n_patients: int
    effect: float
    sites: tuple[str, ...]
    modality: str
    n_genes: int
    n_normals: int
    phases: tuple[str, ...]
    time_points: tuple[str, ...]
    single_cell_patients: int
    id: str

    def __post_init__(self) -> None:
        if self.n_patients < 2:
            raise DataError(f"expected at least 2 patients; found {self.n_patients}. Ask for more.")
        if not (np.isfinite(self.effect) and self.effect >= 0):
            raise DataError(
                f"expected an effect of at least 0; found {self.effect}. "
                "Use 0 for no link, 1 for the default strength."
            )
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", self.id):
            raise SchemaError(
                f"expected a cohort id of letters, digits, '_', '.' and '-', at most 64; "
                f"found {self.id!r}. Rename it."
            )
        self._check_subsets()
        self._check_names()

    @property
    def patient_ids(self) -> pd.Index:
        """``SIM-`` + three characters that stand for the cohort's id + running number."""
        mark = f"{zlib.crc32(self.id.encode()):08X}"[:3]
        ids = [f"SIM-{mark}-{number:04d}" for number in range(1, self.n_patients + 1)]
        return pd.Index(ids, name="patient_id", dtype=object)

    def deal(self, rng: np.random.Generator) -> np.ndarray:
        """Deal the patients to the sites, evenly and by lot."""
        return rng.permutation(np.resize(np.array(self.sites, dtype=object), self.n_patients))

    def _check_subsets(self) -> None:
        for what in ("n_normals", "single_cell_patients"):
            if not 0 <= getattr(self, what) <= self.n_patients:
                raise DataError(
                    f"expected {what} between 0 and the {self.n_patients} patients; "
                    f"found {getattr(self, what)}. Change it."
                )

    def _check_names(self) -> None:
        known = {"modality": MODALITIES, "phases": PHASES, "time_points": TIME_POINTS}
        for what, words in known.items():
            found = getattr(self, what)
            for word in (found,) if isinstance(found, str) else found:
                if word not in words:
                    raise UnknownNameError(f"word in {what}", word, words)
        if not self.sites:
            raise DataError("expected one or more sites; found none. Name at least one.")
        for what in ("sites", "phases", "time_points"):
            names = getattr(self, what)
            if len(set(names)) != len(names):
                raise DataError(f"expected {what} once each; found {names}. Remove what repeats.")
