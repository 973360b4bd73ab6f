"""The virtual biopsy against a plain loop over folds and permutations, and over seeds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    LeakageError,
    OutcomeError,
    RadiogenomicsWarning,
    StudyError,
    UnknownNameError,
)
from radiogenomics.evaluation.splits import PatientKFold, Split
from radiogenomics.evaluation.virtual_biopsy import COLUMNS, virtual_biopsy
from radiogenomics.models.many_targets import ManyKernelRidge, ManyPls, ManyRidge
from radiogenomics.stats.multiplicity import adjust
from radiogenomics.stats.permutation import permutation_p, permutations

FOLDS = PatientKFold(3, n_repeats=2, random_state=4)


def cohort(n: int = 48, *, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Six targets, of which the first three are seen, each less than the one before."""
    rng = np.random.default_rng([51, seed])
    rows = [f"P{i}" for i in range(n)]
    X = pd.DataFrame(rng.normal(size=(n, 20)), index=rows).add_prefix("f")
    Y = rng.normal(size=(n, 6))
    Y[:, :3] += X.to_numpy()[:, :3] * [3, 2, 1]
    return X, pd.DataFrame(10 + Y, index=rows).add_prefix("t")


@pytest.fixture(scope="module")
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    return cohort()


@pytest.fixture(scope="module")
def orders() -> np.ndarray:
    return permutations(48, 19, np.random.default_rng(5))


def folds_of(X, folds=FOLDS):
    return list(folds.split(X.index))


def by_loop(model, X, Y, folds=FOLDS):
    """R² of each target, mean over repeats, and predictions of each split."""
    r2, predicted = {}, []
    for split in folds_of(X, folds):
        train, test = split.train, split.test
        found = model.fit(X.iloc[train], Y[train]).predict(X.iloc[test])
        mean = Y[train].mean(axis=0)
        sums = [((Y[test] - found) ** 2).sum(axis=0), ((Y[test] - mean) ** 2).sum(axis=0)]
        r2[split.repeat] = r2.get(split.repeat, 0) + np.array(sums)
        predicted.append(found)
    return np.mean([1 - missed / spread for missed, spread in r2.values()], axis=0), predicted


@pytest.mark.parametrize(
    "model",
    [Ridge(5.0), KNeighborsRegressor(4), ManyRidge(n_splits=3), ManyPls(n_splits=3)],
    ids=["Ridge", "neighbours", "ManyRidge", "ManyPls"],
)
def test_table_is_that_of_a_plain_loop(model, tables, orders):
    X, Y = tables
    found = virtual_biopsy({"it": model}, X, Y, folds=FOLDS, orders=orders)
    table = found.biopsy.set_index("target").loc[list(Y)]
    values = Y.to_numpy()
    r2, predicted = by_loop(model, X, values)
    null = np.array([by_loop(model, X, values[order])[0] for order in orders])
    assert table["r2"].to_numpy() == pytest.approx(r2, rel=1e-9)
    assert found.null_strongest["it"] == pytest.approx(null.max(axis=1), rel=1e-9)
    assert table["p"].tolist() == [permutation_p(r, n) for r, n in zip(r2, null.T, strict=True)]
    assert table["fdr"].to_numpy() == pytest.approx(adjust(table["p"]))
    assert table["p_family"].tolist() == [permutation_p(r, null.max(axis=1)) for r in r2]
    for i, target in enumerate(Y):
        rho, wins, pairs = [], [0, 0], [0, 0]
        for split, guess in zip(folds_of(X), predicted, strict=True):
            truth = values[split.test, i]
            alike = np.ptp(guess[:, i]) == 0
            rho.append(0.0 if alike else stats.spearmanr(guess[:, i], truth).statistic)
            high = truth > np.median(values[split.train, i])
            size = high.sum() * (~high).sum()
            wins[split.repeat] += roc_auc_score(high, guess[:, i]) * size
            pairs[split.repeat] += size
        assert table.at[target, "rho"] == pytest.approx(np.mean(rho), abs=1e-12)
        assert table.at[target, "auc"] == pytest.approx(np.mean(np.divide(wins, pairs)), abs=1e-12)


