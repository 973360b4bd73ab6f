"""`radiogenomics characterise`: what a signature or a score of genes goes with in cohorts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from radiogenomics.cli.options import AsJson, DataRoot, Hgnc, Out, Seed


def characterise(
    *,
    cohort: Annotated[list[str], typer.Option(help="Manifest; repeat it.")],
    out: Out,
    signature: Annotated[
        Path | None, typer.Option(help="signature.json, as derive or run wrote it.")
    ] = None,
    scores: Annotated[
        list[str] | None,
        typer.Option(help="Gene set NAME, or NAME:pc1, NAME:ssgsea, NAME:singscore; repeat it."),
    ] = None,
    gene_sets: Annotated[
        Path | None, typer.Option(help="GMT of the gene sets that are named.")
    ] = None,
    contrasts: Annotated[
        list[str] | None, typer.Option(help="Gene set to compare; all that are shipped if none.")
    ] = None,
    gsea: Annotated[
        list[str] | None, typer.Option(help="Gene set to test; NAME* for all that begin so.")
    ] = None,
    response: Annotated[str | None, typer.Option(help="Response outcome of the cohorts.")] = None,
    responders: Annotated[
        list[str] | None, typer.Option(help="Category that counts as response; repeat it.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="Survival endpoint: OS, PFS, RFS ...")
    ] = None,
    hgnc: Hgnc = None,
    data_root: DataRoot = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Say what a signature or score goes with: genes, response to treatment, survival.

    Nothing is fitted to an outcome; cohorts are pooled by random effects.
    """
    from radiogenomics.cli.show import results_text
    from radiogenomics.study.characterisation.characterise import characterise as run_characterise

    results = run_characterise(
        cohort=cohort, out=out, signature=signature, scores=scores, gene_sets=gene_sets,
        contrasts=contrasts, gsea=gsea, response=response, responders=responders,
        endpoint=endpoint, hgnc=hgnc, data_root=data_root, seed=seed,
    )  # fmt: skip
    typer.echo(json.dumps(results.summary(), indent=2) if as_json else results_text(results))
