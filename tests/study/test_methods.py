"""The table of methods is made from the cards, and its page is not left behind."""

from __future__ import annotations

from pathlib import Path

from radiogenomics.models import learner_names
from radiogenomics.models.survival import survival_learner_names
from radiogenomics.study.methods import methods, methods_page
from radiogenomics.study.words import STEPS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "methods.md"


def test_every_word_of_a_plan_is_listed():
    words = set(methods().index)
    assert set(STEPS) - {"standardise"} <= words
    assert set(learner_names()) | set(survival_learner_names()) <= words


def test_every_line_is_filled():
    table = methods()
    assert table.index.is_unique
    assert (table[["title", "scope", "reference", "limits"]] != "").all(axis=None)


def test_the_page_is_that_of_the_cards():
    """Write it anew with ``python -c "..." > docs/methods.md`` when this fails."""
    assert PAGE.read_text(encoding="utf-8") == methods_page()
