"""The page of a radiogenomic map: sections, words, pictures and tables."""

from __future__ import annotations

import base64
import html
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from radiogenomics.report import read_content, render
from radiogenomics.report.map_names import feature_names, readable, set_names
from radiogenomics.report.outlines import headlines, roles
from radiogenomics.report.section_words import MAP_SECTIONS

EVIL = "<script>alert('x')</script>"
FEATURES = [f"original_glcm_Feature{at:02d}" for at in range(38)] + ["deep_1", EVIL]
SETS = [f"H|HALLMARK_SET_{at:02d}" for at in range(34)] + ["A|T_cells", "B|T_cells"]
GENES = ["NAN", *(f"GENE{at}" for at in range(60))]
KINDS = ("genes", "gene sets, running sum", "gene sets, mean correlation")
NAMES = ("strongest_link", "strongest_nes", "strongest_set_link")


def strengths(rng: np.random.Generator) -> pd.DataFrame:
    """Features × sets, the first of either the strongest, as the evaluation sorts them."""
    size = np.linspace(0.6, 0.1, len(FEATURES))[:, None] * np.linspace(1, 0.4, len(SETS))
    signs = rng.choice([-1.0, 1.0], size.shape)
    return pd.DataFrame(size * signs, FEATURES, SETS)


def set_tables(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    wide = strengths(rng)
    links = wide.iloc[:30, :30].rename_axis("feature").reset_index()
    links = links.melt("feature", var_name="set", value_name="contrast_rho")
    links = links.sort_values("contrast_rho", key=np.abs, ascending=False, kind="stable")
    p = 10 ** (-12 * links["contrast_rho"].abs())
    edge = ", ".join(f"GENE{at}" for at in range(15)) + ", 9 more"
    links = links.assign(
        size=40, low=links["contrast_rho"] - 0.1, high=links["contrast_rho"] + 0.1, nes=1.5,
        fdr=0.4, p=0.1, p_family=0.5, p_contrast=p, fdr_contrast=p * 50, leading_edge=edge,
        p_contrast_family=np.minimum(1, p * 500), contrast_unadjusted=links["contrast_rho"],
    )  # fmt: skip
    best = {"feature": FEATURES[0], "contrast_rho": wide.iloc[0].to_numpy(), "p_set": 0.01}
    sets = pd.DataFrame({"set": SETS, "size": 40, "coherence": 0.2, "p_family": 0.2} | best)
    own = links[links["feature"] == FEATURES[0]]
    return {"set_links": links, "pathway_links": sets, "feature_sets": own}


def gene_tables() -> dict[str, pd.DataFrame]:
    rho = np.linspace(0.6, -0.4, len(GENES))
    genes = pd.DataFrame({"feature": FEATURES[0], "gene": GENES, "rho": rho})
    genes = genes.assign(p=10 ** (-10 * np.abs(rho)), p_family=0.5, fdr=np.nan)
    genes.loc[:3, "fdr"] = 0.03
    links = genes.head(20).assign(
        low=0.1, high=0.3, p_feature=0.1, p_gene=0.02, rho_unadjusted=0.7, n=80, fdr=0.03
    )
    best = pd.DataFrame({"feature": FEATURES, "contrast_rho": np.linspace(0.6, 0.1, 40)})
    best = best.assign(volume_rho=0.7, volume_confounded=[True, False] * 20, gene="NAN")
    gone = pd.DataFrame({"kind": ["gene", "set"], "feature": FEATURES[:2]})
    gone = gone.assign(target=["NAN", SETS[0]], rho_unadjusted=0.5, fdr_unadjusted=0.01, rho=0.02)
    return {
        "feature_genes": genes, "links": links, "feature_links": best,
        "vanished": gone.assign(p=0.8),
        "gene_links": links[["gene", "feature", "rho", "p_gene", "p_family"]],
    }  # fmt: skip


def other_tables(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    summary = pd.DataFrame(
        {
            "kind": KINDS, "tested": 2400, "found": 3, "found_family": 1, "n": 80,
            "strongest": [0.6, 2.1, 0.6], "chance": [0.4, 1.9, 0.3], "permutations": 99,
            "chance_low": [0.35, 1.8, 0.25], "chance_high": [0.5, 2.2, 0.4],
            "p_family": [0.01, 0.2, 0.01], "p_map": [0.03, 0.6, 0.03],
        }
    )  # fmt: skip
    null = pd.concat(
        [
            pd.DataFrame({"kind": row.kind, "value": row.chance + rng.normal(0, 0.03, 99)})
            for row in summary.itertuples()
        ]
    )
    modules = pd.DataFrame({"kind": "feature", "module": "F1", "member": FEATURES[:8]})
    modules = modules.assign(membership=np.linspace(0.9, 0.2, 8))
    pair = {"feature_module": ["F1"], "gene_module": ["G1"], "rho": [0.5], "p_family": [0.01]}
    pair |= {"low": [0.3], "high": [0.6], "fdr": [0.01], "features": [8], "genes": [12]}
    joint = {"method": ["RV", "PLS"], "statistic": ["RV", "r"], "value": [0.38576937, 0.2]}
    joint |= {"low": [np.nan, 0.1], "high": [np.nan, 0.3], "chance": 0.1, "p": 0.01, "note": "x"}
    again = {"kind": ["gene", "set"], "feature": FEATURES[0], "target": ["NAN", SETS[0]]}
    again |= {"r_first": 0.5, "r_second": 0.4, "n_second": 60, "p_second": 0.01, "low": 0.2}
    again |= {"high": 0.6, "fdr_second": 0.02, "pooled": 0.45, "i2": 0.1}
    row = {"cohort": "second", "links": 40, "tried": 38, "same_direction": 30, "n": 60}
    row |= {"found_first": 9, "found_again": 7, "p_direction": 0.01}
    alike = {"feature": np.repeat(["deep_1", EVIL], 2), "rank": [1, 2] * 2, "similar": FEATURES[:4]}
    alike |= {
        "rho": [0.9, -0.4, 0.8, 0.3],
        "set": "A|T_cells",
        "contrast_rho": [0.1, 0.1, 0.5, 0.5],
    }
    flow = {"table": ["features a.csv", "expression b.csv"] * 2, "patients": 90, "shared": 80}
    flow |= {"cohort": ["first"] * 2 + ["second"] * 2, "events": np.nan}
    flow |= {"kind": ["mapped"] * 2 + ["replication"] * 2}
    return {
        "map_summary": summary, "map_null": null, "modules": modules, "joint": pd.DataFrame(joint),
        "module_links": pd.DataFrame(pair), "replication": pd.DataFrame(again),
        "replication_summary": pd.DataFrame([row]), "likeness": pd.DataFrame(alike),
        "cohort_flow": pd.DataFrame(flow),
        "controls": pd.DataFrame({"control": ["as they are"], "links_found": [3.0], "draws": [1]}),
        "left_out": pd.DataFrame({"kind": "set", "name": ["X"], "reason": ["too few (3 of 9)"]}),
        "settings": pd.DataFrame(
            {"setting": ["alpha"], "value": ["0.05"], "provenance": ["plan"], "note": [""]}
        ),
        "notes": pd.DataFrame({"level": ["info"], "text": ["80 patients are in all tables"]}),
    }  # fmt: skip


@pytest.fixture(scope="module")
def made() -> dict[str, pd.DataFrame]:
    """Every table that a map has."""
    rng = np.random.default_rng(0)
    return set_tables(rng) | gene_tables() | other_tables(rng)


def written(root: Path, tables: dict[str, pd.DataFrame], p: tuple[float, ...]) -> Path:
    """Write the output folder of a map."""
    (root / "tables").mkdir(exist_ok=True)
    for name, table in tables.items():
        table.to_csv(root / "tables" / f"{name}.csv", index=False)
    values = zip(NAMES, (0.6, 2.1, 0.6), p, strict=True)
    metrics = [
        {"name": name, "value": value, "low": None if value > 1 else 0.4, "chance": 0.4,
         "high": None if value > 1 else 0.7, "n": 80, "split": "map", "p_permutation": chance}
        for name, value, chance in values
    ]  # fmt: skip
    summary = {"study": "map", "cohorts": ["first", "second"], "seed": 0, "version": "0"}
    summary |= {"verdict": "some features go with genes", "metrics": metrics}
    (root / "summary.json").write_text(json.dumps(summary))
    first = {"features": ["a.csv"], "expression": ["b.csv"], "covariates": ["c.csv"]}
    asked = {"question": "Which?", "first": first | {"within": "site"}, "volume": "Volume"}
    (root / "study.yaml").write_text(yaml.safe_dump(asked))
    return root


@pytest.fixture
def folder(made, tmp_path):
    """Write the output folder of a map without some tables."""

    def write(*without: str, p: tuple[float, ...] = (0.03, 0.6, 0.03)) -> Path:
        kept = {name: table for name, table in made.items() if name not in without}
        return written(tmp_path, kept, p)

    return write


@pytest.fixture(scope="module")
def page(made, tmp_path_factory) -> str:
    """The page of a map that has everything."""
    return page_of(written(tmp_path_factory.mktemp("map"), made, (0.03, 0.6, 0.03)))


def page_of(folder: Path) -> str:
    return render(folder).read_text(encoding="utf-8")


def words(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", page)).replace("\N{NO-BREAK SPACE}", " ")


def section(page: str, anchor: str) -> str:
    """Words of one section."""
    return words(page.partition(f'<section id="{anchor}"')[2].partition("</section>")[0])


def drawings(page: str) -> list[str]:
    found = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    return [base64.b64decode(each).decode() for each in found]


def test_sections_stand_in_their_order(page):
    places = [page.index(f'<section id="{anchor}"') for anchor in MAP_SECTIONS]
    assert places == sorted(places)
    assert "Not part of this run" not in words(page)


def test_any_table_may_be_missing(made, tmp_path, folder):
    gone = [name for name in made if name not in ("map_summary", "notes")]
    text = words(page_of(folder(*gone)))
    assert "Not part of this run" in text and "in a second cohort" in text


@pytest.mark.parametrize("name", ["feature_links", "pathway_links", "feature_sets", "map_null",
                                  "module_links", "replication_summary"])  # fmt: skip
def test_tables_beside_others_may_be_missing(folder, name):
    assert "Features and pathways" in words(page_of(folder(name)))


def test_names_are_text_whoever_wrote_them(page):
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "NAN" in section(page, "links") and "NAN" in section(page, "vanished")


def test_the_verdict_follows_the_numbers(folder, page):
    content = read_content(folder())
    assert headlines(content)[0].p_permutation == 0.03
    assert roles(content) == {"first": "mapped", "second": "replication"}
    assert "Distinguishable from chance" in words(page)
    weak = words(page_of(folder(p=(0.3, 0.6, 0.09))))
    assert "Not distinguishable from chance" in weak


def test_what_was_asked_names_tables_and_what_is_taken_out(page):
    asked = section(page, "map_asked")
    assert "Held against each other: a.csv and b.csv." in asked
    assert "Taken out of both sides: c.csv, volume (Volume)." in asked
    assert "Patients change places within site only." in asked
    assert "Nothing is fitted" not in asked


def test_patients_and_what_is_left_out_are_counted(page):
    flow = section(page, "map_flow")
    assert "events" not in flow and "second, replication" in flow
    assert re.search(r"set\s+too few\s+1", flow)


def test_kinds_of_link_stand_beside_chance(page):
    part = section(page, "map")
    assert "in 80 patients who changed places 99 times" in part and "0.35 to 0.50" in part
    assert part.count("Figure") == 3
    assert "strongest |NES|, gene sets, running sum" in "".join(drawings(page))


def test_the_heat_map_has_no_holes_and_says_of_how_many(page):
    part = section(page, "pathways")
    assert "The 30 features and 30 gene sets with the strongest links, of 40 and 36" in part
    heat = next(each for each in drawings(page) if "rho with the set" in each)
    assert "not in the table" not in heat and "family-wise p" in heat


def test_leading_edges_have_a_table_of_their_own(page):
    part = section(page, "pathways")
    head = part.partition("Strongest links with gene sets")[2].partition("Leading edges")[0]
    assert "GENE14" not in head and "9 more" in part
    assert "HALLMARK SET 00" in head and "H|" not in head
    # The same without covariates: no column that repeats another.
    assert "unadjusted" not in head and "rho unadjusted" in section(page, "links")


def test_the_volcano_has_every_gene_of_the_feature(folder, page):
    part = section(page, "links")
    assert "the feature with the strongest link, and all 61 genes" in part
    assert "tables/feature_genes.csv" in part
    fewer = section(page_of(folder("feature_genes")), "links")
    assert "and the strongest 20 genes" in fewer


def test_numbers_of_joint_links_are_numbers(page):
    joint = section(page, "joint")
    assert "0.39" in joint and "0.38576937" not in joint and "0.10 to 0.30" in joint


def test_the_second_cohort_is_summed_up(page):
    part = section(page, "replication")
    assert "38 of the 40 strongest links could be tried in 60 patients of second: 30" in part
    assert "9 had been found in the first cohort, and 7 of these are found again" in part


def test_a_deep_feature_has_one_row_the_strongest_pathway_first(page):
    part = section(page, "likeness")
    assert part.index("script") < part.index("deep_1")
    assert "glcm Feature00 (0.90), glcm Feature01 (−0.40)" in part
    assert "T cells" in part


def test_volume_is_counted(page):
    assert "20 of 40 features go with tumour volume" in section(page, "vanished")


EMPTY = {
    "map_null": "value",
    "set_links": "contrast_rho",
    "pathway_links": "contrast_rho",
    "feature_genes": "rho",
    "feature_sets": "contrast_rho",
    "module_links": "rho",
    "links": "rho",
    "likeness": "rho",
}


def test_tables_without_any_number_draw_nothing_and_break_nothing(folder):
    out = folder()
    for name, column in EMPTY.items():
        path = out / "tables" / f"{name}.csv"
        table = pd.read_csv(path, keep_default_na=False)
        table.assign(**{column: np.nan}).to_csv(path, index=False)
    assert not drawings(page_of(out))


def test_short_names_stay_distinct():
    assert set_names(["A|T_cells", "B|T_cells"]) == {
        "A|T_cells": "T cells (A)", "B|T_cells": "T cells (B)",
    }  # fmt: skip
    long = [f"REACTOME_{'A_VERY_' * 8}LONG_{at}_NAME_OF_A_PATHWAY_OF_SOMETHING" for at in range(3)]
    assert len(set(set_names(long).values())) == 3
    twins = ["original_glcm_GrayLevelVariance", "original_glcm_GLVar"]
    assert len(set(feature_names(twins).values())) == 2
    table = pd.DataFrame({"kind": ["gene", "set"], "target": ["NKX2_1", "NKX2_1"]})
    assert readable(table)["target"].tolist() == ["NKX2_1", "NKX2 1"]