@pytest.mark.parametrize("model", [ManyRidge(), ManyKernelRidge()], ids=["ridge", "kernel"])
def test_prepared_once_is_the_same_as_refitted_each_time(model, tables, orders):
    X, Y = tables
    once = virtual_biopsy({"m": model}, X, Y, folds=FOLDS, orders=orders)
    refitted = virtual_biopsy({"m": make_pipeline(model)}, X, Y, folds=FOLDS, orders=orders)
    pd.testing.assert_frame_equal(once.biopsy, refitted.biopsy, rtol=1e-9)
    pd.testing.assert_frame_equal(once.predictions["m"], refitted.predictions["m"], rtol=1e-9)
    assert once.null_strongest["m"] == pytest.approx(refitted.null_strongest["m"], rel=1e-9)


def test_shape_of_the_result(tables, orders):
    X, Y = tables
    learners = {"ridge": ManyRidge(), "plain": Ridge()}
    kinds = dict.fromkeys(Y, "gene") | {"t5": "set"}
    found = virtual_biopsy(learners, X, Y, folds=FOLDS, orders=orders, kinds=kinds)
    assert tuple(found.biopsy.columns) == COLUMNS
    assert found.biopsy["learner"].tolist() == ["ridge"] * 6 + ["plain"] * 6
    for _, part in found.biopsy.groupby("learner"):
        assert part["r2"].is_monotonic_decreasing
        assert part.set_index("target")["kind"].to_dict() == kinds
        assert part["target"].tolist()[:2] == ["t0", "t1"]
    assert (found.biopsy["n"] == 48).all()
    bounds = found.biopsy
    assert (bounds["rho_low"] < bounds["rho"]).all() and (bounds["rho"] < bounds["rho_high"]).all()
    assert (bounds["auc_low"] < bounds["auc"]).all() and (bounds["auc"] < bounds["auc_high"]).all()
    _, predicted = by_loop(Ridge(), X, Y.to_numpy())
    total = np.zeros(Y.shape)
    for split, guess in zip(folds_of(X), predicted, strict=True):
        total[split.test] += guess / 2
    assert found.predictions["plain"].index.equals(X.index)
    assert found.predictions["plain"].to_numpy() == pytest.approx(total)
    assert list(found.residuals) == ["learner", "target", "half_width", "level", "n"]


def test_half_width_is_the_corrected_quantile_of_out_of_fold_errors(tables, orders):
    X, Y = tables
    found = virtual_biopsy({"r": Ridge()}, X, Y, folds=FOLDS, orders=orders, level=0.9)
    _, predicted = by_loop(Ridge(), X, Y.to_numpy())
    errors = [[], []]
    for split, guess in zip(folds_of(X), predicted, strict=True):
        errors[split.repeat].extend(np.abs(guess - Y.to_numpy()[split.test]))
    # The ceil(0.9 x 49) = 45th smallest of 48.
    by_hand = np.mean([np.sort(np.array(each), axis=0)[44] for each in errors], axis=0)
    assert found.residuals["half_width"].to_numpy() == pytest.approx(by_hand)


def test_half_width_covers_new_patients_over_seeds():
    covered, asked = 0, 0
    for seed in range(12):
        X, Y = cohort(240, seed=seed)
        known, new = slice(0, 60), slice(60, None)
        found = virtual_biopsy(
            {"r": ManyRidge()},
            X[known],
            Y[known],
            folds=PatientKFold(5),
            orders=np.arange(60)[None],
            level=0.9,
        )
        locked = ManyRidge().fit(X[known], Y[known]).lock()
        apart = (locked.predict(X[new]) - Y[new]).abs()
        width = found.residuals.set_index("target")["half_width"]
        covered += int((apart <= width).to_numpy().sum())
        asked += apart.size
    assert covered / asked == pytest.approx(0.9, abs=0.02)


