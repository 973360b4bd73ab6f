"""What is learnt of variables and blocks before their factors: which, how wide, how loud."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, short_list
from radiogenomics.stats.inputs import Floats

ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Scales:
    """Variables in use, block after block.

    Parameters
    ----------
    columns
        Their positions in the table, shape (p,).
    block
        Number of the block of each, shape (p,).
    blocks
        Names of the blocks in use.
    mean, sd
        Of the observed values in training, shape (p,).
    weight
        What each block counts, shape (blocks,).
    """

    columns: np.ndarray
    block: np.ndarray
    blocks: tuple[str, ...]
    mean: Floats
    sd: Floats
    weight: Floats

    def standardised(self, values: Floats) -> Floats:
        """Return the variables in use, in training's standard deviations from its means."""
        return (values[:, self.columns] - self.mean) / self.sd

    def places(self, block: str) -> np.ndarray:
        """Where the variables of a block stand among those in use."""
        return np.flatnonzero(self.block == self.blocks.index(block))


def learn_scales(
    values: Floats,
    positions: Mapping[str, np.ndarray],
    *,
    most_variable: int | Mapping[str, int] | None,
) -> Scales:
    """Learn means, standard deviations and weights; leave out what does not vary.

    Parameters
    ----------
    values
        Training patients, NaN where missing.
    positions
        Block → positions of its columns.
    most_variable
        Variables of the largest variance to keep: of each block, or block → how many.

    Raises
    ------
    DataError
        A block has no value at all, or no block varies.

    Warns
    -----
    RadiogenomicsWarning
        Variables or whole blocks do not vary and are left out.
    """
    count, mean, sd = _moments(values)
    varies = _varies(values, sd)
    chosen: dict[str, np.ndarray] = {}
    for block, columns in positions.items():
        if not count[columns].any():
            raise DataError(
                f"block {block!r}: expected a training patient who has it; found none among "
                f"{len(values)}. Drop the block."
            )
        usable = columns[varies[columns]]
        limit = most_variable.get(block) if isinstance(most_variable, Mapping) else most_variable
        if limit is not None and limit < len(usable):
            widest = np.argsort(-sd[usable], kind="stable")[:limit]
            usable = usable[np.sort(widest)]
        if len(usable):
            chosen[block] = usable
    _say_what_is_left_out(positions, chosen, n_dull=int((~varies).sum()))
    columns = np.concatenate(list(chosen.values()))
    block = np.repeat(np.arange(len(chosen)), [len(part) for part in chosen.values()])
    weight = np.ones(len(chosen))
    return Scales(columns, block, tuple(chosen), mean[columns], sd[columns], weight)


def first_weights(standardised: Floats, block: np.ndarray) -> Floats:
    r"""Weight of each block by its strongest direction, shape (blocks,), largest 1.

    :math:`\max\{\min_c \lambda_c / \lambda_b, (1 + \sqrt{p_b / n_b})^{-2}\}`, with
    :math:`\lambda_b` the largest eigenvalue of the correlations of block b's :math:`p_b` variables
    in the :math:`n_b` patients who have it, as in multiple factor analysis. The second term is one
    over the largest that pure noise has: with less a block could not show a factor of its own.
    """
    n_blocks = int(block.max()) + 1
    strongest, edge = np.empty(n_blocks), np.empty(n_blocks)
    for number in range(n_blocks):
        part = standardised[:, block == number]
        part = part[~np.isnan(part).all(axis=1)]
        n, p = part.shape
        filled = np.nan_to_num(part)
        gram = filled @ filled.T if n < p else filled.T @ filled
        strongest[number] = np.linalg.eigvalsh(gram)[-1] / n
        edge[number] = (1 + np.sqrt(p / n)) ** 2
    return np.maximum(strongest.min() / strongest, 1 / edge)


def _moments(values: Floats) -> tuple[np.ndarray, Floats, Floats]:
    """Count, mean and standard deviation of what was observed of each column."""
    seen = ~np.isnan(values)
    count = seen.sum(axis=0)
    at_least_one = np.maximum(count, 1)
    mean = np.where(seen, values, 0.0).sum(axis=0) / at_least_one
    apart = np.where(seen, values - mean, 0.0)
    return count, mean, np.sqrt((apart**2).sum(axis=0) / at_least_one)


def _varies(values: Floats, sd: Floats) -> np.ndarray:
    """Whether a column spreads beyond rounding; NaN is no value."""
    size = np.abs(np.nan_to_num(values)).max(axis=0)
    return sd > ROUNDING * size


def _say_what_is_left_out(
    positions: Mapping[str, np.ndarray], chosen: Mapping[str, Sequence[int]], *, n_dull: int
) -> None:
    dull = [block for block in positions if block not in chosen]
    if not chosen:
        raise DataError(
            f"expected a block that varies; found {len(dull)} block(s) without two different "
            f"values in a column: {short_list(dull)}. Check the table."
        )
    if n_dull:
        whole = f", among them all of the block(s) {short_list(dull)}" if dull else ""
        warnings.warn(
            f"{n_dull} variable(s) do not vary in the training part and are left out{whole}.",
            RadiogenomicsWarning,
            stacklevel=4,
        )
