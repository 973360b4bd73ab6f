from __future__ import annotations

import copy
import pickle
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import AlignmentError, SchemaError, StudyError, UnknownNameError
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.outcomes import ResponseOutcome, SurvivalOutcome
from radiogenomics.core.scan import Scan

PEOPLE = pd.DataFrame({"age": [60.0, 61.0]}, index=["A", "B"])


def test_flow_counts_each_table_by_hand(cohort: Cohort) -> None:
    flow = cohort.flow()
    assert flow.index.tolist() == ["patients", "rna", "radiomics", "scans", "OS", "response"]
    expected = pd.DataFrame(
        [
            ("patients", 3, 3, 4, pd.NA, 2 / 12),  # one age and one sex of 3 x 4 cells
            ("assay", 4, 3, 2, pd.NA, 1 / 8),
            ("assay", 2, 2, 2, pd.NA, 0.0),
            ("scans", 3, 2, 0, pd.NA, 0.0),
            ("outcome", 3, 3, 0, 2, 0.0),
            ("outcome", 2, 2, 0, pd.NA, 1 / 3),
        ],
        columns=["kind", "samples", "patients", "variables", "events", "missing"],
        index=flow.index,
    ).astype({"events": "Int64"})
    pd.testing.assert_frame_equal(flow, expected)


def test_flow_of_patients_alone() -> None:
    flow = Cohort("bare", pd.DataFrame(index=["A", "B"])).flow()
    assert flow.loc["patients", ["samples", "variables", "missing"]].tolist() == [2, 0, 0.0]
    assert len(flow) == 1


def test_overlap_counts_shared_patients(cohort: Cohort) -> None:
    overlap = cohort.overlap()
    names = ["rna", "radiomics", "scans", "OS", "response"]
    expected = pd.DataFrame(
        [[3, 2, 2, 3, 2], [2, 2, 2, 2, 1], [2, 2, 2, 2, 1], [3, 2, 2, 3, 2], [2, 1, 1, 2, 2]],
        index=names,
        columns=names,
    )
    pd.testing.assert_frame_equal(overlap, expected)


def test_for_patients_restricts_everything(cohort: Cohort) -> None:
    part = cohort.for_patients(["C", "A"])
    assert part.patient_ids.tolist() == ["C", "A"]
    assert part.assay("rna").values.index.tolist() == ["A-tumour", "A-normal", "C-tumour"]
    assert part.assay("radiomics").patient_ids.tolist() == ["A"]
    assert [(s.patient_id, s.phase) for s in part.scans] == [("A", "arterial"), ("A", "portal")]
    assert part.survival("OS").time.to_dict() == {"A": 6.0, "C": 0.0}
    assert part.response("response").category.to_dict() == {"A": "PR", "C": "PD"}
    assert (part.id, part.citation, part.licence, part.simulated) == (
        "toy",
        "nobody (2024)",
        "CC0",
        True,
    )
    assert len(cohort.patients) == 3


def test_for_patients_refuses_strangers_and_repeats(cohort: Cohort) -> None:
    with pytest.raises(AlignmentError, match=r"found 1 that are not \(Z\)\. Check"):
        cohort.for_patients(["A", "Z"])
    with pytest.raises(AlignmentError, match=r"found 1 repeated \(A\)"):
        cohort.for_patients(["A", "A"])


def test_with_assay_adds_to_a_copy(cohort: Cohort, radiomics: FeatureTable) -> None:
    values = radiomics.values * 2
    deep = FeatureTable.from_frame(values, name="deep", unit="feature", source="hand")
    more = cohort.with_assay(deep)
    assert list(more.assays) == ["rna", "radiomics", "deep"]
    assert "deep" not in cohort.assays
    replaced = more.with_assay(FeatureTable("rna", deep.adata))
    assert replaced.assay("rna").values.columns.tolist() == ["volume_mm3", "energy"]


def test_mappings_cannot_be_changed(cohort: Cohort) -> None:
    for mapping in (cohort.assays, cohort.outcomes):
        with pytest.raises(TypeError):
            mapping["other"] = None  # type: ignore[index]
    with pytest.raises(AttributeError):
        cohort.id = "other"  # type: ignore[misc]


def test_mappings_are_out_of_the_callers_reach(radiomics: FeatureTable) -> None:
    assays = {"radiomics": radiomics}
    made = Cohort("toy", PEOPLE, assays)
    assays.clear()
    assert list(made.assays) == ["radiomics"]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_a_cohort_can_be_sent_to_another_process(cohort: Cohort, copied) -> None:
    arrived = copied(cohort)
    pd.testing.assert_frame_equal(arrived.patients, cohort.patients)
    pd.testing.assert_frame_equal(arrived.assay("rna").values, cohort.assay("rna").values)
    pd.testing.assert_frame_equal(arrived.flow(), cohort.flow())
    with pytest.raises(TypeError):
        arrived.assays["other"] = None


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        (["A", "A"], r"found 1 repeated \(A\) and 0 empty"),
        (["A", None], r"found 0 repeated \(\) and 1 empty"),
        ([1, "1"], r"found 1 repeated \(1\) and 0 empty"),
    ],
)
def test_patients_must_be_distinct(ids: list[object], found: str) -> None:
    with pytest.raises(AlignmentError, match=f"toy: expected one row a patient; {found}.*Keep one"):
        Cohort("toy", PEOPLE.set_axis(pd.Index(ids, dtype=object), axis=0))


