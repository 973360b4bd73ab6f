"""Factors of blocks: against scikit-learn, dense Gaussian algebra and planted truth."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import subspace_angles
from scipy.stats import multivariate_normal
from sklearn.decomposition import FactorAnalysis
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import (
    DataError,
    RadiogenomicsWarning,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.models.factors.block_factors import BlockFactors
from radiogenomics.models.factors.projection import FactorModel, independence
from radiogenomics.models.factors.scaling import first_weights

CT, RNA, PROTEIN = slice(0, 60), slice(60, 360), slice(360, 390)
SLICES = {"ct": CT, "rna": RNA, "protein": PROTEIN}
NAMES = [f"{block}|v{i}" for block, part in SLICES.items() for i in range(part.stop - part.start)]
SHARED = ((1, 1, 1), (1, 1, 0), (0, 1, 0), (0, 0, 1))
UNLINKED = ((1, 0, 1), (0, 1, 0), (0, 1, 0))


@parametrize_with_checks([BlockFactors(), BlockFactors(n_factors=1, shrinkage="none")])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


def planted(seed, *, n=120, reach=SHARED, n_new=0):
    """Patients × variables of three blocks, the factors, and the loadings."""
    rng = np.random.default_rng([60, seed])
    z = rng.normal(size=(n + n_new, len(reach)))
    loadings = np.zeros((len(NAMES), len(reach)))
    for k, blocks in enumerate(reach):
        for part, reached in zip(SLICES.values(), blocks, strict=True):
            size = part.stop - part.start
            loadings[part, k] = reached * 0.8 * rng.normal(size=size) * (rng.random(size) < 0.6)
    values = 3 + 2 * (z @ loadings.T + rng.normal(size=(n + n_new, len(NAMES))))
    table = pd.DataFrame(values, columns=NAMES, index=[f"P{i}" for i in range(n + n_new)])
    return table, z, loadings


def with_gaps(table, seed, *, blocks=0.3, single=0.0):
    """Three in ten lack each block; nobody lacks all."""
    rng = np.random.default_rng([61, seed])
    gappy = table.copy()
    lacks = rng.random((len(table), 3)) < blocks
    lacks[lacks.all(axis=1), 1] = False
    for number, part in enumerate(SLICES.values()):
        gappy.iloc[lacks[:, number], part] = np.nan
    return gappy.mask(rng.random(table.shape) < single)


def small(seed, *, gaps=False):
    rng = np.random.default_rng([62, seed])
    values = rng.normal(size=(150, 2)) @ rng.normal(size=(2, 10)) + rng.normal(size=(150, 10))
    if gaps:
        values[:40, :4] = np.nan
        values[120:, 4:7] = np.nan
        values[rng.random(values.shape) < 0.05] = np.nan
    return values * np.geomspace(0.1, 50, 10) + np.arange(10)


def covariance_and_mean(model):
    """Of the model in the variables' own units, dense."""
    scale, learnt = model.scales_, model.model_
    dense = learnt.loadings @ learnt.loadings.T + np.diag(learnt.noise)
    return dense * np.outer(scale.sd, scale.sd), scale.mean + scale.sd * learnt.centre


@pytest.mark.parametrize("seed", range(3))
def test_one_complete_block_is_factor_analysis(seed):
    X = small(seed)
    authority = FactorAnalysis(2, tol=1e-13, max_iter=100_000, svd_method="lapack").fit(X)
    model = BlockFactors(
        n_factors=2, shrinkage="none", weighting="none", tol=0, max_iter=20_000
    ).fit(X)
    found, mean = covariance_and_mean(model)
    expected = authority.get_covariance()
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    np.testing.assert_allclose(found / scale, expected / scale, atol=1e-6)
    np.testing.assert_allclose(mean, authority.mean_, rtol=1e-12)
    assert model.score(X) == pytest.approx(authority.score(X), rel=1e-10)
    np.testing.assert_allclose(model.score_samples(X), authority.score_samples(X), rtol=1e-5)


