"""What the nouns share: mappings that cannot be changed, and objects that can still be sent."""

from __future__ import annotations

from dataclasses import fields
from types import MappingProxyType
from typing import Any


class Immutable:
    """Base of frozen dataclasses that hold mappings.

    A read-only view of a mapping cannot be pickled or deep-copied. A noun is therefore rebuilt
    from its fields, and checked once more, where it arrives.
    """

    def _freeze(self, *names: str) -> None:
        """Replace each mapping by a read-only view of a copy, out of the caller's reach."""
        for name in names:
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuild from the fields, in their order."""
        values = (getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]
        return type(self), tuple(dict(v) if isinstance(v, MappingProxyType) else v for v in values)
