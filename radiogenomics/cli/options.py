"""Options that several commands have in the same words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from radiogenomics.core.errors import StudyError

Out = Annotated[Path, typer.Option(help="Output folder.")]
# Required where a command gives no default.
Features = Annotated[
    list[str] | None,
    typer.Option(help="File of image features, or assay of the cohort; repeat it."),
]
Expression = Annotated[
    list[str] | None,
    typer.Option(help="File of expression, or assay of the cohort; repeat it."),
]
AssayCohort = Annotated[str | None, typer.Option(help="Manifest: tables are its assays.")]
Force = Annotated[bool, typer.Option("--force", help="Go on with fewer than 20 patients.")]
Hgnc = Annotated[
    Path | None, typer.Option(help="HGNC complete set, for former symbols and aliases.")
]
DataRoot = Annotated[Path | None, typer.Option(help="Folder the manifests' files are relative to.")]
Modality = Annotated[str | None, typer.Option(help="Which scans: CT, MR ...; all if not given.")]
Phases = Annotated[
    list[str] | None, typer.Option("--phase", help="Phase; repeat it. All if not given.")
]
HashIds = Annotated[
    str | None,
    typer.Option(
        envvar="RADIOGENOMICS_HASH_IDS", help="Secret that makes pseudonyms of identifiers."
    ),
]
Device = Annotated[
    Literal["auto", "cpu", "cuda"], typer.Option(help="auto: a GPU where there is one.")
]
Jobs = Annotated[int | None, typer.Option(min=1, help="Processes; all if none.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of every random number.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]


def weights_by_preset(words: list[str] | None) -> dict[str, str]:
    """Read ``PRESET=FILE``, each of them once.

    Raises
    ------
    StudyError
        A word is of another form, or a preset is named twice.

    Examples
    --------
    >>> weights_by_preset(["resnet18_slice=own.safetensors"])
    {'resnet18_slice': 'own.safetensors'}
    """
    found: dict[str, str] = {}
    for given in words or []:
        preset, _, file = given.partition("=")
        if not preset or not file or preset in found:
            raise StudyError(
                f"expected weights as PRESET=FILE, each preset once; found {given!r}. Correct it."
            )
        found[preset] = file
    return found
