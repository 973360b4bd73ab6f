"""Columns of one feature table that belong together: radiomics, clinical, RNA."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from radiogenomics.core.errors import (
    RadiogenomicsWarning,
    SchemaError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.row_facts import MARK as FACT

Blocks = Mapping[str, Sequence[Any]] | str | None

PREFIX = "prefix"
MARK = "|"
WHOLE = "all"


def block_positions(
    blocks: Blocks, names: Sequence[str] | None, *, n_columns: int
) -> dict[str, np.ndarray]:
    """Return the positions of each block's columns; every column is in exactly one block.

    Parameters
    ----------
    blocks
        Block → its columns: names, or positions where the columns have no names. ``"prefix"``: the
        block is what stands before the first ``|`` of a name, as in ``rna|KPNA2``. None: all
        columns are one block, named ``all``.
    names
        Names of the columns, or None.
    n_columns
        How many columns there are.

    Raises
    ------
    SchemaError
        A block has no columns, a column is in two blocks or in none, or names lack a prefix; a
        block names several columns that are not there.
    UnknownNameError
        A block names one column that is not there.

    Examples
    --------
    >>> block_positions("prefix", ["rna|KPNA2", "clinical|AFP", "rna|SMG5"], n_columns=3)
    {'rna': array([0, 2]), 'clinical': array([1])}
    """
    if blocks is None:
        return {WHOLE: np.arange(n_columns)}
    if isinstance(blocks, str):
        if blocks != PREFIX:
            raise UnknownNameError("way to find blocks", blocks, (PREFIX,))
        blocks = _by_prefix(names)
    known = list(range(n_columns)) if names is None else list(names)
    place = {name: position for position, name in enumerate(known)}
    found: dict[str, np.ndarray] = {}
    for block, columns in blocks.items():
        wanted = [columns] if isinstance(columns, str) else list(columns)
        if not wanted:
            raise SchemaError(
                f"block {block!r}: expected at least one column; found none. Name its columns, "
                "or leave the block out."
            )
        _require_columns(block, wanted, known)
        found[block] = np.array([place[column] for column in wanted])
    _require_one_block_each(found, known)
    return found


def with_absent_blocks(
    X: Any, names: Sequence[str] | None, positions: Mapping[str, np.ndarray]
) -> Any:
    """Return the table with NaN for blocks of which it has no column: missing for every patient.

    Arrays, and tables that have all columns, are returned as they are.

    Parameters
    ----------
    X
        New patients.
    names
        Names of the columns in training, or None.
    positions
        Block → positions of its columns in training.

    Raises
    ------
    SchemaError
        The table has some columns of a block and not the others, no block, or in place of a block
        columns that were not there in training.

    Warns
    -----
    RadiogenomicsWarning
        A block is missing.

    Examples
    --------
    >>> with warnings.catch_warnings(action="ignore"):
    ...     with_absent_blocks(
    ...         pd.DataFrame({"AFP": [4.0]}),
    ...         ["shape", "AFP"],
    ...         {"ct": np.array([0]), "clinical": np.array([1])},
    ...     )
       shape  AFP
    0    NaN  4.0
    """
    if names is None or not isinstance(X, pd.DataFrame):
        return X
    absent = _blocks_without_columns(X, names, positions)
    if not absent:
        return X
    facts = [name for name in X.columns if str(name).startswith(FACT)]
    foreign = X.columns.difference([*names, *facts], sort=False)
    if len(foreign) or len(absent) == len(positions):
        raise SchemaError(
            f"expected columns of the block(s) {short_list(positions)}; found none of "
            f"{short_list(absent)}, and {short_list(foreign) or 'nothing'} that was not there in "
            "training. Name the columns as in training."
        )
    warnings.warn(
        f"the table has no column of the block(s) {short_list(absent)}: they are taken for "
        f"missing for all {len(X)} patients.",
        RadiogenomicsWarning,
        stacklevel=4,
    )
    return X.reindex(columns=[*names, *facts])


def absent_blocks(values: np.ndarray, positions: Mapping[str, np.ndarray]) -> np.ndarray:
    """Whether all of a block is NaN for a patient, shape (n, blocks)."""
    missing = np.isnan(values)
    return np.column_stack([missing[:, columns].all(axis=1) for columns in positions.values()])


def varies(values: np.ndarray) -> bool:
    """Whether a column holds two different values; NaN is none."""
    known = np.where(np.isnan(values), np.inf, values).min(axis=0, initial=np.inf)
    highest = np.where(np.isnan(values), -np.inf, values).max(axis=0, initial=-np.inf)
    return bool((highest > known).any())


def _blocks_without_columns(
    X: pd.DataFrame, names: Sequence[str], positions: Mapping[str, np.ndarray]
) -> list[str]:
    """Blocks of which the table has no column; SchemaError where it has some and not the others."""
    there, absent = set(X.columns), []
    for block, columns in positions.items():
        lacking = [names[i] for i in columns if names[i] not in there]
        if 0 < len(lacking) < len(columns):
            raise SchemaError(
                f"block {block!r}: expected all of its {len(columns)} columns, or none where the "
                f"block is missing; found no {short_list(lacking)}. Add them, or drop the block's "
                "other columns."
            )
        if lacking:
            absent.append(block)
    return absent


def _require_columns(block: Any, wanted: Sequence[Any], known: Sequence[Any]) -> None:
    there = set(known)
    lacking = [column for column in wanted if column not in there]
    if len(lacking) == 1:
        raise UnknownNameError(f"column of block {block!r}", lacking[0], known)
    if lacking:
        raise SchemaError(
            f"block {block!r}: expected its {len(wanted)} columns in the table; found no "
            f"{short_list(lacking)}. Add them, or take them out of the block."
        )


def _by_prefix(names: Sequence[str] | None) -> dict[str, list[str]]:
    bare = None if names is None else [name for name in names if MARK not in name[1:]]
    if names is None or bare:
        raise SchemaError(
            f"expected columns named block{MARK}feature; found "
            f"{'no names' if bare is None else short_list(bare)}. Rename the columns, or say which "
            "columns each block has."
        )
    blocks: dict[str, list[str]] = {}
    for name in names:
        blocks.setdefault(name.split(MARK, 1)[0], []).append(name)
    return blocks


def _require_one_block_each(found: Mapping[str, np.ndarray], known: Sequence[Any]) -> None:
    uses = np.zeros(len(known), dtype=int)
    for columns in found.values():
        np.add.at(uses, columns, 1)
    twice = [known[i] for i in np.flatnonzero(uses > 1)]
    if twice:
        raise SchemaError(
            f"expected each column once, in one block; found {short_list(twice)} more than once. "
            "Leave it in one block."
        )
    left = [known[i] for i in np.flatnonzero(uses == 0)]
    if left:
        raise SchemaError(
            f"expected each column in a block; found {len(left)} in none: {short_list(left)}. "
            "Add them to a block, or drop them from the table."
        )
