"""`run`, `compare`, `study` and `check` on recipes of prediction studies, as a user types them."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

import radiogenomics as rg
from radiogenomics.cli.show import claims_text, gallery_text
from radiogenomics.core.errors import RadiogenomicsWarning
from radiogenomics.study.prediction.claims import read_claims
from radiogenomics.study.prediction.claims_compared import compared
from radiogenomics.study.registry import find_study, study_names

pytestmark = pytest.mark.filterwarnings("ignore::radiogenomics.core.errors.RadiogenomicsWarning")

NAME, LWCTR = "song2024_hin_mri", "lwctr2025_os12_ct"
SMALL = ["--scale", 0.05, "--features", 25, "--permutations", 0, "--jobs", 1]
WIDE = 120


def strict(text: str) -> object:
    """Parse JSON as a strict reader does, which knows no NaN."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def widest(text: str) -> int:
    return max(map(len, text.splitlines()))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("typed") / "sim"
    rg.run_simulated(NAME, out=out, scale=0.05, features=25, permutations=0, jobs=1)
    return out


def test_a_recipe_on_simulated_cohorts_of_its_design(command, tmp_path):
    answer = command("run", NAME, "--simulate", "--out", tmp_path / "sim", *SMALL)
    assert answer.code == 0
    assert f"SIMULATED cohorts: {NAME}-training" in answer.out
    assert f"report: {tmp_path / 'sim' / 'result' / 'report.html'}" in answer.out
    assert "verdict: the model MRI radiomics was not tested against chance" in answer.out
    assert f"simulating the cohorts of {NAME}" in answer.err
    again = command(
        "run", NAME, "--cohort", tmp_path / "sim" / "data" / "training" / "manifest.yaml",
        "--out", tmp_path / "mine", "--permutations", 0, "--jobs", 1, "--json",
    )  # fmt: skip
    written = (tmp_path / "sim" / "result" / "summary.json").read_text(encoding="utf-8")
    assert again.code == 0 and strict(again.out) == json.loads(written)


