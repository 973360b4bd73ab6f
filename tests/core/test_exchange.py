"""Cohort ↔ MuData, in memory and through an .h5mu file."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import mudata
import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import MissingExtraError, SchemaError
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.outcomes import ResponseOutcome


def through_memory(cohort: Cohort, folder: Path) -> Cohort:
    return Cohort.from_mudata(cohort.to_mudata())


def through_file(cohort: Cohort, folder: Path) -> Cohort:
    cohort.to_mudata().write(folder / "cohort.h5mu")
    with mudata.set_options(pull_on_update=False):
        return Cohort.from_mudata(mudata.read_h5mu(folder / "cohort.h5mu"))


WAYS = pytest.mark.parametrize("way", [through_memory, through_file])


def assert_same(found: Cohort, expected: Cohort) -> None:
    """Equal but for scans, which stay behind, and text that a file gives back as categories."""
    for fact in ("id", "citation", "licence", "simulated"):
        assert getattr(found, fact) == getattr(expected, fact)
    pd.testing.assert_frame_equal(
        found.patients.replace({None: np.nan}), expected.patients.replace({None: np.nan})
    )
    assert list(found.assays) == list(expected.assays)
    for name, table in expected.assays.items():
        back = found.assay(name)
        assert back.name == name
        pd.testing.assert_frame_equal(back.values, table.values)
        loose = {"check_categorical": False, "check_dtype": False}
        pd.testing.assert_frame_equal(
            back.samples.astype(object), table.samples.astype(object), **loose
        )
        pd.testing.assert_frame_equal(
            back.variables.astype(object), table.variables.astype(object), **loose
        )
    assert list(found.outcomes) == list(expected.outcomes)
    for name, outcome in expected.outcomes.items():
        back = found.outcomes[name]
        assert type(back) is type(outcome)
        if isinstance(outcome, ResponseOutcome):
            assert (back.name, back.criterion, back.order) == (
                outcome.name,
                outcome.criterion,
                outcome.order,
            )
            pd.testing.assert_series_equal(back.category, outcome.category)
        else:
            assert (back.endpoint, back.origin) == (outcome.endpoint, outcome.origin)
            pd.testing.assert_frame_equal(back.to_frame(), outcome.to_frame())


@WAYS
def test_round_trip_keeps_everything_but_scans(cohort: Cohort, tmp_path: Path, way) -> None:
    back = way(cohort, tmp_path)
    assert_same(back, cohort)
    assert back.scans == ()


@WAYS
def test_round_trip_of_odd_columns(tmp_path: Path, way) -> None:
    patients = pd.DataFrame(
        {
            "nothing": pd.Series([None, None], dtype=object),
            "empty": [np.nan, np.nan],
            "grade": pd.Categorical(["II", None], categories=["I", "II"], ordered=True),
            "count": pd.array([1, None], dtype="Int64"),
            "cirrhosis": pd.array([True, None], dtype="boolean"),
            "OS.time": [1.0, 2.0],
        },
        index=["A", "B"],
    )
    back = way(Cohort("odd", patients), tmp_path)
    pd.testing.assert_frame_equal(
        back.patients.drop(columns="nothing"), patients.drop(columns="nothing")
    )
    assert back.patients["nothing"].isna().all()


@WAYS
def test_patients_without_any_assay_come_back(radiomics: FeatureTable, tmp_path: Path, way) -> None:
    patients = pd.DataFrame({"age": [1.0, 2.0, 3.0]}, index=["Z", "A", "B"])
    back = way(Cohort("toy", patients, {"radiomics": radiomics}), tmp_path)
    assert back.patient_ids.tolist() == ["Z", "A", "B"]


def test_one_sample_a_patient_makes_the_patient_the_observation(
    rna: FeatureTable, radiomics: FeatureTable
) -> None:
    tumours = rna.where("sample_type", "tumour")
    patients = pd.DataFrame({"age": [61.0, 62.0, 63.0]}, index=["A", "B", "C"])
    data = Cohort("toy", patients, {"rna": tumours, "radiomics": radiomics}).to_mudata()
    assert sorted(data.obs_names) == ["A", "B", "C"]
    assert data["rna"].obs_names.tolist() == ["A", "B", "C"]
    assert data.obs["age"].to_dict() == {"A": 61.0, "B": 62.0, "C": 63.0}
    assert data.obsm["radiomics"].sum() == 2  # mudata's own record of who is in which modality
    assert_same(
        Cohort.from_mudata(data), Cohort("toy", patients, {"rna": tumours, "radiomics": radiomics})
    )


def test_several_samples_a_patient_stay_apart(cohort: Cohort) -> None:
    data = cohort.to_mudata()
    assert data["rna"].obs_names.tolist() == [
        "rna:A-tumour",
        "rna:A-normal",
        "rna:B-tumour",
        "rna:C-tumour",
    ]
    assert data["radiomics"].obs_names.tolist() == ["A", "B"]
    assert data.obs.loc["rna:A-normal", ["patient_id", "sex"]].tolist() == ["A", "female"]


@WAYS
def test_a_gene_in_two_assays_is_told_apart(rna: FeatureTable, tmp_path: Path, way) -> None:
    protein = FeatureTable("protein", rna.select(["KPNA2"]).adata)
    made = Cohort("toy", pd.DataFrame(index=["A", "B", "C"]), {"rna": rna, "protein": protein})
    data = made.to_mudata()
    assert data.var_names.is_unique
    assert data["rna"].var_names.tolist() == ["rna:KPNA2", "SMG5"]
    assert_same(way(made, tmp_path), made)


def test_conversion_warns_of_nothing_and_leaves_the_cohort_alone(cohort: Cohort) -> None:
    before = cohort.assay("rna").samples
    with warnings.catch_warnings(), mudata.set_options(display_style="text") as options:
        warnings.simplefilter("error")
        options_before = dict(options)
        cohort.to_mudata()
        assert options == options_before
    pd.testing.assert_frame_equal(cohort.assay("rna").samples, before)


def test_what_is_written_does_not_depend_on_pulled_columns(cohort: Cohort, tmp_path: Path) -> None:
    cohort.to_mudata().write(tmp_path / "cohort.h5mu")
    with mudata.set_options(pull_on_update=True):  # the default before mudata 0.4
        old = mudata.read_h5mu(tmp_path / "cohort.h5mu")
    assert_same(Cohort.from_mudata(old), cohort)


@pytest.mark.parametrize("uns", [{}, {"radiogenomics": {"format": 2}}, {"radiogenomics": "text"}])
def test_foreign_mudata_is_refused(cohort: Cohort, uns: dict[str, object]) -> None:
    data = cohort.to_mudata()
    data.uns = uns
    with pytest.raises(SchemaError, match=r"expected a MuData with uns\['radiogenomics'\].*Build"):
        Cohort.from_mudata(data)


def test_a_slash_is_refused_before_the_file_folds_it_into_folders(cohort: Cohort) -> None:
    patients = cohort.patients.rename(columns={"sex": "sex/gender"})
    with pytest.raises(SchemaError, match=r"without a slash.*found sex/gender\. Rename"):
        Cohort("toy", patients).to_mudata()


@pytest.mark.parametrize(
    ("column", "found"),
    [([1, "one"], "mixed-integer"), (pd.to_datetime(["2020-01-01", "2021-01-01"]), "datetime64")],
)
def test_a_column_of_no_one_kind_is_refused(column: object, found: str) -> None:
    patients = pd.DataFrame({"odd": column}, index=["A", "B"])
    with pytest.raises(SchemaError, match=f"numbers, booleans or text; found {found} in odd. Give"):
        Cohort("toy", patients).to_mudata()


def test_without_mudata_the_extra_is_named(cohort: Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mudata", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'radiogenomics\[omics\]'"):
        cohort.to_mudata()
