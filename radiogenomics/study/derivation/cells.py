"""Single cells beside the bulk: which types express a gene, and where responders differ."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import anndata
import numpy as np
import pandas as pd
from scipy import sparse

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    SchemaError,
    StudyError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.signature import Signature
from radiogenomics.io.single_cell import read_single_cell
from radiogenomics.omics import rename_genes
from radiogenomics.omics.identifiers import GeneNames
from radiogenomics.omics.pseudobulk import pseudobulk
from radiogenomics.omics.single_cell.normalise import normalise_cells
from radiogenomics.omics.single_cell.responder_contrast import responder_contrast
from radiogenomics.study.derivation.plan import CellColumns, DerivationPlan
from radiogenomics.study.findings import Findings

PATIENT, CELL_TYPE, RESPONDER = "patient_id", "cell_type", "responder"
CONTRAST = ("log2_fold_change", "p", "fdr")
FEWEST_PATIENTS = 2
FEWEST_CELLS = 20
# Cells that are normalised at a time.
_BLOCK = 2000
_WORDS = MappingProxyType(
    {
        **dict.fromkeys(("true", "1", "1.0", "yes", "r", "responder"), True),
        **dict.fromkeys(("false", "0", "0.0", "no", "nr", "non-responder", "nonresponder"), False),
    }
)


@dataclass(frozen=True, eq=False)
class CellFacts:
    """What a single-cell file says of genes; nothing of it belongs to one patient.

    Parameters
    ----------
    name
        Of the file.
    cells
        Cells of each type.
    share, mean
        Genes × types: share of cells with a read (0 to 1), and mean of log(1 + counts per 10,000),
        natural logarithm.
    sd
        Standard deviation (n) of each gene's logarithms over all cells.
    contrast
        ``gene, cell_type, log2_fold_change`` (responders − others), ``p, fdr`` (over all genes and
        types tested) in pseudobulk of patients; None where the plan does not ask for it.
    notes
        Remarks (level, text).
    """

    name: str
    cells: pd.Series[int]
    share: pd.DataFrame
    mean: pd.DataFrame
    sd: pd.Series[float]
    contrast: pd.DataFrame | None = None
    notes: tuple[tuple[str, str], ...] = ()


def read_cells(
    path: str | Path, plan: DerivationPlan, *, known: GeneNames | None = None
) -> CellFacts:
    """Read raw counts of annotated cells and sum them up by gene and type.

    All cells of a type count alike, so that a patient with many weighs more. Where the plan asks
    for responders, patients are compared in the sums of their cells, within the types that the plan
    names (all if it names none); patients whose response is not known are left out of it.

    Parameters
    ----------
    path
        An ``.h5ad`` file with raw counts, after quality control, with type and patient of each
        cell.
    plan
        Columns (``cells``) and filters (``candidates``).
    known
        Gene names, for former symbols. Counts of columns of one gene are added up.

    Raises
    ------
    MissingFileError, DataError
        There is no such file or it is no ``.h5ad``, has no raw counts, or a cell without reads.
    UnknownNameError
        A column or a type of the plan is not there; near matches are listed.
    StudyError
        There are fewer than two responders or others.
    AlignmentError
        A cell has no patient or type.
    """
    name, rules = Path(path).name, plan.candidates
    cells = _named(_read(path, plan), known)
    share, mean, sd, sizes = _expression(cells)
    for wanted in rules.cell_types:
        if wanted not in sizes.index:
            raise UnknownNameError(f"cell type of {name}", wanted, sizes.index)
    patients = cells.obs[PATIENT].nunique()
    text = f"{name}: {cells.n_obs} cells of {len(sizes)} types and {patients} patients."
    notes = [("info", text), *_few_cells(name, sizes, rules.cell_types)]
    contrast = None
    if rules.responders is not None:
        contrast, remark = _contrast(cells, plan, name)
        notes.append(("info", remark))
    return CellFacts(name, sizes, share, mean, sd, contrast, tuple(notes))


def pass_cells(table: pd.DataFrame, plan: DerivationPlan, cells: CellFacts | None) -> None:
    """Expressed by one of the types, and other in responders; genes not in the file do not pass.

    Adds ``cell_share`` (the largest among the types) and ``passes_cell_types``, and of the type
    with the smallest p ``responder_cell_type, responder_change, responder_fdr`` and
    ``passes_responders``, as far as the plan asks.
    """
    rules = plan.candidates
    if cells is None:
        asked = "cell_types" if rules.cell_types else "responders"
        raise StudyError(
            f"candidates.{asked}: expected a single-cell file; found none. Give --single-cell, or "
            "leave the filter out."
        )
    genes = pd.Index(table["gene"])
    if not genes.isin(cells.share.index).any():
        raise AlignmentError(
            f"{cells.name}: expected genes of the cohorts; found none of {len(cells.share):,} "
            f"(cells: {short_list(cells.share.index, limit=3)}; cohorts: "
            f"{short_list(genes, limit=3)}). Use HGNC symbols or Ensembl genes as var_names."
        )
    if rules.cell_types:
        share = cells.share[list(rules.cell_types)].max(axis=1).reindex(genes)
        table["cell_share"] = share.to_numpy()
        table["passes_cell_types"] = (share >= rules.cell_share).to_numpy()
    if rules.responders is not None:
        if cells.contrast is None:
            raise StudyError(
                f"candidates.responders: expected {cells.name} read by a plan that asks for "
                "responders; found no contrast. Read it again with this plan."
            )
        by_p = cells.contrast.sort_values("p", kind="stable")
        best = by_p.drop_duplicates("gene").set_index("gene").reindex(genes)
        table["responder_cell_type"] = best["cell_type"].to_numpy()
        table["responder_change"] = best["log2_fold_change"].to_numpy()
        table["responder_fdr"] = best["fdr"].to_numpy()
        table["passes_responders"] = (best["fdr"] <= rules.responders).to_numpy()


def cells_of_signature(signature: Signature, facts: CellFacts) -> Findings:
    """Which cells express the genes of a locked signature, and its score in each type.

    The score of a type is the mean over its cells of the weighted sum of the genes, each
    standardised over all cells of the file: 0 is their mean, and another mixture of cells would
    move it. Constants and cut-off of the signature belong to bulk and are not used.

    Returns
    -------
    Findings
        Table ``cells``: ``gene, cell_type, share, mean, log2_fold_change, p, fdr`` (the last three
        missing where no contrast was made, or too few patients have reads); table ``cell_scores``:
        ``signature, cell_type, cells, score``.
    """
    if signature.weights is None:
        raise StudyError(
            f"signature {signature.name}: expected fixed weights; found none. Fit it first."
        )
    weights = pd.Series(signature.weights, index=pd.Index(signature.genes))
    measured = weights.index[weights.index.isin(facts.share.index)]
    seen = measured[(facts.sd[measured] > 0).to_numpy()]
    notes, tables = list(facts.notes), {}
    unseen = [gene for gene in weights.index if gene not in seen]
    if unseen:
        rest = f"; the score is of {', '.join(seen)} alone" if len(seen) else ""
        notes.append(("warning", f"{facts.name}: no reads of {', '.join(unseen)}{rest}."))
    if len(measured):
        tables["cells"] = _gene_rows(facts, measured)
    if len(seen):
        tables["cell_scores"] = _type_scores(facts, weights[seen], signature.name)
    return Findings(tables=tables, notes=tuple(notes))


def _gene_rows(facts: CellFacts, genes: pd.Index[str]) -> pd.DataFrame:
    keys, types = ["gene", CELL_TYPE], facts.share.columns
    table = pd.DataFrame(
        {
            "gene": np.repeat(genes.to_numpy(), len(types)),
            CELL_TYPE: np.tile(types.to_numpy(), len(genes)),
            "share": facts.share.loc[genes].to_numpy().ravel(),
            "mean": facts.mean.loc[genes].to_numpy().ravel(),
        }
    )
    tested = facts.contrast
    if tested is None:
        return table.assign(**dict.fromkeys(CONTRAST, np.nan))
    return table.merge(tested, on=keys, how="left")


def _type_scores(facts: CellFacts, weights: pd.Series[float], name: str) -> pd.DataFrame:
    means = facts.mean.loc[weights.index]
    centre = means @ (facts.cells / facts.cells.sum())
    standard = means.sub(centre, axis=0).div(facts.sd[weights.index], axis=0)
    score = standard.mul(weights, axis=0).sum()
    return pd.DataFrame(
        {
            "signature": name,
            CELL_TYPE: score.index,
            "cells": facts.cells[score.index].to_numpy(),
            "score": score.to_numpy(),
        }
    )


def _read(path: str | Path, plan: DerivationPlan) -> anndata.AnnData:
    """Cells × genes counts with patient, type and, if asked for, responder of each cell."""
    columns: CellColumns = plan.cells
    asked = () if plan.candidates.responders is None else (columns.responder,)
    try:
        table = read_single_cell(
            path,
            patient=columns.patient,
            cell_type=columns.cell_type,
            needed=asked,
            repeated_genes="sum",
        )
    except SchemaError as error:
        # The one column that the reader cannot do without; it does not look for near matches.
        opened = anndata.read_h5ad(path, backed="r")
        present = list(map(str, opened.obs.columns))
        opened.file.close()
        if columns.patient in present:
            raise
        what = f"column of obs in {Path(path).name} (cells.patient of the plan)"
        raise UnknownNameError(what, columns.patient, present) from error
    cells = table.adata
    empty = cells.obs[CELL_TYPE].isna()
    if empty.any():
        raise AlignmentError(
            f"{Path(path).name}: expected {columns.cell_type} of every cell; found "
            f"{int(empty.sum())} of {len(empty)} without. Annotate or drop these cells."
        )
    facts = {PATIENT: cells.obs[PATIENT], CELL_TYPE: cells.obs[CELL_TYPE]}
    if asked:
        facts[RESPONDER] = cells.obs[columns.responder]
    return anndata.AnnData(cells.X, pd.DataFrame(facts), pd.DataFrame(index=cells.var_names))


def _named(cells: anndata.AnnData, known: GeneNames | None) -> anndata.AnnData:
    """Columns under approved symbols, counts of one gene added up."""
    no_cells = pd.DataFrame(columns=cells.var_names)
    found = rename_genes(no_cells, known=known, repeated="first").genes
    code, genes = pd.factorize(found["symbol"].where(found["symbol"].notna(), found["given"]))
    member = sparse.csr_matrix((np.ones(len(code)), (np.arange(len(code)), code)))
    counts = cells.X if len(genes) == len(code) else sparse.csr_matrix(cells.X @ member)
    return anndata.AnnData(counts, cells.obs, pd.DataFrame(index=pd.Index(genes, dtype=object)))


def _expression(
    cells: anndata.AnnData,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series[float], pd.Series[int]]:
    """Share, mean and overall SD of genes, and cells of each type, some thousand cells at a time.

    Types × genes are small where cells × genes, dense, would not fit.
    """
    code, types = pd.factorize(cells.obs[CELL_TYPE], sort=True)
    sizes = np.bincount(code)
    reads, logs = (np.zeros((len(types), cells.n_vars)) for _ in range(2))
    squares = np.zeros(cells.n_vars)
    for start in range(0, cells.n_obs, _BLOCK):
        block = slice(start, start + _BLOCK)
        values = normalise_cells(cells[block].copy()).X
        rows = np.arange(values.shape[0])
        member = sparse.csr_matrix(
            (np.ones(len(rows)), (code[block], rows)), shape=(len(types), len(rows))
        )
        reads += (member @ (values > 0)).toarray()
        logs += (member @ values).toarray()
        squares += np.asarray(values.multiply(values).sum(axis=0)).ravel()
    genes = cells.var_names
    overall = logs.sum(axis=0) / cells.n_obs
    sd = np.sqrt(np.maximum(squares / cells.n_obs - overall**2, 0))
    share, mean = (pd.DataFrame((sums / sizes[:, None]).T, genes, types) for sums in (reads, logs))
    return share, mean, pd.Series(sd, genes), pd.Series(sizes, types)


def _few_cells(name: str, sizes: pd.Series[int], wanted: tuple[str, ...]) -> list[tuple[str, str]]:
    few = [f"{each} ({sizes[each]})" for each in wanted if sizes[each] < FEWEST_CELLS]
    text = f"{name}: fewer than {FEWEST_CELLS} cells of {', '.join(few)}: shares are uncertain."
    return [("warning", text)] if few else []


def _contrast(cells: anndata.AnnData, plan: DerivationPlan, name: str) -> tuple[pd.DataFrame, str]:
    """Responders against others in pseudobulk, and how many there were."""
    response = _response(cells.obs[RESPONDER], f"{name}, obs[{plan.cells.responder!r}]")
    kept = response.notna().to_numpy()
    if plan.candidates.cell_types:
        kept &= cells.obs[CELL_TYPE].isin(plan.candidates.cell_types).to_numpy()
    obs = cells.obs[kept].assign(**{RESPONDER: response[kept].astype(bool)})
    by_patient = obs.groupby(PATIENT, observed=True)[RESPONDER]
    several = int((by_patient.nunique() > 1).sum())
    if several:
        raise StudyError(
            f"candidates.responders: expected one response a patient in {name}; found several in "
            f"{several} of {by_patient.ngroups}. Cells before and after treatment belong into two "
            "files."
        )
    of_patient = by_patient.first()
    responders, others = int(of_patient.sum()), int((~of_patient).sum())
    if min(responders, others) < FEWEST_PATIENTS:
        raise StudyError(
            f"candidates.responders: expected at least {FEWEST_PATIENTS} responders and "
            f"{FEWEST_PATIENTS} others in {name}; found {responders} and {others} patients. Cells "
            "of one patient are no replicates: leave the filter out."
        )
    found = responder_contrast(
        pseudobulk(anndata.AnnData(cells.X[kept], obs, cells.var)), of_patient
    )
    found = found.drop(columns="fdr").rename(columns={"fdr_all": "fdr"})
    columns = ["gene", CELL_TYPE, *CONTRAST]
    types = found[CELL_TYPE].nunique()
    text = f"{name}: {responders} responders and {others} others compared in {types} cell types."
    return found[columns].dropna(subset="p").reset_index(drop=True), text


def _response(values: pd.Series[Any], what: str) -> pd.Series[Any]:
    """True, False or missing of each cell."""
    words = values.astype(object).where(values.notna(), "").map(str).str.strip().str.casefold()
    odd = sorted(set(words) - set(_WORDS) - {""})
    if odd:
        raise DataError(
            f"{what}: expected true or false, 1 or 0, yes or no, R or NR, responder or "
            f"non-responder; found {short_list(odd)}. Map the words in the file."
        )
    return words.map(lambda word: _WORDS.get(word))
