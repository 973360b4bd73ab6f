from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pingouin
import pytest

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.evaluation.agreement import ALL_READERS, reader_agreement

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "stats"


@pytest.fixture
def lengths() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "agreement_lengths.csv")


@pytest.fixture
def ratings() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "agreement_ratings.csv")


def expected(case: str) -> pd.Series:
    rows = pd.read_csv(REFERENCE / "agreement.csv")
    return rows[rows["case"] == case].groupby("name")["value"].first()


def of(table: pd.DataFrame, statistic: str, first: object = None) -> pd.Series:
    rows = table[table["statistic"] == statistic]
    return (rows if first is None else rows[rows["first"] == first]).iloc[0]


def test_measurements_match_r(lengths: pd.DataFrame) -> None:
    found = reader_agreement(lengths)
    bland, lin, again = expected("bland"), expected("lin"), expected("repeat")
    exact = expected("exact")
    for statistic, value, low, high in (
        ("bias", bland["bias"], bland["bias_low"], bland["bias_high"]),
        ("lower limit of agreement", bland["lower"], exact["lower_low"], exact["lower_high"]),
        ("upper limit of agreement", bland["upper"], exact["upper_low"], exact["upper_high"]),
        ("concordance correlation", lin["value"], lin["low"], lin["high"]),
        ("within-subject SD", again["within_sd"], again["low"], again["high"]),
        ("slope of difference on mean", bland["slope"], bland["slope_low"], bland["slope_high"]),
    ):
        row = of(found, statistic)
        assert row[["value", "low", "high"]].tolist() == pytest.approx([value, low, high], rel=1e-9)
    assert of(found, "bias")["p"] == pytest.approx(bland["bias_p"], rel=1e-9)
    assert set(found["subjects"]) == {43}
    assert set(found["left_out"]) == {2}


def test_intraclass_correlations_match_pingouin(rng: np.random.Generator) -> None:
    truth = rng.normal(50, 10, (20, 1))
    wide = pd.DataFrame(truth + rng.normal([0, 2, -1], 4, (20, 3)), columns=list("xyz"))
    found = reader_agreement(wide, forms=["ICC(1,1)", "ICC(2,1)", "ICC(3,1)"])
    long = wide.rename_axis("patient").reset_index().melt("patient")
    theirs = pingouin.intraclass_corr(long, "patient", "variable", "value")["ICC"].tolist()
    rows = found[(found["first"] == ALL_READERS) & found["statistic"].str.startswith("ICC")]
    assert rows["value"].tolist() == pytest.approx(theirs[:3], rel=1e-9)


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
def test_categories_match_r(ratings: pd.DataFrame, weights: str | None) -> None:
    found = reader_agreement(ratings, categories=[1, 2, 3, 4], weights=weights)
    name = f"kappa, {weights} weights" if weights else "kappa"
    kappas = found[found["statistic"] == name]
    assert (kappas["first"] + kappas["second"]).tolist() == ["ab", "ac", "bc"]
    for row in kappas.itertuples():
        r = expected(f"{row.first}.{row.second}.{weights or 'none'}")
        assert [row.value, row.low, row.high] == pytest.approx(
            r[["value", "low", "high"]].tolist(), rel=1e-9
        )
        assert row.p == pytest.approx(r["p"], rel=1e-8)
    fleiss = expected("fleiss")
    assert of(found, "Fleiss' kappa")["value"] == pytest.approx(fleiss["value"], rel=1e-10)
    assert of(found, "share on which all agree")["value"] == pytest.approx(fleiss["unanimous"])
    assert of(found, "share of agreeing pairs")["value"] == pytest.approx(fleiss["agreement"])
    assert of(found, "Fleiss' kappa: 4", ALL_READERS)["subjects"] == 86


def test_long_and_wide_tables_say_the_same(lengths: pd.DataFrame, rng: np.random.Generator) -> None:
    long = lengths.rename_axis("patient").reset_index().melt("patient", var_name="who")
    shuffled = long.dropna().iloc[rng.permutation(len(long.dropna()))]
    found = reader_agreement(shuffled, subject="patient", reader="who", value="value")
    pd.testing.assert_frame_equal(found, reader_agreement(lengths), rtol=1e-12)


def test_a_pandas_categorical_brings_its_order(ratings: pd.DataFrame) -> None:
    names = ["CR", "PR", "SD", "PD"]
    kind = pd.CategoricalDtype(names, ordered=True)
    text = ratings.apply(lambda column: column.map(dict(enumerate(names, 1))))
    found = reader_agreement(text.astype(kind), weights="linear")
    wanted = reader_agreement(ratings, categories=[1, 2, 3, 4], weights="linear")
    np.testing.assert_allclose(found["value"], wanted["value"])
    for unordered in (text, text.astype("category")):
        with pytest.raises(DataError, match="order of the categories"):
            reader_agreement(unordered, weights="linear")
    assert not reader_agreement(text)["value"].isna().any()


def test_booleans_are_categories() -> None:
    wide = pd.DataFrame({"x": [True, True, False, False], "y": [True, False, False, False]})
    found = reader_agreement(wide).set_index("statistic")["value"]
    assert found["kappa"] == 0.5
    assert found["share of agreement"] == 0.75


def test_a_reader_with_one_category_warns(ratings: pd.DataFrame) -> None:
    with pytest.warns(RadiogenomicsWarning, match="one category"):
        found = reader_agreement(ratings[["a"]].assign(z=2), categories=[1, 2, 3, 4])
    assert of(found, "kappa")["value"] == pytest.approx(0, abs=1e-12)


def test_what_cannot_be_compared_is_refused(lengths: pd.DataFrame) -> None:
    long = pd.DataFrame({"p": ["a", "a", "b"], "r": [1, 1, 2], "v": [1.0, 2.0, 3.0]})
    for error, match, call in (
        (DataError, "two or more readers", lambda: reader_agreement(lengths[["x"]])),
        (DataError, "one value for all by y", lambda: reader_agreement(lengths.assign(y=4.0))),
        (DataError, "finite readings", lambda: reader_agreement(lengths.assign(y=np.inf))),
        (DataError, "subject, reader and value", lambda: reader_agreement(long, subject="p")),
        (
            AlignmentError,
            "a by 1",
            lambda: reader_agreement(long, subject="p", reader="r", value="v"),
        ),
        (
            UnknownNameError,
            "'rr'",
            lambda: reader_agreement(long, subject="p", reader="rr", value="v"),
        ),
        (
            AlignmentError,
            "at least 3 patients read by x and y",
            lambda: reader_agreement(lengths.assign(y=lengths["y"].where(lengths.index < 2))),
        ),
        (AlignmentError, "repeated patients", lambda: reader_agreement(pd.concat([lengths] * 2))),
        (DataError, "confidence level", lambda: reader_agreement(lengths, level=95)),
    ):
        with pytest.raises(error, match=match):
            call()


def test_patients_read_by_different_readers_only_are_refused() -> None:
    apart = pd.DataFrame(
        {"x": [1.0, 2, 3, np.nan, np.nan, np.nan], "y": [np.nan, np.nan, np.nan, 1.0, 2, 3]}
    )
    with pytest.raises(AlignmentError, match="found 0 of 6"):
        reader_agreement(apart)
