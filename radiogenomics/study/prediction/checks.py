"""What a study's own design allows: patients for its variables, and how wide chance is."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from radiogenomics.stats.design.chance_ranges import auc_chance_range
from radiogenomics.stats.design.claimed import auc_interval_at
from radiogenomics.stats.design.events_per_variable import events_per_variable
from radiogenomics.study.prediction.labels import TimeLabel
from radiogenomics.study.prediction.schema import (
    ChangeBlock,
    ClinicalBlock,
    ImageBlock,
    Model,
    Part,
    PredictionStudy,
)

COLUMNS = ("quantity", "split", "claimed", "low", "high", "chance_low", "chance_high", "note")
TRUTH = "AUC of a true model as good as the claim"
EVENTS = "patients of the rarer class for each variable looked at"
NEEDED = "patients that so many variables would have needed"


def design_checks(study: PredictionStudy) -> pd.DataFrame:
    """Check the published design of a recipe, without any patient.

    Returns
    -------
    DataFrame
        ``quantity, split, claimed, low, high, chance_low, chance_high, note``: for every part how
        widely an AUC as good as the claim scatters at its size, and where worthless scores fall;
        for the training part, patients a variable and the number that Riley's criteria ask for.
        Empty for a time to an event.

    References
    ----------
    Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747; Riley et al. 2019,
    doi:10.1002/sim.7992.
    """
    if isinstance(study.label, TimeLabel):
        return pd.DataFrame(columns=list(COLUMNS))
    auc = study.simulation.auc.value
    rows = [_scatter(name, part, auc) for name, part in study.design.items()]
    training = next(iter(study.design))
    rows += _variables(study, training, auc)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _classes(part: Part) -> tuple[int, int, str]:
    """Patients of class 1 and 0, and what is assumed of them."""
    size, positives = part.patients.value, part.positives.value
    if positives is None:
        return size // 2, size - size // 2, "; class 1 is not public, half of the patients assumed"
    return positives, size - positives, ""


def _scatter(name: str, part: Part, auc: float) -> dict[str, object]:
    positives, negatives, assumed = _classes(part)
    low, high = auc_interval_at(auc, positives, negatives)
    chance_low, chance_high = auc_chance_range(positives, negatives)
    return {
        "quantity": TRUTH,
        "split": name,
        "claimed": auc,
        "low": low,
        "high": high,
        "chance_low": chance_low,
        "chance_high": chance_high,
        "note": f"{positives} against {negatives} patients{assumed}",
    }


def _variables(study: PredictionStudy, name: str, auc: float) -> list[dict[str, object]]:
    positives, negatives, assumed = _classes(study.design[name])
    candidates = candidate_count(study, study.models[0])
    found = events_per_variable(positives, negatives, candidates=candidates, c_statistic=auc)
    where = f"{candidates} variables of {study.models[0].name}{assumed}"
    return [
        {"quantity": EVENTS, "split": name, "claimed": found.per_candidate, "note": where},
        {
            "quantity": NEEDED,
            "split": name,
            "claimed": float(found.needed.n),
            "note": f"{where}; for a regression without shrinkage",
        },
    ]


def candidate_count(study: PredictionStudy, model: Model) -> int:
    """Variables that a model looks at before anything is selected."""
    return sum(_width(study.blocks, name) for name in model.blocks.value)


def _width(blocks: Mapping[str, ImageBlock | ClinicalBlock | ChangeBlock], name: str) -> int:
    block = blocks[name]
    if isinstance(block, ClinicalBlock):
        return len(block.facts.value)
    if isinstance(block, ImageBlock):
        return block.features.value
    return _width(blocks, block.of.value[0])
