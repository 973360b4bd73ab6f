"""Output folders of made-up runs, with tables as the evaluation room makes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.evidence import Metric
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.core.signature import Signature
from radiogenomics.evaluation import (
    auc_metric,
    calibration_metrics,
    calibration_table,
    pooled_auc,
    prognosis,
    roc_table,
    verdict,
)
from radiogenomics.evaluation.utility import decision_curve_table

CV, EXTERNAL = "cross-validation", "external:simulated_mr"
LEARNERS = ("svm", "lr", "rf", "knn", "nb", "gb")
FEATURES = (
    "arterial_tumour_glcm_JointEntropy",
    "arterial_tumour_firstorder_90Percentile",
    "arterial_tumour_glszm_SmallAreaLowGrayLevelEmphasis",
    "arterial_tumour_shape_Sphericity",
    "arterial_tumour_gldm_DependenceNonUniformityNormalized",
    "arterial_tumour_glrlm_RunEntropy",
)
RECIPE = """\
study: example
title: A two-gene signature and its image surrogate
question: Can four features of the tumour tell who carries a high signature?
citation: An example after nobody. J Example 2025.
doi: 10.0000/example
"""

WriteRun = Callable[..., Path]


def predictions_of(
    n: int, effect: float, rng: np.random.Generator, *, repeats: int = 1
) -> pd.DataFrame:
    label = (np.arange(n) % 2).astype(float)
    parts = []
    for repeat in range(repeats):
        margin = effect * (label - 0.5) + rng.normal(0, 0.8, n)
        parts.append(
            pd.DataFrame(
                {
                    "patient_id": [f"P{i:03d}" for i in range(n)],
                    "repeat": repeat,
                    "fold": np.arange(n) % 5,
                    "label": label,
                    "score": 1 / (1 + np.exp(-margin)),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def null_of(predictions: pd.DataFrame, count: int, rng: np.random.Generator) -> np.ndarray:
    labels = predictions["label"].to_numpy()
    return np.array(
        [pooled_auc(predictions.assign(label=rng.permutation(labels))) for _ in range(count)]
    )


def survival_of(
    predictions: pd.DataFrame, effect: float, rng: np.random.Generator
) -> SurvivalOutcome:
    mean = predictions.groupby("patient_id", sort=False)["score"].mean()
    time = rng.exponential(30 * np.exp(-2.5 * effect * (mean.to_numpy() - 0.5)))
    censoring = rng.uniform(6, 72, len(mean))
    return SurvivalOutcome(
        "OS",
        pd.Series(np.minimum(time, censoring) + 0.1, index=mean.index),
        pd.Series(time <= censoring, index=mean.index),
        "diagnosis",
    )


class Run:
    """Collects metrics and tables, stage by stage, and writes the folder."""

    def __init__(self, effect: float, rng: np.random.Generator) -> None:
        self.effect, self.rng = effect, rng
        self.metrics: list[Metric] = []
        self.tables: dict[str, list[pd.DataFrame]] = {}

    def add(self, name: str, table: pd.DataFrame) -> None:
        self.tables.setdefault(name, []).append(table)

    def discovery(self) -> None:
        main = predictions_of(130, self.effect, self.rng, repeats=2)
        null = null_of(main, 199, self.rng)
        self.metrics += [
            auc_metric(main, split=CV, null=null),
            *calibration_metrics(main, split=CV),
        ]
        rows = []
        for position, learner in enumerate(LEARNERS):
            mine = main if position == 0 else predictions_of(130, 0.8 * self.effect, self.rng)
            auc = auc_metric(mine, split=CV)
            row = {
                "learner": learner,
                "headline": position == 0,
                "auc": auc.value,
                "low": auc.low,
                "high": auc.high,
                "chance": 0.5,
                "n": auc.n,
                "positives": auc.events,
            }
            rows.append(row | {m.name: m.value for m in calibration_metrics(mine, split=CV)})
            self.add("roc", roc_table(mine).assign(split=CV, learner=learner))
        self.add("learners", pd.DataFrame(rows))
        self.add("calibration", calibration_table(main).assign(split=CV))
        self.add("decision_curve", decision_curve_table(main).assign(split=CV, learner="svm"))
        self.add("null", pd.DataFrame({"metric": "auc", "split": CV, "value": null}))
        self.add(
            "selection",
            pd.DataFrame({"feature": FEATURES, "frequency": [1, 0.92, 0.6, 0.5, 0.3, 0.04]}),
        )
        self.survival(main, split=CV)

    def signature(self) -> None:
        score = predictions_of(150, self.effect, self.rng)
        outcome = survival_of(score, self.effect, self.rng)
        risk = score.set_index("patient_id")["score"]
        metrics, tables = prognosis(
            risk, outcome, split=f"signature, {CV}", cutoff=0.5, permutations=200, rng=self.rng
        )
        self.metrics += [replace(m, name=f"signature_{m.name}", split=CV) for m in metrics]
        self.metrics += [
            Metric("gene_hr_per_sd:KPNA2", 1.35, 1.02, 1.78, 1.0, 150, "apparent", 0.04, 60),
            Metric(
                "tumour_normal_difference:KPNA2", 1.9, 1.4, 2.4, 0.0, 171, "apparent", 0.001, 150
            ),
            Metric("signature_random_share", 0.03, 0.02, 0.045, 0.5, 150, CV, 0.031, 60),
        ]
        for name, table in tables.items():
            self.add(name, table)
        self.add(
            "genes",
            pd.DataFrame(
                {
                    "gene": ["KPNA2", "SMG5"],
                    "hazard_ratio": [1.35, 1.44],
                    "low": [1.02, 1.09],
                    "high": [1.78, 1.9],
                    "p": [0.035, 0.01],
                    "n": 150,
                    "events": 60,
                }
            ),
        )
        self.add(
            "tumour_normal",
            pd.DataFrame(
                {
                    "gene": ["KPNA2", "SMG5"],
                    "tumour_mean": [5.1, 4.0],
                    "normal_mean": [3.2, 3.6],
                    "difference": [1.9, 0.4],
                    "t": [9.1, 3.2],
                    "p": [1e-9, 2e-3],
                    "fdr": [2e-9, 2e-3],
                }
            ),
        )
        self.add("random_signatures", pd.DataFrame({"value": self.rng.normal(0.52, 0.03, 500)}))
        self.add(
            "null",
            pd.DataFrame(
                {
                    "metric": "signature_hr_per_sd",
                    "split": CV,
                    "value": self.rng.normal(0, 0.13, 500),
                }
            ),
        )
        scores = self.rng.normal(0, 1, 150)
        self.add(
            "label_scores",
            pd.DataFrame(
                {
                    "cohort": "simulated_ct",
                    "patient": [f"p{i}" for i in range(150)],
                    "score": scores,
                    "label": np.where(scores > 0.1, "high", "low"),
                }
            ),
        )

    def external(self) -> None:
        other = predictions_of(120, self.effect, self.rng)
        null = null_of(other, 199, self.rng)
        self.metrics += [auc_metric(other, split=EXTERNAL, null=null)]
        self.metrics += [auc_metric(other, split=EXTERNAL, null=null, name="auc_response")]
        for name in ("label", "response"):
            self.add("roc", roc_table(other).assign(split=EXTERNAL, learner=name))
        self.add("calibration", calibration_table(other).assign(split=EXTERNAL))
        self.add("null", pd.DataFrame({"metric": "auc", "split": EXTERNAL, "value": null}))
        self.survival(other, split=EXTERNAL)

    def survival(self, predictions: pd.DataFrame, *, split: str) -> None:
        risk = predictions.groupby("patient_id", sort=False)["score"].mean()
        outcome = survival_of(predictions, self.effect, self.rng)
        metrics, tables = prognosis(
            risk, outcome, split=split, cutoff=0.5, permutations=200, rng=self.rng
        )
        self.metrics += metrics
        for name, table in tables.items():
            self.add(name, table)

    def describe(self) -> None:
        rows = [
            ("simulated_ct", "patients", "patients", 160, 160, 6, None, 0.01),
            ("simulated_ct", "rna", "assay", 180, 150, 900, None, 0.0),
            ("simulated_ct", "scans", "scans", 140, 130, 0, None, 0.0),
            ("simulated_ct", "OS", "outcome", 158, 158, 0, 71, 0.0125),
            ("simulated_mr", "patients", "patients", 120, 120, 6, None, 0.0),
            ("simulated_mr", "response", "outcome", 118, 118, 0, None, 0.02),
        ]
        columns = [
            "cohort",
            "table",
            "kind",
            "samples",
            "patients",
            "variables",
            "events",
            "missing",
        ]
        self.add("cohort_flow", pd.DataFrame(rows, columns=columns).astype({"events": "Int64"}))
        settings = [
            ("label.genes", "KPNA2, SMG5", "abstract", ""),
            ("label.weights", "open", "default", "not public: Cox on the training part stands in"),
            ("features.steps.k", "4", "paper", ""),
            ("model.kernel", "linear", "code", ""),
            ("evaluation.folds", "5", "derived", "from the number of patients"),
        ]
        self.add(
            "settings", pd.DataFrame(settings, columns=["setting", "value", "provenance", "note"])
        )
        notes = [
            ("warning", "simulated_ct: 12 of 150 patients lack a covariate."),
            ("info", "random signatures drawn from 900 genes."),
        ]
        self.add("notes", pd.DataFrame(notes, columns=["level", "text"]))

    def write(self, folder: Path, *, cohorts: tuple[str, ...], simulated: bool) -> Path:
        (folder / "tables").mkdir(parents=True)
        for name, parts in self.tables.items():
            pd.concat(parts, ignore_index=True).to_csv(
                folder / "tables" / f"{name}.csv", index=False
            )
        summary = {
            "study": "example",
            "cohorts": list(cohorts),
            "seed": 7,
            "version": "0.1.0",
            "verdict": verdict(self.metrics[0]).text if self.metrics else "nothing was tested",
            "simulated": list(cohorts) if simulated else [],
            "metrics": [metric.to_record() for metric in self.metrics],
        }
        (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
        (folder / "study.yaml").write_text(RECIPE, encoding="utf-8")
        provenance = {
            "inputs": {"simulated_ct/rna": "ab" * 32},
            "recipe": "cd" * 32,
            "seed": 7,
            "versions": {"python": "3.12.1", "numpy": "2.4.0"},
        }
        (folder / "provenance.json").write_text(json.dumps(provenance), encoding="utf-8")
        signature = Signature(
            "IRS", ("KPNA2", "SMG5"), (0.3, 0.2), (4.0, 3.0), (1.0, 0.8), 0.1, "risk"
        )
        (folder / "signature.json").write_text(signature.to_json(), encoding="utf-8")
        return folder


def write_run(folder: Path, *, effect: float = 1.0, simulated: bool = True) -> Path:
    """Write the output folder of a run with every part."""
    run = Run(effect, np.random.default_rng(20250101))
    run.discovery()
    run.signature()
    run.external()
    run.describe()
    return run.write(folder, cohorts=("simulated_ct", "simulated_mr"), simulated=simulated)


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a whole run with an effect; tests that change it copy it first."""
    return write_run(tmp_path_factory.mktemp("run") / "out")


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the figures undrawn, which is what takes the time, where they are not the matter."""
    monkeypatch.setattr("radiogenomics.report.embed.to_svg", lambda ax: "<svg/>")
