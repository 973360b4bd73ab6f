"""Segmentation tools that a user has installed: TotalSegmentator, nnU-Net v2, MONAI bundles.

None of them comes with this package, and no weights do. Here stands how each is called and where it
leaves its result; :func:`radiogenomics.io.segment_scan.segment` calls them.

These networks were trained on other patients than yours. Look at the masks, and measure agreement
with some that were drawn, before anything is built on them.

References
----------
Wasserthal et al. 2023, doi:10.1148/ryai.230024 (TotalSegmentator). Isensee et al. 2021,
doi:10.1038/s41592-020-01008-z (nnU-Net). Cardoso et al. 2022, doi:10.48550/arXiv.2211.02701
(MONAI).
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from radiogenomics.core.errors import (
    MissingExtraError,
    MissingFileError,
    SchemaError,
    StudyError,
    short_list,
)
from radiogenomics.io.segmentation_labels import Labels, bundle_labels, nnunet_labels

# A word that starts otherwise could be taken for an option.
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]*")
MODULES = ("monai", "fire")
MODELS = "nnUNet_results"


class Found(NamedTuple):
    """Where a tool left its result.

    Attributes
    ----------
    path
        Label map, or folder with a file a class.
    labels
        Names of the values, where the tool states them outside of it.
    """

    path: Path
    labels: Labels | None


class Segmenter(Protocol):
    """A tool: how it is called, and where it leaves what it made."""

    @property
    def channels(self) -> int | None:
        """Scans that it takes; None: as many as its model was trained on."""

    def require(self) -> None:
        """Raise MissingExtraError unless it is installed, and StudyError unless it is set up."""

    def names(self, count: int) -> tuple[str, ...]:
        """Names of the files that it wants its scans under."""

    def command(self, given: Path, made: Path) -> tuple[str, ...]:
        """Arguments that run it on a folder of scans and into another folder."""

    def found(self, made: Path) -> Found:
        """Where it left its result; MissingFileError where it left none."""


@dataclass(frozen=True)
class TotalSegmentator:
    """TotalSegmentator: organs and vessels in CT (``total``) and MR (``total_mr``).

    It writes a file for each class, so no table of numbers is in between. At first use it fetches
    weights from the network, and unless its own configuration says otherwise it tells its makers
    that it was used. Some tasks need a licence from them.

    Parameters
    ----------
    task
        Its word for the model; of the liver: ``liver_vessels`` (with tumours), ``liver_segments``.
    rois
        Classes to keep, of ``total`` and ``total_mr`` only; none: all.
    fast
        The model of 3 mm.
    device
        ``gpu``, ``gpu:N``, ``cpu`` or ``mps``.
    program
        Name on the PATH, or path.

    Raises
    ------
    SchemaError
        A word could be taken for an option.
    """

    task: str = "total"
    rois: tuple[str, ...] = ()
    fast: bool = False
    device: str = "gpu"
    program: str = "TotalSegmentator"

    def __post_init__(self) -> None:
        """Refuse words that are none."""
        _require_words(self.task, *self.rois, self.device)

    @property
    def channels(self) -> int | None:
        """One scan."""
        return 1

    def require(self) -> None:
        """Raise MissingExtraError unless the program is there."""
        _program(self.program, "TotalSegmentator", "pip install TotalSegmentator")

    def names(self, count: int) -> tuple[str, ...]:
        """Name of the scan's file."""
        return ("scan.nii.gz",)

    def command(self, given: Path, made: Path) -> tuple[str, ...]:
        """Arguments that run it."""
        call = (self.program, "-i", str(given / "scan.nii.gz"), "-o", str(made))
        rois = ("--roi_subset", *self.rois) if self.rois else ()
        fast = ("--fast",) if self.fast else ()
        return (*call, "--task", self.task, "--device", self.device, *rois, *fast)

    def found(self, made: Path) -> Found:
        """Return the folder of classes."""
        return Found(made, None)


@dataclass(frozen=True)
class NnUNet:
    """A model trained by nnU-Net v2, in the folder that ``nnUNet_results`` names.

    Parameters
    ----------
    dataset
        Name (``Dataset003_Liver``) or number.
    configuration
        ``3d_fullres``, ``2d``, ...
    folds
        Some of the five, or ``all``; none: all five.
    trainer, plans, checkpoint
        Words of the model, where they are not nnU-Net's own.
    mirrored
        Whether mirror images are predicted, too, and averaged: slower, a little better.
    device
        ``cuda``, ``cpu`` or ``mps``.
    program
        Name on the PATH, or path.

    Raises
    ------
    SchemaError
        A word could be taken for an option.
    """

    dataset: str
    configuration: str = "3d_fullres"
    folds: tuple[str, ...] = ()
    trainer: str = "nnUNetTrainer"
    plans: str = "nnUNetPlans"
    checkpoint: str = "checkpoint_final.pth"
    mirrored: bool = True
    device: str = "cuda"
    program: str = "nnUNetv2_predict"

    def __post_init__(self) -> None:
        """Refuse words that are none."""
        words = (self.dataset, self.configuration, self.trainer, self.plans, self.checkpoint)
        _require_words(*words, *self.folds, self.device)

    @property
    def channels(self) -> int | None:
        """As many as the model was trained on."""
        return None

    def require(self) -> None:
        """Raise MissingExtraError without the program, StudyError without its folder of models."""
        _program(self.program, "nnU-Net v2", "pip install nnunetv2")
        if not os.environ.get(MODELS):
            raise StudyError(
                f"expected the environment variable {MODELS}, by which nnU-Net finds its models; "
                "found none. Set it to the folder of trained models."
            )

    def names(self, count: int) -> tuple[str, ...]:
        """Names of the channels' files."""
        return tuple(f"scan_{channel:04d}.nii.gz" for channel in range(count))

    def command(self, given: Path, made: Path) -> tuple[str, ...]:
        """Arguments that run it."""
        call = (self.program, "-i", str(given), "-o", str(made), "-d", self.dataset)
        model = ("-c", self.configuration, "-tr", self.trainer, "-p", self.plans)
        folds = ("-f", *self.folds) if self.folds else ()
        mirrored = () if self.mirrored else ("--disable_tta",)
        return (*call, *model, "-chk", self.checkpoint, "-device", self.device, *folds, *mirrored)

    def found(self, made: Path) -> Found:
        """Return the label map, and the labels of the dataset beside it."""
        names = made / "dataset.json"
        return Found(_only(made, "scan.nii.gz"), nnunet_labels(names) if names.exists() else None)


