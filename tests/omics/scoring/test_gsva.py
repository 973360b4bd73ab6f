from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, poisson

from radiogenomics.core.errors import DataError
from radiogenomics.omics.scoring.gsva import Gsva


@pytest.mark.parametrize(
    ("options", "case"),
    [
        ({}, "gsva gaussian"),
        ({"difference": False}, "gsva gaussian max"),
        ({"tau": 0.25}, "gsva gaussian tau"),
        ({"kernel": "poisson"}, "gsva poisson"),
    ],
    ids=str,
)
def test_scores_of_the_reference_agree_with_gsva(options, case, rna, counts, sets, in_r):
    values = counts if "kernel" in options else rna
    found = Gsva(sets, **options).fit_transform(values)
    np.testing.assert_allclose(found, in_r(case), rtol=1e-10, atol=1e-13)


def test_scores_against_a_frozen_reference_agree_with_gsva(rna, counts, sets, in_r):
    found = Gsva(sets).fit(rna[:15]).transform(rna)
    np.testing.assert_allclose(found, in_r("gsva gaussian frozen"), rtol=1e-10, atol=1e-13)
    found = Gsva(sets, kernel="poisson").fit(counts[:15]).transform(counts)
    np.testing.assert_allclose(found, in_r("gsva poisson frozen"), rtol=1e-10, atol=1e-13)


def walked(smoothed, members):
    """The walk written out for one sample, place by place."""
    p, k = len(smoothed), len(members)
    here, highest, lowest = 0.0, 0.0, 0.0
    order = np.argsort(-smoothed, kind="stable")
    weight = {gene: abs(p - place - p / 2) for place, gene in enumerate(order)}
    total = sum(weight[m] for m in members)
    for gene in order:
        here += weight[gene] / total if gene in members else -1 / (p - k)
        highest, lowest = max(highest, here), min(lowest, here)
    return highest + lowest


@pytest.mark.parametrize("kernel", ["gaussian", "poisson"])
def test_scores_are_the_method_written_out(kernel, rng):
    genes = [f"g{n}" for n in range(25)]
    draw = rng.normal(5, 1, (30, 25)) if kernel == "gaussian" else rng.poisson(20, (30, 25))
    frame = pd.DataFrame(draw.astype(float), columns=genes)
    reference, new = frame[:20].to_numpy(), frame[20:].to_numpy()
    members = [1, 4, 9, 16]
    if kernel == "poisson":
        smoothed = poisson.cdf(new[:, None], reference + 0.5).mean(axis=1)
    else:
        width = reference.std(axis=0, ddof=1) / 4
        smoothed = norm.cdf((new[:, None] - reference) / width).mean(axis=1)
    score = Gsva({"S": [genes[m] for m in members]}, kernel=kernel).fit(frame[:20])
    expected = [walked(sample, members) for sample in smoothed]
    np.testing.assert_allclose(score.transform(frame[20:])["S"], expected, rtol=1e-9)


def test_the_company_changes_nothing_where_other_programs_let_it(rna, sets, in_r):
    frozen = Gsva(sets).fit(rna[:15]).transform(rna[15:])
    apart = Gsva(sets).fit_transform(rna[15:])  # as if these were all there are
    assert np.abs(frozen - apart).to_numpy().max() > 0.1


def test_a_gene_that_weighs_nothing_still_counts():
    # Six genes: the one at place 4 is 6 − 4 + 1 − 3 = 0 from the middle.
    genes = list("abcdef")
    reference = pd.DataFrame(np.tile(np.arange(11.0)[:, None], 6), columns=genes)
    sample = pd.DataFrame([[9.0, 8.0, 7.0, 6.0, 5.0, 4.0]], columns=genes)
    found = Gsva({"d": ["d"]}).fit(reference).transform(sample)["d"].item()
    # Falls three fifths before the member, rises by 1 at it.
    assert found == pytest.approx(-3 / 5 + (1 - 3 / 5))


def test_negative_values_are_no_counts(rna, sets):
    with pytest.raises(DataError, match='counts for the Poisson kernel; .* kernel="gaussian"'):
        Gsva(sets, kernel="poisson").fit(rna - 10)


def test_genes_that_do_not_vary_in_the_reference_are_left_out(rna, sets):
    score = Gsva(sets).fit(rna)
    assert len(score.genes_) == 199
    assert score.coverage_.set_index("set").loc["with_flat", "constant"] == "G077"
