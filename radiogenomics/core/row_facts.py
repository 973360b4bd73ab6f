"""Row facts: columns such as ``@site`` that travel in X and must not be taken for features."""

from __future__ import annotations

from typing import Any

from radiogenomics.core.errors import SchemaError, short_list

MARK = "@"


def refuse_row_facts(X: Any) -> None:
    """Raise SchemaError when a table still holds a column whose name starts with ``@``.

    Such a column is for the step that eats it (batch correction eats ``@site``); one that is left
    over would be ranked, imputed or scaled as if it were a feature.
    """
    left = [name for name in getattr(X, "columns", ()) if str(name).startswith(MARK)]
    if left:
        raise SchemaError(
            f"expected features only; found the row fact(s) {short_list(left)}. Put the step that "
            "uses them before this one, or drop the column(s)."
        )
