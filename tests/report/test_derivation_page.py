"""Pages of a derivation and of a characterisation: their sections, words, figures and tables."""

from __future__ import annotations

import base64
import html
import json
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.signature import Signature
from radiogenomics.report import read_content, render
from radiogenomics.report.outlines import headlines, roles
from radiogenomics.report.section_words import (
    CHARACTERISATION_SECTIONS,
    DERIVATION_SECTIONS,
    SECTIONS,
)

CV = "cross-validation"
INSIDE, OUTSIDE, PROTEIN = f"signature, {CV}: a", "signature, external:c", "protein:p"
SPLITS = ("a", "b")
EVIL = "<script>alert('x')</script>"
Tables = dict[str, pd.DataFrame]


def survival_tables(*splits: str) -> Tables:
    curve = {"time": [0.0, 4.0, 9.0], "survival": [1.0, 0.8, 0.5], "low": [1.0, 0.6, 0.2]}
    curve |= {"high": [1.0, 0.9, 0.8], "at_risk": [20, 15, 4], "censored": [0, 2, 1]}
    curves = [
        pd.DataFrame(curve).assign(split=split, endpoint="OS", group=f"predicted {group}")
        for split in splits
        for group in ("high", "low")
    ]
    hazards = pd.DataFrame({"split": splits, "endpoint": "OS", "model": "univariate"})
    hazards = hazards.assign(term="risk (per SD)", hazard_ratio=1.4, low=1.1, high=1.8)
    return {"survival_curves": pd.concat(curves), "hazard_ratios": hazards.assign(n=80, events=40)}


def search_tables(rng: np.random.Generator) -> Tables:
    genes = ["NAN", "KPNA2", *(f"G{i}" for i in range(40))]
    screen = pd.DataFrame({"gene": genes, "cohorts": 2, "p": np.sort(rng.uniform(size=42))})
    screen = screen.assign(hazard_ratio=np.exp(rng.normal(0, 0.3, 42)), low=0.5, high=2.0)
    screen = screen.assign(adjusted_p=0.4, i2=0.1, selected=np.arange(42) < 10)
    passes = {"passes_expressed": np.arange(42) < 30, "passes_immune": np.arange(42) % 2 == 0}
    every = pd.DataFrame({"gene": genes, "mean": 2.0} | passes)
    sizes = {"size": [1, 2], "looked_at": [10, 45], "exhaustive": True, "chosen": [False, True]}
    sizes |= {"concordance": [0.55, 0.61], "concordance_se": [0.03, 0.02]}
    sizes |= {"shortfall": [0.06, 0.0], "shortfall_se": [0.02, 0.0]}
    pairs = {"size": 2, "rank": range(1, 9), "genes": [f"NAN + G{i}" for i in range(8)]}
    pairs |= {"log_likelihood": -90.0, "gain": 9.0, "concordance": 0.7, "concordance_se": 0.02}
    steps = {"step": [0, 1], "action": ["start", "add"], "gene": ["", "NAN"], "size": [0, 1]}
    path = pd.DataFrame({"gene": genes[:20], "importance": 0.01, "se": 0.02})
    grid = {"selector": ["lasso", "subset"], "learner": "cox", "concordance": [0.6, 0.62]}
    grid |= {"se": 0.02, "genes": [3.5, 2.0], "failed": 0, "within_se": True}
    shares = {"gene": genes[:20], "share": np.linspace(0.9, 0.05, 20), "bootstraps": 50}
    sets = {"genes": ["NAN + KPNA2", "G1"], "share": [0.4, 0.1], "low": 0.05, "high": 0.5}
    return {
        "candidates": every.assign(candidate=every["passes_expressed"] & every["passes_immune"]),
        "screen": screen,
        "subset_sizes": pd.DataFrame(sizes),
        "subsets": pd.DataFrame(pairs),
        "steps": pd.DataFrame(steps).assign(log_likelihood=-90.0, criterion=184.0),
        "searched_genes": path.assign(selected=path["gene"] == "G15"),
        "grid": pd.DataFrame(grid),
        "stability": pd.DataFrame(shares).assign(low=0.02, high=0.95),
        "stability_sets": pd.DataFrame(sets),
        "selection": pd.DataFrame({"feature": ["NAN", "G1"], "frequency": [0.8, 0.4]}),
        "random_signatures": pd.DataFrame({"genes": 2, "value": rng.normal(0.5, 0.03, 60)}),
        "random_signatures_matched": pd.DataFrame(
            {"kind": "like expression", "genes": 2, "value": rng.normal(0.52, 0.03, 60)}
        ),
        "null": pd.DataFrame(
            {"metric": "signature_c_index", "split": CV, "value": rng.normal(0.5, 0.04, 19)}
        ),
    }


