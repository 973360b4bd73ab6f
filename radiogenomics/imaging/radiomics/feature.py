"""What a radiomic feature is: one definition under the names of pyradiomics and of the IBSI."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Feature:
    r"""One feature: its names, its unit, its definition and how it is computed.

    Parameters
    ----------
    name
        Name in pyradiomics (``"JointEntropy"``); None where only the IBSI defines it so.
    ibsi_name
        Tag in the IBSI reference tables (``"cm_joint_entr"``); None where the IBSI defines it
        otherwise or not at all.
    ibsi_code
        Permanent four-character code of the IBSI (``"TU9B"``); None where it has none.
    unit
        ``"1"``, ``"bit"``, ``"mm"``, ``"mm^2"``, ``"mm^3"``, ``"intensity"``, ``"intensity^2"``.
    definition
        Formula and meaning in one line.
    compute
        What the family computes the feature from (its matrix, its voxels) → value.
    extra
        Left out unless asked for by name: redundant with another feature.
    """

    name: str | None
    ibsi_name: str | None
    ibsi_code: str | None
    unit: str
    definition: str
    compute: Callable[[Any], Any]
    extra: bool = False
