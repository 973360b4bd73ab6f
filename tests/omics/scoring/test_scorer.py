"""What all scores of gene sets share."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    RadiogenomicsWarning,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.omics.scoring.aucell import AUCell
from radiogenomics.omics.scoring.gsva import Gsva
from radiogenomics.omics.scoring.mean_z import MeanZ
from radiogenomics.omics.scoring.pc1 import PrincipalComponent
from radiogenomics.omics.scoring.plage import Plage
from radiogenomics.omics.scoring.scorer import as_gene_sets, coverage_table
from radiogenomics.omics.scoring.singscore import Singscore
from radiogenomics.omics.scoring.ssgsea import SsGsea
from radiogenomics.omics.scoring.weighted import WeightedScore

LINEAR = (MeanZ, WeightedScore, PrincipalComponent, Plage)
BY_RANK = (SsGsea, Gsva, Singscore, AUCell)
EVERY = (*LINEAR, *BY_RANK)


class OnArrays:
    """Names the columns of scikit-learn's arrays x0, x1, ..."""

    def fit(self, X, y=None):
        super().fit(self._named(validate_data(self, X, dtype=np.float64)))
        validate_data(self, X, dtype=np.float64)  # takes the names of X, not x0, x1, ...
        return self

    def transform(self, X):
        values = validate_data(self, X, dtype=np.float64, reset=False)
        return super().transform(self._named(values)).to_numpy()

    def _named(self, values):
        return pd.DataFrame(values, columns=[f"x{n}" for n in range(values.shape[1])])


class OfMeanZ(OnArrays, MeanZ):
    pass


class OfWeightedScore(OnArrays, WeightedScore):
    pass


class OfPrincipalComponent(OnArrays, PrincipalComponent):
    pass


class OfPlage(OnArrays, Plage):
    pass


class OfSsGsea(OnArrays, SsGsea):
    pass


class OfGsva(OnArrays, Gsva):
    pass


class OfSingscore(OnArrays, Singscore):
    pass


class OfAUCell(OnArrays, AUCell):
    pass


def refusals(estimator) -> dict[str, str]:
    if isinstance(estimator, SsGsea | Singscore | AUCell):
        return {"check_estimators_dtypes": "rounds to samples of one value, which have no ranking"}
    return {}


TWO, ONE = GeneSet("S", ("x0", "x1")), GeneSet("S", ("x0",))


@parametrize_with_checks(
    [
        *(kind(TWO) for kind in (OfMeanZ, OfWeightedScore, OfPrincipalComponent, OfPlage)),
        *(kind(ONE) for kind in (OfSsGsea, OfGsva, OfSingscore)),
        OfAUCell(ONE, top=1.0),
    ],
    expected_failed_checks=refusals,
)
def test_scikit_learn_conformity(estimator, check):
    with warnings.catch_warnings():
        # Where a check hands in one column, half of the set is missing.
        warnings.simplefilter("ignore", RadiogenomicsWarning)
        check(estimator)


def made(kind, sets):
    return kind(sets, top=0.2) if kind is AUCell else kind(sets)


