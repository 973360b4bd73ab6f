"""Claimed beside obtained, read from the folder of a run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

import radiogenomics as rg
from radiogenomics.core.errors import MissingFileError, SchemaError
from radiogenomics.study.prediction.claims import read_claims
from radiogenomics.study.prediction.claims_compared import COMPARED

pytestmark = pytest.mark.filterwarnings("ignore::radiogenomics.core.errors.RadiogenomicsWarning")

NAME = "min2025_response_ct"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("compared") / "sim"
    rg.run_simulated(NAME, out=out, scale=0.05, features=25, permutations=0, jobs=1)
    return out


@pytest.fixture
def ran(simulated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(simulated / "result", tmp_path / "mine"))


def test_the_folder_of_a_run_and_the_one_around_it(simulated, ran):
    around, inner, mine = (rg.compare(path) for path in (simulated, simulated / "result", ran))
    pd.testing.assert_frame_equal(around, inner)
    pd.testing.assert_frame_equal(around, mine)
    assert list(around.columns) == list(COMPARED)


def test_it_is_what_the_run_compared(simulated):
    table = rg.compare(simulated)
    claims = read_claims(simulated / "result" / "claims.csv")
    assert list(table["claimed"]) == list(claims["value"])
    for name in ("metric", "model", "split", "where"):
        assert list(table[name]) == list(claims[name]), name
    assert str(table["n"].dtype) == str(table["positives"].dtype) == "Int64"
    summary = json.loads((simulated / "result" / "summary.json").read_text(encoding="utf-8"))
    (auc,) = [m for m in summary["metrics"] if m["name"] == "auc"]
    of_headline = table["model"] == rg.study.show(NAME).models[0].name
    (row,) = table[(table["metric"] == "auc") & of_headline].to_dict("records")
    assert row["obtained"] == pytest.approx(auc["value"])
    assert (row["obtained_low"], row["obtained_high"]) == pytest.approx((auc["low"], auc["high"]))
    assert row["held_against"].startswith("cross-validation")


def test_no_run_there(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere", Path(__file__)):
        with pytest.raises(MissingFileError, match=r"found no summary\.json. Run a recipe"):
            rg.compare(path)


def test_a_run_without_claims(ran):
    (ran / "tables" / "claims.csv").unlink()
    with pytest.raises(SchemaError, match=r"expected claims beside the numbers .* found none"):
        rg.compare(ran)


def test_a_paper_without_numbers_is_an_empty_table(ran):
    claims = ran / "tables" / "claims.csv"
    claims.write_text(",".join(COMPARED) + "\n", encoding="utf-8")
    assert rg.compare(ran).empty


def test_another_table_of_that_name(ran):
    (ran / "tables" / "claims.csv").write_text("metric,value\nauc,0.8\n", encoding="utf-8")
    with pytest.raises(SchemaError, match="expected the columns metric, model"):
        rg.compare(ran)
