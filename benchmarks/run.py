"""Time this package beside its peers: ``make bench``, or ``python benchmarks/run.py --help``.

Every number is measured here and now; a ratio is worth quoting from one quiet run only, both sides
of which ran in turn on the same machine.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cases import CASES
from measure import Measurement, measure

HEADINGS = (
    "case", "ours, CPU s (wall)", "peer, CPU s (wall)", "ratio (wall)",
    "ours, MB", "peer, MB", "max rel diff",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the cases, print the table, write the records."""
    asked = _parse(arguments)
    measured = []
    for name in asked.case or [name for name, case in CASES.items() if not case.on_request]:
        print(f"  {name}", file=sys.stderr, flush=True)
        measured.append(measure(CASES[name], rounds=asked.rounds, share=asked.share))
    print(table(measured))
    if asked.out is not None:
        write(measured, asked.out)


def table(measured: Sequence[Measurement]) -> str:
    """Lay the numbers out as a Markdown table, and the cases in words below it."""
    rows = [HEADINGS, *map(_row, measured)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "| " + " | ".join(_padded(cell, width, column) for column, (cell, width) in cells) + " |"
        for cells in (tuple(enumerate(zip(row, widths, strict=True))) for row in rows)
    ]
    marks = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines.insert(1, "| " + " | ".join(marks) + " |")
    notes = [f"- **{m.case.name}** against {m.case.peer_version()}: {m.text()}." for m in measured]
    return "\n".join([*lines, "", *notes])


def write(measured: Sequence[Measurement], path: Path) -> None:
    """Write the records; a reader sees the old file or the new one, never half of it."""
    text = json.dumps([m.record() for m in measured], indent=2, ensure_ascii=False, allow_nan=False)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text + "\n", encoding="utf-8")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _row(measured: Measurement) -> tuple[str, ...]:
    ours, peer = measured.ours, measured.peer
    difference = measured.agreement.max_rel_diff
    return (
        measured.case.name,
        f"{_short(ours.cpu_s)} ({_short(ours.wall_s)})",
        f"{_short(peer.cpu_s)} ({_short(peer.wall_s)})",
        f"{_short(measured.ratio)}× ({_short(measured.wall_ratio)}×)",
        f"{ours.peak_mb:.0f}",
        f"{peer.peak_mb:.0f}",
        "–" if difference is None else f"{difference:.0e}" if difference else "0",
    )


def _short(number: float) -> str:
    """Three digits, without an exponent."""
    decimals = max(0, 2 - math.floor(math.log10(number))) if number > 0 else 0
    return f"{number:,.{decimals}f}" if number < 1000 else f"{float(f'{number:.3g}'):,.0f}"


def _padded(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column == 0 else cell.rjust(width)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time radiogenomics beside its peers.")
    parser.add_argument(
        "--case", action="append", choices=list(CASES), help="only this; repeatable"
    )
    parser.add_argument("--out", type=Path, help="JSON file for the records")
    parser.add_argument("--rounds", type=int, default=5, help="processes a side (default 5)")
    parser.add_argument(
        "--share", type=float, default=1.0, help="part of each size, for a quick look (default 1)"
    )
    asked = parser.parse_args(arguments)
    if asked.rounds < 1 or not 0 < asked.share <= 1:
        parser.error(
            f"expected at least 1 round and a share above 0, at most 1; found {asked.rounds} and "
            f"{asked.share}"
        )
    if asked.out is not None and not asked.out.parent.is_dir():
        parser.error(f"expected --out in a folder that exists; found none at {asked.out.parent}")
    return asked


if __name__ == "__main__":
    main()
