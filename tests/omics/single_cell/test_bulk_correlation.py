from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from radiogenomics.core.errors import AlignmentError, DataError
from radiogenomics.omics.single_cell import bulk_correlation
from radiogenomics.omics.single_cell.bulk_correlation import (
    on_target,
    quantile_target,
    sample_cell_correlation,
)


@pytest.fixture
def pair(rng) -> tuple[pd.DataFrame, sparse.csr_matrix, pd.Index]:
    genes = [f"G{k}" for k in range(150)]
    bulk = pd.DataFrame(rng.normal(6, 2, size=(8, 140)), columns=genes[5:145])
    cells = np.log1p(rng.poisson(0.7, size=(60, 150)))
    return bulk, sparse.csr_matrix(cells), pd.Index(genes)


def test_quantile_normalisation_is_limmas(reference):
    values = reference("quantile_input").to_numpy()
    found = on_target(values, quantile_target(iter([values[:5], values[5:]])))
    np.testing.assert_allclose(found, reference("quantile"), rtol=1e-12, atol=1e-14)


def test_correlation_is_that_of_the_joint_table(pair, monkeypatch):
    bulk, cells, genes = pair
    monkeypatch.setattr(bulk_correlation, "_BLOCK", 7)
    found = sample_cell_correlation(bulk, cells, genes)
    both = np.vstack([bulk.to_numpy(), cells.toarray()[:, 5:145]])
    normal = on_target(both, quantile_target(iter([both])))
    expected = np.corrcoef(normal)[:8, 8:]
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    assert found.index.equals(bulk.index)


def test_order_of_genes_and_scale_do_not_count(pair):
    bulk, cells, genes = pair
    expected = sample_cell_correlation(bulk, cells, genes)
    mixed = sample_cell_correlation(bulk[bulk.columns[::-1]], cells, genes)
    np.testing.assert_allclose(mixed, expected, rtol=1e-12, atol=1e-13)


def test_bad_input_is_named(pair):
    bulk, cells, genes = pair
    with pytest.raises(AlignmentError, match="at least 100 genes in both"):
        sample_cell_correlation(bulk.iloc[:, :90], cells, genes)
    with pytest.raises(AlignmentError, match="found 0 of 140"):
        sample_cell_correlation(bulk.add_prefix("ENSG"), cells, genes)
    with pytest.raises(AlignmentError, match="1 of the bulk repeated"):
        sample_cell_correlation(bulk.rename(columns={"G6": "G7"}), cells, genes)
    with pytest.raises(DataError, match="Take logarithms"):
        sample_cell_correlation(2**bulk * 100, cells, genes)
    with pytest.raises(DataError, match="1 missing"):
        sample_cell_correlation(bulk.mask(bulk == bulk.iloc[0, 0]), cells, genes)
    empty = cells.toarray()
    empty[9] = 0
    with pytest.raises(DataError, match="1 cells with one value"):
        sample_cell_correlation(bulk, sparse.csr_matrix(empty), genes)