@pytest.mark.parametrize("rounded", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("kind", EVERY)
def test_a_patient_scores_alone_as_among_fifty_others(kind, rounded, rna, sets, rng):
    score = made(kind, sets).fit(rna)
    crowd = rng.normal(5, 2, (51, rna.shape[1]))
    crowd = pd.DataFrame(np.round(crowd) if rounded else crowd, columns=rna.columns)
    together = score.transform(crowd)
    alone = pd.concat([score.transform(crowd.iloc[[row]]) for row in range(51)])
    assert np.array_equal(alone, together)
    assert np.array_equal(score.transform(crowd[::-1])[::-1], together)


@pytest.mark.parametrize("kind", EVERY)
def test_genes_are_found_by_name_in_any_order_and_others_left_out(kind, rna, sets, rng):
    score = made(kind, sets).fit(rna)
    mixed = rna[rng.permutation(rna.columns)].assign(OTHER=99.0)
    pd.testing.assert_frame_equal(score.transform(mixed), score.transform(rna))


@pytest.mark.parametrize("kind", EVERY)
def test_scores_are_a_frame_named_by_samples_and_sets(kind, rna, sets):
    score = made(kind, sets)
    found = score.fit_transform(rna)
    assert found.index.equals(rna.index)
    assert list(found.columns) == list(sets) == score.get_feature_names_out().tolist()
    assert np.isfinite(found.to_numpy()).all()
    scaled = make_pipeline(score, StandardScaler()).set_output(transform="pandas")
    assert list(scaled.fit_transform(rna).columns) == list(sets)


@pytest.mark.parametrize("kind", EVERY)
def test_copies_and_pickles_score_alike(kind, rna, sets):
    score = made(kind, sets).fit(rna)
    again = pickle.loads(pickle.dumps(score)).transform(rna)
    pd.testing.assert_frame_equal(again, score.transform(rna))
    pd.testing.assert_frame_equal(clone(score).fit_transform(rna), again)


@pytest.mark.parametrize("kind", EVERY)
def test_what_happens_to_the_reference_after_fit_changes_nothing(kind, rna, sets):
    # Without its constant gene the table is taken as it is, without a copy by selection.
    reference = pd.DataFrame(rna.drop(columns="G077").to_numpy().copy())
    reference.columns = rna.columns.drop("G077")
    score = made(kind, sets).fit(reference)
    before = score.transform(rna)
    reference.loc[:, :] = 0.0
    pd.testing.assert_frame_equal(score.transform(rna), before)


@pytest.mark.parametrize("kind", [SsGsea, Singscore, AUCell])
def test_ranks_do_not_see_a_rising_transformation(kind, rna, sets):
    score = made(kind, sets)
    pd.testing.assert_frame_equal(score.fit_transform(np.exp(rna)), score.fit_transform(rna))


@pytest.mark.parametrize("kind", EVERY)
def test_a_set_that_is_raised_scores_higher(kind, rng):
    genes = [f"g{n}" for n in range(60)]
    frame = pd.DataFrame(rng.normal(5, 1, (40, 60)), columns=genes)
    raised = np.arange(40) % 2 == 1
    frame.loc[raised, genes[:8]] += 2
    found = made(kind, {"S": genes[:8]}).fit_transform(frame)["S"]
    assert found[raised].mean() - found[~raised].mean() > found.std()


def test_coverage_says_what_is_missing_and_what_is_constant(rna, sets):
    asked = {"with_flat": sets["with_flat"], "half": ["G001", "G002", "NOPE1", "G003"]}
    with pytest.warns(RadiogenomicsWarning, match=r"3 of 4 in half \(missing NOPE1\)\. The score"):
        score = MeanZ(asked).fit(rna)
    flat, half = score.coverage_.to_dict("records")
    assert (flat["genes"], flat["found"], flat["constant"], flat["missing"]) == (11, 10, "G077", "")
    assert (half["found"], half["coverage"], half["missing"]) == (3, 0.75, "NOPE1")
    assert "G077" not in score.genes_
    by_rank = SsGsea(sets["with_flat"]).fit(rna).coverage_
    assert by_rank["found"].tolist() == [11]  # a constant gene has a rank


def test_coverage_limits_are_parameters(rna):
    asked = {"S": ["G001", "G002", "A", "B", "C"]}
    with pytest.raises(
        AlignmentError, match=r"at least 50% .* found 2 of 5 in S \(missing A, B, C\)\. Mend"
    ):
        Singscore(asked).fit(rna)
    with pytest.warns(RadiogenomicsWarning, match="at least 80%"):
        Singscore(asked, min_coverage=0.4).fit(rna)
    Singscore(asked, min_coverage=0.4, warn_coverage=0.4).fit(rna)
    with pytest.raises(DataError, match=r"min_coverage: expected 0 to 1; found 50"):
        Singscore(asked, min_coverage=50).fit(rna)


def test_a_set_of_which_nothing_is_left_is_refused_whatever_the_limit(rna):
    lost = {"S": ["G001", "G002"], "T": ["A", "B"]}
    with pytest.raises(AlignmentError, match=r"0 of 2 in T"):
        SsGsea(lost, min_coverage=0.0, warn_coverage=0.0).fit(rna)


def test_many_thin_sets_are_one_warning(rna):
    thin = {f"S{n}": ["G001", "G002", "G003", "A"] for n in range(9)}
    with pytest.warns(RadiogenomicsWarning, match="and 6 more sets") as seen:
        Singscore(thin).fit(rna)
    assert len(seen) == 1


@pytest.mark.parametrize("kind", [MeanZ, SsGsea])
def test_genes_in_rows_are_recognised(kind, rna, sets):
    with pytest.raises(AlignmentError, match="They stand in the rows: transpose the table"):
        kind(sets).fit(rna.T)
    with pytest.raises(AlignmentError, match="They stand in the rows"):
        kind(sets).fit(rna).transform(rna.T)


def test_ensembl_columns_are_recognised(rna, sets):
    ensembl = rna.set_axis([f"ENSG{n:011d}" for n in range(200)], axis=1)
    with pytest.raises(AlignmentError, match="Ensembl identifiers: map them to symbols first"):
        MeanZ(sets).fit(ensembl)


@pytest.mark.parametrize("kind", EVERY)
def test_a_new_patient_without_a_gene_is_refused(kind, rna, sets):
    score = made(kind, sets).fit(rna)
    with pytest.raises(AlignmentError, match=r"genes of the reference; found 1 absent \(G003\)"):
        score.transform(rna.drop(columns="G003"))


@pytest.mark.parametrize("kind", [MeanZ, SsGsea])
@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda x: x.to_numpy(), DataError, "frame of samples × genes .* found ndarray"),
        (lambda x: x.iloc[:0], DataError, "samples and genes; found 0 × 200"),
        (lambda x: x.assign(G001=np.nan), DataError, r"24 missing .* P01, P02, P03 .* genes G001"),
        (lambda x: x.replace(x.iloc[2, 8], np.inf), DataError, "samples P03, genes G009"),
        (lambda x: x.assign(G001="high"), DataError, r"other things in 1 genes \(G001\)"),
        (lambda x: x.assign(**{"@site": 1.0}), SchemaError, "row fact.*@site"),
        (lambda x: pd.concat([x, x[["G003"]]], axis=1), AlignmentError, r"1 in several \(G003\)"),
    ],
    ids=["array", "empty", "missing", "infinite", "text", "row fact", "repeated gene"],
)
def test_bad_tables_say_what_is_wrong(kind, spoil, error, message, rna, sets):
    with pytest.raises(error, match=message):
        kind(sets).fit(spoil(rna))
    with pytest.raises(error, match=message):
        kind(sets).fit(rna).transform(spoil(rna))


