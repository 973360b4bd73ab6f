"""The table of methods is made from the cards, and its page is not left behind."""

from __future__ import annotations

from pathlib import Path

import radiogenomics
from radiogenomics.core.errors import RadiogenomicsError
from radiogenomics.models import learner_names
from radiogenomics.models.survival import survival_learner, survival_learner_names
from radiogenomics.study.methods import methods, methods_page
from radiogenomics.study.plan import PlannedStep, ValidationPlan
from radiogenomics.study.words import STEPS, check_plan

PAGE = Path(__file__).resolve().parents[2] / "docs" / "methods.md"


def test_every_word_of_a_plan_is_listed():
    words = set(methods().index)
    assert set(STEPS) - {"standardise"} <= words
    assert set(learner_names()) | set(survival_learner_names()) <= words


def test_every_line_is_filled():
    table = methods()
    assert table.index.is_unique
    assert (table[["title", "scope", "reference", "limits"]] != "").all(axis=None)


def taken(**fields) -> bool:
    """Whether a plan with these fields names words that build something."""
    try:
        check_plan(ValidationPlan(**fields))
    except RadiogenomicsError:
        return False
    return True


def test_each_word_may_stand_where_it_says_and_nowhere_else():
    used_as = methods()["used_as"]
    for word, said in used_as.items():
        uses = set(said.split(", "))
        in_steps = taken(steps=(PlannedStep(step=word),))
        assert in_steps == bool(uses & {"step", "step of plans"}), word
        assert taken(learner=word) == ("learner or comparator" in uses), word
        assert taken(comparators=(word,)) == ("learner or comparator" in uses), word
        survival = word in survival_learner_names()
        assert survival == ("survival learner" in uses), word
        assert not survival or survival_learner(word).card.name == word


def test_what_is_no_word_is_found_where_it_says():
    used_as = methods()["used_as"]
    places = used_as[used_as.str.startswith("Python: ")].str.removeprefix("Python: ")
    assert {"albi", "nomogram", "late_fusion"} <= set(places.index)
    for place in places:
        room, _, name = place.partition(".")
        assert getattr(getattr(radiogenomics, room), name) is not None


def test_the_page_is_that_of_the_cards():
    """Write it anew with ``python -c "..." > docs/methods.md`` when this fails."""
    assert PAGE.read_text(encoding="utf-8") == methods_page()
