"""Mean filter against scipy's uniform filter."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import ndimage

from radiogenomics.imaging.filters import Mean
from radiogenomics.imaging.filters.boundary import Boundary

AS_IN_SCIPY = MappingProxyType(
    {"zero": "constant", "nearest": "nearest", "periodic": "wrap", "mirror": "reflect"}
)
WHOLE = (slice(0, 6), slice(0, 8), slice(0, 7))


@pytest.mark.parametrize("boundary", AS_IN_SCIPY)
@pytest.mark.parametrize("flat_axis", [None, 0, 2])
def test_mean_of_the_neighbourhood(
    boundary: Boundary, flat_axis: int | None, rng: np.random.Generator
) -> None:
    image = rng.integers(-500, 500, size=(6, 8, 7), dtype=np.int16)
    size = [1 if axis == flat_axis else 5 for axis in range(3)]
    ((_, response),) = Mean(support=5, boundary=boundary).responses(
        image, spacing_mm=(1, 1, 1), box=WHOLE, flat_axis=flat_axis
    )
    expected = ndimage.uniform_filter(image.astype(float), size, mode=AS_IN_SCIPY[boundary])
    np.testing.assert_allclose(response, expected, rtol=0, atol=1e-10)


def test_support_without_a_middle_is_refused() -> None:
    with pytest.raises(ValidationError, match="odd support.*found 4"):
        Mean(support=4)
