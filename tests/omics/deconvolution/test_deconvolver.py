"""What both deconvolutions share."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data

from radiogenomics.core.errors import AlignmentError, DataError, RadiogenomicsWarning, SchemaError
from radiogenomics.omics.deconvolution.nnls import NnlsDeconvolver
from radiogenomics.omics.deconvolution.nu_svr import NuSvrDeconvolver

BOTH = pytest.mark.parametrize("kind", [NnlsDeconvolver, NuSvrDeconvolver])


class OnArrays:
    """Names the columns of scikit-learn's arrays x0, x1, ..."""

    def fit(self, X, y=None):
        super().fit(self._named(validate_data(self, X, dtype=np.float64)))
        validate_data(self, X, dtype=np.float64)  # takes the names of X, not x0, x1, ...
        return self

    def transform(self, X):
        values = validate_data(self, X, dtype=np.float64, reset=False)
        return super().transform(self._named(values)).to_numpy()

    def _named(self, values):
        return pd.DataFrame(values, columns=[f"x{n}" for n in range(values.shape[1])])


class OfNnls(OnArrays, NnlsDeconvolver):
    pass


class OfNuSvr(OnArrays, NuSvrDeconvolver):
    pass


SMALL = pd.DataFrame({"A": [90.0, 10.0], "B": [5.0, 70.0]}, index=["x0", "x1"])


def refusals(estimator) -> dict[str, str]:
    return {"check_estimators_dtypes": "rounds to samples of one value, which explain nothing"}


@parametrize_with_checks(
    [OfNnls(SMALL, check_scale=False), OfNuSvr(SMALL, check_scale=False)],
    expected_failed_checks=refusals,
)
def test_scikit_learn_conformity(estimator, check):
    with warnings.catch_warnings():
        # Two genes leave some random samples unexplained, and one column half of them missing.
        warnings.simplefilter("ignore", RadiogenomicsWarning)
        check(estimator)


@BOTH
def test_a_sample_is_the_same_alone_and_in_company(kind, matrix, mixtures):
    model = kind(matrix).fit(mixtures)
    together = model.deconvolve(mixtures)
    for name in mixtures.index:
        alone = model.deconvolve(mixtures.loc[[name]])
        assert np.array_equal(alone.fractions, together.fractions.loc[[name]])
        assert np.array_equal(alone.quality, together.quality.loc[[name]])
    other = kind(matrix).fit(mixtures.iloc[:2]).transform(mixtures)
    pd.testing.assert_frame_equal(other, together.fractions, check_exact=True)


@BOTH
def test_unit_of_the_sample_and_order_of_genes_change_nothing(kind, matrix, mixtures, rng):
    model = kind(matrix).fit(mixtures)
    found = model.transform(mixtures)
    mixed = (mixtures * 8)[rng.permutation(mixtures.columns)].assign(OTHER=5.0)
    np.testing.assert_allclose(model.transform(mixed), found, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)
    assert list(found.columns) == list(matrix.columns)


@BOTH
def test_error_grows_with_noise(kind, matrix, rng):
    truth = rng.dirichlet(np.ones(5), 20)
    pure = pd.DataFrame(truth @ matrix.to_numpy().T, columns=matrix.index)
    errors = []
    for sd in (0.0, 0.2, 0.5, 1.0):
        noisy = pure * rng.lognormal(0, sd, pure.shape)
        errors.append(np.abs(kind(matrix).fit_transform(noisy).to_numpy() - truth).mean())
    assert errors == sorted(errors)
    assert errors[1] < 0.06
    # The tube around the fit lets nu-SVR miss even a mixture without noise.
    assert errors[0] < (1e-12 if kind is NnlsDeconvolver else 0.02)


@BOTH
def test_missing_genes_warn_and_are_refused_below_the_limit(kind, matrix, mixtures):
    with pytest.warns(RadiogenomicsWarning, match="found 84 of 120"):
        model = kind(matrix).fit(mixtures.iloc[:, :84])
    assert model.coverage_["coverage"].item() == pytest.approx(0.7)
    with pytest.raises(AlignmentError, match="at least 50% of the matrix's genes; found 36 of 120"):
        kind(matrix).fit(mixtures.iloc[:, :36])
    with pytest.raises(AlignmentError, match="1 absent"):
        kind(matrix).fit(mixtures).transform(mixtures.iloc[:, 1:])


