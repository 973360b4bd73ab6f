"""Measure a case: each side in fresh processes of its own, in turn, on inputs read from one file.

A process loads the inputs, does a few items to warm up (imports, caches), notes its peak memory so
far, and then does the job at least once and for at least half a second. CPU seconds are those of
the process with all its threads; libraries are held to one. The peak is what the job adds to the
resident memory that stood before it. Started as a script this file is such a process.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import numpy as np
from case import Agreement, Arrays, Case, Work
from cases import CASES

SHORTEST_S = 0.5
ONE_THREAD = MappingProxyType(
    {
        f"{library}_NUM_THREADS": "1"
        for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")
    }
)


@dataclass(frozen=True)
class Cost:
    """What one job took.

    Parameters
    ----------
    cpu_s, wall_s
        Seconds.
    peak_mb
        Resident memory added, in units of 10⁶ bytes.
    """

    cpu_s: float
    wall_s: float
    peak_mb: float


@dataclass(frozen=True)
class Measurement:
    """Both sides of a case; the peer's times are extrapolated where it did a sample."""

    case: Case
    items: int
    sample: int
    rounds: int
    ours: Cost
    peer: Cost
    agreement: Agreement

    @property
    def ratio(self) -> float:
        """CPU seconds of the peer over ours; above 1 ours is faster."""
        return self.peer.cpu_s / self.ours.cpu_s

    @property
    def wall_ratio(self) -> float:
        """Wall seconds of the peer over ours."""
        return self.peer.wall_s / self.ours.wall_s

    def text(self) -> str:
        """The case in words, with all that a reader of its ratio must know."""
        parts = [self.case.job.format(items=f"{self.items:,}")]
        if self.sample < self.items:
            parts.append(f"peer extrapolated from {self.sample:,} {self.case.unit}")
        parts += [self.case.remark, self.agreement.remark]
        parts.append(f"median of {self.rounds}")
        return "; ".join(filter(None, parts))

    def record(self) -> dict[str, Any]:
        """One entry of ``results.json``."""
        return {
            "name": self.case.name,
            "case": self.text(),
            "ours_s": self.ours.cpu_s,
            "peer": self.case.peer_version(),
            "peer_s": self.peer.cpu_s,
            "ratio": self.ratio,
            "wall_ratio": self.wall_ratio,
            "ours_peak_mb": self.ours.peak_mb,
            "peer_peak_mb": self.peer.peak_mb,
            "max_rel_diff": self.agreement.max_rel_diff,
        }


def measure(case: Case, *, rounds: int, share: float = 1.0) -> Measurement:
    """Run both sides ``rounds`` times, taking turns at going first.

    Parameters
    ----------
    share
        Part of the case's size that is done; 1 for a figure worth quoting.
    """
    rounds = min(rounds, case.most_rounds)
    least = max(case.warm_up, 1)
    items, sample = (max(least, round(size * share)) for size in (case.items, case.sample))
    with TemporaryDirectory() as name:
        folder = Path(name)
        _in_process(case, "inputs", folder, items)
        costs: dict[str, list[Cost]] = {"ours": [], "theirs": []}
        for number in range(rounds):
            for side in ("ours", "theirs") if number % 2 == 0 else ("theirs", "ours"):
                _in_process(case, side, folder, items if side == "ours" else sample)
                cost = json.loads((folder / f"{side}.json").read_text("utf-8"))
                costs[side].append(Cost(**cost))
        agreement = _agreement(case, folder, sample)
    return Measurement(
        case=case,
        items=items,
        sample=sample,
        rounds=rounds,
        ours=_typical(costs["ours"]),
        peer=_typical(costs["theirs"], times=items / sample),
        agreement=agreement,
    )


def _agreement(case: Case, folder: Path, sample: int) -> Agreement:
    found, timed = _load(folder / "ours.npz"), _load(folder / "theirs.npz")
    as_timed = case.compare(found, timed)
    if case.reference is None:
        return as_timed
    _in_process(case, "reference", folder, sample)
    exact = case.compare(found, _load(folder / "reference.npz"))
    early = (
        "max_rel_diff is against the peer run to convergence; at the default settings that are "
        f"timed it stops early and differs by up to {as_timed.max_rel_diff:.0e}"
    )
    return Agreement(exact.max_rel_diff, "; ".join(filter(None, [exact.remark, early])))


def _typical(costs: Sequence[Cost], *, times: float = 1.0) -> Cost:
    """Median of each; ``times`` extrapolates the seconds, as memory does not grow with a loop."""
    return Cost(
        cpu_s=times * median(cost.cpu_s for cost in costs),
        wall_s=times * median(cost.wall_s for cost in costs),
        peak_mb=median(cost.peak_mb for cost in costs),
    )


def _in_process(case: Case, side: str, folder: Path, count: int) -> None:
    """Start a process and wait; inputs are made in one too, so that this one stays small.

    A process inherits the peak memory of the one that started it.
    """
    done = subprocess.run(
        [sys.executable, __file__, case.name, side, str(folder), str(count)],
        env={**os.environ, **ONE_THREAD},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(
            f"{case.name}: expected the side {side!r} to finish; it ended with code "
            f"{done.returncode}. Mend what it says:\n{done.stderr}"
        )


def _timed(work: Work, warm_up: int, *, given: Arrays, count: int) -> tuple[Cost, Arrays]:
    """Do the job; memory is counted from after the warm-up, at which point libraries are loaded."""
    work(given, warm_up)
    gc.collect()
    before = _peak_mb()
    cpu: list[float] = []
    wall: list[float] = []
    while sum(wall) < SHORTEST_S:
        cpu_start, wall_start = time.process_time(), time.perf_counter()
        found = work(given, count)
        cpu.append(time.process_time() - cpu_start)
        wall.append(time.perf_counter() - wall_start)
    return Cost(median(cpu), median(wall), _peak_mb() - before), found


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _save(path: Path, arrays: Arrays) -> None:
    np.savez(path, allow_pickle=False, **arrays)


def _load(path: Path) -> Arrays:
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def _main(arguments: Sequence[str]) -> None:
    name, side, place, count = arguments
    case, folder = CASES[name], Path(place)
    if side == "inputs":
        _save(folder / "inputs.npz", case.inputs(int(count)))
        return
    given = _load(folder / "inputs.npz")
    if side == "reference" and case.reference is not None:
        _save(folder / "reference.npz", case.reference(given, int(count)))
        return
    work = case.ours if side == "ours" else case.theirs
    cost, found = _timed(work, case.warm_up, given=given, count=int(count))
    _save(folder / f"{side}.npz", found)
    (folder / f"{side}.json").write_text(json.dumps(asdict(cost)), encoding="utf-8")


if __name__ == "__main__":
    _main(sys.argv[1:])
