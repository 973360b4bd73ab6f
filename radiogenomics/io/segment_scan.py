"""Run a segmentation tool on a scan, and take its masks.

A tool is a program of its own. It is started with a list of arguments, no shell in between, in a
folder that exists for this run only. What it is given is called ``scan`` and holds voxels and their
place in space: neither identifiers nor names of the patient's files. What it leaves is checked
against the scan, read and deleted. Environment variables are handed on as they are: nnU-Net finds
its models by ``nnUNet_results``.

The command line is logged before it is run, and stands in what comes back;
:func:`radiogenomics.io.segmenters.command_line` shows it beforehand.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from radiogenomics.core.errors import DataError
from radiogenomics.core.log import get_logger
from radiogenomics.core.scan import Volume
from radiogenomics.io.images.grid import Grid
from radiogenomics.io.images.match import TOLERANCE, require_fit
from radiogenomics.io.images.write import write_image
from radiogenomics.io.segmentations import (
    RegionMapping,
    Segmentation,
    head_of,
    read_segmentation,
)
from radiogenomics.io.segmenters import Segmenter

_LOG = get_logger(__name__)

SHOWN_OF_LOG = 1500


@dataclass(frozen=True)
class SegmentedScan:
    """What a tool made of a scan, and how it was called.

    Attributes
    ----------
    segmentation : Segmentation
        Named masks on the scan's grid.
    command : str
        The command line; its folders are gone.
    """

    segmentation: Segmentation
    command: str


def segment(
    volumes: Sequence[Volume],
    segmenter: Segmenter,
    *,
    mapping: RegionMapping | None = None,
    timeout_s: float | None = None,
) -> SegmentedScan:
    """Let a tool segment a patient's scan.

    Parameters
    ----------
    volumes
        The scan, or the channels that the model was trained on, in its order, on one grid.
    segmenter
        The tool.
    mapping
        Which of its labels make which region; None: all labels, by its names.
    timeout_s
        Seconds after which it is stopped; None: never.

    Raises
    ------
    MissingExtraError
        It is not installed.
    StudyError, MissingFileError
        It is not set up, or left no result.
    GeometryError
        The channels lie on different grids, or the result elsewhere than the scan.
    DataError
        It ended with an error, or not in time, or takes another number of scans.
    SchemaError, UnknownNameError
        Its labels are not those that were expected.
    """
    _require_channels(volumes, segmenter)
    segmenter.require()
    with tempfile.TemporaryDirectory(prefix="radiogenomics-") as work:
        given, made = Path(work) / "given", Path(work) / "made"
        given.mkdir()
        made.mkdir()
        for name, volume in zip(segmenter.names(len(volumes)), volumes, strict=True):
            write_image(given / name, volume.voxels, grid=volume)
        command = _with_full_path(segmenter.command(given, made))
        _LOG.info("running: %s", shlex.join(command))
        _run(command, Path(work), timeout_s)
        result = segmenter.found(made)
        found = read_segmentation(
            result.path, image=head_of(volumes[0]), labels=result.labels, mapping=mapping
        )
    return SegmentedScan(found, shlex.join(command))


def _require_channels(volumes: Sequence[Volume], segmenter: Segmenter) -> None:
    wanted = segmenter.channels
    if not volumes or (wanted is not None and len(volumes) != wanted):
        raise DataError(
            f"expected {wanted or 'at least one'} scan(s) for {type(segmenter).__name__}; found "
            f"{len(volumes)}. Give the phase that it was made for."
        )
    for number, volume in enumerate(volumes[1:], start=2):
        require_fit(
            Grid.of(volume),
            Grid.of(volumes[0]),
            names=(f"channel {number}", "channel 1"),
            repair="error",
            tolerance=TOLERANCE,
        )


def _with_full_path(command: Sequence[str]) -> tuple[str, ...]:
    """Name the program by its full path, as it is run in another folder than this one."""
    return (str(Path(shutil.which(command[0]) or command[0]).absolute()), *command[1:])


def _run(command: Sequence[str], folder: Path, timeout_s: float | None) -> None:
    """Run a program to its end; what it says is kept for the error it may end with."""
    log = folder / "log.txt"
    with log.open("wb") as said:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd=folder,
            # Tools start workers of their own: a group can be stopped as a whole.
            start_new_session=True,
        )
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            _stop(process)
            raise DataError(
                f"{Path(command[0]).name}: expected an end within {timeout_s:g} s; found it still "
                "running, and stopped it. Give it more time, or a faster model."
            ) from None
        except BaseException:
            _stop(process)
            raise
    if code:
        words = log.read_text(encoding="utf-8", errors="replace").strip()[-SHOWN_OF_LOG:]
        raise DataError(
            f"{Path(command[0]).name}: expected it to end without an error; found exit status "
            f"{code}. Its last words: {words or 'none'}\nTry its command line by itself."
        )


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a program and all that it started."""
    if hasattr(os, "killpg"):
        # Its number is its group's, as it leads a session of its own; it may have ended by now.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
