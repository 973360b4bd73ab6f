"""A small recipe, from its text, and small cohorts by hand: two scans of six features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.outcomes import ResponseOutcome, SurvivalOutcome
from radiogenomics.core.schema import parse
from radiogenomics.study.prediction.check_words import check_prediction_words
from radiogenomics.study.prediction.schema import PredictionStudy

FEATURES = [f"texture_{i}" for i in range(6)]

RECIPE = """
kind: prediction
study: small
title: A small study
question: Does it run?
citation: None
doi: 10.0/none
design:
  training:
    patients: {value: 120, source: paper}
    positives: {value: 60, source: paper}
    sites: {value: 2, source: paper}
label:
  rule: response
  name: response
  meaning: {value: better, source: paper}
  outcome: {value: response, source: paper}
  positive: {value: [CR, PR], source: paper}
  among: {value: null, source: paper}
blocks:
  pre: &image
    kind: radiomics
    modality: {value: CT, source: paper}
    phase: {value: arterial, source: paper}
    region: {value: tumour, source: paper}
    time_point: {value: baseline, source: paper}
    settings: {value: ct, source: paper}
    features: {value: 6, source: paper}
    reread: {value: null, source: paper}
    steps: &select
      - step: median_imputer
      - step: standardise
      - step: rank_selector
        parameters:
          k: {value: 2, source: paper}
  post:
    <<: *image
    time_point: {value: follow-up, source: paper}
  change:
    kind: change
    of: {value: [pre, post], source: paper}
    mode: {value: difference, source: paper}
    interval: {value: null, source: paper}
    steps: *select
  clinical:
    kind: clinical
    facts: {value: [age, afp], source: paper}
    steps:
      - step: median_imputer
      - step: standardise
models:
  - &model
    name: Fusion
    blocks: {value: [pre, post, clinical], source: paper}
    learner: {value: svm, source: paper}
  - <<: *model
    name: Delta
    blocks: {value: [change], source: paper}
  - <<: *model
    name: Baseline
    blocks: {value: [pre, clinical], source: paper}
rivals:
  - name: mRECIST
    fact: {value: mrecist, source: paper}
    groups: {value: [[PD], [CR, PR, SD]], source: paper}
    rises: {value: positive, source: paper}
  - name: AFP
    fact: {value: afp, source: paper}
    groups: {value: null, source: paper}
    rises: {value: negative, source: paper}
evaluation:
  folds: {value: 3, source: paper}
  repeats: {value: 1, source: paper}
  inner_folds: {value: 3, source: paper}
  permutations: {value: 3, source: paper}
  outcome_permutations: {value: 19, source: paper}
  threshold: {value: youden, source: paper}
  minimum_events: {value: 10, source: paper}
  without_follow_up: {value: baseline_model, source: paper}
readouts: {}
legacy: {value: [], source: paper}
simulation:
  auc: {value: 0.8, source: paper}
  shares:
    pre: {value: 0.4, source: paper}
    post: {value: 0.4, source: paper}
    clinical: {value: 0.2, source: paper}
  informative: {value: 2, source: paper}
  rivals:
    mRECIST: {value: 0.6, source: paper}
  survival:
    - endpoint: {value: OS, source: paper}
      median: {value: 12.0, source: paper}
      hazard_ratio: {value: 2.0, source: paper}
      censored: {value: 0.2, source: paper}
