"""ManyRidge against scikit-learn target by target, and what all such estimators share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import AlignmentError, DataError, OutcomeError, SchemaError
from radiogenomics.core.method import Method
from radiogenomics.models.many_targets import ManyKernelRidge, ManyPls, ManyRidge
from radiogenomics.models.many_targets.prepared import deal_rows

EVERY = (ManyRidge(), ManyPls(), ManyKernelRidge())
each = pytest.mark.parametrize("model", EVERY, ids=lambda model: type(model).__name__)


@parametrize_with_checks(EVERY)
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


def test_ridge_is_that_of_a_grid_search_for_each_target(cohort, search):
    X, Y, new = cohort
    alphas = [1e5, 1e3, 100.0, 10.0, 1.0]
    model = ManyRidge(alphas[::-1]).fit(X, Y)
    found = model.predict(new)
    kept_to_mean = 0
    for i, target in enumerate(Y):
        grid = {"ridge__alpha": alphas}
        r2, best = search(make_pipeline(StandardScaler(), Ridge()), grid, X, Y[target])
        assert model.grid_r2_[1:, i] == pytest.approx(r2, rel=1e-8, abs=1e-9)
        if best is None:
            kept_to_mean += 1
            assert np.isinf(model.best_alphas_[i]) and not model.coef_[i].any()
            assert (found[:, i] == Y[target].mean()).all()
            continue
        assert model.best_alphas_[i] == best.best_params_["ridge__alpha"]
        assert model.inner_r2_[i] == pytest.approx(r2.max(), rel=1e-8)
        assert found[:, i] == pytest.approx(best.predict(new), rel=1e-8)
        scaler, ridge = best.best_estimator_
        coef = ridge.coef_ / scaler.scale_
        assert model.coef_[i] == pytest.approx(coef, rel=1e-8, abs=1e-10 * abs(coef).max())
        assert model.intercept_[i] == pytest.approx(
            ridge.intercept_ - coef @ scaler.mean_, rel=1e-8
        )
    assert 0 < kept_to_mean < 6


def test_more_patients_than_features(rng):
    X, Y = rng.normal(size=(100, 4)), rng.normal(size=(100, 3))
    Y += X[:, :3]
    model = ManyRidge().fit(X, Y)
    for i in range(3):
        scaled = make_pipeline(StandardScaler(), Ridge(alpha=model.best_alphas_[i])).fit(X, Y[:, i])
        assert model.predict(X)[:, i] == pytest.approx(scaled.predict(X), rel=1e-8)


def test_constant_features_have_no_weight_even_when_they_vary_later(cohort):
    X, Y, new = cohort
    for model in EVERY:
        fitted = clone(model).fit(X, Y)
        assert fitted.predict(new.assign(f7=1e9)) == pytest.approx(fitted.predict(new))
        if hasattr(fitted, "coef_"):
            assert not fitted.coef_[:, 7].any() and fitted.scale_[7] == 1


@each
def test_prepared_part_foretells_what_fit_and_predict_do(model, cohort):
    X, Y, new = cohort
    prepared = clone(model).prepare(X, new)
    assert prepared.foretell(Y.to_numpy()) == pytest.approx(model.fit(X, Y).predict(new), rel=1e-9)
    order = np.random.default_rng(0).permutation(60)
    both = np.hstack([Y.to_numpy(), Y.to_numpy()[order]])
    fitted = clone(model).fit(X, Y.to_numpy()[order])
    assert prepared.foretell(both)[:, 12:] == pytest.approx(fitted.predict(new), rel=1e-9)


@each
def test_targets_do_not_know_of_each_other(model, cohort):
    X, Y, new = cohort
    together = clone(model).fit(X, Y).predict(new)
    alone = [clone(model).fit(X, Y[target]).predict(new) for target in Y]
    assert together == pytest.approx(np.column_stack(alone), rel=1e-9)
    many = np.tile(Y, (1, 60))  # more than are foretold at a time
    assert clone(model).fit(X, many).predict(new)[:, -12:] == pytest.approx(together, rel=1e-9)


@each
def test_level_and_unit_of_targets_and_features_change_nothing(model, cohort):
    X, Y, new = cohort
    first = clone(model).fit(X, Y).predict(new)
    second = clone(model).fit(X * 0.01 - 5, 1e6 + 3 * Y).predict(new * 0.01 - 5)
    assert (second - 1e6) / 3 == pytest.approx(first, rel=1e-7)


@each
def test_no_feature_that_varies_leaves_the_mean(model, cohort):
    _, Y, _ = cohort
    found = clone(model).fit(np.ones((60, 3)), Y)
    assert found.predict(np.ones((2, 3))) == pytest.approx(np.tile(Y.mean(), (2, 1)))
    assert not found.inner_r2_.any()


@each
def test_rows_of_one_patient_stay_together(model, rng):
    """Copies on both sides of an inner fold would make noise look foretold."""
    X, Y = rng.normal(size=(40, 200)), rng.normal(size=(40, 20))
    rows = np.repeat([f"P{i}" for i in range(20)], 2)
    twice = pd.DataFrame(np.repeat(X[:20], 2, axis=0), index=rows)
    copied = pd.DataFrame(np.repeat(Y[:20], 2, axis=0), index=rows)
    assert clone(model).fit(twice, copied).inner_r2_.mean() < 0.2
    torn = clone(model).fit(twice.to_numpy(), copied.to_numpy())
    assert torn.inner_r2_.mean() > 0.3


def test_few_patients_make_fewer_inner_folds(rng):
    X, y = rng.normal(size=(7, 3)), rng.normal(size=7)
    assert ManyRidge().fit(X, y).n_splits_ == 3
    with pytest.raises(DataError, match="at least 4 patients"):
        ManyRidge().fit(X[:3], y[:3])


def test_folds_are_dealt_evenly_by_seed():
    first = deal_rows(np.arange(23), 5, np.random.RandomState(0))
    assert sorted(np.bincount(first)) == [4, 4, 5, 5, 5]
    assert (first != deal_rows(np.arange(23), 5, np.random.RandomState(1))).any()


@each
def test_refuses_what_it_cannot_learn(model, cohort):
    X, Y, new = cohort
    model = clone(model)
    with pytest.raises(OutcomeError, match=r"1 of 12 with one value.*t4"):
        model.fit(X, Y.assign(t4=2.0))
    with pytest.raises(ValueError, match="NaN"):
        model.fit(X.assign(f3=np.nan), Y)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(X, Y.assign(t4=np.nan))
    with pytest.raises(AlignmentError, match="one order"):
        model.fit(X, Y.iloc[::-1])
    with pytest.raises(SchemaError, match="row fact"):
        model.fit(X.assign(**{"@site": 1}), Y)
    with pytest.raises(SchemaError, match="row fact"):
        model.prepare(X, new.assign(**{"@site": 1}))
    with pytest.raises(DataError, match="same features"):
        model.prepare(X, new.iloc[:, 1:])
    with pytest.raises(DataError, match="n_splits"):
        clone(model).set_params(n_splits=1).fit(X, Y)
    fitted = model.fit(X, Y)
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(new.rename(columns={"f3": "other"}))


@pytest.mark.parametrize("alphas", [(), (0.0, 1.0), (-1.0,), (np.inf,), (np.nan,)])
def test_refuses_senseless_penalties(alphas, cohort):
    for model in (ManyRidge(alphas), ManyKernelRidge(alphas), ManyKernelRidge(gammas=alphas)):
        with pytest.raises(DataError, match="positive numbers"):
            model.fit(cohort.X, cohort.Y)


@each
def test_carries_a_card(model):
    assert isinstance(model.card, Method) and model.card.learns
