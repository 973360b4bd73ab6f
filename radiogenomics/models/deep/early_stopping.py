"""When to stop: the best epoch so far, and how long nothing was better."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from radiogenomics.core.errors import DataError


class EarlyStopping:
    """Remembers the best score of a validation part, and says when to wait no longer.

    An epoch is better if its score exceeds the best so far by more than ``minimum_delta``; of equal
    scores the earlier stays. The best of many noisy scores is optimistic: report another part's.

    Parameters
    ----------
    patience
        Epochs without a better one after which it is enough; None: it never is.
    minimum_delta
        By how much a better score is higher, 0 or more.

    Attributes
    ----------
    best_score : float or None
        Highest score; None before the first epoch.
    best_epoch : int
        Its epoch; 0 before the first.
    waited : int
        Epochs since.

    Examples
    --------
    >>> stopping = EarlyStopping(patience=2)
    >>> [stopping.update(epoch, score) for epoch, score in enumerate([0.5, 0.7, 0.6, 0.7], 1)]
    [True, True, False, False]
    >>> stopping.exhausted, stopping.best_epoch
    (True, 2)
    """

    def __init__(self, patience: int | None, minimum_delta: float = 0.0) -> None:
        self.patience = patience
        self.minimum_delta = minimum_delta
        self.best_score: float | None = None
        self.best_epoch = 0
        self.waited = 0

    def update(self, epoch: int, score: float) -> bool:
        """Take an epoch's score, higher is better; True if it is the best so far.

        Raises
        ------
        DataError
            The score is not a number, or infinite.
        """
        if not math.isfinite(score):
            raise DataError(
                f"epoch {epoch}: expected a score of the validation part; found {score}. "
                "Put more patients aside for validation, so that some can be told apart."
            )
        better = self.best_score is None or score > self.best_score + self.minimum_delta
        if better:
            self.best_score, self.best_epoch, self.waited = score, epoch, 0
        else:
            self.waited += 1
        return better

    @property
    def exhausted(self) -> bool:
        """True when the patience is used up."""
        return self.patience is not None and self.waited >= self.patience

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint must hold of it, as JSON has it."""
        return {
            "best_score": self.best_score,
            "best_epoch": self.best_epoch,
            "waited": self.waited,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.best_score = state["best_score"]
        self.best_epoch = state["best_epoch"]
        self.waited = state["waited"]
