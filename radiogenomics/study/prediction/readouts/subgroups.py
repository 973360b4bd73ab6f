"""The headline within levels of facts about the patients: AUC, or hazard ratios of a risk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from radiogenomics.evaluation import auc_metric
from radiogenomics.evaluation.repeats import by_repeat
from radiogenomics.evaluation.subgroups import MOST_LEVELS
from radiogenomics.stats.classification.auc import AucEstimate, delong, delong_test_unpaired
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.prediction.inputs import word
from radiogenomics.study.prediction.labels import TimeLabel
from radiogenomics.study.prediction.readouts.facts import fact_of
from radiogenomics.study.prediction.readouts.held import hold
from radiogenomics.study.prediction.readouts.remarks import NONE, warning
from radiogenomics.study.prediction.schema import PredictionStudy
from radiogenomics.study.prediction.scored import Scored
from radiogenomics.study.subgroups import within_subgroups

FEWEST_OF_A_CLASS = 5


def subgroup_auc(study: PredictionStudy, scored: Sequence[Scored]) -> Findings:
    """AUC of the headline in each level of each fact that the recipe names.

    Intervals are DeLong's. Levels with fewer than 5 patients of a class are left out. Where two
    levels are left of two, ``p_interaction`` compares their areas as those of different patients
    (DeLong's variances, averaged over repeats; Welch's degrees of freedom); only it compares
    subgroups, and with many facts some p is small by chance.

    Returns
    -------
    Findings
        Nothing where a time is foretold. Table ``subgroup_auc``: ``split, subgroup`` (the fact),
        ``level, auc, low, high, n, positives, p_interaction`` (empty but for facts of two levels).

    References
    ----------
    Wang et al. 2007, doi:10.1056/NEJMsr077003 (reporting of subgroups).
    """
    asked = study.readouts.subgroups
    facts = () if asked is None or isinstance(study.label, TimeLabel) else asked.value
    return merge([_of_fact(part, fact) for part in scored for fact in facts])


def subgroup_hazards(study: PredictionStudy, scored: Sequence[Scored]) -> Findings:
    """Hazard ratio of the headline's risk in each level of each fact that the recipe names.

    Of a recipe that foretells a time: per standard deviation of the risk, at the label's endpoint.

    Returns
    -------
    Findings
        Table ``subgroups`` of :func:`radiogenomics.study.subgroups.within_subgroups`.
    """
    asked, label = study.readouts.subgroups, study.label
    if asked is None or not isinstance(label, TimeLabel):
        return Findings()
    stages = []
    for part in scored:
        held, notes = hold(study, part, label.endpoint.value)
        stages.append(Findings(notes=notes))
        if held is None:
            continue
        known = {fact: fact_of(part.cohort, fact) for fact in asked.value}
        lacking = [fact for fact, column in known.items() if column is None or column.empty]
        if lacking:
            text = f"{part.split}: subgroups: {', '.join(lacking)} not known of this cohort; "
            stages.append(warning(f"{text}left out."))
        columns = {fact: known[fact] for fact in asked.value if fact not in lacking}
        patients = pd.DataFrame(columns).reindex(held.risk.index)
        stages.append(
            within_subgroups(held.risk, held.outcome, where=part.split, patients=patients)
        )
    return merge(stages)


def _of_fact(part: Scored, fact: str) -> Findings:
    where, known = f"{part.split}, subgroups by {fact}", fact_of(part.cohort, fact)
    if known is None or known.empty:
        return warning(f"{where}: not known of this cohort; left out.")
    frame = part.predictions[part.headline]
    frame = frame[frame["label"].notna() & frame["patient_id"].isin(known.index)]
    if frame.empty:
        return warning(f"{where}: no patient with a label and this fact; left out.")
    values = known.loc[frame["patient_id"]].to_numpy(dtype=object)
    levels = _levels(known)
    if len(levels) > MOST_LEVELS:
        text = f"{where}: {len(levels)} values, more than {MOST_LEVELS} subgroups; left out. Cut"
        return warning(f"{text} numbers into classes first.")
    parts = {word(level): frame[values == level] for level in levels}
    usable = {
        level: rows for level, rows in parts.items() if _smaller_class(rows) >= FEWEST_OF_A_CLASS
    }
    few = [f"{level} ({_classes(rows)})" for level, rows in parts.items() if level not in usable]
    notes = NONE
    if few:
        text = f"{where}: fewer than {FEWEST_OF_A_CLASS} patients of a class in {', '.join(few)}"
        notes = (("warning", f"{text}; left out."),)
    if not usable:
        return Findings(notes=notes)
    rows = [_row(rows, split=part.split, fact=fact, level=level) for level, rows in usable.items()]
    table = pd.DataFrame(rows).assign(p_interaction=np.nan)
    if len(parts) == len(usable) == 2:
        p = delong_test_unpaired(*(_mean_area(rows) for rows in usable.values())).p
        table["p_interaction"] = p
        if np.isnan(p):
            text = f"{where}: levels are not compared, as areas without variance have no test."
            notes = (*notes, ("warning", text))
    return Findings(tables={"subgroup_auc": table}, notes=notes)


def _levels(known: pd.Series[Any]) -> list[object]:
    """Levels in the order of a categorical, else of numbers, else of the alphabet."""
    if isinstance(known.dtype, pd.CategoricalDtype):
        return list(known.cat.remove_unused_categories().cat.categories)
    numbers = pd.api.types.is_numeric_dtype(known)
    return sorted(known.unique(), key=None if numbers else str)


def _one_each(rows: pd.DataFrame) -> pd.Series[float]:
    """Label of each patient; most frequent where repeats label anew."""
    return rows.groupby("patient_id")["label"].mean().round()


def _smaller_class(rows: pd.DataFrame) -> int:
    positive = _one_each(rows)
    return int(min(positive.sum(), len(positive) - positive.sum()))


def _classes(rows: pd.DataFrame) -> str:
    positive = _one_each(rows)
    return f"{int(positive.sum())} of {len(positive)} in class 1"


def _row(rows: pd.DataFrame, *, split: str, fact: str, level: str) -> dict[str, object]:
    found = auc_metric(rows, split=split)
    return {
        "split": split,
        "subgroup": fact,
        "level": level,
        "auc": found.value,
        "low": found.low,
        "high": found.high,
        "n": found.n,
        "positives": found.events,
    }


def _mean_area(rows: pd.DataFrame) -> AucEstimate:
    """Area and variance, averaged over repeats; repeats add no patients."""
    areas = [delong(scores, labels) for scores, labels in by_repeat(rows)]
    return replace(
        areas[0],
        value=float(np.mean([area.value for area in areas])),
        variance=float(np.mean([area.variance for area in areas])),
    )
