r"""Modules of features held against modules of genes, by their eigen-columns.

Modules are learnt from their own side alone, so no side has seen the other. The family-wise p is
the chance of a :math:`|\rho|` as large anywhere in the table if no module of features went with any
of genes: patients of the features change places, and the largest :math:`|\rho|` of each order is
kept, so that what goes together within either side stays together (Westfall and Young). Covariates
are taken out first, and once more after each exchange (Freedman and Lane): exact without
covariates, close with them.

References
----------
Westfall & Young 1993, Resampling-based multiple testing; Freedman & Lane 1983,
doi:10.1080/07350015.1983.10509354; Winkler et al. 2014, doi:10.1016/j.neuroimage.2014.01.060.

Examples
--------
>>> from radiogenomics.evaluation.association.modules import modules_from_sets
>>> from radiogenomics.stats.permutation import permutations
>>> rng = np.random.default_rng(0)
>>> common = rng.normal(size=(50, 1))
>>> features = pd.DataFrame(common + rng.normal(size=(50, 3)), columns=["f1", "f2", "f3"])
>>> genes = pd.DataFrame(common + rng.normal(size=(50, 3)), columns=["A", "B", "C"])
>>> left = modules_from_sets(features, {"texture": features}, kind="feature", smallest=3)
>>> right = modules_from_sets(genes, {"cell cycle": genes}, kind="gene", smallest=3)
>>> links = module_links(left, right, orders=permutations(50, 199, rng))
>>> links[["feature_module", "gene_module", "rho", "p_family"]].values.tolist()
[['texture', 'cell cycle', 0.6, 0.005]]
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from radiogenomics.core.errors import DataError
from radiogenomics.evaluation.alignment import require_same_patients
from radiogenomics.evaluation.association.complete_tables import covariates_beside
from radiogenomics.evaluation.association.modules import Modules
from radiogenomics.stats.association.relabelling import Orders, check_orders
from radiogenomics.stats.association.units import (
    Correlation,
    correlation_interval,
    correlation_p,
    covariate_basis,
    unit_columns,
)
from radiogenomics.stats.inputs import Floats, check_level
from radiogenomics.stats.multiplicity import adjust

_COLUMNS = (
    "feature_module",
    "gene_module",
    "rho",
    "low",
    "high",
    "p",
    "fdr",
    "p_family",
    "features",
    "genes",
)
# Orders of patients that are worked on together.
_BLOCK = 64
# The same correlation summed in another order differs by rounding; that is a tie.
_ROUNDING = 1e-12


def module_links(
    feature_modules: Modules,
    gene_modules: Modules,
    *,
    orders: ArrayLike,
    beside: pd.DataFrame | None = None,
    level: float = 0.95,
    method: Correlation = "spearman",
) -> pd.DataFrame:
    """Correlation of each module of features with each module of genes.

    Misleads where modules were chosen for a link, or patients are not exchangeable: draw orders
    within sites. ``p`` and ``fdr`` rest on Student's t.

    Parameters
    ----------
    feature_modules, gene_modules
        Of the same patients in one order.
    orders : array-like of int, shape (count, n)
        Permutations of the patients, 999 or more.
    beside, method
        Patients × covariates; ``"spearman"`` (numbers among them are ranked) or ``"pearson"``.
    level
        Of the intervals (Fisher).

    Returns
    -------
    DataFrame
        ``feature_module, gene_module, rho, low, high, p, fdr, p_family, features, genes`` (members
        of either), the strongest first; empty where a side has no module.

    Raises
    ------
    AlignmentError, DataError
        Other patients; orders that are no permutations; covariates that explain an eigen-column.
    """
    left, right = feature_modules.eigen, gene_modules.eigen
    require_same_patients(left.index, right.index, what="modules of features and of genes")
    rows = check_orders(orders, len(left))
    check_level(level)
    if left.empty or right.empty:
        return pd.DataFrame(columns=list(_COLUMNS))
    covariates = covariates_beside(beside, left.index, method=method)
    f, g = (unit_columns(side, method=method, beside=covariates) for side in (left, right))
    basis = covariate_basis(covariates, len(left))
    rho = np.clip(f.T @ g, -1.0, 1.0).ravel()
    table = pd.DataFrame(
        {
            "feature_module": left.columns.repeat(right.shape[1]),
            "gene_module": np.tile(right.columns.to_numpy(), left.shape[1]),
            "features": np.repeat(feature_modules.sizes.to_numpy(), right.shape[1]),
            "genes": np.tile(gene_modules.sizes.to_numpy(), left.shape[1]),
        }
    )
    null = _largest(f, g, basis=basis, orders=rows)
    freedom = len(left) - 2 - basis.shape[1]
    low, high = correlation_interval(rho, freedom, level=level, method=method)
    table = table.assign(rho=rho, low=low, high=high, **_tested(rho, null, freedom=freedom))
    strongest = np.argsort(-np.abs(rho).round(12), kind="stable")
    return table.iloc[strongest][list(_COLUMNS)].reset_index(drop=True)


def _tested(rho: Floats, null: Floats, *, freedom: int) -> dict[str, Floats]:
    """Columns of the table that say how sure each correlation is."""
    beaten = null.size - np.searchsorted(np.sort(null), np.abs(rho) * (1 - _ROUNDING))
    p = correlation_p(rho, freedom)
    return {"p": p, "fdr": adjust(p), "p_family": (1 + beaten) / (1 + null.size)}


def _largest(f: Floats, g: Floats, *, basis: Floats, orders: Orders) -> Floats:
    """Largest absolute correlation of the whole table under each order."""
    largest = np.empty(len(orders))
    for start in range(0, len(orders), _BLOCK):
        block = slice(start, start + _BLOCK)
        moved = f[orders[block]].transpose(0, 2, 1)
        explained = ((moved @ basis) ** 2).sum(axis=2)
        # What the covariates explain of exchanged columns is already out of g.
        left = np.sqrt(np.maximum(1 - explained, 0.0))
        if (left <= 0).any():
            raise DataError(
                "expected columns that covariates do not explain in any order; found one they do. "
                "Use fewer covariates."
            )
        largest[block] = (np.abs(moved @ g) / left[:, :, None]).max(axis=(1, 2))
    return largest
