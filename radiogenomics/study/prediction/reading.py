"""Which scans of a cohort a block reads, and how they become features and views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import StudyError, short_list
from radiogenomics.core.scan import Scan
from radiogenomics.study.prediction.schema import ImageBlock, NetworkBlock, Voxels


@dataclass(frozen=True)
class Reading:
    """How scans become features and views.

    Parameters
    ----------
    jobs
        Processes; nothing depends on how many.
    seed
        Of encoders without weights.
    view
        Voxels (z, y, x) of what encoders see, instead of their presets'.
    weights
        Encoder preset → file of its weights.
    folder
        Where views are kept, so that memory need not hold them; in memory when None.
    """

    jobs: int = 1
    seed: int = 0
    view: Voxels | None = None
    weights: Mapping[str, str | Path] = field(default_factory=dict)
    folder: Path | None = None


def scans_by_phase(
    cohort: Cohort, name: str, block: ImageBlock | NetworkBlock
) -> dict[str, list[Scan]]:
    """Scans that a block reads, by phase, in its order.

    Raises
    ------
    StudyError
        The cohort has none of a phase.
    """
    if isinstance(block, NetworkBlock):
        phases, table, advice = block.phases.value, "", "Add"
    else:
        phases, table = (block.phase.value,), "as an assay of that name, or "
        advice = "Name the table after the block in the manifest, or add"
    modality, time_point = block.modality.value, block.time_point.value
    there = [s for s in cohort.scans if (s.modality, s.time_point) == (modality, time_point)]
    found = {phase: [scan for scan in there if scan.phase == phase] for phase in phases}
    lacking = [phase for phase, scans in found.items() if not scans]
    if lacking:
        kinds = sorted({f"{s.modality} {s.phase} {s.time_point}" for s in cohort.scans})
        wanted = ", ".join((modality, " and ".join(lacking), time_point))
        raise StudyError(
            f"{cohort.id}: expected the block {name!r} {table}scans ({wanted}); found the assays "
            f"{short_list(cohort.assays) or 'none'} and the scans {short_list(kinds) or 'none'}. "
            f"{advice} the scans."
        )
    return found
