from __future__ import annotations

from collections import Counter
from itertools import permutations as every_order

import numpy as np
import pytest

from radiogenomics.stats.association import relabelling
from radiogenomics.stats.association.relabelling import induced_orders, relabelled_products
from radiogenomics.stats.permutation import permutations


def test_products_are_those_of_relabelled_copies_in_pieces_too(rng, monkeypatch) -> None:
    moved, kept = rng.normal(size=(2, 9, 9))
    orders = permutations(9, 12, rng)
    expected = [(moved[order][:, order] * kept).sum() for order in orders]
    np.testing.assert_allclose(relabelled_products(moved, kept, orders), expected, rtol=1e-12)
    pieces = relabelling.chunks
    monkeypatch.setattr(relabelling, "chunks", lambda rows, width: pieces(rows, width, at_once=300))
    np.testing.assert_allclose(relabelled_products(moved, kept, orders), expected, rtol=1e-12)


def test_induced_orders_are_equally_likely() -> None:
    kept = np.array([True, False, True, True, False])
    counts = Counter(map(tuple, induced_orders(np.array(list(every_order(range(5)))), kept)))
    assert sorted(counts) == sorted(every_order(range(3)))
    assert set(counts.values()) == {120 / 6}


def test_induced_orders_keep_to_the_site(rng) -> None:
    site, kept = np.arange(20) % 3, rng.random(20) < 0.7
    found = induced_orders(permutations(20, 50, rng, blocks=site), kept)
    assert (np.sort(found, axis=1) == np.arange(kept.sum())).all()
    assert (site[kept][found] == site[kept]).all()


@pytest.mark.parametrize("kept", [np.ones(6, bool), np.eye(6, dtype=bool)[2]])
def test_induced_orders_of_all_and_of_one(kept: np.ndarray, rng) -> None:
    orders = permutations(6, 4, rng)
    found = induced_orders(orders, kept)
    assert (found == (orders if kept.all() else 0)).all()
