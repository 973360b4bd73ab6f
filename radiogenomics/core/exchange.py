"""Cohort ↔ MuData, in a layout that an ``.h5mu`` file can hold.

Layout (``uns["radiogenomics"]["format"]`` is 1):

- one modality an assay. Where an assay has one sample a patient, its observations are named by
  patient, so modalities share observations as MuData means it; else they are named
  ``assay:sample``. A variable that several assays measure is named ``assay:variable``. The names in
  the cohort stand in the column ``name_in_cohort`` of ``obs`` and ``var``.
- ``obs`` of the MuData: ``patient_id`` and the patients' facts, for whoever works with MuData. It
  is a copy; nothing is read back from it.
- ``uns["radiogenomics"]``: id, citation, licence, simulated; ``patients``, a table that holds also
  those without any assay, its text columns as categories; ``outcomes``, with months and events or
  categories of each patient.

Scans stay behind: they are files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import MissingExtraError, SchemaError, short_list
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.outcomes import Outcome, ResponseOutcome, SurvivalOutcome

if TYPE_CHECKING:
    from anndata import AnnData
    from mudata import MuData

KEY = "radiogenomics"
FORMAT = 1
OWN_NAME = "name_in_cohort"


def cohort_to_mudata(cohort: Cohort) -> MuData:
    """Convert a cohort; see the layout above.

    Raises
    ------
    MissingExtraError
        The package mudata is not installed.
    SchemaError
        A name holds a slash, which HDF5 takes for a folder, or a patients' column mixes types.
    """
    mudata = _mudata()
    _refuse_slashes(cohort)
    patients, text = _storable(cohort.patients, f"{cohort.id}, patients")
    shared = _shared_variables(cohort.assays.values())
    modalities = {name: _modality(table, name, shared) for name, table in cohort.assays.items()}
    # mudata 0.4 stops copying obs columns of modalities upwards; ask for that behaviour today.
    with mudata.set_options(pull_on_update=False):
        out: MuData = mudata.MuData(modalities)
    if modalities:
        out.obs = _facts_of_rows(modalities.values(), patients, out.obs_names)
    out.uns[KEY] = {
        "format": FORMAT,
        "id": cohort.id,
        "citation": cohort.citation,
        "licence": cohort.licence,
        "simulated": cohort.simulated,
        "patients": patients,
        "text_columns": np.array(text, dtype=object),
        "outcomes": {name: _outcome_facts(outcome) for name, outcome in cohort.outcomes.items()},
    }
    return out


def cohort_from_mudata(data: MuData) -> Cohort:
    """Read back what :func:`cohort_to_mudata` wrote, from memory or from a file.

    Raises
    ------
    SchemaError
        It was not written by this package, or in another format.
    """
    facts = data.uns.get(KEY)
    if not isinstance(facts, Mapping) or facts.get("format") != FORMAT:
        raise SchemaError(
            f"expected a MuData with uns['{KEY}'] of format {FORMAT}, as Cohort.to_mudata writes "
            "it; found none. Build a Cohort from the modalities instead."
        )
    patients = facts["patients"].copy()
    for column in facts["text_columns"]:
        patients[column] = patients[column].astype(object)
    return Cohort(
        str(facts["id"]),
        patients,
        {name: _table(adata, name) for name, adata in data.mod.items()},
        outcomes={name: _outcome(name, fact) for name, fact in facts["outcomes"].items()},
        citation=str(facts["citation"]),
        licence=str(facts["licence"]),
        simulated=bool(facts["simulated"]),
    )


def _modality(table: FeatureTable, name: str, shared: frozenset[str]) -> AnnData:
    adata = table.adata.copy()
    adata.obs[OWN_NAME], adata.var[OWN_NAME] = adata.obs_names, adata.var_names
    adata.obs["patient_id"] = adata.obs["patient_id"].astype(str).astype(object)
    if len(table.patient_ids) == table.n_samples:
        adata.obs_names = pd.Index(adata.obs["patient_id"].to_numpy())
    else:
        adata.obs_names = pd.Index([f"{name}:{sample}" for sample in adata.obs_names])
    adata.var_names = pd.Index([f"{name}:{v}" if v in shared else v for v in adata.var_names])
    return adata


def _facts_of_rows(
    modalities: Iterable[AnnData], patients: pd.DataFrame, rows: pd.Index[Any]
) -> pd.DataFrame:
    """Patient and patient's facts of each observation."""
    ids: pd.Series[Any] = pd.concat([part.obs["patient_id"] for part in modalities])
    of_row = ids[~ids.index.duplicated()].reindex(rows)
    return patients.reindex(of_row).set_axis(rows, axis=0).assign(patient_id=of_row)


