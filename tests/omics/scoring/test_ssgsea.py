from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError
from radiogenomics.omics.scoring.ssgsea import SsGsea


@pytest.mark.parametrize(
    ("options", "case"),
    [
        ({}, "ssgsea"),
        ({"alpha": 0.75}, "ssgsea alpha"),
        ({"normalise": True}, "ssgsea normalised"),
        ({"ties": "order"}, "ssgsea"),
    ],
    ids=str,
)
def test_scores_agree_with_gsva(options, case, rna, sets, in_r):
    found = SsGsea(sets, **options).fit_transform(rna)
    np.testing.assert_allclose(found, in_r(case), rtol=1e-11)


def test_tied_values_in_order_agree_with_gsva(rna, sets, in_r):
    found = SsGsea(sets, ties="order").fit_transform(rna.round())
    np.testing.assert_allclose(found, in_r("ssgsea tied"), rtol=1e-11)


def walked(ranks: np.ndarray, members: np.ndarray, weights: np.ndarray) -> float:
    """The running sum written out: down the ranking, summed over all places."""
    n, k = len(ranks), len(members)
    inside = np.isin(np.arange(n), members)
    total = here = 0.0
    for gene in np.argsort(-ranks):
        step = weights[gene] / weights[members].sum() if inside[gene] else -1 / (n - k)
        here += step
        total += here
    return total


@pytest.mark.parametrize("alpha", [0.0, 0.25, 1.0])
def test_closed_form_is_the_running_sum(alpha, rng):
    values = rng.normal(size=(6, 30))
    genes = [f"g{n}" for n in range(30)]
    members = np.array([2, 3, 11, 17, 29])
    frame = pd.DataFrame(values, columns=genes)
    found = SsGsea({"S": [genes[m] for m in members]}, alpha=alpha).fit_transform(frame)["S"]
    ranks = values.argsort(axis=1).argsort(axis=1) + 1.0
    np.testing.assert_allclose(found, [walked(r, members, r**alpha) for r in ranks], rtol=1e-12)


def test_tied_genes_score_the_mean_over_their_orders():
    frame = pd.DataFrame([[0.0, 0.0, 0.0, 0.0, 3.0, 2.0, 5.0]], columns=list("abcdefg"))
    members = np.array([0, 1, 4])
    found = SsGsea({"S": ["a", "b", "e"]}).fit_transform(frame)["S"].item()
    weights = np.array([2.5, 2.5, 2.5, 2.5, 6.0, 5.0, 7.0]) ** 0.25
    orders = [np.array([*order, 6.0, 5.0, 7.0]) for order in permutations([1.0, 2.0, 3.0, 4.0])]
    assert found == pytest.approx(np.mean([walked(r, members, weights) for r in orders]), rel=1e-12)


def test_tied_genes_score_alike_whatever_the_order_of_columns(rna, sets, rng):
    tied = rna.round()
    mixed = tied[rng.permutation(tied.columns)]
    found = SsGsea(sets).fit_transform(tied)
    np.testing.assert_allclose(SsGsea(sets).fit_transform(mixed), found, rtol=1e-12)


def test_scores_and_their_normalisation_are_those_of_gseapy(rna, sets):
    gseapy = pytest.importorskip("gseapy")
    untied = rna.drop(columns="G077")
    lists = {name: [g for g in each if g != "G077"] for name, each in sets.items()}
    result = gseapy.ssgsea(
        data=untied.T, gene_sets=lists, outdir=None, min_size=1, permutation_num=0, threads=1
    ).res2d
    for column, normalise in (("ES", False), ("NES", True)):
        theirs = result.pivot(index="Name", columns="Term", values=column).astype(float)
        found = SsGsea(lists, normalise=normalise).fit_transform(untied)
        np.testing.assert_allclose(found, theirs.loc[rna.index, list(sets)], rtol=1e-9)


def test_normalised_patients_keep_the_range_of_the_reference(rna, sets):
    raw, normalised = SsGsea(sets).fit(rna), SsGsea(sets, normalise=True).fit(rna[:10])
    ten = raw.transform(rna[:10]).to_numpy()
    assert normalised.range_ == pytest.approx(ten.max() - ten.min())
    pd.testing.assert_frame_equal(
        normalised.transform(rna[10:]), raw.transform(rna[10:]) / normalised.range_
    )


def test_one_score_has_no_range(rna, sets):
    with pytest.raises(DataError, match="scores that differ, to divide by their range"):
        SsGsea(sets["mixed"], normalise=True).fit(rna[:1])
