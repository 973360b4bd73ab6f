"""Screen, search, stepwise regression, importance and the grid of selectors and learners."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import VarianceThreshold
from sklearn.model_selection import KFold, RepeatedKFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    FallbackWarning,
    OutcomeError,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.omics.signature.gene_selector import standardise_by_cohort
from radiogenomics.omics.signature.grid import SignatureGrid
from radiogenomics.omics.signature.importance import ImportanceSelector
from radiogenomics.omics.signature.penalised_cox import PenalisedCox
from radiogenomics.omics.signature.screen import SurvivalScreen
from radiogenomics.omics.signature.search import SubsetSearch
from radiogenomics.omics.signature.stability import StabilitySelector
from radiogenomics.omics.signature.stepwise import StepwiseCox
from radiogenomics.stats.meta_analysis import meta_analysis
from radiogenomics.stats.multiplicity import adjust
from radiogenomics.stats.survival.concordance import concordance
from radiogenomics.stats.survival.cox import fit_cox

REFERENCE = Path(__file__).parents[1] / "reference"
GENES = [f"g{i}" for i in range(1, 13)]


class Sum(BaseEstimator):
    """A learner that adds its columns up."""

    def fit(self, X, y):
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X):
        return np.asarray(X).sum(axis=1)


class Linear(Sum):
    """A learner of fixed coefficients, 0.5 for each column."""

    def fit(self, X, y):
        self.coef_ = np.full(X.shape[1], 0.5)
        return super().fit(X, y)

    def predict(self, X):
        return np.asarray(X) @ self.coef_ + 7


class Refuses(Sum):
    def fit(self, X, y):
        raise DataError("no")


def target(time, event) -> np.ndarray:
    y = np.empty(len(time), dtype=[("event", bool), ("time", float)])
    y["event"], y["time"] = event, time
    return y


@pytest.fixture(scope="module")
def r_cohorts() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "stats" / "subset_search_input.csv")


@pytest.fixture
def cohorts(rng) -> tuple[pd.DataFrame, np.ndarray, pd.Series]:
    """Three cohorts of 80; G3 and G7 carry the risk."""
    names = [f"G{i}" for i in range(40)]
    index = [f"P{i}" for i in range(240)]
    x = pd.DataFrame(rng.normal(8, 2, size=(240, 40)), columns=names, index=index)
    death = rng.exponential(20 * np.exp(-0.35 * (x["G3"] + x["G7"] - 16)))
    end = rng.uniform(10, 80, size=240)
    y = target(np.minimum(death, end), death <= end)
    return x, y, pd.Series(np.repeat(["a", "b", "c"], 80), index=index)


SELECTORS = [
    SurvivalScreen(),
    SubsetSearch(max_size=2, size=1),
    StepwiseCox(),
    ImportanceSelector(Sum(), k=5, n_repeats=2),
    PenalisedCox(max_genes=4),
    StabilitySelector(n_pairs=3),
    SignatureGrid({"bic": StepwiseCox(criterion="bic")}, {"sum": Sum()}, splitter=KFold(2)),
]
NAMES = [type(selector).__name__ for selector in SELECTORS]


@pytest.mark.parametrize("selector", SELECTORS, ids=NAMES)
class TestEverySelector:
    def test_leaves_the_genes_that_carry_the_risk(self, selector, cohorts):
        x, y, groups = cohorts
        fitted = clone(selector).fit(x, y, groups)
        assert set(fitted.genes_) & {"G3", "G7"}
        assert fitted.transform(x).columns.tolist() == list(fitted.genes_)
        assert clone(selector).fit_transform(x, y, groups).equals(fitted.transform(x))

    def test_is_the_same_for_columns_in_another_order(self, selector, cohorts, rng):
        x, y, groups = cohorts
        other = x[rng.permutation(x.columns)]
        one, two = clone(selector).fit(x, y, groups), clone(selector).fit(other, y, groups)
        if not isinstance(selector, ImportanceSelector):
            assert one.genes_ == two.genes_
        assert set(two.genes_) & {"G3", "G7"}

    def test_needs_fitting_and_its_genes(self, selector, cohorts):
        x, y, groups = cohorts
        with pytest.raises(NotFittedError):
            clone(selector).transform(x)
        fitted = clone(selector).fit(x, y, groups)
        with pytest.raises(UnknownNameError):
            fitted.transform(x.drop(columns=fitted.genes_[0]))

    def test_refuses_what_does_not_fit(self, selector, cohorts):
        x, y, groups = cohorts
        fresh = clone(selector)
        with pytest.raises(DataError, match="a frame of patients × genes"):
            fresh.fit(x.to_numpy(), y, groups)
        with pytest.raises(AlignmentError, match="one outcome a patient"):
            fresh.fit(x, y[1:], groups)
        with pytest.raises(AlignmentError, match="another index"):
            fresh.fit(x, y, groups.iloc[::-1])
        with pytest.raises(DataError, match="found G1 more than once"):
            fresh.fit(x.rename(columns={"G2": "G1"}), y, groups)
        with pytest.raises(SchemaError, match="@site"):
            fresh.fit(x.assign(**{"@site": 1.0}), y, groups)
        with pytest.raises(DataError, match="found text"):
            fresh.fit(x.assign(stage="III"), y, groups)
        with pytest.raises(OutcomeError):
            fresh.fit(x, target(y["time"], np.zeros(len(y))), groups)

    def test_card_is_filled(self, selector):
        assert selector.card.learns
        assert selector.card.scope == "omics: signature"


def test_screen_pools_what_each_cohort_says(cohorts):
    x, y, groups = cohorts
    x = x.copy()
    x.loc[groups == "c", "G5"] = np.nan
    x.loc[groups == "b", "G9"] = 1.0
    fitted = SurvivalScreen(same_sign=True, minimum_cohorts=3).fit(x, y, groups)
    table = fitted.table_.set_index("gene")
    assert fitted.genes_[:2] == tuple(table.index[:2])
    assert set(table.index[:2]) == {"G3", "G7"}
    effects = {gene: ([], []) for gene in ("G3", "G5", "G9")}
    for gene, (coef, se) in effects.items():
        for cohort in "abc":
            member = (groups == cohort).to_numpy()
            values = x.loc[member, gene]
            if values.nunique() < 2:
                coef.append(np.nan), se.append(np.nan)
                continue
            fit = fit_cox(values, y["time"][member], y["event"][member])
            coef.append(fit.coef[0]), se.append(fit.se[0])
        pooled = meta_analysis(coef, se, method="reml")
        for column, expected in (("coef", pooled.estimate), ("se", pooled.standard_error)):
            assert table.loc[gene, column] == pytest.approx(expected[0], rel=1e-9)
        assert table.loc[gene, "hazard_ratio"] == pytest.approx(np.exp(pooled.estimate[0]))
    assert table.loc[["G3", "G5", "G9"], "cohorts"].tolist() == [3, 2, 2]
    assert table.loc[["G5", "G9"], "p"].isna().all()
    assert_allclose(table["adjusted_p"], adjust(table["p"]), rtol=1e-12)
    by_cohort = fitted.cohort_table_
    assert len(by_cohort) == 3 * 40 - 1
    assert by_cohort[by_cohort["gene"] == "G5"]["cohort"].tolist() == ["a", "b"]
    assert by_cohort.query("gene == 'G9' and cohort == 'b'")["coef"].isna().all()


def test_screen_falls_back_and_says_so(cohorts, rng):
    x, y, groups = cohorts
    noise = x.drop(columns=["G3", "G7"])
    shuffled = y[rng.permutation(len(y))]
    with pytest.warns(FallbackWarning, match="best 2 were kept"):
        fitted = SurvivalScreen(alpha=1e-6, fallback=2).fit(noise, shuffled, groups)
    assert fitted.fell_back_
    assert fitted.genes_ == tuple(fitted.table_["gene"][:2])
    assert fitted.table_["selected"].sum() == 2
    with pytest.raises(DataError, match="accept that there is nothing"):
        SurvivalScreen(alpha=1e-6, fallback=0).fit(noise, shuffled, groups)
    assert len(SurvivalScreen(alpha=1.0, correction=None, k=4).fit(x, y).genes_) == 4


@pytest.mark.parametrize(
    "settings", [{"alpha": 0.0}, {"minimum_cohorts": 0}, {"k": 0}, {"fallback": -1}], ids=str
)
def test_screen_refuses_senseless_settings(settings, cohorts):
    with pytest.raises(DataError):
        SurvivalScreen(**settings).fit(*cohorts)


def test_search_finds_the_pair_and_reports_how_it_chose(cohorts):
    x, y, groups = cohorts
    fitted = SubsetSearch(max_size=2, keep=10).fit(x, y, groups)
    assert fitted.genes_ == ("G3", "G7")
    assert fitted.size_ == 2
    ranking = fitted.ranking_
    assert ranking.groupby("size").size().tolist() == [10, 10]
    assert (ranking["gain"] > 0).all()
    assert ranking.query("size == 2")["log_likelihood"].is_monotonic_decreasing
    best = ranking.query("size == 2").iloc[0]
    assert best["genes"] == ("G3", "G7")
    assert best["coefs"] == tuple(fitted.coef_)
    standard = standardise_by_cohort(x.to_numpy(), groups.to_numpy())
    pair = standard[:, [3, 7]]
    fit = fit_cox(pair, y["time"], y["event"], strata=groups)
    assert_allclose(fitted.coef_, fit.coef, rtol=1e-8)
    assert best["log_likelihood"] == pytest.approx(fit.log_likelihood, rel=1e-12)
    found = []
    for cohort in "abc":
        out = (groups == cohort).to_numpy()
        rest = fit_cox(pair[~out], y["time"][~out], y["event"][~out], strata=groups[~out])
        found.append(concordance(pair[out] @ rest.coef, y["time"][out], y["event"][out]).value)
    assert best["concordance"] == pytest.approx(np.mean(found), rel=1e-12)
    assert best["concordance_se"] == pytest.approx(np.std(found, ddof=1) / np.sqrt(3), rel=1e-9)
    assert fitted.sizes_["chosen"].tolist() == [False, True]
    assert fitted.folds_.groupby("size")["fold"].apply(list).tolist() == [["a", "b", "c"]] * 2


def test_search_takes_folds_from_a_splitter_or_a_size(cohorts):
    x, y, groups = cohorts
    folds = SubsetSearch(max_size=2, splitter=RepeatedKFold(n_splits=4, n_repeats=2)).fit(x, y)
    assert folds.genes_ == ("G3", "G7")
    assert len(folds.folds_) == 8
    fixed = SubsetSearch(max_size=2, size=2).fit(x, y)
    assert fixed.genes_ == ("G3", "G7")
    assert fixed.sizes_["concordance"].isna().all()
    assert not len(fixed.folds_)
    with pytest.raises(DataError, match="several cohorts, a splitter, a size or rule 'ebic'"):
        SubsetSearch(max_size=2).fit(x, y)
    with pytest.raises(DataError, match="test every patient once"):
        SubsetSearch(max_size=2, splitter=ShuffleSplit(3)).fit(x, y)
    with pytest.raises(DataError, match="1 to max_size"):
        SubsetSearch(max_size=2, size=3).fit(x, y, groups)


def test_search_does_not_see_the_platform(cohorts):
    x, y, groups = cohorts
    scale = groups.map({"a": 1.0, "b": 10.0, "c": 0.1})
    other = x.mul(scale, axis=0).add(scale * 3, axis=0)
    one, two = (SubsetSearch(max_size=2).fit(table, y, groups) for table in (x, other))
    assert one.genes_ == two.genes_
    assert_allclose(one.coef_, two.coef_, rtol=1e-8)


@pytest.mark.parametrize("where", ["plain", "strata"])
@pytest.mark.parametrize(
    "rule",
    [f"{d}_{c}" for d in ("forward", "both", "backward") for c in ("aic", "bic")]
    + ["forward_p", "backward_p"],
)
def test_stepwise_matches_r_step(rule, where, r_cohorts):
    direction, criterion = rule.split("_")
    reference = pd.read_csv(REFERENCE / "omics" / "stepwise.csv")
    chosen = reference[reference["model"] == f"{direction}_{criterion}_{where}"]
    groups = r_cohorts["cohort"] if where == "strata" else None
    y = target(r_cohorts["time"], r_cohorts["event"])
    fitted = StepwiseCox(direction, criterion).fit(r_cohorts[GENES], y, groups)
    expected = chosen.set_index("gene")["coef"]
    assert set(fitted.genes_) == set(expected.index)
    assert_allclose(fitted.coef_[expected.index], expected, rtol=1e-8)
    last = fitted.steps_.iloc[-1]
    assert last["log_likelihood"] == pytest.approx(chosen["log_likelihood"].iloc[0], rel=1e-12)
    assert last["size"] == len(expected)


def test_stepwise_says_what_it_did(r_cohorts, rng):
    y = target(r_cohorts["time"], r_cohorts["event"])
    steps = StepwiseCox("backward").fit(r_cohorts[GENES], y).steps_
    assert steps["action"].tolist() == ["start"] + ["remove"] * (len(steps) - 1)
    assert steps["criterion"].is_monotonic_decreasing
    reference = pd.read_csv(REFERENCE / "omics" / "stepwise.csv").query(
        "model == 'forward_aic_plain'"
    )
    forward = StepwiseCox("forward").fit(r_cohorts[GENES], y).steps_
    assert forward["gene"].tolist() == ["", *reference["gene"]]
    first = StepwiseCox("forward", max_genes=1).fit(r_cohorts[GENES], y)
    assert first.genes_ == (reference["gene"].iloc[0],)
    by_p = StepwiseCox("both", "p", enter=0.3, leave=0.4).fit(r_cohorts[GENES], y)
    added = by_p.steps_.query("action == 'add'")
    assert (added["criterion"] <= 0.3).all()
    noise = pd.DataFrame(rng.normal(size=(len(y), 3)), columns=["a", "b", "c"])
    nothing = StepwiseCox("both", "p", enter=1e-6, leave=0.1).fit(noise, y)
    assert nothing.genes_ == ()
    assert nothing.coef_.empty
    assert nothing.transform(noise).shape == (len(y), 0)


def test_stepwise_refuses_what_it_cannot_do(r_cohorts):
    y = target(r_cohorts["time"], r_cohorts["event"])
    x = r_cohorts[GENES]
    with pytest.raises(DataError, match="direction"):
        StepwiseCox("sideways").fit(x, y)
    with pytest.raises(DataError, match="criterion"):
        StepwiseCox(criterion="cp").fit(x, y)
    with pytest.raises(DataError, match="enter <= leave"):
        StepwiseCox(enter=0.2, leave=0.1).fit(x, y)
    with pytest.raises(DataError, match="max_genes"):
        StepwiseCox(max_genes=0).fit(x, y)
    with pytest.raises(DataError, match="missing or infinite"):
        StepwiseCox().fit(x.mask(x > 11), y)
    with pytest.raises(DataError, match="genes repeat one another"):
        StepwiseCox("backward").fit(x.assign(copy=x["g1"]), y)
    few = target(r_cohorts["time"], np.arange(len(y)) < 10)
    with pytest.raises(OutcomeError, match="more events than genes"):
        StepwiseCox("backward").fit(x, few)


@pytest.mark.parametrize("splitter", [None, KFold(3)], ids=["training", "folds"])
def test_importance_is_what_permutation_costs(splitter, cohorts):
    x, y, groups = cohorts
    x = x[["G3", "G7", "G1"]] * [1.0, 1.0, 0.0]
    selector = ImportanceSelector(Sum(), k=3, splitter=splitter, n_repeats=4, random_state=1)
    fitted = selector.fit(x, y, groups)
    assert set(fitted.genes_) == {"G3", "G7"}
    table = fitted.table_.set_index("gene")
    assert table.loc["G1", "importance"] == 0
    assert table["selected"].tolist() == [True, True, False]
    # Of two genes of equal weight each carries about half of what is above chance.
    assert table["importance"].sum() == pytest.approx(fitted.concordance_ - 0.5, rel=0.5)
    again = clone(selector).fit(x, y, groups)
    assert again.table_.equals(fitted.table_)
    if splitter is None:
        expected = concordance(x.sum(axis=1), y["time"], y["event"], strata=groups).value
        assert fitted.concordance_ == pytest.approx(expected, rel=1e-12)


def test_importance_ranks_by_a_random_survival_forest(cohorts):
    ensemble = pytest.importorskip("sksurv.ensemble")
    x, y, _ = cohorts
    forest = ensemble.RandomSurvivalForest(20, min_samples_leaf=10, random_state=0)
    fitted = ImportanceSelector(forest, k=2, splitter=KFold(2), n_repeats=2).fit(x.iloc[:, :10], y)
    assert set(fitted.genes_) == {"G3", "G7"}


def test_importance_finds_nothing_where_nothing_is_used(cohorts):
    x, y, _ = cohorts
    assert ImportanceSelector(Sum()).fit(x * 0, y).genes_ == ()
    with pytest.raises(DataError, match="k and n_repeats"):
        ImportanceSelector(Sum(), k=0).fit(x, y)


def test_grid_ranks_by_folds_alone_and_refits(cohorts):
    x, y, groups = cohorts
    x = (x - x.mean()) / x.std()
    selectors = {"screen": SurvivalScreen(), "all": VarianceThreshold()}
    learners = {"sum": Sum(), "refuses": Refuses()}
    grid = SignatureGrid(selectors, learners, splitter=KFold(4, shuffle=True, random_state=0))
    grid.fit(x, y, groups)
    table = grid.table_.set_index(["selector", "learner"])
    assert grid.table_.iloc[0][["selector", "learner"]].tolist() == ["screen", "sum"]
    assert table.loc[("all", "refuses"), ["concordance", "failed"]].tolist() == [0.5, 4]
    assert table.loc[("all", "sum"), "genes"] == 40
    assert set(grid.genes_) >= {"G3", "G7"}
    assert_allclose(grid.predict(x), x[list(grid.genes_)].sum(axis=1), rtol=1e-12)

    folds = grid.fold_table_.query("selector == 'screen' and learner == 'sum'")
    for (train, test), row in zip(grid.splitter.split(x), folds.itertuples(), strict=True):
        inner = SurvivalScreen().fit(x.iloc[train], y[train], groups.iloc[train])
        assert row.genes == inner.genes_
        risk = x.iloc[test][list(inner.genes_)].sum(axis=1)
        expected = concordance(
            risk, y["time"][test], y["event"][test], strata=groups.iloc[test]
        ).value
        assert row.concordance == pytest.approx(expected, rel=1e-12)
    assert table.loc[("screen", "sum"), "concordance"] == pytest.approx(
        folds["concordance"].mean(), rel=1e-12
    )


def test_grid_counts_a_selector_that_finds_nothing_as_chance(cohorts):
    x, y, _ = cohorts
    strict = SurvivalScreen(alpha=1e-300, fallback=0)
    empty = StepwiseCox(criterion="p", enter=1e-300)
    grid = SignatureGrid({"strict": strict, "empty": empty}, {"sum": Sum()}, splitter=KFold(3))
    with pytest.raises(DataError, match="a combination that can be fitted"):
        grid.fit(x, y)
    assert (grid.fold_table_["concordance"] == 0.5).all()
    failures = grid.fold_table_.groupby("selector")["failure"].first()
    assert failures["empty"] == "selected nothing"
    assert "nothing to select" in failures["strict"]
    with pytest.raises(DataError, match="at least one selector"):
        SignatureGrid({}, {"sum": Sum()}, splitter=KFold(3)).fit(x, y)
    with pytest.raises(DataError, match="found none in fold 0"):
        late = target(y["time"], np.arange(len(y)) > 100)
        SignatureGrid({"p": empty}, {"sum": Sum()}, splitter=KFold(3)).fit(x, late)


def test_grid_weighs_by_a_linear_learner_and_by_no_other(cohorts):
    x, y, groups = cohorts
    bic = {"bic": StepwiseCox(criterion="bic", max_genes=2)}
    for learner, per_sd in ((Linear(), False), (make_pipeline(StandardScaler(), Linear()), True)):
        grid = SignatureGrid(bic, {"linear": learner}, splitter=KFold(3)).fit(x, y)
        chosen = x[list(grid.genes_)]
        expected = 0.5 * chosen.std() / (chosen.std(ddof=0) if per_sd else 1)
        assert_allclose(grid.weights_, expected, rtol=1e-10)
    # A learner knows no strata: of several cohorts its weights are not taken.
    several = SignatureGrid(bic, {"linear": Linear()}, splitter=KFold(3)).fit(x, y, groups)
    assert several.weights_ is None and several.linear_
    other = SignatureGrid(bic, {"sum": Sum()}, splitter=KFold(3)).fit(x, y)
    assert other.weights_ is None and not other.linear_


def test_grid_goes_down_its_ranking_to_what_can_be_fitted(cohorts):
    x, y, _ = cohorts

    class Shy(StepwiseCox):
        """Finds the truth in a fold and nothing in all patients."""

        def fit(self, expression, y, groups=None):
            self.genes_ = ("G3", "G7") if len(y) < 240 else ()
            return self

    screen = SurvivalScreen(alpha=1, k=12)
    grid = SignatureGrid({"shy": Shy(), "k": screen}, {"s": Sum()}, splitter=KFold(3)).fit(x, y)
    assert grid.table_["selector"].tolist() == ["shy", "k"]
    assert isinstance(grid.selector_, SurvivalScreen)
    assert len(grid.genes_) == 12


def test_grid_ranks_what_was_never_fitted_last(cohorts):
    x, y, _ = cohorts

    class Wrong(Sum):
        def predict(self, X):
            return -np.asarray(X).sum(axis=1)

    learners = {"refuses": Refuses(), "wrong": Wrong()}
    grid = SignatureGrid({"bic": StepwiseCox(criterion="bic")}, learners, splitter=KFold(3))
    table = grid.fit(x, y).table_
    assert table["learner"].tolist() == ["wrong", "refuses"]
    assert table["concordance"][0] < table["concordance"][1] == 0.5


def test_grid_may_be_empty_where_that_is_asked_for(cohorts):
    x, y, _ = cohorts
    empty = StepwiseCox(criterion="p", enter=1e-300)
    grid = SignatureGrid({"p": empty}, {"sum": Sum()}, splitter=KFold(3), may_be_empty=True)
    assert grid.fit(x, y).genes_ == ()
    assert grid.weights_ is None and grid.learner_ is None
    assert grid.transform(x).shape == (240, 0)
    with pytest.raises(DataError, match="a fitted learner"):
        grid.predict(x)


def test_extended_bic_pays_for_the_subsets_that_were_looked_at() -> None:
    """By hand, from log-likelihoods of lifelines; a thousand genes screened ask for more gain."""
    rng = np.random.default_rng(6)
    genes = pd.DataFrame(rng.normal(size=(150, 12)), columns=[f"G{i}" for i in range(12)])
    time = rng.exponential(np.exp(-0.8 * genes["G3"] - 0.35 * genes["G7"]))
    event = rng.random(150) < 0.7
    y = np.array(list(zip(event, time, strict=True)), dtype=[("event", bool), ("time", float)])
    few = SubsetSearch(2, rule="ebic", standardise=False).fit(genes, y)
    expected = []
    for size in (1, 2):
        best = few.ranking_[few.ranking_["size"] == size].iloc[0]
        frame = genes[list(best["genes"])].assign(time=time, event=event)
        model = CoxPHFitter().fit(frame, "time", "event")
        looked_at = 2 * np.log(math.comb(12, size))
        expected.append(-2 * model.log_likelihood_ + size * np.log(event.sum()) + looked_at)
    np.testing.assert_allclose(few.sizes_["ebic"], expected, rtol=1e-9)
    assert few.size_ == 2
    assert SubsetSearch(2, rule="ebic", screened=10**6).fit(genes, y).size_ == 1
    with pytest.raises(UnknownNameError, match="rule of size"):
        SubsetSearch(rule="aic").fit(genes, y)


def test_folds_that_only_inform_may_be_left_unsearched(cohorts) -> None:
    x, y, groups = cohorts
    full, bare = (
        SubsetSearch(2, rule="ebic", left_out=shown).fit(x, y, groups) for shown in (True, False)
    )
    assert full.genes_ == bare.genes_
    assert full.sizes_["ebic"].equals(bare.sizes_["ebic"])
    assert full.sizes_["concordance"].notna().all() and bare.sizes_["concordance"].isna().all()
    chosen = SubsetSearch(2, rule="1se", left_out=False).fit(x, y, groups)
    assert chosen.sizes_["concordance"].notna().all()
