"""`radiogenomics derive`: cohorts with expression and survival to a locked signature."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def derive(
    *,
    cohort: Annotated[list[str], typer.Option(help="Manifest to derive from; repeat it.")],
    endpoint: Annotated[str, typer.Option(help="Survival endpoint: OS, PFS, RFS ...")],
    out: Annotated[Path, typer.Option(help="Output folder.")],
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
    hgnc: Annotated[
        Path | None, typer.Option(help="HGNC complete set, for former symbols and aliases.")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(help="YAML: candidates, search, sizes, folds, nulls.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the signature.")] = "signature",
    data_root: Annotated[
        Path | None, typer.Option(help="Folder the manifests' files are relative to.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; all if none.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every random number.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a program.")] = False,
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
