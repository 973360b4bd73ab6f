"""Networks of sources and the genes they move: what they must be, and how they fit the genes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import linalg

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    SchemaError,
    near_matches,
    short_list,
)
from radiogenomics.omics.scoring.expression import orientation_hint

NETWORK = ("source", "target", "weight")
_ROUNDING = 1e-10


def checked_network(network: pd.DataFrame) -> pd.DataFrame:
    """Return the edges of a network as ``source, target, weight``, each once.

    Raises
    ------
    SchemaError
        It is no frame or lacks a column, a name is empty, a weight is 0 or no finite number, or an
        edge stands there twice.
    """
    if not isinstance(network, pd.DataFrame) or not set(NETWORK) <= set(network.columns):
        found = network.columns if isinstance(network, pd.DataFrame) else [type(network).__name__]
        raise SchemaError(
            f"network: expected a frame with the columns {', '.join(NETWORK)}; found "
            f"{short_list(found, limit=8)}. Rename the columns."
        )
    edges = network.loc[:, list(NETWORK)].reset_index(drop=True)
    weight = pd.to_numeric(edges["weight"], errors="coerce").astype(float)
    blank = edges["source"].isna() | edges["target"].isna()
    odd = blank | ~np.isfinite(weight) | weight.eq(0)
    if odd.any() or edges.empty:
        raise SchemaError(
            f"network: expected a source, a target and a weight other than 0 in each of "
            f"{len(edges)} rows; found {int(odd.sum())} rows without. Fill them in or drop them."
        )
    edges = edges.assign(
        source=edges["source"].astype(str), target=edges["target"].astype(str), weight=weight
    )
    repeated = edges.duplicated(["source", "target"])
    if repeated.any():
        pairs = edges.loc[repeated, ["source", "target"]].drop_duplicates()
        contrary = edges.groupby(["source", "target"])["weight"].nunique().gt(1).sum()
        raise SchemaError(
            f"network: expected each edge once; found {int(repeated.sum())} surplus rows of "
            f"{len(pairs)} edges ({short_list(pairs.agg(' > '.join, axis=1), limit=3)}), "
            f"{int(contrary)} of them with different weights. Keep one row of each."
        )
    return edges


def target_coverage(edges: pd.DataFrame, frame: pd.DataFrame, *, smallest: int) -> pd.DataFrame:
    """Count the targets of each source, listed and found.

    Parameters
    ----------
    edges
        From :func:`checked_network`.
    frame
        Patients × genes.
    smallest
        Targets that must be among the genes for a source to be scored.

    Returns
    -------
    DataFrame
        ``source, targets, found, scored``, in the order of the sources' names.

    Raises
    ------
    AlignmentError
        No target is among the genes.
    DataError
        No source has enough of them.
    """
    there = edges["target"].isin(frame.columns)
    targets = pd.Index(edges["target"].unique())
    if not there.any():
        genes = pd.Index(frame.columns.astype(str))
        alike = int(targets.str.casefold().isin(genes.str.casefold()).sum())
        near = [name for target in targets[:3] for name in near_matches(target, genes)[:1]]
        hint = f"; {alike} but for their case" if alike else ""
        hint += f"; near: {short_list(near)}" if near else ""
        raise AlignmentError(
            f"network: expected targets among the {len(genes)} genes ({short_list(genes, limit=3)}"
            f"); found none of {len(targets)} ({short_list(targets, limit=3)}{hint}). Use HGNC "
            f"symbols in both.{orientation_hint(targets, frame)}"
        )
    counts = edges.assign(found=there).groupby("source")["found"].agg(["size", "sum"])
    table = pd.DataFrame(
        {
            "source": counts.index.to_numpy(dtype=object),
            "targets": counts["size"].to_numpy(),
            "found": counts["sum"].to_numpy(),
            "scored": counts["sum"].ge(smallest).to_numpy(),
        }
    )
    if not table["scored"].any():
        best = table.loc[table["found"].idxmax()]
        raise DataError(
            f"network: expected a source with {smallest} targets or more among the "
            f"{frame.shape[1]} genes; found none of {len(table)} (at most {best['found']}, "
            f"{best['source']}; {int(there.sum())} of {len(edges)} edges have their gene). Use all "
            "genes that were measured, or lower smallest."
        )
    return table


def refuse_collinear(
    edges: pd.DataFrame, sources: pd.Index, genes: pd.Index, *, jointly: bool
) -> None:
    """Refuse weights for which a regression of genes on them has no single answer.

    Parameters
    ----------
    edges
        Of ``sources`` to ``genes``.
    sources, genes
        What is scored, and all genes that are compared.
    jointly
        Whether all sources stand in one regression.

    Raises
    ------
    DataError
        A source has one weight on all genes, genes are fewer than what is fitted, or (jointly) the
        weights of some sources are a sum of those of others.
    """
    weights = np.zeros((len(genes), len(sources)))
    rows, columns = genes.get_indexer(edges["target"]), sources.get_indexer(edges["source"])
    weights[rows, columns] = edges["weight"]
    largest = np.abs(weights).max(axis=0)
    weights -= weights.mean(axis=0)
    size = np.linalg.norm(weights, axis=0)
    level = sources[size <= _ROUNDING * largest]
    fitted = len(sources) if jointly else 1
    if len(level) or len(genes) < fitted + 2:
        raise DataError(
            f"network: expected genes beside the targets, {fitted + 2} genes or more for a "
            f"regression on {fitted} source(s); found n_features = {len(genes)} (1 feature(s) more "
            f"at least) and {len(level)} sources with one weight on all of them "
            f"({short_list(level) or 'none'}). Use all genes that were measured."
        )
    if not jointly:
        return
    weights /= size
    spread, order = linalg.qr(weights.T @ weights, mode="r", pivoting=True)
    alike = sources[order[np.abs(np.diag(spread)) < _ROUNDING]]
    if len(alike):
        raise DataError(
            f"network: expected sources that one regression can tell apart; found {len(alike)} of "
            f"{len(sources)} whose weights are a sum of those of others ({short_list(alike)}). "
            "Drop them, or use ulm."
        )
