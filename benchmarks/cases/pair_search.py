"""The best two genes of all pairs by stratified Cox likelihood: the search behind a signature."""

from __future__ import annotations

from itertools import islice

import numpy as np
from case import Agreement, Arrays, Case
from outcomes import monthly_survival

PATIENTS, EVENTS, COHORTS, DRIVERS, KEPT = 300, 150, 3, 12, 200


def candidates(pairs: int) -> int:
    """Fewest genes that make so many pairs."""
    return int(np.ceil((1 + np.sqrt(1 + 8 * pairs)) / 2))


def first_pairs(pairs: int) -> list[tuple[int, int]]:
    """Pairs of the first genes, then of one gene more, and so on."""
    every = ((i, j) for j in range(1, candidates(pairs)) for i in range(j))
    return list(islice(every, pairs))


def inputs(items: int) -> Arrays:
    """Standardised expression of three cohorts; the first genes drive the hazard."""
    rng = np.random.default_rng(12)
    n = PATIENTS * COHORTS
    programme = rng.standard_normal(n)
    genes = rng.standard_normal((candidates(items), n))
    genes += rng.uniform(0, 1, (len(genes), 1)) * programme
    genes /= genes.std(axis=1, keepdims=True)
    risk = 0.2 * genes[:DRIVERS].sum(axis=0)
    cohort = np.repeat(np.arange(COHORTS), PATIENTS)
    time, event = np.empty(n), np.empty(n, dtype=int)
    for label in range(COHORTS):
        member = cohort == label
        time[member], event[member] = monthly_survival(risk[member], events=EVENTS, rng=rng)
    return {"genes": genes, "time": time, "event": event, "cohort": cohort}


def ours(given: Arrays, count: int) -> Arrays:
    """Every pair is fitted, or proven to be worse than those kept."""
    from radiogenomics.stats.survival.subset_search import best_subsets

    found = best_subsets(
        given["genes"][: candidates(count)].T,
        given["time"],
        given["event"],
        strata=given["cohort"],
        max_size=2,
        keep=KEPT,
    ).levels[1]
    return {"pairs": found.subsets, "value": found.log_likelihood}


def theirs(given: Arrays, count: int) -> Arrays:
    """One stratified fit a pair."""
    return _fit_each(given, count, converged=False)


def reference(given: Arrays, count: int) -> Arrays:
    """The same fits, until nothing moves."""
    return _fit_each(given, count, converged=True)


def _fit_each(given: Arrays, count: int, *, converged: bool) -> Arrays:
    import pandas as pd
    from lifelines_cox import lifelines_cox

    outcome = {name: given[name] for name in ("time", "event", "cohort")}
    pairs, value = first_pairs(count), np.empty(count)
    for position, (i, j) in enumerate(pairs):
        frame = pd.DataFrame({"a": given["genes"][i], "b": given["genes"][j], **outcome})
        fit = lifelines_cox(frame, converged=converged, strata=["cohort"])
        value[position] = fit.log_likelihood_
    return {"pairs": np.array(pairs), "value": value}


def compare(found: Arrays, peer: Arrays) -> Agreement:
    """Likelihoods of the pairs on both lists; and no pair of the peer may be missing from ours."""
    best = dict(zip(map(tuple, found["pairs"].tolist()), found["value"], strict=True))
    differences = []
    for pair, value in zip(peer["pairs"].tolist(), peer["value"], strict=True):
        if tuple(pair) in best:
            differences.append(abs(best[tuple(pair)] / value - 1))
        elif value > found["value"][-1] + 1e-6:
            raise ValueError(f"pair {pair}: expected among the best of ours; found it missing.")
    if not differences:
        raise ValueError("expected pairs on both lists; found none. Mend the case.")
    return Agreement(
        max(differences), f"log-likelihoods of the {len(differences)} pairs on both lists compared"
    )


CASE = Case(
    name="pair_search",
    job=f"the best {KEPT} of {{items}} pairs of 2,000 genes by Cox likelihood (Efron), "
    f"{COHORTS} cohorts of {PATIENTS} patients and {EVENTS} events as strata, times in whole "
    "months",
    unit="pairs",
    items=1_999_000,
    sample=60,
    warm_up=3,
    package="lifelines",
    peer="CoxPHFitter with strata, one fit a pair",
    inputs=inputs,
    ours=ours,
    theirs=theirs,
    compare=compare,
    reference=reference,
    remark="ours proves most pairs to be worse than those kept instead of fitting them; the list "
    "is that of an exhaustive search; a fit of the peer also estimates baseline hazards",
    most_rounds=3,
)