def test_likelihood_with_gaps_is_that_of_the_dense_marginal():
    X = small(7, gaps=True)
    model = BlockFactors(
        n_factors=2, shrinkage="none", weighting="none", tol=1e-12, max_iter=20_000
    ).fit(X)
    covariance, mean = covariance_and_mean(model)

    def dense(covariance, mean):
        total = []
        for row in X:
            seen = ~np.isnan(row)
            part = multivariate_normal(mean[seen], covariance[np.ix_(seen, seen)])
            total.append(part.logpdf(row[seen]))
        return np.array(total)

    np.testing.assert_allclose(model.score_samples(X), dense(covariance, mean), rtol=1e-10)
    # What EM climbed is that likelihood, of standardised values.
    scaled = dense(covariance, mean).sum() + (~np.isnan(X) @ np.log(model.scales_.sd)).sum()
    assert model.likelihoods_[-1] == pytest.approx(scaled, rel=1e-9)
    # And it is a maximum: no small change of loadings, centres or noise does better.
    best, rng = model.score(X), np.random.default_rng(3)
    for _ in range(30):
        other = BlockFactors.from_record(model.to_record())
        learnt = other.model_
        for part in (learnt.loadings, learnt.centre, learnt.noise):
            part *= 1 + 0.02 * rng.normal(size=part.shape)
        assert other.score(X) < best


@pytest.mark.parametrize("weighting", ["effective", "singular", "none"])
@pytest.mark.parametrize("shrinkage", ["ard", "none"])
def test_bound_never_falls(weighting, shrinkage):
    table = with_gaps(planted(1)[0], 1, single=0.02)
    model = BlockFactors(
        "prefix", n_factors=6, weighting=weighting, shrinkage=shrinkage, tol=0, max_iter=60
    )
    with pytest.warns(RadiogenomicsWarning, match="still changed after 60 rounds"):
        bounds = model.fit(table).likelihoods_
    assert len(bounds) == 60
    assert np.diff(bounds).min() > -1e-9 * np.abs(bounds).max()


def test_bound_is_below_the_likelihood():
    """Without weights the bound is the likelihood less what uncertain loadings cost."""
    table = with_gaps(planted(2)[0], 2)
    model = BlockFactors("prefix", n_factors=4, weighting="none").fit(table)
    values = model.scales_.standardised(table.to_numpy())
    assert model.likelihoods_[-1] < model.model_.log_likelihood(values).sum()


@pytest.mark.parametrize("seed", range(4))
def test_planted_factors_are_found_with_blocks_missing(seed):
    table, z, loadings = planted(seed, n_new=100)
    train, new = with_gaps(table.iloc[:120], seed), table.iloc[120:]
    model = BlockFactors("prefix").fit(train)
    assert model.n_factors_ == 4
    # Subspaces of loadings and of factors: the cosine of their widest angle.
    truth = loadings / model.scales_.sd[:, None]
    assert np.cos(subspace_angles(truth, model.model_.loadings)).min() > 0.8
    # New patients' factors come as near as with the true loadings, noise and means.
    x = (new - 3).to_numpy() / 2
    oracle = np.linalg.solve(np.eye(4) + loadings.T @ loadings, loadings.T @ x.T).T
    found = model.transform(new)
    reached, best = (
        np.cos(subspace_angles(z[120:] - z[120:].mean(axis=0), part - part.mean(axis=0))).min()
        for part in (found, oracle)
    )
    assert reached > best - 0.02
    # Each factor is active where it was planted and nowhere else.
    table = model.explained_variance_
    shares = table[table["factor"] != "all"].pivot(index="factor", columns="block", values="share")
    pattern = {
        tuple(row) for row in (shares[["ct", "rna", "protein"]] > 0.02).to_numpy().astype(int)
    }
    assert pattern == set(SHARED)


