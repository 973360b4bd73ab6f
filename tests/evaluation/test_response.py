"""Scores against response: held against pROC and metafor, by hand, and in a null world."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from scipy.stats import kstest
from sklearn.metrics import roc_auc_score

from radiogenomics.core.errors import AlignmentError, DataError, RadiogenomicsWarning, StudyError
from radiogenomics.evaluation.response import POOLED_ROW, ResponseScores, _areas, response_auc
from radiogenomics.stats.classification.auc import delong
from radiogenomics.stats.permutation import permutation_p

REFERENCE = Path(__file__).parents[1] / "reference" / "evaluation"
INPUT = pd.read_csv(REFERENCE / "response_input.csv")
EXPECTED = pd.read_csv(REFERENCE / "response.csv")
SPREAD = pd.read_csv(REFERENCE / "response_heterogeneity.csv").set_index("score")


def part(score: list[float], responder: list[int], cohort: str = "one") -> ResponseScores:
    names = [f"P{i}" for i in range(len(score))]
    return ResponseScores(
        cohort,
        pd.Series(score, index=names, dtype=float),
        pd.Series(np.array(responder, dtype=bool), index=names),
    )


def reference(name: str) -> list[ResponseScores]:
    return [
        part(list(rows[name]), list(rows["responder"]), str(cohort))
        for cohort, rows in INPUT.groupby("cohort")
    ]


@pytest.mark.parametrize("name", ["plain", "tied"])
def test_r_finds_the_same(name, rng):
    metrics, tables = response_auc(reference(name), name=name, permutations=0, rng=rng)
    expected = EXPECTED[EXPECTED["score"] == name].set_index("cohort")
    found = tables["response"].set_index("cohort")
    assert list(found.index) == list(expected.index) and found.index[-1] == POOLED_ROW
    columns = ["auc", "low", "high", "p"]
    np.testing.assert_allclose(found[columns], expected[columns], rtol=1e-7)
    spread = tables["response_heterogeneity"].set_index("score").loc[name]
    for column in SPREAD.columns:
        assert spread[column] == pytest.approx(SPREAD.loc[name, column], rel=1e-7, abs=1e-10)
    assert [m.split for m in metrics] == [*"abcde", "pooled"]
    assert {m.name for m in metrics} == {f"auc_response:{name}"}
    assert all(m.p_permutation is None for m in metrics)


def test_permuted_areas_and_variances_are_those_of_each_labelling(rng):
    """The batch behind the null, against the estimate of every permuted cohort alone."""
    one = reference("tied")[0]
    order = rng.permutation(len(one.score))
    shuffled = ResponseScores(
        "a", one.score, pd.Series(one.responder.to_numpy()[order], index=one.score.index)
    )
    pair = [shuffled, *reference("tied")[1:2]]
    _, tables = response_auc(pair, name="s", permutations=0, rng=rng)
    labels = np.array([rng.permutation(one.responder.to_numpy()) for _ in range(50)])
    areas = _areas(one.score.to_numpy(), labels)
    for k, row in enumerate(labels):
        single = delong(one.score, row)
        assert areas.value[k] == pytest.approx(single.value, rel=1e-12)
        error = np.sqrt(single.variance) / (single.value * (1 - single.value))
        assert areas.error[k] == pytest.approx(error, rel=1e-12)
    first = tables["response"].iloc[0]
    assert first["auc"] == pytest.approx(roc_auc_score(shuffled.responder, one.score), rel=1e-12)


def test_the_permutation_p_counts_responses_dealt_again():
    rng = np.random.default_rng(3)
    one = part([0.1, 0.9, 0.4, 0.8, 0.7, 0.2, 0.6], [0, 1, 0, 1, 1, 0, 0])
    metrics, tables = response_auc([one], name="s", permutations=4000, rng=rng)
    # Three responders of seven: the best of 35 ways to choose them.
    assert metrics[0].p_permutation == pytest.approx(1 / 35, abs=0.01)
    assert set(tables) == {"response"} and len(tables["response"]) == 1


def test_responses_dealt_at_random_give_uniform_p(rng):
    sizes = (20, 35, 27)
    found = []
    for _ in range(200):
        parts = [
            part(list(rng.normal(size=n)), list(rng.permutation(np.arange(n) < n // 3)), f"c{n}")
            for n in sizes
        ]
        metrics, tables = response_auc(parts, name="s", permutations=99, rng=rng)
        found.append((metrics[-1].p_permutation, tables["response"]["p"].iloc[-1]))
    permuted, wald = np.array(found).T
    assert kstest(permuted, "uniform").pvalue > 0.001
    assert kstest(wald, "uniform").pvalue > 0.001


def test_separated_classes_are_pooled_with_a_shrunken_area(rng):
    """A perfect cohort of 3 and 4 counts as 12.5 of 13 pairs, with Hanley and McNeil's variance."""
    perfect = part([1, 2, 3, 4, 5, 6, 7], [0, 0, 0, 0, 1, 1, 1], "perfect")
    other = reference("plain")[0]
    _, tables = response_auc([perfect, other], name="s", permutations=9, rng=rng)
    found = tables["response"].set_index("cohort")
    assert found.loc["perfect", "auc"] == 1 and found.loc["perfect", "low"] < 0.5
    a = 12.5 / 13
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    variance = (a * (1 - a) + 2 * (q1 - a * a) + 3 * (q2 - a * a)) / 12
    y = np.array([logit(a), logit(found.loc["a", "auc"])])
    error = np.array([np.sqrt(variance) / (a * (1 - a)), np.nan])
    other_row = found.loc["a"]
    error[1] = (logit(other_row["high"]) - logit(other_row["low"])) / (2 * 1.959963984540054)
    spread = tables["response_heterogeneity"].iloc[0]
    weight = 1 / (error**2 + spread["tau2"])
    expected = expit((weight * y).sum() / weight.sum())
    assert found.loc[POOLED_ROW, "auc"] == pytest.approx(expected, rel=1e-9)