def test_assay_of_strangers_is_refused(rna: FeatureTable) -> None:
    with pytest.raises(
        AlignmentError, match=r"toy, assay rna: .* found 1 of 3 elsewhere \(C\)\. Check"
    ):
        Cohort("toy", PEOPLE, {"rna": rna})


def test_outcome_of_strangers_is_refused(os_outcome: SurvivalOutcome) -> None:
    with pytest.raises(AlignmentError, match=r"toy, outcome OS: .* found 1 of 3 elsewhere \(C\)"):
        Cohort("toy", PEOPLE, outcomes={"OS": os_outcome})


def test_scan_of_a_stranger_is_refused() -> None:
    scans = tuple(Scan("Z", "CT", lambda: None) for _ in range(2))  # type: ignore[arg-type]
    with pytest.raises(AlignmentError, match=r"toy, scans: .* found 1 of 1 elsewhere \(Z\)"):
        Cohort("toy", PEOPLE, scans=scans)


def test_numeric_identifiers_meet_across_tables() -> None:
    patients = pd.DataFrame({"age": [60.0]}, index=[17])
    values = pd.DataFrame({"KPNA2": [1.0]}, index=[17])
    made = Cohort(
        "toy",
        patients,
        {"rna": FeatureTable.from_frame(values, name="rna", unit="TPM", source="hand")},
        outcomes={"r": ResponseOutcome("r", pd.Series(["CR"], index=[17]), "RECIST 1.1")},
    )
    assert made.patient_ids.tolist() == ["17"]
    assert made.overlap().loc["rna", "r"] == 1


@pytest.mark.parametrize("name", ["OS", "patients", "scans"])
def test_two_tables_cannot_have_one_name(
    cohort: Cohort, radiomics: FeatureTable, name: str
) -> None:
    with pytest.raises(SchemaError, match=rf"one name for each table; found {name} twice\. Rename"):
        cohort.with_assay(FeatureTable(name, radiomics.adata))


def test_unknown_names_list_near_ones(cohort: Cohort) -> None:
    with pytest.raises(UnknownNameError, match="assay of cohort toy 'radiomic': .*'radiomics'"):
        cohort.assay("radiomic")
    with pytest.raises(UnknownNameError, match="outcome of cohort toy 'os': did you mean 'OS'"):
        cohort.survival("os")
    with pytest.raises(UnknownNameError, match="did you mean 'response'"):
        cohort.response("respons")


def test_outcomes_of_the_other_kind_are_refused(cohort: Cohort) -> None:
    with pytest.raises(StudyError, match="expected a time to an event; found that response is"):
        cohort.survival("response")
    with pytest.raises(StudyError, match="expected a response outcome; found that OS is"):
        cohort.response("OS")


def test_repr_is_one_line(cohort: Cohort) -> None:
    assert repr(cohort) == (
        "Cohort('toy': 3 patients; assays rna, radiomics; 3 scans; outcomes OS, response)"
    )
    assert repr(Cohort("bare", PEOPLE)) == (
        "Cohort('bare': 2 patients; assays none; 0 scans; outcomes none)"
    )


def test_html_shows_the_flow_and_says_simulated(cohort: Cohort) -> None:
    html = cohort._repr_html_()
    assert "Cohort toy (simulated)" in html
    table = ElementTree.fromstring(html).findall(".//table")[-1]
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in table.iter("tr")}
    assert rows["table"] == ["kind", "samples", "patients", "variables", "events", "missing"]
    assert rows["rna"] == ["assay", "4", "3", "2", "–", "0.125"]
    assert rows["OS"] == ["outcome", "3", "3", "0", "2", "0"]
    assert "(simulated)" not in Cohort("real", PEOPLE)._repr_html_()


def test_html_escapes_user_text(hostile: str, escaped: str) -> None:
    values = pd.DataFrame({"g": [1.0]}, index=["A"])
    html = Cohort(
        hostile,
        PEOPLE,
        {hostile: FeatureTable.from_frame(values, name="x", unit="u", source="s")},
        outcomes={"<b>OS</b>": ResponseOutcome("r", pd.Series(["CR"], index=["A"]), "c")},
        citation=hostile,
        licence=hostile,
    )._repr_html_()
    assert hostile not in html
    assert "<b>OS</b>" not in html
    assert html.count(escaped) == 4


def test_missing_share_of_a_large_flow_is_exact() -> None:
    values = pd.DataFrame(np.arange(40.0).reshape(8, 5), index=list("abcdefgh"))
    values.iloc[:3, 2] = np.nan
    patients = pd.DataFrame(index=list("abcdefgh"))
    table = FeatureTable.from_frame(values, name="x", unit="u", source="s")
    assert Cohort("toy", patients, {"x": table}).flow().loc["x", "missing"] == 3 / 40