def test_projection_is_the_conditional_gaussian():
    """Posterior of z given any observed part of x, from the dense joint covariance."""
    table, _, _ = planted(5, n_new=12)
    new = with_gaps(table.iloc[120:], 5, single=0.1)
    for weighting in ("none", "singular"):
        model = BlockFactors("prefix", n_factors=4, weighting=weighting).fit(table.iloc[:120])
        W, noise = model.model_.loadings, model.model_.noise / model.model_.weight
        x = (new.to_numpy() - model.scales_.mean) / model.scales_.sd - model.model_.centre
        mean, sd = [], []
        for row in x:
            seen = ~np.isnan(row)
            part = W[seen]
            gain = np.linalg.solve(part @ part.T + np.diag(noise[seen]), part).T
            mean.append(gain @ row[seen])
            sd.append(np.sqrt(np.diag(np.eye(4) - gain @ part)))
        np.testing.assert_allclose(model.transform(new), mean, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(model.posterior_sd(new), sd, rtol=1e-8)


def test_prediction_is_the_conditional_gaussian_of_the_other_blocks():
    table, _, _ = planted(6, n_new=8)
    model = BlockFactors("prefix", n_factors=3, weighting="none").fit(table.iloc[:120])
    new = with_gaps(table.iloc[120:], 6, blocks=0, single=0.2)
    covariance, mean = covariance_and_mean(model)
    predicted = model.predict_block(new, "rna")
    asked = np.arange(60, 360)
    for number, row in enumerate(new.to_numpy()):
        row = row.copy()
        row[asked] = np.nan
        seen = np.flatnonzero(~np.isnan(row))
        gain = np.linalg.solve(covariance[np.ix_(seen, seen)], covariance[np.ix_(seen, asked)]).T
        expected = mean[asked] + gain @ (row - mean)[seen]
        variance = np.diag(covariance)[asked] - (gain * covariance[np.ix_(asked, seen)]).sum(axis=1)
        np.testing.assert_allclose(predicted.mean.iloc[number], expected, rtol=1e-8)
        np.testing.assert_allclose(predicted.sd.iloc[number], np.sqrt(variance), rtol=1e-8)


def held_out_gain(seed, reach):
    """R² of RNA foretold from images and proteins against the training mean, and coverage."""
    table, _, _ = planted(seed, reach=reach, n_new=150)
    train, new = with_gaps(table.iloc[:120], seed), table.iloc[120:]
    model = BlockFactors("prefix", max_factors=10).fit(train)
    predicted = model.predict_block(new.drop(columns=NAMES[RNA]), "rna")
    truth = new.iloc[:, RNA]
    missed = ((truth - predicted.mean) ** 2).to_numpy().sum()
    spread = ((truth - train.iloc[:, RNA].mean()) ** 2).to_numpy().sum()
    covered = (np.abs(truth - predicted.mean) < 1.959964 * predicted.sd).to_numpy().mean()
    return 1 - missed / spread, covered


def test_absent_block_is_foretold_where_linked_and_not_where_not():
    linked = np.array([held_out_gain(seed, SHARED) for seed in range(10)])
    apart = np.array([held_out_gain(seed, UNLINKED) for seed in range(10)])
    assert linked[:, 0].min() > 0.1
    assert np.abs(apart[:, 0]).max() < 0.02
    assert 0.93 < linked[:, 1].mean() < 0.96
    assert 0.93 < apart[:, 1].mean() < 0.96


def test_values_of_the_block_that_is_foretold_are_not_looked_at():
    table, _, _ = planted(8)
    model = BlockFactors("prefix", n_factors=3).fit(table)
    expected = model.predict_block(table.drop(columns=NAMES[RNA]), "rna")
    found = model.predict_block(table.assign(**{name: 1e3 for name in NAMES[RNA]}), "rna")
    pd.testing.assert_frame_equal(found.mean, expected.mean)
    pd.testing.assert_frame_equal(found.sd, expected.sd)
    assert found.mean.index.equals(table.index)
    assert found.mean.columns.tolist() == NAMES[RNA]


def test_a_large_block_does_not_drown_a_small_one():
    """Twenty factors of RNA alone, one that all share, room for four: the shared one is kept."""

    def shared_found(weighting, seed):
        reach = ((1, 1, 1), *((0, 1, 0),) * 20)
        table, z, _ = planted(seed, reach=reach, n_new=100)
        values = table.to_numpy()
        more = np.random.default_rng([63, seed])
        mixed = z[:, 1:] @ more.normal(size=(20, 1500)) * 0.6 + more.normal(size=(220, 1500))
        wide = np.hstack([values, 3 + mixed])
        blocks = {
            "ct": range(60),
            "rna": [*range(60, 360), *range(390, 1890)],
            "protein": range(360, 390),
        }
        model = BlockFactors(blocks, n_factors=4, weighting=weighting).fit(wide[:120])
        found = np.column_stack([model.transform(wide[120:]), np.ones(100)])
        fit = found @ np.linalg.lstsq(found, z[120:, 0])[0]
        return np.corrcoef(fit, z[120:, 0])[0, 1] ** 2

    found = {
        weighting: np.mean([shared_found(weighting, seed) for seed in range(3)])
        for weighting in ("effective", "singular", "none")
    }
    assert found["effective"] > 0.9
    assert found["singular"] > 0.9
    assert found["none"] < found["effective"]


def test_noise_that_goes_together_does_not_foretell():
    """Images and RNA have nothing in common, but each has forty directions of its own."""

    def gain(weighting, seed):
        rng = np.random.default_rng([65, seed])
        blocks = [
            rng.normal(size=(260, 40)) @ rng.normal(size=(40, 200)) + rng.normal(size=(260, 200))
            for _ in range(2)
        ]
        X, where = np.hstack(blocks), {"ct": range(200), "rna": range(200, 400)}
        model = BlockFactors(where, 8, weighting=weighting, max_iter=1000, tol=1e-3).fit(X[:60])
        predicted = model.predict_block(X[60:], "rna")
        missed = ((X[60:, 200:] - predicted.mean.to_numpy()) ** 2).sum()
        return 1 - missed / ((X[60:, 200:] - X[:60, 200:].mean(axis=0)) ** 2).sum()

    found = {w: np.array([gain(w, seed) for seed in range(4)]) for w in ("effective", "none")}
    assert found["effective"].min() > -0.03
    assert (found["none"] < found["effective"] - 0.05).all()


def test_first_weights_by_hand():
    rng = np.random.default_rng(9)
    values = rng.normal(size=(50, 30)) + 2 * rng.normal(size=(50, 1))
    values[:10, 5:] = np.nan
    block = np.repeat([0, 1], [5, 25])
    values = (values - np.nanmean(values, axis=0)) / np.nanstd(values, axis=0)
    noise = np.array([(1 + np.sqrt(5 / 50)) ** 2, (1 + np.sqrt(25 / 40)) ** 2])
    largest = np.array(
        [
            np.linalg.eigvalsh(np.corrcoef(values[:, :5].T))[-1],
            np.linalg.eigvalsh(np.corrcoef(values[10:, 5:].T))[-1],
        ]
    )
    expected = np.maximum(largest.min() / largest, 1 / noise)
    np.testing.assert_allclose(first_weights(values, block), expected)


def test_independence_counts_what_errs_together():
    """Ten groups of twenty copies are ten witnesses; independent noise counts in full."""
    rng = np.random.default_rng(10)
    copies = np.repeat(rng.normal(size=(300, 10)), 20, axis=1)
    values = np.hstack([copies, rng.normal(size=(300, 200)), rng.normal(size=(300, 1))])
    block = np.repeat([0, 1, 2], [200, 200, 1])
    p = values.shape[1]
    empty = FactorModel(np.zeros((p, 1)), np.zeros(p), np.ones(p), np.ones(p))
    shares = independence(values, empty, block=block)
    assert shares[0] == pytest.approx(10 / 200, rel=0.05)
    assert shares[1] == pytest.approx(1, abs=0.05)
    assert shares[2] == 1
    # By hand, of the first block: correlations about the model's centre, chance taken off.
    moments = copies.T @ copies
    together = (moments**2).sum() / np.trace(moments) ** 2 - 1 / 300
    assert shares[0] == pytest.approx(1 / together / 200, rel=1e-9)


def test_shares_are_ordered_and_signs_fixed():
    table = with_gaps(planted(3)[0], 3)
    model = BlockFactors("prefix").fit(table)
    shares = model.explained_variance_.pivot(index="factor", columns="block", values="share")
    factors = model.get_feature_names_out().tolist()
    sums = shares.loc[factors].sum(axis=1)
    assert (np.diff(sums) <= 0).all()
    loadings = model.model_.loadings
    assert (loadings.max(axis=0) == np.abs(loadings).max(axis=0)).all()
    # By hand, of one factor and block, and of all.
    x = model.scales_.standardised(table.to_numpy()) - model.model_.centre
    z = model.transform(table)
    left = x[:, RNA] - np.outer(z[:, 0], loadings[RNA, 0])
    assert shares.loc["factor1", "rna"] == pytest.approx(
        1 - np.nansum(left**2) / np.nansum(x[:, RNA] ** 2)
    )
    left = x[:, CT] - z @ loadings[CT].T
    assert shares.loc["all", "ct"] == pytest.approx(
        1 - np.nansum(left**2) / np.nansum(x[:, CT] ** 2)
    )
    top = model.top_weights(3)
    assert top.groupby(["factor", "block"]).size().eq(3).all()
    first = top.iloc[0]
    assert abs(first["weight"]) == np.abs(loadings[CT, 0]).max()
    assert first["variable"] == NAMES[CT][np.abs(loadings[CT, 0]).argmax()]
    assert len(model.weights_) == 20 * 3 * model.n_factors_


def test_order_of_columns_and_patients_changes_nothing():
    names = [f"{'ct' if i < 5 else 'rna'}|v{i}" for i in range(10)]
    table = pd.DataFrame(small(4, gaps=True), columns=names)
    rng = np.random.default_rng(1)
    other = table.iloc[rng.permutation(len(table)), rng.permutation(10)]
    first, second, again = (
        BlockFactors("prefix", 2, tol=1e-10, max_iter=5000).fit(X) for X in (table, other, table)
    )
    np.testing.assert_allclose(
        second.transform(other), first.transform(table.loc[other.index]), atol=1e-4
    )
    assert np.array_equal(again.model_.loadings, first.model_.loadings)


def test_record_survives_json():
    table = with_gaps(planted(5)[0], 5)
    model = BlockFactors("prefix", n_factors=3, most_variable={"rna": 100}).fit(table)
    record = json.loads(json.dumps(model.to_record()))
    again = BlockFactors.from_record(record)
    new = with_gaps(planted(5)[0], 6)
    assert np.array_equal(again.transform(new), model.transform(new))
    assert np.array_equal(again.score_samples(new), model.score_samples(new))
    known = new[new.iloc[:, CT].notna().all(axis=1)]
    for mine, theirs in zip(
        again.predict_block(known, "rna"), model.predict_block(known, "rna"), strict=True
    ):
        pd.testing.assert_frame_equal(mine, theirs)
    pd.testing.assert_frame_equal(again.explained_variance_, model.explained_variance_)
    pd.testing.assert_frame_equal(again.weights_, model.weights_)
    assert again.block_weights_ == model.block_weights_
    assert again.to_record() == model.to_record()
    assert len(again.predict_block(known, "rna").mean.columns) == 100
    assert not any(name in json.dumps(record) for name in table.index)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"noise": None}, "noise missing"),
        ({"more": 1}, "more foreign"),
        ({"kind": "another"}, "'another'"),
        ({"sd": [1.0]}, "one value for each variable"),
        ({"block_weights": {"mri": 1.0}}, "none for mri"),
    ],
    ids=["missing", "foreign", "kind", "length", "block"],
)
def test_broken_records_are_refused(change, match):
    record = BlockFactors(n_factors=1).fit(small(0)).to_record() | change
    record = {
        field: value for field, value in record.items() if value is not None or field == "names"
    }
    with pytest.raises(SchemaError, match=match):
        BlockFactors.from_record(record)


