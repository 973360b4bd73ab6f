from __future__ import annotations

import warnings

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.omics.single_cell.phenotype_linked import PhenotypeLinkedCells
from radiogenomics.stats.linear_models.network_penalty import network_path, normalised_laplacian


def small_world(rng: np.random.Generator, effect: float) -> tuple:
    """60 samples, 100 cells of five kinds, 150 genes: the first kind's programme drives numbers."""
    kinds = np.exp(rng.normal(size=(5, 150)))
    share = rng.dirichlet(np.full(5, 3.0), size=60)
    names = [f"G{k}" for k in range(150)]
    noise = rng.normal(scale=0.2, size=(60, 150))
    bulk = pd.DataFrame(np.log2(1 + 50 * share @ kinds) + noise, columns=names)
    kind = np.repeat(np.arange(5), 20)
    cells = anndata.AnnData(np.log1p(rng.poisson(2 * kinds[kind]) * 1.1))
    cells.var_names = names
    cells.obs_names = [f"c{k}" for k in range(100)]
    cells.obs["kind"] = kind
    same = (kind[:, None] == kind) & (rng.random((100, 100)) < 0.4)
    cells.obsp["connectivities"] = sparse.csr_matrix((same | same.T).astype(float))
    y = effect * share[:, 0] / share[:, 0].std() + rng.normal(size=60)
    return bulk, y, cells


def settings(**change) -> PhenotypeLinkedCells:
    model = PhenotypeLinkedCells("gaussian", folds=5, n_lambdas=20, alphas=(0.05, 0.2, 0.5))
    return model.set_params(cutoff=0.4).set_params(**change)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_cells_with_the_risk_programme_are_found(world, seed):
    pytest.importorskip("scanpy")
    from radiogenomics.omics.single_cell.embed import EmbeddingSettings, embed_cells
    from radiogenomics.omics.single_cell.normalise import normalise_cells

    cohort = world(seed).cohort
    cells = normalise_cells(cohort.assay("scrna").adata)
    cells = embed_cells(
        cells, EmbeddingSettings(variable_genes=500, components=20), until="neighbours"
    )
    rna, survival = cohort.assay("rna"), cohort.outcomes["OS"]
    patients = rna.samples["patient_id"]
    y = np.empty(len(patients), dtype=[("event", bool), ("time", float)])
    y["event"], y["time"] = survival.event.loc[patients], survival.time.loc[patients]
    model = PhenotypeLinkedCells("cox", folds=5, n_lambdas=30, alphas=(0.01, 0.05, 0.2))
    model.fit(rna.values, y, cells=cells)
    cycling = cells.obs["cycling"].to_numpy(dtype=bool)
    positive, negative = (model.link_ == "positive"), (model.link_ == "negative")
    assert positive.sum() >= 5
    # Of all cells 7 to 11 % cycle.
    assert cycling[positive].mean() > 4 * cycling.mean()
    assert cycling[negative].mean() < 0.02
    assert model.gain_ > 0
    assert (positive | negative).mean() < 0.2
    assert model.violation_ < 1e-9


def test_the_solution_is_that_of_the_regression(rng):
    bulk, y, cells = small_world(rng, 1.5)
    model = settings().fit(bulk, y, cells=cells)
    graph = cells.obsp["connectivities"]
    path = network_path(
        model.correlation_.to_numpy(), y, family="gaussian", laplacian=normalised_laplacian(graph),
        l1_ratio=model.alpha_, lambdas=[model.lambda_],
    )  # fmt: skip
    np.testing.assert_allclose(model.coef_, path.coef[0], rtol=1e-8, atol=1e-10)
    assert list(model.path_["accepted"]) == [False] * (len(model.path_) - 1) + [True]
    assert model.path_["share"].iloc[-1] < 0.4


def test_kinds_are_found_for_numbers_and_classes(rng):
    bulk, y, cells = small_world(rng, 2.0)
    kind = cells.obs["kind"].to_numpy()
    for family, target in (("gaussian", y), ("binomial", (y > np.median(y)).astype(int))):
        model = settings(family=family).fit(bulk, target, cells=cells)
        positive = (model.link_ == "positive").to_numpy()
        assert positive[kind == 0].mean() > 0.6
        assert model.coef_.groupby(kind).mean().idxmax() == 0


def test_truth_is_reliable(rng):
    bulk, y, cells = small_world(rng, 1.5)
    model = settings().fit(bulk, y, cells=cells)
    found = model.reliability(n_permutations=19, rng=rng)
    assert found.p == 0.05
    assert found.gain > found.null.max()
    assert len(found.null) == 19


@pytest.mark.filterwarnings("ignore:phenotype-linked")
def test_permuted_outcomes_are_not(rng):
    p = []
    bulk, y, cells = small_world(rng, 1.5)
    model = settings(n_lambdas=8, alphas=(0.2,), cutoff=0.2)
    for _ in range(12):
        model.fit(bulk, rng.permutation(y), cells=cells)
        p.append(model.reliability(n_permutations=9, rng=rng).p)
    # Of 12 uniform p, 5 or more are at most 0.1 once in 230 times.
    assert np.sum(np.array(p) <= 0.1) <= 4
    assert 0.25 < np.mean(p) < 0.85


def test_the_same_seed_gives_the_same_cells(rng):
    bulk, y, cells = small_world(rng, 1.5)
    one, two = (settings().fit(bulk, y, cells=cells).coef_ for _ in range(2))
    pd.testing.assert_series_equal(one, two)


def test_nothing_linked_is_said(rng):
    bulk, y, cells = small_world(rng, 0.0)
    empty = []
    for _ in range(10):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            model = settings(alphas=(0.5,)).fit(bulk, rng.permutation(y), cells=cells)
        empty.append((model.link_ == "none").all())
        assert empty[-1] == any("Nothing is linked" in str(each.message) for each in said)
        assert empty[-1] == (model.coef_ == 0).all()
    assert any(empty)


def test_too_many_cells_at_every_alpha_is_said(rng):
    bulk, y, cells = small_world(rng, 3.0)
    with pytest.warns(RadiogenomicsWarning, match="larger alphas"):
        model = settings(alphas=(0.05, 0.1), cutoff=0.05).fit(bulk, y, cells=cells)
    assert (model.link_ != "none").mean() < 0.05
    assert list(model.path_["accepted"]) == [False, False]
    assert model.alpha_ == 0.1


def test_bad_input_is_named(rng):
    bulk, y, cells = small_world(rng, 1.0)
    with pytest.raises(UnknownNameError, match="poisson"):
        settings(family="poisson").fit(bulk, y, cells=cells)
    with pytest.raises(AlignmentError, match="60 bulk samples"):
        settings().fit(bulk, y[:-1], cells=cells)
    with pytest.raises(DataError, match="alphas"):
        settings(alphas=()).fit(bulk, y, cells=cells)
    with pytest.raises(DataError, match="2 or more folds"):
        settings(folds=1).fit(bulk, y, cells=cells)
    with pytest.raises(OutcomeError, match="5 folds; found 3"):
        settings(family="binomial").fit(bulk, np.arange(60) < 3, cells=cells)
    with pytest.raises(DataError, match="1 or more"):
        settings().fit(bulk, y, cells=cells).reliability(n_permutations=0)
    censored = np.zeros(60, dtype=[("event", bool), ("time", float)])
    censored["time"] = 1 + np.arange(60)
    with pytest.raises(OutcomeError):
        settings(family="cox").fit(bulk, censored, cells=cells)
    del cells.obsp["connectivities"]
    with pytest.raises(DataError, match="embed_cells"):
        settings().fit(bulk, y, cells=cells)
