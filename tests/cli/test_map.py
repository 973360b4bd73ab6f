"""`radiogenomics map` as a user meets it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from radiogenomics import simulate
from radiogenomics.simulate.links import LinkDesign, link_world

DESIGN = LinkDesign(
    features=16, blocks=8, genes=420, pathways=8, pathway_genes=20, volume_pathways=(4, 5, 6),
    purity_pathways=(7,), overlapping_sets=0, unrelated_sets=4,
)  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Tables of 60 patients in a folder of their own."""
    folder = tmp_path_factory.mktemp("tables")
    world = link_world(DESIGN, rng=np.random.default_rng(0))
    cohort = world.cohort(60, rng=np.random.default_rng(1), prefix="PATIENT")
    features = cohort.features.add_prefix("original_glcm_")
    features.assign(Sex="f").rename_axis("case").to_csv(folder / "radiomics.csv")
    cohort.genes.T.rename_axis("symbol").to_csv(folder / "rna.csv")
    cohort.covariates.rename_axis("case").to_csv(folder / "clinical.csv")
    lines = ["\t".join([name, "-", *genes]) for name, genes in cohort.gene_sets.items()]
    (folder / "sets.gmt").write_text("\n".join(lines) + "\n")
    (folder / "plan.yaml").write_text("permutations: 99\nmodules: false\njoint: false\n")
    return folder


@pytest.fixture
def words(files, tmp_path):
    """Options of a small map."""
    return [
        "--quiet", "map", "--features", files / "radiomics.csv", "--expression",
        files / "rna.csv", "--drop", "Sex", "--gene-sets", files / "sets.gmt", "--covariates",
        files / "clinical.csv", "--plan", files / "plan.yaml", "--out", tmp_path / "out",
        "--jobs", "1",
    ]  # fmt: skip


def test_it_says_what_it_found(command, words, tmp_path):
    answer = command(*words)
    assert answer.code == 0 and "nan" not in answer.out and "PATIENT" not in answer.out + answer.err
    assert "verdict: some of 16 image features go with genes or gene sets in 60" in answer.out
    assert "strongest_set_link 0." in answer.out and "(no interval, permutation p" in answer.out
    assert f"report: {tmp_path / 'out' / 'report.html'}" in answer.out
    flow = pd.read_csv(tmp_path / "out" / "tables" / "cohort_flow.csv")
    assert flow["shared"].tolist() == [60] * 3


def test_json_is_the_summary(command, words, tmp_path):
    answer = command(*words, "--json", "--seed", 3)
    summary = json.loads(answer.out)
    assert summary == json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["seed"] == 3
    assert {metric["name"] for metric in summary["metrics"]} == {
        "strongest_link", "strongest_set_link", "strongest_nes",
    }  # fmt: skip


def test_the_recipe_of_a_map_is_a_plan(command, words, tmp_path):
    assert command(*words).code == 0
    earlier = (tmp_path / "out" / "study.yaml").rename(tmp_path / "study.yaml")
    again = command(*words, "--plan", earlier, "--out", tmp_path / "again")
    assert again.code == 0
    first = (tmp_path / "out" / "tables" / "set_links.csv").read_bytes()
    assert (tmp_path / "again" / "tables" / "set_links.csv").read_bytes() == first


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--within", "sit"], "did you mean 'site'"),
        (["--volume", "volum"], "did you mean 'volume'"),
        (["--explain", "deep"], "unknown table of features to explain 'deep'"),
        (["--drop", "Sexx"], "unknown column to drop 'Sexx': did you mean 'Sex'"),
        (["--id", "cases"], "unknown column of identifiers 'cases': did you mean 'case'"),
        (["--features", "nowhere.csv"], "nowhere.csv"),
        (["--second-features", "x.csv"], "second cohort: expected image features and expression"),
        (["--plan", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_a_wrong_word_is_one_message_and_no_folder(command, words, tmp_path, extra, message):
    answer = command(*words, *extra)
    assert answer.code == 2 and answer.err.startswith("error: ") and message in answer.err
    assert "PATIENT" not in answer.err and not (tmp_path / "out").exists()


def test_text_among_features_says_which_column(command, words, tmp_path):
    answer = command(*[word for word in words if word not in ("--drop", "Sex")])
    assert answer.code == 2 and "found text in 1 of 17 columns (Sex: 'f')" in answer.err
    assert not (tmp_path / "out").exists()


def test_an_interruption_leaves_nothing(command, words, tmp_path, monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("radiogenomics.study.association.draw.associate", interrupted)
    assert command(*words).code == 130
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--expression", "rnaa"], "did you mean 'rna'"),
        (["--expression", "rna", "--covariates", "agee"], "did you mean 'age'"),
        (["--expression", "rna", "--id", "pid"], "column of identifiers in the manifest"),
    ],
)
def test_assays_and_columns_of_a_manifest_have_near_matches(command, tmp_path, extra, message):
    world = simulate.hcc_cohort(30, n_genes=150, id="brought", rng=np.random.default_rng(3))
    manifest = simulate.write_cohort(world, tmp_path / "cohort")
    words = ["--quiet", "map", "--cohort", manifest, "--features", "rna", "--out", tmp_path / "out"]
    answer = command(*words, *extra)
    assert answer.code == 2 and message in answer.err and not (tmp_path / "out").exists()
