"""Every image feature against genes and gene sets, with the null of permuted patients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from case import Agreement, Arrays, Case, relative_agreement

PATIENTS, GENES, SETS, DEALS, THREADS = 130, 20_000, 1_500, 1_000, 2
SMALLEST, LARGEST = 15, 500
PROGRAMMES, FEATURES, ALL_FEATURES = 200, 40, 1_316
WARM_UP_DEALS = 2


def inputs(items: int) -> Arrays:
    """Genes in programmes that go together, features, and the members of each set."""
    rng = np.random.default_rng(16)
    programmes = np.repeat(rng.standard_normal((PATIENTS, PROGRAMMES)), GENES // PROGRAMMES, axis=1)
    sizes = np.clip(np.exp(rng.normal(3.7, 0.88, SETS)), SMALLEST, LARGEST).astype(int)
    members = [rng.choice(GENES, size, replace=False) for size in sizes]
    return {
        "genes": 0.7 * programmes + rng.standard_normal((PATIENTS, GENES)),
        "members": np.concatenate(members),
        "sizes": sizes,
        "features": rng.standard_normal((PATIENTS, items)),
    }


def ours(given: Arrays, count: int) -> Arrays:
    """Genes and sets in one pass; of no feature, a few deals of the first."""
    from radiogenomics.stats.association.null_pass import null_pass
    from radiogenomics.stats.association.units import unit_columns
    from radiogenomics.stats.permutation import permutations

    deals = DEALS if count else WARM_UP_DEALS
    found = null_pass(
        unit_columns(given["features"][:, : max(count, 1)], method="pearson"),
        unit_columns(given["genes"], method="pearson"),
        orders=permutations(PATIENTS, deals, np.random.default_rng(0)),
        sets=_sets(given),
        threads=THREADS,
    )
    if found.sets is None:
        raise ValueError("expected results of gene sets; found none. Mend the case.")
    return {"es": found.sets.es}


def theirs(given: Arrays, count: int) -> Arrays:
    """One ranking a feature, handed over; of no feature, a few permutations of the first."""
    import gseapy
    import pandas as pd

    names = np.array([f"G{gene}" for gene in range(GENES)])
    sets = {f"S{at}": names[each].tolist() for at, each in enumerate(_sets(given))}
    es = np.empty((max(count, 1), SETS))
    for row, feature in zip(es, given["features"].T, strict=False):
        r = np.corrcoef(feature, given["genes"], rowvar=False)[0, 1:]
        found = gseapy.prerank(
            rnk=pd.Series(r, names).sort_values(ascending=False),
            gene_sets=sets,
            min_size=1,
            max_size=GENES,
            permutation_num=DEALS if count else WARM_UP_DEALS,
            threads=1,
            seed=0,
            no_plot=True,
            outdir=None,
        )
        row[:] = found.res2d.set_index("Term").loc[list(sets), "ES"].to_numpy(dtype=float)
    return {"es": es}


def agreement(found: Arrays, peer: Arrays) -> Agreement:
    """Enrichment scores of the features that both sides did."""
    apart = np.abs(found["es"][: len(peer["es"])] - peer["es"]).max()
    return replace(
        relative_agreement(found, peer),
        remark=f"largest absolute difference of {peer['es'].size:,} enrichment scores {apart:.0e}",
    )


def _sets(given: Arrays) -> list[np.ndarray]:
    return np.split(given["members"], np.cumsum(given["sizes"])[:-1])


CASE = Case(
    name="map",
    job=f"{{items}} features × {GENES:,} genes × {PATIENTS} patients, correlations and {SETS:,} "
    f"gene sets of {SMALLEST} to {LARGEST} genes (running sum), {DEALS:,} permutations, maxima of "
    "every gene, set and feature",
    unit="feature",
    items=FEATURES,
    sample=1,
    warm_up=0,
    package="gseapy",
    peer="prerank, one call a feature, one thread",
    inputs=inputs,
    ours=ours,
    theirs=theirs,
    compare=agreement,
    remark=f"ours in {THREADS} threads; ours deals the patients and ranks all genes anew in each "
    "permutation, the peer deals the genes of one ranking, and the sets alone",
    most_rounds=3,
)
WHOLE = replace(CASE, name="map_whole", items=ALL_FEATURES, most_rounds=1, on_request=True)