def _table(adata: AnnData, name: str) -> FeatureTable:
    own = adata.copy()
    own.obs_names = pd.Index(own.obs.pop(OWN_NAME).astype(str).to_numpy())
    own.var_names = pd.Index(own.var.pop(OWN_NAME).astype(str).to_numpy())
    own.obs["patient_id"] = own.obs["patient_id"].astype(str).astype(object)
    return FeatureTable(name, own)


def _shared_variables(tables: Iterable[FeatureTable]) -> frozenset[str]:
    seen: set[str] = set()
    shared: set[str] = set()
    for table in tables:
        names = set(table.adata.var_names)
        shared |= seen & names
        seen |= names
    return frozenset(shared)


def _outcome_facts(outcome: Outcome) -> dict[str, object]:
    ids = outcome.patient_ids.to_numpy(dtype=object)
    if isinstance(outcome, SurvivalOutcome):
        time, event = outcome.time.to_numpy(), outcome.event.to_numpy()
        return {
            "kind": "survival",
            "endpoint": outcome.endpoint,
            "origin": outcome.origin,
            "patient_id": ids,
            "time": time,
            "event": event,
        }
    return {
        "kind": "response",
        "name": outcome.name,
        "criterion": outcome.criterion,
        "order": np.array(outcome.order, dtype=object),
        "patient_id": ids,
        "category": outcome.category.to_numpy(dtype=object),
    }


def _outcome(name: str, facts: Mapping[str, Any]) -> Outcome:
    ids = pd.Index(facts["patient_id"], dtype=object)
    if facts["kind"] == "survival":
        time, event = pd.Series(facts["time"], index=ids), pd.Series(facts["event"], index=ids)
        return SurvivalOutcome(str(facts["endpoint"]), time, event, str(facts["origin"]))
    category = pd.Series(facts["category"], index=ids, dtype=object)
    order = tuple(map(str, facts["order"]))
    return ResponseOutcome(str(facts["name"]), category, str(facts["criterion"]), order)


def _storable(frame: pd.DataFrame, what: str) -> tuple[pd.DataFrame, list[str]]:
    """Columns as HDF5 holds them (text as categories), and which of them were text."""
    columns, text = {}, []
    for name, column in frame.items():
        if isinstance(column.dtype, pd.CategoricalDtype):
            columns[str(name)] = column
            continue
        kind = pd.api.types.infer_dtype(column, skipna=True)
        if kind in ("string", "empty") and not pd.api.types.is_numeric_dtype(column):
            text.append(str(name))
            columns[str(name)] = column.astype(object).astype("category")
        elif kind == "boolean":
            columns[str(name)] = column.astype("boolean" if column.isna().any() else bool)
        elif kind in ("integer", "floating", "mixed-integer-float", "integer-na", "empty"):
            columns[str(name)] = pd.to_numeric(column)
        else:
            raise SchemaError(
                f"{what}: expected columns of numbers, booleans or text; found {kind} in {name}. "
                "Give the column one kind in the manifest."
            )
    return pd.DataFrame(columns, index=frame.index), text


def _refuse_slashes(cohort: Cohort) -> None:
    names = [*cohort.assays, *cohort.outcomes, *map(str, cohort.patients.columns)]
    wrong = [name for name in names if "/" in name]
    if wrong:
        raise SchemaError(
            f"{cohort.id}: expected names without a slash, which HDF5 takes for a folder; found "
            f"{short_list(wrong)}. Rename them in the manifest."
        )


def _mudata() -> Any:
    try:
        import mudata
    except ImportError:
        raise MissingExtraError(
            "expected the package mudata; found none. "
            "Install it: pip install 'radiogenomics[omics]'."
        ) from None
    return mudata
