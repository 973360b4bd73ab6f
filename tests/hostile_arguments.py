"""Arguments of every kind for compiled kernels, right ones and wrong ones.

Whatever a kernel is given, it refuses with ValueError or TypeError, or its answer is right. Beside
a room's tests of its kernels stands ``test_kernels_fuzz.py`` with a case for each of them.
``tests/contracts/test_sanitised_kernels.py`` runs these files once more on kernels compiled with
sanitisers, which it names in ``RADIOGENOMICS_KERNELS``.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

Strategy = st.SearchStrategy[Any]

SAME_EVERY_TIME = settings(
    max_examples=300,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
REFUSALS = (TypeError, ValueError)

TYPES = ("?", "i1", "u1", "u2", ">u2", "i4", "i8", "u8", "f4", "f8", "c16", "U2", "O")
EXTREMES = (-(2**63), -(2**31), -7, -1, 0, 1, 2, 255, 256, 65535, 65536, 2**31, 2**62, 2**63, 2**70)
NUMBERS = (0.0, -0.0, 0.5, 1.0, -3.0, 1e-300, 5e-324, 1e300, np.inf, -np.inf, np.nan)


def kernels_under_test(name: str) -> ModuleType:
    """The package's kernels of that name, or those of the file that is named."""
    path = os.environ.get("RADIOGENOMICS_KERNELS")
    if path is None:
        return importlib.import_module(name)
    spec = importlib.util.spec_from_file_location("_kernels", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def anything() -> Strategy:
    """An array of any type and shape, or no array at all."""
    shapes = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
    odd = st.builds(
        lambda dtype, shape: np.ones(shape).astype(dtype), st.sampled_from(TYPES), shapes
    )
    scalars = st.sampled_from((None, "words", 1.5, {}, *EXTREMES, *NUMBERS))
    return st.one_of(odd, scalars, st.lists(st.integers(-3, 3), max_size=4))


def mostly(right: Strategy, wrong: Strategy | None = None, *, sides: int = 12) -> Strategy:
    """The right thing, but for one side of the dice."""
    other = anything() if wrong is None else wrong
    last = sides - 1
    return st.integers(0, last).flatmap(lambda dice: other if dice == last else right)


def extreme(*more: object) -> Strategy:
    return st.sampled_from((*EXTREMES, *more))


def laid_out(array: np.ndarray) -> Strategy:
    """The same numbers with other strides."""
    views = [array, np.asfortranarray(array)]
    if array.ndim:
        views += [np.repeat(array, 2, axis=-1)[..., ::2], array[::-1].copy()[::-1]]
    return st.sampled_from(views)


@dataclass(frozen=True)
class Case:
    """How a kernel's arguments are drawn, by name, and what is true of every answer."""

    arguments: Strategy
    check: Callable[[dict[str, Any], Any], None]


def check_refuses_or_is_right(kernel: Callable[..., Any], case: Case) -> None:
    answered = 0

    @SAME_EVERY_TIME
    @given(case.arguments)
    def fuzz(drawn: dict[str, Any]) -> None:
        nonlocal answered
        try:
            answer = kernel(**drawn)
        except REFUSALS:
            return
        case.check(drawn, answer)
        answered += 1

    fuzz()
    assert answered > 20, "hardly anything was accepted: the case draws no valid arguments"
