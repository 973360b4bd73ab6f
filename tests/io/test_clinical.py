from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    OutcomeError,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.core.schema import parse
from radiogenomics.io.clinical import OutcomeReading, PatientRows, read_outcome, read_patients
from radiogenomics.io.manifest import PatientTable, ResponseRule, SurvivalRule


def patients(root: Path, text: str, **rule: object) -> PatientRows:
    (root / "p.csv").write_text(text)
    table = parse(PatientTable, {"file": "p.csv", "id": {"column": "id"}, **rule}, where="test")
    return read_patients(table, root)


def survival(root: Path, text: str, **rule: object) -> OutcomeReading:
    fields = {"kind": "survival", "time": "t", "event": "e", "time_unit": "months", **rule}
    rows = patients(root, text)
    return read_outcome("OS", parse(SurvivalRule, fields, where="test"), root, patients=rows)


def test_facts_are_mapped_and_typed(tmp_path: Path) -> None:
    text = "id,sex,stage,code,afp\n007,M,Stage II,1,3.5\n8,F,[Discrepancy],2,\n9,,Stage I,2,NA\n"
    facts = patients(
        tmp_path,
        text,
        missing=["[Discrepancy]"],
        columns={
            "sex": {"column": "sex", "map": {"M": "male", "F": "female"}},
            "stage": {"column": "stage", "map": {"Stage I": 1, "Stage II": 2}},
            "code": {"column": "code", "kind": "text"},
            "afp": "afp",
        },
    ).facts
    assert facts.index.tolist() == ["007", "8", "9"]
    assert facts["sex"].tolist()[:2] == ["male", "female"] and pd.isna(facts["sex"].iloc[2])
    np.testing.assert_array_equal(facts["stage"], [2, np.nan, 1])
    assert facts["code"].tolist() == ["1", "2", "2"]
    assert facts["afp"].dtype == float and facts["afp"].isna().sum() == 2


def test_a_value_outside_the_map_is_an_error(tmp_path: Path) -> None:
    rule = {"sex": {"column": "sex", "map": {"M": "male"}}}
    with pytest.raises(SchemaError, match="1 other values \\(divers\\)"):
        patients(tmp_path, "id,sex\n1,M\n2,divers\n", columns=rule)


def test_true_and_false_in_the_file_meet_a_quoted_map(tmp_path: Path) -> None:
    rule = {"cirrhosis": {"column": "c", "map": {"true": "yes", "false": "no"}}}
    facts = patients(tmp_path, "id,c\n1,TRUE\n2,FALSE\n", columns=rule).facts
    assert facts["cirrhosis"].tolist() == ["yes", "no"]


def test_text_where_a_number_was_declared(tmp_path: Path) -> None:
    rule = {"afp": {"column": "afp", "kind": "number"}}
    with pytest.raises(DataError, match=">1000"):
        patients(tmp_path, "id,afp\n1,20\n2,>1000\n", columns=rule)


def test_repeated_patients_need_a_rule(tmp_path: Path) -> None:
    text = "id,x,w\nA,1,p\nB,5,q\nA,4,r\n"
    columns = {"x": "x", "w": "w"}
    with pytest.raises(AlignmentError, match="1 repeated \\(A\\)"):
        patients(tmp_path, text, columns=columns)
    first = patients(tmp_path, text, columns=columns, duplicates="first")
    assert first.facts.to_dict("list") == {"x": [1.0, 5.0], "w": ["p", "q"]}
    assert first.repeated == 1
    mean = patients(tmp_path, text, columns=columns, duplicates="mean")
    assert mean.facts.to_dict("list") == {"x": [2.5, 5.0], "w": ["p", "q"]}


def test_rows_kept_by_value(tmp_path: Path) -> None:
    text = "id,tissue\nA,Tumor\nA,Normal\nB,Normal\n"
    assert patients(tmp_path, text, keep={"tissue": ["Tumor"]}).cells.index.tolist() == ["A"]
    with pytest.raises(UnknownNameError, match="'Tumor'"):
        patients(tmp_path, text, keep={"tissue": ["Tumour"]})


def test_empty_identifier_and_unknown_column(tmp_path: Path) -> None:
    with pytest.raises(AlignmentError, match="1 of 2 empty"):
        patients(tmp_path, "id,x\nA,1\n,2\n")
    with pytest.raises(UnknownNameError, match="did you mean 'id'|known"):
        patients(tmp_path, "id,x\nA,1\n", id={"column": "idd"})


def test_barcodes_and_lost_zeros(tmp_path: Path) -> None:
    rows = patients(tmp_path, "id\nTCGA-2Y-A9GS-01A\n", id={"column": "id", "kind": "tcga_barcode"})
    assert rows.facts.index.tolist() == ["TCGA-2Y-A9GS"]
    with pytest.raises(AlignmentError, match="P1"):
        patients(tmp_path, "id\nP1\n", id={"column": "id", "kind": "tcga_barcode"})
    rows = patients(tmp_path, "id\n11\n123\nx\n", id={"column": "id", "width": 3, "prefix": "L"})
    assert rows.facts.index.tolist() == ["L011", "L123", "Lx"]


@pytest.mark.parametrize(("unit", "months"), [("days", 12), ("weeks", 84), ("years", 4383)])
def test_units_become_months(tmp_path: Path, unit: str, months: float) -> None:
    reading = survival(tmp_path, "id,t,e\nA,365.25,1\nB,0,0\n", time_unit=unit)
    np.testing.assert_allclose(reading.outcome.time, [months, 0])


