"""All features against all genes and sets under permuted patients, against loops written out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from radiogenomics.core.errors import DataError
from radiogenomics.stats.association.null_pass import NES_BIN, null_pass
from radiogenomics.stats.association.running_sum import enrichment_scores, set_members
from radiogenomics.stats.association.set_contrast import set_contrasts
from radiogenomics.stats.association.units import covariate_basis, unit_columns
from radiogenomics.stats.permutation import permutations

N, FEATURES, GENES, DEALS = 30, 5, 40, 150


@pytest.fixture
def world(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    beside = rng.normal(size=(N, 2))
    f = unit_columns(rng.normal(size=(N, FEATURES)) + beside[:, :1], beside=beside)
    g = unit_columns(rng.normal(size=(N, GENES)) + beside[:, :1], beside=beside)
    sets = [np.arange(6), np.arange(4, 20), np.arange(25, 36)]
    return f, g, covariate_basis(beside, N), permutations(N, DEALS, rng), sets


def test_one_pass_is_the_loop_over_deals_and_features(world) -> None:
    f, g, basis, orders, sets = world
    found = null_pass(f, g, orders=orders, sets=sets, basis=basis, threads=2)
    np.testing.assert_allclose(found.r, f.T @ g, atol=1e-14)
    members, contrasts = set_members(sets, GENES), set_contrasts(g, sets).units
    largest = np.empty((DEALS, FEATURES, GENES))
    es = np.empty((DEALS, FEATURES, len(sets)))
    contrast = np.empty_like(es)
    dealt = np.stack([f[order] - basis @ (basis.T @ f[order]) for order in orders])
    dealt /= np.linalg.norm(dealt, axis=1, keepdims=True)
    for feature in range(FEATURES):
        own = dealt[:, :, feature]
        largest[:, feature] = np.abs(own @ g)
        contrast[:, feature] = np.abs(own @ contrasts)
        # In single precision as there: a sum that is as far on both sides may turn by rounding.
        singles = own.astype(np.float32), g.astype(np.float32)
        r = np.vstack([singles[0][:128] @ singles[1], singles[0][128:] @ singles[1]])
        es[:, feature] = enrichment_scores(r, members)
    np.testing.assert_allclose(found.largest_by_feature, largest.max(axis=2), atol=1e-6)
    np.testing.assert_allclose(found.largest_by_gene, largest.max(axis=1), atol=1e-6)
    own = enrichment_scores(f.T @ g, members)
    np.testing.assert_allclose(found.sets.es, own, atol=1e-14)
    nes = np.empty_like(es)
    for feature in range(FEATURES):
        for at in range(len(sets)):
            null = es[:, feature, at]
            # The observed score is one of those that its sign is normalised by.
            seen = np.append(null, own[feature, at])
            up, down = seen[seen > 0], seen[seen <= 0]
            same = up if own[feature, at] > 0 else down
            mean = np.abs(same).mean()
            assert found.sets.nes[feature, at] == pytest.approx(own[feature, at] / mean, rel=1e-5)
            as_far = (np.abs(same) >= abs(own[feature, at]) * (1 - 1e-4)).sum()
            assert found.sets.p[feature, at] == as_far / len(same)
            by = np.where(null > 0, np.abs(up).mean(), np.abs(down).mean())
            nes[:, feature, at] = np.abs(null) / by
    np.testing.assert_allclose(found.sets.largest_by_feature, nes.max(axis=2), rtol=1e-4)
    np.testing.assert_allclose(found.sets.largest_by_set, nes.max(axis=1), rtol=1e-4)
    np.testing.assert_allclose(found.sets.contrast_by_feature, contrast.max(axis=2), atol=1e-6)
    np.testing.assert_allclose(found.sets.contrast_by_set, contrast.max(axis=1), atol=1e-6)
    assert found.sets.counts.sum() == nes.size
    mean = (
        found.sets.counts * (np.arange(len(found.sets.counts)) + 0.5) * NES_BIN
    ).sum() / nes.size
    assert mean == pytest.approx(nes.mean(), abs=NES_BIN)


def test_threads_change_nothing(world) -> None:
    f, g, basis, orders, sets = world
    one, three = (
        null_pass(f, g, orders=orders, sets=sets, basis=basis, threads=threads)
        for threads in (1, 3)
    )
    np.testing.assert_array_equal(one.largest_by_gene, three.largest_by_gene)
    for name in one.sets._fields:
        np.testing.assert_array_equal(getattr(one.sets, name), getattr(three.sets, name))


def test_the_deal_as_it_is_counts_as_far_as_the_truth(world) -> None:
    """A permutation that moves nobody reaches the observed statistics, rounding or not."""
    f, g, basis, _, sets = world
    found = null_pass(f, g, orders=np.arange(N)[None], sets=sets, basis=basis)
    np.testing.assert_allclose(found.largest_by_feature[0], np.abs(found.r).max(axis=1), atol=1e-6)
    assert (found.sets.p == 1).all()


def test_p_of_the_running_sum_is_uniform_where_genes_go_together() -> None:
    """Of gseapy's null, random genes, the share below 0.05 would be many times as large."""
    rng = np.random.default_rng(11)
    shared = rng.normal(size=(40, 1))
    genes = rng.normal(size=(40, 120))
    genes[:, :25] += shared
    g, f = unit_columns(genes), unit_columns(rng.normal(size=(40, 300)))
    found = null_pass(f, g, orders=permutations(40, 199, rng), sets=[np.arange(25)], threads=2)
    p = found.sets.p[:, 0]
    assert stats.binomtest(int((p <= 0.05).sum()), 300, 0.05).pvalue > 0.01
    members = set_members([np.arange(25)], 120)
    shuffled = [rng.permuted(np.tile(row, (99, 1)), axis=1) for row in found.r]
    by_genes = [
        (1 + (np.abs(enrichment_scores(many, members)) >= abs(es)).sum()) / 100
        for many, es in zip(shuffled, found.sets.es[:, 0], strict=True)
    ]
    assert np.mean(np.array(by_genes) <= 0.05) > 0.25


def test_tables_of_other_patients_are_refused(world) -> None:
    f, g, basis, orders, _ = world
    with pytest.raises(DataError, match="of the same patients"):
        null_pass(f, g[:-1], orders=orders)
    with pytest.raises(DataError, match="of the same patients"):
        null_pass(f, g, orders=orders[:, :-1], basis=basis)
