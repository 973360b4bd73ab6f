from __future__ import annotations

import json
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from radiogenomics.io import audit


def test_a_cohort_without_fault(world) -> None:
    found = audit(world.write(), data_root=world.root)
    assert found.ok and found.findings == ()
    assert found.flow.loc["rna", ["samples", "patients", "variables"]].tolist() == [30, 30, 5]
    assert found.flow.loc["OS", "events"] == 15
    assert found.overlaps.loc["rna", "OS"] == 30
    assert found.outcomes.loc["response", "categories"].startswith("SD 12")


def test_median_follow_up_is_that_of_reverse_kaplan_meier(world) -> None:
    lifelines = pytest.importorskip("lifelines")
    found = audit(world.write(), data_root=world.root)
    months = world.clinical["days"] * 12 / 365.25
    reference = lifelines.KaplanMeierFitter().fit(months, 1 - world.clinical["dead"])
    np.testing.assert_allclose(
        found.outcomes.loc["OS", "median_follow_up"], reference.median_survival_time_
    )


def test_what_cannot_be_loaded_is_a_finding_and_the_rest_is_seen(world) -> None:
    world.manifest["assays"]["lost"] = {**world.manifest["assays"]["rna"], "file": "lost.csv"}
    world.manifest["outcomes"]["OS"]["time"] = "dayz"
    found = audit(world.write(), data_root=world.root)
    assert not found.ok
    problems = {finding.what: finding for finding in found.findings}
    assert "lost.csv" in problems["assay lost"].expected
    assert "'days'" in problems["outcome OS"].found
    assert found.flow.index.tolist() == ["patients", "rna", "response"]


def test_a_manifest_that_cannot_be_read(tmp_path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("cohort: [")
    for target in (path, tmp_path / "absent.yaml"):
        found = audit(target, data_root=tmp_path)
        assert not found.ok and found.cohort == target.stem and found.flow.empty


def test_few_events_and_one_class(world) -> None:
    world.clinical["dead"] = [1] * 9 + [0] * 21
    world.clinical["best"] = "PR"
    found = audit(world.write(), data_root=world.root)
    errors = {f.what: f.found for f in found.findings if f.level == "error"}
    assert errors == {"outcome OS": "9 in 30 patients", "outcome response": "PR in 30 patients"}


def test_everyone_dead_and_events_lost_by_overlap(world) -> None:
    world.clinical["dead"] = 1
    world.rna = world.rna.iloc[:, :6]
    found = {f.what: f for f in audit(world.write(), data_root=world.root).findings}
    assert found["outcome OS"].level == "warning" and "coding" in found["outcome OS"].do
    assert found["assay rna with OS"].found == "6 in 6 patients who have both"


def test_counts_of_what_was_left_out(world) -> None:
    world.clinical = world.clinical.astype({"days": float, "dead": float})
    world.clinical.loc[[1, 3], "days"] = np.nan
    world.clinical.loc[4, "days"] = -5
    world.clinical.loc[5, "dead"] = np.nan
    world.manifest["outcomes"]["OS"]["incomplete"] = "drop"
    found = audit(world.write(), data_root=world.root)
    assert found.outcomes.loc["OS", ["patients", "without", "dropped"]].tolist() == [26, 3, 1]
    (finding,) = found.findings
    assert finding.found.startswith("1 patients dropped as incomplete, 1 without")


def test_resolved_duplicates_empty_facts_and_strangers_are_told(world) -> None:
    world.clinical = pd.concat([world.clinical, world.clinical.iloc[:1]])
    world.clinical["age"] = [50.0] * 5 + [np.nan] * 26
    world.clinical["gender"] = "M"
    world.manifest["patients"]["duplicates"] = "first"
    world.rna = world.rna.rename(columns={"P30": "P99"})
    found = audit(world.write(), data_root=world.root).findings
    assert {(finding.what, finding.found) for finding in found} == {
        ("patients", "1 surplus rows"),
        ("patients, age", "83%"),
        ("patients, sex", "male only"),
        ("assay rna", "1 of 30 elsewhere (P99)"),
    }


class Tags(HTMLParser):
    """Collects tag names."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)


def test_user_strings_do_not_become_markup(world) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    world.manifest |= {"title": evil, "licence": evil, "citation": evil}
    world.clinical.loc[0, "id"] = evil
    world.rna = world.rna.rename(index={"TP53": evil}, columns={"P02": "<iframe>"})
    world.rna.loc[evil] = 1.5
    page = audit(world.write(), data_root=world.root)._repr_html_()
    tags = Tags()
    tags.feed(page)
    assert tags.seen <= {"div", "b", "table", "thead", "tbody", "tr", "th", "td"}
    assert "&lt;script&gt;" in page


def test_record_is_plain_json(world) -> None:
    record = json.loads(json.dumps(audit(world.write(), data_root=world.root).to_record()))
    assert record["ok"] is True and record["cohort"] == "small"
    flow = {row["table"]: row for row in record["flow"]}
    assert flow["OS"]["events"] == 15 and flow["rna"]["events"] is None
    assert record["overlaps"][0]["OS"] == 30


def test_text_for_a_terminal(world) -> None:
    world.clinical["dead"] = 0
    text = str(audit(world.write(), data_root=world.root))
    assert "shared patients" in text and text.endswith("not ok")
    assert "error: outcome OS: expected at least 10 events; found 0 in 30 patients." in text
