"""LabelSet: what each patient was called, by which rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from radiogenomics.core.errors import AlignmentError, OutcomeError, short_list
from radiogenomics.core.html import card


@dataclass(frozen=True, eq=False)
class LabelSet:
    """Scores and classes of patients with the rule that made them.

    Parameters
    ----------
    name
        The label, for example ``"IRS"``.
    scores
        Patients × scores; higher is more of the thing named.
    classes
        Class of each patient, same index.
    rule
        In words: how scores became classes.

    Raises
    ------
    AlignmentError
        Scores and classes differ in their patients, or a patient repeats.
    OutcomeError
        A patient has no class.

    Examples
    --------
    >>> scores = pd.DataFrame({"IRS": [0.4, -1.2, 2.0]}, index=["P1", "P2", "P3"])
    >>> classes = scores["IRS"].gt(0).map({True: "high", False: "low"})
    >>> LabelSet("IRS", scores, classes, "high above 0").counts().to_dict()
    {'high': 2, 'low': 1}
    """

    name: str
    scores: pd.DataFrame
    classes: pd.Series[Any]
    rule: str

    def __post_init__(self) -> None:
        """Refuse patients that repeat, differ between the tables or have no class."""
        if not self.scores.index.equals(self.classes.index):
            raise AlignmentError(
                f"label {self.name}: expected scores and classes of the same patients in the same "
                f"order; found {len(self.scores)} and {len(self.classes)} that differ. "
                "Take both from one table."
            )
        index = self.classes.index
        if index.has_duplicates or index.hasnans:
            raise AlignmentError(
                f"label {self.name}: expected one row a patient; found repeated or empty "
                f"identifiers ({short_list(index[index.duplicated()].unique())}). "
                "Keep one row each."
            )
        if self.classes.isna().any():
            raise OutcomeError(
                f"label {self.name}: expected a class for each patient; found "
                f"{int(self.classes.isna().sum())} without. Leave them out or extend the rule."
            )

    def counts(self) -> pd.Series[int]:
        """Patients in each class that occurs, by class name."""
        counts = self.classes.value_counts().sort_index()
        return counts[counts > 0]

    def require_classes(self, minimum: int) -> None:
        """Raise OutcomeError unless two or more classes occur, each with ``minimum`` patients."""
        counts = self.counts()
        if len(counts) < 2 or counts.min() < minimum:
            found = ", ".join(f"{name}: {count}" for name, count in counts.items())
            raise OutcomeError(
                f"label {self.name}: expected at least two classes of {minimum} patients; found "
                f"{found or 'none'}. Use another cut-off or more patients."
            )

    def __repr__(self) -> str:
        """Return name and class sizes in one line."""
        sizes = ", ".join(f"{count} {name}" for name, count in self.counts().items())
        return f"LabelSet({self.name!r}: {sizes or 'no patients'})"

    def _repr_html_(self) -> str:
        facts: dict[str, object] = {"rule": self.rule}
        facts |= {f"class {name}": int(count) for name, count in self.counts().items()}
        summary = self.scores.describe().T if self.scores.size else None
        return card(f"LabelSet {self.name}", facts, summary)