def depth_tables() -> Tables:
    areas = pd.DataFrame({"horizon": [12.0, 36.0], "auc": [0.7, 0.64], "low": [0.6, 0.5]})
    areas = areas.assign(high=[0.8, 0.78], n=80, events=[20, 40])
    points = pd.DataFrame({"horizon": 12.0, "group": [1, 2], "predicted": [0.1, 0.4]})
    points = points.assign(observed=[0.15, 0.35], low=[0.05, 0.2], high=[0.3, 0.6], n=40)
    groups = pd.DataFrame({"subgroup": ["all patients", "sex", "sex"], "level": ["", "m", "f"]})
    groups = groups.assign(n=[80, 50, 30], events=[40, 25, 15], hazard_ratio=[1.4, 1.6, np.nan])
    groups = groups.assign(low=1.0, high=2.1, p=0.04, p_interaction=[np.nan, 0.3, 0.3])
    named = {"time_dependent_auc": areas, "survival_calibration": points, "subgroups": groups}
    return {
        name: pd.concat([table.assign(split=split) for split in (INSIDE, OUTSIDE)])
        for name, table in named.items()
    }


def meaning_tables(rng: np.random.Generator) -> Tables:
    found: dict[str, list[pd.DataFrame]] = {"contrasts": [], "gsea": [], "differential": []}
    for split in SPLITS:
        change, p = rng.normal(0, 0.5, 30), rng.uniform(0, 0.2, 30)
        numbers = pd.DataFrame({"split": split, "p": p, "fdr": p})
        contrast = numbers.assign(score=[f"C|S{i}" for i in range(30)], difference=change, auc=0.6)
        contrast = contrast.assign(low=change - 0.3, high=change + 0.3, n_high=40, n_low=40)
        found["contrasts"].append(contrast)
        sets = numbers.assign(set=[f"H|S{i}" for i in range(30)], nes=3 * change, size=30)
        found["gsea"].append(sets.assign(leading_edge=", ".join(f"GENE{i}" for i in range(40))))
        genes = numbers.assign(gene=[f"G{i}" for i in range(30)], log2_fold_change=change)
        found["differential"].append(genes.assign(low=-1.0, high=1.0, t=2.0))
    return {name: pd.concat(parts) for name, parts in found.items()}


def response_table() -> pd.DataFrame:
    rows = [("a", 0.6, 40), ("b", 0.7, 30), ("pooled (random effects)", 0.64, 70)]
    table = pd.DataFrame(rows, columns=["cohort", "auc", "n"]).assign(score="IRS", responders=12)
    return table.assign(low=table["auc"] - 0.1, high=table["auc"] + 0.1, p=0.02)


def metric(name: str, split: str = CV, **fields: object) -> dict[str, object]:
    record = {"name": name, "value": 0.62, "low": 0.55, "high": 0.69, "chance": 0.5, "n": 160}
    return record | {"split": split, "p_permutation": 0.02, "events": 70} | fields


