"""Locked surrogates elsewhere, against statsmodels, scikit-learn, scipy and counting by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from sklearn.metrics import cohen_kappa_score, r2_score, roc_auc_score

from radiogenomics.core.errors import AlignmentError, DataError, RadiogenomicsWarning
from radiogenomics.evaluation.transport import (
    prediction_agreement,
    transport_differences,
    transport_table,
)
from radiogenomics.stats.agreement.bland_altman import concordance_correlation
from radiogenomics.stats.classification.auc import delong, delong_test_unpaired


@pytest.fixture
def cohort(rng) -> dict[str, pd.DataFrame | pd.Series]:
    """70 patients of two scanners, two targets; one patient's second target was not measured."""
    rows = [f"P{i}" for i in range(70)]
    truth = rng.normal(size=(70, 2)) * [1, 4] + [0.3, 20]
    predicted = 0.5 * truth + [0, 10] + 0.4 * rng.normal(size=(70, 2)) * [1, 4]
    measured = pd.DataFrame(truth, index=rows, columns=["a", "b"]).assign(other=1.0)
    measured.loc["P5", "b"] = np.nan
    return {
        "predicted": pd.DataFrame(predicted, index=rows, columns=["a", "b"]),
        "measured": measured,
        "training": pd.DataFrame({"mean": [0.0, 19.0], "median": [0.1, 19.5]}, index=["a", "b"]),
        "groups": pd.Series(np.where(np.arange(70) < 30, "CT", "MR"), index=rows),
    }


def own(cohort, target, group):
    kept = cohort["measured"][target].notna()
    if group != "all":
        kept &= cohort["groups"] == group
    x, y = cohort["predicted"].loc[kept, target], cohort["measured"].loc[kept, target]
    return x.to_numpy(), y.to_numpy(), *cohort["training"].loc[target, ["mean", "median"]]


def test_table_is_that_of_other_libraries(cohort):
    table = transport_table(**cohort, level=0.9)
    assert list(zip(table["target"], table["group"], table["n"], strict=True)) == [
        *[("a", "all", 70), ("a", "CT", 30), ("a", "MR", 40)],
        *[("b", "all", 69), ("b", "CT", 29), ("b", "MR", 40)],
    ]
    for _, row in table.iterrows():
        x, y, mean, cut = own(cohort, row["target"], row["group"])
        spread = ((y - mean) ** 2).sum()
        missed = (1 - r2_score(y, x)) * ((y - y.mean()) ** 2).sum()
        assert row["r2"] == pytest.approx(1 - missed / spread, rel=1e-10)
        assert row["rho"] == pytest.approx(stats.spearmanr(x, y).statistic, rel=1e-12)
        lin = concordance_correlation(x, y, level=0.9)
        assert (row["ccc"], row["ccc_low"], row["ccc_high"]) == (lin.value, lin.low, lin.high)
        line = sm.OLS(y, sm.add_constant(x)).fit()
        bounds = line.conf_int(0.1)
        for place, name in enumerate(("intercept", "slope")):
            found = row[[name, f"{name}_low", f"{name}_high"]].to_numpy(dtype=float)
            assert found == pytest.approx([line.params[place], *bounds[place]], rel=1e-8)
        area = delong(x, y > cut, level=0.9)
        assert row["auc"] == pytest.approx(roc_auc_score(y > cut, x), rel=1e-12)
        assert (row["auc_low"], row["auc_high"]) == (area.low, area.high)
        assert row["kappa"] == pytest.approx(cohen_kappa_score(x > cut, y > cut), rel=1e-10)
        assert row["kappa_low"] < row["kappa"] < row["kappa_high"]
        assert row["n_high"] == (y > cut).sum()


def test_perfect_predictions(cohort):
    measured = cohort["measured"][["a"]]
    row = transport_table(measured, measured, training=cohort["training"]).iloc[0]
    one = ["r2", "rho", "ccc", "slope", "auc", "kappa"]
    assert row[one].to_numpy(dtype=float) == pytest.approx(np.ones(6))
    assert row["intercept"] == pytest.approx(0, abs=1e-12)


def test_external_r2_is_against_the_old_mean(cohort):
    """Predicting the old mean is 0, whatever the new level; the new mean is better."""
    measured = cohort["measured"][["b"]]
    training = cohort["training"]
    with pytest.warns(RadiogenomicsWarning, match="do not vary"):
        row = transport_table(measured.dropna() * 0 + 19.0, measured.dropna(), training=training)
    assert row.loc[0, "r2"] == 0 and row.loc[0, "auc"] == 0.5
    assert row.loc[0, ["rho", "ccc", "slope", "kappa"]].isna().all()


def test_without_groups_there_is_one_row_a_target(cohort):
    del cohort["groups"]
    table = transport_table(**cohort)
    assert table["group"].tolist() == ["all", "all"] and table.notna().all(axis=None)


