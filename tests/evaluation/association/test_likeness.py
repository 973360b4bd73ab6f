from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr, spearmanr

from radiogenomics.core.errors import AlignmentError, DataError
from radiogenomics.evaluation.association.likeness import likeness_table


@pytest.fixture
def tables(rng) -> tuple[pd.DataFrame, pd.DataFrame]:
    known = pd.DataFrame(rng.normal(size=(40, 30))).rename(columns="r{}".format)
    known["r3"] = known["r3"].round()
    deep = known.iloc[:, :12].to_numpy() * -1.5 + rng.normal(size=(40, 12))
    return pd.DataFrame(deep).rename(columns="d{}".format), known


@pytest.mark.parametrize(("method", "one"), [("spearman", spearmanr), ("pearson", pearsonr)])
def test_agrees_with_scipy_pair_by_pair(method: str, one, tables) -> None:
    deep, known = tables
    table = likeness_table(deep, known, count=4, source="radiomics", method=method)
    assert list(table) == ["feature", "rank", "similar", "rho", "source"]
    assert table["feature"].tolist() == np.repeat(deep.columns, 4).tolist()
    for name, rows in table.groupby("feature"):
        rho = pd.Series({c: one(deep[name], known[c]).statistic for c in known})
        best = rho.loc[rho.abs().sort_values(ascending=False).index[:4]]
        assert rows["similar"].tolist() == best.index.tolist()
        np.testing.assert_allclose(rows["rho"], best, atol=1e-11)
        assert rows["rank"].tolist() == [1, 2, 3, 4] and set(rows["source"]) == {"radiomics"}


def test_what_a_column_was_made_from_is_found(tables) -> None:
    deep, known = tables
    first = likeness_table(deep, known, count=1)
    assert first["similar"].tolist() == [f"r{i}" for i in range(12)]
    assert (first["rho"] < -0.5).all()


def test_more_columns_than_are_worked_on_at_once(rng) -> None:
    many = pd.DataFrame(rng.normal(size=(20, 1500))).rename(columns=str)
    known = many[["3", "1400"]].rename(columns="k{}".format)
    table = likeness_table(many, known, count=1).set_index("feature")
    assert table.loc["3", "similar"] == "k3" and table.loc["1400", "similar"] == "k1400"
    assert table.loc[["3", "1400"], "rho"].tolist() == [1.0, 1.0]


def test_equal_columns_come_in_their_order_and_count_may_exceed_them(tables) -> None:
    deep, known = tables
    twins = known[["r0"]].assign(again=-known["r0"], third=2 * known["r0"])
    table = likeness_table(deep[["d0"]], twins, count=9)
    assert table["similar"].tolist() == ["r0", "again", "third"]
    assert table["rho"].iloc[0] == -table["rho"].iloc[1]


def test_bad_input_says_what_is_expected(tables) -> None:
    deep, known = tables
    with pytest.raises(AlignmentError, match="features and radiomic columns"):
        likeness_table(deep, known.iloc[::-1])
    with pytest.raises(DataError, match="radiomic columns: expected columns that vary.*r1"):
        likeness_table(deep, known.assign(r1=3.0))
    with pytest.raises(DataError, match="features: expected complete.*d2"):
        likeness_table(deep.assign(d2=np.nan), known)
    with pytest.raises(DataError, match="1 similar column or more"):
        likeness_table(deep, known, count=0)