def test_whole_blocks_may_lack_in_a_new_table():
    table, _, _ = planted(6)
    model = BlockFactors("prefix", n_factors=3).fit(table)
    with pytest.warns(RadiogenomicsWarning, match="no column of the block"):
        found = model.transform(table.drop(columns=NAMES[RNA]))
    blank = table.copy()
    blank.iloc[:, RNA] = np.nan
    assert np.array_equal(found, model.transform(blank))
    # The less is observed, the less is known.
    assert (model.posterior_sd(blank) >= model.posterior_sd(table)).all(axis=None)
    with pytest.raises(SchemaError, match="all of its 300 columns"):
        model.transform(table.drop(columns=NAMES[RNA][:5]))


def test_patients_with_nothing_are_counted():
    table, _, _ = planted(7)
    blank = table.copy()
    blank.iloc[[3, 8]] = np.nan
    with pytest.raises(DataError, match="2 of 120 patients with none, the first in row 3"):
        BlockFactors("prefix").fit(blank)
    model = BlockFactors("prefix", n_factors=2).fit(table)
    with pytest.raises(DataError, match="2 of 120"):
        model.transform(blank)
    blank.iloc[5, [*range(60), *range(360, 390)]] = np.nan
    with pytest.raises(DataError, match="other than 'rna'.*3 of 120"):
        model.predict_block(blank, "rna")
    with pytest.raises(UnknownNameError, match="protein"):
        model.predict_block(table, "proteins")


