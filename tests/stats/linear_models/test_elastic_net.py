from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax
from sklearn.linear_model import ElasticNet, LogisticRegression, enet_path, lars_path
from sksurv.linear_model import CoxnetSurvivalAnalysis

from radiogenomics.core.errors import (
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.stats.linear_models import elastic_net_solver
from radiogenomics.stats.linear_models.elastic_net import elastic_net_path, penalty_sequence
from radiogenomics.stats.linear_models.penalised_losses import CoxLoss, build_loss

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "stats"
CHOICES = pd.read_csv(REFERENCE / "elastic_net_choices.csv")
KEY = ["case", "family", "alpha"]
CASES = list(CHOICES[KEY].itertuples(index=False, name=None))
KIND = {"binomial": "label", "gaussian": "score", "cox": "time", "cox_tied": "tied"}


def reference(name: str, case: tuple) -> pd.DataFrame:
    table = pd.read_csv(REFERENCE / f"elastic_net_{name}.csv").set_index(KEY)
    return table.loc[[case]].reset_index(drop=True)


def data(case: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    table = pd.read_csv(REFERENCE / f"elastic_net_{case[0]}.csv")
    event = table["event"].to_numpy() if case[1].startswith("cox") else None
    return table.filter(regex=r"^X\d").to_numpy(), table[KIND[case[1]]].to_numpy(), event


def outcome(family: str, rng: np.random.Generator, x: np.ndarray) -> tuple:
    linear = 1.5 * x[:, 0] - x[:, 1]
    if family == "gaussian":
        return linear + rng.normal(size=len(x)), None
    if family == "binomial":
        return (linear + rng.logistic(size=len(x)) > 0).astype(float), None
    return np.ceil(20 * rng.exponential(np.exp(-linear))), rng.random(len(x)) < 0.7


def worst_slope(x, y, event, path, *, family, l1_ratio, at) -> float:
    """How far a solution is from the conditions for a minimum, in units of its penalty."""
    loss = build_loss(family, y, event)
    z = (x - x.mean(axis=0)) / path.scale
    coef, penalty = path.coef[at] * path.scale, path.lambdas[at]
    slope = loss.slope(z @ coef + path.intercept[at] + x.mean(axis=0) @ path.coef[at])
    gradient = z.T @ slope + penalty * (1 - l1_ratio) * coef
    inside = coef != 0
    off = np.abs(gradient + penalty * l1_ratio * np.sign(coef))[inside].max(initial=0)
    over = (np.abs(gradient[~inside]) - penalty * l1_ratio).max(initial=0)
    level = 0.0 if family == "cox" else abs(slope.sum())
    return max(off, over, level) / penalty


@pytest.mark.parametrize("case", CASES, ids=str)
def test_penalties_and_deviance_agree_with_glmnet(case):
    x, y, event = data(case)
    path = elastic_net_path(x, y, event, family=case[1].split("_")[0], l1_ratio=case[2])
    expected = reference("paths", case)
    at = expected["index"].to_numpy() - 1
    np.testing.assert_allclose(path.lambdas[at], expected["lambda"], rtol=2e-8)
    np.testing.assert_allclose(path.deviance_ratio[at], expected["ratio"], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_coefficients_agree_with_glmnet(case):
    x, y, event = data(case)
    path = elastic_net_path(x, y, event, family=case[1].split("_")[0], l1_ratio=case[2])
    for index, rows in reference("coefs", case).groupby("index"):
        expected = np.zeros(x.shape[1] + 1)
        expected[rows["variable"]] = rows["value"]
        found = np.concatenate([[path.intercept[index - 1]], path.coef[index - 1]])
        assert ((found != 0) == (expected != 0)).all()
        np.testing.assert_allclose(found, expected, rtol=0, atol=3e-8 * np.abs(expected).max())


def test_end_of_a_separated_path_agrees_with_glmnet():
    # From elastic_net.R: the first solution above 99.9 % ends the path, given penalties do not.
    table = pd.read_csv(REFERENCE / "elastic_net_separated.csv")
    x, label = table.filter(regex=r"^X\d").to_numpy(), table["label"].to_numpy()
    ends = pd.read_csv(REFERENCE / "elastic_net_separated_end.csv")
    path = elastic_net_path(x, label, family="binomial")
    assert len(path.lambdas) == ends["length"][0] < 100
    assert path.deviance_ratio[-1] == pytest.approx(ends["ratio"][0], rel=1e-8)
    given = elastic_net_path(
        x, label, family="binomial", lambdas=path.lambdas[0] * 10 ** -np.linspace(0, 4, 60)
    )
    assert len(given.lambdas) == 60
    assert np.isfinite(given.coef).all()
    found = np.concatenate([[given.intercept[-1]], given.coef[-1]])
    expected = ends.filter(like="coef").iloc[0].to_numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7 * np.abs(expected).max())


@pytest.mark.parametrize("l1_ratio", [1.0, 0.4])
def test_gaussian_agrees_with_scikit_learn(rng, l1_ratio):
    x = rng.normal(size=(40, 70)) @ np.diag(rng.uniform(0.2, 3, size=70))
    y, _ = outcome("gaussian", rng, x)
    path = elastic_net_path(x, y, family="gaussian", l1_ratio=l1_ratio, standardise=False)
    some = [10, 40, 70]
    _, theirs, _ = enet_path(
        x - x.mean(axis=0),
        y - y.mean(),
        l1_ratio=l1_ratio,
        alphas=path.lambdas[some],
        tol=1e-14,
        max_iter=10**6,
    )
    np.testing.assert_allclose(path.coef[some], theirs.T, rtol=1e-6, atol=1e-9)
    model = ElasticNet(alpha=path.lambdas[40], l1_ratio=l1_ratio, tol=1e-14, max_iter=10**6)
    assert path.intercept[40] == pytest.approx(model.fit(x, y).intercept_, rel=1e-7)


def test_binomial_agrees_with_scikit_learn(rng):
    x = rng.normal(size=(60, 8))
    y, _ = outcome("binomial", rng, x)
    path = elastic_net_path(x, y, family="binomial", l1_ratio=0.5, standardise=False)
    at = 40
    model = LogisticRegression(
        l1_ratio=0.5,
        C=1 / (len(y) * path.lambdas[at]),
        solver="saga",
        tol=1e-12,
        max_iter=10**6,
    ).fit(x, y)
    np.testing.assert_allclose(path.coef[at], model.coef_[0], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("ties", [False, True], ids=["no ties", "ties"])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_cox_agrees_with_scikit_survival(rng, l1_ratio, ties):
    x = rng.normal(size=(60, 12))
    time, event = outcome("cox", rng, x)
    time = np.ceil(time / 5) if ties else time + rng.random(60)
    path = elastic_net_path(x, time, event, family="cox", l1_ratio=l1_ratio, standardise=False)
    some = np.array([10, 30, 50])
    y = np.array(list(zip(event, time, strict=True)), dtype=[("event", bool), ("time", float)])
    model = CoxnetSurvivalAnalysis(
        l1_ratio=l1_ratio, alphas=path.lambdas[some], tol=1e-15, max_iter=10**7
    ).fit(x, y)
    np.testing.assert_allclose(path.coef[some], model.coef_.T, rtol=1e-6, atol=2e-7)


@pytest.mark.parametrize("family", ["gaussian", "binomial", "cox"])
def test_slope_and_curvature_are_derivatives_of_the_value(rng, family):
    x = rng.normal(size=(25, 3))
    y, event = outcome(family, rng, x)
    loss = build_loss(family, y, event)
    eta, ways = rng.normal(size=25), np.ascontiguousarray(x.T)
    step = 1e-5
    slope = [loss.value(eta + step * w) - loss.value(eta - step * w) for w in np.eye(25)]
    np.testing.assert_allclose(loss.slope(eta), np.array(slope) / (2 * step), atol=1e-9)
    turn = [loss.slope(eta + step * w) - loss.slope(eta - step * w) for w in ways]
    expected = ways @ np.array(turn).T / (2 * step)
    np.testing.assert_allclose(loss.curvature(eta, ways), expected, atol=1e-9)


def test_cox_loss_holds_where_hazards_underflow(rng):
    time, event = np.ceil(8 * rng.random(20)), rng.random(20) < 0.8
    eta, ways = rng.normal(size=20) * 900, rng.normal(size=(2, 20))
    loss = CoxLoss(time, event)
    sums = [logsumexp(eta[time >= t]) for t in time[event]]
    assert loss.value(eta) == pytest.approx((np.sum(sums) - eta[event].sum()) / 20, rel=1e-12)
    share = np.array([softmax(np.where(time >= t, eta, -np.inf)) for t in time[event]])
    np.testing.assert_allclose(loss.slope(eta), (share.sum(axis=0) - event) / 20, atol=1e-12)
    expected = sum(np.cov(ways, aweights=row, ddof=0) for row in share) / 20
    np.testing.assert_allclose(loss.curvature(eta, ways), expected, atol=1e-12)


@pytest.mark.parametrize("family", ["gaussian", "binomial", "cox"])
def test_a_vanishing_penalty_gives_the_unpenalised_fit(rng, family):
    x = rng.normal(size=(80, 3))
    y, event = outcome(family, rng, x)
    path = elastic_net_path(x, y, event, family=family, lambdas=[1e-9])
    loss = build_loss(family, y, event)
    design = x if family == "cox" else np.column_stack([x, np.ones(80)])
    free = minimize(
        lambda b: loss.value(design @ b),
        np.zeros(design.shape[1]),
        jac=lambda b: design.T @ loss.slope(design @ b),
        tol=1e-12,
    )
    np.testing.assert_allclose(path.coef[0], free.x[:3], rtol=1e-5)


DESIGNS = {
    "more variables than patients": lambda rng: rng.normal(size=(30, 80)),
    "exact copies": lambda rng: rng.normal(size=(40, 15))[:, rng.integers(0, 15, size=40)],
    "near copies": lambda rng: (
        rng.normal(size=(40, 8))[:, rng.integers(0, 8, size=30)] + 1e-7 * rng.normal(size=(40, 30))
    ),
    "low rank": lambda rng: rng.normal(size=(40, 3)) @ rng.normal(size=(3, 30)),
    "two values": lambda rng: rng.integers(0, 2, size=(40, 30)).astype(float),
    "heavy tails": lambda rng: np.exp(2.5 * rng.normal(size=(40, 30))),
    "many scales": lambda rng: rng.normal(size=(40, 30)) * 10.0 ** rng.integers(-6, 7, size=30),
}


@pytest.mark.parametrize("l1_ratio", [1.0, 0.3])
@pytest.mark.parametrize("family", ["gaussian", "binomial", "cox"])
@pytest.mark.parametrize("design", DESIGNS)
def test_every_solution_is_a_minimum(rng, design, family, l1_ratio):
    x = DESIGNS[design](rng)
    y, event = outcome(family, rng, (x - x.mean(axis=0)) / x.std(axis=0))
    path = elastic_net_path(x, y, event, family=family, l1_ratio=l1_ratio, n_lambdas=40)
    for at in range(len(path.lambdas)):
        off = worst_slope(x, y, event, path, family=family, l1_ratio=l1_ratio, at=at)
        assert off < 1e-6
    assert not path.coef[0].any()


def test_a_single_small_penalty_is_solved_from_nothing(rng):
    x = rng.normal(size=(60, 200))
    y, _ = outcome("binomial", rng, x)
    path = elastic_net_path(x, y, family="binomial")
    alone = elastic_net_path(x, y, family="binomial", lambdas=path.lambdas[60:61])
    np.testing.assert_allclose(alone.coef[0], path.coef[60], rtol=1e-7, atol=1e-10)


def test_of_exact_copies_the_first_column_is_kept(rng):
    x = rng.normal(size=(40, 6))
    y, _ = outcome("binomial", rng, x)
    doubled = np.column_stack([x, x * 3 + 1])
    path = elastic_net_path(doubled, y, family="binomial")
    alone = elastic_net_path(x, y, family="binomial")
    assert not path.coef[:, 6:].any()
    np.testing.assert_allclose(path.coef[:50, :6], alone.coef[:50], rtol=1e-7, atol=1e-10)


def test_entry_order_is_that_of_least_angle_regression(rng):
    x = rng.normal(size=(50, 20))
    y, _ = outcome("gaussian", rng, x)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    _, order, _ = lars_path(z, y - y.mean(), method="lasso", max_iter=8)
    path = elastic_net_path(x, y, family="gaussian", n_lambdas=2000, max_inside=5)
    place = path.entry_order()
    assert np.argsort(place)[:5].tolist() == list(order[:5])
    assert np.isinf(place[place > 5]).all()


def test_constant_columns_get_zero(rng):
    x = rng.normal(size=(30, 4))
    y, _ = outcome("binomial", rng, x)
    plain = elastic_net_path(x, y, family="binomial")
    padded = elastic_net_path(
        np.column_stack([np.full(30, 0.1), x, np.zeros(30)]), y, family="binomial"
    )
    assert not padded.coef[:, [0, 5]].any()
    np.testing.assert_allclose(padded.coef[:, 1:5], plain.coef, rtol=1e-10)
    assert (padded.scale[[0, 5]] == 1).all()


def test_a_constant_target_has_nothing_to_explain(rng):
    path = elastic_net_path(
        rng.normal(size=(9, 4)), np.full(9, 0.1), family="gaussian", lambdas=[1, 0.1]
    )
    assert not path.coef.any()
    assert path.intercept.tolist() == [0.1, 0.1]
    assert path.deviance_ratio.tolist() == [0, 0]


def test_units_change_coefficients_only(rng):
    x = rng.normal(size=(40, 5))
    y, _ = outcome("binomial", rng, x)
    unit = np.array([1e-6, 1, 1e5, 3, 0.1])
    plain = elastic_net_path(x, y, family="binomial")
    other = elastic_net_path(x * unit + 2 * unit, y, family="binomial")
    np.testing.assert_allclose(other.coef * unit, plain.coef, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(other.predict(x * unit + 2 * unit), plain.predict(x), atol=1e-8)


def test_penalties_may_come_in_any_order(rng):
    x = rng.normal(size=(30, 4))
    y, _ = outcome("gaussian", rng, x)
    path = elastic_net_path(x, y, family="gaussian", lambdas=[0.01, 1.0, 0.1])
    assert path.lambdas.tolist() == [1.0, 0.1, 0.01]


def test_usual_penalties():
    assert penalty_sequence(2.0, n=10, p=11)[[0, -1]].tolist() == pytest.approx([2, 0.02])
    assert penalty_sequence(2.0, n=10, p=10)[[0, -1]].tolist() == pytest.approx([2, 0.0002])
    with pytest.raises(DataError, match="n_lambdas"):
        penalty_sequence(2.0, n=10, p=10, n_lambdas=1)


def test_saturated_cox_loss_counts_ties():
    # Two tied events of three: the best possible likelihood gives each 1/2.
    assert CoxLoss([1, 1, 2], [1, 1, 0]).saturated == pytest.approx(2 * np.log(2) / 3)


def test_what_is_not_reached_is_said(rng, monkeypatch):
    monkeypatch.setattr(elastic_net_solver, "_MAX_STEPS", 1)
    x = rng.normal(size=(30, 4))
    y, _ = outcome("binomial", rng, x)
    with pytest.warns(RadiogenomicsWarning, match="was not reached"):
        elastic_net_path(x, y, family="binomial", lambdas=[0.001])


X = np.arange(12.0).reshape(6, 2) ** 1.5
Y = np.array([0, 1, 0, 1, 1, 0])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"y": np.ones(6)}, OutcomeError, "both classes"),
        ({"y": [0, 1, 2, 0, 1, 2]}, OutcomeError, "coded 0 and 1"),
        ({"x": X[:5]}, DataError, "6 patients"),
        ({"x": np.where(X > 20, np.nan, X)}, DataError, "not finite"),
        ({"x": np.ones((6, 2))}, DataError, "varies"),
        ({"l1_ratio": 0}, DataError, "l1_ratio"),
        ({"l1_ratio": 1.5}, DataError, "l1_ratio"),
        ({"lambdas": [1, 0]}, DataError, "lambdas"),
        ({"lambdas": []}, DataError, "lambdas"),
        ({"family": "poisson"}, UnknownNameError, "poisson"),
        ({"family": "cox"}, DataError, "without events"),
        ({"event": Y}, DataError, "with events"),
        ({"family": "cox", "y": np.arange(6), "event": np.zeros(6)}, OutcomeError, "one event"),
        ({"family": "cox", "y": -np.arange(6), "event": Y}, OutcomeError, "0 or more"),
        ({"family": "gaussian", "y": np.ones(6)}, DataError, "varies with the outcome"),
        ({"family": "gaussian", "y": [1, 2, 3, 4, 5, np.inf]}, DataError, "1 values"),
    ],
    ids=lambda value: None if not isinstance(value, dict) else "-".join(value),
)
def test_bad_input_says_what_is_wrong(change, error, message):
    call = {"x": X, "y": Y, "event": None, "family": "binomial"} | change
    with pytest.raises(error, match=message):
        elastic_net_path(call.pop("x"), call.pop("y"), call.pop("event"), **call)
