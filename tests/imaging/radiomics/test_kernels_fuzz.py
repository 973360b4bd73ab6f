"""The kernels of radiomics under hostile arguments: each refuses, or its answer is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ...hostile_arguments import (
    EXTREMES,
    NUMBERS,
    Case,
    Strategy,
    anything,
    check_refuses_or_is_right,
    extreme,
    kernels_under_test,
    laid_out,
    mostly,
)

Shape = tuple[int, int, int]

KERNELS = kernels_under_test("radiogenomics.imaging.radiomics._kernels")


def sides() -> Strategy:
    some, none = (
        arrays.array_shapes(min_dims=3, max_dims=3, min_side=least, max_side=6) for least in (1, 0)
    )
    return mostly(some, none)


def filled(make: Callable[[np.random.Generator], np.ndarray]) -> Strategy:
    seeds = st.integers(0, 2**32 - 1)
    return mostly(seeds.map(lambda seed: make(np.random.default_rng(seed))).flatmap(laid_out))


def levels(shape: Shape) -> Strategy:
    def make(rng: np.random.Generator) -> np.ndarray:
        highest = rng.choice([0, 1, 4, 7, 300])
        return (rng.integers(0, highest + 1, shape) * (rng.random(shape) < 0.7)).astype(np.uint16)

    return filled(make)


def offsets(longest: int) -> Strategy:
    step = st.lists(st.integers(-longest, longest), min_size=3, max_size=3)
    far = st.lists(st.sampled_from(EXTREMES[:-2]), min_size=3, max_size=3)
    steps = st.lists(st.one_of(*[step] * 9, far), max_size=14)
    return mostly(steps.map(lambda rows: np.array(rows, dtype=np.int64).reshape(-1, 3)))


def finite(shape: tuple[int, ...], dtype: str = "f8") -> Strategy:
    return filled(lambda rng: rng.normal(scale=10, size=shape).astype(dtype))


def numbers(*usual: float) -> Strategy:
    """Mostly the usual ones, else as many or one more or less of any kind."""
    odd = st.one_of(st.floats(-9, 9), st.sampled_from(NUMBERS))
    some = st.lists(odd, min_size=max(0, len(usual) - 1), max_size=len(usual) + 1).map(np.array)
    return mostly(st.just(np.array(usual)), st.one_of(some, anything()))


def indices(*usual: int) -> Strategy:
    one = st.one_of(st.integers(0, 3), st.sampled_from(EXTREMES[:-2]))
    odd = st.lists(one, min_size=3, max_size=3).map(np.array)
    return st.one_of(mostly(st.just(np.array(usual))), odd)


def edges() -> Strategy:
    uneven = filled(lambda rng: np.sort(rng.normal(scale=9, size=rng.integers(1, 9))))
    return st.one_of(uneven, numbers(-20.0, -10.0, 0.0, 10.0, 20.0))


def distances(shape: Shape) -> Strategy:
    return filled(lambda rng: rng.integers(-5, 9, shape))


def mask(shape: tuple[int, ...]) -> Strategy:
    return filled(lambda rng: rng.random(shape) < rng.choice([0.05, 0.5, 1.0]))


COUNT = mostly(st.sampled_from((7, 300)), extreme("8", 2.0))
THREADS = mostly(st.integers(1, 5), extreme(None, 1.5))
SWITCH = mostly(st.booleans(), st.sampled_from((None, 2, "no")))


def voxels(given: dict[str, Any]) -> int:
    return int(np.count_nonzero(given["levels"]))


def check_pairs(given: dict[str, Any], pairs: np.ndarray) -> None:
    inside = np.asarray(given["levels"]) > 0
    for found, step in zip(pairs, np.asarray(given["offsets"]).tolist(), strict=True):
        places = np.argwhere(inside).tolist()
        ahead = [tuple(p + s for p, s in zip(place, step, strict=True)) for place in places]
        held = {tuple(place) for place in places}
        assert found.sum() == sum(place in held for place in ahead)


def check_runs(given: dict[str, Any], runs: np.ndarray) -> None:
    lengths = np.arange(1, runs.shape[2] + 1)
    for found in runs:
        total = int((found.sum(axis=0) * lengths).sum())
        assert total == voxels(given) or (total == 0 and not given.get("lone_lines"))


def check_both(given: dict[str, Any], answer: tuple[np.ndarray, np.ndarray]) -> None:
    check_pairs(given, answer[0])
    check_runs(given, answer[1])


def check_neighbourhoods(given: dict[str, Any], answer: tuple[np.ndarray, ...]) -> None:
    dependence, counted, difference = answer
    held = np.bincount(np.ravel(given["levels"]), minlength=len(dependence) + 1)[1:]
    np.testing.assert_array_equal(dependence.sum(axis=1), held)
    assert (counted <= held).all() and (counted == held).all() >= bool(given["isolated"])
    assert (difference >= 0).all() and (difference <= held * len(held)).all()


def check_zones(given: dict[str, Any], zones: np.ndarray) -> None:
    held = np.bincount(np.ravel(given["levels"]), minlength=int(given["count"]) + 1)
    sizes = np.bincount(zones[:, 0], weights=zones[:, 1], minlength=len(held))
    np.testing.assert_array_equal(sizes[1:], held[1:])
    assert sizes[0] == 0


def check_distances(given: dict[str, Any], zones: np.ndarray) -> None:
    check_zones(given, zones)
    assert set(zones[:, 2].tolist()) <= set(np.ravel(given["distance"]).tolist())


def check_bins(given: dict[str, Any], bins: np.ndarray) -> None:
    np.testing.assert_array_equal(bins, np.digitize(given["values"], given["edges"]))


def check_moments(given: dict[str, Any], answer: dict[str, Any]) -> None:
    inside = np.argwhere(given["inside"])
    assert answer["voxels"] == len(inside)
    np.testing.assert_array_equal(np.ravel(answer["sums"])[-inside.shape[1] :], inside.sum(axis=0))


def check_bands(given: dict[str, Any], bands: tuple[np.ndarray, np.ndarray]) -> None:
    values = np.asarray(given["values"])
    for band, taps in zip(bands, (given["low"], given["high"]), strict=True):
        exact = np.apply_along_axis(np.convolve, given["axis"], values, taps, mode="valid")
        single = 1e-6 * np.abs(values).sum() * np.abs(taps).sum()
        np.testing.assert_allclose(band, exact, rtol=0, atol=single)


def check_resampled(given: dict[str, Any], answer: np.ndarray) -> None:
    positions = [np.asarray(given[axis]) for axis in "zyx"]
    assert answer.shape == tuple(map(len, positions))
    values = np.asarray(given["values"])
    for axis, places in enumerate(positions):
        beyond = (places < -0.5) | (places > values.shape[axis] - 0.5)
        assert not np.moveaxis(answer, axis, 0)[beyond].any()
    if all(np.isfinite(places).all() for places in positions):
        # A cubic spline overshoots by at most 1.55 along an axis.
        assert np.abs(answer).max(initial=0) <= 1.6**3 * np.abs(values).max()


def check_curvature(given: dict[str, Any], answer: np.ndarray) -> None:
    assert answer.shape == tuple(np.ravel(given["end"]) - np.ravel(given["begin"]))


def texture(shape: Shape, *, longest: int = 1, **more: Strategy) -> dict[str, Strategy]:
    return {"levels": levels(shape), "count": COUNT, "offsets": offsets(longest), **more}


def bands(shape: Shape) -> dict[str, Strategy]:
    side, dtype = shape[0], "f4" if shape[1] % 2 else "f8"
    taps = 1 + side // 2
    places = (max(0, side - taps + 1),)
    return {
        "values": finite((side, side, side), dtype),
        "low": finite((taps,), dtype),
        "high": finite((taps,), dtype),
        "axis": mostly(st.integers(0, 2), extreme()),
        "turned": filled(lambda rng: rng.integers(0, taps + 1, places)),
        "threads": THREADS,
    }


def curvature(shape: Shape) -> dict[str, Strategy]:
    larger = (shape[0] + 3, shape[1] + 3, shape[2] + 3)
    return {
        "values": finite(larger),
        "sigma": mostly(st.floats(0.3, 4), st.sampled_from(NUMBERS)),
        "spacing": numbers(1.0, 0.7, 2.5),
        "begin": indices(0, 1, 0),
        "end": indices(3, 2, 1),
        "threads": THREADS,
    }


def spline(shape: Shape) -> dict[str, Strategy]:
    places = {axis: numbers(-0.4, 0.0, 0.3, 2.0) for axis in "zyx"}
    return {"values": finite(shape), **places, "threads": THREADS}


LONE = {"threads": THREADS, "lone_lines": SWITCH}
NEAR = {"tolerance": mostly(st.integers(0, 2), extreme()), "threads": THREADS, "isolated": SWITCH}


def case(
    arguments: Callable[[Shape], dict[str, Strategy]], check: Callable[[dict[str, Any], Any], None]
) -> Case:
    """Arguments that fit a volume of any shape."""
    return Case(sides().flatmap(lambda shape: st.fixed_dictionaries(arguments(shape))), check)


CASES = {
    "bin_levels": case(lambda s: {"values": finite(s[:1]), "edges": edges()}, check_bins),
    "bspline_resample": case(spline, check_resampled),
    "cooccurrence": case(lambda s: texture(s, longest=3, threads=THREADS), check_pairs),
    "cooccurrence_and_runs": case(lambda s: texture(s, **LONE), check_both),
    "dependence_and_tone": case(lambda s: texture(s, longest=3, **NEAR), check_neighbourhoods),
    "laplacian_of_gaussian": case(curvature, check_curvature),
    "mesh": case(
        lambda s: {"inside": mask(s), "spacing_mm": numbers(2.0, 0.7, 1.0), "open": SWITCH},
        check_moments,
    ),
    "outline": case(
        lambda s: {"inside": mask(s[:2]), "spacing_mm": numbers(2.0, 0.7)}, check_moments
    ),
    "runs": case(lambda s: texture(s, **LONE), check_runs),
    "split_bands": case(bands, check_bands),
    "zone_distances": case(lambda s: texture(s, distance=distances(s)), check_distances),
    "zones": case(texture, check_zones),
}


def test_every_kernel_has_a_case() -> None:
    assert {name for name in dir(KERNELS) if not name.startswith("_")} == set(CASES)


@pytest.mark.parametrize("name", sorted(CASES))
def test_kernel_refuses_or_is_right(name: str) -> None:
    check_refuses_or_is_right(getattr(KERNELS, name), CASES[name])
