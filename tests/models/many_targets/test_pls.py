"""ManyPls against scikit-learn's PLSRegression target by target, and least squares at its end."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import LinearRegression

from radiogenomics.core.errors import DataError
from radiogenomics.models.many_targets import ManyPls


def test_pls_is_that_of_a_grid_search_for_each_target(cohort, search):
    X, Y, new = cohort
    components = [1, 2, 3, 5, 8]
    model = ManyPls(components).fit(X, Y)
    found = model.predict(new)
    chosen = set()
    for i, target in enumerate(Y):
        r2, best = search(PLSRegression(), {"n_components": components}, X, Y[target])
        assert model.grid_r2_[1:, i] == pytest.approx(r2, rel=1e-8, abs=1e-9)
        chosen.add(int(model.best_components_[i]))
        if best is None:
            assert model.best_components_[i] == 0 and not model.coef_[i].any()
            continue
        assert model.best_components_[i] == best.best_params_["n_components"]
        assert found[:, i] == pytest.approx(best.predict(new), rel=1e-8)
        coef = best.best_estimator_.coef_[0]
        assert model.coef_[i] == pytest.approx(coef, rel=1e-8, abs=1e-10 * abs(coef).max())
    assert len(chosen) > 2


def test_many_components_stay_accurate(cohort):
    """15 of them: one pass of orthogonalisation would have lost digits by then."""
    X, Y, new = cohort
    model = ManyPls((15,)).fit(X, Y)
    kept = np.flatnonzero(model.best_components_)
    assert kept.size
    for i in kept:
        other = PLSRegression(15, tol=1e-12).fit(X, Y.iloc[:, i])
        assert model.predict(new)[:, i] == pytest.approx(other.predict(new), rel=1e-8)


def test_all_components_are_least_squares_and_more_change_nothing(rng):
    X, Y = rng.normal(size=(60, 5)), rng.normal(size=(60, 3))
    Y += 2 * X[:, :3]
    truth = LinearRegression().fit(X, Y).predict(X)
    assert ManyPls((5,)).fit(X, Y).predict(X) == pytest.approx(truth, rel=1e-8)
    assert ManyPls((9,)).fit(X, Y).predict(X) == pytest.approx(truth, rel=1e-8)


def test_a_target_that_one_component_explains(rng):
    X = rng.normal(size=(40, 1))
    model = ManyPls((1, 2, 3)).fit(X, np.column_stack([3 * X[:, 0] + 1, rng.normal(size=40)]))
    assert model.best_components_[0] == 1
    assert model.coef_[0] == pytest.approx([3.0]) and model.intercept_[0] == pytest.approx(1.0)


@pytest.mark.parametrize("components", [(), (0, 1), (1.5,), (True,)])
def test_refuses_senseless_numbers_of_components(components, cohort):
    with pytest.raises(DataError, match="whole numbers of 1 or more"):
        ManyPls(components).fit(cohort.X, cohort.Y)
