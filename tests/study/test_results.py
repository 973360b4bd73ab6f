"""What a run hands back reads well in a notebook, and its verdict claims no more than it shows."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from radiogenomics.core.errors import SchemaError
from radiogenomics.core.evidence import Metric
from radiogenomics.core.provenance import Provenance
from radiogenomics.core.signature import Signature
from radiogenomics.io import output_folder
from radiogenomics.study import Results, show
from radiogenomics.study.findings import Findings
from radiogenomics.study.results import write_results
from radiogenomics.study.run import _conclusion

EVIL = "<img src=x onerror=alert(1)>"


def auc(low: float, p: float | None, *, name="auc") -> Metric:
    return Metric(name, 0.6, low, 0.7, 0.5, 90, "cross-validation", p, 45)


def results(**changed) -> Results:
    fields = {
        "study": "small",
        "cohorts": ("near", "far"),
        "verdict": "the imaging surrogate is not distinguishable from chance",
        "findings": Findings(metrics=(auc(0.45, 0.2),)),
        "provenance": Provenance({}, "hash", 7, {"radiogenomics": "1.2"}),
    }
    return Results(**{**fields, **changed})


def test_a_notebook_sees_verdict_cohorts_and_numbers():
    page = results()._repr_html_()
    for words in ("Study small", "not distinguishable", "near, far", "0.45", "cross-validation"):
        assert words in page


def test_markup_in_names_stays_text():
    page = results(study=EVIL, verdict=EVIL, cohorts=(EVIL,))._repr_html_()
    assert "<img" not in page and page.count("&lt;img") == 3


def test_a_run_without_numbers_can_be_shown():
    assert "nothing" in results(findings=Findings(), verdict="nothing was tested")._repr_html_()


def test_summary_is_plain_and_complete():
    summary = results(simulated=("near",)).summary()
    assert summary["seed"] == 7 and summary["version"] == "1.2"
    assert summary["simulated"] == ["near"] and summary["cohorts"] == ["near", "far"]
    assert summary["metrics"] == [auc(0.45, 0.2).to_record()]


@pytest.mark.parametrize(
    ("metrics", "sentence"),
    [
        ((auc(0.45, 0.2),), "the imaging surrogate is not distinguishable from chance (AUC 0.600"),
        ((auc(0.55, 0.2),), "the imaging surrogate is not distinguishable from chance"),
        ((auc(0.45, 0.01),), "the imaging surrogate is not distinguishable from chance"),
        ((auc(0.55, 0.01),), "the imaging surrogate is distinguishable from chance"),
        ((auc(0.55, None),), "the imaging surrogate was not tested against chance (AUC 0.600"),
        (
            (auc(0.55, 0.01, name="signature_c_index"),),
            "the signature is distinguishable from chance (C-index 0.600",
        ),
        (
            (auc(0.55, 0.01, name="signature_c_index"), auc(0.45, 0.3)),
            "the imaging surrogate is not distinguishable from chance (AUC 0.600",
        ),
        (
            (replace(auc(0.55, 0.01), split="external:far"),),
            "nothing was tested: the cohort has neither an outcome nor images.",
        ),
    ],
)
def test_verdict_needs_interval_and_permutations_and_the_discovery_cohort(metrics, sentence):
    study = show("jtm2025_irs_ctmr")
    assert _conclusion(study, Findings(metrics=metrics)).startswith(sentence)


def test_the_verdict_of_a_prediction_study_names_its_first_model():
    found = _conclusion(show("lwctr2025_os12_ct"), Findings(metrics=(auc(0.55, 0.01),)))
    assert found.startswith("the model LWCTR is distinguishable from chance (AUC 0.600")


def test_written_tables_hold_pseudonyms_and_the_signature(tmp_path):
    predictions = pd.DataFrame({"cohort": ["near"], "patient_id": ["P-0001"], "score": [0.25]})
    found = results(
        findings=Findings(
            metrics=(auc(0.45, 0.2),),
            tables={"predictions": predictions},
            notes=(("info", "one"), ("warning", "two, with a comma")),
            signature=Signature("IRS", ("KPNA2",), weights=(1.0,)),
        )
    )
    with output_folder(tmp_path / "out") as out:
        write_results(found, out, recipe="study: small\n")
    written = pd.read_csv(tmp_path / "out" / "tables" / "predictions.csv")
    assert written.columns.tolist() == ["cohort", "patient", "score"]
    assert written["patient"].str.fullmatch("[0-9a-f]{12}").all()
    notes = pd.read_csv(tmp_path / "out" / "tables" / "notes.csv")
    assert notes["text"].tolist() == ["one", "two, with a comma"]
    text = (tmp_path / "out" / "signature.json").read_text(encoding="utf-8")
    assert Signature.from_json(text).genes == ("KPNA2",)
    assert "P-0001" in predictions["patient_id"].tolist()


def test_a_report_that_cannot_be_drawn_leaves_nothing(tmp_path):
    broken = Findings(metrics=(auc(0.45, 0.2),), tables={"roc": pd.DataFrame({"x": [1]})})
    with (
        pytest.raises(SchemaError, match=r"tables/roc\.csv"),
        output_folder(tmp_path / "out") as out,
    ):
        write_results(results(findings=broken), out, recipe="study: small\n")
    assert list(tmp_path.iterdir()) == []
