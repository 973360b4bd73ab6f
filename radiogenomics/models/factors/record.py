"""Learnt factors of blocks as plain numbers and texts, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from radiogenomics.core.errors import SchemaError, short_list
from radiogenomics.models.factors.projection import FactorModel
from radiogenomics.models.factors.reader import FactorReader
from radiogenomics.models.factors.scaling import Scales

KIND = "block factors, 1"
FIELDS = (
    "kind",
    "parameters",
    "n_columns",
    "names",
    "blocks",
    "columns",
    "mean",
    "sd",
    "block_weights",
    "loadings",
    "centre",
    "noise",
    "explained_variance",
    "likelihoods",
    "converged",
)


def record_of_factors(fitted: FactorReader) -> dict[str, Any]:
    """Return what a fitted model knows; floats keep every digit in JSON."""
    scales, model = fitted.scales_, fitted.model_
    names = getattr(fitted, "feature_names_in_", None)
    parameters = {
        name: dict(value) if isinstance(value, Mapping) else value
        for name, value in fitted.get_params(deep=False).items()
        if name != "blocks"
    }
    return {
        "kind": KIND,
        "parameters": parameters,
        "n_columns": int(fitted.n_features_in_),
        "names": None if names is None else list(names),
        "blocks": {block: places.tolist() for block, places in fitted.blocks_.items()},
        "columns": scales.columns.tolist(),
        "mean": scales.mean.tolist(),
        "sd": scales.sd.tolist(),
        "block_weights": dict(zip(scales.blocks, scales.weight.tolist(), strict=True)),
        "loadings": model.loadings.tolist(),
        "centre": model.centre.tolist(),
        "noise": model.noise.tolist(),
        "explained_variance": fitted.explained_variance_.to_dict("list"),
        "likelihoods": fitted.likelihoods_.tolist(),
        "converged": bool(fitted.converged_),
    }


def factors_from_record(fresh: FactorReader, record: Mapping[str, Any]) -> None:
    """Fill an unfitted model with what a record says.

    Raises
    ------
    SchemaError
        A field is missing, foreign, or of another length than the others.
    """
    _check(record)
    parameters = dict(record["parameters"])
    names, places = record["names"], record["blocks"]
    blocks = {
        block: [column if names is None else names[column] for column in columns]
        for block, columns in places.items()
    }
    fresh.set_params(**parameters, blocks=blocks)
    fresh.n_features_in_ = int(record["n_columns"])
    if names is not None:
        fresh.feature_names_in_ = np.array(names, dtype=object)
    fresh.blocks_ = {block: np.array(columns) for block, columns in places.items()}
    columns = np.array(record["columns"])
    used = tuple(record["block_weights"])
    block = np.full(len(columns), -1)
    for number, name in enumerate(used):
        block[np.isin(columns, fresh.blocks_[name])] = number
    weight = np.array([record["block_weights"][name] for name in used], dtype=float)
    mean, sd = (np.array(record[field], dtype=float) for field in ("mean", "sd"))
    fresh.scales_ = Scales(columns, block, used, mean, sd, weight)
    fresh.block_weights_ = dict(record["block_weights"])
    loadings, centre, noise = (
        np.array(record[field], dtype=float) for field in ("loadings", "centre", "noise")
    )
    fresh.model_ = FactorModel(loadings, centre, noise, weight[block])
    fresh.n_factors_ = loadings.shape[1]
    fresh.explained_variance_ = pd.DataFrame(record["explained_variance"])
    fresh.likelihoods_ = np.array(record["likelihoods"], dtype=float)
    fresh.n_iter_, fresh.converged_ = len(fresh.likelihoods_), bool(record["converged"])


def _check(record: Mapping[str, Any]) -> None:
    missing, foreign = set(FIELDS) - set(record), set(record) - set(FIELDS)
    if missing or foreign or record["kind"] != KIND:
        lacks, extra = (short_list(sorted(some)) or "none" for some in (missing, foreign))
        raise SchemaError(
            f"expected a record of {KIND!r} with the fields that to_record writes; found {lacks} "
            f"missing, {extra} foreign, and the kind {record.get('kind')!r}. Take the record of "
            "to_record."
        )
    lengths = {
        field: len(record[field])
        for field in ("columns", "mean", "sd", "loadings", "centre", "noise")
    }
    if len(set(lengths.values())) > 1:
        raise SchemaError(
            f"expected one value for each variable in use; found {lengths}. Take the record of "
            "to_record, whole."
        )
    lacking = set(record["block_weights"]) - set(record["blocks"])
    if lacking:
        raise SchemaError(
            f"expected columns for each block with a weight; found none for "
            f"{short_list(sorted(lacking))}. Take the record of to_record, whole."
        )
