from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import AlignmentError, SchemaError, UnknownNameError
from radiogenomics.core.method import Method
from radiogenomics.omics.identifiers import RepeatedGeneSelector, collapse_repeated


@parametrize_with_checks([RepeatedGeneSelector(), RepeatedGeneSelector(rule="max_variance")])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


def test_mean_and_first_by_hand() -> None:
    values = pd.DataFrame(
        [[1.0, 5.0, 3.0, 8.0], [np.nan, 6.0, 4.0, 8.0]], columns=["B", "A", "B", "A"]
    )
    mean = collapse_repeated(values, "mean")
    assert mean.columns.tolist() == ["B", "A"]
    assert mean.to_numpy().tolist() == [[2.0, 6.5], [4.0, 7.0]]
    first = collapse_repeated(values, "first")
    assert np.array_equal(first.to_numpy(), [[1, 5], [np.nan, 6]], equal_nan=True)


def test_nothing_repeated_is_left_alone() -> None:
    values = pd.DataFrame([[1, 2]], columns=["B", "A"])
    assert collapse_repeated(values) is values


def test_repeated_without_rule() -> None:
    values = pd.DataFrame([[1.0, 2.0]], columns=["A", "A"])
    with pytest.raises(AlignmentError, match="found 1 genes with several .A."):
        collapse_repeated(values)
    with pytest.raises(UnknownNameError, match="max_variance"):
        collapse_repeated(values, "max")


@pytest.fixture
def probes(rng) -> tuple[pd.DataFrame, dict[str, str]]:
    values = rng.normal(rng.uniform(4, 9, 30), rng.uniform(0.2, 2, 30), size=(40, 30))
    names = [f"p{i}" for i in range(30)]
    return pd.DataFrame(values, columns=names), {n: f"G{i % 11}" for i, n in enumerate(names)}


@pytest.mark.parametrize(("rule", "measure"), [("max_mean", "mean"), ("max_variance", "var")])
def test_agrees_with_grouping_in_pandas(probes, rule, measure) -> None:
    values, symbols = probes
    strength = getattr(values, measure)()
    best = strength.groupby(pd.Series(symbols)).idxmax()
    selector = RepeatedGeneSelector(symbols, rule).fit(values)
    np.testing.assert_allclose(selector.strength_, strength, rtol=1e-12)
    assert set(values.columns[selector.support_]) == set(best)
    out = selector.set_output(transform="pandas").transform(values)
    for gene, probe in best.items():
        assert np.array_equal(out[gene], values[probe])


def test_choice_is_that_of_the_training_samples(probes) -> None:
    values, symbols = probes
    selector = RepeatedGeneSelector(symbols).fit(values[:20])
    turned = -values[20:]
    assert np.array_equal(selector.transform(turned), turned.to_numpy()[:, selector.support_])


def test_gaps_are_left_out_and_empty_columns_lose() -> None:
    values = pd.DataFrame({"a": [9.0, np.nan, np.nan], "b": [5.0, 5.0, 5.0], "c": [np.nan] * 3})
    fitted = RepeatedGeneSelector(dict.fromkeys("abc", "G")).fit(values)
    assert values.columns[fitted.support_].tolist() == ["a"]
    assert fitted.get_feature_names_out().tolist() == ["G"]


def test_columns_without_symbol_stand_for_themselves() -> None:
    values = pd.DataFrame([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]], columns=["a", "b", "c"])
    fitted = RepeatedGeneSelector({"a": "G", "b": "G", "c": None}).fit(values)
    assert fitted.get_feature_names_out().tolist() == ["G", "c"]


def test_bad_input(probes) -> None:
    values, symbols = probes
    with pytest.raises(UnknownNameError, match="max_mean"):
        RepeatedGeneSelector(symbols, "mean").fit(values)
    with pytest.raises(SchemaError, match="Pass a DataFrame"):
        RepeatedGeneSelector(symbols).fit(values.to_numpy())
    with pytest.raises(SchemaError, match="@site"):
        RepeatedGeneSelector(symbols).fit(values.assign(**{"@site": 1.0}))


def test_card() -> None:
    assert isinstance(RepeatedGeneSelector.card, Method) and RepeatedGeneSelector.card.learns
    assert clone(RepeatedGeneSelector({"a": "G"})).symbols == {"a": "G"}
