"""Pictures of claims and of known defects, each beside what was obtained."""

from __future__ import annotations

from types import MappingProxyType

import pandas as pd

from radiogenomics.plots.claims import COLUMNS, draw_claims
from radiogenomics.plots.flattery import draw_flattery
from radiogenomics.plots.style import interval, records
from radiogenomics.report.content import ReportContent
from radiogenomics.report.drawings import Pictures
from radiogenomics.report.embed import Picture, picture
from radiogenomics.report.prediction_texts import claim_words, procedure_words

MOST_CLAIMS = 24
KINDS = MappingProxyType(
    {
        "AUC or C-index": ("auc", "auc_response", "td_auc", "c_index"),
        "share": (
            "accuracy",
            "sensitivity",
            "specificity",
            "ppv",
            "npv",
            "brier",
            "response_rate_high",
            "response_rate_low",
        ),
        "hazard ratio": ("hazard_ratio",),
    }
)
"""What the x axis says → metrics of claims that go on it."""
RATIO = "hazard ratio"


def base_metric(metric: str) -> str:
    """Return a metric of a claim without horizon and endpoint.

    Examples
    --------
    >>> base_metric("td_auc@12:OS"), base_metric("c_index:PFS")
    ('td_auc', 'c_index')
    """
    return metric.partition("@")[0].partition(":")[0]


def claim_pictures(content: ReportContent) -> Pictures:
    """Published numbers beside those obtained, one picture a kind of number."""
    table = content.table("claims")
    if table is None:
        return ()
    found: list[Picture] = []
    kinds = table["metric"].map(base_metric)
    for name, metrics in KINDS.items():
        rows = _rows(table[kinds.isin(metrics)])
        if rows.empty:
            continue
        shown = rows.sort_values("obtained", key=lambda o: o.isna(), kind="stable")
        shown = shown.head(MOST_CLAIMS)
        cut = f" The first {MOST_CLAIMS} of {len(rows)}." if len(shown) < len(rows) else ""
        words = "; ".join(
            f"{r.label} claimed {interval(r.claimed, r.claimed_low, r.claimed_high)}, obtained "
            f"{interval(r.obtained, r.obtained_low, r.obtained_high)}"
            for r in records(shown)
        )
        found.append(
            picture(
                draw_claims(shown, name=name, ratio=name == RATIO),
                alt=f"Published numbers, {name}: {words}.",
                caption=f"Published and obtained, {name}.{cut}",
                table="claims",
            )
        )
    return tuple(found)


def _rows(claims: pd.DataFrame) -> pd.DataFrame:
    """Claims whose size is known, or that were obtained too."""
    names = {"low_at_n": "possible_low", "high_at_n": "possible_high"}
    rows = claims.rename(columns=names)
    known = rows[rows[["possible_low", "obtained"]].notna().any(axis="columns")]
    return known.assign(label=[claim_words(row) for row in records(known)])[list(COLUMNS)]


def flattery_pictures(content: ReportContent) -> Pictures:
    """Each defect beside the honest way."""
    table = content.table("flattery")
    if table is None:
        return ()
    rows = table.assign(procedure=table["procedure"].map(procedure_words))
    words = "; ".join(
        f"{r.procedure} {interval(r.auc, r.low, r.high)}, on shuffled labels {r.auc_on_noise:.2f}"
        for r in records(rows)
    )
    return (
        picture(
            draw_flattery(rows),
            alt=f"AUC by procedure: {words}.",
            caption="The same patients and model by the honest way (first) and with known defects.",
            table="flattery",
        ),
    )