@dataclass(frozen=True)
class MonaiBundle:
    """A MONAI bundle for segmentation: a folder with ``configs`` and ``models``.

    The configuration of a bundle runs as code: use only what you would run as a program.

    Parameters
    ----------
    root
        The bundle's folder.
    config
        Configuration in it that predicts.
    inputs, output
        Its words for the list of scans and the folder of results.
    python
        Interpreter with MONAI, python-fire and what the bundle needs; this one where not given.

    Raises
    ------
    SchemaError
        A word could be taken for an option.
    """

    root: Path
    config: str = "configs/inference.json"
    inputs: str = "datalist"
    output: str = "output_dir"
    python: str = field(default=sys.executable, repr=False)

    def __post_init__(self) -> None:
        """Refuse words that are none."""
        _require_words(self.inputs, self.output)

    @property
    def channels(self) -> int | None:
        """One scan."""
        return 1

    def require(self) -> None:
        """Raise MissingExtraError without MONAI, MissingFileError without the bundle."""
        install = "pip install 'radiogenomics[deep]' fire"
        _program(self.python, "the Python of the bundle", install)
        looked = "from importlib.util import find_spec as f; import sys; "
        looked += f"sys.exit(not all(map(f, {MODULES!r})))"
        call = (self.python, "-c", looked)
        if subprocess.run(call, stdin=subprocess.DEVNULL, check=False).returncode:
            raise MissingExtraError(
                f"expected {' and '.join(MODULES)} for {Path(self.python).name}, which run "
                f"bundles; found one missing. Install them: {install}."
            )
        if not (self.root / self.config).is_file():
            raise MissingFileError(
                f"expected the bundle's configuration at {self.root / self.config}; found none. "
                "Give the folder that holds configs/, or another config."
            )

    def names(self, count: int) -> tuple[str, ...]:
        """Name of the scan's file."""
        return ("scan.nii.gz",)

    def command(self, given: Path, made: Path) -> tuple[str, ...]:
        """Arguments that run it."""
        root = self.root.resolve()
        # python-fire reads values as Python literals: quoted, a path stays a text.
        values = {
            "config_file": str(root / self.config),
            "bundle_root": str(root),
            self.inputs: [str(given / "scan.nii.gz")],
            self.output: str(made),
        }
        options = (f"--{name}={value!r}" for name, value in values.items())
        return (self.python, "-m", "monai.bundle", "run", *options)

    def found(self, made: Path) -> Found:
        """Return the label map, and the labels of the bundle."""
        names = self.root / "configs" / "metadata.json"
        return Found(_only(made, "*.nii*"), bundle_labels(names) if names.exists() else None)


def command_line(segmenter: Segmenter) -> str:
    """Return how a tool will be called, with words for the two folders that do not exist yet.

    Examples
    --------
    >>> print(command_line(TotalSegmentator(rois=("liver",), device="cpu")))
    TotalSegmentator -i GIVEN/scan.nii.gz -o MADE --task total --device cpu --roi_subset liver
    """
    return shlex.join(segmenter.command(Path("GIVEN"), Path("MADE")))


def _program(name: str, what: str, install: str) -> None:
    if shutil.which(name) is None:
        raise MissingExtraError(
            f"expected {what} as the program {name!r}; found none on the PATH. "
            f"Install it in an environment of your own ({install}), or give its path."
        )


def _require_words(*words: str) -> None:
    wrong = [word for word in words if not WORD.fullmatch(word)]
    if wrong:
        raise SchemaError(
            "expected words of letters, digits and _ . : + -, the first a letter or digit; found "
            f"{short_list(map(repr, wrong))}. Correct the settings of the tool."
        )


def _only(made: Path, pattern: str) -> Path:
    found = sorted(made.rglob(pattern))
    if len(found) != 1:
        raise MissingFileError(
            f"expected one label map ({pattern}) from the tool; found {len(found)} among "
            f"{short_list(sorted(path.name for path in made.rglob('*'))) or 'no files'}. "
            "Try its command line by itself."
        )
    return found[0]
