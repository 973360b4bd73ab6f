from __future__ import annotations

import warnings

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from radiogenomics.core.errors import AlignmentError, DataError, SchemaError, UnknownNameError
from radiogenomics.core.feature_table import FeatureTable

GENES = ["KPNA2", "SMG5", "TP53"]


@pytest.fixture(autouse=True)
def no_warning():
    """AnnData warns of doubled names and of names that are not text: neither may be heard."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def frame(values: object = None, ids: tuple[object, ...] = ("A", "B")) -> pd.DataFrame:
    content = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]] if values is None else values
    return pd.DataFrame(content, index=list(ids), columns=GENES)


def table(values: pd.DataFrame | None = None, **facts: object) -> FeatureTable:
    return FeatureTable.from_frame(
        frame() if values is None else values,
        name="rna",
        unit="TPM",
        source="hand",
        **facts,  # type: ignore[arg-type]
    )


def sparse_table(values: object, **var: object) -> FeatureTable:
    obs = pd.DataFrame({"patient_id": ["A", "B"]}, index=["A", "B"])
    facts = pd.DataFrame({"unit": "counts", "source": "hand"} | var, index=GENES)
    return FeatureTable("rna", anndata.AnnData(sparse.csr_matrix(values), obs=obs, var=facts))


def test_from_frame_keeps_values_names_and_facts() -> None:
    made = table(variables=pd.DataFrame({"gene_id": ["g1", "g2", "g3"]}, index=GENES))
    pd.testing.assert_frame_equal(made.values, frame())
    assert made.samples["patient_id"].tolist() == ["A", "B"]
    assert made.variables["unit"].tolist() == ["TPM"] * 3
    assert made.variables["source"].tolist() == ["hand"] * 3
    assert made.variables["gene_id"].tolist() == ["g1", "g2", "g3"]
    assert (made.n_samples, made.n_variables) == (2, 3)


def test_unit_of_each_variable_is_not_overwritten() -> None:
    units = pd.DataFrame({"unit": ["mm", "mm3", "HU"]}, index=GENES)
    assert table(variables=units).variables["unit"].tolist() == ["mm", "mm3", "HU"]


def test_integers_booleans_and_nullable_numbers_become_floats() -> None:
    values = pd.DataFrame(
        {
            "KPNA2": [1, 2],
            "SMG5": [True, False],
            "TP53": pd.array([3, None], dtype="Int64"),
        },
        index=["A", "B"],
    )
    np.testing.assert_array_equal(table(values).values, [[1.0, 1.0, 3.0], [2.0, 0.0, np.nan]])
    assert table(values).missing == pytest.approx(1 / 6)


def test_labels_that_are_numbers_become_text() -> None:
    values = pd.DataFrame([[1.0, 2.0]], index=[17], columns=[0, 1])
    made = table(values, patient_id=[4711])
    assert made.values.index.tolist() == ["17"]
    assert made.values.columns.tolist() == ["0", "1"]
    assert made.patient_ids.tolist() == ["4711"]
    assert made.for_patients(["4711"]).n_samples == 1


def test_text_column_is_refused_by_name() -> None:
    values = frame().assign(stage=["II", "III"])
    with pytest.raises(SchemaError, match=r"rna: expected numeric .* text in stage\. Drop"):
        table(values)


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
def test_infinite_value_is_refused_dense_and_sparse(bad: float) -> None:
    content = [[1.0, bad, 3.0], [4.0, 5.0, 6.0]]
    with pytest.raises(DataError, match=r"found 1 infinite ones\. Replace"):
        table(frame(content))
    with pytest.raises(DataError, match=r"found 1 infinite ones\. Replace"):
        sparse_table(content)


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        (("A", "A"), r"unique sample names; found 1 repeated \(A\)\. Choose"),
        ((1, "1"), r"unique sample names; found 1 repeated \(1\)\. Choose"),
        (("A", None), r"unique sample names; found 1 empty\. Name"),
        (("A", np.nan), r"unique sample names; found 1 empty\. Name"),
    ],
)
def test_doubled_or_empty_sample_is_refused(ids: tuple[object, ...], found: str) -> None:
    with pytest.raises(AlignmentError, match=found):
        table(frame(ids=ids))


def test_doubled_variable_is_refused() -> None:
    values = frame().set_axis(["KPNA2", "SMG5", "KPNA2"], axis=1)
    with pytest.raises(
        AlignmentError, match=r"unique variable names; found 1 repeated \(KPNA2\)\. Choose"
    ):
        table(values)


@pytest.mark.parametrize("bad", [None, np.nan, "", "  "])
def test_sample_of_nobody_is_refused(bad: object) -> None:
    with pytest.raises(
        AlignmentError, match=r"a patient_id for each sample; found 1 without \(B\)"
    ):
        table(patient_id=["A", bad])


def test_one_patient_too_few_is_refused() -> None:
    with pytest.raises(AlignmentError, match="expected one for each of 2 samples; found 1"):
        table(patient_id=["A"])


def test_facts_are_matched_by_label_not_by_position() -> None:
    backwards = pd.DataFrame({"site": ["of B", "of A"]}, index=["B", "A"])
    patients = pd.Series(["patient B", "patient A"], index=["B", "A"])
    made = table(samples=backwards, patient_id=patients)
    pd.testing.assert_frame_equal(made.values, frame())
    assert made.samples["site"].to_dict() == {"A": "of A", "B": "of B"}
    assert made.samples["patient_id"].to_dict() == {"A": "patient A", "B": "patient B"}
    facts = pd.DataFrame({"gene_id": ["g3", "g1", "g2"]}, index=["TP53", "KPNA2", "SMG5"])
    assert table(variables=facts).variables["gene_id"].to_dict() == {
        "KPNA2": "g1",
        "SMG5": "g2",
        "TP53": "g3",
    }


@pytest.mark.parametrize(
    "facts",
    [
        {"samples": pd.DataFrame({"site": [1, 2]}, index=["A", "Z"])},
        {"samples": pd.DataFrame({"site": [1, 2]})},
        {"samples": pd.DataFrame({"site": [1, 2, 3]}, index=["A", "B", "B"])},
        {"patient_id": pd.Series(["A", "B"])},
        {"variables": pd.DataFrame({"gene_id": [1, 2]}, index=GENES[:2])},
    ],
)
def test_facts_of_others_are_refused(facts: dict[str, object]) -> None:
    with pytest.raises(AlignmentError, match="labels of the table, each once.*Index them by"):
        table(**facts)


def test_patient_column_of_the_samples_is_used() -> None:
    made = table(samples=pd.DataFrame({"patient_id": ["P", "P"]}, index=["A", "B"]))
    assert made.patient_ids.tolist() == ["P"]


def test_later_changes_of_the_input_do_not_reach_the_table() -> None:
    values = frame()
    facts = pd.DataFrame({"site": ["x", "y"]}, index=["A", "B"])
    made = table(values, samples=facts)
    values.iloc[0, 0] = 99.0
    facts.iloc[0, 0] = "z"
    assert made.values.iloc[0, 0] == 1.0
    assert made.samples["site"].tolist() == ["x", "y"]
    assert "patient_id" not in facts


def test_what_is_given_out_is_a_copy() -> None:
    made = table()
    values, samples, variables = made.values, made.samples, made.variables
    values.iloc[0, 0] = 99.0
    samples["patient_id"] = "nobody"
    variables["unit"] = "none"
    assert made.values.iloc[0, 0] == 1.0
    assert made.patient_ids.tolist() == ["A", "B"]
    assert made.variables["unit"].tolist() == ["TPM"] * 3


@pytest.mark.parametrize(
    ("obs", "var", "found"),
    [
        ({"site": "x"}, {"unit": "u", "source": "s"}, "obs with patient_id; found no patient_id"),
        ({"patient_id": "A"}, {"unit": "u"}, "var with unit, source; found no source"),
    ],
)
def test_bookkeeping_is_demanded(obs: dict[str, str], var: dict[str, str], found: str) -> None:
    adata = anndata.AnnData(
        np.ones((1, 1)), obs=pd.DataFrame(obs, index=["A"]), var=pd.DataFrame(var, index=["g"])
    )
    with pytest.raises(SchemaError, match=found):
        FeatureTable("rna", adata)


@pytest.mark.parametrize("values", [None, np.array([[True]]), np.array([[1j]])])
def test_x_must_hold_real_numbers(values: object) -> None:
    obs, var = pd.DataFrame({"patient_id": ["A"]}, ["A"]), pd.DataFrame(index=["g"])
    adata = anndata.AnnData(values, obs=obs, var=var.assign(unit="u", source="s"))
    with pytest.raises(SchemaError, match=r"rna: expected numbers in X; found .*\. Convert"):
        FeatureTable("rna", adata)


def test_select_gives_the_order_asked_for() -> None:
    made = table().select(["TP53", "KPNA2"])
    assert made.values.columns.tolist() == ["TP53", "KPNA2"]
    assert made.values.loc["B"].tolist() == [6.0, 4.0]


def test_select_names_near_variables() -> None:
    with pytest.raises(UnknownNameError, match="variable of rna 'KPNA': did you mean 'KPNA2'"):
        table().select(["SMG5", "KPNA"])


def test_select_refuses_a_variable_twice() -> None:
    with pytest.raises(AlignmentError, match=r"each variable once; found 1 repeated \(SMG5\)"):
        table().select(["SMG5", "SMG5"])


def test_where_keeps_the_samples_with_the_fact(rna: FeatureTable) -> None:
    tumours = rna.where("sample_type", "tumour")
    assert tumours.values.index.tolist() == ["A-tumour", "B-tumour", "C-tumour"]
    assert rna.where("sample_type", "recurrent").n_samples == 0


def test_where_leaves_out_samples_without_the_fact() -> None:
    site = pd.DataFrame({"site": pd.array(["x", None], dtype="string")}, index=["A", "B"])
    assert table(samples=site).where("site", "x").patient_ids.tolist() == ["A"]


def test_where_names_near_facts(rna: FeatureTable) -> None:
    with pytest.raises(UnknownNameError, match="'sampletype': did you mean 'sample_type'"):
        rna.where("sampletype", "tumour")


def test_per_patient_is_indexed_by_patient(rna: FeatureTable) -> None:
    patients = rna.where("sample_type", "tumour").per_patient()
    assert patients.index.tolist() == ["A", "B", "C"]
    assert patients.index.name == "patient_id"
    assert patients.loc["C", "SMG5"] == 4.0


def test_per_patient_refuses_to_choose(rna: FeatureTable) -> None:
    with pytest.raises(
        AlignmentError, match=r"one sample a patient; found 1 patients with several \(A\)\. Select"
    ):
        rna.per_patient()


def test_for_patients_keeps_all_samples_in_the_order_of_the_table(rna: FeatureTable) -> None:
    part = rna.for_patients(["C", "A", "nobody"])
    assert part.values.index.tolist() == ["A-tumour", "A-normal", "C-tumour"]
    assert part.patient_ids.tolist() == ["A", "C"]


def test_sparse_matrix_behaves_as_its_dense_twin() -> None:
    content = [[0.0, 2.0, np.nan], [4.0, 0.0, 0.0]]
    thin = sparse_table(content)
    pd.testing.assert_frame_equal(thin.values, frame(content))
    pd.testing.assert_frame_equal(
        thin.select(["TP53", "SMG5"]).values, frame(content)[["TP53", "SMG5"]]
    )
    assert thin.where("patient_id", "B").per_patient().loc["B"].tolist() == [4.0, 0.0, 0.0]
    assert thin.missing == pytest.approx(1 / 6)
    assert sparse.issparse(thin.select(["TP53"]).adata.X)
    assert "2 patients" in repr(thin)
    assert "KPNA2" in thin._repr_html_()


def test_html_escapes_user_text(hostile: str, escaped: str) -> None:
    values = pd.DataFrame({hostile: [1.0]}, index=[hostile])
    html = FeatureTable.from_frame(values, name=hostile, unit=hostile, source=hostile)._repr_html_()
    assert hostile not in html
    assert html.count(escaped) == 5


def test_empty_table_prints() -> None:
    empty = table().where("patient_id", "nobody")
    assert repr(empty) == "FeatureTable('rna': 0 samples of 0 patients × 3 variables)"
    assert empty.missing == 0.0
    assert "FeatureTable rna" in empty._repr_html_()