def test_one_responder_can_be_judged(rng):
    lonely = part([1.0, 2, 3, 4, 2.5], [0, 0, 0, 0, 1])
    metrics, tables = response_auc([lonely], name="s", permutations=99, rng=rng)
    assert metrics[0].value == 0.5 and metrics[0].low < 0.2 < 0.8 < metrics[0].high
    assert np.isfinite(tables["response"]["p"]).all()


def test_a_score_turned_round_has_the_other_area(rng):
    parts = reference("plain")
    turned = [ResponseScores(p.cohort, -p.score, p.responder) for p in parts]
    one, other = (response_auc(x, name="s", permutations=0, rng=rng)[1] for x in (parts, turned))
    np.testing.assert_allclose(one["response"]["auc"], 1 - other["response"]["auc"], rtol=1e-9)
    np.testing.assert_allclose(one["response"]["p"], other["response"]["p"], rtol=1e-7)


def test_the_pooled_p_repeats_the_pooling(rng):
    """Against a null drawn here, with the weights of every permutation taken anew."""
    parts = reference("tied")
    metrics, _ = response_auc(parts, name="s", permutations=499, rng=rng)
    null = []
    for _ in range(300):
        dealt = [
            ResponseScores(
                p.cohort,
                p.score,
                pd.Series(rng.permutation(p.responder.to_numpy()), index=p.score.index),
            )
            for p in parts
        ]
        null.append(response_auc(dealt, name="s", permutations=0, rng=rng)[0][-1].value)
    assert metrics[-1].p_permutation == pytest.approx(
        permutation_p(metrics[-1].value, null), abs=0.03
    )


def test_cohorts_that_cannot_be_judged_are_left_out_by_name(rng):
    fine = reference("plain")[0]
    same = part([1.0, 1, 1, 1], [0, 1, 0, 1], "same")
    one_kind = part([1.0, 2, 3, 4], [1, 1, 1, 1], "kind")
    with pytest.warns(RadiogenomicsWarning) as caught:
        metrics, tables = response_auc([same, one_kind, fine], name="s", permutations=0, rng=rng)
    assert [str(w.message).partition(":")[0] for w in caught] == ["same, s", "kind, s"]
    assert [m.split for m in metrics] == ["a"] and set(tables) == {"response"}
    with pytest.warns(RadiogenomicsWarning, match="the same score for all 4"):
        assert response_auc([same], name="s", rng=rng) == ((), {})


def test_unfit_cohorts_are_named(rng):
    fine = reference("plain")[0]
    with pytest.raises(StudyError, match="found none"):
        response_auc([], name="s", rng=rng)
    with pytest.raises(StudyError, match="each once"):
        response_auc([fine, fine], name="s", rng=rng)
    with pytest.raises(StudyError, match="none called 'pooled'"):
        response_auc([part([1.0, 2], [0, 1], "pooled")], name="s", rng=rng)
    with pytest.raises(AlignmentError, match="same patients"):
        response_auc(
            [ResponseScores("a", fine.score, fine.responder.iloc[::-1])], name="s", rng=rng
        )
    with pytest.raises(DataError, match="finite scores"):
        response_auc([part([1.0, np.nan, 2], [0, 1, 1])], name="s", rng=rng)