def test_differences_are_those_of_scipy_and_delong(cohort):
    table = transport_differences(**cohort, level=0.9)
    assert set(table["first"]) == {"CT"} and set(table["second"]) == {"MR"}
    assert len(table) == 8
    for target, rows in table.groupby("target"):
        found = rows.set_index("statistic")
        (x, y, _, cut), (u, v, _, _) = own(cohort, target, "CT"), own(cohort, target, "MR")
        welch = stats.ttest_ind(x - y, u - v, equal_var=False)
        errors = found.loc["mean error"]
        assert errors["p"] == pytest.approx(welch.pvalue, rel=1e-10)
        bounds = welch.confidence_interval(0.9)
        assert [errors["low"], errors["high"]] == pytest.approx([bounds.low, bounds.high])
        auc = delong_test_unpaired(delong(x, y > cut), delong(u, v > cut))
        assert found.loc["auc", ["difference", "p"]].tolist() == [auc.difference, auc.p]
        a, b = (sm.OLS(q, sm.add_constant(p)).fit() for p, q in ((x, y), (u, v)))
        error = np.hypot(a.bse[1], b.bse[1])
        df = error**4 / (a.bse[1] ** 4 / a.df_resid + b.bse[1] ** 4 / b.df_resid)
        t = (a.params[1] - b.params[1]) / error
        assert found.at["slope", "p"] == pytest.approx(2 * stats.t.sf(abs(t), df), rel=1e-8)
        r, s = stats.spearmanr(x, y).statistic, stats.spearmanr(u, v).statistic
        width = np.sqrt((1 + r**2 / 2) / (len(x) - 3) + (1 + s**2 / 2) / (len(u) - 3))
        z = (np.arctanh(r) - np.arctanh(s)) / width
        assert found.at["rho", "p"] == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-10)


def test_differences_keep_their_level_and_find_a_shifted_scanner():
    """Scanners alike over 300 seeds: each test rejects about as often as it says."""
    training = pd.DataFrame({"mean": 0.0, "median": 0.0}, index=["t"])
    groups = pd.Series(["A"] * 40 + ["B"] * 50)
    p = []
    for seed in range(300):
        rng = np.random.default_rng([61, seed])
        truth = rng.normal(size=(90, 1))
        measured = pd.DataFrame(truth, columns=["t"])
        predicted = pd.DataFrame(0.6 * truth + 0.5 * rng.normal(size=(90, 1)), columns=["t"])
        found = transport_differences(predicted, measured, training=training, groups=groups)
        p.append(found.set_index("statistic")["p"])
    for _, values in pd.DataFrame(p).items():
        low, high = stats.binomtest(int((values < 0.05).sum()), 300).proportion_ci(0.999)
        assert low < 0.05 < high
    shifted = predicted + np.where(groups == "B", 1.0, 0.0)[:, None]
    found = transport_differences(shifted, measured, training=training, groups=groups)
    table = found.set_index("statistic")
    assert table.at["mean error", "p"] < 1e-6 and table.at["mean error", "high"] < -0.5
    assert table.at["rho", "p"] > 0.01


def test_ranks_in_one_order_can_be_compared(cohort):
    measured = cohort["measured"][["a"]]
    same = measured.where(cohort["groups"].eq("CT"), cohort["predicted"][["a"]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RadiogenomicsWarning)  # slopes without any error
        table = transport_differences(
            same, measured, training=cohort["training"], groups=cohort["groups"]
        )
    row = table.set_index("statistic").loc["rho"]
    assert np.isfinite(row[["difference", "low", "high", "p"]].to_numpy(dtype=float)).all()
    assert row["p"] < 0.05


def test_agreement_of_two_predictions(cohort):
    second = 0.9 * cohort["predicted"] + 0.3
    training = cohort["training"][["median"]]
    table = prediction_agreement(cohort["predicted"], second, training=training)
    for _, row in table.iterrows():
        x, y = cohort["predicted"][row["target"]], second[row["target"]]
        cut = training.at[row["target"], "median"]
        assert row["rho"] == pytest.approx(1) and row["n"] == 70
        assert row["ccc"] == concordance_correlation(x, y).value
        assert row["bias"] == pytest.approx((x - y).mean(), rel=1e-10)
        assert row["kappa"] == pytest.approx(cohen_kappa_score(x > cut, y > cut), rel=1e-10)


def test_what_is_undefined_is_left_empty_with_one_warning(cohort):
    cohort["training"].loc["a", "median"] = 99.0
    with pytest.warns(RadiogenomicsWarning, match=r"1 target\(s\) \(a\)") as told:
        table = transport_table(**cohort)
    assert len(told) == 1
    of_a = table[table["target"] == "a"]
    assert of_a[["auc", "kappa"]].isna().all(axis=None) and of_a["rho"].notna().all()


def test_refuses_tables_that_do_not_fit(cohort):
    def refuses(error, match, **changed):
        with pytest.raises(error, match=match):
            transport_table(**(cohort | changed))

    predicted, measured, groups = (cohort[n] for n in ("predicted", "measured", "groups"))
    refuses(AlignmentError, "another order", measured=measured.iloc[::-1])
    refuses(AlignmentError, r"1 not there \(b\)", measured=measured.drop(columns="b"))
    refuses(AlignmentError, r"1 not there \(b\)", training=cohort["training"].drop(index="b"))
    refuses(AlignmentError, "one group a patient", groups=groups.iloc[1:])
    refuses(
        DataError, "finite predictions", predicted=predicted.replace(predicted.iat[0, 0], np.nan)
    )
    refuses(
        DataError,
        r"b: expected 4 or more measured patients in each group; found 0",
        measured=measured.assign(b=np.nan),
    )
    refuses(DataError, "found 3", groups=groups.where(np.arange(70) > 2, "third"))
    refuses(DataError, "other names than 'all'", groups=groups.replace("CT", "all"))
    refuses(DataError, "level between 0 and 1", level=95)
    with pytest.raises(DataError, match="two or more groups"):
        transport_differences(**(cohort | {"groups": groups.replace("CT", "MR")}))
