"""`radiogenomics methods`: the words of plans and recipes, and where each may stand."""

from __future__ import annotations

from typing import Annotated

import typer


def methods(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a program.")] = False,
) -> None:
    """List every method: its word, where that may stand and what it does.

    The JSON also has the source of each method and when it misleads.
    """
    from radiogenomics.study.methods import methods as all_methods

    table = all_methods()
    if as_json:
        typer.echo(table.reset_index().to_json(orient="records", indent=2))
        return
    width = max(map(len, table.index)) + 2
    beside = max(map(len, table["used_as"])) + 2
    for scope, rows in table.groupby("scope"):
        lines = [f"  {r.Index:{width}}{r.used_as:{beside}}{r.title}" for r in rows.itertuples()]
        typer.echo("\n".join(["", str(scope), *lines]))
    typer.echo(
        "\nSteps, learners and comparators stand in recipes and plans; the rest is for Python."
    )
