from __future__ import annotations

import sys

import anndata
import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import (
    DataError,
    MissingExtraError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.omics.single_cell.cells import cell_fact, log_values, raw_counts, scanpy
from radiogenomics.omics.single_cell.normalise import normalise_cells
from radiogenomics.omics.single_cell.quality import QualityLimits, cell_quality, filter_cells

pytest.importorskip("scanpy")


def batch(rng: np.random.Generator) -> anndata.AnnData:
    """Two samples of 60 sound cells, the second ten times as deep, then four that are not."""
    rate = rng.gamma(2, 2, size=80)
    rate[:4] = 1.0
    counts = np.vstack([rng.poisson(rate, size=(60, 80)), rng.poisson(10 * rate, size=(60, 80))])
    broken = counts[:4].copy()
    broken[0, 5:] = 0
    broken[1] = counts[1] * 40
    broken[2, :4] = 400
    broken[3] = 0
    matrix = np.vstack([counts, broken]).astype(float)
    sample = ["A"] * 60 + ["B"] * 60 + ["A"] * 4
    names = ["MT-CO1", "mt-nd1", "MT-ND2", "MT-CYB", *(f"G{k}" for k in range(76))]
    cells = anndata.AnnData(matrix, obs=pd.DataFrame({"patient_id": sample}, dtype=object))
    cells.var_names = names
    cells.obs_names = [f"c{k}" for k in range(124)]
    return cells


def test_measures_are_counted_by_hand(rng):
    cells = batch(rng)
    found, dense = cell_quality(cells), np.asarray(cells.X)
    np.testing.assert_array_equal(found["genes"], (dense > 0).sum(axis=1))
    np.testing.assert_array_equal(found["counts"], dense.sum(axis=1))
    sound = dense.sum(axis=1) > 0
    share = dense[sound, :4].sum(axis=1) / dense[sound].sum(axis=1)
    np.testing.assert_allclose(found["mitochondrial"][sound], share, rtol=1e-6)


def test_limits_by_spread_are_those_of_each_sample(rng):
    limits = QualityLimits(min_genes=1, max_mitochondrial=0.5, deviations=5)
    found = filter_cells(batch(rng), limits)
    bad = found.metrics["reason"] != ""
    assert list(found.metrics.index[bad]) == ["c120", "c121", "c122", "c123"]
    reasons = found.metrics["reason"]
    assert "low genes" in reasons["c120"] and "low counts" in reasons["c120"]
    assert "high counts" in reasons["c121"]
    assert "high mitochondrial" in reasons["c122"]
    logs = np.log1p(found.metrics.loc[found.metrics["sample"] == "A", "counts"])
    reach = 5 * 1.4826 * (logs - logs.median()).abs().median()
    row = found.limits.query("sample == 'A' and measure == 'counts'").iloc[0]
    np.testing.assert_allclose(row["low"], np.expm1(logs.median() - reach))
    np.testing.assert_allclose(row["high"], np.expm1(logs.median() + reach))


def test_fixed_limits_are_inclusive_and_table_adds_up(rng):
    cells = batch(rng)
    genes = (np.asarray(cells.X) > 0).sum(axis=1)
    least = int(np.sort(genes)[10])
    limits = QualityLimits(min_genes=least, max_mitochondrial=None, deviations=None)
    found = filter_cells(cells, limits)
    assert found.cells.n_obs == (genes >= least).sum()
    assert found.dropped["cells"].sum() == (genes < least).sum()
    assert set(found.dropped["reason"]) == {"low genes"}
    assert cells.n_obs == 124 and "counts" not in cells.layers
    assert (found.cells.layers["counts"] != found.cells.X).sum() == 0


def test_without_mitochondrial_genes_there_is_a_warning(counted):
    with pytest.warns(RadiogenomicsWarning, match="mitochondrial genes"):
        found = cell_quality(counted)
    assert found["mitochondrial"].isna().all()


def test_nothing_left_is_an_error(rng):
    with pytest.raises(DataError, match="found none of 124"):
        filter_cells(batch(rng), QualityLimits(min_genes=5000))


@pytest.mark.parametrize("limits", [{"max_mitochondrial": 20}, {"deviations": 0}], ids=str)
def test_limits_out_of_range_are_refused(rng, limits):
    with pytest.raises(DataError, match="20 % is 0.2"):
        filter_cells(batch(rng), QualityLimits(**limits))


def test_normalised_is_the_formula_and_keeps_counts(counted):
    found = normalise_cells(counted, target_sum=5000)
    dense = counted.X.toarray().astype(float)
    expected = np.log1p(5000 * dense / dense.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(found.X.toarray(), expected, rtol=1e-12)
    np.testing.assert_array_equal(found.layers["counts"].toarray(), dense)
    np.testing.assert_array_equal(counted.X.toarray(), dense)
    again = normalise_cells(found, target_sum=5000)
    np.testing.assert_array_equal(again.X.toarray(), found.X.toarray())


def test_normalising_needs_counts_in_each_cell(rng):
    with pytest.raises(DataError, match="1 cells without"):
        normalise_cells(batch(rng))
    with pytest.raises(DataError, match="target_sum"):
        normalise_cells(batch(rng)[:100].copy(), target_sum=0)


@pytest.mark.parametrize("bad", [0.5, -1.0, np.nan])
def test_other_values_are_no_counts(rng, bad):
    cells = batch(rng)
    cells.X[0, 0] = bad
    with pytest.raises(DataError, match="raw counts"):
        raw_counts(cells)


def test_counts_are_no_logarithms(counted):
    with pytest.raises(DataError, match="normalise_cells"):
        log_values(counted)


def test_facts_must_be_known(rng):
    cells = batch(rng)
    with pytest.raises(UnknownNameError, match="patient_id"):
        cell_fact(cells, "patient")
    cells.obs.loc["c3", "patient_id"] = None
    with pytest.raises(DataError, match="found 1 of 124"):
        cell_fact(cells, "patient_id")


def test_missing_scanpy_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "scanpy", None)
    with pytest.raises(MissingExtraError, match=r"radiogenomics\[omics\]"):
        scanpy()
