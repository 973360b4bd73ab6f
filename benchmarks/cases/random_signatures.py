"""Random gene pairs out of fold: does the signature beat signatures of any genes?"""

from __future__ import annotations

import numpy as np
from case import Arrays, Case
from outcomes import monthly_survival

PATIENTS, EVENTS, GENES, FOLDS, REPEATS = 155, 65, 2_000, 5, 5


def inputs(items: int) -> Arrays:
    """Expression of gene pairs, outcomes, and the fold of every patient in each repeat."""
    from radiogenomics.evaluation import PatientKFold
    from radiogenomics.omics import random_gene_sets

    rng = np.random.default_rng(4)
    programme = rng.standard_normal(PATIENTS)
    genes = rng.standard_normal((GENES, PATIENTS)) + rng.uniform(-1, 1, (GENES, 1)) * programme
    time, event = monthly_survival(0.4 * programme, events=EVENTS, rng=rng)
    pairs = random_gene_sets(GENES, 2, items, rng=rng)
    fold = np.empty((REPEATS, PATIENTS), dtype=int)
    patients = map(str, range(PATIENTS))
    for split in PatientKFold(FOLDS, n_repeats=REPEATS).split(patients, event):
        fold[split.repeat, split.test] = split.fold
    designs = np.ascontiguousarray(genes[pairs].transpose(0, 2, 1))
    return {"designs": designs, "time": time, "event": event, "fold": fold}


def ours(given: Arrays, count: int) -> Arrays:
    """All pairs side by side, fold by fold."""
    from radiogenomics.evaluation import Split
    from radiogenomics.omics import out_of_fold_concordance

    splits = [
        [
            Split(repeat, k, np.flatnonzero(fold != k), np.flatnonzero(fold == k))
            for k in range(FOLDS)
        ]
        for repeat, fold in enumerate(given["fold"])
    ]
    c = out_of_fold_concordance(
        given["designs"][:count],
        given["time"],
        given["event"],
        splits_by_repeat=splits,
        cutoff="median",
    )
    return {"c": c}


def theirs(given: Arrays, count: int) -> Arrays:
    """One fit a pair, repeat and fold, less its training median; one C a pair and repeat."""
    return _fit_each(given, count, converged=False)


def reference(given: Arrays, count: int) -> Arrays:
    """The same fits, until nothing moves."""
    return _fit_each(given, count, converged=True)


def _fit_each(given: Arrays, count: int, *, converged: bool) -> Arrays:
    import pandas as pd
    from lifelines.utils import concordance_index
    from lifelines_cox import lifelines_cox

    time, event = given["time"], given["event"]
    c = np.zeros((count, REPEATS))
    for position, design in enumerate(given["designs"][:count]):
        frame = pd.DataFrame(design, columns=["a", "b"]).assign(time=time, event=event)
        for repeat, fold in enumerate(given["fold"]):
            risk = np.empty(PATIENTS)
            for k in range(FOLDS):
                fit = lifelines_cox(frame[fold != k], converged=converged)
                found = fit.predict_log_partial_hazard(frame[["a", "b"]]).to_numpy()
                risk[fold == k] = found[fold == k] - np.median(found[fold != k])
            c[position, repeat] = concordance_index(time, -risk, event)
    return {"c": c.mean(axis=1)}


CASE = Case(
    name="random_signatures",
    job="out-of-fold Harrell's C of {items} random two-gene Cox signatures, "
    f"{PATIENTS} patients, {EVENTS} events, {REPEATS} × {FOLDS} folds, each risk less the median "
    "of its training part",
    unit="signatures",
    items=1000,
    sample=10,
    warm_up=1,
    package="lifelines",
    peer="CoxPHFitter and concordance_index, one fit a fold",
    inputs=inputs,
    ours=ours,
    theirs=theirs,
    reference=reference,
)
