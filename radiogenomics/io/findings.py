"""What an audit has to say: one remark, its weight, and what to do."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Literal

from radiogenomics.core.errors import RadiogenomicsError

Level = Literal["error", "warning"]

_MESSAGE = re.compile(
    r"(?:(?P<where>.*?): )?expected (?P<expected>.*?); found (?P<found>.*?)\.(?: (?P<do>.*))?",
    re.DOTALL,
)


@dataclass(frozen=True)
class Finding:
    """Something about the data that a user should know.

    Parameters
    ----------
    level
        ``error``: the data are not what the manifest says, or cannot be analysed. ``warning``: they
        can, but the result should be read with this in mind.
    what
        Table or outcome.
    expected, found, do
        In words.
    """

    level: Level
    what: str
    expected: str
    found: str
    do: str

    def to_record(self) -> dict[str, str]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        """Return the finding as one line."""
        return f"{self.level}: {self.what}: expected {self.expected}; found {self.found}. {self.do}"


def error(what: str, expected: str, found: str, *, do: str) -> Finding:
    """Return a finding that stops the work."""
    return Finding("error", what, expected, found, do)


def warning(what: str, expected: str, found: str, *, do: str) -> Finding:
    """Return a finding that changes how results are read."""
    return Finding("warning", what, expected, found, do)


def finding_from(what: str, problem: RadiogenomicsError) -> Finding:
    """Turn an error of the package into a finding, split into expected, found and do."""
    text = str(problem)
    parts = _MESSAGE.fullmatch(text)
    if parts is None:
        return error(what, "data that can be loaded", text, do="Correct the file or the manifest.")
    where = parts["where"]
    place = what if not where or where in what else f"{what} ({where})"
    return error(place, parts["expected"], parts["found"], do=parts["do"] or "Correct it.")
