"""Pictures of a virtual biopsy, and the cards of single patients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd

from radiogenomics.plots.estimates import draw_estimates
from radiogenomics.plots.foretold import draw_foretold
from radiogenomics.plots.link_nulls import family_wise_threshold
from radiogenomics.plots.link_words import set_labels
from radiogenomics.plots.null import draw_null
from radiogenomics.plots.patient_card import (
    PatientCard,
    draw_patient_card,
    suggestion,
    uncertainty,
)
from radiogenomics.plots.style import shorten
from radiogenomics.plots.virtual_biopsy import draw_virtual_biopsy
from radiogenomics.report.content import ReportContent
from radiogenomics.report.drawings import Pictures
from radiogenomics.report.embed import Picture, picture
from radiogenomics.report.parts import p_value
from radiogenomics.report.vocabulary import SIGNIFICANCE

DRAWN = 25
SCATTERED = 2
MOST_SHOWN, OTHERS_SHOWN = 10, 2
CARDS, ON_A_CARD, GREY_ON_A_CARD = 6, 8, 3
LONGEST = 34
ALL = "all"


def judged(content: ReportContent) -> pd.DataFrame | None:
    """Rows of the learner that is judged, which stands first, the best foretold target first."""
    table = content.table("biopsy")
    return None if table is None else table[table["learner"] == table["learner"].iloc[0]]


def short_names(targets: Iterable[str]) -> list[str]:
    """Names without the collection in front of the bar, where that leaves them distinct.

    Examples
    --------
    >>> short_names(["H|HYPOXIA", "A|CYT", "B|CYT"])
    ['HYPOXIA', 'A|CYT', 'B|CYT']
    """
    whole = list(map(str, targets))
    bare = [name.rpartition("|")[2] for name in whole]
    counts = Counter(bare)
    return [short if counts[short] == 1 else name for short, name in zip(bare, whole, strict=True)]


def found_targets(content: ReportContent) -> list[str]:
    """Targets that images foretell beyond chance, as the cards count them."""
    rows = judged(content)
    if rows is None:
        return []
    return list(rows.loc[(rows["p_family"] < SIGNIFICANCE) & (rows["r2"] > 0), "target"])


def worth_showing(content: ReportContent) -> list[str]:
    """Targets beyond chance and a few others; the best foretold where none is."""
    rows = judged(content)
    found = found_targets(content)[:MOST_SHOWN]
    ranked = [] if rows is None else [t for t in rows["target"] if t not in found]
    return [*found, *ranked[: OTHERS_SHOWN if found else MOST_SHOWN // 2]]


def by_target(table: pd.DataFrame, targets: list[str]) -> pd.DataFrame:
    """Rows of these targets, one target after the other, or all where there is none of them."""
    own = table[table["target"].isin(targets)]
    order = own["target"].map({target: place for place, target in enumerate(targets)})
    return own.loc[order.sort_values(kind="stable").index] if len(own) else table


def biopsy_pictures(content: ReportContent) -> Pictures:
    """Targets by R², and the best of them patient by patient."""
    rows = judged(content)
    if rows is None:
        return ()
    ax = draw_virtual_biopsy(rows.assign(target=short_names(rows["target"])), top=DRAWN)
    best = rows.iloc[0]
    caption = (
        f"R² out of sample and AUC of high against low, with 95 % intervals of the AUC. The best: "
        f"{best['target']}, R² {best['r2']:.2f}, family-wise p {p_value(best['p_family'])}."
    )
    return (picture(ax, alt=caption, caption=caption, table="biopsy"), *_scattered(content, rows))


def chance_pictures(content: ReportContent) -> Pictures:
    """Best R² of each permutation and of the data, of the learner that is judged."""
    rows, null = judged(content), content.table("biopsy_null")
    if rows is None or null is None:
        return ()
    own = null[null["learner"] == rows["learner"].iloc[0]]
    first = rows.iloc[0]
    ax = draw_null(
        own, observed=float(first["r2"]), p=float(first["p_family"]), name="best R² of all targets"
    )
    reached = int((own["value"] >= first["r2"]).sum())
    threshold = family_wise_threshold(own["value"].to_numpy(dtype=float))
    caption = (
        f"Best R² among {len(rows):,} targets: {first['r2']:.3f} with the patients in place; "
        f"{reached} of {len(own)} permutations reach it."
        + ("" if threshold is None else f" A target needs {threshold:.3f} to be beyond chance.")
    )
    return (picture(ax, alt=caption, caption=caption, table="biopsy_null"),)


def transport_pictures(content: ReportContent) -> Pictures:
    """Rank correlation of foretold and measured, over all patients and group by group."""
    table = content.table("transport")
    if table is None:
        return ()
    own = by_target(table, worth_showing(content))
    known = own[np.isfinite(own["rho"].astype(float))]
    if known.empty:
        return ()
    names = dict(zip(known["target"].unique(), set_labels(known["target"].unique()), strict=True))
    targets = known["target"].map(names)
    rows = pd.DataFrame(
        {
            "label": known["group"].where(known["group"] != ALL, "all patients"),
            "value": known["rho"],
            "low": known["rho_low"],
            "high": known["rho_high"],
            "found": known["rho_low"] > 0,
            "heading": targets,
        }
    )
    if not (known["group"] != ALL).any():
        rows = rows.assign(label=targets).drop(columns="heading")
    cohort = ", ".join(known["cohort"].unique())
    ax = draw_estimates(rows, name="rank correlation, foretold and measured", chance=0)
    caption = (
        f"{cohort}: rank correlation of what the locked surrogates foretell with what was "
        "measured; hollow where the 95 % interval holds 0 or lies below."
    )
    return (picture(ax, alt=caption, caption=caption, table="transport"),)


def card_pictures(content: ReportContent) -> Pictures:
    """Cards of a few patients, from the lowest to the highest level of the best target."""
    applied, targets = content.table("applied"), content.table("targets")
    rows = judged(content)
    if applied is None or targets is None or rows is None:
        return ()
    shown = _on_cards(content, rows)
    found = found_targets(content)
    leading = applied[applied["target"] == (found or shown)[0]]
    order = leading.sort_values(["predicted", "patient"], kind="stable")["patient"].to_numpy()
    places = np.unique(np.linspace(0, len(order) - 1, CARDS).round().astype(int))
    if not found:
        places = places[len(places) // 2 :][:1]
    return tuple(_card(content, str(patient), shown) for patient in order[places])


def _card(content: ReportContent, patient: str, shown: list[str]) -> Picture:
    card = patient_card(content, patient, shown)
    said = suggestion(card)
    return picture(
        draw_patient_card(card),
        alt=f"Patient {patient}. {said} {uncertainty(card)}",
        caption=f"Patient {patient}. {said}",
        table="applied",
    )


def patient_card(content: ReportContent, patient: str, shown: list[str]) -> PatientCard:
    """What is known of one patient, in standard deviations of the training cohort."""
    applied, targets = content.tables["applied"], content.tables["targets"].set_index("target")
    own = applied[applied["patient"] == patient].set_index("target").loc[shown]
    mean, sd = targets["mean"], targets["sd"]
    scaled = {
        name: ((own[name] - mean.loc[shown]) / sd.loc[shown]).to_numpy()
        for name in ("predicted", "low", "high")
    }
    rows = content.tables["biopsy"].drop_duplicates("target").set_index("target").loc[shown]
    pathways = pd.DataFrame(
        {
            "pathway": shown,
            **scaled,
            "percentile": own["percentile"].to_numpy(),
            "r2": rows["r2"].to_numpy(),
            "p_family": rows["p_family"].to_numpy(),
        }
    )
    return PatientCard(
        patient,
        pathways,
        _behind(content, patient, sd),
        _training(content, shown, mean, sd),
        level=float(targets["confidence"].iloc[0]),
    )


def _behind(content: ReportContent, patient: str, sd: pd.Series[float]) -> pd.DataFrame:
    table = content.table("contributions")
    if table is None:
        return pd.DataFrame(columns=["pathway", "feature", "contribution"])
    own = table[table["patient"] == patient]
    scaled = own["contribution"] / own["target"].map(sd)
    return pd.DataFrame(
        {"pathway": own["target"], "feature": own["feature"], "contribution": scaled}
    )


def _training(
    content: ReportContent, shown: list[str], mean: pd.Series[float], sd: pd.Series[float]
) -> pd.DataFrame | None:
    levels = content.table("levels")
    if levels is None:
        return None
    own = levels[levels["target"].isin(shown)]
    scaled = (own["measured"] - own["target"].map(mean)) / own["target"].map(sd)
    return pd.DataFrame({"pathway": own["target"], "value": scaled})


def _on_cards(content: ReportContent, rows: pd.DataFrame) -> list[str]:
    """Targets beyond chance, then the best of the others, in grey; those that were locked."""
    locked = set(content.tables["targets"]["target"])
    found = [target for target in found_targets(content) if target in locked][:ON_A_CARD]
    others = [t for t in rows["target"] if t in locked and t not in found_targets(content)]
    return found + others[:GREY_ON_A_CARD]


def _scattered(content: ReportContent, rows: pd.DataFrame) -> Pictures:
    """The best foretold targets, a point a patient."""
    table = content.table("predictions")
    if table is None or not {"target", "predicted", "measured"} <= set(table):
        return ()
    found = []
    for row in rows.head(SCATTERED).itertuples():
        own = table[table["target"] == row.target]
        if own.empty:
            continue
        label = shorten(short_names([row.target])[0].replace("_", " "), length=LONGEST)
        caption = (
            f"{label}: each patient held out; rank correlation {row.rho:.2f}, R² {row.r2:.2f}."
        )
        ax = draw_foretold(own, title=label)
        found.append(picture(ax, alt=caption, caption=caption, table="predictions"))
    return tuple(found)
