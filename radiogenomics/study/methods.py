"""Every method by its card: what a recipe may name, where it comes from, when it misleads."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

import pandas as pd

from radiogenomics import clinical, features, models, omics
from radiogenomics.core.errors import MissingExtraError
from radiogenomics.core.method import Method
from radiogenomics.models import learner, learner_names
from radiogenomics.models.survival import survival_learner, survival_learner_names
from radiogenomics.study.words import uses_of

COLUMNS = ("word", "used_as", "title", "scope", "learns", "reference", "limits")


def methods() -> pd.DataFrame:
    """Every method with a card, in the order of the work: one row each.

    Returns
    -------
    DataFrame
        Indexed by ``word``, the name of the method: ``used_as`` (where the word may stand, as
        :func:`radiogenomics.study.words.uses_of` says, or the Python module or class that has the
        method), ``title, scope, learns`` (must be fitted inside the fold), ``reference, limits``
        (when it misleads). Learners of an extra that is not installed are left out.

    Examples
    --------
    >>> methods().loc[["combat", "lr", "albi"], "used_as"].tolist()
    ['step', 'learner or comparator', 'Python: clinical.albi']
    """
    rows = [
        (card.name, _used_as(card, home), card.title, card.scope, card.learns, *_texts(card))
        for card, home in _cards()
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).drop_duplicates("word")
    return table.sort_values(["scope", "word"], kind="stable").set_index("word")


def methods_page() -> str:
    """Return the page ``docs/methods.md``: every method by the room it stands in."""
    parts = [
        "# Methods\n",
        "Every method with a card, made by `radiogenomics.study.methods`: its word, where the word "
        "may stand, where the method comes from and when it misleads. What learns is fitted inside "
        "the fold.\n",
        USES,
    ]
    for scope, rows in methods().groupby("scope"):
        lines = [
            _line(
                *(f"`{r.Index}`", str(r.used_as), str(r.title), "yes" if r.learns else "no"),
                *(str(r.reference), str(r.limits)),
            )
            for r in rows.itertuples()
        ]
        heads = ("word", "used as", "method", "learns", "reference", "limits")
        head = [_line(*heads), _line(*("---" for _ in heads))]
        parts.append("\n".join([f"## {scope}\n", *head, *lines, ""]))
    return "\n".join(parts)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _used_as(card: Method, home: str) -> str:
    return ", ".join(uses_of(card.name)) or f"Python: {home}"


def _texts(card: Method) -> tuple[str, str]:
    return card.reference, card.limits


USES = """| used as | where the word stands |
|---|---|
| step | in the `steps` of recipes and of plans, before the learner |
| step of plans | the same of plans only: `icc_filter`, whose readings `validate --retest` names |
| survival step | in the pipeline of `models.TunedSurvival`, in Python |
| learner or comparator | as `learner` or among the `comparators` of recipes and of plans |
| survival learner | in `models.survival_learner(word)`, in Python |
| Python: place | no word: the class or the module of `radiogenomics` that has the method |
"""

STANDARDISE = Method(
    name="standardise",
    title="Each variable less its training mean, over its training standard deviation",
    scope="features: scaling",
    reference="scikit-learn, StandardScaler",
    limits="Moved by outliers; see normal_scores.",
    learns=True,
)


def _cards() -> Iterator[tuple[Method, str]]:
    """Every card, and where in ``radiogenomics`` its method is."""
    yield STANDARDISE, "study.methods"
    for room in (features, omics, models):
        for name in room.__all__:
            card = getattr(getattr(room, name), "card", None)
            if isinstance(card, Method):
                yield card, f"{room.__name__.partition('.')[2]}.{name}"
    for name in learner_names():
        try:
            yield learner(name).card, "models.learner"
        except MissingExtraError:
            continue
    for name in survival_learner_names():
        yield survival_learner(name).card, "models.survival_learner"
    for module in iter_modules(clinical.__path__):
        found = vars(import_module(f"{clinical.__name__}.{module.name}")).values()
        cards = (card for card in found if isinstance(card, Method))
        yield from ((card, f"clinical.{module.name}") for card in cards)
