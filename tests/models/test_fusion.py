"""Early, late and stacked fusion: what they share, and what each promises."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import (
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.models import TunedClassifier
from radiogenomics.models.block_scaler import BlockScaler
from radiogenomics.models.early_fusion import EarlyFusion
from radiogenomics.models.fusion import block_models, filled_and_standardised
from radiogenomics.models.late_fusion import LateFusion
from radiogenomics.models.stacked_fusion import StackedFusion

FUSIONS = (EarlyFusion, LateFusion, StackedFusion)
CT, RNA, CLINICAL = slice(0, 8), slice(8, 12), slice(12, 13)


@parametrize_with_checks(
    [
        EarlyFusion(n_splits=3),
        LateFusion(n_splits=3),
        StackedFusion(models="nb", n_splits=2),
        BlockScaler(),
    ]
)
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


def cohort(rng, n=160, *, signal=(0.7, 0.7, 0.7)):
    """Three blocks, each with its own share of the truth in its first column."""
    y = (np.arange(n) % 5 < 2).astype(int)
    values = rng.normal(size=(n, 13))
    values[:, [0, 8, 12]] += np.outer(y, signal)
    columns = [
        *(f"ct|f{i}" for i in range(8)),
        *(f"rna|g{i}" for i in range(4)),
        "clinical|AFP",
    ]
    return pd.DataFrame(values, columns=columns, index=[f"P{i}" for i in range(n)]), y


def without(X, part, rows=slice(None)):
    gappy = X.copy()
    gappy.iloc[rows, part] = np.nan
    return gappy


def quick(fusion, blocks="prefix"):
    """Untuned, as tuning is tested elsewhere."""
    if fusion is EarlyFusion:
        return EarlyFusion(blocks, estimator=LogisticRegression(), n_splits=3)
    ridge = LogisticRegression(C=0.1)
    return fusion(blocks, models=Pipeline([*filled_and_standardised(), ("lr", ridge)]), n_splits=3)


def silently(function, *arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RadiogenomicsWarning)
        return function(*arguments)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_blocks_together_beat_the_best_alone(fusion):
    """Three blocks of one strength: alone each has an AUC of 0.69 at best, together 0.80."""
    gains, fused_auc = [], []
    for seed in range(3):
        rng = np.random.default_rng([40, seed])
        X, y = cohort(rng)
        new, new_y = cohort(rng, 1500)
        fused = quick(fusion).fit(X, y)
        alone = [
            roc_auc_score(
                new_y, quick(fusion, None).fit(X.iloc[:, p], y).decision_function(new.iloc[:, p])
            )
            for p in (CT, RNA, CLINICAL)
        ]
        auc = roc_auc_score(new_y, fused.decision_function(new))
        gains.append(auc - max(alone))
        fused_auc.append(auc)
        assert log_loss(new_y, fused.predict_proba(new)) < log_loss(new_y, np.full(1500, 0.4))
    assert min(gains) > 0
    assert np.mean(gains) > 0.04
    assert np.mean(fused_auc) > 0.69


@pytest.mark.parametrize("fusion", FUSIONS)
def test_names_positions_and_classes_change_nothing(fusion, rng):
    X, y = cohort(rng, 80)
    named = quick(fusion).fit(X, np.where(y == 1, "responder", "none"))
    places = {"ct": range(8), "rna": range(8, 12), "clinical": [12]}
    bare = quick(fusion, places).fit(X.to_numpy(), y)
    assert np.array_equal(named.decision_function(X), bare.decision_function(X.to_numpy()))
    assert named.classes_.tolist() == ["none", "responder"]
    probability = named.predict_proba(X)
    np.testing.assert_allclose(probability[:, 1], expit(named.decision_function(X)))
    assert np.array_equal(named.predict(X) == "responder", probability[:, 1] > 0.5)
    assert list(named.block_weights_) == ["ct", "rna", "clinical"]


@pytest.mark.parametrize("fusion", FUSIONS)
def test_missing_blocks_are_reported_by_patient(fusion, rng):
    X, y = cohort(rng, 80)
    model = quick(fusion).fit(X, y)
    gappy = without(without(X, CT, slice(0, 3)), CLINICAL, slice(2, 4))
    gappy.iloc[5, 0] = np.nan  # a gap in a block is no missing block
    report = model.missing_blocks(gappy)
    assert report.index.equals(X.index)
    assert report.sum().to_dict() == {"ct": 3, "rna": 0, "clinical": 2}
    assert report.loc["P2"].tolist() == [True, False, True]
    scored = silently(model.predict_proba, gappy)
    assert np.isfinite(scored).all()
    complete = range(6, 80)
    np.testing.assert_allclose(scored[complete], model.predict_proba(X)[complete])


@pytest.mark.parametrize("fusion", FUSIONS)
def test_patients_without_any_block_are_counted_and_refused(fusion, rng):
    X, y = cohort(rng, 60)
    model = quick(fusion).fit(X, y)
    bare = without(X, slice(None), [3, 7])
    for call in (model.decision_function, model.predict_proba, model.predict):
        with pytest.raises(DataError, match="found 2 of 60 patients with none, the first in row 3"):
            call(bare)
    with pytest.raises(DataError, match="found 2 of 60"):
        quick(fusion).fit(bare, y)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_block_that_does_not_vary_is_left_out_with_a_warning(fusion, rng):
    X, y = cohort(rng, 60)
    X["clinical|AFP"] = 7.0
    with pytest.warns(RadiogenomicsWarning, match="clinical do not vary"):
        model = quick(fusion).fit(X, y)
    assert model.used_blocks_ == ("ct", "rna")
    assert list(model.block_weights_) == ["ct", "rna"]
    fewer = quick(fusion).fit(X.iloc[:, :12], y)
    expected = fewer.decision_function(X.iloc[:, :12])
    assert np.array_equal(model.decision_function(X), expected)
    assert list(model.missing_blocks(X).columns) == ["ct", "rna", "clinical"]
    # Who has only that block has nothing to be scored by.
    with pytest.raises(DataError, match="found 1 of 60"):
        model.decision_function(without(X, slice(0, 12), [4]))
    with pytest.raises(DataError, match="expected a block that varies; found 3 block"):
        quick(fusion).fit(X * 0, y)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_blocks_missing_in_training_are_learnt_from_those_who_have_them(fusion):
    rng = np.random.default_rng(44)
    X, y = cohort(rng, 240)
    new, new_y = cohort(rng, 1500)
    gappy = without(without(X, CT, slice(0, 80)), RNA, slice(80, 140))
    model = silently(quick(fusion).fit, gappy, y)
    assert roc_auc_score(new_y, model.decision_function(new)) > 0.7


@pytest.mark.parametrize("fusion", FUSIONS)
def test_single_gaps_are_filled_by_default_even_where_a_column_has_no_value(fusion, rng):
    X, y = cohort(rng, 60)
    X.iloc[::4, 1] = np.nan
    X.iloc[:, 3] = np.nan
    assert np.isfinite(quick(fusion).fit(X, y).decision_function(X)).all()


@pytest.mark.parametrize("fusion", FUSIONS)
def test_labels_blocks_and_folds_that_make_no_sense_are_refused(fusion, rng):
    X, y = cohort(rng, 40)
    with pytest.raises(OutcomeError, match="two classes; found 1 class"):
        quick(fusion).fit(X, np.ones(40))
    with pytest.raises(OutcomeError, match="two classes; found 3 class"):
        quick(fusion).fit(X, np.arange(40) % 3)
    with pytest.raises(OutcomeError):
        quick(fusion).fit(X, (np.arange(40) == 3).astype(int))
    with pytest.raises(SchemaError, match="at least one column"):
        quick(fusion, {"ct": list(X.columns), "rna": []}).fit(X, y)
    with pytest.raises(SchemaError, match="more than once"):
        quick(fusion, {"ct": list(X.columns), "rna": ["rna|g0"]}).fit(X, y)
    with pytest.raises(UnknownNameError, match="did you mean 'ct|f0'"):
        quick(fusion, {"ct": ["ct|f00"]}).fit(X, y)
    with pytest.raises(DataError, match="n_splits: expected at least 2; found 1"):
        fusion("prefix", n_splits=1).fit(X, y)
    with pytest.raises(SchemaError, match="@site"):
        quick(fusion, {"ct": list(X.columns)}).fit(X.assign(**{"@site": "A"}), y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        quick(fusion).fit(X, y[:-1])
    with pytest.raises(ValueError, match="infinity"):
        quick(fusion).fit(X.assign(**{"clinical|AFP": np.inf}), y)
    fitted = quick(fusion).fit(X, y)
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(X.iloc[:, ::-1])


@pytest.mark.parametrize("fusion", FUSIONS)
def test_noise_gets_the_prevalence_not_confidence(fusion):
    distances = []
    for seed in range(3):
        rng = np.random.default_rng([45, seed])
        X, y = cohort(rng, 80, signal=(0, 0, 0))
        new, _ = cohort(rng, 300, signal=(0, 0, 0))
        model = quick(fusion).fit(X, y)
        distances.append(np.abs(model.predict_proba(new)[:, 1] - 0.4).mean())
    assert np.mean(distances) < 0.1


# Late fusion ------------------------------------------------------------------------------------


def test_late_patient_with_one_block_gets_what_that_block_says(rng):
    X, y = cohort(rng, 90)
    model = LateFusion("prefix").fit(X, y)
    gappy = without(X, slice(8, 13))
    alone = block_models(None, ("ct",), n_splits=5, random_state=0)["ct"].fit(X.iloc[:, CT], y)
    np.testing.assert_allclose(
        model.predict_proba(gappy), alone.predict_proba(X.iloc[:, CT]), rtol=1e-12
    )


def test_late_log_odds_are_the_weighted_mean_of_those_that_are_there(rng):
    X, y = cohort(rng, 90)
    weights = {"ct": 3, "rna": 1, "clinical": 0}
    model = LateFusion("prefix", weights=weights).fit(X, y)
    assert model.block_weights_ == {"ct": 0.75, "rna": 0.25, "clinical": 0.0}
    each = [
        model.models_[block].decision_function(X.iloc[:, part])
        for block, part in (("ct", CT), ("rna", RNA), ("clinical", CLINICAL))
    ]
    np.testing.assert_allclose(model.decision_function(X), 0.75 * each[0] + 0.25 * each[1])
    np.testing.assert_allclose(model.decision_function(without(X, CT)), each[1])
    # Only blocks of weight 0 are left: they count alike.
    np.testing.assert_allclose(model.decision_function(without(X, slice(0, 12))), each[2])
    assert np.isnan(model.block_log_odds(without(X, RNA))).sum(axis=0).tolist() == [0, 90, 0]


def test_late_weights_by_auc_follow_the_inner_auc(rng):
    X, y = cohort(rng, 200, signal=(2.0, 0.0, 0.6))
    model = LateFusion("prefix", weights="auc").fit(X, y)
    above = {block: max(0, m.inner_auc_ - 0.5) for block, m in model.models_.items()}
    total = sum(above.values())
    assert model.block_weights_ == pytest.approx({b: w / total for b, w in above.items()})
    assert model.block_weights_["ct"] > model.block_weights_["clinical"]


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ({"ct": 1, "rna": 1, "clinic": 1}, UnknownNameError, "did you mean 'clinical'"),
        ({"ct": 1, "rna": 1}, DataError, "weights: expected a number of 0 or more for each"),
        ({"ct": 1, "rna": 1, "clinical": -1}, DataError, "clinical: -1"),
        ({"ct": 1, "rna": 1, "clinical": np.nan}, DataError, "clinical: nan"),
        ({"ct": 0, "rna": 0, "clinical": 0}, DataError, "not 0 for all"),
        ("equl", UnknownNameError, "did you mean 'equal'"),
    ],
    ids=["unknown", "left out", "negative", "missing", "all zero", "misspelt"],
)
def test_late_weights_that_make_no_sense_are_refused(rng, weights, error, message):
    X, y = cohort(rng, 40)
    with pytest.raises(error, match=message):
        LateFusion("prefix", weights=weights).fit(X, y)


# Models of blocks -------------------------------------------------------------------------------


class Centred(TransformerMixin, BaseEstimator):
    """Takes the mean of each site off, and eats the column that says which."""

    row_facts = ("@site",)

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        features = X.drop(columns="@site")
        return (features - features.groupby(X["@site"]).transform("mean")).to_numpy()


@pytest.mark.parametrize("fusion", [LateFusion, StackedFusion])
def test_each_block_may_have_a_model_of_its_own(fusion, rng):
    X, y = cohort(rng, 80)
    tuned = TunedClassifier(
        make_pipeline(StandardScaler(), LogisticRegression()), {"C": (0.1, 1.0)}, n_splits=3
    )
    models = {"ct": "nb", "rna": tuned, "clinical": GaussianNB()}
    model = fusion("prefix", models=models).fit(X, y)
    assert list(model.models_["ct"].pipeline_.named_steps) == ["impute", "standardise", "nb"]
    assert model.models_["rna"].n_splits_ == 3
    assert isinstance(model.models_["clinical"].pipeline_[-1], GaussianNB)
    assert model.models_["rna"].feature_names_in_.tolist() == [f"rna|g{i}" for i in range(4)]
    assert not hasattr(tuned, "pipeline_")
    partly = fusion("prefix", models={"ct": Pipeline([("nb", GaussianNB())])}).fit(X, y)
    assert list(partly.models_["rna"].pipeline_.named_steps) == ["impute", "standardise", "lr"]


@pytest.mark.parametrize("fusion", [LateFusion, StackedFusion])
def test_row_facts_reach_the_block_whose_model_eats_them(fusion, rng):
    X, y = cohort(rng, 90)
    site = np.array(["A", "B", "C"])[np.arange(90) // 30]
    moved = X.copy()
    moved.iloc[:, CT] += np.select([site == "A", site == "B"], [0.0, 40.0], -30.0)[:, None]
    centred = make_pipeline(Centred(), StandardScaler(), LogisticRegression())
    fused = fusion("prefix", models={"ct": centred, "rna": GaussianNB()}, n_splits=2)
    model = clone(fused).fit(moved.assign(**{"@site": site}), y)
    plain = clone(fused).fit(X.assign(**{"@site": site}), y)
    np.testing.assert_allclose(
        model.decision_function(moved.assign(**{"@site": site})),
        plain.decision_function(X.assign(**{"@site": site})),
        rtol=1e-8,
    )
    with pytest.raises(SchemaError, match="@site"):
        fused.fit(X, y)


@pytest.mark.parametrize("fusion", [LateFusion, StackedFusion])
def test_models_that_make_no_sense_are_refused(fusion, rng):
    X, y = cohort(rng, 40)
    with pytest.raises(UnknownNameError, match="unknown block 'rnaa': did you mean 'rna'"):
        fusion("prefix", models={"rnaa": "lr"}).fit(X, y)
    with pytest.raises(UnknownNameError, match="learner 'svn'"):
        fusion("prefix", models="svn").fit(X, y)
    with pytest.raises(DataError, match="block 'ct': expected a classifier.*StandardScaler"):
        fusion("prefix", models=StandardScaler()).fit(X, y)
    few = without(X, RNA, np.flatnonzero(y == 1)[1:])
    with pytest.raises(OutcomeError, match="block 'rna': expected at least . patients of each"):
        fusion("prefix").fit(few, y)


# Stacked fusion ---------------------------------------------------------------------------------


@pytest.mark.parametrize("C", [0.1, 10.0])
def test_stacked_agrees_with_scikit_learn_by_hand(rng, C):
    X, y = cohort(rng, 120)
    exact = LogisticRegression(C=0.1, solver="newton-cholesky", tol=1e-12)
    ridge = make_pipeline(StandardScaler(), exact)
    model = StackedFusion(
        "prefix", models=ridge, C=C, non_negative=False, n_splits=4, random_state=3
    ).fit(X, y)
    folds = StratifiedKFold(4, shuffle=True, random_state=3)
    calibrated = TunedClassifier(ridge, [{}], n_splits=4, random_state=3)
    tables = [X.iloc[:, part] for part in (CT, RNA, CLINICAL)]
    out_of_fold = [
        cross_val_predict(calibrated, table, y, cv=folds, method="decision_function")
        for table in tables
    ]
    top = LogisticRegression(C=C, solver="newton-cholesky", tol=1e-13, max_iter=500)
    top.fit(np.column_stack(out_of_fold), y)
    np.testing.assert_allclose(list(model.block_weights_.values()), top.coef_[0], rtol=1e-7)
    refitted = [clone(calibrated).fit(table, y).decision_function(table) for table in tables]
    np.testing.assert_allclose(
        model.decision_function(X),
        top.decision_function(np.column_stack(refitted)),
        rtol=1e-8,
        atol=1e-9,
    )


@pytest.mark.parametrize("missing", [RNA, CLINICAL, slice(8, 13)], ids=["rna", "clinical", "both"])
def test_stacked_patient_lacking_a_block_is_scored_by_the_stack_of_the_others(rng, missing):
    X, y = cohort(rng, 90)
    model = quick(StackedFusion).fit(X, y)
    left = X.drop(columns=X.columns[missing])
    expected = quick(StackedFusion).fit(left, y).decision_function(left)
    np.testing.assert_allclose(
        model.decision_function(without(X, missing)), expected, rtol=1e-9, atol=1e-12
    )
    mixed = without(X, missing, slice(0, 10))
    np.testing.assert_allclose(model.decision_function(mixed)[:10], expected[:10], rtol=1e-9)
    np.testing.assert_allclose(
        model.decision_function(mixed)[10:], model.decision_function(X)[10:], rtol=1e-12
    )


def test_stacked_block_of_noise_moves_nobody_and_no_weight_is_negative():
    noise, telling = [], []
    for seed in range(4):
        X, y = cohort(np.random.default_rng([46, seed]), signal=(1.2, 0.0, 1.2))
        model = quick(StackedFusion).fit(X, y)
        moves = {
            block: weight * model.models_[block].decision_function(X.iloc[:, part]).std()
            for (block, weight), part in zip(
                model.block_weights_.items(), (CT, RNA, CLINICAL), strict=True
            )
        }
        assert min(model.block_weights_.values()) >= 0
        noise.append(moves["rna"])
        telling.append(min(moves["ct"], moves["clinical"]))
    assert np.mean(noise) < 0.25 * np.mean(telling)


def test_stacked_combination_never_seen_is_refused(rng):
    X, y = cohort(rng, 90)
    gappy = without(X, RNA, slice(10, 90))
    gappy = without(gappy, CT, slice(0, 5))
    # Rows 5 to 9 have ct and rna, all of them clinical: two of the patients are of class 1.
    model = quick(StackedFusion).fit(gappy, y)
    assert set(model.combiners_) == {
        (("ct", "rna", "clinical"))[i:j] for i in range(3) for j in range(i + 1, 4)
    } | {("ct", "clinical")}
    with pytest.raises(DataError, match="each class with all 3 blocks; found 0 and 0"):
        quick(StackedFusion).fit(without(without(X, RNA, slice(40, 90)), CT, slice(0, 40)), y)


def test_stacked_with_too_many_blocks_is_refused(rng):
    X, y = rng.normal(size=(30, 9)), np.arange(30) % 2
    with pytest.raises(DataError, match="expected at most 8 blocks; found 9"):
        StackedFusion({f"b{i}": [i] for i in range(9)}).fit(X, y)


# Early fusion -----------------------------------------------------------------------------------


def test_early_agrees_with_scikit_learn_by_hand(rng):
    X, y = cohort(rng, 100)
    model = EarlyFusion("prefix", estimator=LogisticRegression(C=2.0)).fit(X, y)
    sizes = np.sqrt(np.r_[np.full(8, 8), np.full(4, 4), 1])
    scaled = StandardScaler().fit_transform(X) / sizes
    by_hand = LogisticRegression(C=2.0).fit(scaled, y)
    inner = model.model_
    np.testing.assert_allclose(inner.pipeline_[-1].coef_, by_hand.coef_, rtol=1e-6)
    np.testing.assert_allclose(
        model.decision_function(X),
        inner.calibration_.log_odds(by_hand.decision_function(scaled)),
        rtol=1e-6,
    )
    assert model.block_weights_ == pytest.approx({"ct": 8**-0.5, "rna": 0.5, "clinical": 1.0})


def test_early_scaling_keeps_a_large_block_from_drowning_a_small_one():
    """400 columns of noise beside one that tells: without scaling the one is lost."""
    scaled, plain = [], []
    for seed in range(3):
        rng = np.random.default_rng([47, seed])
        y, new_y = np.arange(80) % 2, np.arange(600) % 2
        X, new = rng.normal(size=(80, 401)), rng.normal(size=(600, 401))
        X[:, 400] += 1.5 * y
        new[:, 400] += 1.5 * new_y
        blocks = {"ct": range(400), "clinical": [400]}
        for scaling, found in (("variance", scaled), ("none", plain)):
            model = EarlyFusion(blocks, scaling=scaling).fit(X, y)
            found.append(roc_auc_score(new_y, model.decision_function(new)))
    assert np.mean(scaled) > 0.8
    assert np.mean(scaled) > np.mean(plain) + 0.1


def test_early_missing_block_scores_as_its_training_means_and_says_so(rng):
    X, y = cohort(rng, 80)
    model = EarlyFusion("prefix").fit(X, y)
    gappy = without(without(X, CT, [0, 1]), CLINICAL, [1, 5])
    with pytest.warns(RadiogenomicsWarning, match=r"3 of 80 patients.*ct \(2\), clinical \(2\)"):
        scored = model.decision_function(gappy)
    means = gappy.fillna(X.mean())
    np.testing.assert_allclose(scored, model.decision_function(means), rtol=1e-10, atol=1e-12)
    with pytest.warns(RadiogenomicsWarning, match=r"80 of 80 patients lack a block: rna \(80\)"):
        model.predict(without(X, RNA))
    with pytest.warns(RadiogenomicsWarning, match="2 of 80 patients"):
        EarlyFusion("prefix").fit(without(X, CT, [0, 1]), y)


def test_early_learner_by_word_grid_and_transformers(rng):
    X, y = cohort(rng, 60)
    word = EarlyFusion("prefix", estimator="svm").fit(X, y)
    assert word.model_.best_params_.keys() == {"C"}
    grid = EarlyFusion("prefix", estimator=LogisticRegression(), grid={"C": (0.5, 5.0)}).fit(X, y)
    assert len(grid.model_.grid_auc_) == 2
    steps = {"ct": make_pipeline(StandardScaler(), PCA(2, random_state=0))}
    short = EarlyFusion("prefix", transformers=steps).fit(X, y)
    assert short.model_.pipeline_[-1].n_features_in_ == 2 + 4 + 1
    with pytest.raises(UnknownNameError, match="did you mean 'ct'"):
        EarlyFusion("prefix", transformers={"ctt": PCA(2)}).fit(X, y)
    with pytest.raises(DataError, match="expected a classifier.*found PCA"):
        EarlyFusion("prefix", estimator=PCA(2)).fit(X, y)


# Blocks without columns -------------------------------------------------------------------------


@pytest.mark.parametrize("fusion", [*FUSIONS, BlockScaler])
def test_a_table_without_a_block_is_scored_as_one_where_it_is_missing(fusion, rng):
    X, y = cohort(rng, 80)
    model = BlockScaler("prefix") if fusion is BlockScaler else quick(fusion)
    method = "transform" if fusion is BlockScaler else "decision_function"
    score = getattr(model.fit(X, y), method)
    new, _ = cohort(rng, 10)
    with pytest.warns(RadiogenomicsWarning) as said:
        found = score(new.drop(columns=new.columns[RNA]))
    assert "no column of the block(s) rna: they" in str(said[0].message)
    assert np.array_equal(found, silently(score, without(new, RNA)))
    if fusion is not BlockScaler:
        with pytest.warns(RadiogenomicsWarning, match="no column"):
            lacks = model.missing_blocks(new.drop(columns=new.columns[RNA]))
        assert lacks.all().tolist() == [False, True, False]


@pytest.mark.parametrize("fusion", [*FUSIONS, BlockScaler])
def test_columns_that_a_block_lacks_are_named(fusion, rng):
    X, y = cohort(rng, 80)
    model = BlockScaler("prefix") if fusion is BlockScaler else quick(fusion)
    score = model.fit(X, y).transform if fusion is BlockScaler else model.fit(X, y).predict_proba
    with pytest.raises(SchemaError, match=r"block 'ct': expected all of its 8.*no ct\|f1, ct\|f3"):
        score(X.drop(columns=["ct|f1", "ct|f3"]))
    blocks = {"ct": [*X.columns[CT], "ct|f8", "ct|f9"], "rest": list(X.columns[8:])}
    with pytest.raises(SchemaError, match=r"block 'ct': expected its 10 columns.*no ct\|f8"):
        clone(model).set_params(blocks=blocks).fit(X, y)


# The scaler -------------------------------------------------------------------------------------


@pytest.mark.parametrize("scaling", ["variance", "singular", "none"])
def test_scaled_blocks_have_the_size_the_formula_says(scaling, rng):
    X = np.column_stack([rng.normal(2, 5, size=(50, 6)), rng.normal(size=(50, 2)), np.ones(50)])
    X[:, 1] = X[:, 0] * 3 + 1
    blocks = {"a": range(6), "b": [6, 7], "dull": [8]}
    scaler = BlockScaler(blocks, scaling=scaling).fit(X)
    made = scaler.transform(X)
    a, b = made[:, :6] - made[:, :6].mean(axis=0), made[:, 6:8] - made[:, 6:8].mean(axis=0)
    for part, columns in ((a, 6), (b, 2)):
        size = {
            "variance": part.var(axis=0).sum(),
            "singular": np.linalg.eigvalsh(part.T @ part / 50).max(),
            "none": part.var(axis=0).sum() / columns,
        }[scaling]
        assert size == pytest.approx(1)
    assert scaler.block_weights_["dull"] == (1.0 if scaling == "none" else 0.0)
    assert (made[:, 8] == 0).all()


def test_scaler_fits_on_those_who_have_the_block_and_fills_the_others(rng):
    X = rng.normal(3, 2, size=(40, 4))
    gappy = X.copy()
    gappy[:15, :2] = np.nan
    scaler = BlockScaler({"a": [0, 1], "b": [2, 3]}).fit(gappy)
    made = scaler.transform(gappy)
    expected = StandardScaler().fit_transform(X[15:, :2]) / np.sqrt(2)
    np.testing.assert_allclose(made[15:, :2], expected, atol=1e-12)
    np.testing.assert_allclose(made[:15, :2], 0, atol=1e-12)
    assert np.isfinite(scaler.transform(np.full((2, 4), np.nan))).all()


def test_scaler_names_and_refusals(rng):
    X = pd.DataFrame(rng.normal(size=(20, 3)), columns=["b|x", "a|y", "b|z"])
    scaler = BlockScaler("prefix").fit(X)
    assert scaler.get_feature_names_out().tolist() == ["b|x", "b|z", "a|y"]
    assert BlockScaler().fit(X.to_numpy()).get_feature_names_out().tolist() == ["x0", "x1", "x2"]
    with pytest.raises(UnknownNameError, match="did you mean 'variance'"):
        BlockScaler(scaling="varance").fit(X)
    with pytest.raises(UnknownNameError, match="unknown block 'c'"):
        BlockScaler("prefix", transformers={"c": StandardScaler()}).fit(X)
    with pytest.raises(DataError, match="block 'a': expected a training patient who has it"):
        BlockScaler("prefix").fit(X.assign(**{"a|y": np.nan}))
    with pytest.raises(SchemaError, match="@site"):
        BlockScaler().fit(X.assign(**{"@site": 1.0}))
