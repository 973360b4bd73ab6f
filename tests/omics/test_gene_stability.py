"""Genes that are chosen again and again in complementary halves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.omics.signature.gene_selector import GeneSelector
from radiogenomics.omics.signature.penalised_cox import PenalisedCox
from radiogenomics.omics.signature.screen import SurvivalScreen
from radiogenomics.omics.signature.search import SubsetSearch
from radiogenomics.omics.signature.stability import StabilitySelector


def target(time, event) -> np.ndarray:
    y = np.empty(len(time), dtype=[("event", bool), ("time", float)])
    y["event"], y["time"] = event, time
    return y


class Recorder(GeneSelector):
    """Chooses the first gene and writes down whom it saw."""

    seen: list = []

    def fit(self, expression, y, groups=None):
        self.seen.append((expression.index, y, np.asarray(groups)))
        self.genes_ = (expression.columns[0],)
        return self


@pytest.fixture
def seen():
    Recorder.seen.clear()
    return Recorder.seen


@pytest.fixture
def cohorts(rng) -> tuple[pd.DataFrame, np.ndarray, pd.Series]:
    """Two cohorts, 151 patients; G3 and G7 of 30 genes carry the risk."""
    index = [f"P{i}" for i in range(151)]
    x = pd.DataFrame(rng.normal(size=(151, 30)), columns=[f"G{i}" for i in range(30)], index=index)
    death = rng.exponential(20 * np.exp(-0.8 * (x["G3"] + x["G7"])))
    end = rng.uniform(5, 60, size=151)
    y = target(np.minimum(death, end), death <= end)
    return x, y, pd.Series(np.repeat(["a", "b"], [90, 61]), index=index)


def test_planted_genes_are_stable(cohorts):
    x, y, groups = cohorts
    fitted = StabilitySelector(threshold=0.8, n_pairs=10).fit(x, y, groups)
    assert set(fitted.genes_) == {"G3", "G7"}
    table = fitted.table_
    assert set(table["gene"][:2]) == {"G3", "G7"}
    assert table["frequency"].is_monotonic_decreasing
    assert (table["both"] <= table["frequency"]).all()
    assert table["frequency"].sum() == pytest.approx(fitted.n_chosen_)
    assert table["selected"].tolist() == [True, True] + [False] * 28
    assert fitted.transform(x).columns.tolist() == list(fitted.genes_)
    one = StabilitySelector(threshold=0.8, n_pairs=10, max_genes=1).fit(x, y, groups)
    assert one.genes_ == fitted.genes_[:1]


def test_halves_are_complementary_and_share_the_events_of_every_cohort(cohorts, seen):
    x, y, groups = cohorts
    StabilitySelector(Recorder(), n_pairs=12).fit(x, y, groups)
    assert len(seen) == 24
    for (one, y_one, g_one), (two, y_two, g_two) in zip(seen[::2], seen[1::2], strict=True):
        assert set(one) | set(two) == set(x.index)
        assert len(one) + len(two) == 151 and abs(len(one) - len(two)) == 1
        assert abs(y_one["event"].sum() - y_two["event"].sum()) <= 1
        for cohort in "ab":
            events = [y_[g == cohort]["event"].sum() for y_, g in ((y_one, g_one), (y_two, g_two))]
            assert abs(np.diff(events)[0]) <= 1
        assert (g_one == groups[one]).all()
    firsts = {tuple(one) for one, _, _ in seen[::2]}
    assert len(firsts) == 12


def test_frequencies_count_what_the_base_chooses(cohorts, seen):
    x, y, groups = cohorts
    StabilitySelector(Recorder(), n_pairs=5, random_state=4).fit(x, y, groups)
    base = SurvivalScreen(alpha=1, k=3)
    fitted = StabilitySelector(base, n_pairs=5, random_state=4).fit(x, y, groups)
    rows = [x.index.get_indexer(index) for index, _, _ in seen]
    chosen = [
        np.isin(x.columns, clone(base).fit(x.iloc[r], y[r], groups.iloc[r]).genes_) for r in rows
    ]
    frequency = pd.Series(np.mean(chosen, axis=0), index=x.columns)
    both = pd.Series(np.mean([a & b for a, b in zip(chosen[::2], chosen[1::2], strict=True)], 0))
    table = fitted.table_.set_index("gene")
    assert_allclose(table["frequency"], frequency[table.index], rtol=1e-12)
    assert_allclose(table["both"], both.set_axis(x.columns)[table.index], rtol=1e-12)
    assert fitted.n_chosen_ == 3
    assert set(fitted.genes_) == set(frequency.index[frequency >= 0.6 - 1e-9])


@pytest.mark.parametrize("threshold", [0.6, 0.75, 0.9, 1.0])
@pytest.mark.parametrize("p", [4, 9, 30, 200])
def test_default_base_keeps_the_bound_at_one(p, threshold, rng):
    q = StabilitySelector(threshold=threshold)._base(p).max_genes
    allowed = [k for k in range(1, p + 1) if k**2 / ((2 * threshold - 1) * p) <= 1 + 1e-9]
    assert q == max(1, min(p // 2, max(2, max(allowed, default=0))))


def test_bound_by_hand(cohorts):
    x, y, groups = cohorts
    base = PenalisedCox(rule=None, max_genes=3)
    fitted = StabilitySelector(base, 0.75, n_pairs=5).fit(x, y, groups)
    q = fitted.n_chosen_
    assert q == pytest.approx(3, abs=0.2)
    # Shah and Samworth: q² / ((2 * 0.75 - 1) * 30)
    assert fitted.expected_false_ == pytest.approx(q * q / 15, rel=1e-12)


def test_false_genes_stay_below_the_bound_over_studies():
    """Mean number of kept noise genes over simulated studies; the bound is on that mean."""
    false, bounds, found = [], [], []
    base = SurvivalScreen(alpha=1, k=4)
    for seed in range(20):
        rng = np.random.default_rng([12, seed])
        x = pd.DataFrame(rng.normal(size=(80, 24)), columns=[f"G{i}" for i in range(24)])
        y = target(rng.exponential(np.exp(-1.2 * x["G0"])), np.ones(80))
        fitted = StabilitySelector(base, 0.7, n_pairs=6, random_state=seed).fit(x, y)
        false.append(len(set(fitted.genes_) - {"G0"}))
        found.append("G0" in fitted.genes_)
        bounds.append(fitted.expected_false_)
    assert_allclose(bounds, 16 / (0.4 * 24), rtol=1e-12)
    assert np.mean(false) < bounds[0]
    assert np.mean(false) > 0
    assert np.mean(found) > 0.95


def test_noise_leaves_nothing_or_little(cohorts, rng):
    x, y, groups = cohorts
    kept = [
        len(StabilitySelector(n_pairs=4, threshold=0.9).fit(x, rng.permutation(y), groups).genes_)
        for _ in range(4)
    ]
    assert np.mean(kept) <= 1


def test_a_base_that_falls_back_has_chosen_nothing(cohorts):
    x, y, groups = cohorts
    fitted = StabilitySelector(SurvivalScreen(alpha=1e-30), n_pairs=3).fit(x, y, groups)
    assert fitted.genes_ == ()
    assert fitted.n_chosen_ == fitted.expected_false_ == 0
    assert fitted.transform(x).shape == (151, 0)


def test_any_selector_is_wrapped_and_the_seed_decides(cohorts):
    x, y, groups = cohorts
    rule = StabilitySelector(SubsetSearch(2, 2, keep=1), n_pairs=2)
    first, again = clone(rule).fit(x, y, groups), clone(rule).fit(x, y, groups)
    assert set(first.genes_) == {"G3", "G7"}
    assert first.table_.equals(again.table_)
    base = PenalisedCox(rule=None, max_genes=6)
    one, two = (
        StabilitySelector(base, n_pairs=4, random_state=s).fit(x, y, groups) for s in (1, 2)
    )
    assert not one.table_.equals(two.table_)


def test_a_patient_drawn_twice_is_in_one_half(cohorts, seen, rng):
    x, y, groups = cohorts
    drawn = rng.integers(0, len(x), size=len(x))
    StabilitySelector(Recorder(), n_pairs=3).fit(x.iloc[drawn], y[drawn], groups.iloc[drawn])
    for (one, _, _), (two, _, _) in zip(seen[::2], seen[1::2], strict=True):
        assert not set(one) & set(two)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold": 0.5}, "threshold"),
        ({"threshold": 1.1}, "threshold"),
        ({"n_pairs": 0}, "n_pairs"),
        ({"max_genes": 0}, "max_genes"),
    ],
    ids=str,
)
def test_senseless_settings_are_named(settings, message, cohorts):
    with pytest.raises(DataError, match=message):
        StabilitySelector(**settings).fit(*cohorts)


def test_too_few_events_are_named(cohorts):
    x, y, groups = cohorts
    with pytest.raises(OutcomeError, match="at least 4 patients with an event.*found 3"):
        StabilitySelector().fit(x, target(y["time"], np.arange(151) < 3), groups)
