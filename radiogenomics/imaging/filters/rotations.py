"""Invariance to rotation by right angles: the kernels are turned, their responses pooled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial, reduce
from itertools import groupby, permutations, product
from typing import Literal, NamedTuple

import numpy as np

from radiogenomics.imaging.filters.boundary import Boundary, Read
from radiogenomics.imaging.filters.filter import Array, Box
from radiogenomics.imaging.filters.separable import Kernel, Row, convolve_beyond

Pooling = Literal["max", "mean", "min"]


class Turn(NamedTuple):
    """Kernels of consecutive steps, and how many rotations give their response or its negative."""

    steps: tuple[Kernel, ...]
    positive: int
    negative: int


class _Remembered:
    """Read the same box twice, compute it once."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._box: Box | None = None
        self._values: Array = np.empty(0)

    def __call__(self, box: Box) -> Array:
        if box != self._box:
            self._box, self._values = box, self._read(box)
        return self._values


def pool(responses: Iterable[tuple[Array, int, int]], pooling: Pooling) -> Array:
    """Largest, mean or smallest response, voxel by voxel.

    Parameters
    ----------
    responses
        Each response with how often it counts and how often its negative does; at least one.
    pooling
        How they are joined.

    Examples
    --------
    >>> pool([(np.array([1.0, -3.0]), 1, 1), (np.array([2.0, 2.0]), 2, 0)], "max")
    array([2., 3.])
    """
    if pooling == "mean":
        weighted, count = np.zeros(1), 0
        for response, positive, negative in responses:
            weighted = weighted + (positive - negative) * response
            count += positive + negative
        return weighted / count
    return reduce(np.maximum if pooling == "max" else np.minimum, _signed(responses))


def _signed(responses: Iterable[tuple[Array, int, int]]) -> Iterator[Array]:
    for response, positive, negative in responses:
        if positive:
            yield response
        if negative:
            yield -response


def right_angle_turns(steps: tuple[Kernel, ...]) -> tuple[Turn, ...]:
    """All rotations of kernels by right angles: 24 in three dimensions, 4 in two.

    Rotations that give the same kernels are one turn, and so are those that give the same up to a
    sign, as antisymmetric rows do when they are reversed.

    Parameters
    ----------
    steps
        Kernels that are applied one after the other and turned together. Axes that are None in
        all of them are not turned.

    Examples
    --------
    >>> edge, level = (-1.0, 0.0, 1.0), (1.0, 2.0, 1.0)
    >>> [turn.steps for turn in right_angle_turns(((None, edge, level),))]
    [((None, (1.0, 0.0, -1.0), (1.0, 2.0, 1.0)),), ((None, (1.0, 2.0, 1.0), (1.0, 0.0, -1.0)),)]
    >>> [turn[1:] for turn in right_angle_turns(((edge, edge, edge),))]
    [(12, 12)]
    """
    axes = tuple(axis for axis, row in enumerate(steps[0]) if row is not None)
    signs: dict[tuple[Kernel, ...], Counter[int]] = {}
    for order in permutations(axes):
        for flips in product((False, True), repeat=len(axes)):
            if _is_odd(order) == sum(flips) % 2:
                sources = tuple(zip(axes, order, flips, strict=True))
                turned, sign = _turned(steps, sources)
                signs.setdefault(turned, Counter())[sign] += 1
    return tuple(Turn(turned, count[1], count[-1]) for turned, count in signs.items())


def pooled_response(
    read: Read,
    turns: Iterable[Turn],
    *,
    box: Box,
    shape: tuple[int, int, int],
    boundary: Boundary,
    pooling: Pooling,
) -> Array:
    """Response inside ``box`` to each turn of the kernels, pooled."""
    respond = partial(_responses, shape=shape, boundary=boundary)
    return pool(respond(read, tuple(turns), box=box), pooling)


def _responses(
    read: Read,
    turns: tuple[Turn, ...],
    *,
    box: Box,
    shape: tuple[int, int, int],
    boundary: Boundary,
) -> Iterator[tuple[Array, int, int]]:
    """Go through the turns; those that begin with the same step share its response."""
    for first, group in groupby(sorted(turns, key=_as_numbers), key=lambda turn: turn.steps[0]):
        filtered = partial(convolve_beyond, read, first, shape=shape, boundary=boundary)
        same = tuple(group)
        if len(same[0].steps) == 1:
            (turn,) = same
            yield filtered(box=box), turn.positive, turn.negative
        else:
            step = _Remembered(lambda part, filtered=filtered: filtered(box=part))
            rest = tuple(turn._replace(steps=turn.steps[1:]) for turn in same)
            yield from _responses(step, rest, box=box, shape=shape, boundary=boundary)


def _as_numbers(turn: Turn) -> tuple[tuple[Row, ...], ...]:
    return tuple(tuple(row or () for row in kernel) for kernel in turn.steps)


def _is_odd(order: tuple[int, ...]) -> bool:
    swaps = sum(later < earlier for i, earlier in enumerate(order) for later in order[i + 1 :])
    return swaps % 2 == 1


def _turned(
    steps: tuple[Kernel, ...], sources: tuple[tuple[int, int, bool], ...]
) -> tuple[tuple[Kernel, ...], int]:
    """Kernels whose row along each axis comes from another, and the sign taken out of them."""
    sign = 1
    turned: list[Kernel] = []
    for kernel in steps:
        rows: list[Row | None] = [None, None, None]
        for axis, source, flip in sources:
            row = kernel[source] or ()
            row = row[::-1] if flip else row
            # Of a row and its negative, the one that begins above zero stands for both.
            if next((number for number in row if number), 1.0) < 0:
                sign, row = -sign, tuple(-number for number in row)
            rows[axis] = row
        z, y, x = rows
        turned.append((z, y, x))
    return tuple(turned), sign
