"""The kernels of associations under hostile arguments: each refuses, or its answer is right."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from ...hostile_arguments import (
    EXTREMES,
    NUMBERS,
    REFUSALS,
    Case,
    Strategy,
    anything,
    check_refuses_or_is_right,
    extreme,
    kernels_under_test,
    laid_out,
    mostly,
)

KERNELS = kernels_under_test("radiogenomics.stats.association._kernels")

HIGHEST_INT32 = 2**31 - 1


def rankings(rng: np.random.Generator, shape: tuple[int, int], dtype: str) -> np.ndarray:
    """Values without ties, with many, or with none but 0."""
    spread = rng.choice([0.0, 1.0, 3.0])
    values = rng.normal(scale=spread, size=shape).round(rng.choice([0, 12]))
    return values.astype(dtype)


def memberships(rng: np.random.Generator, genes: int, sets: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the sets of each gene start, and the sets, of any size that a ranking allows."""
    belongs = np.zeros((genes, sets), dtype=bool)
    for each in belongs.T:
        size = min(genes, rng.integers(1, max(genes, 2)))
        each[rng.choice(genes, size, replace=False)] = True
    start = np.concatenate([[0], np.cumsum(belongs.sum(axis=1))])
    return start.astype(np.int64), np.nonzero(belongs)[1].astype(np.int32)


def changed(array: np.ndarray, values: tuple[float, ...]) -> Strategy:
    """One or two places with another value each."""

    def put(places: list[int], new: list[float]) -> np.ndarray:
        found = array.copy()
        with np.errstate(over="ignore"):
            found.flat[[place % array.size for place in places]] = new
        return found

    if not array.size:
        return st.just(array)
    pair = {"min_size": 2, "max_size": 2}
    places = st.lists(st.integers(0, 10**6), **pair)
    return st.builds(put, places, st.lists(st.sampled_from(values), **pair))


def integers(array: np.ndarray) -> Strategy:
    """Places out of order, beyond the ends or many times."""
    limits = np.iinfo(array.dtype)
    near = (-1, 0, 1, array.size, array.size + 1, HIGHEST_INT32)
    odd = tuple(each for each in (*EXTREMES, *near) if limits.min <= each <= limits.max)
    other = st.one_of(st.just(array[::-1].copy()), st.just(array[:-1]), laid_out(array))
    wrong = mostly(changed(array, odd), st.one_of(other, unusual(array), anything()), sides=2)
    return mostly(st.just(array), wrong, sides=4)


def floats(array: np.ndarray) -> Strategy:
    far = tuple(float(end) for end in (np.finfo(array.dtype).max, np.finfo(array.dtype).tiny))
    right = mostly(st.just(array), changed(array, (*NUMBERS, *far)), sides=3)
    return mostly(right, st.one_of(laid_out(array), unusual(array), anything()), sides=6)


def at_an_odd_address(array: np.ndarray) -> np.ndarray:
    room = np.zeros(array.nbytes + 1, dtype=np.uint8)[1:]
    shifted = room.view(array.dtype).reshape(array.shape)
    shifted[...] = array
    return shifted


def read_only(array: np.ndarray) -> np.ndarray:
    frozen = array.copy()
    frozen.flags.writeable = False
    return frozen


def unusual(array: np.ndarray) -> Strategy:
    """The same numbers at an odd address, in another order of bytes, and so on."""
    shifted, frozen = at_an_odd_address(array), read_only(array)
    swapped = array.astype(array.dtype.newbyteorder(">"))
    wide = np.broadcast_to(array, (2, *array.shape))
    return st.sampled_from((shifted, frozen, swapped, wide, array[..., None], array.tolist()))


