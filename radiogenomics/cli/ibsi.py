"""`radiogenomics ibsi`: hold this installation against the standard's reference values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

EXIT_NOT_COMPLIANT = 3


def ibsi(
    data_root: Annotated[
        Path, typer.Option(help="Folder that holds imaging/ibsi with phantoms and references.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a program.")] = False,
) -> None:
    """Compute the IBSI reference data sets and compare: table and counts.

    Exit code 3 says that a value with consensus of at least moderate lies outside its tolerance.
    """
    from radiogenomics.study.ibsi import ibsi_compliance, ibsi_text

    found = ibsi_compliance(data_root)
    typer.echo(json.dumps(found.to_records()) if as_json else ibsi_text(found))
    if not found.ok:
        raise typer.Exit(EXIT_NOT_COMPLIANT)
