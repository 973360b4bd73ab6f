"""Mean z, weighted sums, the first component and PLAGE against R and by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from radiogenomics.core.errors import AlignmentError, DataError, FallbackWarning, SchemaError
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.core.signature import Signature
from radiogenomics.omics.scoring.frozen_reference import FrozenReference
from radiogenomics.omics.scoring.mean_z import MeanZ
from radiogenomics.omics.scoring.pc1 import PrincipalComponent
from radiogenomics.omics.scoring.plage import Plage
from radiogenomics.omics.scoring.weighted import WeightedScore

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "omics"
PAIR = GeneSet("pair", ("A", "B"), weights=(3.0, 1.0), directions=("up", "down"))


@pytest.fixture
def two() -> pd.DataFrame:
    return pd.DataFrame({"A": [1.0, 2.0, 6.0], "B": [4.0, 0.0, 2.0]}, index=["P1", "P2", "P3"])


def test_combined_z_is_that_of_gsva(rna, sets, in_r):
    found = MeanZ(sets, divide="root_n").fit_transform(rna)
    np.testing.assert_allclose(found, in_r("zscore"), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(
    ("score", "case"),
    [(MeanZ, "mean z frozen"), (Plage, "plage frozen"), (PrincipalComponent, "pc1 frozen")],
)
def test_samples_on_a_frozen_reference_agree_with_r(score, case, rna, sets, in_r):
    found = score(sets).fit(rna.iloc[:15]).transform(rna)
    np.testing.assert_allclose(found, in_r(case), rtol=1e-9, atol=1e-13)


def test_plage_is_that_of_gsva_but_for_the_sign(rna, sets, in_r):
    score = Plage(sets)
    found, expected = score.fit_transform(rna), in_r("plage")
    signs = np.sign((found * expected).sum())
    np.testing.assert_allclose(found, expected * signs, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose((found**2).sum(), 1)
    # The sign that GSVA leaves open: genes load positively on the whole.
    assert all(loading.sum() > 0 for loading in score.loadings_)


def test_first_component_is_that_of_scikit_learn_and_explains_as_much(rna, sets):
    score = PrincipalComponent(sets["coherent"]).fit(rna)
    values = rna[list(sets["coherent"])]
    model = PCA().fit((values - values.mean()) / values.std())
    assert score.explained_["coherent"] == pytest.approx(model.explained_variance_ratio_[0])
    direction = model.components_[0] * np.sign(model.components_[0].sum())
    np.testing.assert_allclose(score.loadings_[0], direction, rtol=1e-9)


def test_explained_share_agrees_with_r(rna, sets):
    table = pd.read_csv(REFERENCE / "gene_set_scores.csv").query("case == 'pc1 explained'")
    found = PrincipalComponent(sets).fit(rna.iloc[:15]).explained_
    np.testing.assert_allclose(found, table.set_index("set").loc[found.index, "value"], rtol=1e-12)


def test_component_points_where_the_up_genes_do(rng):
    shared = rng.normal(size=80)
    frame = pd.DataFrame({"A": shared, "B": -shared, "C": -shared}) + rng.normal(0, 0.3, (80, 3))
    up = GeneSet("S", ("A", "B", "C"), directions=("up", "down", "down"))
    assert np.corrcoef(PrincipalComponent(up).fit_transform(frame)["S"], shared)[0, 1] > 0.9
    against = GeneSet("S", ("A", "B", "C"))
    assert np.corrcoef(PrincipalComponent(against).fit_transform(frame)["S"], shared)[0, 1] < -0.9


def test_two_directions_that_spread_alike_are_called_arbitrary():
    square = pd.DataFrame({"A": [1.0, -1.0, 1.0, -1.0], "B": [1.0, 1.0, -1.0, -1.0]})
    with pytest.warns(FallbackWarning, match="two that spread alike. The one taken is arbitrary"):
        PrincipalComponent({"S": ["A", "B"]}).fit(square)


def test_up_and_down_that_cancel_are_turned_by_the_largest_loading(two):
    opposed = two.assign(B=-two["A"])
    found = PrincipalComponent({"S": ["A", "B"]}).fit(opposed)
    np.testing.assert_allclose(np.abs(found.loadings_[0]), np.sqrt(0.5))
    largest = int(np.argmax(np.abs(found.loadings_[0])))
    assert found.loadings_[0][largest] > 0


def test_mean_z_by_hand_with_a_gene_that_is_down(two):
    # A: mean 3, sd √7; B: mean 2, sd 2.
    z = (two["A"] - 3) / np.sqrt(7), (two["B"] - 2) / 2
    found = MeanZ(PAIR).fit_transform(two)["pair"]
    np.testing.assert_allclose(found, (z[0] - z[1]) / 2)


def test_weighted_score_by_hand(two):
    z = (two["A"] - 3) / np.sqrt(7), (two["B"] - 2) / 2
    found = WeightedScore(PAIR).fit_transform(two)["pair"]
    np.testing.assert_allclose(found, (3 * z[0] - z[1]) / 4)
    raw = WeightedScore(PAIR, standardise=False, average=False).fit_transform(two)["pair"]
    np.testing.assert_allclose(raw, 3 * two["A"] - two["B"])


def test_plain_average_of_logs_is_the_geometric_mean_of_one_patient():
    tpm = pd.DataFrame({"GZMA": [7.5], "PRF1": [30.0]})
    cyt = WeightedScore({"CYT": ["GZMA", "PRF1"]}, standardise=False)
    found = np.exp2(cyt.fit_transform(np.log2(tpm + 0.01))["CYT"].item())
    assert found == pytest.approx(np.sqrt(7.51 * 30.01))


def test_plain_average_keeps_constant_genes(two):
    flat = two.assign(A=5.0)
    found = WeightedScore({"S": ["A", "B"]}, standardise=False).fit_transform(flat)
    np.testing.assert_allclose(found["S"], (5 + two["B"]) / 2)


def test_weights_of_nothing_are_refused(two):
    with pytest.raises(SchemaError, match="weight that is not 0"):
        WeightedScore(GeneSet("S", ("A", "B"), weights=(0.0, 0.0))).fit(two)


def test_all_genes_constant_is_refused(two):
    with pytest.raises(AlignmentError, match=r"0 of 2 in S \(constant A, B\)"):
        MeanZ({"S": ["A", "B"]}).fit(two * 0 + 0.1)


@pytest.mark.parametrize(
    "score",
    [MeanZ, Plage, PrincipalComponent, WeightedScore],
)
def test_a_fitted_score_is_a_signature_that_json_keeps(score, rna, sets):
    fitted = score(sets).fit(rna.iloc[:15])
    new = rna.iloc[15:]
    found = fitted.signatures(unit="log2(TPM+1)")
    for name in sets:
        again = Signature.from_json(found[name].to_json())
        np.testing.assert_allclose(again.score(new), fitted.transform(new)[name], atol=1e-12)
        assert again.unit == "log2(TPM+1)"
        assert again.source.endswith("standardised on 15 samples")


def test_a_sum_of_values_as_they_are_is_a_signature_too(two):
    fitted = WeightedScore(PAIR, standardise=False).fit(two)
    found = fitted.signatures()["pair"]
    np.testing.assert_allclose(found.score(two), fitted.transform(two)["pair"])
    assert found.source.endswith("values as are")


def test_frozen_reference_is_checked_and_read_only():
    with pytest.raises(SchemaError, match="1 scales not positive"):
        FrozenReference(["A", "B"], [0.0, 0.0], [1.0, 0.0], 5)
    with pytest.raises(SchemaError, match=r"shapes \(1,\) and \(2,\)"):
        FrozenReference(["A", "B"], [0.0], [1.0, 1.0], 5)
    with pytest.raises(DataError, match="at least 2 samples"):
        FrozenReference.of(np.ones((1, 2)), ["A", "B"])
    reference = FrozenReference.of(np.array([[0.0, 1.0], [2.0, 5.0]]), ["A", "B"])
    with pytest.raises(ValueError, match="read-only"):
        reference.centre[0] = 9
