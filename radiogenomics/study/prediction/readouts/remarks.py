"""Warnings of the rooms below as notes of a read-out, which goes on without what they left out."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from radiogenomics.core.errors import RadiogenomicsWarning
from radiogenomics.study.findings import Findings

Notes = tuple[tuple[str, str], ...]
NONE: Notes = ()


def warning(text: str) -> Findings:
    """Findings that hold nothing but a remark on what is missing."""
    return Findings(notes=(("warning", text),))


@contextmanager
def as_notes() -> Iterator[list[tuple[str, str]]]:
    """Gather our own warnings as notes, each once; others go on to the caller.

    Examples
    --------
    >>> with as_notes() as said:
    ...     warnings.warn("nobody is left", RadiogenomicsWarning)
    >>> said
    [('warning', 'nobody is left')]
    """
    said: list[tuple[str, str]] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RadiogenomicsWarning)
        yield said
    ours = [w for w in caught if issubclass(w.category, RadiogenomicsWarning)]
    said.extend(dict.fromkeys(("warning", str(w.message)) for w in ours))
    for other in (w for w in caught if w not in ours):
        warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