def test_blank_times_are_left_out_and_counted(tmp_path: Path) -> None:
    reading = survival(tmp_path, "id,t,e\nA,5,1\nB,,0\nC,,\nD,7,\nE,9,0\n")
    assert reading.outcome.patient_ids.tolist() == ["A", "E"]
    assert (reading.blank, reading.stateless, reading.dropped) == (2, 1, 0)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("B,-1,0", "negative"),
        ("B,inf,0", "infinite"),
        ("B,lost,0", "text instead of a number"),
        ("B,,1", "event without a time"),
        ("B,NaN,1", "event without a time"),
    ],
)
def test_impossible_times_are_an_error_or_dropped_on_demand(
    tmp_path: Path, row: str, reason: str
) -> None:
    text = f"id,t,e\nA,5,1\n{row}\nC,9,0\n"
    with pytest.raises(OutcomeError, match=f"{reason}.*: 1 \\(B\\)"):
        survival(tmp_path, text)
    reading = survival(tmp_path, text, incomplete="drop")
    assert reading.outcome.patient_ids.tolist() == ["A", "C"]
    assert (reading.dropped, reading.blank) == (1, 0)


def test_events_by_map_and_not_by_guess(tmp_path: Path) -> None:
    text = "id,t,e\nA,5,Dead\nB,6,Alive\n"
    with pytest.raises(OutcomeError, match="coded 0/1; found Dead, Alive"):
        survival(tmp_path, text)
    rule = {"column": "e", "map": {"Dead": 1, "Alive": 0}}
    assert survival(tmp_path, text, event=rule).outcome.event.tolist() == [True, False]
    with pytest.raises(OutcomeError, match="Alive"):
        survival(tmp_path, text, event={"column": "e", "map": {"Dead": 1}})
    with pytest.raises(OutcomeError, match="found 2"):
        survival(tmp_path, "id,t,e\nA,5,2\nB,6,1\n")
    assert survival(tmp_path, "id,t,e\nA,5,TRUE\nB,6,FALSE\n").outcome.n_events == 1


DATES = {"until": "last", "since": "ct", "plus_days": "wait", "date_format": "%m/%d/%Y"}


def test_time_from_dates(tmp_path: Path) -> None:
    text = "id,last,ct,wait,e\nA,3/1/1994,2/20/1994,2,1\nB,1/1/1995,1/1/1994,0,0\n"
    reading = survival(tmp_path, text, time=DATES, time_unit=None)
    np.testing.assert_allclose(reading.outcome.time * 365.25 / 12, [7, 365])


def test_dates_that_contradict_each_other(tmp_path: Path) -> None:
    text = (
        "id,last,ct,wait,e,stated\n"
        "A,3/1/1994,2/20/1994,2,1,7\n"
        "B,3/1/1994,2/20/1994,2,1,30\n"
        "C,1/1/1994,2/20/1994,2,0,\n"
        "D,1994-03-01,2/20/1994,2,0,\n"
    )
    rule = {"time": {**DATES, "verify": "stated"}, "time_unit": None}
    with pytest.raises(OutcomeError) as caught:
        survival(tmp_path, text, **rule)
    for reason in ("disagrees with stated: 1 (B)", "negative", "1 (C)", "not a date", "1 (D)"):
        assert reason in str(caught.value)
    reading = survival(tmp_path, text, incomplete="drop", **rule)
    assert reading.outcome.patient_ids.tolist() == ["A"] and reading.dropped == 3


def test_outcome_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text("who,t,e\nB,2,0\nA,1,1\n")
    rule = {"file": "o.csv", "id": {"column": "who"}}
    assert survival(tmp_path, "id\nA\nB\n", **rule).outcome.patient_ids.tolist() == ["B", "A"]
    (tmp_path / "o.csv").write_text("who,t,e\nB,2,0\nB,1,1\n")
    with pytest.raises(AlignmentError, match="repeated"):
        survival(tmp_path, "id\nA\nB\n", **rule)


def test_rows_without_identifiers_must_be_as_many(tmp_path: Path) -> None:
    rows = PatientRows(pd.DataFrame(index=["1", "2"]), pd.DataFrame(index=["1", "2"]))
    fields = {
        "kind": "survival",
        "time": "t",
        "event": "e",
        "time_unit": "days",
        "id": {"row": True},
    }
    rule = parse(SurvivalRule, {"file": "o.csv", **fields}, where="test")
    (tmp_path / "o.csv").write_text("t,e\n1,0\n,0\n")
    assert read_outcome("OS", rule, tmp_path, patients=rows).outcome.patient_ids.tolist() == ["1"]
    (tmp_path / "o.csv").write_text("t,e\n1,0\n")
    with pytest.raises(AlignmentError, match="aligned by their order; found 1 rows"):
        read_outcome("OS", rule, tmp_path, patients=rows)


def test_response_by_map_and_order(tmp_path: Path) -> None:
    rows = patients(tmp_path, "id,r\nA,1\nB,4\nC,\n")
    fields = {"kind": "response", "column": "r", "criterion": "mRECIST", "map": {1: "CR", 4: "PD"}}
    rule = parse(ResponseRule, {**fields, "order": ["CR", "PR", "SD", "PD"]}, where="test")
    reading = read_outcome("response", rule, tmp_path, patients=rows)
    assert reading.outcome.category.to_dict() == {"A": "CR", "B": "PD"}
    assert reading.outcome.order == ("CR", "PR", "SD", "PD") and reading.blank == 1
    partial = parse(ResponseRule, {**fields, "map": {1: "CR"}}, where="test")
    with pytest.raises(OutcomeError, match="1 other values \\(4\\)"):
        read_outcome("response", partial, tmp_path, patients=rows)
    foreign = parse(ResponseRule, {**fields, "map": None}, where="test")
    with pytest.raises(OutcomeError, match="Map them"):
        read_outcome("response", foreign, tmp_path, patients=rows)
