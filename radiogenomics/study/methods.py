"""Every method by its card: what a recipe may name, where it comes from, when it misleads."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

import pandas as pd

from radiogenomics import clinical, features, models
from radiogenomics.core.errors import MissingExtraError
from radiogenomics.core.method import Method
from radiogenomics.models import learner, learner_names
from radiogenomics.models.survival import survival_learner, survival_learner_names

COLUMNS = ("word", "title", "scope", "learns", "reference", "limits")


def methods() -> pd.DataFrame:
    """Every method with a card, in the order of the work: one row each.

    Returns
    -------
    DataFrame
        Indexed by ``word``, the name a plan or a recipe calls it by: ``title, scope, learns`` (must
        be fitted inside the fold), ``reference, limits`` (when it misleads). Learners of an extra
        that is not installed are left out.

    Examples
    --------
    >>> methods().loc["combat", "scope"]
    'features: harmonisation'
    """
    rows = [
        (card.name, card.title, card.scope, card.learns, card.reference, card.limits)
        for card in _cards()
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).drop_duplicates("word")
    return table.sort_values(["scope", "word"], kind="stable").set_index("word")


def methods_page() -> str:
    """Return the page ``docs/methods.md``: every method by the room it stands in."""
    parts = [
        "# Methods\n",
        "Every method with a card, made by `radiogenomics.study.methods`: the word that plans and "
        "recipes use, where it comes from and when it misleads. What learns is fitted inside the "
        "fold.\n",
    ]
    for scope, rows in methods().groupby("scope"):
        lines = [
            _line(f"`{r.Index}`", str(r.title), bool(r.learns), str(r.reference), str(r.limits))
            for r in rows.itertuples()
        ]
        head = ["| word | method | learns | reference | limits |", "|---|---|---|---|---|"]
        parts.append("\n".join([f"## {scope}\n", *head, *lines, ""]))
    return "\n".join(parts)


def _line(word: str, title: str, learns: bool, *texts: str) -> str:
    cells = (word, title, "yes" if learns else "no", *texts)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


STANDARDISE = Method(
    name="standardise",
    title="Each variable less its training mean, over its training standard deviation",
    scope="features: scaling",
    reference="scikit-learn, StandardScaler",
    limits="Moved by outliers; see normal_scores.",
    learns=True,
)


def _cards() -> Iterator[Method]:
    yield STANDARDISE
    for room in (features, models):
        for name in room.__all__:
            card = getattr(getattr(room, name), "card", None)
            if isinstance(card, Method):
                yield card
    for name in learner_names():
        try:
            yield learner(name).card
        except MissingExtraError:
            continue
    for name in survival_learner_names():
        yield survival_learner(name).card
    for module in iter_modules(clinical.__path__):
        found = vars(import_module(f"{clinical.__name__}.{module.name}")).values()
        yield from (card for card in found if isinstance(card, Method))
