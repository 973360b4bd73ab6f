"""`radiogenomics study`: list, show and run the recipes of published studies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from radiogenomics.cli.options import AsJson, Jobs, Out, Seed

EXIT_BAD_INPUT = 2
studies = typer.Typer(help="Recipes of published studies.", no_args_is_help=True)


@studies.command("list")
def study_list(as_json: AsJson = False) -> None:
    """List the shipped recipes: modality, label, model, published claim, status."""
    from radiogenomics.cli.show import table_text
    from radiogenomics.study import list as list_studies

    table = list_studies()
    typer.echo(table.reset_index().to_json(orient="records") if as_json else table_text(table))


@studies.command("show")
def study_show(
    study: Annotated[
        str, typer.Argument(help="Recipe: a path, or the name of a shipped one, or its beginning.")
    ],
    as_json: AsJson = False,
) -> None:
    """Explain one recipe: each setting, its value and where it comes from."""
    from radiogenomics.cli.show import study_text
    from radiogenomics.study import show

    recipe = show(study)
    typer.echo(recipe.model_dump_json(indent=2) if as_json else study_text(recipe))


@studies.command("check")
def study_check(
    studies: Annotated[
        list[str] | None,
        typer.Argument(metavar="[STUDY]...", help="Paths or shipped names; all if not given."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check recipes, all shipped ones if none is named; what is fine is only counted."""
    from radiogenomics.cli.show import checked_text
    from radiogenomics.study.check import check_studies

    table = check_studies(studies)
    typer.echo(table.to_json(orient="records") if as_json else checked_text(table))
    if (table["level"] == "error").any():
        raise typer.Exit(EXIT_BAD_INPUT)


@studies.command("gallery")
def study_gallery(
    *,
    out: Out = Path("radiogenomics-gallery"),
    study: Annotated[
        list[str] | None, typer.Option(help="Only this study; repeat it. All if not given.")
    ] = None,
    scale: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share of the papers' patients; not below 40 and 24 elsewhere."
        ),
    ] = 1.0,
    features: Annotated[
        int | None,
        typer.Option(min=20, help="Most variables of a block; the papers' if not given."),
    ] = None,
    permutations: Annotated[
        int | None, typer.Option(min=0, help="Instead of the recipes' numbers.")
    ] = None,
    jobs: Jobs = 1,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Run every recipe on simulated cohorts of its design; what is there already is kept."""
    from radiogenomics.cli.show import gallery_text
    from radiogenomics.study import gallery

    table = gallery(
        out,
        studies=study,
        scale=scale,
        features=features,
        permutations=permutations,
        jobs=jobs or 1,
        seed=seed,
    )
    typer.echo(table.to_json(orient="records") if as_json else gallery_text(table))


def compare(
    folder: Annotated[Path, typer.Argument(help="Output folder of a run of a recipe.")],
    as_json: AsJson = False,
) -> None:
    """Put what the paper claims beside what a run obtained, and say how wide chance is."""
    from radiogenomics.cli.show import claims_text
    from radiogenomics.study import compare as compare_claims

    table = compare_claims(folder)
    typer.echo(
        json.dumps(json.loads(table.to_json(orient="records"))) if as_json else claims_text(table)
    )
