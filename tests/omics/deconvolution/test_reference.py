from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from radiogenomics.core.errors import AlignmentError, DataError, LeakageError
from radiogenomics.omics.deconvolution.nnls import NnlsDeconvolver
from radiogenomics.omics.deconvolution.reference import cell_reference

TYPES = ("B", "Mono", "T")


@pytest.fixture
def made(rng):
    """300 cells × 400 genes of 3 types and 4 patients; 20 genes mark each type. And the truth."""
    base = rng.gamma(0.6, 2, 400)
    profiles = np.tile(base, (3, 1))
    for kind in range(3):
        profiles[kind, 20 * kind : 20 * kind + 20] += rng.uniform(8, 30, 20)
    kinds, people = np.repeat(np.arange(3), 100), np.tile(np.arange(4), 75)
    effect = rng.lognormal(0, 0.15, (4, 400))
    depth = rng.lognormal(0, 0.5, 300)[:, None]
    counts = pd.DataFrame(
        rng.poisson(profiles[kinds] * effect[people] * depth),
        index=[f"c{n}" for n in range(300)],
        columns=[f"g{n}" for n in range(400)],
    )
    types = pd.Series(np.array(TYPES)[kinds], index=counts.index)
    patients = pd.Series(people, index=counts.index).map("P{}".format)
    truth = profiles / profiles.sum(axis=1, keepdims=True) * 1e6
    return counts, types, patients, pd.DataFrame(truth, index=TYPES, columns=counts.columns)


def test_profiles_are_mean_cpm_of_cells_then_of_patients(made):
    counts, types, patients, _ = made
    uneven = np.r_[np.arange(0, 300, 4), np.arange(1, 300, 4), np.arange(2, 300, 12)]
    counts, types, patients = counts.iloc[uneven], types.iloc[uneven], patients.iloc[uneven]
    found = cell_reference(counts, types, patients=patients)
    cpm = counts.div(counts.sum(axis=1), axis=0) * 1e6
    means = cpm.groupby([types, patients]).mean().groupby(level=0).mean()
    np.testing.assert_allclose(found.matrix, means[found.matrix.index].T, rtol=1e-12)
    flat = cell_reference(counts, types)
    np.testing.assert_allclose(
        flat.matrix, cpm.groupby(types).mean()[flat.matrix.index].T, rtol=1e-12
    )
    assert found.cells.to_dict() == types.value_counts().to_dict()


def test_planted_markers_are_found_and_fractions_recovered(made, rng):
    counts, types, patients, truth = made
    found = cell_reference(counts, types, patients=patients, least_markers=5)
    planted = {f"g{n}": TYPES[n // 20] for n in range(60)}
    marked = found.markers.set_index("gene")["cell_type"].to_dict()
    right = [planted.get(gene) == kind for gene, kind in marked.items()]
    assert np.mean(right) > 0.9
    assert len(right) >= 15
    assert (found.markers["q_value"] <= 0.05).all()
    shares = rng.dirichlet(np.ones(3), 30)
    bulk = pd.DataFrame(shares @ truth.to_numpy(), columns=truth.columns)
    fractions = NnlsDeconvolver(found.matrix).fit_transform(bulk)
    assert np.abs(fractions[list(TYPES)].to_numpy() - shares).max() < 0.05


def test_number_of_markers_has_the_least_condition_number(made):
    counts, types, _, _ = made
    conditions = {
        n: cell_reference(counts, types, least_markers=n, most_markers=n).condition_number
        for n in range(3, 25)
    }
    best = cell_reference(counts, types, least_markers=3, most_markers=24)
    assert best.condition_number == min(conditions.values())
    assert best.condition_number == pytest.approx(np.linalg.cond(best.matrix), rel=1e-10)


def test_sparse_arrays_and_frames_agree(made):
    counts, types, patients, _ = made
    whole = cell_reference(counts, types, patients=patients)
    thin = cell_reference(
        sparse.csr_matrix(counts.to_numpy()),
        types.tolist(),
        genes=counts.columns,
        patients=patients.tolist(),
    )
    pd.testing.assert_frame_equal(whole.matrix, thin.matrix)


def test_patients_of_the_reference_are_refused(made):
    counts, types, patients, _ = made
    found = cell_reference(counts, types, patients=patients)
    found.refuse_patients(["P7", "P8"])
    with pytest.raises(LeakageError, match="found 1 of them \\(P2\\)"):
        found.refuse_patients(["P2", "P7"])


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (lambda c, t: (c - 1, t), DataError, "Negative"),
        (lambda c, t: (c * np.nan, t), DataError, "finite counts"),
        (lambda c, t: (c.assign(**dict.fromkeys(c, 0)), t), DataError, "300 cells without"),
        (lambda c, t: (c, t.iloc[::-1]), AlignmentError, "another index"),
        (lambda c, t: (c, t.iloc[:5]), AlignmentError, "300 cells"),
        (lambda c, t: (c, t.mask(t == "B")), DataError, "100 cells without"),
        (lambda c, t: (c, t.where(t == "B", "B")), DataError, "two or more cell types"),
        (lambda c, t: (c * 0 + 1, t), DataError, "found none for"),
        (lambda c, t: (c.to_numpy(), t), AlignmentError, "Give genes"),
        (lambda c, t: (c.set_axis(["g"] * 400, axis=1), t), AlignmentError, "repeated: g"),
    ],
    ids="negative nan empty order length missing single unmarked nameless repeated".split(),
)
def test_bad_cells_are_refused(spoil, error, words, made):
    counts, types = spoil(*made[:2])
    with pytest.raises(error, match=words):
        cell_reference(counts, types)


def test_bad_bounds_are_refused(made):
    with pytest.raises(DataError, match="least_markers <= most_markers"):
        cell_reference(*made[:2], least_markers=9, most_markers=3)
