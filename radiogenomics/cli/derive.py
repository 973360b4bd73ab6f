"""`radiogenomics derive`: cohorts with expression and survival to a locked signature."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from radiogenomics.cli.options import AsJson, DataRoot, Hgnc, Jobs, Out, Seed


def derive(
    *,
    cohort: Annotated[list[str], typer.Option(help="Manifest to derive from; repeat it.")],
    endpoint: Annotated[str, typer.Option(help="Survival endpoint: OS, PFS, RFS ...")],
    out: Out,
    external: Annotated[
        list[str] | None, typer.Option(help="Manifest to validate in; repeat it.")
    ] = None,
    protein: Annotated[str | None, typer.Option(help="Manifest of a cohort with proteins.")] = None,
    single_cell: Annotated[
        Path | None, typer.Option(help="h5ad with raw counts: cell types, responders.")
    ] = None,
    gene_sets: Annotated[
        Path | None, typer.Option(help="GMT of the gene sets that the plan names.")
    ] = None,
    hgnc: Hgnc = None,
    plan: Annotated[
        Path | None, typer.Option(help="YAML: candidates, search, sizes, folds, nulls.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the signature.")] = "signature",
    data_root: DataRoot = None,
    jobs: Jobs = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Derive a prognostic signature, lock it, and validate it in other cohorts.

    Candidates, a pooled Cox screen and a search for the best few genes are repeated in every fold;
    the null permutes outcomes and repeats all of it.
    """
    from radiogenomics.cli.show import results_text
    from radiogenomics.study.derivation.derive import derive as run_derive

    results = run_derive(
        cohort=cohort, endpoint=endpoint, out=out, external=external, protein=protein,
        single_cell=single_cell, gene_sets=gene_sets, hgnc=hgnc, plan=plan, name=name,
        data_root=data_root, jobs=jobs, seed=seed,
    )  # fmt: skip
    typer.echo(json.dumps(results.summary(), indent=2) if as_json else results_text(results))
