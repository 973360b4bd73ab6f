"""Against glmnet where the network is the identity or nothing, scikit-learn, and the conditions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.sparse.csgraph import laplacian as scipy_laplacian
from scipy.special import expit
from sklearn.linear_model import Lasso

from radiogenomics.core.errors import DataError, OutcomeError, UnknownNameError
from radiogenomics.stats.linear_models.network_choice import choose_network_penalty
from radiogenomics.stats.linear_models.network_penalty import network_path, normalised_laplacian

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "stats"
KEY = ["case", "family", "alpha"]
CHOICES = pd.read_csv(REFERENCE / "elastic_net_choices.csv")[KEY]
CASES = list(CHOICES.itertuples(index=False, name="Case"))
KIND = {"binomial": "label", "gaussian": "score", "cox": "time", "cox_tied": "tied"}


def reference(name: str, case: tuple) -> pd.DataFrame:
    table = pd.read_csv(REFERENCE / f"elastic_net_{name}.csv").set_index(KEY)
    return table.loc[[tuple(case)]].reset_index(drop=True)


def data(case: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray]:
    table = pd.read_csv(REFERENCE / f"elastic_net_{case[0]}.csv")
    event = table["event"].to_numpy() if case[1].startswith("cox") else None
    x = table.filter(regex=r"^X\d").to_numpy()
    return x, table[KIND[case[1]]].to_numpy(), event, table["fold"].to_numpy()


def world(family: str, rng: np.random.Generator, n: int = 60, p: int = 90) -> tuple:
    """Variables in groups of neighbours, of which two groups matter."""
    latent = rng.normal(size=(n, 9))
    member = np.arange(p) % 9
    x = latent[:, member] + rng.normal(size=(n, p))
    graph = sparse.csr_matrix((member[:, None] == member) & (rng.random((p, p)) < 0.5), dtype=float)
    graph = graph.maximum(graph.T)
    linear = latent[:, 0] - latent[:, 1]
    if family == "gaussian":
        return x, linear + rng.normal(size=n), None, graph
    if family == "binomial":
        return x, (linear + rng.logistic(size=n) > 0).astype(float), None, graph
    time = np.ceil(30 * rng.exponential(np.exp(-linear)))
    return x, time, (rng.random(n) < 0.7).astype(float), graph


def slope_of_loss(family: str, y, event, eta: np.ndarray) -> np.ndarray:
    """Derivative of the mean negative log-likelihood, patient by patient."""
    n = len(y)
    if family == "gaussian":
        return (eta - y) / n
    if family == "binomial":
        return (expit(eta) - y) / n
    slope = np.zeros(n)
    for i in np.flatnonzero(event):
        at_risk = y >= y[i]
        slope += at_risk * np.exp(eta) / np.exp(eta[at_risk]).sum()
        slope[i] -= 1
    return slope / n


@pytest.mark.parametrize("case", CASES, ids=str)
def test_identity_as_network_is_glmnets_elastic_net(case):
    x, y, event, _ = data(case)
    family = case.family.split("_")[0]
    lambdas = reference("paths", case)["lambda"].to_numpy()
    coefs = reference("coefs", case)
    path = network_path(
        x, y, event, family=family, laplacian=sparse.eye(x.shape[1]), l1_ratio=case.alpha
    )
    np.testing.assert_allclose(path.lambdas[0], lambdas[0], rtol=1e-8)
    compared = 0
    for index, rows in coefs.groupby("index"):
        if index > len(path.lambdas):
            continue
        expected = np.zeros(x.shape[1] + 1)
        expected[rows["variable"]] = rows["value"]
        found = np.r_[path.intercept[index - 1], path.coef[index - 1]] * np.r_[1, path.scale]
        expected *= np.r_[1, path.scale]
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())
        compared += 1
    assert compared >= 3


# Where times tie, saturated models differ by a constant.
@pytest.mark.parametrize("case", [c for c in CASES if c.family != "cox_tied"], ids=str)
def test_cross_validated_loss_is_glmnets(case):
    x, y, event, fold = data(case)
    family = case.family.split("_")[0]
    expected = reference("cv", case)
    lambdas = reference("paths", case)["lambda"].to_numpy()
    choice = choose_network_penalty(
        x, y, event, family=family, laplacian=sparse.eye(x.shape[1]), l1_ratio=case.alpha,
        folds=fold, lambdas=lambdas,
    )  # fmt: skip
    per = 1 if event is None else len(y) / event.sum()
    found = 2 * per * choice.mean[: len(expected)]
    # Far down a path glmnet keeps probabilities off 0 and 1, which is not done here.
    np.testing.assert_allclose(found[:8], expected["mean"][:8], rtol=1e-6)


@pytest.mark.parametrize("l1_ratio", [0.02, 0.3, 0.8])
def test_linear_model_on_a_network_is_a_lasso_of_extended_data(rng, l1_ratio):
    x, y, _, graph = world("gaussian", rng)
    network = normalised_laplacian(graph)
    path = network_path(x, y, family="gaussian", laplacian=network, l1_ratio=l1_ratio, n_lambdas=6)
    n, (size, axes) = len(y), np.linalg.eigh(network.toarray())
    root = axes * np.sqrt(np.maximum(size, 0))
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    for at, penalty in enumerate(path.lambdas):
        rows = np.vstack([z, np.sqrt(n * penalty * (1 - l1_ratio)) * root.T])
        target = np.r_[y - y.mean(), np.zeros(len(root))]
        alpha = penalty * l1_ratio * n / len(rows)
        lasso = Lasso(alpha=alpha, fit_intercept=False, tol=1e-14, max_iter=100_000)
        expected = lasso.fit(rows, target).coef_
        np.testing.assert_allclose(path.coef[at] * path.scale, expected, atol=1e-7)


def test_without_l1_it_is_the_ridge_in_closed_form(rng):
    x, y, _, graph = world("gaussian", rng)
    network = normalised_laplacian(graph)
    path = network_path(x, y, family="gaussian", laplacian=network, l1_ratio=0, lambdas=[0.1, 3.0])
    z, n = (x - x.mean(axis=0)) / x.std(axis=0), len(y)
    for penalty, coef in zip(path.lambdas, path.coef, strict=True):
        system = z.T @ z / n + penalty * network.toarray()
        expected = np.linalg.solve(system, z.T @ (y - y.mean()) / n)
        np.testing.assert_allclose(coef * path.scale, expected, rtol=1e-8)


@pytest.mark.parametrize("family", ["gaussian", "binomial", "cox"])
@pytest.mark.parametrize("l1_ratio", [0.005, 0.05, 0.5, 1.0])
def test_conditions_for_a_minimum_hold(rng, family, l1_ratio):
    x, y, event, graph = world(family, rng)
    network = normalised_laplacian(graph)
    path = network_path(
        x, y, event, family=family, laplacian=network, l1_ratio=l1_ratio, n_lambdas=12
    )
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    steepest = path.lambdas[0] * l1_ratio
    for at, penalty in enumerate(path.lambdas):
        coef = path.coef[at] * path.scale
        slope = slope_of_loss(family, y, event, x @ path.coef[at] + path.intercept[at])
        gradient = z.T @ slope + penalty * (1 - l1_ratio) * (network @ coef)
        inside = coef != 0
        off = np.abs(gradient + penalty * l1_ratio * np.sign(coef))[inside].max(initial=0)
        over = (np.abs(gradient[~inside]) - penalty * l1_ratio).max(initial=0)
        assert max(off, over) <= 2e-9 * steepest
        assert family == "cox" or abs(slope.sum()) <= 2e-9 * steepest
    assert path.violation.max() <= 1e-9
    assert (path.coef[0] == 0).all()


def test_neighbours_share_coefficients(rng):
    x, y, _, graph = world("gaussian", rng)
    loose, tied = (
        network_path(
            x, y, family="gaussian", laplacian=normalised_laplacian(graph), l1_ratio=share,
            lambdas=[0.2 / share],
        )
        for share in (1.0, 0.05)
    )  # fmt: skip
    group = np.arange(x.shape[1]) % 9
    matters = group < 2
    assert (tied.coef[0][matters] != 0).mean() > 2 * (loose.coef[0][matters] != 0).mean()
    assert (tied.coef[0][group == 0] >= 0).all()
    assert (tied.coef[0][group == 1] <= 0).all()


def test_laplacian_is_scipys(rng):
    weights = sparse.random(30, 30, density=0.2, random_state=1)
    weights = weights + weights.T
    weights.setdiag(0)
    np.testing.assert_allclose(
        normalised_laplacian(weights).toarray(), scipy_laplacian(weights, normed=True).toarray(),
        atol=1e-12,
    )  # fmt: skip


def test_path_ends_at_so_many_variables(rng):
    x, y, _, graph = world("gaussian", rng)
    network = normalised_laplacian(graph)
    path = network_path(x, y, family="gaussian", laplacian=network, l1_ratio=0.1, max_inside=20)
    inside = (path.coef != 0).sum(axis=1)
    assert inside[-1] >= 20
    assert (inside[:-1] < 20).all()


def test_choice_ends_when_nothing_improves(rng):
    x, _, _, graph = world("gaussian", rng)
    noise = rng.normal(size=len(x))
    fold = np.arange(len(x)) % 5
    network = normalised_laplacian(graph)
    choice = choose_network_penalty(
        x, noise, family="gaussian", laplacian=network, l1_ratio=0.3, folds=fold, patience=4
    )
    assert len(choice.mean) - 1 - choice.at_min == 4
    assert choice.gain(choice.at_min) < 0.2


def test_constant_variable_gets_no_coefficient(rng):
    x, y, _, graph = world("gaussian", rng)
    x[:, 3] = 7.0
    path = network_path(
        x, y, family="gaussian", laplacian=normalised_laplacian(graph), l1_ratio=0.1, n_lambdas=8
    )
    assert (path.coef[:, 3] == 0).all()
    assert (path.coef[-1] != 0).any()


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"l1_ratio": 1.5}, DataError, "0 to 1"),
        ({"l1_ratio": 0}, DataError, "lambdas"),
        ({"laplacian": sparse.eye(3)}, DataError, "90 × 90"),
        ({"laplacian": sparse.eye(90) * -1}, DataError, "negative eigenvalues"),
        ({"laplacian": sparse.eye(90) + sparse.eye(90, k=1)}, DataError, "symmetric"),
        ({"lambdas": [0.0]}, DataError, "above 0"),
        ({"family": "poisson"}, UnknownNameError, "poisson"),
        ({"family": "binomial"}, OutcomeError, "0 and 1"),
        ({"y": np.ones(60)}, DataError, "varies"),
        ({"y": np.ones(59)}, DataError, "59 patients"),
    ],
    ids=str,
)
def test_bad_input_is_named(rng, change, error, says):
    x, y, _, graph = world("gaussian", rng)
    call = {"y": y, "family": "gaussian", "laplacian": normalised_laplacian(graph), "l1_ratio": 0.5}
    call |= change
    with pytest.raises(error, match=says):
        network_path(x, call.pop("y"), **call)


def test_missing_value_is_named(rng):
    x, y, _, graph = world("gaussian", rng)
    x[0, 0] = np.nan
    with pytest.raises(DataError, match="not finite"):
        network_path(x, y, family="gaussian", laplacian=normalised_laplacian(graph), l1_ratio=0.5)


@pytest.mark.parametrize("graph", [[[0, -1], [-1, 0]], [[0, 1], [0, 0]], [[0, 1, 1]]], ids=str)
def test_bad_graph_is_named(graph):
    with pytest.raises(DataError, match="graph"):
        normalised_laplacian(graph)


def test_one_fold_is_refused(rng):
    x, y, _, graph = world("gaussian", rng)
    with pytest.raises(DataError, match="at least two"):
        choose_network_penalty(
            x, y, family="gaussian", laplacian=normalised_laplacian(graph), l1_ratio=0.5,
            folds=np.zeros(len(y)),
        )  # fmt: skip