def ranked(dtype: str) -> Strategy:
    """Rankings and sets that fit each other, mostly."""

    def arguments(rows: int, genes: int, *, sets: int, seed: int) -> Strategy:
        rng = np.random.default_rng(seed)
        start, set_of = memberships(rng, genes, sets)
        return st.fixed_dictionaries(
            {
                "rankings": floats(rankings(rng, (rows, genes), dtype)),
                "start": integers(start),
                "set_of": integers(set_of),
                "sets": mostly(
                    st.just(sets), extreme(sets - 1, sets + 1, HIGHEST_INT32 - 1, "8", 2.0)
                ),
                "power": mostly(
                    st.sampled_from((0.0, 1.0, 1.5, 2)), st.sampled_from((*NUMBERS, 400.0, "1"))
                ),
            }
        )

    many = mostly(st.sampled_from((2, 9, 30, 70)), st.integers(0, 3))
    seeds = st.integers(0, 2**32 - 1)
    return st.tuples(st.integers(0, 3), many, st.integers(1, 5), seeds).flatmap(
        lambda drawn: arguments(drawn[0], drawn[1], sets=drawn[2], seed=drawn[3])
    )


def check_scores(given: dict[str, Any], scores: np.ndarray) -> None:
    values, start, set_of = (np.asarray(given[name]) for name in ("rankings", "start", "set_of"))
    sets, power = int(given["sets"]), float(given["power"])
    assert scores.shape == (len(values), sets) and scores.dtype == values.dtype
    inside = np.zeros((values.shape[1], sets), dtype=bool)
    inside[np.repeat(np.arange(values.shape[1]), np.diff(start)), set_of] = True
    tolerance = 2e-5 if values.dtype == np.float32 else 1e-12
    for row, found in zip(values, scores, strict=True):
        order = np.argsort(-row, kind="stable")
        # In the precision of the ranking, where it may become 0, and summed in double.
        weight = (np.abs(row).astype(float) ** power).astype(row.dtype)[order, None].astype(float)
        hit = inside[order]
        weight = weight * hit
        weight = np.where(weight.sum(axis=0) > 0, weight, hit)
        path = np.cumsum(weight / weight.sum(axis=0) - ~hit / (~hit).sum(axis=0), axis=0)
        ends = np.array([path.max(axis=0), path.min(axis=0)])
        # Where both are as far, rounding says which.
        assert (np.abs(ends - found).min(axis=0) <= tolerance).all()
        np.testing.assert_allclose(np.abs(found), np.abs(ends).max(axis=0), rtol=0, atol=tolerance)


def tables() -> Strategy:
    """Two tables, apart or not; the second is one that can be written to, mostly."""

    def arguments(rows: int, columns: int, *, seed: int) -> Strategy:
        rng = np.random.default_rng(seed)
        first, second, both = (
            rng.normal(size=(height, columns)).astype("f4") for height in (rows, rows, 2 * rows + 1)
        )
        overlap = [(first, first), (both[:rows], both[1 : rows + 1]), (both[:rows], both[:rows])]
        beside = [(both[:rows], both[rows : 2 * rows]), (both[rows : 2 * rows], both[:rows])]
        separate = st.tuples(floats(first), floats(np.abs(second)))
        pairs = mostly(separate, st.sampled_from([*overlap, *beside]), sides=4)
        return pairs.map(lambda pair: dict(zip(("values", "strongest"), pair, strict=True)))

    sizes = st.tuples(st.integers(0, 4), st.integers(1, 20), st.integers(0, 2**32 - 1))
    shapes = st.sampled_from(((0, 0), (0, 2**40), (3, 0), (2**40, 0)))
    empty = shapes.map(lambda shape: dict.fromkeys(("values", "strongest"), np.empty(shape, "f4")))
    return mostly(sizes.flatmap(lambda drawn: arguments(*drawn[:2], seed=drawn[2])), empty)


def raised(values: Any, strongest: Any) -> tuple[np.ndarray, np.ndarray]:
    """Raise; return what the table was before too. What is refused must be as it was."""
    before = deepcopy(strongest)
    try:
        return KERNELS.raise_to(values=values, strongest=strongest), before
    except REFUSALS:
        np.testing.assert_array_equal(strongest, before)
        raise


def check_raised(given: dict[str, Any], answer: tuple[np.ndarray, np.ndarray]) -> None:
    largest, before = answer
    sizes = np.abs(given["values"])
    assert not np.isnan(largest).any()
    np.testing.assert_array_equal(largest, sizes.max(axis=1, initial=0))
    np.testing.assert_array_equal(given["strongest"], np.maximum(before, sizes))


