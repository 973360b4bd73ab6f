"""Riesz transforms against waves and against their complex definition."""

from __future__ import annotations

from itertools import product
from math import factorial, prod, sqrt

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import fft

from radiogenomics.core.errors import DataError
from radiogenomics.imaging.filters import NonseparableWavelet, Riesz, SampledLoG
from radiogenomics.imaging.filters.riesz import riesz


@pytest.mark.parametrize("total", [1, 2, 3])
def test_components_of_an_order_share_the_energy_of_each_frequency(total: int) -> None:
    generator = np.random.default_rng(2)
    coordinates = tuple(generator.normal(size=(3, 50)))
    orders = [order for order in product(range(total + 1), repeat=3) if sum(order) == total]
    squared = [riesz(coordinates, degrees=order) ** 2 for order in orders]
    np.testing.assert_allclose(np.sum(squared, axis=0), 1, atol=1e-12)


def test_orders_of_a_slanting_wave() -> None:
    # cos(k·x): first order gives direction × sin, second √weight × direction products × -cos.
    z, y, x = np.meshgrid(*[np.arange(9)] * 3, indexing="ij")
    phase = 2 * np.pi * (2 * z + 1 * y + 2 * x) / 9
    cz, cy, cx = np.array([2, 1, 2]) / 3
    whole = (slice(0, 9),) * 3
    base = NonseparableWavelet(family="shannon", levels=(1,))
    orders = ((0, 0, 1), (0, 1, 0), (1, 0, 1), (0, 2, 0))
    responses = dict(
        Riesz(orders=orders, base=base).responses(np.cos(phase), spacing_mm=(1, 1, 1), box=whole)
    )
    expected = {
        "riesz-0-0-1-shannon-level-1": cx * np.sin(phase),
        "riesz-0-1-0-shannon-level-1": cy * np.sin(phase),
        "riesz-1-0-1-shannon-level-1": -sqrt(2) * cz * cx * np.cos(phase),
        "riesz-0-2-0-shannon-level-1": -cy * cy * np.cos(phase),
    }
    assert list(responses) == list(expected)
    for name, response in responses.items():
        np.testing.assert_allclose(response, expected[name], atol=1e-12)


@pytest.mark.parametrize("order", [(0, 0, 1), (1, 1, 0), (0, 2, 1)], ids=str)
@pytest.mark.parametrize("shape", [(8, 6, 10), (7, 9, 8)], ids=str)
def test_real_part_of_the_centred_transform(
    order: tuple[int, int, int], shape: tuple[int, int, int], rng: np.random.Generator
) -> None:
    image = rng.normal(size=shape)
    z, y, x = (slice(0, size) for size in shape)
    base = SampledLoG(sigma_mm=(1.5,), boundary="periodic")
    ((_, filtered),) = base.responses(image, spacing_mm=(1, 1, 1), box=(z, y, x))
    ((_, response),) = Riesz(orders=(order,), base=base).responses(
        image, spacing_mm=(1, 1, 1), box=(z, y, x)
    )
    axes = [(np.arange(size) - (size - 1) / 2) / ((size - 1) / 2) for size in shape]
    grid = np.meshgrid(*axes, indexing="ij")
    norm = np.sqrt(sum(axis**2 for axis in grid))
    ways = factorial(sum(order)) / prod(map(factorial, order))
    weights = (
        (-1j) ** sum(order) * sqrt(ways) * prod(a**n for a, n in zip(grid, order, strict=True))
    )
    weights = weights / np.where(norm > 0, norm, 1) ** sum(order)
    expected = fft.ifftn(fft.fftn(filtered) * fft.ifftshift(weights)).real
    np.testing.assert_allclose(response, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("order", "flat_axis"), [((0, 0, 0), None), ((1, 0, 0), 0)])
def test_order_needs_an_axis_that_is_filtered(
    order: tuple[int, int, int], flat_axis: int | None
) -> None:
    kind = Riesz(orders=(order,), base=NonseparableWavelet())
    whole = (slice(0, 4),) * 3
    with pytest.raises(DataError, match="order of derivation"):
        next(
            kind.responses(
                np.zeros((4, 4, 4)), spacing_mm=(1, 1, 1), box=whole, flat_axis=flat_axis
            )
        )


def test_order_is_not_negative() -> None:
    with pytest.raises(ValidationError, match="orders"):
        Riesz(orders=((0, -1, 2),), base=NonseparableWavelet())
