"""Singscore and AUCell against published formulae, brute force and another program."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.gene_set import GeneSet
from radiogenomics.omics.scoring.aucell import AUCell
from radiogenomics.omics.scoring.singscore import Singscore


@pytest.mark.parametrize(("digits", "case"), [(9, "singscore"), (0, "singscore tied")])
def test_singscore_agrees_with_the_formula_in_r(digits, case, rna, sets, in_r):
    found = Singscore(sets).fit_transform(rna.round(digits))
    np.testing.assert_allclose(found, in_r(case), rtol=1e-11, atol=1e-15)


def test_singscore_of_both_directions_agrees_with_the_formula_in_r(rna, sets, in_r):
    both = {}
    for name, each in sets.items():
        half = len(each) // 2
        ways = ("up",) * half + ("down",) * (len(each) - half)
        both[name] = GeneSet(name, each.genes, directions=ways)
    found = Singscore(both, ties="average").fit_transform(rna)
    np.testing.assert_allclose(found, in_r("singscore both"), rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize(("centre", "least", "most"), [(True, -0.5, 0.5), (False, 0.0, 1.0)])
def test_singscore_reaches_its_ends_and_reverses_for_genes_that_are_down(centre, least, most):
    frame = pd.DataFrame([np.arange(10.0)], columns=list("abcdefghij"))
    top, bottom = ("h", "i", "j"), ("a", "b", "c")
    found = Singscore(
        [
            GeneSet("top", top),
            GeneSet("bottom", bottom),
            GeneSet("bottom down", bottom, directions=("down",) * 3),
            GeneSet("both", top + bottom, directions=("up",) * 3 + ("down",) * 3),
        ],
        centre=centre,
    ).fit_transform(frame)
    np.testing.assert_allclose(found.to_numpy()[0], [most, least, most, 2 * most], atol=1e-15)


@pytest.mark.parametrize(("top", "case"), [(0.05, "aucell 5 %"), (0.2, "aucell 20 %")])
def test_aucell_agrees_with_the_curve_drawn_in_r(top, case, rna, sets, in_r):
    found = AUCell(sets, top=top).fit_transform(rna)
    np.testing.assert_allclose(found, in_r(case), rtol=1e-12, atol=1e-15)


@pytest.mark.slow  # the other program compiles itself first
def test_aucell_agrees_with_decoupler_where_nothing_ties(rna, sets):
    decoupler = pytest.importorskip("decoupler")
    pairs = [(name, gene) for name, each in sets.items() for gene in each]
    net = pd.DataFrame(pairs, columns=["source", "target"])
    theirs, _ = decoupler.mt.aucell(rna, net, tmin=1, n_up=40)
    found = AUCell(sets, top=0.2).fit_transform(rna)
    np.testing.assert_allclose(found[theirs.columns], theirs, rtol=1e-6)


def recovered(places: np.ndarray, threshold: int) -> float:
    """Members met before the threshold, place by place."""
    return float(sum((places <= place).sum() for place in range(1, threshold)))


@pytest.mark.parametrize("top", [0.3, 0.5, 0.8, 1.0])
def test_aucell_of_tied_genes_is_the_mean_over_their_orders(top):
    frame = pd.DataFrame([[9.0, 2.0, 2.0, 2.0, 2.0, 1.0, 0.5, 0.1]], columns=list("abcdefgh"))
    threshold = int(np.ceil(top * 8))
    found = AUCell({"S": ["b", "c", "g"]}, top=top).fit_transform(frame)["S"].item()
    best = recovered(np.arange(1, 4), threshold)
    # The ties hold places 2 to 5; members are two of them and the one at place 7.
    areas = [
        recovered(np.array([*order[:2], 7]), threshold) for order in permutations([2, 3, 4, 5])
    ]
    assert found == pytest.approx(np.mean(areas) / best, rel=1e-12)


def test_aucell_is_one_for_the_top_and_nothing_below_it():
    frame = pd.DataFrame([np.arange(20.0)], columns=[f"g{n}" for n in range(20)])
    found = AUCell({"top": ["g19", "g18", "g17"], "low": ["g0", "g1"]}, top=0.4).fit(frame)
    assert found.threshold_ == 8
    assert found.transform(frame).to_numpy().tolist() == [[1.0, 0.0]]
