"""The package's logger and its one progress bar."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from typing import TypeVar, cast

Item = TypeVar("Item")


def get_logger(name: str) -> logging.Logger:
    """Return the logger of a module; the application decides where messages go."""
    return logging.getLogger(name)


def progress(
    items: Iterable[Item], description: str, *, total: int | None = None
) -> Iterable[Item]:
    """Iterate with a progress bar, silent without a terminal or a notebook.

    Parameters
    ----------
    items
        What to go through; given back unchanged when nobody watches.
    description
        Words before the bar.
    total
        Number of items, where ``items`` has no length.

    Examples
    --------
    >>> [n**2 for n in progress(range(3), "squares")]
    [0, 1, 4]
    """
    if not _watched():
        return items
    from tqdm import tqdm

    return cast("Iterable[Item]", tqdm(items, desc=description, total=total, leave=False))


def _watched() -> bool:
    # stderr is None in programs without a console.
    return (sys.stderr is not None and sys.stderr.isatty()) or "ipykernel" in sys.modules
