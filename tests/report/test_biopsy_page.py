"""The page of a virtual biopsy: what is beyond chance stands out, and cards name nobody."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.core.evidence import Metric
from radiogenomics.evaluation.virtual_biopsy import COLUMNS
from radiogenomics.report import read_content, render
from radiogenomics.report.biopsy_drawings import (
    by_target,
    card_pictures,
    found_targets,
    patient_card,
    worth_showing,
)
from radiogenomics.report.outlines import BIOPSY, outline_of
from radiogenomics.report.section_words import BIOPSY_SECTIONS

TARGETS = ["H|HYPOXIA", "H|MYC", "A|CYT", "B|CYT", "KPNA2"]
PATIENTS = [hashlib.sha256(str(i).encode()).hexdigest()[:12] for i in range(20)]
EVIL = "<script>alert(1)</script>"


def biopsy(found: int) -> pd.DataFrame:
    rows = []
    for learner in ("ridge", "pls"):
        for place, target in enumerate(TARGETS):
            kind = "gene" if target == "KPNA2" else "set"
            r2, p = 0.4 - 0.1 * place, 0.005 if place < found else 0.5
            bounds = (0.5, 0.3, 0.7, 0.7, 0.6, 0.8)
            rows.append((target, kind, learner, r2, *bounds, p, p, p, 90))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def write(folder: Path, *, found: int = 2, learnt: bool = True) -> Path:
    """Folder of a run: five targets of which the first are beyond chance, applied to 20 people."""
    rng = np.random.default_rng(3)
    count = len(TARGETS)
    levels = np.sort(rng.normal(size=(count, 41)), axis=1)
    predicted = rng.normal(size=(len(PATIENTS), count))
    rho = {"rho": 0.5, "rho_low": 0.2, "rho_high": 0.7, "ccc": 0.4, "ccc_low": 0.1, "ccc_high": 0.6}
    of = {"r2": 0.2, "slope": 0.9, "auc": 0.7, "auc_low": 0.5, "auc_high": 0.8, "kappa": 0.2}
    tables = {
        "biopsy": biopsy(found),
        "targets": pd.DataFrame(
            {"target": TARGETS, "kind": "set", "genes": 30, "measured": 20, "mean": 1.0, "sd": 2.0}
        ).assign(median=1.0, half_width=1.5, confidence=0.95),
        "levels": pd.DataFrame(
            {
                "target": np.repeat(TARGETS, 41),
                "percentile": np.tile(np.arange(0, 100.1, 2.5), count),
                "measured": 1 + 2 * levels.ravel(),
            }
        ),
        "applied": pd.DataFrame(
            {
                "patient": np.repeat(PATIENTS, count),
                "cohort": "mr",
                "target": np.tile(TARGETS, len(PATIENTS)),
                "predicted": predicted.ravel(),
                "low": predicted.ravel() - 1.5,
                "high": predicted.ravel() + 1.5,
                "percentile": 40.0,
            }
        ),
        "contributions": pd.DataFrame(
            {"patient": PATIENTS, "cohort": "mr", "target": TARGETS[0], "feature": EVIL}
        ).assign(contribution=0.6),
        "transport": pd.DataFrame(
            [
                {"target": t, "group": g, "n": 20, "cohort": "mr", **rho, **of}
                for g in ("all", "1.5 T", "3 T")
                for t in TARGETS
            ]
        ),
        "transport_differences": pd.DataFrame(
            {"target": TARGETS, "statistic": "rho", "first": "1.5 T", "second": "3 T"}
        ).assign(difference=0.1, low=-0.2, high=0.4, p=0.5, cohort="mr"),
        "agreement": pd.DataFrame({"target": TARGETS, **rho, "bias": 0.1, "kappa": 0.3})
        .assign(n=20, cohort="mr"),
    }  # fmt: skip
    metrics = []
    if learnt:
        null = pd.DataFrame({"deal": range(1, 40), "value": rng.normal(0, 0.05, 39)})
        tables["biopsy_null"] = pd.concat([null.assign(learner=n) for n in ("ridge", "pls")])
        tables["predictions"] = pd.DataFrame(
            {"patient": PATIENTS, "cohort": "ct", "target": TARGETS[0], "predicted": 0.1}
        ).assign(measured=rng.normal(size=len(PATIENTS)))
        p = 0.005 if found else 0.5
        nan = float("nan")
        metrics = [Metric("strongest_biopsy", 0.4, nan, nan, 0.05, 90, "cross-validation", p)]
    (folder / "tables").mkdir(parents=True)
    for name, table in tables.items():
        table.to_csv(folder / "tables" / f"{name}.csv", index=False)
    summary = {
        "study": "biopsy", "cohorts": ["ct", "mr"], "seed": 0, "version": "0", "verdict": "said",
        "metrics": [metric.to_record() for metric in metrics],
    }  # fmt: skip
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def anchors(page: str) -> list[str]:
    return re.findall(r'<section id="(\w+)"', page)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("biopsy") / "out")


@pytest.fixture(scope="module")
def page(run) -> str:
    return render(run).read_text(encoding="utf-8")


def test_sections_stand_in_order(page):
    expected = [name for name in BIOPSY_SECTIONS if name not in ("flow", "settings")]
    assert anchors(page) == ["verdict", *expected]
    assert '<section id="verdict" class="verdict found">' in page
    assert "<b>ct</b> discovery" in page and "<b>mr</b> applied" in page


def test_what_is_beyond_chance_is_counted(page):
    assert "Of 5 targets 2 are foretold beyond chance" in page
    assert "0 of 39 permutations reach it" in page


def test_targets_lose_the_collection_where_they_stay_distinct(page):
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", page)
    assert "HYPOXIA" in cells and {"A|CYT", "B|CYT"} <= {c.strip() for c in cells}


def test_cards_are_of_six_patients_from_the_lowest_to_the_highest(run):
    content = read_content(run)
    pictures = card_pictures(content)
    assert len(pictures) == 6
    named = [re.match(r"Patient (\w+)\.", p.caption).group(1) for p in pictures]
    applied = content.tables["applied"]
    level = applied[applied["target"] == TARGETS[0]].set_index("patient")["predicted"]
    assert level[named].is_monotonic_increasing
    assert named[0] == level.idxmin() and named[-1] == level.idxmax()


def test_a_card_is_in_deviations_of_the_training_cohort(run):
    content = read_content(run)
    card = patient_card(content, PATIENTS[0], TARGETS[:3])
    own = content.tables["applied"].iloc[0]
    first = card.pathways.iloc[0]
    for name in ("predicted", "low", "high"):
        assert first[name] == pytest.approx((own[name] - 1.0) / 2.0)
    assert card.contributions["contribution"].tolist() == [0.3]
    assert card.predictable.tolist() == [True, True, False]
    levels = content.tables["levels"]
    measured = levels.loc[levels["target"] == TARGETS[0], "measured"]
    own_levels = card.training.loc[card.training["pathway"] == TARGETS[0], "value"]
    assert own_levels.to_numpy() == pytest.approx((measured.to_numpy() - 1.0) / 2.0)


def test_an_identifier_is_no_pseudonym(tmp_path):
    folder = write(tmp_path / "out")
    table = pd.read_csv(folder / "tables" / "applied.csv")
    level = table[table["target"] == TARGETS[0]].set_index("patient")["predicted"]
    renamed = table.assign(patient=table["patient"].replace(level.idxmax(), "R01-001"))
    renamed.to_csv(folder / "tables" / "applied.csv", index=False)
    with pytest.raises(DataError, match="pseudonym of twelve hexadecimal digits") as told:
        render(folder)
    assert "R01-001" not in str(told.value)


def test_names_from_tables_are_escaped(page):
    assert EVIL not in page
    for uri in re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", page):
        assert EVIL not in base64.b64decode(uri).decode()


def test_where_nothing_is_found_one_card_says_nothing(tmp_path):
    page = render(write(tmp_path / "out", found=0)).read_text(encoding="utf-8")
    assert '<section id="verdict" class="verdict chance">' in page
    assert page.count("This scan suggests nothing") == 2  # caption and alternative text
    assert "cards of all 20 patients of mr say the same: nothing" in page


def test_applied_surrogates_are_not_tested(tmp_path):
    folder = write(tmp_path / "out", learnt=False)
    page = render(folder).read_text(encoding="utf-8")
    assert "Applied, not tested" in page and '<section id="verdict" class="verdict open">' in page
    assert {"biopsy", "transport", "cards"} <= set(anchors(page))
    assert not {"chance", "foretellers"} & set(anchors(page))


def test_targets_that_are_shown(run, tmp_path):
    content = read_content(run)
    assert outline_of(content) is BIOPSY
    assert found_targets(content) == TARGETS[:2]
    assert worth_showing(content) == TARGETS[:4]
    assert worth_showing(read_content(write(tmp_path / "out", found=0))) == TARGETS
    rows = by_target(content.tables["transport"], TARGETS[1:3])
    assert rows["target"].tolist() == [TARGETS[1]] * 3 + [TARGETS[2]] * 3
    assert rows["group"].tolist() == ["all", "1.5 T", "3 T"] * 2
    table = content.tables["transport"]
    assert by_target(table, ["none"]).equals(table)


def test_the_same_tables_give_the_same_bytes(run, page):
    assert render(run).read_text(encoding="utf-8") == page


def test_a_table_that_lacks_a_column(tmp_path):
    folder = write(tmp_path / "out")
    path = folder / "tables" / "biopsy.csv"
    pd.read_csv(path).drop(columns="p_family").to_csv(path, index=False)
    with pytest.raises(SchemaError, match=r"tables/biopsy.csv: .* found no p_family"):
        read_content(folder)