def test_who_foretells_the_mean_knows_nothing_and_is_told_so(tables, orders):
    """Pooled over folds a mean goes against the truth; within folds it orders nobody."""
    X, Y = tables
    table = virtual_biopsy({"mean": DummyRegressor()}, X, Y, folds=FOLDS, orders=orders).biopsy
    assert (table["r2"] == 0).all() and (table["rho"] == 0).all() and (table["auc"] == 0.5).all()
    assert (table["p"] == 1).all() and (table["p_family"] == 1).all()
    _, predicted = by_loop(DummyRegressor(), X, Y.to_numpy(), PatientKFold(3, random_state=4))
    rows = np.concatenate([split.test for split in folds_of(X)[:3]])
    pooled = [
        stats.spearmanr(np.vstack(predicted)[:, i], Y.to_numpy()[rows, i]).statistic
        for i in range(6)
    ]
    assert np.mean(pooled) < -0.1


def test_jobs_and_one_target_change_nothing(tables, orders):
    X, Y = tables
    settings = {"folds": FOLDS, "orders": orders}
    alone = virtual_biopsy({"m": ManyRidge()}, X, Y[["t1"]], jobs=2, **settings).biopsy
    every = virtual_biopsy({"m": ManyRidge()}, X, Y, **settings).biopsy.query("target == 't1'")
    columns = [c for c in COLUMNS if c not in ("fdr", "p_family")]
    pd.testing.assert_frame_equal(alone[columns], every[columns].reset_index(drop=True), rtol=1e-9)
    single = virtual_biopsy({"svr": SVR()}, X, Y[["t0"]], **settings).biopsy
    assert single.at[0, "r2"] > 0.1


def test_a_test_set_declared_beforehand(tables, orders):
    """Patients who are never tested are learnt from and not told."""

    class Declared:
        def split(self, patient_ids, stratify=None):
            yield Split(0, 0, np.arange(24), np.arange(24, 48))

    X, Y = tables
    found = virtual_biopsy({"r": Ridge()}, X, Y, folds=Declared(), orders=orders, level=0.9)
    assert (found.biopsy["n"] == 24).all()
    assert found.predictions["r"].index.equals(X.index[24:])


def test_a_target_without_two_classes_has_no_auc_and_says_so(tables, orders):
    X, Y = tables
    capped = Y.assign(t4=np.minimum(Y["t4"], Y["t4"].quantile(0.2)))
    with pytest.warns(RadiogenomicsWarning, match=r"1 target\(s\) \(t4\) have no test part"):
        found = virtual_biopsy({"r": Ridge()}, X, capped, folds=FOLDS, orders=orders)
    table = found.biopsy.set_index("target")
    assert np.isnan(table.at["t4", "auc"]) and np.isfinite(table.at["t4", "r2"])
    assert table["auc"].drop("t4").notna().all()


def test_refuses_tables_that_do_not_fit(tables, orders):
    X, Y = tables
    settings = {"folds": FOLDS, "orders": orders}
    model = {"r": Ridge()}
    with pytest.raises(AlignmentError, match="another order"):
        virtual_biopsy(model, X, Y.iloc[::-1], **settings)
    with pytest.raises(AlignmentError, match="one row of features a patient"):
        virtual_biopsy(model, X.iloc[[0, *range(47)]], Y.iloc[[0, *range(47)]], **settings)
    with pytest.raises(AlignmentError, match="each once"):
        virtual_biopsy(model, X, Y.rename(columns={"t1": "t0"}), **settings)
    with pytest.raises(OutcomeError, match=r"1 with one value for all 48 patients \(t2\)"):
        virtual_biopsy(model, X, Y.assign(t2=1.0), **settings)
    with pytest.raises(DataError, match=r"1 with missing or infinite values \(t2\)"):
        virtual_biopsy(
            model, X, Y.assign(t2=np.where(np.arange(48) == 3, np.nan, Y["t2"])), **settings
        )
    with pytest.raises(ValueError, match="Input X contains NaN"):
        virtual_biopsy({"m": ManyRidge()}, X.assign(f1=np.nan), Y, **settings)


