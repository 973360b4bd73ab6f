"""Claimed beside obtained, read from the folder of a run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

import radiogenomics as rg
from radiogenomics.core.errors import MissingFileError, SchemaError
from radiogenomics.core.evidence import Metric
from radiogenomics.core.provenance import Provenance
from radiogenomics.study import Results, Study
from radiogenomics.study.compare import FIXED_SIZE, obtained_of_surrogate, surrogate_with_claims
from radiogenomics.study.demo import DISCOVERY_PATIENTS, EXTERNAL_PATIENTS
from radiogenomics.study.findings import Findings
from radiogenomics.study.prediction.claims import read_claims
from radiogenomics.study.prediction.claims_compared import COMPARED
from radiogenomics.study.registry import find_study, study_claims
from radiogenomics.study.studies_page import studies_page

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


class TestSurrogate:
    """KPNA2/SMG5: numbers of the imaging biomarker by its learner, of the genes by their label."""

    STUDY = "jtm2025_irs_ctmr"

    @pytest.fixture
    def found(self) -> Findings:
        def number(name: str, value: float, split: str) -> Metric:
            return Metric(name, value, value - 0.1, value + 0.1, None, 100, split)

        inner, outer = "cross-validation", "external:simulated_mr"
        metrics = (
            number("auc", 0.7, inner),
            number("auc", 0.65, outer),
            number("auc_response", 0.75, outer),
            number("c_index", 0.6, outer),
            number("hr_high_vs_low", 1.2, inner),
            number("hr_high_vs_low", 1.5, outer),
            number("hr_high_vs_low:RFS", 1.4, outer),
            number("hr_per_sd", 1.3, outer),
            number("signature_c_index", 0.68, inner),
            number("signature_hr_high_vs_low", 2.0, outer),
        )
        learners = pd.DataFrame(
            [
                {"learner": "svm", "headline": True, "auc": 0.7, "low": 0.6, "high": 0.8},
                {"learner": "lr", "headline": False, "auc": 0.66, "low": 0.56, "high": 0.76},
            ]
        )
        return Findings(metrics=metrics, tables={"learners": learners})

    def test_every_number_once_by_the_names_of_claims(self, found):
        table = obtained_of_surrogate(found, rg.study.show(self.STUDY))
        rows = set(table[["metric", "model", "split", "value"]].itertuples(index=False, name=None))
        inner, outer = "cross-validation", "external:simulated_mr"
        assert len(rows) == len(table)
        assert rows == {
            ("auc", "svm", inner, 0.7),
            ("auc", "svm", outer, 0.65),
            ("auc", "lr", inner, 0.66),
            ("auc_response", "svm", outer, 0.75),
            ("c_index", "svm", outer, 0.6),
            ("hazard_ratio", "svm", inner, 1.2),
            ("hazard_ratio", "svm", outer, 1.5),
            ("hazard_ratio:RFS", "svm", outer, 1.4),
            ("c_index", "IRS", inner, 0.68),
            ("hazard_ratio", "IRS", outer, 2.0),
        }

    @pytest.mark.parametrize("simulated", [(), ("simulated_ct", "simulated_mr")])
    def test_its_claims_are_held_against_the_external_cohort(self, found, simulated):
        study = rg.study.show(self.STUDY)
        assert isinstance(study, Study)
        provenance = Provenance({}, "none", 0, {})
        cohorts = ("simulated_ct", "simulated_mr")
        results = Results(self.STUDY, cohorts, "", found, provenance, simulated=simulated)
        table = surrogate_with_claims(results, study, study_claims(self.STUDY)).tables["claims"]
        held = table[table["obtained"].notna()].set_index(["metric", "claimed"])
        assert set(held["held_against"]) == {"external:simulated_mr"}
        verdicts = held["verdict"].str.partition(";")[0].to_dict()
        assert verdicts == {
            ("hazard_ratio", 1.415): "claimed is inside the obtained interval",
            ("hazard_ratio", 1.890): "claimed is above the obtained interval",
            ("auc_response", 0.720): "claimed is inside the obtained interval",
            ("auc_response", 0.829): "claimed is inside the obtained interval",
        }
        said = held["verdict"].str.contains("simulated patients, not as many as the paper had")
        assert said.all() == bool(simulated) and said.any() == bool(simulated)

    def test_the_fixed_sizes_are_the_demonstrations(self, found):
        for number in (DISCOVERY_PATIENTS, EXTERNAL_PATIENTS):
            assert str(number) in FIXED_SIZE and str(number) in studies_page()
            notes = find_study(self.STUDY).with_name("NOTES.md").read_text(encoding="utf-8")
            assert str(number) in notes
            assert rg.study.show(self.STUDY).settings()["note"].str.contains(str(number)).any()
