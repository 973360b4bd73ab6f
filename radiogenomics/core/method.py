"""The card every method carries; tables of methods in the docs are made from cards."""

from __future__ import annotations

from dataclasses import dataclass, fields

from radiogenomics.core.errors import SchemaError, short_list


@dataclass(frozen=True)
class Method:
    """What a method is for, where it comes from and where it misleads.

    Parameters
    ----------
    name
        The recipe word.
    title
        One line in plain words.
    scope
        Room and role, for example ``"features: selection"``.
    reference
        Citation with DOI, or ``"house"`` for our own.
    limits
        When the method misleads.
    learns
        True if it needs other patients, and so must be fitted inside the fold.

    Raises
    ------
    SchemaError
        A text is empty.
    """

    name: str
    title: str
    scope: str
    reference: str
    limits: str
    learns: bool

    def __post_init__(self) -> None:
        """Refuse a card with empty lines."""
        empty = [f.name for f in fields(self) if getattr(self, f.name) == ""]
        if empty:
            raise SchemaError(
                f"method {self.name or '?'}: expected a card with every line filled in; found no "
                f"{short_list(empty)}. Write it, if only 'house' or 'none known'."
            )
