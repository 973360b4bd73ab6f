"""Readers and software teams of public studies: the agreement known from their data's own notes."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pingouin
import pytest
from sklearn.metrics import cohen_kappa_score

from radiogenomics.core.errors import RadiogenomicsWarning
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.agreement import ALL_READERS, reader_agreement
from radiogenomics.evaluation.baseline_table import baseline_table
from radiogenomics.evaluation.reliability import reliability_summary, reliability_table

pytestmark = pytest.mark.real

READERS = ("1", "2", "3")
RESPONSE = ["CR", "PR", "SD", "PD"]


@pytest.fixture(scope="module")
def hcc(data_root) -> dict[str, pd.DataFrame]:
    """Radiomics of 30 liver cancers: reader 1 twice, reader 2 once."""
    folder = data_root / "tables" / "hcc_mtm_radiomics2022"
    return {name: pd.read_csv(folder / f"R#{name}.csv") for name in ("1_1", "1_2", "2")}


@pytest.fixture(scope="module")
def tace(data_root) -> pd.DataFrame:
    """105 patients treated by chemoembolisation, three readers."""
    folder = data_root / "tables" / "hcc-tace-seg_clinical"
    return pd.read_csv(folder / "HCC-TACE-Seg_clinical_data-V2 copy.csv", index_col="TCIA_ID")


@pytest.fixture(scope="module")
def teams(data_root) -> pd.DataFrame:
    """Features of 51 sarcomas by (team, feature); an empty block of zeros is missing."""
    folder = data_root / "imaging" / "ibsi" / "ibsi_2_data_analysis"
    table = pd.read_csv(folder / "ibsi2_phase3_validation_features_by_team.csv.gz")
    names = list(table.columns[5:])
    for team in ("UCSF", "UdeS"):
        empty = table.groupby(["patient", "modality", "filter"])[team].transform("max") == 0
        empty &= table.groupby(["patient", "modality", "filter"])[team].transform("min") == 0
        table[team] = table[team].mask(empty)
    table["feature"] = table["modality"] + " " + table["filter"] + " " + table["feature_tag"]
    return table.pivot(index="patient", columns="feature", values=names)


def theirs(readings: pd.DataFrame) -> float:
    """ICC(2,1) of pingouin; one column a reading."""
    long = readings.set_axis(range(readings.shape[1]), axis=1).rename_axis("subject").reset_index()
    found = pingouin.intraclass_corr(long.melt("subject"), "subject", "variable", "value")
    return float(found["ICC"].iloc[1])


@pytest.mark.parametrize(
    ("pair", "median", "reached"),
    [(("1_1", "1_2"), 0.874, 550), (("1_1", "2"), 0.836, 469)],
    ids=["intra", "inter"],
)
def test_hcc_radiomics_within_and_between_readers(hcc, pair, median, reached) -> None:
    table = reliability_table([hcc[name] for name in pair])
    summary = reliability_summary(table).set_index("threshold")
    assert len(table) == 792
    assert round(summary.loc[0.75, "median"], 3) == median
    assert summary.loc[0.75, "reached"] == reached
    assert (summary["reached_low"] < summary["reached"]).all()
    for name in table["feature"].iloc[::113]:
        expected = theirs(pd.concat([hcc[reading][name] for reading in pair], axis=1))
        found = table.set_index("feature").loc[name, "icc"]
        assert found == pytest.approx(expected, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("criterion", ["mRECIST", "RECIST"])
def test_codes_are_the_response_their_sums_say(tace, criterion) -> None:
    # 1 to 4 are CR to PD against baseline: the sums of the same reader decide, without exception.
    for reader in READERS:
        before, after = (tace[f"{reader}_{criterion}_{when}"] for when in ("BL", "FU"))
        code = tace[f"{reader}_{criterion}"]
        known = code.notna()
        change = after / before - 1
        expected = np.select([after == 0, change <= -0.3, change >= 0.2], [1, 2, 4], 3)
        assert (code[known] == expected[known]).all()


def test_mrecist_sums_of_three_readers(tace) -> None:
    for when, expected in (("BL", 0.85), ("FU", 0.88)):
        sums = tace[[f"{reader}_mRECIST_{when}" for reader in READERS]]
        found = reader_agreement(sums).set_index(["first", "second", "statistic"])
        first, second, _ = sums.columns
        between = found.loc[(first, second, "ICC(2,1)")]
        assert round(between["value"], 2) == expected
        assert between["low"] < between["value"] < between["high"]
        for pair in combinations(sums.columns, 2):
            icc = found.loc[(*pair, "ICC(2,1)")]
            assert icc["value"] == pytest.approx(theirs(sums[list(pair)].dropna()), rel=1e-9)
            lin = found.loc[(*pair, "concordance correlation"), "value"]
            assert lin == pytest.approx(icc["value"], abs=0.01)
        assert found.loc[(ALL_READERS, "", "ICC(2,1)"), "subjects"] == 93


def test_relative_change_agrees_less_than_the_sums_it_is_made_of(tace) -> None:
    columns = {}
    for reader in READERS:
        columns[reader] = tace[f"{reader}_mRECIST_FU"] / tace[f"{reader}_mRECIST_BL"] - 1
    found = reader_agreement(pd.DataFrame(columns)).set_index(["first", "second", "statistic"])
    sums = reader_agreement(tace[[f"{reader}_mRECIST_FU" for reader in READERS]])
    lowest = sums.loc[sums["statistic"] == "ICC(2,1)", "value"].min()
    changes = found.xs("ICC(2,1)", level="statistic")["value"]
    assert (changes < lowest).all()


@pytest.mark.parametrize("criterion", ["mRECIST", "RECIST"])
def test_response_categories_of_three_readers(tace, criterion) -> None:
    codes = tace[[f"{reader}_{criterion}" for reader in READERS]].set_axis(READERS, axis=1)
    kind = pd.CategoricalDtype(RESPONSE, ordered=True)
    named = codes.apply(lambda column: column.map(dict(enumerate(RESPONSE, 1)))).astype(kind)
    for weights, name in ((None, "kappa"), ("quadratic", "kappa, quadratic weights")):
        found = reader_agreement(named, weights=weights)
        kappas = found[found["statistic"] == name].set_index(["first", "second"])
        for pair in combinations(READERS, 2):
            complete = codes[list(pair)].dropna()
            expected = cohen_kappa_score(
                complete[pair[0]], complete[pair[1]], weights=weights, labels=[1, 2, 3, 4]
            )
            assert kappas.loc[pair, "value"] == pytest.approx(expected, rel=1e-10)
            assert kappas.loc[pair, "low"] > 0
            assert kappas.loc[pair, "p"] < 0.01
    overall = found[found["statistic"] == "Fleiss' kappa"].iloc[0]
    assert overall["subjects"] == 93
    assert overall["low"] > 0


def complete_features(teams: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Agreement of each feature over the teams that have it for all patients."""
    lacking = pd.DataFrame({name: teams[name].isna().any() for name in names})
    parts = []
    for pattern, features in lacking.groupby(names).groups.items():
        used = [name for name, lacks in zip(names, pattern, strict=True) if not lacks]
        parts.append(reliability_table({name: teams[name][list(features)] for name in used}))
    return pd.concat(parts).set_index("feature")