@pytest.mark.parametrize("kind", [*LINEAR, Gsva])
def test_one_sample_is_no_reference(kind, rna, sets):
    with pytest.raises(DataError, match=r"at least 2 reference samples; found n_samples = 1"):
        kind(sets).fit(rna.iloc[:1])


@pytest.mark.parametrize("kind", [SsGsea, Singscore, AUCell])
def test_a_sample_of_one_value_has_no_ranking(kind, rna, sets):
    flat = pd.concat([rna, pd.DataFrame(0.0, index=["EMPTY"], columns=rna.columns)])
    with pytest.raises(DataError, match=r"1 of 25 samples .*\(EMPTY\)"):
        made(kind, sets).fit(rna).transform(flat)


@pytest.mark.parametrize("kind", [SsGsea, Gsva, Singscore])
def test_a_set_of_all_genes_has_nothing_to_compare_with(kind, rna):
    few = rna[["G001", "G002", "G003"]]
    with pytest.raises(DataError, match="outside the set"):
        kind({"all": list(few)}).fit(few)


@pytest.mark.parametrize("kind", [SsGsea, Gsva, AUCell])
def test_scores_of_one_direction_refuse_genes_that_are_down(kind, rna):
    both = GeneSet("both", ("G001", "G002"), directions=("up", "down"))
    with pytest.raises(SchemaError, match="all up; found genes that are down in both. Split"):
        made(kind, both).fit(rna)


