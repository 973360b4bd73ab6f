"""`radiogenomics validate`: a table of features and a label to a full validation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from radiogenomics.cli.options import AsJson, Jobs, Out, Seed


def validate(
    train: Annotated[Path, typer.Argument(help="Table: a row a patient, features and the label.")],
    *,
    label: Annotated[str, typer.Option(help="Column of 0 and 1, in every table.")],
    out: Out,
    external: Annotated[
        list[Path] | None, typer.Option(help="Table of other patients; repeat it.")
    ] = None,
    retest: Annotated[
        list[Path] | None, typer.Option(help="A reading of the same patients; repeat it.")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(help="YAML: steps, learner, comparators, folds, threshold.")
    ] = None,
    id: Annotated[str | None, typer.Option(help="Column of patient identifiers.")] = None,
    site: Annotated[
        str | None, typer.Option(help="Column of sites: for ComBat, the null and the site probe.")
    ] = None,
    fact: Annotated[
        list[str] | None,
        typer.Option(help="NAME=COLUMN of a covariate, used as @NAME; repeat it."),
    ] = None,
    jobs: Jobs = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Validate the prediction of a label inside and outside, and write the report.

    Steps and learners are fitted in the training part of each fold; external tables are only
    scored. The null permutes the label and repeats the whole cross-validation.
    """
    from radiogenomics.cli.show import results_text
    from radiogenomics.study.validate import validate as run_validate

    results = run_validate(
        train, label=label, out=out, external=external, retest=retest, plan=plan,
        id=id, site=site, fact=fact, jobs=jobs, seed=seed,
    )  # fmt: skip
    typer.echo(json.dumps(results.summary(), indent=2) if as_json else results_text(results))