@pytest.mark.filterwarnings("ignore:2 of 108 features have no ICC")
def test_software_teams_agree_on_unfiltered_images_and_most_filters(teams) -> None:
    names = list(teams.columns.levels[0])
    everyone = complete_features(teams, names)
    assert len(everyone) == 486
    assert (everyone.loc[everyone.index.str.contains(" ID_1 "), "icc"] > 0.9).all()
    for feature in ("CT ID_1 stat_mean", "PET ID_4 stat_energy", "CT ID_7 stat_cov"):
        expected = theirs(teams.xs(feature, axis=1, level="feature").dropna(axis=1))
        assert everyone.loc[feature, "icc"] == pytest.approx(expected, rel=1e-8)
    # Published: lower bound above 0.75 in 458 of 486. Two of the teams of this file part from the
    # others in whole filters; without them the count comes close, with them it cannot.
    apart = ("Qurit SERA", "Veneto Institute of Oncology")
    agreeing = [name for name in names if name not in apart]
    without = complete_features(teams, agreeing)
    assert abs((without["low"] > 0.75).sum() - 458) <= 10
    assert (everyone["low"] > 0.75).sum() < 400


def test_first_table_of_chemoembolised_patients(tace) -> None:
    frame = tace[["age", "Sex", "AFP", "BCLC", "CPS", "Tr_Size"]].assign(
        died=tace["Death_1_StillAliveorLostToFU_0"].map({0: "no", 1: "yes"})
    )
    died = tace["Death_1_StillAliveorLostToFU_0"]
    outcome = SurvivalOutcome.from_unit("OS", tace["OS"], died, unit="weeks")
    table = baseline_table(frame, by="died", survival=[outcome])
    tests = table.tests.set_index("variable")
    assert table.sizes.tolist() == [105, 12, 93]
    assert tests.loc["BCLC", "test"] == "Fisher's exact"
    assert tests.loc["age", "test"] == "Mann-Whitney"
    assert tests["p"].between(0, 1).all()
    events = table.cells[table.cells["level"] == "events"]
    assert events["count"].tolist() == [93, 0, 93]


def test_one_response_for_all_has_no_kappa_but_a_warning(tace) -> None:
    codes = tace[["1_RECIST"]].dropna().assign(other=3.0)
    with pytest.warns(RadiogenomicsWarning, match="one category"):
        found = reader_agreement(codes, categories=[1, 2, 3, 4])
    assert found.set_index("statistic").loc["kappa", "value"] == pytest.approx(0, abs=1e-12)
