from dataclasses import replace
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.base import clone
from sklearn.metrics import jaccard_score
from statsmodels.stats.inter_rater import fleiss_kappa

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.omics import SignatureDerivation, StepwiseCox, SubsetSearch, SurvivalScreen
from radiogenomics.study.derivation.cohorts import join, read_molecules
from radiogenomics.study.derivation.evidence import Judge
from radiogenomics.study.derivation.plan import DerivationPlan
from radiogenomics.study.derivation.stability import gene_stability, selection_stability

SETS = [{"A", "B"}, {"A", "B"}, {"A", "C"}, {"D"}, {"A", "B", "E"}]


@pytest.fixture(scope="module")
def like(near):
    return read_molecules(near.cohort, assay="rna", endpoint="OS")


def made(like, name, *, n=120, genes=40, beta=0.0, seed=0):
    """A cohort in which G5 and G9 carry the risk, each as strong as beta."""
    rng = np.random.default_rng([seed, n, genes])
    ids = [f"{name}{i}" for i in range(n)]
    table = pd.DataFrame(
        rng.normal(6, 1, size=(n, genes)), index=ids, columns=[f"G{i}" for i in range(genes)]
    )
    death = rng.exponential(20 * np.exp(-beta * (table["G5"] + table["G9"] - 12)))
    end = rng.uniform(5, 60, n)
    time, event = pd.Series(np.minimum(death, end), ids), pd.Series(death <= end, ids)
    outcome = SurvivalOutcome("OS", time, event)
    cohort = replace(like.cohort, id=name)
    return replace(like, cohort=cohort, tumour=table, normal=None, outcome=outcome)


def judge_of(parts, *, bootstraps=20, seed=0, jobs=1):
    discovery = join(parts)
    plan = DerivationPlan(bootstraps=bootstraps, minimum_events=10)
    return Judge(discovery, plan, tuple(discovery.genes.columns), None, seed, jobs)


def rule_of(size=2, kind=SignatureDerivation):
    return kind(
        SurvivalScreen(alpha=1, k=10), SubsetSearch(size, size=size), minimum_events=10, name="made"
    )


class Spy(SignatureDerivation):
    """Remembers who was derived from, and refuses when asked to."""

    seen: ClassVar[list[pd.Index]] = []
    fewest: ClassVar[list[int]] = []
    refuse: ClassVar[tuple[int, ...]] = ()

    def fit(self, expression: pd.DataFrame, y: Any) -> "Spy":
        Spy.seen.append(expression.index)
        Spy.fewest.append(self.minimum_events)
        if len(Spy.seen) - 1 in Spy.refuse:
            raise OutcomeError("made: expected a maximum; found none. Use more patients.")
        return super().fit(expression, y)


@pytest.fixture
def spy(monkeypatch):
    monkeypatch.setattr(Spy, "seen", [])
    monkeypatch.setattr(Spy, "fewest", [])
    return Spy


def binary(sets, genes):
    return np.array([[int(gene in chosen) for gene in genes] for chosen in sets])


def test_the_measure_by_hand():
    """Shares 1, 2/3 and 1/3 of six genes, two a set: 1 - (1/9) / (1/3 * 2/3)."""
    found = selection_stability(SETS[:3], candidates=6)
    assert found.value == pytest.approx(0.5, abs=1e-14)
    assert found.jaccard == pytest.approx((1 + 1 / 3 + 1 / 3) / 3, abs=1e-14)
    # The terms of the paper, set by set: (A, B) twice and (A, C).
    q = 1 / 3
    room = q * (1 - q)
    rest = 0.5 / 2 * (2 * 2 / 6 * q - 2 / 6 - q + 1)
    first, last = ((shared / 6 - 2 / 6 * q + rest) / room for shared in (1 + 2 / 3, 1 + 1 / 3))
    mean = (2 * first + last) / 3
    variance = 4 / 9 * (2 * (first - mean) ** 2 + (last - mean) ** 2)
    half = 1.959963984540054 * np.sqrt(variance)
    assert (found.low, found.high) == pytest.approx((0.5 - half, 0.5 + half), rel=1e-12)


def test_the_measure_is_fleiss_kappa_of_sets_on_genes():
    """Sets are raters who call each candidate chosen or not."""
    genes = list("ABCDEFGHIJ")
    votes = binary(SETS, genes).sum(axis=0)
    kappa = fleiss_kappa(np.column_stack([votes, len(SETS) - votes]), method="fleiss")
    found = selection_stability(SETS, candidates=len(genes))
    assert found.value == pytest.approx(kappa, rel=1e-12)
    pairs = combinations(binary(SETS, genes), 2)
    shared = np.mean([jaccard_score(one, other) for one, other in pairs])
    assert found.jaccard == pytest.approx(shared, rel=1e-12)


