import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import KFold

from radiogenomics.core.errors import (
    AlignmentError,
    FallbackWarning,
    OutcomeError,
    RadiogenomicsWarning,
)
from radiogenomics.omics.signature.derivation import COHORT, SignatureDerivation
from radiogenomics.omics.signature.grid import SignatureGrid
from radiogenomics.omics.signature.penalised_cox import PenalisedCox
from radiogenomics.omics.signature.screen import SurvivalScreen
from radiogenomics.omics.signature.search import SubsetSearch
from radiogenomics.stats.survival.cox import fit_cox

PAIR = SubsetSearch(2, size=2)


def world(seed: int, *, effect: float, n: int = 120) -> tuple[pd.DataFrame, np.ndarray]:
    """Three cohorts on platforms of their own; two genes of 150 carry the risk."""
    rng = np.random.default_rng([5, seed])
    parts, times = [], []
    for number, (shift, spread) in enumerate([(5, 1.0), (9, 2.0), (0, 0.5)]):
        z = rng.normal(size=(n, 150))
        genes = pd.DataFrame(shift + spread * z, columns=[f"G{i}" for i in range(150)])
        parts.append(genes.assign(**{COHORT: f"cohort {number}"}))
        times.append(rng.exponential(20 * np.exp(-effect * (z[:, 3] + z[:, 8]))))
    time, end = np.concatenate(times), rng.uniform(5, 60, 3 * n)
    y = np.empty(3 * n, dtype=[("event", bool), ("time", float)])
    y["event"], y["time"] = time <= end, np.minimum(time, end)
    return pd.concat(parts, ignore_index=True).add_prefix("", axis=0), y


def test_planted_genes_are_derived_from_cohorts_of_different_platforms():
    expression, y = world(0, effect=0.6)
    found = SignatureDerivation(search=SubsetSearch(2)).fit(expression, y)
    assert set(found.signature_.genes) == {"G3", "G8"}
    assert found.signature_.locked
    np.testing.assert_allclose(found.signature_.weights, 0.6, atol=0.15)


def test_weights_are_those_of_a_stratified_cox_model_by_hand():
    expression, y = world(1, effect=0.6)
    found = SignatureDerivation(search=PAIR).fit(expression, y)
    genes = expression[list(found.signature_.genes)]
    by_cohort = genes.groupby(expression[COHORT])
    standard = (genes - by_cohort.transform("mean")) / by_cohort.transform("std")
    fit = fit_cox(standard, y["time"], y["event"], strata=expression[COHORT])
    np.testing.assert_allclose(found.signature_.weights, fit.coef, rtol=1e-8)
    np.testing.assert_allclose(found.predict(expression), standard @ fit.coef, rtol=1e-7, atol=1e-9)


def test_a_patient_is_scored_alone_and_by_the_own_cohort():
    expression, y = world(2, effect=0.6)
    found = SignatureDerivation(search=PAIR, reference="cohort 1").fit(expression, y)
    together = found.predict(expression)
    for row in (0, 150, 300):
        alone = found.predict(expression.iloc[[row]]).iloc[0]
        assert alone == pytest.approx(together.iloc[row], rel=1e-12)
    stranger = expression.iloc[[150]].drop(columns=COHORT)
    assert found.predict(stranger).iloc[0] == pytest.approx(together.iloc[150], rel=1e-12)
    assert found.signature_ is found.cohort_signatures_["cohort 1"]


def test_candidates_narrow_what_is_searched():
    expression, y = world(3, effect=0.6)
    found = SignatureDerivation(search=PAIR, candidates=["G8", "G1", "G2", "absent"])
    assert "G8" in found.fit(expression, y).signature_.genes
    assert set(found.signature_.genes) <= {"G8", "G1", "G2"}


def test_it_is_cloned_and_repeated_exactly():
    expression, y = world(4, effect=0.3)
    rule = SignatureDerivation(SurvivalScreen(alpha=1, k=20), PAIR, cutoff=0.6)
    first, second = clone(rule).fit(expression, y), clone(rule).fit(expression, y)
    assert first.signature_.to_json() == second.signature_.to_json()
    share = (first.decision_function(expression) > 0).mean()
    assert share == pytest.approx(0.4, abs=0.01)


