"""Single-sample gene set enrichment of a cohort's genome-wide expression."""

from __future__ import annotations

import numpy as np
from case import Arrays, Case

GENES, SETS, SMALLEST, LARGEST = 20_000, 50, 20, 200


def inputs(items: int) -> Arrays:
    """Expression without ties, samples in rows, and the members of each set."""
    rng = np.random.default_rng(5)
    sizes = rng.integers(SMALLEST, LARGEST + 1, SETS)
    members = [rng.choice(GENES, size, replace=False) for size in sizes]
    return {
        "expression": rng.standard_normal((items, GENES)),
        "members": np.concatenate(members),
        "sizes": sizes,
    }


def ours(given: Arrays, count: int) -> Arrays:
    """One sort a sample, then the ranks of members alone."""
    import pandas as pd

    from radiogenomics.omics.scoring.ssgsea import SsGsea

    genes, sets = _named(given)
    rna = pd.DataFrame(given["expression"][:count], columns=genes, copy=False)
    return {"es": SsGsea(sets).fit(rna.iloc[:1]).transform(rna).to_numpy()}


def theirs(given: Arrays, count: int) -> Arrays:
    """The same scores before normalisation (``ES``), on one thread."""
    import gseapy
    import pandas as pd

    genes, sets = _named(given)
    samples = [str(sample) for sample in range(count)]
    rna = pd.DataFrame(given["expression"][:count].T, index=genes, columns=samples)
    found = gseapy.ssgsea(
        data=rna,
        gene_sets=sets,
        outdir=None,
        min_size=1,
        max_size=GENES,
        permutation_num=0,
        threads=1,
    ).res2d
    table = found.pivot(index="Name", columns="Term", values="ES").loc[samples, list(sets)]
    return {"es": table.to_numpy(dtype=float)}


def _named(given: Arrays) -> tuple[list[str], dict[str, list[str]]]:
    genes = [f"G{gene}" for gene in range(GENES)]
    parts = np.split(given["members"], np.cumsum(given["sizes"])[:-1])
    return genes, {f"S{n:02d}": [genes[gene] for gene in part] for n, part in enumerate(parts)}


CASE = Case(
    name="ssgsea",
    job=f"ssGSEA of {{items}} samples, {GENES:,} genes, {SETS} sets of {SMALLEST} to {LARGEST} "
    "genes, from and to data frames",
    unit="samples",
    items=400,
    sample=400,
    warm_up=2,
    package="gseapy",
    peer="ssgsea, rank normalisation, one thread",
    inputs=inputs,
    ours=ours,
    theirs=theirs,
)
