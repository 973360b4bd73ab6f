"""The image itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from radiogenomics.imaging.filters.filter import Array, Box, Filter


class Original(Filter):
    """No filter: the intensities as they are."""

    kind: Literal["Original"] = "Original"

    def responses(
        self,
        voxels: Array,
        *,
        spacing_mm: tuple[float, float, float],
        box: Box,
        flat_axis: int | None = None,
    ) -> Iterator[tuple[str, Array]]:
        """Name and intensities inside ``box``."""
        yield "original", voxels[box].astype(np.float64)
