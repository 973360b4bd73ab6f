from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from radiogenomics.core.errors import AlignmentError, DataError, SchemaError
from radiogenomics.omics.differential import compare_groups
from radiogenomics.omics.differential_moderated import moderated_t_table
from radiogenomics.omics.group_design import group_design

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "stats"


@pytest.fixture(scope="module")
def samples() -> tuple[pd.DataFrame, pd.Series]:
    """Samples of the first two groups of limma's reference."""
    table = pd.read_csv(REFERENCE / "moderated_t_input.csv", index_col="sample")
    table = table[table["group"] < 2]
    return table.filter(regex="^G"), table["group"] == 1


def test_paired_agrees_with_limma(samples):
    values, group = samples
    patient = pd.Series(list("VWXYZ") * 2, index=values.index)
    found = moderated_t_table(values, group, paired=patient)
    limma = pd.read_csv(REFERENCE / "moderated_t.csv.gz").query("case == 'paired'")
    pairs = {"log2_fold_change": "estimate", "low": "low", "high": "high", "t": "t", "p": "p",
             "mean": "mean", "log_odds": "log_odds"}  # fmt: skip
    for ours, theirs in pairs.items():
        np.testing.assert_allclose(found[ours], limma[theirs], rtol=1e-10, atol=1e-12)
    assert found["gene"].tolist() == limma["gene"].tolist()


def test_numbers_as_patients_are_patients(samples):
    values, group = samples
    number = pd.Series([1, 2, 3, 4, 5] * 2, index=values.index)
    names = number.map(dict(zip(range(1, 6), "VWXYZ", strict=True)))
    pd.testing.assert_frame_equal(
        moderated_t_table(values, group, paired=number),
        moderated_t_table(values, group, paired=names),
    )


def test_covariates_are_adjusted_for_as_in_a_linear_model(samples, rng):
    values, group = samples
    about = pd.DataFrame(
        {"age": rng.normal(60, 9, 10), "batch": list("aabbcaabbc")}, index=values.index
    )
    found = moderated_t_table(values, group, covariates=about)
    design = pd.DataFrame({"one": 1.0, "group": group * 1.0, "age": about["age"]})
    design = design.assign(b=about["batch"] == "b", c=about["batch"] == "c").astype(float)
    for place in (0, 40, 149):
        alone = sm.OLS(values.iloc[:, place], design).fit()
        assert found["log2_fold_change"][place] == pytest.approx(alone.params["group"], rel=1e-9)


def test_difference_is_that_of_means_and_fdr_is_of_tested_genes(samples):
    values, group = samples
    values = values.assign(G003=values["G003"].where(group))
    found = moderated_t_table(values, group).set_index("gene")
    plain = compare_groups(values, group).set_index("gene")
    np.testing.assert_allclose(found["log2_fold_change"], plain["difference"], rtol=1e-9)
    assert found.loc["G003", ["low", "t", "p", "fdr"]].isna().all()
    tested = found.drop("G003")
    assert tested["fdr"].notna().all() and (tested["fdr"] >= tested["p"]).all()


def test_swapping_groups_turns_the_sign(samples):
    values, group = samples
    there, back = moderated_t_table(values, group), moderated_t_table(values, ~group)
    np.testing.assert_allclose(there["log2_fold_change"], -back["log2_fold_change"])
    np.testing.assert_allclose(there["low"], -back["high"])
    np.testing.assert_allclose(there["p"], back["p"])


def test_counts_are_no_logarithms(samples):
    values, group = samples
    with pytest.raises(DataError, match="expected log2 expression; found values up to"):
        moderated_t_table(2**values, group)


def test_text_is_refused(samples):
    values, group = samples
    with pytest.raises(DataError, match="expression as numbers"):
        moderated_t_table(values.assign(G001="high"), group)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda g: {"group": g.map({True: "a", False: "b"})}, DataError, "True and False"),
        (lambda g: {"group": g & False}, DataError, "found 0 and 10"),
        (lambda g: {"group": g.iloc[::-1]}, AlignmentError, "Reindex"),
        (lambda g: {"covariates": g.to_frame("x").iloc[:4]}, AlignmentError, "covariates in the"),
        (
            lambda g: {"covariates": pd.DataFrame({"age": np.nan}, index=g.index)},
            DataError,
            "10 missing values in age",
        ),
        (
            lambda g: {"covariates": g.astype(float).to_frame("batch")},
            DataError,
            "full rank",
        ),
        (
            lambda g: {"covariates": pd.DataFrame({"group": range(len(g))}, index=g.index)},
            DataError,
            "Rename them",
        ),
        (
            lambda g: {"paired": pd.Series(g.index.astype(str), index=g.index)},
            DataError,
            "patients with samples of both groups",
        ),
    ],
)
def test_unfit_groups_and_covariates_are_refused(samples, change, error, message):
    values, group = samples
    given = {"group": group} | change(group)
    with pytest.raises(error, match=message):
        moderated_t_table(values, **given)


def test_left_over_row_fact_fails_loudly(samples):
    values, group = samples
    with pytest.raises(SchemaError, match="row fact"):
        moderated_t_table(values.assign(**{"@site": 1.0}), group)


def test_design_of_levels_leaves_out_the_first(samples):
    values, group = samples
    stage = pd.Series(pd.Categorical(list("IIIIIIVVVV")), index=values.index).to_frame("stage")
    design = group_design(values, group, covariates=stage)
    assert list(design.columns) == ["intercept", "group", "stage_V"]
    assert design["stage_V"].tolist() == [0.0] * 6 + [1.0] * 4