"""
SURVIVAL_LABEL = """
rule: survival_beyond
name: OS12
meaning: {value: better, source: paper}
endpoint: {value: OS, source: paper}
months: {value: median, source: paper}
censored: {value: exclude, source: paper}
landmark: {value: 0.0, source: paper}
"""
MARKERS_LABEL = """
rule: markers
name: inflamed
meaning: {value: better, source: paper}
assay: {value: null, source: paper}
markers: {value: [CD8, PDL1], source: paper}
cutoffs: {value: [median, 1.0], source: paper}
low: {value: [], source: paper}
"""
FACT_LABEL = """
rule: fact
name: late
meaning: {value: worse, source: paper}
fact: {value: stage, source: paper}
positive: {value: [C], source: paper}
"""
TIME_LABEL = """
rule: time_to_event
name: OS
meaning: {value: worse, source: paper}
endpoint: {value: OS, source: paper}
"""
LABELS = {
    "survival": SURVIVAL_LABEL,
    "markers": MARKERS_LABEL,
    "fact": FACT_LABEL,
    "time": TIME_LABEL,
}

StudyOf = Callable[..., PredictionStudy]
CohortOf = Callable[..., Cohort]


def study_of(changes: dict[str, Any] | None = None, *, checked: bool = True) -> PredictionStudy:
    """The recipe with other values, each at its path; the value of a leaf, else what the YAML says.

    A path that ends in a new name adds it; ``label`` may be the name of one of ``LABELS``.
    """
    fields = deepcopy(yaml.safe_load(RECIPE))
    for path, value in (changes or {}).items():
        *way, last = path.split(".")
        place = fields
        for word in way:
            place = place[int(word) if isinstance(place, list) else word]
        last = int(last) if isinstance(place, list) else last
        if path == "label" and isinstance(value, str):
            value = yaml.safe_load(LABELS[value])
        old = place.get(last) if isinstance(place, dict) else place[last]
        if isinstance(old, dict) and "source" in old:
            old["value"] = value
        else:
            place[last] = value
    study = parse(PredictionStudy, fields, where="small")
    if checked:
        check_prediction_words(study)
    return study


def table(values: pd.DataFrame, name: str) -> FeatureTable:
    return FeatureTable.from_frame(values, name=name, unit="feature", source="made")


def cohort_of(
    n: int = 90,
    *,
    id: str = "near",
    seed: int = 1,
    signal: float = 1.5,
    sites: Sequence[str] = ("north", "south"),
    lacking: int = 0,
) -> Cohort:
    """Half respond, and live longer; features 0 of both scans know it, the later one more of it.

    The last ``lacking`` patients were not scanned again. The first 20 were read twice,
    ``texture_5`` at random.
    """
    rng = np.random.default_rng(seed)
    ids = pd.Index([f"{id}{i:03d}" for i in range(n)])
    better = rng.permutation(n) % 2
    pre = pd.DataFrame(rng.normal(size=(n, 6)), ids, FEATURES)
    post = pd.DataFrame(rng.normal(size=(n, 6)), ids, FEATURES)
    pre["texture_0"] += signal / 2 * better
    post["texture_0"] += signal * better
    again = pre.iloc[:20] + rng.normal(scale=0.01, size=(min(n, 20), 6))
    again["texture_5"] = rng.normal(size=len(again))
    patients = pd.DataFrame(
        {
            "site": np.resize(list(sites), n),
            "age": rng.integers(40, 80, n).astype(float),
            "afp": rng.lognormal(3, 1, n),
            "stage": rng.choice(["A", "B", "C"], n),
            "weeks": rng.uniform(6, 10, n),
            "CD8": rng.lognormal(4, 1, n),
            "PDL1": rng.exponential(2, n),
        },
        index=ids,
    )
    death, end = rng.exponential(np.where(better, 40, 8)), rng.uniform(4, 50, n)
    genes = pd.DataFrame(rng.lognormal(2, 1, size=(n, 2)), ids, ["KPNA2", "SMG5"])
    seen = np.where(better, rng.choice(["CR", "PR"], n), rng.choice(["SD", "PD"], n))
    called = np.where(rng.random(n) < 0.7, seen, rng.permutation(seen))
    return Cohort(
        id,
        patients,
        {
            "pre": table(pre, "pre"),
            "post": table(post.iloc[: n - lacking], "post"),
            "pre_reading_2": table(again, "pre_reading_2"),
            "rna": table(genes, "rna"),
        },
        outcomes={
            "OS": SurvivalOutcome(
                "OS", pd.Series(np.minimum(death, end), ids), pd.Series(death <= end, ids)
            ),
            "response": ResponseOutcome("response", pd.Series(seen, ids), "mRECIST"),
            "mrecist": ResponseOutcome("mrecist", pd.Series(called, ids), "mRECIST"),
        },
    )


@pytest.fixture(scope="session", name="study_of")
def make_study() -> StudyOf:
    return study_of


@pytest.fixture(scope="session", name="cohort_of")
def make_cohort() -> CohortOf:
    return cohort_of
