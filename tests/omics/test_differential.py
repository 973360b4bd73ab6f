import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control, ttest_ind

from radiogenomics.core.errors import AlignmentError, DataError
from radiogenomics.omics import compare_groups


@pytest.fixture
def groups(rng) -> tuple[pd.DataFrame, pd.Series]:
    values = pd.DataFrame(rng.normal(size=(30, 50)), columns=[f"G{i}" for i in range(50)])
    group = pd.Series(np.arange(30) < 11)
    values.loc[group, "G0"] += 2
    values["G1"] *= np.where(group, 5, 1)
    return values, group


def test_equals_scipy_gene_by_gene(groups):
    values, group = groups
    found = compare_groups(values, group)
    for row in found.itertuples():
        t, p = ttest_ind(values.loc[group, row.gene], values.loc[~group, row.gene], equal_var=False)
        assert row.t == pytest.approx(t, rel=1e-10)
        assert row.p == pytest.approx(p, rel=1e-10)
    np.testing.assert_allclose(found["fdr"], false_discovery_control(found["p"]), rtol=1e-12)
    assert found["difference"][0] == pytest.approx(
        values.loc[group, "G0"].mean() - values.loc[~group, "G0"].mean()
    )


def test_missing_values_are_left_out_gene_by_gene(groups):
    values, group = groups
    values.loc[[0, 3, 20], "G2"] = np.nan
    t, p = ttest_ind(
        values.loc[group, "G2"], values.loc[~group, "G2"], equal_var=False, nan_policy="omit"
    )
    row = compare_groups(values, group).set_index("gene").loc["G2"]
    assert (row["t"], row["p"]) == (pytest.approx(t, rel=1e-10), pytest.approx(p, rel=1e-10))


def test_untestable_genes_are_marked_and_not_counted(groups):
    values, group = groups
    values["G3"] = 0.1 + 0.2
    values.loc[group.to_numpy().nonzero()[0][1:], "G4"] = np.nan
    found = compare_groups(values, group).set_index("gene")
    assert found.loc[["G3", "G4"], ["t", "p", "fdr"]].isna().all(axis=None)
    rest = found.drop(["G3", "G4"])
    np.testing.assert_allclose(rest["fdr"], false_discovery_control(rest["p"]), rtol=1e-12)


def test_swapping_groups_turns_the_sign(groups):
    values, group = groups
    there, back = compare_groups(values, group), compare_groups(values, ~group)
    np.testing.assert_allclose(there["t"], -back["t"])
    np.testing.assert_allclose(there["p"], back["p"])


def test_group_of_one_is_refused(groups):
    values, _ = groups
    with pytest.raises(DataError, match="found 1 and 29"):
        compare_groups(values, pd.Series(np.arange(30) < 1))


def test_text_groups_are_refused(groups):
    values, group = groups
    with pytest.raises(DataError, match="True and False"):
        compare_groups(values, group.map({True: "tumour", False: "normal"}))


def test_other_samples_are_refused(groups):
    values, group = groups
    with pytest.raises(AlignmentError, match="Reindex"):
        compare_groups(values, group.set_axis(range(1, 31)))
