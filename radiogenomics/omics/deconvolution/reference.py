r"""A signature matrix made of single cells whose types are known.

Counts become CPM in each cell; a type's profile is their mean, with ``patients`` first over a
patient's cells and then over patients, so that each counts alike. A marker of a type is a gene
whose :math:`\log_2((a + 1) / (b + 1))`, a its mean CPM in the type and b that in the next
highest one, is large enough. With two patients or more in each type it must also be higher than
the mean of the other types by a moderated t-test on log2(CPM + 1) of patient × type (patients
are the replicates; cells of one patient are not). Of each type's markers by falling fold change
the first G are kept, with the one G for all between ``least_markers`` and ``most_markers`` that
makes the condition number least.

Nothing of the samples to be explained is learnt: build it of other patients than those tested
(:meth:`CellReference.refuse_patients`). Misleads when a tissue's types are not all among the
cells, when dissociation or single-nucleus protocols lost some, and across platforms.

Reference: Newman et al. 2015, doi:10.1038/nmeth.3337 (choice of G by the condition number).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from radiogenomics.core.errors import AlignmentError, DataError, LeakageError, short_list
from radiogenomics.omics.deconvolution.deconvolver import refuse_negative
from radiogenomics.stats.groups.moderated_t import moderated_t
from radiogenomics.stats.multiplicity import adjust

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CellReference:
    """Profiles of cell types and where they come from.

    Parameters
    ----------
    matrix
        Genes × cell types, mean CPM; what a deconvolution takes.
    markers
        A row a gene of the matrix: ``gene, cell_type, log2_fold_change`` (to the next highest
        type) and ``q_value`` (NaN without patients).
    condition_number
        Of the matrix: 1 at best; the larger, the more noise is blown up.
    cells
        Number of cells of each type.
    patients
        Patients whose cells were used; empty where they were not given.
    """

    matrix: pd.DataFrame
    markers: pd.DataFrame
    condition_number: float
    cells: pd.Series[int]
    patients: frozenset[str]

    def refuse_patients(self, others: Iterable[Any]) -> None:
        """Raise LeakageError where cells of these patients made the reference."""
        shared = sorted(self.patients.intersection(map(str, others)))
        if shared:
            raise LeakageError(
                f"cell reference: expected other patients than the {len(self.patients)} whose "
                f"cells made it; found {len(shared)} of them ({short_list(shared)}). Build the "
                "reference without them."
            )


def cell_reference(
    counts: pd.DataFrame | sparse.spmatrix | Floats,
    cell_types: Sequence[str] | pd.Series[str],
    *,
    genes: Sequence[str] | pd.Index | None = None,
    patients: Sequence[str] | pd.Series[str] | None = None,
    least_markers: int = 20,
    most_markers: int = 150,
    min_log2_fold_change: float = 1.0,
    max_q: float = 0.05,
) -> CellReference:
    """Mean profiles of cell types on the genes that tell them apart.

    The method, and when it misleads: head of this module.

    Parameters
    ----------
    counts
        Cells × genes, raw counts; frame, array or sparse matrix.
    cell_types
        Type of each cell.
    genes
        Symbols, unless ``counts`` is a frame.
    patients
        Patient of each cell.
    least_markers, most_markers, min_log2_fold_change, max_q
        Bounds of G, of the fold change (above 0), and of the false discovery rate where tested.

    Raises
    ------
    AlignmentError
        Lengths disagree, a gene repeats, or cells of a frame stand in another order.
    DataError
        Counts are negative or not finite, a cell has none, there are fewer than two types, a type
        or patient is missing, a bound is impossible, or a type has no marker.

    Examples
    --------
    >>> cells = pd.DataFrame([[90, 1, 9], [80, 2, 18], [1, 70, 29]], columns=["MS4A1", "CD3D", "X"])
    >>> made = cell_reference(cells, ["B", "B", "T"], least_markers=1)
    >>> made.matrix.round(-3).to_numpy().tolist()
    [[850000.0, 10000.0], [15000.0, 700000.0], [135000.0, 290000.0]]
    >>> made.markers["cell_type"].tolist()
    ['B', 'T', 'T']
    """
    _check_bounds(least_markers, most_markers, min_log2_fold_change, max_q)
    symbols = _symbols(counts, genes)
    kinds = _labels(cell_types, counts, what="cell_types")
    people = None if patients is None else _labels(patients, counts, what="patients")
    groups = pd.DataFrame({"type": kinds, "patient": "all" if people is None else people})
    pseudobulk = _mean_cpm(counts, groups, symbols)
    profiles = _profiles(pseudobulk)
    candidates = _candidates(pseudobulk, profiles, fold_change=min_log2_fold_change, q=max_q)
    markers, condition = _best_conditioned(
        candidates, profiles, range(least_markers, most_markers + 1)
    )
    matrix = profiles[markers["gene"]].T.rename_axis(index="gene", columns="cell_type")
    named = frozenset() if people is None else frozenset(map(str, people))
    cells = pd.Series(kinds).value_counts().reindex(profiles.index)
    return CellReference(matrix, markers, condition, cells, named)


def _check_bounds(least: int, most: int, fold_change: float, q: float) -> None:
    if not (1 <= least <= most and fold_change > 0 and 0 < q <= 1):
        raise DataError(
            "cell reference: expected 1 <= least_markers <= most_markers, a fold change above 0 "
            f"and max_q above 0, at most 1; found {least}, {most}, {fold_change} and {q}. Mend the "
            "recipe."
        )


def _symbols(counts: Any, genes: Sequence[str] | pd.Index | None) -> pd.Index:
    if isinstance(counts, pd.DataFrame):
        symbols = counts.columns
    elif genes is None:
        raise AlignmentError(
            "cell reference: expected a symbol for each column; found none. Give genes."
        )
    else:
        symbols = pd.Index(genes)
    if len(symbols) != counts.shape[1] or not symbols.is_unique:
        raise AlignmentError(
            f"cell reference: expected {counts.shape[1]} genes, each once; found {len(symbols)}, "
            f"repeated: {short_list(symbols[symbols.duplicated()].unique()) or 'none'}. Mend them."
        )
    return symbols


def _labels(given: Any, counts: Any, *, what: str) -> NDArray[np.object_]:
    aligned = isinstance(given, pd.Series) and isinstance(counts, pd.DataFrame)
    if len(given) != counts.shape[0] or (aligned and not given.index.equals(counts.index)):
        raise AlignmentError(
            f"{what}: expected one for each of the {counts.shape[0]} cells in their order; found "
            f"{len(given)}, or another index. Reindex it by the cells."
        )
    labels = pd.Series(np.asarray(given, dtype=object))
    if labels.isna().any():
        raise DataError(
            f"{what}: expected one for each cell; found {int(labels.isna().sum())} cells without. "
            "Leave these cells out."
        )
    return labels.astype(str).to_numpy(dtype=object)


def _mean_cpm(counts: Any, groups: pd.DataFrame, symbols: pd.Index) -> pd.DataFrame:
    """Mean CPM of each type × patient; the counts are never made dense as a whole."""
    table = sparse.csr_matrix(counts.to_numpy(float) if hasattr(counts, "to_numpy") else counts)
    stored = np.asarray(table.data, dtype=float)
    if not np.isfinite(stored).all():
        raise DataError("cell reference: expected finite counts; found others. Fill or drop them.")
    if stored.size:
        refuse_negative(stored[None, :], pd.Index(["counts"]), what="cell reference")
    totals = np.asarray(table.sum(axis=1), dtype=float).ravel()
    if not (totals > 0).all():
        raise DataError(
            f"cell reference: expected reads in each cell; found {int((totals <= 0).sum())} cells "
            "without. Leave them out (quality control)."
        )
    numbered = groups.groupby(["type", "patient"]).ngroup().to_numpy()
    sizes = np.bincount(numbered)
    share = 1e6 / totals / sizes[numbered]
    mixing = sparse.csr_matrix((share, (numbered, np.arange(len(numbered)))))
    index = pd.MultiIndex.from_frame(
        groups.drop_duplicates().sort_values(["type", "patient"], ignore_index=True)
    )
    return pd.DataFrame((mixing @ table).toarray(), index=index, columns=symbols)


def _profiles(pseudobulk: pd.DataFrame) -> pd.DataFrame:
    profiles = pseudobulk.groupby(level="type").mean()
    if len(profiles) < 2:
        raise DataError(
            f"cell reference: expected two or more cell types; found {short_list(profiles.index)}. "
            "Annotate the cells."
        )
    return profiles


def _candidates(
    pseudobulk: pd.DataFrame, profiles: pd.DataFrame, *, fold_change: float, q: float
) -> list[pd.DataFrame]:
    """Markers of each type by falling fold change."""
    logs = np.log2(profiles.to_numpy() + 1)
    ordered = np.sort(logs, axis=0)
    ahead = ordered[-1] - ordered[-2]
    highest = logs.argmax(axis=0)
    replicates = pseudobulk.groupby(level="type").size()
    tested = bool((replicates >= 2).all())
    design = pd.get_dummies(pseudobulk.index.get_level_values("type")).to_numpy(float)
    bulk = pseudobulk.add(1).transform(np.log2)
    # Genes that no patient's cells vary in, mostly unexpressed ones, have no test.
    by_type = bulk.groupby(level="type")
    varied = (by_type.max() > by_type.min()).any().to_numpy()
    found = []
    for number, kind in enumerate(profiles.index):
        q_values = np.full(len(ahead), np.nan)
        keep = (highest == number) & (ahead >= fold_change)
        if tested:
            contrast = np.full(len(profiles), -1 / (len(profiles) - 1))
            contrast[number] = 1.0
            test = moderated_t(bulk.to_numpy()[:, varied], design, contrast)
            q_values[varied] = np.where(test.estimate > 0, adjust(test.p), 1.0)
            keep &= q_values <= q
        if not keep.any():
            raise DataError(
                f"cell reference: expected genes that mark each type; found none for {kind} "
                f"({int((highest == number).sum())} genes are highest there). Lower "
                "min_log2_fold_change, or merge it with the type it is like."
            )
        order = np.flatnonzero(keep)[np.argsort(-ahead[keep], kind="stable")]
        columns = {
            "gene": profiles.columns[order],
            "cell_type": kind,
            "log2_fold_change": ahead[order],
            "q_value": q_values[order],
        }
        found.append(pd.DataFrame(columns))
    return found


def _best_conditioned(
    candidates: list[pd.DataFrame], profiles: pd.DataFrame, numbers: range
) -> tuple[pd.DataFrame, float]:
    # More than there are of any type changes nothing.
    last = max(numbers[0], min(numbers[-1], max(map(len, candidates))))
    tried = []
    for number in range(numbers[0], last + 1):
        markers = pd.concat([each.head(number) for each in candidates], ignore_index=True)
        condition = float(np.linalg.cond(profiles[markers["gene"]].to_numpy()))
        tried.append((condition, number, markers))
    condition, _, markers = min(tried, key=lambda each: each[:2])
    return markers, condition