def test_a_block_that_nobody_has_is_refused():
    table, _, _ = planted(7)
    table.iloc[:, RNA] = np.nan
    with pytest.raises(DataError, match="'rna'.*none among 120"):
        BlockFactors("prefix").fit(table)


def test_what_does_not_vary_is_left_out():
    table, _, _ = planted(8)
    table.iloc[:, [0, 70]] = 0.1
    table.iloc[:-1, 71] = np.nan
    with pytest.warns(RadiogenomicsWarning, match=r"3 variable\(s\) do not vary"):
        model = BlockFactors("prefix", n_factors=2).fit(table)
    assert len(model.model_.noise) == len(NAMES) - 3
    assert NAMES[70] not in model.predict_block(table, "rna").mean
    table.iloc[:, PROTEIN] = 1.0
    with pytest.warns(RadiogenomicsWarning, match=r"all of the block\(s\) protein"):
        model = BlockFactors("prefix", n_factors=2).fit(table)
    assert list(model.block_weights_) == ["ct", "rna"]
    with pytest.raises(UnknownNameError, match="protein"):
        model.predict_block(table, "protein")
    with pytest.raises(DataError, match="a block that varies"):
        BlockFactors().fit(np.ones((10, 4)))


def test_copies_of_a_variable_stay_within_the_least_noise():
    X = small(1)
    X = np.column_stack([X, X[:, 0], 2 * X[:, 0]])
    model = BlockFactors(n_factors=3, shrinkage="none", max_iter=5000).fit(X)
    assert model.model_.noise.min() == 0.01
    assert np.isfinite(model.transform(X)).all()