def test_intervals_cover_the_truth_of_independent_sets():
    rng = np.random.default_rng(1)
    share = np.r_[0.9, 0.7, 0.4, np.full(17, 0.05)]
    q = share.mean()
    truth = 1 - (share * (1 - share)).mean() / (q * (1 - q))
    covered = 0
    for _ in range(300):
        drawn = rng.random((60, share.size)) < share
        drawn[~drawn.any(axis=1), 0] = True
        found = selection_stability([set(np.flatnonzero(row)) for row in drawn], candidates=20)
        covered += found.low <= truth <= found.high
    assert 0.91 <= covered / 300 <= 0.98


def test_equal_sets_are_stable_as_far_as_pairs_of_them_tell():
    found = selection_stability([{"A", "B"}] * 9, candidates=6)
    assert (found.value, found.high, found.jaccard) == (1, 1, 1)
    assert found.low == pytest.approx(0.025 ** (1 / 4), rel=1e-12)
    apart = selection_stability([{name} for name in "ABCD"], candidates=50)
    assert apart.low <= apart.value < 0 < apart.high
    assert apart.jaccard == 0


@pytest.mark.parametrize(
    ("sets", "candidates"),
    [([{"A"}], 5), ([{"A"}, set()], 5), ([{"A"}, {"B"}], 1), ([{"A", "B"}] * 3, 2)],
    ids=["one set", "an empty set", "too few candidates", "everything chosen"],
)
def test_sets_that_say_nothing_are_refused(sets, candidates):
    with pytest.raises(DataError, match="expected two sets"):
        selection_stability(sets, candidates=candidates)


def test_planted_genes_come_back(like):
    parts = [made(like, name, n=150, beta=0.8, seed=k) for k, name in enumerate(("one", "two"))]
    found = gene_stability(rule_of(), judge_of(parts, bootstraps=30), locked=("G5", "G9"))
    table = found.tables["stability"].set_index("gene")
    assert (table.loc[["G5", "G9"], "share"] >= 0.9).all()
    assert (table["share"].drop(["G5", "G9"]) <= 0.1).all()
    assert found.tables["stability_sets"]["genes"].iloc[0] == "G5 + G9"
    stability, outside = found.metrics
    assert stability.low > 0.7
    assert outside.low > 0.6
    alone = round(found.tables["stability_sets"]["share"].iloc[0] * 30)
    assert f"G5 + G9 came back with no other in {alone}" in found.notes[-1][1]


def test_noise_prefers_no_gene_though_some_gene_comes_back_often(like):
    """Which one is most frequent is drawn by lot; how often it comes back is far above 1 / d."""
    first, most, outside, d = [], [], [], 40
    for seed in range(12):
        judge = judge_of([made(like, "noise", n=60, genes=d, seed=seed)], seed=seed)
        found = gene_stability(rule_of(1), judge)
        first.append(found.tables["stability"]["gene"].iloc[0])
        most.append(found.tables["stability"]["share"].iloc[0])
        outside.append(found.metrics[1].value)
    of_one_half = sum(int(gene[1:]) < d // 2 for gene in first)
    assert binomtest(of_one_half, 12, 0.5).pvalue > 0.01
    assert len(set(first)) > 6
    assert np.mean(most) > 5 / d
    assert abs(np.mean(outside) - 0.5) < 3 * np.std(outside, ddof=1) / np.sqrt(len(outside))


def test_subsamples_have_the_same_part_of_every_cohort_with_and_without_the_event(like, spy):
    parts = [made(like, "one", n=80), made(like, "two", n=50)]
    judge = judge_of(parts, bootstraps=15)
    gene_stability(rule_of(kind=spy), judge)
    everyone = pd.DataFrame(
        {"cohort": judge.discovery.cohorts, "event": judge.discovery.outcome.event}
    )
    expected = (0.632 * everyone.value_counts()).round().sort_index()
    assert len(spy.seen) == 15
    assert len({tuple(members) for members in spy.seen}) == 15
    for members in spy.seen:
        assert members.is_unique
        counted = everyone.loc[members].value_counts().sort_index()
        assert counted.to_dict() == expected.to_dict()
    assert set(spy.fewest) == {6}


def test_concordance_outside_is_that_of_patients_not_drawn_within_cohorts(like, spy):
    parts = [made(like, "one", n=60, beta=0.6), made(like, "two", n=50, beta=0.6, seed=1)]
    judge = judge_of(parts, bootstraps=4)
    found = gene_stability(rule_of(kind=spy), judge)
    discovery = judge.discovery
    y = pd.Series(list(discovery.outcome.to_structured()), index=discovery.expression.index)
    values = []
    for members in list(spy.seen):
        chosen = discovery.expression.loc[members]
        target = discovery.outcome.for_patients(members).to_structured()
        fitted = clone(rule_of()).set_params(minimum_events=6).fit(chosen, target)
        others = discovery.expression.index.difference(members, sort=False)
        risk = fitted.predict(discovery.expression.loc[others])
        cohort = discovery.cohorts
        won = [
            (risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j])
            for i in others
            for j in others
            if cohort[i] == cohort[j] and y[i][0] and y[i][1] < y[j][1]
        ]
        values.append(np.mean(won))
    outside = found.metrics[1]
    assert outside.name == "signature_c_index_out_of_bag"
    assert outside.value == pytest.approx(np.mean(values), rel=1e-12)
    assert (outside.low, outside.high) == pytest.approx(tuple(np.percentile(values, [2.5, 97.5])))


