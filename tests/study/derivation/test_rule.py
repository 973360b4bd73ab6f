"""Every word of a derivation plan is a search that derives, finds what is there and repeats."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import RadiogenomicsWarning
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.omics.signature.derivation import SignatureDerivation
from radiogenomics.omics.signature.grid import SignatureGrid
from radiogenomics.study.derivation.cohorts import Discovery, join, read_molecules
from radiogenomics.study.derivation.plan import DerivationPlan
from radiogenomics.study.derivation.rule import derivation_rule

WORDS = ("subset", "stepwise", "lasso", "elastic_net", "stability", "forest", "boosting", "grid")
QUICK = {"keep": 20, "max_size": 2, "inner_folds": 3, "minimum_events": 10}


def plan_of(word: str, **values) -> DerivationPlan:
    return DerivationPlan.model_validate({**QUICK, "search": word, **values})


def derived(discovery: Discovery, plan: DerivationPlan, *, seed: int = 1) -> SignatureDerivation:
    genes = tuple(discovery.genes.columns)
    rule = derivation_rule(plan, genes, discovery, name="made", seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RadiogenomicsWarning)
        return rule.fit(discovery.expression, discovery.outcome.to_structured())


@pytest.fixture(scope="module")
def parts(near, far):
    return [read_molecules(w.cohort, assay="rna", endpoint="OS") for w in (near, far)]


@pytest.fixture(scope="module")
def planted(parts) -> Discovery:
    """Two cohorts of 120; G5 and G9 of 60 genes carry the risk."""
    rng = np.random.default_rng(8)
    return join([made(parts[0], name, rng, effect=0.8) for name in ("one", "two")])


@pytest.fixture(scope="module")
def null(parts) -> Discovery:
    rng = np.random.default_rng(9)
    return join([made(parts[0], name, rng, effect=0.0) for name in ("one", "two")])


def made(like, name, rng, *, effect, n=120):
    names = [f"{name}{i}" for i in range(n)]
    genes = pd.DataFrame(
        rng.normal(6, 1, size=(n, 60)), index=names, columns=[f"G{i}" for i in range(60)]
    )
    death = rng.exponential(20 * np.exp(-effect * (genes["G5"] + genes["G9"] - 12)))
    end = rng.uniform(5, 60, n)
    outcome = SurvivalOutcome(
        "OS",
        pd.Series(np.minimum(death, end), index=names),
        pd.Series(death <= end, index=names),
    )
    cohort = replace(like.cohort, id=name)
    return replace(like, cohort=cohort, tumour=genes, normal=None, outcome=outcome)


@pytest.mark.parametrize("word", WORDS)
def test_every_word_derives_from_one_cohort_and_from_two(word, parts):
    for some in (parts[:1], parts):
        found = derived(join(some), plan_of(word))
        assert found.signature_.locked
        assert 1 <= len(found.signature_.genes) <= 2
        assert set(found.cohort_signatures_) == {part.cohort.id for part in some}
        assert found.signature_.unit == parts[0].unit
        risk = found.predict(join(some).expression)
        assert np.isfinite(risk).all() and risk.nunique() > 1


@pytest.mark.parametrize("word", WORDS)
def test_every_word_finds_the_planted_pair(word, planted):
    found = derived(planted, plan_of(word))
    assert set(found.signature_.genes) == {"G5", "G9"}
    assert min(found.signature_.weights) > 0


@pytest.mark.parametrize("word", WORDS)
def test_the_same_seed_gives_the_same_signature(word, planted):
    first, again = (derived(planted, plan_of(word)).signature_.to_json() for _ in range(2))
    assert first == again


@pytest.mark.parametrize("word", WORDS)
def test_where_nothing_is_there_a_word_still_ends(word, null):
    """Permuted outcomes are derived from by the hundred: none of them may stop the run."""
    found = derived(null, plan_of(word))
    assert 1 <= len(found.signature_.genes) <= 2


@pytest.mark.parametrize("word", [w for w in WORDS if w != "subset"])
def test_max_size_bounds_every_search(word, planted):
    assert len(derived(planted, plan_of(word, max_size=1)).signature_.genes) == 1
    # A grid's subsets stop at three, whatever the others may take.
    many = derived(planted, plan_of(word, max_size=5))
    assert len(many.signature_.genes) <= 5


def test_size_is_for_subsets(planted):
    found = derived(planted, plan_of("subset", max_size=3, size=3))
    assert len(found.signature_.genes) == 3


def test_penalised_words_lock_their_own_weights(planted):
    for word in ("lasso", "elastic_net"):
        found = derived(planted, plan_of(word))
        assert found.cox_ is None
        np.testing.assert_array_equal(found.signature_.weights, found.search_.coef_)
    assert found.search_.l1_ratio == 0.5
    assert derived(planted, plan_of("stability")).cox_ is not None


def test_a_grid_of_everything(parts):
    selectors = [word for word in WORDS if word != "grid"]
    learners = ["cox", "ridge_cox", "forest", "boosting"]
    words = {"selectors": selectors, "learners": learners}
    found = derived(join(parts[:1]), plan_of("grid", keep=8, grid=words))
    grid = found.search_
    assert isinstance(grid, SignatureGrid)
    assert set(grid.table_["selector"]) == set(selectors)
    assert set(grid.table_["learner"]) == set(learners)
    assert len(grid.table_) == 28


@pytest.mark.parametrize("learner", ["cox", "ridge_cox"])
def test_genes_of_a_grid_over_cohorts_are_weighed_within_them(learner, planted):
    words = {"selectors": ["stepwise"], "learners": [learner]}
    found = derived(planted, plan_of("grid", grid=words))
    plain = derived(planted, plan_of("stepwise")).signature_
    ours = dict(zip(found.signature_.genes, found.signature_.weights, strict=True))
    # Learners know no strata: several cohorts are weighed by a stratified Cox model.
    assert ours == dict(zip(plain.genes, plain.weights, strict=True))


def test_trees_of_the_grid_are_weighed_by_cox(planted):
    words = {"selectors": ["stepwise"], "learners": ["boosting"]}
    plan = plan_of("grid", grid=words)
    rule = derivation_rule(plan, planted.genes.columns, planted, name="made", seed=0)
    with pytest.warns(RadiogenomicsWarning, match="BoostedCox, the best learner of the grid"):
        found = rule.fit(planted.expression, planted.outcome.to_structured())
    assert found.signature_.weights == derived(planted, plan_of("stepwise")).signature_.weights


def test_the_plan_reaches_the_derivation(planted):
    plan = plan_of("subset", cutoff=0.3, minimum_events=30)
    rule = derivation_rule(plan, ("G1", "G5"), planted, name="made", seed=0)
    assert (rule.name, rule.cutoff, rule.minimum_events) == ("made", 0.3, 30)
    assert rule.candidates == ("G1", "G5")
    assert rule.reference == "one"
    assert rule.screen.k == 20
    alone = derivation_rule(
        plan, ("G1",), replace(planted, parts=planted.parts[:1]), name="x", seed=0
    )
    assert alone.reference is None and alone.search.splitter is not None