def test_refuses_senseless_settings(tables, orders):
    X, Y = tables
    model = {"r": Ridge()}
    with pytest.raises(StudyError, match="4 or more patients in each"):
        virtual_biopsy(model, X, Y, folds=PatientKFold(15), orders=orders)
    with pytest.raises(StudyError, match=r"level 0\.99; found 48"):
        virtual_biopsy(model, X, Y, folds=FOLDS, orders=orders, level=0.99)
    with pytest.raises(DataError, match="level between 0 and 1"):
        virtual_biopsy(model, X, Y, folds=FOLDS, orders=orders, level=95)
    with pytest.raises(StudyError, match="one or more learners"):
        virtual_biopsy({}, X, Y, folds=FOLDS, orders=orders)
    for bad in (orders[:, :-1], orders * 1.0, orders[:0], np.zeros((2, 48), dtype=int)):
        with pytest.raises(DataError, match="permutations of 48 patients"):
            virtual_biopsy(model, X, Y, folds=FOLDS, orders=bad)
    with pytest.raises(UnknownNameError, match="unknown kind of target 'genes'"):
        virtual_biopsy(model, X, Y, folds=FOLDS, orders=orders, kinds="genes")
    with pytest.raises(UnknownNameError, match="t1"):
        virtual_biopsy(model, X, Y, folds=FOLDS, orders=orders, kinds={"t0": "gene"})


@pytest.mark.parametrize(
    ("parts", "error", "match"),
    [
        ([(range(24), range(20, 48))], LeakageError, "both sides"),
        ([(range(24), range(24, 48)), (range(24), range(30, 48))], StudyError, "tested again"),
        ([(range(3), range(3, 48))], StudyError, "found 3"),
        ([], StudyError, "found 0"),
    ],
    ids=["both sides", "twice", "small", "none"],
)
def test_refuses_senseless_splits(parts, error, match, tables, orders):
    class Declared:
        def split(self, patient_ids, stratify=None):
            for fold, (train, test) in enumerate(parts):
                yield Split(0, fold, np.array(train), np.array(test))

    with pytest.raises(error, match=match):
        virtual_biopsy({"r": Ridge()}, *tables, folds=Declared(), orders=orders, level=0.9)


def test_refuses_predictions_of_another_shape(tables, orders):
    class First(Ridge):
        def predict(self, X):
            return super().predict(X)[:, :2]

    with pytest.raises(DataError, match=r"repeat 0, fold 0: expected finite predictions"):
        virtual_biopsy({"r": First()}, *tables, folds=FOLDS, orders=orders)


def test_scaling_inside_a_pipeline_is_learnt_in_the_fold(tables, orders):
    X, Y = tables
    model = make_pipeline(StandardScaler(), Ridge(5.0))
    found = virtual_biopsy({"r": model}, X, Y, folds=FOLDS, orders=orders).biopsy
    r2, _ = by_loop(model, X, Y.to_numpy())
    assert found.set_index("target").loc[list(Y), "r2"].to_numpy() == pytest.approx(r2, rel=1e-9)


@pytest.mark.real
@pytest.mark.parametrize(
    ("file", "patients"),
    [("nsclc_radiomics_117.csv.gz", 94), ("nsclc_pyradiomics_60.parquet", 60)],
    ids=["94 patients", "60 patients"],
)
def test_ct_does_not_foretell_two_genes_of_lung_cancer(file, patients, data_root):
    """Known to be null: the only public match of CT features and these genes' RNA."""
    folder = data_root / "omics" / "nsclc_radiogenomics_rna"
    genes = np.log2(1 + pd.read_csv(folder / "nsclc_KPNA2_SMG5_fpkm.csv", index_col="PID"))
    if file.endswith(".csv.gz"):
        table = pd.read_csv(folder / file, index_col="Case ID").select_dtypes("number")
    else:
        table = pd.read_parquet(folder / file)
    features = table.dropna(axis=1)
    both = [patient for patient in genes.index if patient in features.index]
    assert len(both) == patients
    found = virtual_biopsy(
        {"ridge": ManyRidge(), "pls": ManyPls()},
        features.loc[both],
        genes.loc[both],
        folds=PatientKFold(5, n_repeats=2),
        orders=permutations(patients, 99, np.random.default_rng(0)),
    )
    assert (found.biopsy["p_family"] > 0.1).all() and (found.biopsy["r2"] < 0.05).all()
