"""The page of a prediction study: each section once, numbers as in the tables, nobody named."""

from __future__ import annotations

import base64
import html
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import SchemaError
from radiogenomics.core.evidence import Metric
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation import (
    auc_metric,
    calibration_metrics,
    calibration_table,
    prognosis,
    roc_table,
    verdict,
)
from radiogenomics.evaluation.comparison import comparison_table
from radiogenomics.evaluation.utility import decision_curve_table
from radiogenomics.report import read_content, render
from radiogenomics.report.explanation_drawings import explained, shown_names
from radiogenomics.report.outlines import PREDICTION, outline_of
from radiogenomics.report.prediction_drawings import place_words, round_totals
from radiogenomics.report.prediction_words import PREDICTION_SECTIONS
from radiogenomics.report.sections import BUILDERS

STUDY = "longitudinal"
TRAINING, INTERNAL, OUTSIDE = (f"{STUDY}-{part}" for part in ("training", "internal", "external"))
CV = "cross-validation"
SPLITS = {CV: (TRAINING, 160), f"external:{INTERNAL}": (INTERNAL, 63)}
SPLITS |= {f"external:{OUTSIDE}": (OUTSIDE, 80)}
MODELS = {"LWCTR": 2.0, "Radiomic-Fusion": 1.8, "Radiomic-Pre": 0.9, "Radiomic-Post": 1.4}
MODELS |= {"Clinical": 0.6, "mRECIST": 0.7}
FEATURES = ("post_a|wavelet-LLH_glcm_JointEntropy", "post_v|original_shape_Sphericity")
FEATURES += ("pre_a|original_firstorder_90Percentile", "clinical|portal_vein_invasion")
EVIL = "<script>alert(1)</script>"
RECIPE = """\
study: longitudinal
kind: prediction
title: A made-up study of two scans
question: Do two scans tell who lives beyond the median?
citation: After nobody. J Example 2025.
doi: 10.0000/example
label: {rule: survival_beyond, name: OS12, meaning: {value: better, source: paper}}
rivals: [{name: mRECIST}]
"""
READ_BY = {
    "cohort_flow": ("cohorts",),
    "follow_up": ("cohorts",),
    "learners": ("models",),
    "external_learners": ("models",),
    "comparisons": ("models",),
    "roc": ("curves",),
    "calibration": ("use",),
    "decision_curve": ("use",),
    "operating_points": ("use",),
    "null": ("nulls",),
    "selection": ("inside",),
    "hazard_ratios": ("outcomes", "cox"),
    "survival_curves": ("outcomes",),
    "time_dependent_auc": ("outcomes",),
    "cox_models": ("cox",),
    "nomogram_points": ("cox",),
    "nomogram_totals": ("cox",),
    "subgroup_auc": ("subgroup_auc",),
    "subgroups": ("subgroups",),
    "response_by_score": ("responders",),
    "pseudoprogression": ("pseudoprogression",),
    "pseudoprogression_summary": ("pseudoprogression",),
    "explanation": ("inside",),
    "claims": ("claims",),
    "design_checks": ("design_checks",),
    "flattery": ("flattery",),
    "settings": ("settings",),
    "notes": ("remarks",),
}
ALSO_READ_BY = {"learners": ("curves",), "cox_models": ("outcomes",), "study_design": ("cohorts",)}


class Tables:
    """Tables of a run, row by row."""

    def __init__(self) -> None:
        self.parts: dict[str, list[pd.DataFrame]] = {}
        self.metrics: list[Metric] = []

    def add(self, name: str, rows: pd.DataFrame | list[dict[str, object]]) -> None:
        self.parts.setdefault(name, []).append(pd.DataFrame(rows))

    def write(self, folder: Path) -> None:
        (folder / "tables").mkdir(parents=True)
        for name, parts in self.parts.items():
            # Not by concat, which minds columns that are empty in a part.
            whole = pd.DataFrame([row for part in parts for row in part.to_dict("records")])
            whole.to_csv(folder / "tables" / f"{name}.csv", index=False)


