"""What a label rule is given: genes, and for rules that need them the outcomes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

OUTCOME_COLUMNS = ("time", "event")
RARE = 10


def genes_of(target: pd.DataFrame) -> pd.DataFrame:
    """Columns that are genes: all but ``time`` and ``event``.

    Examples
    --------
    >>> genes_of(pd.DataFrame({"CD8A": [1.0], "time": [3.0], "event": [1.0]})).columns.tolist()
    ['CD8A']
    """
    return target.drop(columns=[name for name in OUTCOME_COLUMNS if name in target])


def event_strata(target: pd.DataFrame) -> NDArray[np.intp]:
    """What folds should balance before any label is learnt: seen events, shape (n,).

    All patients are one stratum where fewer than ten are on either side: folds cannot share so few
    evenly.

    Examples
    --------
    >>> event_strata(pd.DataFrame({"event": [1.0] * 10 + [0.0] * 11})).tolist()[8:12]
    [1, 1, 0, 0]
    """
    nothing = np.zeros(len(target), dtype=np.intp)
    if "event" not in target:
        return nothing
    seen = (target["event"].to_numpy(dtype=float) == 1).astype(np.intp)
    return nothing if min(seen.sum(), (1 - seen).sum()) < RARE else seen
