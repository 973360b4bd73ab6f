from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError
from radiogenomics.omics.normalise import UpperQuartile, upper_quartile_scaled


def test_factors_agree_with_edger(counts, reference):
    found = UpperQuartile().fit(counts).factors(counts)
    np.testing.assert_allclose(found, reference("factors")["upperquartile"], rtol=1e-12)


def test_genes_without_reads_in_training_do_not_count(counts):
    padded = pd.concat([counts, counts.mul(0).add_prefix("empty ")], axis=1)
    np.testing.assert_array_equal(
        UpperQuartile().fit(padded).factors(padded), UpperQuartile().fit(counts).factors(counts)
    )


def test_mostly_silent_samples_are_refused(counts):
    silent = counts.copy()
    silent.iloc[2, 40:] = 0
    with pytest.raises(DataError, match=r"upper quartile of 0 in 1 \(rows 2\)"):
        UpperQuartile().fit(silent)


def test_within_the_sample_the_quartile_becomes_the_target(counts):
    found = upper_quartile_scaled(counts, target=500)
    for name, row in found.iterrows():
        assert np.percentile(row[row > 0], 75) == pytest.approx(500)
        alone = upper_quartile_scaled(counts.loc[[name]], target=500)
        np.testing.assert_array_equal(alone.to_numpy()[0], row)


def test_a_senseless_target_is_refused(counts):
    with pytest.raises(DataError, match="target"):
        upper_quartile_scaled(counts, target=0)
