"""Hand-made recipes and scored cohorts: no images, no fits, known scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.outcomes import ResponseOutcome, SurvivalOutcome
from radiogenomics.study.prediction.schema import PredictionStudy
from radiogenomics.study.prediction.scored import Scored

MakeStudy = Callable[..., PredictionStudy]
MakePart = Callable[..., Scored]


def given(value: Any) -> dict[str, Any]:
    return {"value": value, "source": "default"}


OS_LABEL: dict[str, Any] = {
    "rule": "survival_beyond",
    "name": "OS12",
    "meaning": given("better"),
    "endpoint": given("OS"),
    "months": given(12.0),
    "censored": given("exclude"),
    "landmark": given(0.0),
}
FACT_LABEL: dict[str, Any] = {
    "rule": "fact",
    "name": "iTLS",
    "meaning": given("better"),
    "fact": given("itls"),
    "positive": given(["yes"]),
}
RIVALS = [
    {
        "name": "mRECIST",
        "fact": given("response"),
        "groups": given([["PD"], ["SD"], ["CR", "PR"]]),
        "rises": given("positive"),
    },
    {"name": "AFP", "fact": given("afp"), "groups": given(None), "rises": given("negative")},
]


def survival(endpoint: str, horizons: list[float], adjust_for: tuple[str, ...] = ()) -> dict:
    asked = {"endpoint": endpoint, "horizons": horizons, "adjust_for": list(adjust_for)}
    return {name: given(value) for name, value in asked.items()}


@pytest.fixture(scope="session")
def make_study() -> MakeStudy:
    """A recipe with these read-outs; sections are given as the YAML would have them."""

    def made(
        *,
        label: dict[str, Any] = FACT_LABEL,
        endpoints: tuple[tuple[Any, ...], ...] = (),
        cox: dict[str, list[str]] | None = None,
        permutations: int = 49,
        **readouts: Any,
    ) -> PredictionStudy:
        part = {"patients": given(60), "positives": given(None), "sites": given(2)}
        plan = {
            "folds": 5,
            "repeats": 1,
            "inner_folds": 3,
            "permutations": 0,
            "outcome_permutations": permutations,
            "threshold": "youden",
            "minimum_events": 10,
            "without_follow_up": "baseline_model",
        }
        asked = {
            "survival": [survival(*each) for each in endpoints],
            "cox": [{"name": n, "terms": given(terms)} for n, terms in (cox or {}).items()],
            **readouts,
        }
        return PredictionStudy.model_validate(
            {
                "kind": "prediction",
                "study": "made",
                "title": "made",
                "question": "made?",
                "citation": "none",
                "doi": "10.0/none",
                "design": {"training": part},
                "label": label,
                "blocks": {"clinical": {"kind": "clinical", "facts": given(["age"])}},
                "models": [
                    {"name": "M", "blocks": given(["clinical"]), "learner": given("lr")},
                ],
                "rivals": RIVALS,
                "evaluation": {name: given(value) for name, value in plan.items()},
                "readouts": asked,
                "legacy": given([]),
                "simulation": {
                    "auc": given(0.8),
                    "shares": {"clinical": given(1.0)},
                    "informative": given(1),
                },
            }
        )

    return made


@pytest.fixture(scope="session")
def make_part() -> MakePart:
    """A cohort whose score foretells label, survival and response, so and so well."""

    def made(
        id: str = "near",
        n: int = 120,
        *,
        seed: int = 1,
        repeats: int = 1,
        meaning: str = "better",
        site: str = "site",
    ) -> Scored:
        rng = np.random.default_rng(seed)
        ids = pd.Index([f"{id}-{i}" for i in range(n)])
        truth = rng.normal(size=n)
        label = (truth + rng.normal(size=n) > 0).astype(float)
        good = truth if meaning == "better" else -truth
        os, pfs = (rng.exponential(15 * np.exp(0.7 * good)) for _ in range(2))
        lost = rng.uniform(6, 60, n)
        order = np.array(["PD", "SD", "PR", "CR"])
        depth = good + rng.normal(size=n)
        response = order[np.digitize(depth, [-0.8, 0.6, 1.8])]
        patients = pd.DataFrame(
            {
                "site": rng.choice(["north", "south"], n),
                "age": rng.normal(60, 9, n).round(),
                "sex": rng.choice(["f", "m"], n),
                "regimen": rng.choice(["TKI", "VEGF"], n, p=[0.4, 0.6]),
                "afp": np.exp(rng.normal(3 - 0.3 * good)).round(1),
            },
            index=ids,
        ).rename(columns={"site": site})
        outcomes: dict[str, Any] = {
            name: SurvivalOutcome(
                name, pd.Series(np.minimum(t, lost), ids), pd.Series(t <= lost, ids), "first dose"
            )
            for name, t in (("OS", os), ("PFS", pfs))
        }
        outcomes["response"] = ResponseOutcome("response", pd.Series(response, ids), "mRECIST")
        frames = [
            pd.DataFrame(
                {
                    "patient_id": ids,
                    "repeat": repeat,
                    "fold": 0,
                    "label": label,
                    "score": 1 / (1 + np.exp(-truth - 0.5 * rng.normal(size=n))),
                }
            )
            for repeat in range(repeats)
        ]
        split = "cross-validation" if id == "near" else f"external:{id}"
        cohort = Cohort(id, patients, outcomes=outcomes)
        predictions = {"M": pd.concat(frames, ignore_index=True)}
        return Scored(cohort, split, predictions, 0.52, meaning)  # type: ignore[arg-type]

    return made


@pytest.fixture(scope="session")
def with_outcomes() -> Callable[..., Scored]:
    """The part with outcomes replaced or, where None is given, removed."""

    def changed(part: Scored, **outcomes: Any) -> Scored:
        merged = {**part.cohort.outcomes, **outcomes}
        kept = {name: outcome for name, outcome in merged.items() if outcome is not None}
        return replace(part, cohort=replace(part.cohort, outcomes=kept))

    return changed


@pytest.fixture(scope="session")
def os_label() -> dict[str, Any]:
    """A label made of survival."""
    return OS_LABEL
