"""What every normaliser that learns must do: scikit-learn's checks, frozen samples, bad tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.core.method import Method
from radiogenomics.omics.normalise import TMM, MedianOfRatios, UpperQuartile, VarianceStabilising

NORMALISERS = [
    TMM(fractional=True),
    UpperQuartile(fractional=True),
    MedianOfRatios(fractional=True),
    VarianceStabilising(fractional=True),
]
each = pytest.mark.parametrize("normaliser", NORMALISERS, ids=lambda n: type(n).__name__)


def refusals(estimator) -> dict[str, str]:
    return {"check_estimators_dtypes": "makes a sample without reads, which is refused"}


@parametrize_with_checks(NORMALISERS, expected_failed_checks=refusals)
@pytest.mark.filterwarnings("ignore:dispersions of:UserWarning")
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@each
def test_a_new_sample_is_the_same_whoever_else_is_in_the_file(normaliser, counts, rng):
    model = clone(normaliser).set_params(fractional=False).fit(counts.iloc[:6])
    new = counts.iloc[6:]
    together = model.transform(new)
    strangers = pd.DataFrame(rng.integers(0, 10**6, (4, counts.shape[1])), columns=counts.columns)
    for place, name in enumerate(new.index):
        alone = model.transform(new.loc[[name]])
        crowd = model.transform(pd.concat([strangers, new.loc[[name]]]))
        np.testing.assert_array_equal(alone[0], together[place])
        np.testing.assert_array_equal(crowd[-1], together[place])


@each
def test_depth_makes_no_difference_but_for_the_prior(normaliser, counts):
    model = clone(normaliser)
    if "prior_count" in model.get_params():
        model.set_params(prior_count=0)
    elif "log" in model.get_params():
        model.set_params(log=False)
    model.fit(counts)
    # TMM weighs genes by how precise their counts are, which depth changes a little.
    tolerance = 0.02 if isinstance(model, TMM) else 1e-10
    np.testing.assert_allclose(
        model.transform(counts * 3), model.transform(counts), rtol=1e-10, atol=tolerance
    )


@each
def test_frames_keep_samples_and_genes(normaliser, counts):
    out = clone(normaliser).set_output(transform="pandas").fit_transform(counts)
    assert out.index.equals(counts.index) and out.columns.equals(counts.columns)
    with pytest.raises(ValueError, match="feature names"):
        clone(normaliser).fit(counts).transform(counts[counts.columns[::-1]])


@each
def test_card(normaliser):
    assert isinstance(normaliser.card, Method) and normaliser.card.learns


@each
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda c: np.log2(c + 1), "look like logarithms"),
        (lambda c: c - 1, "Negative values in data.*raw counts"),
        (lambda c: c * 1.01, "TPM and FPKM are not counts"),
        (lambda c: c.mul(c.index != "S3", axis=0), r"without \(S3\)"),
        (lambda c: c * np.nan, "NaN"),
    ],
)
def test_other_tables_are_refused(normaliser, counts, spoil, message):
    model = clone(normaliser).set_params(fractional=False)
    with pytest.raises(ValueError, match=message):
        model.fit(spoil(counts))
    model.fit(counts)
    with pytest.raises(ValueError, match=message):
        model.transform(spoil(counts))


@each
def test_left_over_row_fact_fails_loudly(normaliser, counts):
    with pytest.raises(SchemaError, match="row fact.*@site"):
        clone(normaliser).fit(counts.assign(**{"@site": 1}))


@each
def test_a_sample_of_other_genes_is_refused(normaliser, counts):
    """Nothing in common with the training samples: another annotation, or columns mixed up."""
    train = counts.copy()
    train.iloc[:, 200:] = 0
    new = counts.iloc[:1].copy()
    new.iloc[:, :200] = 0
    with pytest.raises(DataError, match="expected samples that express"):
        clone(normaliser).fit(train).transform(new)