def test_bad_input_is_named():
    expression, y = world(5, effect=0.3)
    with pytest.raises(AlignmentError, match="none of 1"):
        SignatureDerivation(candidates=["absent"]).fit(expression, y)
    with pytest.raises(AlignmentError, match="one outcome a patient"):
        SignatureDerivation().fit(expression, y[:-1])
    with pytest.raises(AlignmentError, match="reference"):
        SignatureDerivation(search=PAIR, reference="elsewhere").fit(expression, y)
    few = y.copy()
    few["event"] = np.arange(len(y)) < 3
    with pytest.raises(OutcomeError, match="found 3"):
        SignatureDerivation().fit(expression, few)


class Tree(BaseEstimator):
    """A learner without coefficients."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.asarray(X).sum(axis=1)


class Half(Tree):
    """A linear learner."""

    def fit(self, X, y):
        self.coef_ = np.full(X.shape[1], 0.5)
        return self

    def predict(self, X):
        return np.asarray(X) @ self.coef_


def grid_of(learner) -> SignatureGrid:
    return SignatureGrid({"pair": PAIR}, {"one": learner}, splitter=KFold(3, shuffle=True))


def test_weights_of_a_penalised_search_are_locked():
    expression, y = world(6, effect=0.6)
    found = SignatureDerivation(search=PenalisedCox(max_genes=5)).fit(expression, y)
    assert found.signature_.genes == found.search_.genes_
    np.testing.assert_array_equal(found.signature_.weights, found.search_.coef_)
    assert found.cox_ is None
    genes = expression[list(found.signature_.genes)]
    by_cohort = genes.groupby(expression[COHORT])
    standard = (genes - by_cohort.transform("mean")) / by_cohort.transform("std")
    risk = standard @ found.search_.coef_
    np.testing.assert_allclose(found.predict(expression), risk, rtol=1e-7, atol=1e-9)
    assert found.signature_.cutoff == pytest.approx(np.median(risk), rel=1e-9)
    assert "360 patients" in found.signature_.source


def test_weights_of_the_grids_linear_learner_are_locked():
    expression, y = world(6, effect=0.6)
    several = SignatureDerivation(search=grid_of(Half())).fit(expression, y)
    plain = SignatureDerivation(search=PAIR).fit(expression, y)
    assert several.signature_.weights == plain.signature_.weights
    one = expression[expression[COHORT] == "cohort 1"]
    target = y[(expression[COHORT] == "cohort 1").to_numpy()]
    alone = SignatureDerivation(search=grid_of(Half())).fit(one, target)
    deviation = one[list(alone.signature_.genes)].std()
    np.testing.assert_allclose(alone.signature_.weights, 0.5 * deviation, rtol=1e-10)
    assert alone.cox_ is None


def test_a_gene_at_its_floor_in_one_cohort_is_scored_as_it_was_fitted():
    """The spread of a constant 5.1 is rounding, not a scale."""
    expression, y = world(6, effect=0.6)
    floor = (expression[COHORT] == "cohort 2").to_numpy()
    expression.loc[floor, "G0"] = 5.1
    found = SignatureDerivation(search=SubsetSearch(2, size=2), candidates=("G0", "G1"))
    found.fit(expression, y)
    there = found.cohort_signatures_["cohort 2"]
    assert dict(zip(there.genes, there.scale, strict=True))["G0"] == 1.0
    assert found.predict(expression).abs().max() < 20


def test_a_learner_without_weights_is_said_and_replaced_by_cox():
    expression, y = world(6, effect=0.6)
    with pytest.warns(RadiogenomicsWarning, match="Tree, the best learner .* cannot be locked"):
        found = SignatureDerivation(search=grid_of(Tree())).fit(expression, y)
    plain = SignatureDerivation(search=PAIR).fit(expression, y)
    assert found.signature_.weights == plain.signature_.weights
    np.testing.assert_array_equal(found.weights_, plain.cox_.coef)


def test_a_penalised_search_that_finds_nothing_falls_back_to_the_screen():
    expression, y = world(7, effect=0.0)
    rule = SignatureDerivation(search=PenalisedCox(rule="1se"))
    with pytest.warns(FallbackWarning, match="chose no gene"):
        found = rule.fit(expression, y)
    assert found.signature_.genes == found.screen_.genes_[:1]
    assert found.cox_ is not None
