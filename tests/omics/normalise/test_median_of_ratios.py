from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError
from radiogenomics.omics.normalise import MedianOfRatios


def relative_log_expression(counts: pd.DataFrame) -> np.ndarray:
    """edgeR's form: over library sizes, with a geometric mean of 1."""
    factors = MedianOfRatios().fit(counts).size_factors(counts) / counts.sum(axis=1)
    return factors / np.exp(np.log(factors).mean())


def test_size_factors_agree_with_deseq2(counts, reference):
    expected = reference("factors")
    for table, name in ((counts, "deseq2"), (counts.iloc[:, 1:], "deseq2_even")):
        found = MedianOfRatios().fit(table).size_factors(table)
        np.testing.assert_allclose(found, expected[name], rtol=1e-12)


def test_relative_log_expression_agrees_with_edger(counts, reference):
    assert np.isfinite(MedianOfRatios().fit(counts).log_means_).sum() % 2 == 1
    expected = reference("factors")
    np.testing.assert_allclose(relative_log_expression(counts), expected["RLE"], rtol=1e-12)
    # Of an even number of genes edgeR takes the arithmetic mean of the middle two ratios.
    even = relative_log_expression(counts.iloc[:, 1:])
    np.testing.assert_allclose(even, expected["RLE_even"], rtol=1e-5)


def test_values_by_hand():
    counts = np.array([[10, 20, 30], [40, 80, 120]])
    np.testing.assert_allclose(
        MedianOfRatios(log=False).fit_transform(counts), [[20, 40, 60], [20, 40, 60]]
    )
    np.testing.assert_allclose(MedianOfRatios().fit_transform(counts)[0], np.log2([21, 41, 61]))


def test_samples_without_a_common_gene_are_refused():
    with pytest.raises(DataError, match="gene that all 3 training samples express"):
        MedianOfRatios().fit(np.eye(3, dtype=int))