def test_words_of_a_simulation_are_handed_on(command, monkeypatch, tmp_path):
    asked = {}
    monkeypatch.setattr(
        "radiogenomics.study.run_simulated", lambda study, **words: asked.update(words, study=study)
    )
    common = ["run", NAME, "--simulate", "--out", tmp_path, "--legacy", "--seed", 3, "--jobs", 2]
    for words, change, effect in (
        ((), True, True),
        (("--without", "change"), False, True),
        (("--without", "effect"), False, False),
    ):
        assert command(*common, "--scale", 0.5, "--features", 40, *words).code == 0
        assert asked == {
            "study": NAME, "out": tmp_path, "scale": 0.5, "features": 40, "change": change,
            "effect": effect, "legacy": True, "permutations": None, "jobs": 2, "seed": 3,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "expected cohorts or --simulate; found neither"),
        (["--simulate", "--cohort", "x"], "expected cohorts or --simulate; found both"),
        (["--cohort", "x", "--without", "effect"], "a run with --cohort knows; found --without"),
        (["--cohort", "x", "--scale", "0.5"], "a run with --cohort knows; found --scale"),
        (["--cohort", "x", "--features", "30"], "a run with --cohort knows; found --features"),
        (["--simulate", "--data-root", "x"], "a run with --simulate knows; found --data-root"),
        (["--simulate", "--complete-cases"], "--simulate knows; found --complete-cases"),
        (["--simulate", "--scale", "0"], "expected a scale above 0, to 1; found 0"),
    ],
)
def test_what_does_not_go_together_is_refused(command, words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = command("run", NAME, "--out", tmp_path / "out", *words)
    assert answer.code == 2 and answer.out == ""
    (line,) = answer.err.splitlines()
    assert line.startswith("error: ") and said in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ("run", NAME, "--simulate", "--out", "o", "--scale", "1.5"),
        ("run", NAME, "--simulate", "--out", "o", "--scale", "-1"),
        ("run", NAME, "--simulate", "--out", "o", "--without", "efect"),
        ("run", NAME, "--simulate", "--out", "o", "--permutations", "-1"),
        ("study", "gallery", "--scale", "2"),
        ("study", "gallery", "--features", "1"),
        ("compare",),
    ],
)
def test_wrong_usage_ends_with_2(command, words):
    answer = command(*words)
    assert answer.code == 2 and answer.out == "" and "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "song2024_hin_ct", "--simulate"), f"did you mean '{NAME}'"),
        (("study", "gallery", "--study", "song2024_hin_ct"), f"did you mean '{NAME}'"),
        (("study", "gallery", "--scale", "0"), "a scale above 0, to 1"),
    ],
)
def test_what_cannot_be_run_is_one_line(command, words, said, tmp_path):
    answer = command(*words, "--out", tmp_path / "out")
    assert answer.code == 2 and answer.out == "" and said in answer.err
    assert len(answer.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A recipe beside the shipped ones that requires what nobody has."""
    name = "song2030_hin_us"
    recipes = shutil.copytree(find_study(NAME).parents[1], tmp_path / "analyses")
    shutil.copytree(recipes / NAME, recipes / name)
    path = recipes / name / "study.yaml"
    text = path.read_text(encoding="utf-8").replace(f"study: {NAME}", f"study: {name}", 1)
    path.write_text(f"{text}requires: [ultrasound in 4D]\n", encoding="utf-8")
    monkeypatch.setattr("radiogenomics.study.registry.shipped", lambda folder: tmp_path / folder)
    return name


def test_what_requires_more_is_one_line(command, waiting, tmp_path):
    answer = command("run", waiting, "--simulate", "--out", tmp_path / "out")
    assert answer.code == 2 and answer.out == ""
    (line,) = answer.err.splitlines()
    assert "requires ultrasound in 4D, which is not there yet" in line
    assert not (tmp_path / "out").exists()
    assert "requires: ultrasound in 4D" in command("study", "show", waiting).out
    (row,) = [line for line in command("study", "list").out.splitlines() if waiting in line]
    assert row.endswith("requires: ultrasound in 4D")


def test_compare_reads_well(command, simulated):
    answer = command("compare", simulated)
    assert answer.code == 0 and answer.err == ""
    assert widest(answer.out) <= WIDE and "nan" not in answer.out.casefold()
    assert answer.out == command("compare", simulated / "result").out
    claims = read_claims(find_study(NAME).with_name("claims.csv"))
    assert answer.out.splitlines()[0] == (
        f"0 of {len(claims)} claims held against the run; 0 lie inside"
    )
    assert "not obtained: the claim names no part of the design" in answer.out


def test_compare_for_programs_is_strict_json(command, simulated):
    records = strict(command("compare", simulated, "--json").out)
    assert isinstance(records, list)
    claims = read_claims(find_study(NAME).with_name("claims.csv"))
    assert [record["claimed"] for record in records] == list(claims["value"])
    assert {type(record["n"]) for record in records} <= {int, type(None)}
    assert all(isinstance(record["split"], str) for record in records)


def test_compare_where_nothing_was_run(command, simulated, tmp_path):
    answer = command("compare", tmp_path)
    assert answer.code == 2 and "found no summary.json. Run a recipe first." in answer.err
    older = shutil.copytree(simulated / "result", tmp_path / "older")
    (older / "tables" / "claims.csv").unlink()
    answer = command("compare", older)
    assert answer.code == 2 and "expected claims beside the numbers of the run" in answer.err


@pytest.fixture
def beside(tmp_path: Path) -> pd.DataFrame:
    """Claims of the longitudinal study beside numbers that are made up."""
    claims = tmp_path / "claims.csv"
    claims.write_text(
        "metric,model,split,value,low,high,n,positives,where\n"
        "auc,LWCTR,external,0.875,0.860,0.887,80,40,Results\n"
        "auc,mRECIST,external,0.649,,,,,Table 3\n"
        "hazard_ratio,LWCTR,external,2.5,1.2,5.0,80,50,Figure 5\n"
        "patients,,,395,,,,,Results\n"
        "sites,,,3,,,,,Results\n",
        encoding="utf-8",
    )
    external = f"external:{LWCTR}-external"
    obtained = pd.DataFrame(
        [
            ("auc", "LWCTR", external, 0.8126, 0.6851, 0.8969),
            ("auc", "mRECIST", external, 0.5, 0.4, 0.6),
            ("hazard_ratio", "LWCTR", external, 12.34, 3.0, 50.0),
        ],
        columns=["metric", "model", "split", "value", "low", "high"],
    )
    return compared(read_claims(claims), obtained, parts={"external": (80, None)})


def test_a_claim_is_a_block_of_lines(beside):
    row = beside.iloc[0]
    narrower = (row["high_at_n"] - row["low_at_n"]) / (0.887 - 0.860)
    assert claims_text(beside).splitlines()[:8] == [
        "3 of 5 claims held against the run; 1 lie inside",
        "",
        "auc of LWCTR, external",
        "  claimed   0.875 (0.860-0.887) [Results]",
        f"  at n 80   {row['low_at_n']:.3f}-{row['high_at_n']:.3f}; "
        f"the printed interval is {narrower:.1f} times narrower",
        f"  chance    {row['chance_low']:.3f}-{row['chance_high']:.3f}",
        f"  obtained  0.813 (0.685-0.897) in external:{LWCTR}-external",
        "  claimed is inside the obtained interval",
    ]


def test_other_claims_are_said_as_they_are(beside):
    text = claims_text(beside)
    assert "  claimed   0.649 [Table 3]" in text
    assert "            positives not stated: half of n" in text
    assert "  obtained  12.3 (3.000-50.0) in external" in text
    assert text.splitlines()[-2:] == [
        "not obtained: describes the study, not what it found",
        "  patients 395; sites 3",
    ]
    assert claims_text(beside.iloc[:0]) == "the paper claims no number."


@pytest.mark.parametrize("name", study_names())
def test_claims_of_every_study_fit_the_terminal(name):
    claims = read_claims(find_study(name).with_name("claims.csv"))
    nothing = pd.DataFrame(columns=["metric", "model", "split", "value", "low", "high"])
    text = claims_text(compared(claims, nothing))
    assert widest(text) <= WIDE
    assert all(f"{value:g}" in text for value in claims["value"])


def test_the_list_fits_the_terminal(command):
    lines = command("study", "list").out.splitlines()
    assert lines[0].split() == ["study", "modality", "label", "model", "claim", "status"]
    assert len(lines) == len(study_names()) + 1 and max(map(len, lines)) <= WIDE
    starts = {line.index(word) for line, word in zip(lines[:2], ("modality", "MR"), strict=True)}
    assert len(starts) == 1


@pytest.mark.parametrize("name", study_names())
def test_a_recipe_is_explained(command, name):
    answer = command("study", "show", name)
    assert answer.code == 0 and widest(answer.out) <= WIDE
    recipe = rg.study.show(name)
    settings = recipe.settings()
    lines = answer.out.splitlines()
    for setting in settings["setting"]:
        assert any(line.startswith(f"  {setting} ") for line in lines), setting
    assert f"doi: {recipe.doi}" in lines
    assert (f"requires: {', '.join(recipe.requires)}" in answer.out) == bool(recipe.requires)


def test_a_prediction_recipe_is_explained_by_its_parts(command):
    lines: Sequence[str] = command("study", "show", LWCTR).out.splitlines()
    assert "foretells: OS12; class 1 is better" in lines
    assert "  model LWCTR: pre_a + pre_v + post_a + post_v + clinical > svc" in lines
    assert "  block clinical (clinical): median_imputer, drop_constant, standardise, lasso" in lines
    assert "  rival mRECIST: response, not trained" in lines
    assert any(line.endswith(" 252 (paper)") for line in lines)
    late = command("study", "show", "xu2025_os_ct").out
    assert "; a time\n" in late


def test_claims_that_contradict_the_recipe_are_refused_by_check(command, tmp_path):
    folder = shutil.copytree(find_study(LWCTR).parent, tmp_path / "mine")
    assert command("check", folder).code == 0
    with (folder / "claims.csv").open("a", encoding="utf-8") as stream:
        stream.write("accuracy,LWCTR,external,,0.8,,,90,,mine\n")
    answer = command("check", folder)
    assert answer.code == 2 and answer.out == ""
    assert "accuracy of external has 90 patients, the recipe 80" in answer.err


def test_check_of_all_recipes_is_one_line_where_nothing_is_wrong(command):
    answer = command("study", "check")
    assert answer.code == 0 and answer.err == ""
    assert answer.out == f"ok: {len(study_names())} recipes, 0 warnings\n"
    assert command("study", "check", "hua2024").out == "ok: 1 recipe, 0 warnings\n"


def test_check_of_recipes_names_those_that_are_wrong(command, tmp_path):
    folder = Path(shutil.copytree(find_study(NAME).parent, tmp_path / NAME))
    claims = folder / "claims.csv"
    text = claims.read_text("utf-8").replace("patients,,training,,75", "patients,,training,,76")
    claims.write_text(text, encoding="utf-8")
    answer = command("study", "check", LWCTR, folder)
    assert answer.code == 2
    first, last = answer.out.splitlines()
    assert first.startswith(f"error: {folder}: expected claims with the recipe's own numbers")
    assert last == "not ok: 1 of 2 recipes, 0 warnings"
    rows = strict(command("study", "check", LWCTR, folder, "--json").out)
    assert [row["level"] for row in rows] == ["ok", "error"]


def test_a_warning_is_shown_once(command, monkeypatch, tmp_path):
    def listed():
        warnings.simplefilter("always", RadiogenomicsWarning)
        for text in ("one", "two", "one"):
            warnings.warn(text, RadiogenomicsWarning, stacklevel=1)
        return pd.DataFrame({"claim": ["x"]}, index=pd.Index(["a"], name="study"))

    monkeypatch.setattr(rg.study, "list", listed)
    assert command("study", "list").err.splitlines() == ["warning: one", "warning: two"]


def test_a_misspelt_field_is_told_with_its_like(command, tmp_path):
    folder = shutil.copytree(find_study(LWCTR).parent, tmp_path / "mine")
    path = folder / "study.yaml"
    text = path.read_text(encoding="utf-8").replace("  landmark:", "  landmrk:", 1)
    path.write_text(text, encoding="utf-8")
    answer = command("check", folder)
    assert answer.code == 2
    assert "  label.landmrk: unknown word; did you mean landmark?" in answer.err.splitlines()


def test_the_gallery_as_a_table_and_for_programs(command, waiting, tmp_path):
    words = ["study", "gallery", "--out", tmp_path / "g", "--study", NAME, "--study"]
    words += [waiting, "--scale", 0.05, "--features", 25, "--permutations", 0]
    answer = command(*words)
    assert answer.code == 0 and widest(answer.out) <= WIDE
    head, ran, waits = answer.out.splitlines()
    assert head.split() == ["study", "status", "auc", "p", "external", "auc", "seconds"]
    assert waits.split() == [waiting, "requires:", "ultrasound", "in", "4D"]
    assert ran.split()[:2] == [NAME, "ran"]
    (record, _) = strict(command(*words, "--json").out)
    assert record["status"] == "kept" and f"{record['auc']:.3f} (" in ran
    assert record["external_auc"] is None


def test_a_study_that_failed_says_why_below_the_table():
    table = pd.DataFrame(
        {
            "study": ["a", "b"],
            "status": ["failed: expected x; found y. Do z.", "kept"],
            **{name: [float("nan"), 0.5] for name in ("auc", "low", "high", "p", "external_auc")},
            "seconds": [float("nan"), 12.3],
        }
    )
    head, first, second, why = gallery_text(table).splitlines()
    assert first.split() == ["a", "failed"]
    assert second.split() == ["b", "kept", "0.500", "(0.500-0.500)", "0.500", "0.500", "12"]
    assert why == "a failed: expected x; found y. Do z."
