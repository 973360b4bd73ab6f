"""Options that several commands have in the same words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
Jobs = Annotated[int | None, typer.Option(min=1, help="Processes; all if none.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of every random number.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]
