from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.core.errors import DataError
from radiogenomics.omics.normalise import TMM


def centred(factors: np.ndarray) -> np.ndarray:
    return factors / np.exp(np.log(factors).mean())


def test_factors_agree_with_edger(counts, reference):
    np.testing.assert_allclose(
        TMM().fit(counts).factors(counts), reference("factors")["TMM"], rtol=1e-12
    )


@pytest.mark.parametrize("sample", [1, 4])
def test_factors_to_a_given_sample_agree_with_edger(counts, reference, sample):
    model = TMM().fit(counts.iloc[[sample - 1]])
    found = centred(model.factors(counts))
    np.testing.assert_allclose(found, reference("factors")[f"TMM{sample}"], rtol=1e-12)


@pytest.mark.parametrize(
    ("case", "model"),
    [
        ("tmm prior 2", TMM()),
        ("tmm prior 0.5", TMM(prior_count=0.5)),
        ("tmm cpm", TMM(log=False)),
    ],
)
def test_values_agree_with_edger(counts, logs, case, model):
    found = model.set_output(transform="pandas").fit_transform(counts)
    expected = logs(case)
    np.testing.assert_allclose(found[expected.columns], expected, rtol=1e-11)


def test_composition_is_taken_out(rng):
    """A tenth of the genes takes half of the reads of every second sample."""
    level = np.exp(rng.normal(5, 1, 2000))
    mean = np.tile(level, (10, 1))
    mean[::2, :200] *= 10
    counts = rng.poisson(mean)
    values = TMM().fit_transform(counts)
    shift = values[::2, 200:].mean() - values[1::2, 200:].mean()
    assert abs(shift) < 0.05
    plain = np.log2(1e6 * counts / counts.sum(axis=1, keepdims=True) + 1)[:, 200:]
    assert plain[::2].mean() - plain[1::2].mean() < -0.5


def test_sparse_samples_have_a_reference_too(rng):
    counts = np.zeros((5, 100), dtype=int)
    counts[:, :20] = rng.integers(1, 50, (5, 20))
    counts[0, 20:] = 3  # so that every gene is expressed somewhere
    model = TMM().fit(counts)
    assert model.reference_ == np.argmax(np.sqrt(counts).sum(axis=1))
    assert (model.factors(counts) > 0).all()


def test_negative_prior_is_refused(counts):
    with pytest.raises(DataError, match="prior_count"):
        TMM(prior_count=-1).fit(counts)