def scores(n: int, effect: float, rng: np.random.Generator) -> pd.DataFrame:
    label = (np.arange(n) % 2).astype(float)
    frame = pd.DataFrame({"patient_id": [f"P{i:03d}" for i in range(n)], "repeat": 0, "fold": 0})
    margin = effect * (label - 0.5) + rng.normal(0, 1, n)
    return frame.assign(label=label, score=1 / (1 + np.exp(-margin)))


def discriminate(tables: Tables, split: str, n: int, rng: np.random.Generator) -> pd.DataFrame:
    predictions = {name: scores(n, effect, rng) for name, effect in MODELS.items()}
    first = predictions["LWCTR"]
    null = rng.normal(0.5, 0.05, 199)
    tables.metrics += [auc_metric(first, split=split, null=null)]
    tables.metrics += calibration_metrics(first, split=split)
    for name, frame in predictions.items():
        auc = auc_metric(frame, split=split)
        row = {"split": split, "learner": name, "headline": name == "LWCTR", "auc": auc.value}
        row |= {"low": auc.low, "high": auc.high, "chance": 0.5, "n": n, "positives": auc.events}
        tables.add("learners" if split == CV else "external_learners", [row])
        tables.add("roc", roc_table(frame).assign(split=split, learner=name))
    tables.add("comparisons", comparison_table(predictions, reference="LWCTR", split=split))
    tables.add("calibration", calibration_table(first).assign(split=split))
    tables.add("decision_curve", decision_curve_table(first).assign(split=split, learner="LWCTR"))
    tables.add("null", pd.DataFrame({"metric": "auc", "split": split, "value": null}))
    point = {"split": split, "threshold": 0.52, "metric": "sensitivity", "value": 0.8}
    tables.add("operating_points", [point | {"low": 0.7, "high": 0.9, "n": n}])
    return first


def survive(tables: Tables, split: str, first: pd.DataFrame, rng: np.random.Generator) -> None:
    risk = 1 - first.set_index("patient_id")["score"]
    for endpoint, months in (("OS", (12, 24, 36)), ("PFS", (6, 12, 18))):
        time = rng.exponential(24 * np.exp(-2 * (risk.to_numpy() - 0.5)))
        seen = rng.uniform(6, 60, len(risk))
        outcome = SurvivalOutcome(
            endpoint,
            pd.Series(np.minimum(time, seen) + 0.1, index=risk.index),
            pd.Series(time <= seen, index=risk.index),
        )
        where, behind = (split, "") if endpoint == "OS" else (f"{split}, {endpoint}", ":PFS")
        metrics, found = prognosis(
            risk, outcome, split=where, cutoff=0.48, permutations=99, rng=rng
        )
        for metric in metrics:
            values = metric.to_record() | {"name": metric.name + behind, "split": split}
            tables.metrics.append(Metric(**values))
        for name, table in found.items():
            tables.add(name, table)
        common = {"split": split, "endpoint": endpoint, "n": len(risk), "events": 40}
        for shift, model in enumerate(("score", "Rad-score", "mRECIST", "Rad-Nomo")):
            areas = [
                common | {"model": model, "horizon": m, "auc": 0.8 - 0.04 * k - 0.03 * shift}
                for k, m in enumerate(months)
            ]
            frame = pd.DataFrame(areas)
            low, high = frame["auc"] - 0.1, frame["auc"] + 0.08
            tables.add("time_dependent_auc", frame.assign(low=low, high=high))
            if model != "score":
                c = {"model": model, "terms": "score + mRECIST", "c_index": 0.7 - 0.03 * shift}
                tables.add("cox_models", [common | c | {"low": 0.55, "high": 0.8}])
        if split == CV and endpoint == "OS":
            row = common | {"model": "Rad-Nomo", "term": "score (per SD)", "hazard_ratio": 0.5}
            tables.add("hazard_ratios", [row | {"low": 0.4, "high": 0.7, "p": 0.001}])