def test_noise_has_no_factor():
    values = np.random.default_rng(4).normal(size=(100, 200))
    with pytest.warns(RadiogenomicsWarning, match="variables look independent"):
        model = BlockFactors(least_share=0.02).fit(values)
    assert model.n_factors_ == 1


def test_bic_finds_the_number():
    X = small(2)
    assert BlockFactors(n_factors="bic", shrinkage="none", max_factors=5).fit(X).n_factors_ == 2
    table = with_gaps(planted(2)[0], 2)
    assert BlockFactors("prefix", "bic", max_factors=6).fit(table).n_factors_ == 4


@pytest.mark.parametrize(
    ("parameters", "error", "match"),
    [
        ({"n_factors": 12}, DataError, "at most 7.*found 12 for n_samples = 8"),
        ({"n_factors": 0}, DataError, "at least 1"),
        ({"max_iter": 0}, DataError, "at least 1"),
        ({"n_factors": "aic"}, UnknownNameError, "aic"),
        ({"weighting": "mfa"}, UnknownNameError, "mfa"),
        ({"shrinkage": "ridge"}, UnknownNameError, "ridge"),
        ({"shrinkage": "none"}, DataError, "'relevance'"),
        ({"least_noise": 0.0}, DataError, "least_noise"),
        ({"least_share": 1.0}, DataError, "least_share"),
        ({"tol": -1.0}, DataError, "tol"),
        ({"most_variable": {"mri": 3}}, UnknownNameError, "mri"),
        ({"most_variable": 0}, DataError, "most_variable"),
        ({"blocks": "prefix"}, SchemaError, "named block"),
    ],
    ids=lambda value: None if not isinstance(value, dict) else "-".join(map(str, value.items())),
)
def test_senseless_parameters_are_refused(parameters, error, match):
    with pytest.raises(error, match=match):
        BlockFactors(**parameters).fit(small(0)[:8])


def test_most_variable_keeps_the_widest_in_own_units():
    X = small(3)
    model = BlockFactors({"a": range(5), "b": range(5, 10)}, 2, most_variable=2).fit(X)
    widest = [
        np.sort(np.argsort(-X[:, part].var(axis=0))[:2]) + part.start
        for part in (slice(0, 5), slice(5, 10))
    ]
    assert model.scales_.columns.tolist() == np.concatenate(widest).tolist()


def test_row_facts_are_refused():
    table = pd.DataFrame(small(0)).add_prefix("f").assign(**{"@site": "A"})
    with pytest.raises(SchemaError, match="@site"):
        BlockFactors().fit(table)


def test_bare_arrays_are_named_by_position():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = BlockFactors({"a": range(5), "b": range(5, 10)}, 2).fit(small(0))
    assert set(model.weights_["variable"]) == {f"x{i}" for i in range(10)}
    assert model.get_feature_names_out().tolist() == ["factor1", "factor2"]
    assert model.set_output(transform="pandas").transform(small(0)).columns.tolist() == [
        "factor1",
        "factor2",
    ]
