"""Which genes come back when the derivation is repeated in other patients of the same cohorts."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.special import ndtri
from sklearn.base import clone

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.core.evidence import Metric
from radiogenomics.core.log import progress
from radiogenomics.omics import SignatureDerivation
from radiogenomics.omics.signature.derivation import COHORT
from radiogenomics.stats import clopper_pearson, concordance
from radiogenomics.stats.inputs import Floats, check_level, survival_target
from radiogenomics.stats.survival.concordance import comparable_pairs
from radiogenomics.study.derivation.cohorts import Discovery
from radiogenomics.study.derivation.evidence import Judge, to_repeat
from radiogenomics.study.findings import Findings, merge

SPLIT = "subsamples"
DRAWN = 0.632
_STREAM = 11
# A variance below this is rounding: all sets have the same share of the others.
_NO_VARIANCE = 1e-20


class SelectionStability(NamedTuple):
    """How alike the sets of genes are that a derivation chooses in other patients.

    Attributes
    ----------
    value, low, high : float
        Nogueira's measure with its bounds: 1 when all sets are equal, 0 on average when sets of
        these sizes are drawn without regard to the patients.
    jaccard : float
        Mean over pairs of sets of shared genes / genes of either, 0 to 1; not corrected for chance.
    """

    value: float
    low: float
    high: float
    jaccard: float


def gene_stability(
    rule: SignatureDerivation, judge: Judge, *, locked: Sequence[str] = ()
) -> Findings:
    """Repeat screen, search and weights in parts of the patients, and count what is chosen.

    Each of ``plan.bootstraps`` derivations has 63.2 % of the patients of every cohort, those with
    and those without the event apart, drawn without replacement: as many different patients as a
    bootstrap has. Copies of patients would be ties in time, and make everything that tests or
    chooses by likelihood too sure, so that a bootstrap keeps too many genes; subsamples do not.

    Subsamples overlap, so that genes come back in noise too: in ten simulated cohorts of 120
    patients and 60 candidates without any link to survival the most frequent one came back in 20 to
    72 %. So shares are no probability that a gene matters; their intervals cover the drawing of
    subsamples, not of patients. Genes that vary together share their counts.

    Parameters
    ----------
    rule
        The derivation; fewest events are lowered in proportion to the patients.
    judge
        Cohorts, candidates, plan, seed and processes; results do not depend on the last.
    locked
        Genes of the locked signature; they are in the table even if they never come back.

    Returns
    -------
    Findings
        Metrics ``signature_stability`` (Nogueira's) and ``signature_c_index_out_of_bag`` (mean over
        subsamples of C in the patients not drawn, pairs within cohorts; its bounds are the 2.5 and
        97.5 percentiles over subsamples, no confidence interval). Tables ``stability``: ``gene,
        share, low, high, bootstraps``, and ``stability_sets``: the same of ``genes`` chosen
        together. Derivations that fail are left out of all, and a note counts them.

    References
    ----------
    De Bin et al. 2016, doi:10.1111/biom.12381; Janitza, Binder & Boulesteix 2016, Pitfalls of
    hypothesis tests and model selection on bootstrap samples, Biometrical Journal 58, 447-473.
    """
    count = judge.plan.bootstraps
    if not count:
        return Findings()
    expression = judge.discovery.expression[[*judge.candidates, COHORT]]
    draws = _subsamples(judge.discovery, count, rng=judge.rng(_STREAM))
    smaller = to_repeat(rule).set_params(minimum_events=max(1, int(DRAWN * rule.minimum_events)))
    work = partial(_derive_again, smaller, expression, judge.discovery.outcome.to_structured())
    parallel = Parallel(n_jobs=judge.jobs, return_as="generator")
    runs = list(progress(parallel(delayed(work)(inside=d) for d in draws), SPLIT, total=count))
    done = [run for run in runs if run.genes]
    notes = _troubles(runs)
    if not done:
        return Findings(notes=notes)
    outside = _outside_metric(done, judge)
    own = Findings(
        metrics=() if outside is None else (outside,),
        tables=_tables(done, locked),
        notes=(("info", _in_words(done, locked)),),
    )
    return merge([Findings(notes=notes), _measured(done, judge), own])


def _measured(done: Sequence[_Run], judge: Judge) -> Findings:
    """Nogueira's measure, or why there is none."""
    try:
        found = selection_stability([run.genes for run in done], candidates=len(judge.candidates))
    except DataError as error:
        return Findings(notes=(("warning", f"stability: left out: {error}"),))
    text = f"Nogueira's stability is {found.value:.2f}, mean Jaccard {found.jaccard:.2f}."
    return Findings(
        metrics=(_metric("signature_stability", found[:3], judge),), notes=(("info", text),)
    )