def write_folder(
    folder: Path, tables: Mapping[str, pd.DataFrame], *, summary: dict[str, object], recipe: str
) -> Path:
    (folder / "tables").mkdir(parents=True)
    for name, table in tables.items():
        table.to_csv(folder / "tables" / f"{name}.csv", index=False)
    common = {"seed": 3, "version": "0.1.0", "simulated": []}
    (folder / "summary.json").write_text(json.dumps(common | summary), encoding="utf-8")
    (folder / "study.yaml").write_text(recipe, encoding="utf-8")
    return folder


def flow(**kinds: str) -> pd.DataFrame:
    table = pd.DataFrame({"cohort": list(kinds), "kind": list(kinds.values()), "table": "rna"})
    return table.assign(patients=80, events=40)


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(11)
    survival = survival_tables(f"signature, {CV}", OUTSIDE, f"signature, {PROTEIN}")
    beside = pd.DataFrame({"term": ["risk (per SD)", "proliferation score"]}).assign(
        split=f"signature, {CV}", endpoint="OS", model="adjusted", hazard_ratio=1.2, low=0.9,
        high=1.6, n=160, events=80,
    )  # fmt: skip
    survival["hazard_ratios"] = pd.concat([survival["hazard_ratios"], beside])
    protein = pd.DataFrame({"split": PROTEIN, "gene": ["NAN", "KPNA2"], "hazard_ratio": [1.3, 0.9]})
    cells = pd.DataFrame({"gene": ["NAN", "KPNA2"] * 2, "cell_type": ["T", "T", "B", "B"]})
    tables = search_tables(rng) | survival | depth_tables() | meaning_tables(rng)
    tables |= {
        "cohort_flow": flow(a="derived from", b="derived from", c="validated in"),
        "protein": protein.assign(low=0.7, high=1.8, p=0.1, n=50, events=30),
        "cells": cells.assign(share=[0.2, 0.6, 0.1, 0.4], mean=[0.3, 1.1, 0.1, 0.7]),
        "cell_scores": pd.DataFrame({"cell_type": ["T", "B"], "cells": 90, "score": [0.2, -0.1]}),
        "sample_checks": pd.DataFrame(
            {"patient": ["p"], "cohort": ["a"], "what": ["outlying level"], "value": [7.1]}
        ),
        "response": response_table(),
        "label_scores": pd.DataFrame(
            {"patient": list("pqrs"), "score": [-1, 0.4, 0.6, 2], "cohort": ["a", "a", "b", "b"]}
        ).assign(label=["low", "high", "high", "high"]),
        "settings": pd.DataFrame(
            {"setting": ["keep"], "value": ["200"], "provenance": ["plan"], "note": [""]}
        ),
    }
    summary = {"study": "derive", "cohorts": ["a", "b", "c"], "verdict": "the derivation of IRS is"}
    summary["metrics"] = [
        metric("signature_c_index"),
        metric("signature_random_share", value=0.02, low=0.01, high=0.04),
        metric("signature_hr_per_sd_adjusted", chance=1.0, p_permutation=None),
        metric("signature_c_index", "external:c"),
        metric("signature_auc_at_12_months", "external:c", p_permutation=None),
        metric("signature_stability", "subsamples", chance=None, p_permutation=None),
        metric("signature_never_heard_of", p_permutation=None),
    ]
    folder = tmp_path_factory.mktemp("derived") / "out"
    write_folder(folder, tables, summary=summary, recipe="question: Which genes?\nname: IRS\n")
    signature = Signature("IRS", ("NAN", "KPNA2"), (0.3, 0.2), (4.0, 3.0), (1.0, 0.8), 0.1, "risk")
    (folder / "signature.json").write_text(signature.to_json(), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def page(derived: Path) -> str:
    return render(derived).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def characterised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(12)
    spread = {"score": ["IRS"], "cohorts": [2], "tau2": [0.01], "i2": [0.2], "q_p": [0.3]}
    spread |= {"i2_low": [0.0], "i2_high": [0.8], "prediction_low": [0.4], "prediction_high": [0.8]}
    tables = meaning_tables(rng) | survival_tables("signature, a", "signature, pooled")
    tables |= {
        "cohort_flow": flow(a="characterised", b="characterised"),
        "response": response_table(),
        "response_heterogeneity": pd.DataFrame(spread),
    }
    verdict = "that a high IRS goes with CR or PR in response is distinguishable from chance"
    summary = {"study": "characterise", "cohorts": ["a", "b"], "verdict": verdict}
    summary["metrics"] = [
        metric("auc_response:IRS", "a", p_permutation=0.3),
        metric("auc_response:IRS", "pooled"),
        metric("signature_c_index", "a"),
    ]
    folder = tmp_path_factory.mktemp("characterised") / "out"
    recipe = "question: What goes with IRS?\nscores: [IRS, CYT]\nresponse: response\n"
    return write_folder(folder, tables, summary=summary, recipe=recipe)


def anchors(page: str) -> list[str]:
    return [each for each in re.findall(r'<section id="(\w+)"', page) if each != "verdict"]


def section(page: str, anchor: str) -> str:
    return page.split(f'<section id="{anchor}"')[1].split("</section>")[0]


def words(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def figures(text: str) -> list[tuple[str, str]]:
    """Alternative text and SVG of each figure."""
    found = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"[^>]*alt="([^"]*)"', text)
    return [(html.unescape(alt), base64.b64decode(svg).decode()) for svg, alt in found]


def test_a_derivation_has_its_own_sections_in_order(page: str) -> None:
    assert anchors(page) == list(DERIVATION_SECTIONS)
    assert "Not part of this run" not in page


def test_a_derivation_does_not_speak_of_images(page: str) -> None:
    text = words(page.split("<body>")[1])
    assert not re.search(r"\b(images?|surrogate|radiomic\w*)\b", text, re.IGNORECASE)
    assert "adjusted" in text and "Adjusted: beside proliferation score." in text
    assert "Features are chosen" not in text


def test_outlines_share_what_all_pages_have() -> None:
    for anchor in ("asked", "provenance", "remarks"):
        assert SECTIONS[anchor] == DERIVATION_SECTIONS[anchor] == CHARACTERISATION_SECTIONS[anchor]


def test_every_cohort_derived_from_is_called_so(derived: Path, page: str) -> None:
    assert roles(read_content(derived)) == {"a": "discovery", "b": "discovery", "c": "external"}
    assert "Discovery cohorts: a, b." in page and "External cohorts: c." in page
    assert "<h1>Derivation of IRS</h1>" in page


@pytest.mark.parametrize(
    ("anchor", "tables", "count"),
    [
        ("candidates", ["candidates"], 1),
        ("screen", ["screen"], 1),
        ("flow", ["cohort_flow", "sample_checks"], 1),
        ("search", ["subset_sizes", "subsets", "grid", "steps", "searched_genes"], 2),
        ("nulls", ["null", "random_signatures", "random_signatures_matched"], 3),
        ("stability", ["stability", "stability_sets", "selection"], 2),
        ("accuracy", ["time_dependent_auc", "survival_calibration"], 4),
        ("subgroups", ["subgroups"], 2),
        ("external", ["survival_curves", "hazard_ratios"], 2),
        ("protein", ["protein", "survival_curves", "hazard_ratios"], 3),
        ("biology", ["contrasts", "gsea", "differential"], 6),
        ("response", ["response"], 1),
        ("cells", ["cells", "cell_scores"], 1),
    ],
)
def test_each_section_has_its_figures_and_links(
    page: str, derived: Path, anchor: str, tables: list[str], count: int
) -> None:
    part = section(page, anchor)
    assert set(re.findall(r'href="tables/(\w+)\.csv"', part)) == set(tables)
    drawn = figures(part)
    assert len(drawn) == count
    assert all(len(alt) > 30 for alt, _ in drawn)
    assert all(ET.fromstring(svg).tag.endswith("svg") for _, svg in drawn)


def test_prognosis_holds_neither_external_nor_protein_splits(page: str) -> None:
    part = words(section(page, "prognosis"))
    assert "external" not in part and "proteins" not in part
    assert "proteins of p" in words(section(page, "protein"))


def test_figures_tell_what_is_in_the_tables(page: str) -> None:
    alts = {alt.split(":")[0]: alt for alt, _ in figures(page)}
    text = " ".join(alts.values())
    assert "immune 21, with all above 15" in text
    assert "2 genes 0.610" in text
    assert "T most" not in text and "KPNA2 most in T (0.60)" in text
    assert "pooled (random effects) 0.64 (0.54–0.74)" in text
    assert "sex: m 1.60 (1.00–2.10)" in text and "sex: f" not in text


def test_genes_called_like_missing_values_keep_their_names(page: str) -> None:
    assert "NAN + G0" in words(section(page, "search"))
    assert "NAN" in words(section(page, "screen"))


def test_long_tables_say_that_they_are_cut(page: str) -> None:
    part = words(section(page, "biology"))
    assert "Scores: the 12 smallest p in each, of 60 in all" in part
    assert section(page, "biology").count("…</td>") == 24
    search = words(section(page, "search"))
    assert "The 5 best subsets of each size" in search
    # What a search took stands first, wherever it is in the table.
    assert re.search(r"What was searched: the 12 first rows of 20 .*? taken G15 0.010", search)


def test_unknown_metrics_keep_their_name_and_horizons_are_words(page: str) -> None:
    part = words(section(page, "performance"))
    assert "signature_never_heard_of" in part
    assert "signature: time-dependent AUC at 12 months" in part
    assert "signature: stability of its genes (Nogueira)" in part


def test_tiles_hold_external_cohorts_beside_the_headline(page: str) -> None:
    tiles = page.split('<div class="tiles">')[1].split("<section")[0]
    assert tiles.count('class="tile ') == 4
    assert "external cohort c" in tiles and "random signatures" in tiles


@pytest.mark.parametrize("gone", ["screen", "stability", "response", "contrasts"])
def test_one_missing_table_takes_only_its_figures(
    derived: Path, tmp_path: Path, gone: str, undrawn: None
) -> None:
    folder = Path(shutil.copytree(derived, tmp_path / "out"))
    (folder / "tables" / f"{gone}.csv").unlink()
    page = render(folder).read_text(encoding="utf-8")
    assert f"tables/{gone}.csv" not in page
    assert "tables/candidates.csv" in page and "Derivation of IRS" in page


def test_absent_sections_are_named_and_those_of_other_studies_are_not(
    derived: Path, tmp_path: Path, undrawn: None
) -> None:
    folder = Path(shutil.copytree(derived, tmp_path / "out"))
    for name in ("subgroups", "cells", "cell_scores"):
        (folder / "tables" / f"{name}.csv").unlink()
    absent = words(section(render(folder).read_text(encoding="utf-8"), "remarks"))
    assert "Not part of this run: subgroups, cells that express the genes." in absent


EMPTY = {
    "screen": "p",
    "subset_sizes": "concordance",
    "time_dependent_auc": "auc",
    "survival_calibration": "observed",
    "subgroups": "hazard_ratio",
    "contrasts": "difference",
    "gsea": "nes",
    "differential": "p",
    "response": "auc",
    "protein": "hazard_ratio",
    "cells": "mean",
}


def test_tables_without_any_number_draw_nothing_and_break_nothing(
    derived: Path, tmp_path: Path, undrawn: None
) -> None:
    folder = Path(shutil.copytree(derived, tmp_path / "out"))
    for name, column in EMPTY.items():
        path = folder / "tables" / f"{name}.csv"
        pd.read_csv(path, keep_default_na=False).assign(**{column: np.nan}).to_csv(
            path, index=False
        )
    page = render(folder).read_text(encoding="utf-8")
    captions = re.findall(r"<figcaption>.*?tables/(\w+)\.csv", page, re.DOTALL)
    assert not set(captions) & set(EMPTY)


def test_user_strings_are_escaped_in_every_new_part(
    derived: Path, tmp_path: Path, undrawn: None
) -> None:
    folder = Path(shutil.copytree(derived, tmp_path / "out"))
    named = ("gene", "feature", "genes", "score", "set", "cell_type", "subgroup", "level", "split")
    for path in (folder / "tables").glob("*.csv"):
        table = pd.read_csv(path, keep_default_na=False)
        for column in set(named) & set(table):
            if not pd.api.types.is_numeric_dtype(table[column]):
                table[column] = table[column].astype(str) + EVIL
        table.to_csv(path, index=False)
    page = render(folder).read_text(encoding="utf-8")
    assert "<script" not in page
    assert page.count(html.escape(EVIL, quote=False)[:14]) > 40


def test_a_characterisation_has_its_own_sections_and_words(characterised: Path) -> None:
    page = render(characterised).read_text(encoding="utf-8")
    wanted = ["asked", "flow", "performance", "survival", "biology", "response", "provenance"]
    assert [a for a in anchors(page) if a not in ("remarks",)] == wanted
    assert "<h1>Characterisation of IRS</h1>" in page
    assert "Scored cohorts: a, b. Nothing is fitted or tuned there." in page
    assert "Discovery" not in words(section(page, "asked"))
    assert "all cohorts together" in words(section(page, "performance"))
    assert "tables/response_heterogeneity.csv" in section(page, "response")
    *_, (alt, _) = curves = figures(section(page, "survival"))
    assert len(curves) == 3
    assert alt == "Hazard ratio per SD of signature by cohort: a 1.40 (1.10–1.80); " + (
        "pooled 1.40 (1.10–1.80)."
    )


def test_the_verdict_of_a_characterisation_follows_its_pooled_number(
    characterised: Path, tmp_path: Path, undrawn: None
) -> None:
    found = headlines(read_content(characterised))
    assert [(m.name, m.split) for m in found] == [
        ("auc_response:IRS", "pooled"),
        ("auc_response:IRS", "a"),
    ]
    assert 'class="verdict found"' in render(characterised).read_text(encoding="utf-8")
    folder = Path(shutil.copytree(characterised, tmp_path / "out"))
    summary = json.loads((folder / "summary.json").read_text())
    (folder / "summary.json").write_text(json.dumps(summary | {"metrics": []}))
    page = render(folder).read_text(encoding="utf-8")
    assert 'class="verdict open"' in page and "A description" in page


def test_a_crowd_of_points_gives_the_same_bytes_and_asks_for_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(13)
    screen = pd.DataFrame({"gene": [f"G{i}" for i in range(1500)], "cohorts": 1, "selected": False})
    screen = screen.assign(hazard_ratio=rng.uniform(0.5, 2, 1500), p=rng.uniform(size=1500))
    tables = {"screen": screen.assign(low=0.4, high=2.4, adjusted_p=1.0)}
    summary = {"study": "derive", "cohorts": ["a"], "verdict": "nothing", "metrics": []}
    folders = [
        write_folder(tmp_path / name, tables, summary=summary, recipe="name: IRS\n")
        for name in ("one", "two")
    ]
    pages = [render(folder).read_text(encoding="utf-8") for folder in folders]
    assert pages[0] == pages[1]
    ((alt, svg),) = figures(pages[0])
    assert "1500 genes" in alt and "hazard ratio per unit of expression" in svg
    targets = [
        value
        for element in ET.fromstring(svg).iter()
        for name, value in element.attrib.items()
        if name.endswith("href")
    ]
    assert sum(target.startswith("data:image/png") for target in targets) == 1
    assert all(target.startswith(("#", "data:")) for target in targets)
