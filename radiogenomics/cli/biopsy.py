"""`radiogenomics biopsy`: how well images foretell pathways and genes, and surrogates applied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from radiogenomics.cli.options import (
    AsJson,
    AssayCohort,
    DataRoot,
    Expression,
    Features,
    Force,
    Hgnc,
    Out,
    Seed,
)

GeneSets = Annotated[
    Path | None, typer.Option(help="GMT of the pathways whose scores are foretold.")
]
Genes = Annotated[
    list[str] | None,
    typer.Option(help="Gene to foretell; repeat it. Every gene with neither of the two."),
]
Patients = Annotated[
    Path | None, typer.Option(help="Table of patients with the column of --within.")
]
Within = Annotated[
    str | None,
    typer.Option(help="Column of the patients inside whose values they are permuted."),
]
Plan = Annotated[Path | None, typer.Option(help="YAML: scorer, learner, folds, permutations ...")]
Surrogates = Annotated[
    Path | None,
    typer.Option(help="surrogates.json of an earlier run: nothing is learnt, only applied."),
]
ApplyFeatures = Annotated[
    list[str] | None,
    typer.Option(help="Features of patients to apply the surrogates to; repeat it."),
]
ApplyExpression = Annotated[
    list[str] | None,
    typer.Option(help="Their expression, if any, to hold against; repeat it."),
]
ApplyCohort = Annotated[str | None, typer.Option(help="Their manifest.")]
ApplyPatients = Annotated[
    Path | None, typer.Option(help="Their table with the column of --apply-groups.")
]
ApplyGroups = Annotated[
    str | None, typer.Option(help="Column of scanner, modality or site: judged one by one.")
]
Jobs = Annotated[int | None, typer.Option(min=1, help="Processes; all cores if not given.")]


def biopsy(
    *,
    out: Out,
    features: Features = None,
    expression: Expression = None,
    gene_sets: GeneSets = None,
    genes: Genes = None,
    cohort: AssayCohort = None,
    patients: Patients = None,
    within: Within = None,
    plan: Plan = None,
    surrogates: Surrogates = None,
    apply_features: ApplyFeatures = None,
    apply_expression: ApplyExpression = None,
    apply_cohort: ApplyCohort = None,
    apply_patients: ApplyPatients = None,
    apply_groups: ApplyGroups = None,
    force: Force = False,
    hgnc: Hgnc = None,
    data_root: DataRoot = None,
    jobs: Jobs = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Say how well images foretell pathways and genes; lock what does, and apply it.

    Every R² is out of sample and stands beside what permuted patients give.
    """
    from radiogenomics.cli.show import results_text
    from radiogenomics.study.foretelling.biopsies import virtual_biopsies

    results = virtual_biopsies(
        out=out, features=features, expression=expression, gene_sets=gene_sets, genes=genes,
        cohort=cohort, patients=patients, within=within, plan=plan, surrogates=surrogates,
        apply_features=apply_features, apply_expression=apply_expression,
        apply_cohort=apply_cohort, apply_patients=apply_patients, apply_groups=apply_groups,
        force=force, hgnc=hgnc, data_root=data_root, jobs=jobs, seed=seed,
    )  # fmt: skip
    typer.echo(json.dumps(results.summary(), indent=2) if as_json else results_text(results))
