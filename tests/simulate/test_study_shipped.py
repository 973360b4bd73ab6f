"""Each shipped recipe's design: its true model is as good as said, and its world can be.

``python benchmarks/simulated_truth.py`` prints what is held here to a limit.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from lifelines.utils import concordance_index
from sklearn.metrics import roc_auc_score

from radiogenomics.core.schema import parse, read_yaml
from radiogenomics.simulate.study_cohort import draw_study_cohort
from radiogenomics.simulate.study_design import MONTHS_PER_WEEK, StudyDesign, TimeLabel
from radiogenomics.simulate.study_people import draw_people
from radiogenomics.simulate.study_truth import calibrate
from radiogenomics.study.prediction.schema import PredictionStudy
from radiogenomics.study.prediction.simulated import design_of
from radiogenomics.study.registry import shipped

MANY, SEEDS = 40_000, range(4)
LWCTR = "lwctr2025_os12_ct"
pytestmark = pytest.mark.filterwarnings("ignore::radiogenomics.core.errors.RadiogenomicsWarning")


def prediction_recipes() -> list[str]:
    paths = shipped("analyses").glob("*/study.yaml")
    return sorted(p.parent.name for p in paths if "kind: prediction" in p.read_text("utf-8")[:2000])


@cache
def shipped_design(name: str) -> StudyDesign:
    path = shipped("analyses") / name / "study.yaml"
    return design_of(parse(PredictionStudy, read_yaml(path), where=name), features=30)


@pytest.mark.parametrize("name", prediction_recipes())
def test_the_true_score_of_many_patients_has_the_target(name):
    asked = shipped_design(name)
    truth, part = calibrate(asked), asked.training
    share = None if part.positives is None else part.positives / part.patients
    part = replace(part, patients=MANY, positives=share and round(share * MANY))
    found, events = [], 0
    for seed in SEEDS:
        drawn = draw_people(asked, truth, part, rng=np.random.default_rng(seed))
        if isinstance(asked.label, TimeLabel):
            seen = drawn.outcomes[asked.label.endpoint]
            score = drawn.score if asked.better else -drawn.score
            found.append(concordance_index(seen["months"], score, seen["event"]))
            events += seen["event"].sum()
        else:
            found.append(roc_auc_score(drawn.positive, drawn.score))
    # Over seeds a C-index has a standard error of 0.010 at 1,000 events.
    limit = max(0.004, 3 * 0.010 * np.sqrt(1_000 / events)) if events else 0.004
    assert np.mean(found) == pytest.approx(asked.target, abs=limit)


@pytest.mark.parametrize("part", ["training", "internal", "external"])
@pytest.mark.parametrize("seed", range(3))
def test_everyone_of_lwctr_lived_to_the_scan_that_was_asked_for(part, seed):
    asked = shipped_design(LWCTR)
    asked = replace(asked, facts={**asked.facts, "interval": "weeks"})
    cohort = draw_study_cohort(asked, part, seed=seed)
    scan = cohort.facts["interval"] * MONTHS_PER_WEEK
    assert scan.between(1.37, 2.3).all()
    assert cohort.blocks["post_a"].index.equals(cohort.facts.index)
    for outcome in cohort.outcomes.values():
        assert (outcome["months"] >= scan).all()
    progressed, pfs = cohort.responses["response"] == "PD", cohort.outcomes["PFS"]
    assert progressed.any()
    assert pfs.loc[progressed, "event"].all()
    assert (pfs.loc[progressed, "months"] <= 2.3).all()
    early = pd.Series(pfs["event"] & (pfs["months"] <= scan + 0.01), dtype=bool)
    assert (early & ~progressed).mean() < 0.02
    died = cohort.outcomes["OS"]["event"]
    assert (pfs["months"] <= cohort.outcomes["OS"]["months"])[died].all()