def selection_stability(
    chosen: Sequence[Collection[str]], *, candidates: int, level: float = 0.95
) -> SelectionStability:
    r"""Stability of a selection by Nogueira, Sechidis and Brown, and the mean Jaccard index.

    With :math:`M` sets of :math:`d` candidates, :math:`p_f` the share of sets with gene f and
    :math:`\bar k` the mean size, :math:`\Phi = 1 - \frac{1}{d} \sum_f \frac{M}{M-1} p_f (1 - p_f)
    / [\frac{\bar k}{d} (1 - \frac{\bar k}{d})]`. With many candidates that is about the mean number
    of genes that two sets share, over the mean size. Bounds are Wald's with the variance of the
    paper, at most 1; where they have no width, as when all sets are equal, Clopper and Pearson's
    for as many pairs as can be formed without using a set twice. They take sets as independent,
    which those from parts of one cohort are for that cohort only: for other patients they are too
    narrow.

    Parameters
    ----------
    chosen
        Genes of each set; two sets or more, none empty.
    candidates
        Genes that could have been chosen, more than any set has.
    level
        Of the interval.

    Raises
    ------
    DataError
        Fewer than two sets, an empty one, or sets that leave no candidate out.

    References
    ----------
    Nogueira, Sechidis & Brown 2018, https://jmlr.org/papers/v18/17-514.html.

    Examples
    --------
    >>> found = selection_stability([{"A", "B"}, {"A", "B"}, {"A", "C"}], candidates=6)
    >>> round(found.value, 2), round(found.jaccard, 3)
    (0.5, 0.556)
    """
    sizes = np.array([len(set(genes)) for genes in chosen])
    names = sorted({gene for genes in chosen for gene in genes})
    if sizes.size < 2 or sizes.min() == 0 or not sizes.mean() < candidates >= len(names):
        raise DataError(
            "expected two sets or more, none empty, each of some of the candidates; found "
            f"{sizes.size} sets with {len(names)} genes of {candidates} candidates. Repeat the "
            "selection more often, or among more genes."
        )
    member = np.array([[gene in genes for gene in names] for genes in map(set, chosen)], float)
    share, size, m = member.mean(axis=0), sizes.mean() / candidates, sizes.size
    room = size * (1 - size)
    value = 1 - m / (m - 1) * (share * (1 - share)).sum() / candidates / room
    own = member @ share / candidates - sizes / candidates * size
    own += value / 2 * (2 * sizes / candidates * size - sizes / candidates - size + 1)
    own /= room
    variance = 4 / m**2 * np.square(own - own.mean()).sum()
    half = float(ndtri(0.5 + check_level(level) / 2)) * np.sqrt(variance)
    low, high = value - half, min(value + half, 1.0)
    if variance < _NO_VARIANCE:
        exact = clopper_pearson(min(max(value, 0.0), 1.0) * (m // 2), m // 2, level=level)
        low, high = min(float(exact.low), value), float(exact.high)
    return SelectionStability(float(value), float(low), float(high), _jaccard(member, sizes))


def _jaccard(member: Floats, sizes: Floats) -> float:
    """Mean over all pairs of sets."""
    shared = member @ member.T
    first, second = np.triu_indices(sizes.size, k=1)
    either = sizes[first] + sizes[second] - shared[first, second]
    return float((shared[first, second] / either).mean())


class _Run(NamedTuple):
    """What one repeated derivation chose and how it did, or why it failed."""

    genes: tuple[str, ...] = ()
    concordance: float | None = None
    fell_back: bool = False
    failure: str = ""


def _subsamples(
    discovery: Discovery, count: int, *, rng: np.random.Generator
) -> list[NDArray[np.intp]]:
    """Positions of patients in each subsample, rising."""
    strata = pd.MultiIndex.from_arrays([discovery.cohorts, discovery.outcome.event])
    code = pd.factorize(strata)[0]
    members = [np.flatnonzero(code == stratum) for stratum in range(code.max() + 1)]
    sizes = [max(1, round(DRAWN * member.size)) for member in members]
    return [
        np.sort(
            np.concatenate(
                [
                    rng.choice(member, size, replace=False)
                    for member, size in zip(members, sizes, strict=True)
                ]
            )
        )
        for _ in range(count)
    ]


def _derive_again(
    rule: SignatureDerivation,
    expression: pd.DataFrame,
    target: NDArray[np.void],
    *,
    inside: NDArray[np.intp],
) -> _Run:
    """Derive from some patients and rank the others."""
    with warnings.catch_warnings():
        # What the derivation from everybody says once need not be said for every part of them.
        warnings.simplefilter("ignore", RadiogenomicsWarning)
        try:
            fitted = clone(rule).fit(expression.iloc[inside], target[inside])
        except DataError as error:
            return _Run(failure=str(error))
    others = np.setdiff1d(np.arange(len(expression)), inside)
    return _Run(
        genes=tuple(sorted(fitted.selected_features_)),
        concordance=_ranked(fitted, expression.iloc[others], target[others]),
        fell_back=bool(fitted.fell_back_),
    )


def _ranked(
    fitted: SignatureDerivation, expression: pd.DataFrame, target: NDArray[Any]
) -> float | None:
    """Concordance within cohorts; None where no two patients can be compared."""
    if not len(expression):
        return None
    time, event = survival_target(target)
    cohorts = expression[COHORT].astype(str).to_numpy(dtype=object)
    if not comparable_pairs(time, event, strata=cohorts):
        return None
    return concordance(fitted.predict(expression), time, event, strata=cohorts).value


def _metric(
    name: str,
    numbers: tuple[float, float, float],
    judge: Judge,
    *,
    chance: float | None = None,
) -> Metric:
    outcome = judge.discovery.outcome
    n = len(outcome.time)
    return Metric(name, *numbers, chance, n, SPLIT, events=outcome.n_events)


def _outside_metric(done: Sequence[_Run], judge: Judge) -> Metric | None:
    """Mean concordance of the patients not drawn; None where none could be compared."""
    found = [run.concordance for run in done if run.concordance is not None]
    if not found:
        return None
    low, high = map(float, np.percentile(found, [2.5, 97.5]))
    numbers = (float(np.mean(found)), low, high)
    return _metric("signature_c_index_out_of_bag", numbers, judge, chance=0.5)


def _tables(done: Sequence[_Run], locked: Sequence[str]) -> dict[str, pd.DataFrame]:
    genes = pd.Series([gene for run in done for gene in run.genes], dtype=object).value_counts()
    genes = genes.reindex([*genes.index, *(gene for gene in locked if gene not in genes)])
    sets = pd.Series([" + ".join(run.genes) for run in done], dtype=object).value_counts()
    return {
        "stability": _shares(genes.fillna(0), len(done), column="gene"),
        "stability_sets": _shares(sets, len(done), column="genes"),
    }


def _shares(counts: pd.Series[Any], runs: int, *, column: str) -> pd.DataFrame:
    """Share of runs with its interval, the largest first and ties by name."""
    ordered = counts.sort_index().sort_values(ascending=False, kind="stable")
    low, high = clopper_pearson(ordered.to_numpy(dtype=float), runs)
    shares = ordered.to_numpy(dtype=float) / runs
    return pd.DataFrame(
        {column: ordered.index, "share": shares, "low": low, "high": high, "bootstraps": runs}
    )


def _troubles(runs: Sequence[_Run]) -> tuple[tuple[str, str], ...]:
    """Notes on derivations that failed or fell back."""
    failures = [run.failure for run in runs if run.failure]
    notes: tuple[tuple[str, str], ...] = ()
    if failures:
        text = (
            f"stability: {len(failures)} of {len(runs)} repeated derivations failed and are left "
            f"out, the first because: {failures[0]}"
        )
        notes += (("warning", text),)
    fallbacks = sum(run.fell_back for run in runs)
    if fallbacks:
        text = (
            f"stability: in {fallbacks} of {len(runs)} repeated derivations the search chose no "
            "gene, and the screen's first stands in."
        )
        notes += (("warning", text),)
    return notes


def _in_words(done: Sequence[_Run], locked: Sequence[str]) -> str:
    different = len({gene for run in done for gene in run.genes})
    text = (
        f"stability: {len(done)} derivations, each from {DRAWN:.1%} of the patients, chose "
        f"{different} different genes."
    )
    if locked:
        same = sum(run.genes == tuple(sorted(locked)) for run in done)
        text += f" The locked {' + '.join(locked)} came back with no other in {same}."
    return text
