"""Claims read, held against a recipe, and put beside what was obtained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import MissingFileError, SchemaError, StudyError, UnknownNameError
from radiogenomics.stats.design.chance_ranges import c_index_chance_range
from radiogenomics.stats.design.claimed import (
    auc_interval_at,
    c_index_interval_at,
    hazard_ratio_interval_at,
    share_interval_at,
)
from radiogenomics.study.prediction.checks import Said, Strength, check_claims
from radiogenomics.study.prediction.claims import COLUMNS, metric_of, read_claims
from radiogenomics.study.prediction.claims_compared import COMPARED, compared

HEADER = ",".join(name for name in COLUMNS if name != "bound")
WITH_BOUND = ",".join(COLUMNS)
CLAIMS = """\
patients,,training,252,,,,,Table 1
auc,Fusion,training,0.883,0.881,0.888,252,126,Results
auc,Fusion,external,0.875,0.860,0.887,80,,Results
auc,mRECIST,external,0.55,0.42,0.68,80,40,Results
auc,Fusion,,0.869,0.856,0.881,85,,"Results, one regimen"
accuracy,Fusion,external,0.55,,,80,50,Results
sensitivity,Fusion,external,0.8,,,80,50,Results
specificity,Fusion,external,0.9,,,80,50,Results
c_index,Fusion,internal,0.70,,,63,43,Results
c_index:PFS,Fusion,internal,0.69,,,63,,Results
hazard_ratio,Fusion,external,2.5,1.5,4.2,80,56,Results
td_auc@12:OS,Fusion,external,0.893,,,80,,Abstract
response_rate_high,Fusion,external,0.36,,,50,18,Results
p,Fusion,external,0.009,,,,,below 0.01
cut_off,Fusion,training,0.52,,,252,,Youden
"""
PARTS = {"training": (252, 126), "internal": (63, None), "external": (80, None)}
SAID = Said(
    models=("Fusion", "mRECIST"),
    parts=PARTS,
    sites={"training": 1, "internal": 1, "external": 2},
    endpoints=("OS", "PFS"),
    genes=6,
    features={"Fusion": 20, "": 30},
)


@pytest.fixture
def written(tmp_path):
    def write(rows: str, *, header: str = HEADER, encoding: str = "utf-8"):
        path = tmp_path / "claims.csv"
        path.write_text(f"{header}\n{rows}", encoding=encoding)
        return path

    return write


@pytest.fixture
def claims(written):
    return read_claims(written(CLAIMS))


def obtained(*rows) -> pd.DataFrame:
    columns = ["metric", "model", "split", "value", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def row_of(table: pd.DataFrame, metric: str, split: str, model: str = "Fusion") -> pd.Series:
    keys = (table["metric"] == metric) & (table["split"] == split) & (table["model"] == model)
    assert keys.sum() == 1
    return table[keys].iloc[0]


class TestReading:
    def test_a_table_with_its_kinds(self, claims):
        assert tuple(claims.columns) == COLUMNS
        assert len(claims) == 15
        assert claims["n"].dtype == claims["positives"].dtype == "Int64"
        assert claims["value"].dtype == claims["low"].dtype == "float64"
        assert claims.loc[4, "where"] == "Results, one regimen"
        assert claims.loc[0, "n"] is pd.NA
        assert np.isnan(claims.loc[0, "low"])
        assert (claims.loc[1, "n"], claims.loc[1, "positives"]) == (252, 126)

    def test_no_number_at_all_is_a_table_too(self, written):
        assert read_claims(written("")).shape == (0, len(COLUMNS))

    def test_a_mark_of_the_encoding_and_spaces_do_no_harm(self, written):
        path = written(" auc , Fusion,training, 0.8 ,,,,,x\n\n", encoding="utf-8-sig")
        assert read_claims(path).loc[0, ["metric", "model"]].tolist() == ["auc", "Fusion"]

    @pytest.mark.parametrize(
        ("rows", "said"),
        [
            ("auc,A,training,1.2,,,,,x", r"line 2: expected auc from 0 to 1.*found 1\.2"),
            ("auc,A,training,88.3,,,,,x", "from 0 to 1, 0.8 for 80 %"),
            (
                "auc,A,,0.8,,,,,x\nauc,A,training,0.8,0.81,0.9,,,x",
                "line 3: expected a value inside",
            ),
            ("auc,A,training,0.8,0.7,1.1,,,x", "line 2: expected auc from 0 to 1"),
            ("auc,A,training,0.8,0.7,,,,x", "both bounds or none; found low alone"),
            ("auc,A,training,0.8,,,50,60,x", "line 2: expected at most 50 positives"),
            ("auc,A,training,0.8,,,50.5,,x", "line 2, n: expected a whole number"),
            ("auc,A,training,0.8,,,0,,x", "line 2, n: expected a whole number"),
            ("auc,A,training,0.8,,,50,-1,x", "line 2, positives: expected a whole number"),
            ("p,A,training,<0.001,,,,,x", "line 2, value: expected a number or nothing"),
            ("auc,A,training,inf,,,,,x", "line 2, value: expected a number or nothing"),
            ("auc,A,training,,0.7,0.9,,,x", "line 2: expected a value; found none"),
            ("hazard_ratio,A,training,0,,,,,x", "expected hazard_ratio above 0"),
            ("genes,,,2.5,,,,,x", "expected genes as a whole number"),
            ("auc,A,training,0.8,,,x", "line 2: expected 9 cells; found 7"),
            ("auc,A,training,0.8,,,50,,a, b", "line 2: expected 9 cells; found 10"),
            ("auc,A,b,0.8,,,50,,x\nauc,A,b,0.7,,,50,,y", "line 3: expected each number once"),
            ("patients,,,12,,,,,x\npatients,,,12,,,,,x", "no model in no part again"),
        ],
    )
    def test_wrong_rows_are_refused_by_line(self, written, rows, said):
        with pytest.raises(SchemaError, match=said) as refused:
            read_claims(written(rows))
        assert "; found" in str(refused.value)

    def test_subgroups_and_ends_of_a_range_are_told_apart(self, written):
        rows = "auc,A,,0.8,,,50,,x\nauc,A,,0.8,,,60,,x\nauc,A,,0.9,,,60,,highest\n"
        assert len(read_claims(written(rows))) == 3

    @pytest.mark.parametrize(
        ("word", "near"),
        [
            ("acu", "auc"),
            ("c-index", "c_index"),
            ("brier:OS", "brier"),
            ("td_auc12:OS", "td_auc@<months>:<endpoint>"),
        ],
    )
    def test_unknown_metrics_name_near_ones(self, written, word, near):
        with pytest.raises(
            UnknownNameError, match=rf"line 2 '{word}': (did you mean|known).*{near}"
        ):
            read_claims(written(f"{word},A,training,0.8,,,,,x"))

    def test_files_that_are_none(self, written, tmp_path):
        with pytest.raises(MissingFileError, match="Add claims.csv"):
            read_claims(tmp_path / "none.csv")
        with pytest.raises(SchemaError, match="expected the columns metric, model"):
            read_claims(written("x", header="metric,value,low,high,where"))
        with pytest.raises(SchemaError, match="in UTF-8; found"):
            read_claims(written("auc,Ä,,0.8,,,,,x", encoding="latin-1"))
        with pytest.raises(SchemaError, match="found a file that cannot"):
            read_claims(written('auc,"A,,0.8,,,,,x'))

    def test_words(self):
        assert [metric_of(w) for w in ("td_auc@6.5:PFS", "p:DFS", "hazard_ratio:", "sites:x")] == [
            "td_auc",
            "p",
            "",
            "",
        ]


class TestAgainstTheRecipe:
    def test_claims_that_agree_pass(self, claims, written):
        check_claims(claims, SAID)
        rows = (
            "patients,,,395,,,,,x\nsites,,,2,,,,,x\nsites,,,4,,,,,y\nsites,,external,2,,,,,x\n"
            "genes,,,6,,,,,x\nfeatures,Fusion,,20,,,,,x\nfeatures,,,30,,,,,x\n"
            "auc,Fusion,,0.8,,,395,,x\nshare,,,0.5,,,300,150,x\np:PFS,Fusion,,0.1,,,,,x\n"
        )
        check_claims(read_claims(written(rows)), SAID)

    def test_names_that_the_recipe_has_not(self, claims):
        with pytest.raises(UnknownNameError, match="model or rival.*'Fusion': did you mean"):
            check_claims(claims, replace(SAID, models=("Fusions", "mRECIST")))
        with pytest.raises(UnknownNameError, match="part of the recipe's design 'external'"):
            check_claims(
                claims, replace(SAID, parts={"training": (252, None), "internal": (63, 1)})
            )
        with pytest.raises(UnknownNameError, match="endpoint of the recipe 'OS': known: DFS, PFS"):
            check_claims(claims, replace(SAID, endpoints=("PFS", "DFS")))

    @pytest.mark.parametrize(
        ("parts", "said"),
        [
            ({"training": (315, None)}, "patients of training has 252 patients, the recipe 315"),
            ({"training": (252, 120)}, "auc of training has 126 positives, the recipe 120"),
            ({"external": (81, None)}, "auc of external has 80 patients, the recipe 81"),
        ],
    )
    def test_other_numbers_of_patients(self, claims, parts, said):
        with pytest.raises(StudyError, match=said):
            check_claims(claims, replace(SAID, parts=PARTS | parts))

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            ("patients,,,999,,,,,x", "patients of all parts together has 999 patients, the .* 395"),
            ("patients,,,394,,,,,x", "of all parts together has 394 patients, the recipe 395"),
            ("auc,Fusion,,0.8,,,396,,x", "of all parts together has 396 patients, the recipe 395"),
            ("sites,,external,7,,,,,x", "external with 7 sites, the recipe 2"),
            ("sites,,,5,,,,,x", "all parts with 5 sites, the recipe 2 to 4"),
            ("sites,,,1,,,,,x", "all parts with 1 sites, the recipe 2 to 4"),
            ("genes,,,77,,,,,x", "77 genes, the recipe 6"),
            ("features,Fusion,,21,,,,,x", "21 features of Fusion, the recipe at most 20"),
            ("features,,,9999,,,,,x", "9999 features of all models, the recipe at most 30"),
        ],
    )
    def test_other_numbers_of_anything(self, written, row, said):
        with pytest.raises(StudyError, match=said):
            check_claims(read_claims(written(row)), SAID)

    def test_a_total_needs_the_positives_of_every_part(self, written):
        claims = read_claims(written("positives,,,140,,,,,x"))
        check_claims(claims, SAID)
        known = {"training": (252, 126), "external": (80, 40)}
        with pytest.raises(StudyError, match="140 positives, the recipe 166"):
            check_claims(claims, replace(SAID, parts=known))

    @pytest.mark.parametrize(
        ("rows", "said"),
        [
            ("positives,,training,300,,,,,x", "at most 252 positives of positives of training"),
            ("positives,,,60,,,55,,x", "at most 55 positives.*found 60"),
            ("positives,,,400,,,,,x", "at most 395 positives.*all parts together"),
            ("auc,Fusion,external,0.8,,,,81,x", "at most 80 positives of auc of external"),
            ("auc,Fusion,internal+external,0.8,,,,150,x", "at most 143 positives"),
            ("td_auc@13:OS,Fusion,external,0.8,,,,,x", r"\(12.0, 24.0\); found 13 months"),
            ("td_auc@12:PFS,Fusion,external,0.8,,,,,x", r"for PFS \(none\); found 12 months"),
        ],
    )
    def test_what_cannot_be_is_refused(self, written, rows, said):
        asked = replace(SAID, horizons={"OS": (12.0, 24.0)})
        with pytest.raises(StudyError, match=said) as refused:
            check_claims(read_claims(written(rows)), asked)
        assert "claims: expected" in str(refused.value)
        check_claims(read_claims(written("td_auc@24:OS,Fusion,external,0.8,,,,,x")), asked)

    def test_parts_together_have_the_patients_of_all(self, written):
        rows = (
            "auc,Fusion,internal+external,0.8,,,143,,x\n"
            "auc,Fusion,internal+external:regimen=A,0.8,,,85,,x\n"
            "auc:PFS,Fusion,internal+external,0.8,,,137,,x\n"
            "pseudoprogression_foretold,Fusion,training+external,0.75,,,8,6,x\n"
        )
        check_claims(read_claims(written(rows)), SAID)
        with pytest.raises(StudyError, match="144 patients, the recipe 143"):
            check_claims(read_claims(written("auc,Fusion,internal+external,0.8,,,144,,x")), SAID)
        with pytest.raises(UnknownNameError, match="part of the recipe's design 'extrnal'"):
            check_claims(read_claims(written("auc,Fusion,internal+extrnal,0.8,,,,,x")), SAID)
        with pytest.raises(SchemaError, match="line 2, split: expected a fact and its level"):
            read_claims(written("auc,Fusion,external:regimen,0.8,,,,,x"))

    def test_events_are_no_positives(self, written):
        rows = "c_index,A,training,0.7,,,100,60,x\nresponse_rate_high,A,training,0.3,,,40,12,x\n"
        check_claims(read_claims(written(rows)), Said(models=("A",), parts={"training": (100, 50)}))

    @pytest.mark.parametrize(
        ("value", "note", "against"),
        [
            (0.875, "", ""),
            (0.883, "", ""),
            (0.883, "external AUC", "claimed auc of external 0.875"),
            (0.55, "external AUC of mRECIST", ""),
            (0.875, "external AUC of mRECIST", "claimed auc of external 0.55"),
            (0.6, "", "claimed auc of training 0.883, external 0.875, no part 0.869"),
        ],
    )
    def test_a_simulated_truth_is_one_that_is_claimed(self, claims, value, note, against):
        said = replace(SAID, strengths=[Strength("simulation.auc", "auc", "Fusion", value, note)])
        if not against:
            check_claims(claims, said)
            return
        with pytest.raises(StudyError, match=f"simulation.auc of {value:g} beside a {against}"):
            check_claims(claims, said)


class TestBounds:
    ROWS = (
        "auc,Fusion,external,>,0.80,,,80,40,x\nbrier,Fusion,external,<,0.25,,,80,,x\n"
        "auc,mRECIST,external,,0.60,,,80,,x\n"
    )

    @pytest.fixture
    def bounds(self, written):
        return read_claims(written(self.ROWS, header=WITH_BOUND))

    def test_they_are_read(self, bounds):
        assert bounds["bound"].tolist() == [">", "<", ""]
        assert bounds["value"].tolist() == [0.8, 0.25, 0.6]

    def test_older_files_have_none(self, claims):
        assert set(claims["bound"]) == {""}

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            ("auc,A,,>=,0.8,,,,,x", "line 2, bound: expected > or <, or nothing; found '>='"),
            ("auc,A,,>,0.8,0.7,0.9,,,x", "line 2: expected a bound or a value with its interval"),
            ("auc,A,,,>0.8,,,,,x", "with < under bound"),
        ],
    )
    def test_wrong_ones(self, written, row, said):
        with pytest.raises(SchemaError, match=said):
            read_claims(written(row, header=WITH_BOUND))

    @pytest.mark.parametrize(
        ("metric", "low", "high", "verdict"),
        [
            ("auc", 0.81, 0.9, r"claimed bound (> 0.8) is met by all of the obtained interval"),
            ("auc", 0.7, 0.9, r"claimed bound (> 0.8) is met by part of the obtained interval"),
            ("auc", 0.7, 0.8, "claimed is above the obtained interval"),
            ("brier", 0.1, 0.2, r"claimed bound (< 0.25) is met by all of the obtained interval"),
            ("brier", 0.2, 0.3, r"claimed bound (< 0.25) is met by part of the obtained interval"),
            ("brier", 0.25, 0.3, "claimed is below the obtained interval"),
        ],
    )
    def test_a_bound_is_met_by_all_part_or_none(self, bounds, metric, low, high, verdict):
        found = obtained((metric, "Fusion", "external:x-external", (low + high) / 2, low, high))
        row = row_of(compared(bounds, found), metric, "external")
        assert row["verdict"] == verdict
        assert row["bound"] == {"auc": ">", "brier": "<"}[metric]

    def test_a_bound_has_no_interval_and_no_luck(self, bounds):
        found = obtained(("auc", "Fusion", "external:x-external", 0.5, 0.4, 0.6))
        row = row_of(compared(bounds, found), "auc", "external")
        assert np.isnan(row["low_at_n"]) and row["size_note"].startswith("a bound, not a number")
        assert row["chance_low"] < 0.5 < row["chance_high"]
        weak = bounds.assign(value=0.55)
        assert "chance" not in row_of(compared(weak, found), "auc", "external")["verdict"]


class TestWithoutParts:
    """Of a surrogate study, which names no cohorts."""

    ROWS = (
        "auc_response,svm,,0.72,,,,,x\nauc,svm,cross-validation,0.9,,,,,x\n"
        "auc,lr,external,0.8,,,,,x\n"
    )

    def test_a_claim_without_a_part_is_of_the_external_cohort(self, written):
        found = obtained(
            ("auc_response", "svm", "external:mr", 0.7, 0.6, 0.8),
            ("auc", "svm", "cross-validation", 0.7, 0.6, 0.8),
            ("auc", "lr", "external:mr", 0.9, 0.85, 0.95),
        )
        claims = read_claims(written(self.ROWS))
        table = compared(claims, found, apart=True)
        assert table["held_against"].tolist() == ["external:mr", "cross-validation", "external:mr"]
        assert [verdict.split()[2] for verdict in table["verdict"]] == ["inside", "above", "below"]
        assert compared(claims, found)["obtained"].notna().tolist() == [False, True, True]

    def test_several_external_cohorts_are_not_told_apart(self, written):
        two = [("auc_response", "svm", f"external:{name}", 0.7, 0.6, 0.8) for name in "ab"]
        table = compared(read_claims(written(self.ROWS)), obtained(*two), apart=True)
        assert (
            "several cohorts could stand for it (external:a, external:b)" in table.loc[0, "verdict"]
        )


class TestCompared:
    OBTAINED = obtained(
        ("auc", "Fusion", "cross-validation", 0.82, 0.78, 0.87),
        ("auc", "Fusion", "external:sim-external", 0.80, 0.69, 0.88),
        ("auc", "mRECIST", "external:sim-external", 0.70, 0.60, 0.80),
        ("accuracy", "Fusion", "external:sim-external", 0.7, np.nan, np.nan),
        ("c_index", "Fusion", "external:sim_internal", 0.60, 0.52, 0.68),
        ("hazard_ratio", "Fusion", "external:sim-external", np.nan, np.nan, np.nan),
        ("p", "Fusion", "external:sim-external", 0.01, 0.0, 0.1),
        ("cut_off", "Fusion", "cross-validation", 0.5, 0.4, 0.6),
    )

    @pytest.fixture
    def table(self, claims):
        return compared(claims, self.OBTAINED)

    def test_one_row_a_claim(self, table, claims):
        assert tuple(table.columns) == COMPARED
        assert len(table) == len(claims)
        assert table["claimed"].tolist() == claims["value"].tolist()

    def test_training_is_held_against_the_cross_validation(self, table):
        row = row_of(table, "auc", "training")
        assert row["held_against"] == "cross-validation (training is not scored on itself)"
        assert row["verdict"] == "claimed is above the obtained interval"
        expected = auc_interval_at(0.883, 126, 126)
        assert (row["low_at_n"], row["high_at_n"]) == tuple(expected)
        width = expected.high - expected.low
        assert row["narrowness"] == pytest.approx((0.888 - 0.881) / width, rel=1e-12)

    def test_other_parts_are_held_against_the_cohort_of_their_name(self, table):
        row = row_of(table, "auc", "external")
        assert (row["held_against"], row["obtained"]) == ("external:sim-external", 0.80)
        assert row["verdict"] == "claimed is inside the obtained interval"
        assert "half of n" in row["size_note"]
        assert row_of(table, "c_index", "internal")["obtained"] == 0.60

    def test_a_claim_that_chance_could_have_made(self, table):
        row = row_of(table, "auc", "external", model="mRECIST")
        assert row["verdict"] == (
            "claimed is below the obtained interval; claimed is within chance at its n"
        )
        accuracy = row_of(table, "accuracy", "external")
        assert accuracy["chance_low"] == accuracy["chance_high"] == 0.625
        assert accuracy["verdict"] == (
            "not obtained: no interval to hold the claim against; claimed is within chance at its n"
        )

    def test_sizes_of_each_metric(self, table):
        def interval(metric, split):
            row = row_of(table, metric, split)
            return row["low_at_n"], row["high_at_n"]

        assert interval("sensitivity", "external") == tuple(share_interval_at(0.8, 50))
        assert interval("specificity", "external") == tuple(share_interval_at(0.9, 30))
        assert interval("accuracy", "external") == tuple(share_interval_at(0.55, 80))
        assert interval("response_rate_high", "external") == tuple(share_interval_at(0.36, 50))
        assert interval("c_index", "internal") == tuple(c_index_interval_at(0.70, 43, 63))
        assert interval("hazard_ratio", "external") == tuple(hazard_ratio_interval_at(2.5, 56))
        assert interval("td_auc@12:OS", "external") == tuple(auc_interval_at(0.893, 40, 40))
        assert np.isnan(row_of(table, "hazard_ratio", "external")["narrowness"])
        unknown = row_of(table, "c_index:PFS", "internal")
        assert unknown["chance_high"] == c_index_chance_range(63, 63).high
        assert unknown["size_note"].startswith("events not stated: all of n")

    @pytest.mark.parametrize(
        ("metric", "split", "model", "why"),
        [
            ("patients", "training", "", "obtained: describes the study"),
            ("p", "external", "Fusion", "obtained: a p-value also says how many"),
            ("cut_off", "training", "Fusion", "obtained: a cut-off belongs to the scores"),
            ("auc", "", "Fusion", "obtained: the claim names no part of the design"),
            ("c_index:PFS", "internal", "Fusion", "computed: no c_index:PFS of Fusion in internal"),
            ("hazard_ratio", "external", "Fusion", "obtained: it could not be estimated"),
            ("td_auc@12:OS", "external", "Fusion", "computed: no td_auc@12:OS of Fusion in ext"),
        ],
    )
    def test_what_is_not_comparable_is_not_compared(self, table, metric, split, model, why):
        row = row_of(table, metric, split, model)
        assert row["verdict"].startswith(f"not {why}")
        assert np.isnan(row["obtained"])

    def test_narrowest_interval_is_the_one_taken(self):
        """What is not stated never makes a printed interval look too narrow."""
        widths = [np.subtract(*auc_interval_at(0.8, m, 80 - m)[::-1]) for m in range(1, 80)]
        assert min(widths) == pytest.approx(np.subtract(*auc_interval_at(0.8, 40, 40)[::-1]))
        widths = [np.subtract(*c_index_interval_at(0.7, d, 63)[::-1]) for d in range(1, 64)]
        assert min(widths) == widths[-1]

    def test_parts_tell_what_a_claim_does_not(self, written):
        claims = read_claims(written("auc,A,training,0.8,,,,,x\nc_index,A,training,0.8,,,,,x"))
        table = compared(claims, self.OBTAINED, parts={"training": (100, 30)})
        assert table["n"].tolist() == [100, 100]
        assert table["positives"].tolist() == [30, pd.NA]
        assert table.loc[0, "low_at_n"] == auc_interval_at(0.8, 30, 70).low
        without = compared(claims, self.OBTAINED)
        assert without["low_at_n"].isna().all()

    def test_names_that_only_look_alike_and_two_of_a_name(self, written):
        claims = read_claims(written("auc,A,test,0.8,,,,,x"))
        like = obtained(("auc", "A", "external:latest", 0.8, 0.7, 0.9))
        said = compared(claims, like, parts={"training": (9, 4), "test": (9, 4), "b": (9, 4)})
        assert said.loc[0, "verdict"].startswith(
            "not computed: the id of no external cohort ends in test"
        )
        assert "(here: external:latest)" in said.loc[0, "verdict"]
        two = obtained(
            ("auc", "A", "external:a-test", 0.8, 0.7, 0.9),
            ("auc", "A", "external:test", 0.8, 0.7, 0.9),
        )
        assert "several cohorts could stand" in compared(claims, two).loc[0, "verdict"]

    @pytest.mark.parametrize(
        ("split", "cohorts", "others", "against"),
        [
            ("external", ["mine"], ["internal"], "external:mine"),
            ("test", ["mine"], [], "external:mine"),  # the only part outside of training
            ("external", ["a-internal", "mine"], ["internal"], "external:mine"),
            ("external", ["a-external", "mine"], ["internal"], "external:a-external"),
            ("external", ["mine", "yours"], [], "several cohorts could stand for it"),
            ("external", ["a-internal"], ["internal"], "no number of a cohort for the part ext"),
            ("internal", ["mine"], ["external"], "the id of no external cohort ends in internal"),
        ],
    )
    def test_the_one_other_cohort_is_the_external_one(
        self, written, split, cohorts, others, against
    ):
        parts = dict.fromkeys(["training", split, *others], (None, None))
        claims = read_claims(written(f"auc,A,{split},0.8,,,,,x"))
        rows = [("auc", "A", f"external:{cohort}", 0.8, 0.7, 0.9) for cohort in cohorts]
        row = compared(claims, obtained(*rows), parts=parts).iloc[0]
        assert against in (row["held_against"] or row["verdict"])
        assert (row["held_against"] == "") == row["verdict"].startswith("not computed: ")

    def test_parts_together_and_levels_of_a_fact(self, written):
        claims = read_claims(
            written(
                "auc,A,internal+external,0.8,,,,,x\nauc,A,external:regimen=B,0.8,,,20,,x\n"
                "auc,A,external:regimen=C,0.8,,,20,,x\n"
            )
        )
        table = compared(
            claims,
            obtained(
                ("auc", "A", "external:x-internal", 0.5, 0.4, 0.6),
                ("auc", "A", "external:x-external", 0.5, 0.4, 0.6),
                ("auc", "A", "external:x-internal + external:x-external", 0.8, 0.7, 0.9),
                ("auc", "A", "external:x-external (regimen=B)", 0.7, 0.6, 0.9),
            ),
            parts={"training": (9, 4), "internal": (63, 30), "external": (80, None)},
            reason=lambda claim, stand: f"of {stand.group}",
        )
        assert table["obtained"].tolist()[:2] == [0.8, 0.7]
        assert table["n"].tolist() == [143, 20, 20]
        assert table.loc[0, "low_at_n"] == auc_interval_at(0.8, 71, 72).low
        assert table.loc[2, "verdict"] == "not computed: of regimen=C"

    def test_hazard_ratios_may_be_of_groups_or_per_unit(self, written):
        rows = "hazard_ratio,A,test,1.2,0.9,1.6,80,50,x\nhazard_ratio:PFS,A,test,1.2,0.9,1.6,80,,x"
        table = compared(read_claims(written(rows)), self.OBTAINED)
        assert table.loc[0, "verdict"].endswith("within chance at its n, if of two groups")
        assert "per unit" in table.loc[0, "size_note"]
        assert (table.loc[1, "size_note"], table["low_at_n"].isna().tolist()) == (
            "events not stated",
            [False, True],
        )

    def test_classes_of_one_have_no_interval(self, written):
        claims = read_claims(written("auc,A,test,0.8,,,20,20,x\nsensitivity,A,test,1,,,20,0,x"))
        table = compared(claims, self.OBTAINED)
        assert table["low_at_n"].isna().all()
        assert (table["size_note"] == "all of one class").all()

    def test_nothing_claimed(self, written):
        assert compared(read_claims(written("")), self.OBTAINED).empty

    def test_a_table_that_lacks_a_column(self, claims):
        with pytest.raises(SchemaError, match="found none of low"):
            compared(claims, self.OBTAINED.drop(columns="low"))