@pytest.mark.parametrize("kind", [*LINEAR, Gsva])
def test_samples_in_another_unit_are_noticed(kind, rna, sets):
    score = kind(sets).fit(rna)
    other = np.exp2(rna.iloc[:2]) * 50
    with pytest.warns(RadiogenomicsWarning, match=r"unit of the reference; found 2 of 2 .*P01"):
        score.transform(other)


def test_sets_come_in_any_form():
    cyt = GeneSet("CYT", ("GZMA", "PRF1"))
    assert as_gene_sets(cyt) == as_gene_sets([cyt]) == as_gene_sets({"CYT": cyt}) == (cyt,)
    (renamed,) = as_gene_sets({"killing": cyt})
    assert (renamed.name, renamed.genes) == ("killing", cyt.genes)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (None, SchemaError, "found None"),
        ("CYT", SchemaError, "found 'CYT'"),
        ([], SchemaError, r"found \[\]"),
        ({}, AlignmentError, "at least one set"),
        (["GZMA", "PRF1"], SchemaError, "'GZMA', 'PRF1'. Give a list of symbols a name"),
        ({"CYT": "GZMA"}, SchemaError, "list of gene symbols; found 'GZMA'"),
        ([GeneSet("A", ("x",)), GeneSet("A", ("y",))], AlignmentError, "found A. Rename"),
    ],
    ids=["none", "text", "empty", "no sets", "bare list", "one symbol", "same name"],
)
def test_what_are_no_gene_sets_is_refused(given, error, message, rna):
    with pytest.raises(error, match=message):
        MeanZ(given).fit(rna)


def test_coverage_table_without_a_score():
    table = coverage_table([GeneSet("S", ("a", "b", "c"))], pd.Index(["a", "b"]), pd.Index(["b"]))
    assert table.iloc[0].tolist() == ["S", 3, 1, 1 / 3, "c", "b"]


@pytest.mark.parametrize("kind", EVERY)
def test_cards_are_filled_and_say_what_learns(kind):
    assert kind.card.scope == "omics: scoring"
    assert kind.card.learns == (kind not in (Singscore, AUCell))


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (MeanZ({"S": ["G001"]}, divide="k"), "unknown divisor 'k'"),
        (SsGsea({"S": ["G001"]}, ties="random"), "unknown way with ties 'random'"),
        (Singscore({"S": ["G001"]}, ties="order"), "unknown way with ties 'order'"),
        (Gsva({"S": ["G001"]}, kernel="Gauss"), "did you mean 'gaussian'"),
    ],
    ids=["mean_z", "ssgsea", "singscore", "gsva"],
)
def test_unknown_words_are_refused(score, message, rna):
    with pytest.raises(UnknownNameError, match=message):
        score.fit(rna)


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (SsGsea({"S": ["G001"]}, alpha=-1), "alpha: expected 0 or more; found -1"),
        (Gsva({"S": ["G001"]}, tau=float("nan")), "tau: expected 0 or more; found nan"),
        (AUCell({"S": ["G001"]}, top=5), "top: expected a share above 0, at most 1; found 5"),
        (AUCell({"S": ["G001"]}, top=0.001), "top of at least 2 genes; found 1"),
    ],
    ids=["alpha", "tau", "top in per cent", "top of one"],
)
def test_impossible_numbers_are_refused(score, message, rna):
    with pytest.raises(DataError, match=message):
        score.fit(rna)