def with_value(frame, value):
    changed = frame.copy()
    changed.iloc[1, 3] = value
    return changed


@BOTH
@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (lambda x: x.rename(columns="z{}".format), AlignmentError, "found none of G000"),
        (lambda x: x.T, AlignmentError, "transpose the table"),
        (lambda x: with_value(x, -1.0), DataError, "Negative values .* cannot be mixtures"),
        (lambda x: with_value(x, np.nan), DataError, "missing"),
        (lambda x: np.log2(x + 1), DataError, "in 6 samples .* Take the anti-log first"),
        (lambda x: x * 0 + 70.0, DataError, "one value for all"),
        (lambda x: pd.concat([x, x.iloc[:, :1]], axis=1), AlignmentError, "one column a gene"),
        (lambda x: x.to_numpy(), DataError, "found ndarray"),
        (lambda x: x.assign(**{"@site": 1}), SchemaError, "@site"),
    ],
    ids=["none shared", "turned", "negative", "missing", "logs", "flat", "twice", "array", "site"],
)
def test_bad_samples_are_refused(kind, spoil, error, words, matrix, mixtures):
    with pytest.raises(error, match=words):
        kind(matrix).fit(spoil(mixtures))


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (lambda s: s.set_axis(list("ABCAD"), axis=1), AlignmentError, r"each cell type once.*\(A"),
        (lambda s: pd.concat([s, s.iloc[:2]]), AlignmentError, "each gene once; found 2"),
        (lambda s: np.log2(s + 1), DataError, "matrix: expected a linear scale"),
        (lambda s: s - 5, DataError, "signature matrix: .* down to -5"),
        (lambda s: s.assign(T=0.0), DataError, "found none in T"),
        (lambda s: s.assign(T=s["B"]), DataError, "of rank 4"),
        (lambda s: s.iloc[:, :1], DataError, "two or more cell types"),
        (lambda s: s.to_numpy(), DataError, "read_signature_matrix"),
    ],
    ids=["types", "genes", "logs", "negative", "empty", "alike", "one", "array"],
)
def test_bad_matrices_are_refused(spoil, error, words, matrix, mixtures):
    with pytest.raises(error, match=words):
        NnlsDeconvolver(spoil(matrix)).fit(mixtures)


def test_one_logarithmic_sample_among_linear_ones_is_named(matrix, mixtures):
    mixed = mixtures.copy()
    mixed.loc["P3"] = np.log2(mixed.loc["P3"] + 1)
    model = NnlsDeconvolver(matrix).fit(mixtures)
    with pytest.raises(DataError, match=r"in 1 samples \(P3\)"):
        model.transform(mixed)
    free = NnlsDeconvolver(matrix, check_scale=False).fit(mixtures)
    assert np.isfinite(free.transform(mixed)).all(axis=None)


@BOTH
def test_a_sample_that_no_type_explains_is_nan_and_named(kind, matrix, mixtures):
    wide = pd.concat([matrix, pd.DataFrame(0.0, index=["X", "Y"], columns=matrix.columns)])
    samples = mixtures.assign(X=1.0, Y=2.0)
    samples.loc["odd"] = 0.0
    samples.loc["odd", ["X"]] = 1e6
    if kind is NuSvrDeconvolver:
        # A sample that is high exactly where the matrix is low.
        samples.loc["odd"] = 1e4 - wide.sum(axis=1)
    model = kind(wide).fit(samples)
    with pytest.warns(RadiogenomicsWarning, match=r"1 that none explains \(odd\)"):
        found = model.transform(samples)
    assert found.loc["odd"].isna().all()
    assert found.drop("odd").notna().all(axis=None)


@BOTH
def test_clones_and_parameters(kind, matrix, mixtures):
    model = kind(matrix, min_coverage=0.4)
    pd.testing.assert_frame_equal(
        clone(model).fit_transform(mixtures), model.fit_transform(mixtures)
    )
    with pytest.raises(DataError, match="min_coverage: expected 0 to 1"):
        kind(matrix, min_coverage=2).fit(mixtures)