def test_shares_and_their_intervals_are_counts(like, spy):
    judge = judge_of([made(like, "one", beta=0.4)], bootstraps=12)
    found = gene_stability(rule_of(), judge, locked=("G5", "absent"))
    table = found.tables["stability"]
    assert list(table) == ["gene", "share", "low", "high", "bootstraps"]
    assert list(found.tables["stability_sets"]) == ["genes", "share", "low", "high", "bootstraps"]
    assert table["share"].sum() == pytest.approx(2)
    assert found.tables["stability_sets"]["share"].sum() == pytest.approx(1)
    assert table["share"].is_monotonic_decreasing
    assert table.set_index("gene").loc["absent", "share"] == 0
    for row in table.itertuples():
        exact = binomtest(round(row.share * 12), 12).proportion_ci(0.95, "exact")
        assert (row.low, row.high) == pytest.approx((exact.low, exact.high), rel=1e-9, abs=1e-12)
    sets = [set(text.split(" + ")) for text in found.tables["stability_sets"]["genes"]]
    times = (found.tables["stability_sets"]["share"] * 12).round().astype(int)
    again = [chosen for chosen, count in zip(sets, times, strict=True) for _ in range(count)]
    expected = selection_stability(again, candidates=40)
    metric = found.metrics[0]
    assert (metric.value, metric.low, metric.high) == pytest.approx(expected[:3], rel=1e-12)


def test_numbers_do_not_depend_on_the_processes_but_on_the_seed(like):
    parts = [made(like, "one", beta=0.3)]
    one, two, other = (
        gene_stability(rule_of(), judge_of(parts, bootstraps=8, jobs=jobs, seed=seed))
        for jobs, seed in ((1, 3), (2, 3), (1, 4))
    )
    assert one.metrics == two.metrics
    assert one.notes == two.notes
    for name, table in one.tables.items():
        pd.testing.assert_frame_equal(table, two.tables[name])
    assert one.metrics != other.metrics


def test_derivations_that_fail_are_counted_and_left_out(like, spy, monkeypatch):
    judge = judge_of([made(like, "one", beta=0.5)], bootstraps=10)
    monkeypatch.setattr(Spy, "refuse", (2, 7))
    found = gene_stability(rule_of(kind=spy), judge)
    assert set(found.tables["stability"]["bootstraps"]) == {8}
    level, text = found.notes[0]
    assert (level, "2 of 10 repeated derivations failed" in text) == ("warning", True)
    assert "found none. Use more patients" in text
    monkeypatch.setattr(Spy, "refuse", tuple(range(100)))
    monkeypatch.setattr(Spy, "seen", [])
    none = gene_stability(rule_of(kind=spy), judge)
    assert (none.metrics, dict(none.tables)) == ((), {})
    assert "10 of 10" in none.notes[0][1]


def test_a_search_that_chooses_nothing_is_told(like):
    """BIC keeps no gene of noise in some subsample."""
    rule = SignatureDerivation(
        SurvivalScreen(alpha=1, k=5), StepwiseCox(criterion="bic", max_genes=2), minimum_events=10
    )
    found = gene_stability(rule, judge_of([made(like, "noise", genes=12, seed=4)], bootstraps=10))
    told = [text for level, text in found.notes if level == "warning"]
    assert len(told) == 1
    assert "the search chose no gene" in told[0]


def test_few_events_fail_in_every_part_and_no_bootstraps_say_nothing(like):
    part = made(like, "one", n=60)
    judge = judge_of([part], bootstraps=5)
    found = gene_stability(rule_of().set_params(minimum_events=200), judge)
    assert not found.tables
    assert "5 of 5 repeated derivations failed" in found.notes[0][1]
    silent = gene_stability(rule_of(), judge_of([part], bootstraps=0))
    assert (silent.metrics, silent.notes, dict(silent.tables)) == ((), (), {})


def test_one_repetition_has_shares_but_no_stability(like):
    found = gene_stability(rule_of(), judge_of([made(like, "one")], bootstraps=1))
    assert [metric.name for metric in found.metrics] == ["signature_c_index_out_of_bag"]
    assert any("expected two sets" in text for _, text in found.notes)