CASES = {
    "enrichment_f4": Case(ranked("f4"), check_scores),
    "enrichment_f8": Case(ranked("f8"), check_scores),
    "raise_to": Case(tables(), check_raised),
}


def test_every_kernel_has_a_case() -> None:
    assert {name for name in dir(KERNELS) if not name.startswith("_")} == set(CASES)


@pytest.mark.parametrize("name", sorted(CASES))
def test_kernel_refuses_or_is_right(name: str) -> None:
    kernel = raised if name == "raise_to" else getattr(KERNELS, name)
    check_refuses_or_is_right(kernel, CASES[name])


def ranking(*values: float) -> dict[str, np.ndarray]:
    return {"rankings": np.array([values])}


FIT = {
    **ranking(3.0, 1.0, 0.0, -2.0),
    "start": np.array([0, 1, 2, 2, 3]),
    "set_of": np.array([0, 1, 0], dtype=np.int32),
    "sets": 2,
    "power": 1.0,
}
UNFIT = {
    "value missing": (ranking(3.0, np.nan, 0.0, -2.0), "finite"),
    "value infinite": (ranking(3.0, 1.0, -np.inf, -2.0), "finite"),
    "weights beyond the largest number": (ranking(1.5e308, 1.0, 0.0, -1e308), "weights whose sum"),
    "weights too small to divide by": (ranking(5e-324, 1.0, 0.0, 0.0), "weights whose sum"),
    "no genes": ({"rankings": np.empty((1, 0)), "start": np.array([0])}, "rankings"),
    "rankings at an odd address": ({"rankings": at_an_odd_address(FIT["rankings"])}, "aligned"),
    "starts at an odd address": ({"start": at_an_odd_address(FIT["start"])}, "aligned"),
    "starts that fall": ({"start": np.array([0, 2, 1, 2, 3])}, "do not fall"),
    "start below 0": ({"start": np.array([0, -1, 2, 2, 3])}, "do not fall"),
    "start beyond all": ({"start": np.array([0, 1, 2**62, 2, 3])}, "do not fall"),
    "end beyond the members": ({"start": np.array([0, 1, 2, 2, 2**33 + 3])}, "from 0 to"),
    "set below 0": ({"set_of": np.array([0, -1, 0], dtype=np.int32)}, "numbered"),
    "set beyond the last": ({"set_of": np.array([0, 2, 0], dtype=np.int32)}, "numbered"),
    "set without genes": ({"set_of": np.array([0, 0, 0], dtype=np.int32)}, "at least one gene"),
    "more sets than members": ({"sets": HIGHEST_INT32}, "at least one gene"),
    "gene twice in a set": (
        {"start": np.array([0, 1, 1, 1, 3]), "set_of": np.array([1, 0, 0], dtype=np.int32)},
        "once in a set",
    ),
    "power below 0": ({"power": -1.0}, "power"),
    "power missing": ({"power": np.nan}, "power"),
}


@pytest.mark.parametrize("why", sorted(UNFIT))
def test_unfit_rankings_and_sets_are_refused(why: str) -> None:
    change, words = UNFIT[why]
    assert KERNELS.enrichment_f8(**FIT).shape == (1, 2)
    with pytest.raises(ValueError, match=words):
        KERNELS.enrichment_f8(**{**FIT, **change})


TABLE = np.ones((3, 2), dtype="f4")
UNFIT_TABLES = {
    "value missing": ((np.full((3, 2), np.nan, "f4"), TABLE), "missing"),
    "other shape": ((TABLE, TABLE[:2]), "one shape"),
    "no columns": ((np.empty((2**40, 0), "f4"),) * 2, "columns"),
    "one table": ((TABLE, TABLE), "share no memory"),
    "overlap": ((TABLE[:2], TABLE[1:]), "share no memory"),
    "read only": ((TABLE, read_only(TABLE)), "writeable"),
    "odd address": ((TABLE, at_an_odd_address(TABLE)), "aligned"),
}


@pytest.mark.parametrize("why", sorted(UNFIT_TABLES))
def test_unfit_tables_are_refused_untouched(why: str) -> None:
    tables, words = UNFIT_TABLES[why]
    with pytest.raises(ValueError, match=words):
        raised(*tables)
