"""How much a file may claim to hold before it is refused."""

from __future__ import annotations

import math
from collections.abc import Iterable

from radiogenomics.core.errors import DataError

MAX_BYTES = 4 * 2**30  # of one image in memory, and of what an archive unpacks to
MAX_MEMBERS = 100_000  # of an archive


def require_bytes(sizes: Iterable[int], item: int, *, name: str) -> None:
    """Raise DataError when an array of these sizes would need more than ``MAX_BYTES``.

    A damaged header may claim a size that no memory holds; it is refused before it is asked for.
    """
    shape = tuple(int(size) for size in sizes)
    if min(shape, default=0) < 1 or math.prod(shape) * item > MAX_BYTES:
        raise DataError(
            f"{name}: expected an image of at most {MAX_BYTES >> 30} GiB; found a header that "
            f"claims {' × '.join(map(str, shape))} voxels. Check whether the file is damaged."
        )
