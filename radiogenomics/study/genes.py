"""Genes one by one: hazard ratio per SD, and tumour against normal tissue."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.evidence import Metric
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.omics import compare_groups
from radiogenomics.stats import fit_cox, fit_cox_batch, permutation_p
from radiogenomics.study.findings import Findings
from radiogenomics.study.inputs import Inputs

APPARENT = "apparent"
NORMAL_PERMUTATIONS = 1000
FEWEST_NORMALS = 3


def single_genes(
    genes: pd.DataFrame, outcome: SurvivalOutcome, *, orders: NDArray[np.intp]
) -> Findings:
    """Univariate Cox of each gene per SD; two-sided permutation p on the log hazard ratio."""
    time, event = outcome.time.to_numpy(), outcome.event.to_numpy()
    metrics, rows = [], []
    for gene in genes:
        values = genes[gene].to_numpy(dtype=float)
        standard = (values - values.mean()) / values.std(ddof=1)
        fit = fit_cox(standard, time, event)
        null = fit_cox_batch(standard[orders][:, :, None], time, event).coef[:, 0]
        p = permutation_p(float(fit.coef[0]), null, alternative="two-sided")
        low, high = map(float, fit.interval()[0])
        metrics.append(
            Metric(
                name=f"gene_hr_per_sd:{gene}",
                value=float(fit.hazard_ratio[0]),
                low=low,
                high=high,
                chance=1.0,
                n=fit.n,
                split=APPARENT,
                p_permutation=p,
                events=fit.events,
            )
        )
        rows.append(
            {
                "gene": gene,
                "hazard_ratio": float(fit.hazard_ratio[0]),
                "low": low,
                "high": high,
                "p": float(fit.p[0]),
                "n": fit.n,
                "events": fit.events,
            }
        )
    return Findings(metrics=tuple(metrics), tables={"genes": pd.DataFrame(rows)})


def tumour_against_normal(
    inputs: Inputs, *, genes: Iterable[str], rng: np.random.Generator
) -> Findings:
    """Difference of mean log2 expression, tumour minus normal, samples permuted for its null.

    Welch's test and interval over samples; a tumour and the normal tissue of the same patient are
    treated as independent, which widens the interval.
    """
    if inputs.expression is None or inputs.normal is None or len(inputs.normal) < FEWEST_NORMALS:
        return Findings()
    wanted = list(genes)
    both = pd.concat([inputs.expression[wanted], inputs.normal[wanted]]).reset_index(drop=True)
    tumour = pd.Series(np.arange(len(both)) < len(inputs.expression), index=both.index)
    table = compare_groups(both, tumour)
    values = both.to_numpy(dtype=float)
    shuffled = np.array([rng.permutation(tumour.to_numpy()) for _ in range(NORMAL_PERMUTATIONS)])
    n_tumour, n_normal = int(tumour.sum()), int((~tumour).sum())
    null = (shuffled @ values) / n_tumour - (~shuffled @ values) / n_normal
    differences, lows, highs = table[["difference", "low", "high"]].to_numpy(dtype=float).T
    metrics = [
        Metric(
            name=f"tumour_normal_difference:{gene}",
            value=float(differences[i]),
            low=float(lows[i]),
            high=float(highs[i]),
            chance=0.0,
            n=len(both),
            split=APPARENT,
            p_permutation=permutation_p(float(differences[i]), null[:, i], alternative="two-sided"),
            events=n_tumour,
        )
        for i, gene in enumerate(wanted)
    ]
    renamed = table.rename(columns={"mean_a": "tumour_mean", "mean_b": "normal_mean"})
    return Findings(metrics=tuple(metrics), tables={"tumour_normal": renamed})
