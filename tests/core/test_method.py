from __future__ import annotations

import dataclasses

import pytest

from radiogenomics.core.errors import SchemaError
from radiogenomics.core.method import Method

CARD = Method(
    name="icc",
    title="Keep features that repeat",
    scope="features: selection",
    reference="Shrout and Fleiss 1979, doi:10.1037/0033-2909.86.2.420",
    limits="Few raters give wide intervals.",
    learns=True,
)


@pytest.mark.parametrize("field", ["name", "title", "scope", "reference", "limits"])
def test_a_card_with_an_empty_line_is_refused(field: str) -> None:
    with pytest.raises(SchemaError, match=f"every line filled in; found no {field}. Write it"):
        dataclasses.replace(CARD, **{field: ""})


def test_a_card_that_does_not_learn_is_complete() -> None:
    assert dataclasses.replace(CARD, learns=False).learns is False


def test_cards_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        CARD.name = "other"  # type: ignore[misc]
