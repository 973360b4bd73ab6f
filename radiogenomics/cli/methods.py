"""`radiogenomics methods`: the words of plans and recipes."""

from __future__ import annotations

from typing import Annotated

import typer


def methods(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a program.")] = False,
) -> None:
    """List every method by the word that calls it, with its source and when it misleads."""
    from radiogenomics.study.methods import methods as all_methods

    table = all_methods()
    if as_json:
        typer.echo(table.reset_index().to_json(orient="records", indent=2))
        return
    width = max(map(len, table.index)) + 2
    for scope, rows in table.groupby("scope"):
        lines = [f"  {row.Index:{width}}{row.title}" for row in rows.itertuples()]
        typer.echo("\n".join(["", str(scope), *lines]))
