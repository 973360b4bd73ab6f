"""The verdict of a virtual biopsy in a sentence."""

from __future__ import annotations

import pandas as pd

from radiogenomics.core.evidence import Metric
from radiogenomics.study.findings import Findings
from radiogenomics.study.foretelling.applied import RHO
from radiogenomics.study.foretelling.targets import GENE
from radiogenomics.study.foretelling.training import STRONGEST

ALPHA = 0.05


def conclusion(findings: Findings, *, learnt_in: str) -> str:
    """One sentence of what images foretell here, and one of what held elsewhere."""
    rows = findings.tables["biopsy"]
    learner = str(rows["learner"].iloc[0])
    rows = rows[rows["learner"] == learner]
    strongest = findings.metric(STRONGEST, split="cross-validation")
    said = [_applied_only(rows, learnt_in)] if strongest is None else []
    if strongest is not None:
        said.append(_learnt(rows, findings.tables["biopsy_null"], strongest, learner=learner))
    elsewhere = [metric for metric in findings.metrics if metric.name.startswith(f"{RHO}:")]
    said += [_elsewhere(metric) for metric in elsewhere]
    if strongest is None and not elsewhere:
        said.append("Nothing was measured to hold them against")
    return ". ".join(said)


def _learnt(rows: pd.DataFrame, null: pd.DataFrame, strongest: Metric, *, learner: str) -> str:
    found = rows[(rows["p_family"] <= ALPHA) & (rows["r2"] > 0)]
    chance = null.loc[null["learner"] == learner, "value"].quantile([0.025, 0.975])
    best = rows.iloc[0]
    what = _counted(rows)
    beside = (
        f"R² {_two(best.r2)}, where the best target of permuted patients has "
        f"{_two(chance.iloc[0])} to {_two(chance.iloc[1])} (family-wise p {best.p_family:.2g})"
    )
    if found.empty:
        return (
            f"images foretell none of {what} beyond chance, out of sample, in {strongest.n} "
            f"patients. The best is {best.target}: {beside}"
        )
    return (
        f"images foretell {len(found)} of {what} beyond chance, out of sample, in {strongest.n} "
        f"patients. The best is {best.target}: {beside}"
    )


def _applied_only(rows: pd.DataFrame, learnt_in: str) -> str:
    found = rows[(rows["p_family"] <= ALPHA) & (rows["r2"] > 0)]
    return (
        f"surrogates of {_counted(rows)}, locked in {learnt_in}, where {len(found)} of them "
        f"were beyond chance, were applied; nothing was learnt"
    )


def _elsewhere(metric: Metric) -> str:
    target, cohort = metric.name.partition(":")[2], metric.split.partition(":")[2]
    beyond = metric.low > 0 and (metric.p_permutation or 1) <= ALPHA
    return (
        f"In {cohort} the locked surrogate of {target} "
        f"{'goes' if beyond else 'does not go'} with what was measured in {metric.n} patients"
        f"{'' if beyond else ', as far as can be told'}: rank correlation "
        f"{_two(metric.value)} ({_two(metric.low)} to {_two(metric.high)}), permutation p "
        f"{metric.p_permutation:.2g}"
    )


def _two(value: float) -> str:
    """Two decimals, and no minus before nothing."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def _counted(rows: pd.DataFrame) -> str:
    """Say how many of which kind."""
    genes = int((rows["kind"] == GENE).sum())
    sets = len(rows) - genes
    words = [f"{sets} gene set{'s' * (sets != 1)}"] if sets else []
    words += [f"{genes} gene{'s' * (genes != 1)}"] if genes else []
    both = f"{len(rows)} targets ({' and '.join(words)})"
    return both if len(words) > 1 else words[0]