def read_out(tables: Tables, split: str, cohort: str, n: int) -> None:
    for level, auc in (("with an antibody", 0.84), ("with a kinase inhibitor", 0.78)):
        row = {"split": split, "subgroup": "regimen", "level": level, "auc": auc, "n": n // 2}
        row |= {"low": auc - 0.1, "high": auc + 0.08, "positives": n // 4, "p_interaction": 0.4}
        tables.add("subgroup_auc", [row])
        ratio = {"hazard_ratio": 2 * auc, "low": auc, "high": 4 * auc, "events": n // 3}
        tables.add("subgroups", [{**row, **ratio}])
    for group, rate in (("high", 0.45), ("low", 0.15)):
        row = {"split": split, "outcome": "response", "group": group, "n": n // 2, "rate": rate}
        row |= {"responders": round(rate * (n // 2)), "low": rate - 0.1, "high": rate + 0.12}
        tables.add("response_by_score", [row | {"p": 0.004}])
    for called, survived, died in (("high", 5, 1), ("low", 2, 9)):
        row = {"split": split, "called": called, "progressive": survived + died + 1, "unknown": 1}
        row |= {"endpoint": "OS", "horizon": 14.25, "km": 0.6}
        share = survived / (survived + died)
        row |= {"survived": survived, "died_before": died, "share": share}
        tables.add(
            "pseudoprogression_summary",
            [row | {"low": max(0.0, share - 0.3), "high": min(1.0, share + 0.2)}],
        )
    for number, called in enumerate(("low", "high", "low")):
        row = {"cohort": cohort, "patient": f"Jane Doe {number}", "split": split}
        row |= {"called": called, "score": 0.2 + 0.3 * number, "category": "PD", "months": 14.5}
        tables.add("pseudoprogression", [row | {"event": number == 0, "happened": "lived on"}])


def explain(tables: Tables, rng: np.random.Generator, *, n: int = 40) -> None:
    value = rng.normal(size=(n, len(FEATURES)))
    value[0, 0] = np.nan
    given = np.nan_to_num(value) * [0.9, -0.6, 0.3, -0.4]
    output = 0.1 + given.sum(axis=1)
    order = np.argsort(output)
    shown = {int(order[-1]): "most certain high", int(order[0]): "most certain low"}
    tables.add(
        "explanation",
        pd.DataFrame(
            {
                "cohort": OUTSIDE,
                "patient": np.repeat([f"{i:012x}" for i in range(n)], len(FEATURES)),
                "feature": np.tile(FEATURES, n),
                "value": value.ravel(),
                "contribution": given.ravel(),
                "score": np.repeat(1 / (1 + np.exp(-output)), len(FEATURES)),
                "base": 0.1,
                "output": np.repeat(output, len(FEATURES)),
                "scale": "log-odds of 1",
                "shown": np.repeat([i in shown for i in range(n)], len(FEATURES)),
                "why": np.repeat([shown.get(i, "") for i in range(n)], len(FEATURES)),
            }
        ),
    )


def describe(tables: Tables) -> None:
    for split, (cohort, n) in SPLITS.items():
        part = cohort.removeprefix(f"{STUDY}-")
        published = {"part": part, "cohort": "published", "patients": n + 92, "positives": None}
        here = {"part": split, "cohort": cohort, "patients": n, "positives": n // 2}
        tables.add("study_design", [published | {"sites": 1}, here | {"sites": 2}])
        seen = {"split": split, "patients": n, "with_follow_up": n - 7, "by_baseline_model": 7}
        tables.add("follow_up", [seen])
        for name, kind, events in (("pre_a", "assay", None), ("OS", "outcome", n // 2)):
            row = {"cohort": cohort, "table": name, "kind": kind, "patients": n, "events": events}
            tables.add("cohort_flow", [row])
    tables.add("selection", pd.DataFrame({"feature": FEATURES, "frequency": [1, 0.8, 0.5, 0.2]}))
    rows = [("label.months", "median", "paper", ""), ("evaluation.folds", "5", "default", "ours")]
    tables.add("settings", pd.DataFrame(rows, columns=["setting", "value", "provenance", "note"]))
    notes = [("warning", "7 patients without a later scan."), ("info", "threshold 0.52 locked.")]
    tables.add("notes", pd.DataFrame(notes, columns=["level", "text"]))
    points = [("score", "0", 0.0), ("score", "0.5", 60.0), ("score", "1", 100.0)]
    points += [("mRECIST", "CR, PR, SD", 0.0), ("mRECIST", "PD", 45.0)]
    frame = pd.DataFrame(points, columns=["term", "value", "points"])
    tables.add("nomogram_points", frame.assign(model="Rad-Nomo"))
    for horizon, scale in ((12, 0.1), (24, 0.3), (36, 0.6)):
        total = np.linspace(0, 145, 9)
        survival = np.exp(-scale * np.exp(0.018 * total))
        rows = {"model": "Rad-Nomo", "horizon": horizon, "points": total, "survival": survival}
        tables.add("nomogram_totals", pd.DataFrame(rows))


def claim(tables: Tables) -> None:
    for metric, model, split, value, obtained in (
        ("auc", "LWCTR", "training", 0.883, 0.84),
        ("auc", "LWCTR", "external", 0.875, 0.83),
        ("auc", "mRECIST", "external", 0.649, None),
        ("c_index:PFS", "Rad-Nomo", "external", 0.71, 0.68),
        ("sensitivity", "LWCTR", "external", 0.79, 0.75),
        ("hazard_ratio", "LWCTR", "external", 2.4, 1.9),
        ("sites", "", "", 2.0, None),
    ):
        row: dict[str, object] = {"metric": metric, "model": model, "split": split}
        row |= {"claimed": value, "n": 80, "positives": 40, "size_note": "", "where": "Table 2"}
        known = metric != "sites"
        wide = 0.5 * value if metric == "hazard_ratio" else 0.08
        row["claimed_low"] = value - 0.01 if metric == "auc" else None
        row["claimed_high"] = value + 0.005 if metric == "auc" else None
        row |= {"low_at_n": value - wide if known else None}
        row |= {"high_at_n": value + wide if known else None}
        row |= {"narrowness": 0.09 if metric == "auc" else None}
        chance = (0.64, 1.55) if metric == "hazard_ratio" else (0.37, 0.63)
        low, high = chance if known else (None, None)
        row |= {"chance_low": low, "chance_high": high}
        row |= {"obtained": obtained, "held_against": f"external:{OUTSIDE}" if obtained else ""}
        row["obtained_low"] = None if obtained is None else obtained - wide
        row["obtained_high"] = None if obtained is None else obtained + wide
        said = "claimed is inside the obtained interval"
        tables.add("claims", [row | {"verdict": said if obtained else "not obtained: no such"}])
    row = {"quantity": "AUC of LWCTR", "split": "external", "claimed": 0.875, "low": 0.79}
    row |= {"high": 0.93, "chance_low": 0.37, "chance_high": 0.63, "note": "a tenth as wide"}
    assumed = {"assumed": 0.875, "source": "paper"}
    needed = {"quantity": "patients needed", "split": "training", "number": 987.0, "note": "many"}
    tables.add("design_checks", [row | assumed, needed | assumed])
    for procedure, auc, half, noise in (
        ("nested", 0.61, 0.09, 0.49),
        ("pooled_selection", 0.93, 0.04, 0.9),
        ("cv_percentile_interval", 0.62, 0.06, 0.48),
        ("pooled_selection+cv_percentile_interval", 0.94, 0.02, 0.91),
    ):
        row = {"procedure": procedure, "auc": auc, "low": auc - half, "high": auc + half}
        row |= {"width": 2 * half, "auc_on_noise": noise, "flaw": "said here"}
        tables.add("flattery", [row])


def write(folder: Path) -> Path:
    """Folder of a run with every table."""
    rng, tables = np.random.default_rng(7), Tables()
    for split, (cohort, n) in SPLITS.items():
        first = discriminate(tables, split, n, rng)
        survive(tables, split, first, rng)
        read_out(tables, split, cohort, n)
    explain(tables, rng)
    describe(tables)
    claim(tables)
    tables.write(folder)
    summary = {
        "study": STUDY,
        "cohorts": [TRAINING, INTERNAL, OUTSIDE],
        "simulated": [TRAINING, INTERNAL, OUTSIDE],
        "seed": 0,
        "version": "0",
        "verdict": verdict(tables.metrics[0], subject="the model LWCTR").text,
        "metrics": [metric.to_record() for metric in tables.metrics],
    }
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    (folder / "study.yaml").write_text(RECIPE, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("prediction") / "out")


@pytest.fixture(scope="module")
def small(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run with one cohort and one endpoint, which is drawn sooner."""
    folder = Path(shutil.copytree(run, tmp_path_factory.mktemp("small") / "out"))
    for path in (folder / "tables").glob("*.csv"):
        table = pd.read_csv(path)
        if "split" in table and path.stem not in ("claims", "design_checks"):
            external = f"external:{OUTSIDE}" in set(table["split"])
            place = f"external:{OUTSIDE}" if path.stem == "external_learners" and external else CV
            table = table[table["split"] == place]
        if "endpoint" in table:
            table = table[table["endpoint"] == "OS"]
        table.to_csv(path, index=False)
    return folder


@pytest.fixture(scope="module")
def page(run: Path) -> str:
    return render(run).read_text(encoding="utf-8")


def anchors(page: str) -> list[str]:
    return re.findall(r'<section id="(\w+)"', page)


def section(page: str, anchor: str) -> str:
    found = re.search(rf'<section id="{anchor}".*?</section>', page, re.DOTALL)
    assert found is not None
    return found.group(0)


def cells(part: str) -> list[list[str]]:
    """Rows of the tables of a section, their cells as text."""
    rows = re.findall(r"<tr>(.*?)</tr>", part, re.DOTALL)
    inside = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows]
    plain = [[html.unescape(re.sub(r"<[^>]*>", "", c)).strip() for c in row] for row in inside]
    return [[c.replace("\u00a0", " ").replace("\u2060", "") for c in row] for row in plain]


def drawings(page: str) -> list[str]:
    uris = re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", page)
    return [base64.b64decode(uri).decode() for uri in uris]


def test_every_section_stands_once_in_order(run: Path, page: str) -> None:
    assert outline_of(read_content(run)) is PREDICTION
    assert anchors(page) == ["verdict", *PREDICTION_SECTIONS]
    assert "Not part of this run" not in page
    assert '<section id="verdict" class="verdict found">' in page
    assert f"<b>{TRAINING}</b> discovery" in page and f"<b>{OUTSIDE}</b> external" in page


def test_tiles_are_of_every_cohort_and_name_the_risk(run: Path, page: str) -> None:
    summary = json.loads((run / "summary.json").read_text())
    tiles = re.findall(r'<div class="tile.*?</div>', page, re.DOTALL)
    assert len(tiles) == 4 and "predicted risk: C-index" in tiles[3]
    aucs = [m for m in summary["metrics"] if m["name"] == "auc"]
    for tile, metric in zip(tiles, aucs, strict=False):
        assert f"{metric['value']:.2f}" in tile
    assert "surrogate" not in page
    titles = re.findall(r'<p class="name">(.*?)</p>', page)
    assert len(set(titles)) == len(titles)
    places = ["out of fold", f"in {INTERNAL}", f"in {OUTSIDE}"]
    assert titles[:3] == [f"AUC for the label, {place}" for place in places]


def test_models_stand_in_every_cohort_with_the_numbers_of_the_tables(run: Path, page: str) -> None:
    rows = cells(section(page, "models"))
    for name in ("learners", "external_learners"):
        for row in pd.read_csv(run / "tables" / f"{name}.csv").itertuples():
            numbers = [f"{x:.2f}" for x in (row.auc, row.low, row.high)]
            assert [row.learner, *numbers, str(row.n), str(row.positives)] in rows
    for row in pd.read_csv(run / "tables" / "comparisons.csv").itertuples():
        estimate = next(
            r[2] for r in rows if r[:2] == [row.first, row.second] and r[4] == str(row.n)
        )
        assert estimate.startswith(f"{row.difference:.2f} (") and len(estimate) > 10
    (models,) = (svg for svg in drawings(section(page, "models")) if "C-index" not in svg)
    assert all(name in models for name in MODELS)


def test_design_of_the_paper_stands_above_that_of_the_run(page: str) -> None:
    rows = cells(section(page, "cohorts"))
    assert ["training", "", "252", "–", "1"] in rows
    assert ["cross-validation (out of fold)", TRAINING, "160", "80", "2"] in rows
    assert [f"external cohort {OUTSIDE}", "80", "73", "7"] in rows
    assert "Class 1 is the better outcome" in section(page, "cohorts")


@pytest.mark.parametrize(
    ("source", "landmark", "words"),
    [
        ("median", 2.3, "the median of the 152 training patients followed beyond the landmark of"),
        ("median", 0.0, "the median of the 152 training patients (each fold learns its own)"),
        ("recipe", 0.0, "Label: OS12, OS beyond 14.2 months. Class 1 is"),
    ],
)
def test_months_of_the_label_stand_beside_it(
    small: Path, tmp_path: Path, source: str, landmark: float, words: str
) -> None:
    folder = Path(shutil.copytree(small, tmp_path / "out"))
    row = {"endpoint": "OS", "months": 14.25, "source": source, "landmark": landmark, "n": 152}
    pd.DataFrame([row]).to_csv(folder / "tables" / "label_months.csv", index=False)
    part = html.unescape(section(render(folder).read_text(encoding="utf-8"), "cohorts"))
    assert words in part and "OS beyond 14.2 months" in part
    assert (source == "median") == ("median" in part)


def test_survival_has_each_endpoint_in_each_cohort(run: Path, page: str) -> None:
    part = section(page, "outcomes")
    summary = json.loads((run / "summary.json").read_text())
    ratios = [m for m in summary["metrics"] if m["name"].startswith("hr_high_vs_low")]
    assert len(ratios) == 6
    svgs = " ".join(drawings(part))
    for metric in ratios:
        assert f"HR {metric['value']:.2f} ({metric['low']:.2f}" in svgs
    assert "cross-validation (out of fold), PFS" in part and ", PFS, PFS" not in part
    table = cells(part)
    assert ["PFS", "18", "80", "40", "0.72 (0.62–0.80)", "0.69 (0.59–0.77)"] in [
        row[:6] for row in table
    ]
    # Terms of the survival models stand with these, not with the score alone.
    assert not any("Rad-Nomo" in row for row in table)
    assert any(
        row[1:4] == ["Rad-Nomo", "score (per SD)", "0.50"] for row in cells(section(page, "cox"))
    )


def test_progression_is_counted_and_names_nobody(page: str) -> None:
    part = section(page, "pseudoprogression")
    assert "of 7 called high 5 lived on, 1 died before and of 1 it is not known" in part
    assert "lived on: OS beyond 14.2 months" in part
    assert "Jane Doe" not in page
    assert ["no. 1", "high", "0.50", "PD", "14.50", "no", "lived on"] in cells(part)


def test_claims_keep_the_decimals_that_papers_print(page: str) -> None:
    part = section(page, "claims")
    rows = cells(part)
    claimed = ["LWCTR, external, AUC", "80", "0.875 (0.865–0.880)", "0.795–0.955", "0.370–0.630"]
    assert [*claimed, "0.830 (0.750–0.910)", "inside"] in rows
    assert ["sites", "80", "2", "–", "–", "–", "no such"] in rows
    assert any("2.40" in row and "0.64–1.55" in row for row in rows)
    assert "5 of 7 published numbers could be held against this run: 5 lie inside" in part
    assert "Of 3 printed intervals 3 are less than half as wide" in part
    assert "Cohorts that are simulated" in part and len(drawings(part)) == 3


def test_a_bound_is_shown_as_one(small: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(small, tmp_path / "out"))
    path = folder / "tables" / "claims.csv"
    claims = pd.read_csv(path)
    bound = claims["obtained"].notna() & (claims["metric"] == "auc")
    place = claims.index[bound][0]
    claims["bound"] = ["<" if at == place else None for at in claims.index]
    claims.loc[place, ["claimed", "claimed_low", "claimed_high"]] = [0.25, None, None]
    claims.loc[place, "verdict"] = "claimed bound (< 0.25) is met by part of the obtained interval"
    claims.to_csv(path, index=False)
    part = html.unescape(section(render(folder).read_text(encoding="utf-8"), "claims"))
    assert re.search(r"<\s0\.250", part) and "(a bound: less than)" in part
    assert "1 claimed bound is met by all or part of it." in part


def test_design_checks_say_what_is_assumed_and_whose_it_is(page: str) -> None:
    part = section(page, "design_checks")
    assert "AUC assumed" in part and "where it is from" in part
    assert "987" in part and ">value<" not in part


def test_flattery_says_the_honest_number_first(page: str) -> None:
    part = section(page, "flattery")
    assert "The honest way finds 0.61 (0.52–0.70)." in part
    assert "would claim 0.94 (0.92–0.96), and 0.91 where there is nothing to find" in part
    names = [row[0] for row in cells(part) if row]
    assert names[:2] == ["nested, as here", "selection on all patients"]


def test_patients_marked_for_drawing_are_drawn(run: Path, page: str) -> None:
    svgs = drawings(section(page, "inside"))
    assert len(svgs) == 4
    table = explained(read_content(run))
    assert table is not None
    for why in ("most certain high", "most certain low"):
        own = table[table["why"] == why]
        assert sum(f"patient {own['patient'].iloc[0]}, {why}" in svg for svg in svgs) == 1


def test_contributions_without_a_base_get_the_log_odds_of_the_score(run: Path) -> None:
    content = read_content(run)
    whole = content.tables["explanation"]
    lean = whole.drop(columns=["base", "output", "scale", "shown", "why"])
    bare = type(content)(
        study="s", cohorts=(), seed=0, version="", verdict="", metrics=(),
        tables={"explanation": lean},
    )  # fmt: skip
    found = explained(bare)
    assert found is not None
    assert found["output"].to_numpy() == pytest.approx(whole["output"].to_numpy())
    assert found["base"].to_numpy() == pytest.approx(0.1)


def test_whoever_is_no_pseudonym_is_a_number() -> None:
    names = shown_names(pd.Series(["Jane", "ab" * 6, "Joe", "Jane", "AB" * 6]))
    assert names.tolist() == ["no. 1", "ab" * 6, "no. 2", "no. 1", "no. 3"]


def test_totals_lie_where_the_probability_is_round() -> None:
    total = np.linspace(0, 150, 7)
    survival = np.exp(-0.2 * np.exp(0.02 * total))
    rows = round_totals(pd.DataFrame({"horizon": 12.0, "points": total, "survival": survival}))
    expected = np.log(-np.log(rows["probability"]) / 0.2) / 0.02
    assert rows["total_points"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-12)
    assert rows["probability"].between(survival.min(), survival.max()).all()
    better = pd.DataFrame({"horizon": 12.0, "points": total, "survival": survival[::-1]})
    mirrored = round_totals(better)["total_points"].to_numpy()
    assert mirrored == pytest.approx(150 - expected.to_numpy(), rel=1e-12)


def test_round_probabilities_are_taken_as_they_are() -> None:
    given = pd.DataFrame({"horizon": 12.0, "points": [10.0, 30.0], "survival": [0.88, 0.86]})
    rows = round_totals(given)
    assert rows["probability"].tolist() == [0.88, 0.86]
    assert rows["total_points"].tolist() == [10.0, 30.0]
    assert round_totals(given.assign(survival=1.0)).empty
    narrow = given.assign(survival=[0.88123, 0.86123])
    assert round_totals(narrow).empty


def test_parts_of_the_design_go_by_their_own_name(run: Path) -> None:
    content = read_content(run)
    assert place_words(content, f"external:{OUTSIDE}, PFS") == "external, PFS"
    assert place_words(content, CV) == "training, out of fold"
    assert place_words(content, "external:elsewhere") == "elsewhere"


@pytest.mark.parametrize("gone", READ_BY)
def test_any_one_table_may_be_missing(small: Path, gone: str, undrawn: None) -> None:
    """Only the sections that name the table, or read it for another's sake, can notice."""
    content = read_content(small)
    assert gone in content.tables
    left = replace(content, tables={n: t for n, t in content.tables.items() if n != gone})
    noticing = {*READ_BY[gone], *ALSO_READ_BY.get(gone, ())}
    for anchor in noticing - {"remarks"}:
        built = BUILDERS[anchor](left)
        tables = [t.csv for t in built.tables] + [p.table for p in built.pictures]
        assert gone not in tables
        others = {name for name, readers in READ_BY.items() if anchor in readers} - {gone}
        assert others & set(tables) or not others, anchor


def test_the_design_alone_makes_a_page(small: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(small, tmp_path / "out"))
    for path in (folder / "tables").glob("*.csv"):
        if path.stem != "study_design":
            path.unlink()
    page = render(folder).read_text(encoding="utf-8")
    assert anchors(page) == ["verdict", "asked", "cohorts", "performance", "provenance", "remarks"]
    assert "Not part of this run: models beside each other, ROC" in page


def test_names_are_escaped_wherever_they_stand(small: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(small, tmp_path / "out"))
    names = ("learner", "first", "second", "model", "term", "level", "subgroup", "feature", "why")
    names += ("category", "happened", "quantity", "note", "verdict", "procedure", "outcome")
    for path in (folder / "tables").glob("*.csv"):
        table = pd.read_csv(path)
        for column in set(names) & set(table):
            table[column] = table[column].map(lambda x: f"{x} {EVIL}")
        table.to_csv(path, index=False)
    page = render(folder).read_text(encoding="utf-8")
    assert EVIL not in page and html.escape(EVIL) in page
    svgs = drawings(page)
    assert not any("<script" in svg for svg in svgs)
    assert any("&lt;script&gt;" in svg for svg in svgs)


@pytest.mark.parametrize(
    ("name", "column"),
    [("claims", "low_at_n"), ("study_design", "sites"), ("explanation", "contribution")],
)
def test_a_table_that_lacks_a_column(small: Path, tmp_path: Path, name: str, column: str) -> None:
    folder = Path(shutil.copytree(small, tmp_path / "out"))
    path = folder / "tables" / f"{name}.csv"
    pd.read_csv(path).drop(columns=column).to_csv(path, index=False)
    with pytest.raises(SchemaError, match=rf"tables/{name}.csv: .* found no {column}"):
        read_content(folder)
