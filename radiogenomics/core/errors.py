"""The error tree: one root, one branch a phase.

Each error also inherits the built-in a user would catch, and its message says what was expected,
what was found and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MOST_LISTED = 25


class RadiogenomicsError(Exception):
    """Root of every error this package raises on purpose."""


class DataError(RadiogenomicsError, ValueError):
    """Input values that cannot be what they claim to be."""


class SchemaError(DataError):
    """A manifest, recipe or table that lacks a field, has one too many or of another type."""


class AlignmentError(DataError):
    """Tables whose patient, sample or variable identifiers do not fit together."""


class GeometryError(DataError):
    """Images and masks that do not share a physical space."""


class OutcomeError(DataError):
    """Outcomes that cannot be analysed: bad times, too few events, one class only."""


class LeakageError(RadiogenomicsError, ValueError):
    """A patient, or something learnt from one, on both sides of a split."""


class StudyError(RadiogenomicsError, ValueError):
    """A recipe that a cohort cannot satisfy."""


class ChecksumError(RadiogenomicsError, OSError):
    """A file whose content differs from the checksum that was recorded for it."""


class MissingFileError(RadiogenomicsError, FileNotFoundError):
    """A file or folder that a manifest or command names and that is not there."""


class MissingExtraError(RadiogenomicsError, ImportError):
    """An optional dependency that the asked-for step needs and that is not installed."""


class UnknownNameError(RadiogenomicsError, KeyError):
    """A name that is not known; the message lists near matches.

    Parameters
    ----------
    kind
        What the name should be the name of, for example ``"gene in the expression matrix"``.
    name
        What was asked for.
    known
        What could have been asked for.

    Examples
    --------
    >>> print(UnknownNameError("time unit", "month", ("days", "weeks", "months", "years")))
    unknown time unit 'month': did you mean 'months'?
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind = kind
        self.name = str(name)
        self.known = tuple(map(str, known))
        super().__init__(self._message())

    def _message(self) -> str:
        near = near_matches(self.name, self.known)
        if near:
            hint = f"did you mean {', '.join(map(repr, near))}?"
        elif not self.known:
            hint = "there is none to choose from."
        elif len(self.known) <= MOST_LISTED:
            hint = f"known: {', '.join(sorted(self.known))}."
        else:
            hint = f"none of the {len(self.known)} known names is near."
        return f"unknown {self.kind} {self.name!r}: {hint}"

    def __str__(self) -> str:
        """Return the message."""
        # KeyError would print the repr of its argument, quotes and all.
        return str(self.args[0])

    def __reduce__(self) -> tuple[type[UnknownNameError], tuple[str, str, tuple[str, ...]]]:
        """Rebuild from kind, name and known names in another process."""
        return type(self), (self.kind, self.name, self.known)


class RadiogenomicsWarning(UserWarning):
    """Something that does not stop the work but changes how its result should be read."""


class FallbackWarning(RadiogenomicsWarning):
    """A step did not do what it was asked for, and did its stated default instead."""


def near_matches(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Up to three of ``known`` that look like ``name``, nearest first; case does not matter."""
    unfolded = {candidate.casefold(): candidate for candidate in known}
    near = get_close_matches(name.casefold(), unfolded, n=3, cutoff=0.6)
    return tuple(unfolded[match] for match in near)


def short_list(names: Iterable[object], *, limit: int = 5) -> str:
    """Names for a message: the first few, and how many more there are.

    Examples
    --------
    >>> short_list(["P1", "P2", "P3"], limit=2)
    'P1, P2 and 1 more'
    """
    shown = [str(name) for name in names]
    rest = len(shown) - limit
    return ", ".join(shown[:limit]) + (f" and {rest} more" if rest > 0 else "")
