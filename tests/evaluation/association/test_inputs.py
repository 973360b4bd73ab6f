"""What a map makes of tables that are not as they ought to be."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.evaluation.association.inputs import covariate_columns
from radiogenomics.evaluation.association.map import MapSettings, associate

N = 48
ALL = MapSettings(permutations=19)
SETS = {f"SET{k}": [f"G{g}" for g in range(4 * k, 4 * k + 12)] for k in range(8)}


def test_missing_values_are_the_median_and_said(features, genes) -> None:
    gappy, whole = genes.copy(), genes.copy()
    gappy.iloc[[0, 5, 9], 3] = [np.nan, np.inf, np.nan]
    whole.iloc[[0, 5, 9], 3] = gappy["G3"][np.isfinite(gappy["G3"])].median()
    with pytest.warns(RadiogenomicsWarning, match="1 of 60 genes have missing.*at most 6%"):
        found = associate(features, gappy, settings=ALL)
    expected = associate(features, whole, settings=ALL)
    pd.testing.assert_frame_equal(found.rho, expected.rho)


def test_columns_that_say_nothing_are_left_out_and_named(features, genes, covariates) -> None:
    table = features.assign(
        constant=1.0,
        rare=np.r_[np.zeros(N - 4), 1, 2, 3, 4],
        sparse=np.r_[np.full(N - 30, np.nan), np.arange(30)],
        size=covariates["volume"] ** 3,
        just=np.r_[np.zeros(N - 5), 1, 2, 3, 4, 5],
    )
    with pytest.warns(RadiogenomicsWarning, match="features are not in the map") as said:
        found = associate(table, genes, covariates=covariates, settings=ALL)
    assert any("one value in over 90%: 2" in str(each.message) for each in said)
    left = found.tables["left_out"].set_index("name")
    assert left["kind"].eq("feature").all()
    assert left["reason"].to_dict() == {
        "sparse": "missing in over 20%",
        "constant": "one value in over 90%",
        "rare": "one value in over 90%",
        "size": "explained by the covariates",
    }
    assert list(found.rho.index) == [*features.columns, "just"]


def test_sets_beyond_the_limits_are_left_out_and_named(features, genes) -> None:
    given = SETS | {
        "ELSEWHERE": [f"X{i}" for i in range(20)],
        "HALF": [f"G{i}" for i in range(10)] + [f"X{i}" for i in range(11)],
        "SMALL": ["G1", "G2"],
        "TWICE": [f"G{i}" for i in range(10)] * 2,
    }
    with pytest.warns(RadiogenomicsWarning, match="3 of 12 gene sets are not in the map"):
        found = associate(features, genes, gene_sets=given, settings=ALL)
    assert list(found.contrast) == [*SETS, "TWICE"]
    assert set(found.tables["left_out"]["name"]) == {"ELSEWHERE", "HALF", "SMALL"}
    assert "(10 of 21)" in found.tables["left_out"].set_index("name").loc["HALF", "reason"]
    with pytest.raises(DataError, match=r"found none of 1 among 60 genes.*Use symbols in both"):
        associate(features, genes, gene_sets={"X": given["ELSEWHERE"]}, settings=ALL)


def test_categories_are_indicators_and_numbers_are_ranked(covariates) -> None:
    known = covariates.assign(
        stage=pd.Categorical(["I", "II"] * (N // 2), categories=["I", "II", "III"]),
        smoker=np.arange(N) % 3 == 0,
    )
    found = covariate_columns(known, known.index)
    dummies = pd.get_dummies(known[["site", "stage", "smoker"]].astype(str), drop_first=True)
    np.testing.assert_array_equal(found[:, 0], rankdata(known["volume"]))
    np.testing.assert_array_equal(found[:, 1:], dummies.to_numpy(dtype=float))
    plain = covariate_columns(known, known.index, "pearson")
    np.testing.assert_array_equal(plain[:, 0], known["volume"])


def test_bad_patients_are_refused(features, genes) -> None:
    with pytest.raises(AlignmentError, match="another order"):
        associate(features, genes.iloc[::-1], settings=ALL)
    with pytest.raises(AlignmentError, match="1 on one side only"):
        associate(features, genes.iloc[1:], settings=ALL)
    with pytest.raises(DataError, match="at least 20 patients.*found 19"):
        associate(features[:19], genes[:19], settings=ALL)
    forced = MapSettings(permutations=19, fewest=8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RadiogenomicsWarning)
        assert associate(features[:19], genes[:19], settings=forced).inputs.n == 19
    twice = [0, *range(N - 1)]
    with pytest.raises(DataError, match="each patient once; found 1 rows more"):
        associate(features.iloc[twice], genes.iloc[twice], settings=ALL)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.assign(again=2 * c["volume"]), "none explained by.*found 3 of rank 2"),
        (lambda c: c.assign(centre=c["site"].map(ord)), "none explained by the others"),
        (lambda c: c.assign(flat=1.0), "covariate 'flat': .*not the same in all"),
        (lambda c: c.assign(site=c["site"].where(c["site"] != "A")), "covariate 'site': .*missing"),
        (lambda c: c.assign(name=c.index), "at least 3 patients more than covariates"),
    ],
    ids=["twice", "site as numbers and words", "constant", "missing", "identifier"],
)
def test_bad_covariates_are_refused(features, genes, covariates, change, message) -> None:
    known = change(covariates.assign(site=covariates["site"].where(covariates["site"] != "C", "B")))
    with pytest.raises(DataError, match=message):
        associate(features, genes, covariates=known, settings=ALL)


def test_other_bad_input_is_refused(features, genes, covariates) -> None:
    with pytest.raises(AlignmentError, match="covariates and features"):
        associate(features, genes, covariates=covariates.iloc[::-1], settings=ALL)
    with pytest.raises(AlignmentError, match="volume and features"):
        associate(
            features, genes, covariates=covariates[["site"]],
            volume=covariates["volume"].iloc[::-1], settings=ALL,
        )  # fmt: skip
    with pytest.raises(UnknownNameError, match="volume_ml"):
        associate(features, genes, volume="volume_ml", settings=ALL)
    with pytest.raises(DataError, match="volume: .*found 1 missing"):
        volume = covariates["volume"].mask(covariates.index == "P003")
        associate(features, genes, volume=volume, settings=ALL)
    with pytest.raises(DataError, match="each feature as numbers; found text in columns grade"):
        associate(features.assign(grade="G1"), genes, settings=ALL)
    with pytest.raises(DataError, match="each gene once; found G0"):
        associate(features, genes.rename(columns={"G1": "G0"}), settings=ALL)
    with pytest.raises(DataError, match="expected a feature that varies.*found none of 1"):
        associate(features[[]].assign(flat=1.0), genes, settings=ALL)
    with pytest.raises(DataError, match="that the covariates do not explain; found none of 1"):
        associate(features[["F0"]], genes, volume="F0", settings=ALL)
    with pytest.raises(DataError, match="at least 19 permutations"):
        MapSettings(permutations=18)
    with pytest.raises(DataError, match="alpha"):
        MapSettings(alpha=0.0)
