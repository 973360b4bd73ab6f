"""`radiogenomics score`: a locked signature applied to expression, one patient or many."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from radiogenomics.cli.options import AsJson, Hgnc


def score(
    *,
    signature: Annotated[Path, typer.Option(help="signature.json, as derive or run wrote it.")],
    expression: Annotated[
        Path, typer.Option(help="Samples × genes: csv, tsv, parquet or Excel; one sample will do.")
    ],
    unit: Annotated[
        str | None, typer.Option(help="Unit of the expression; the signature's if none.")
    ] = None,
    reference: Annotated[
        Path | None, typer.Option(help="Cohort measured like the samples, to standardise on.")
    ] = None,
    genes_in_rows: Annotated[bool, typer.Option(help="Rows are genes, columns samples.")] = False,
    hgnc: Hgnc = None,
    out: Annotated[
        Path | None, typer.Option(help="CSV to write: sample, score, label; printed if none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score samples by a locked signature; nothing is learnt from them."""
    from radiogenomics.study.score import score as run_score

    found = run_score(
        signature=signature,
        expression=expression,
        unit=unit,
        reference=reference,
        genes_in_rows=genes_in_rows,
        hgnc=hgnc,
        out=out,
    )
    if as_json:
        typer.echo(found.table.to_json(orient="records", indent=2))
    elif out is None:
        typer.echo(found.table.to_csv(index=False).rstrip())
    else:
        counts = found.table["label"].replace("", "without label").value_counts()
        sizes = ", ".join(f"{count} {name}" for name, count in counts.items())
        typer.echo(f"{found.signature.name}: {len(found.table)} samples ({sizes}) → {out}")
