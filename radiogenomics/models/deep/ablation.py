"""What each phase is worth to each network: fitted anew to parts of the scans, judged on others.

The best row is the best of many: choose none by it. One training with its one seed stands for a
network, so a difference that its interval tells from 0 may still be that of two seeds. A phase that
others replace seems worth nothing.

Examples
--------
>>> from radiogenomics.models.deep.networks import tiny_settings
>>> from radiogenomics.models.deep.survival_network import SurvivalNetwork
>>> from radiogenomics.models.deep.training_settings import TrainingSettings
>>> rng = np.random.default_rng(0)
>>> values = rng.normal(size=(30, 2, 8, 8, 8)).astype(np.float32)
>>> scans = ScanArrays(values, tuple(f"P{n}" for n in range(30)), ("arterial", "portal"))
>>> y = np.array([(True, t) for t in range(1, 31)], dtype=[("event", bool), ("time", float)])
>>> def vit(some):
...     return SurvivalNetwork(
...         some, "vit", network_settings=tiny_settings("vit"),
...         training=TrainingSettings(epochs=1, device="cpu"),
...     )
>>> found = ablation_table({"vit": vit}, scans, y, train=range(20), test=range(20, 30))
>>> found["phases"].tolist()
['arterial', 'portal', 'arterial + portal']
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_consistent_length

from radiogenomics.core.errors import LeakageError, SchemaError, UnknownNameError, short_list
from radiogenomics.core.scan_arrays import ScanArrays
from radiogenomics.models.survival.model import require_target, survival_array
from radiogenomics.stats.inputs import Floats, survival_target
from radiogenomics.stats.survival.concordance import concordance
from radiogenomics.stats.survival.concordance_difference import concordance_test

Rows = NDArray[np.intp]

COLUMNS = (
    "network",
    "phases",
    "n_phases",
    "concordance",
    "low",
    "high",
    "minus_all",
    "minus_all_low",
    "minus_all_high",
    "n_comparable",
)


def ablation_table(
    networks: Mapping[str, Callable[[ScanArrays], Any]],
    scans: ScanArrays,
    y: Any,
    *,
    train: ArrayLike,
    test: ArrayLike,
    phases: Iterable[Sequence[str]] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Concordance of networks that learnt from some phases only, and its difference from all.

    Each network is fitted anew, to the patients of ``train`` alone, for each set of phases, and
    ranks the patients of ``test``; their survival reaches no fit. The difference is paired: what
    the two risks share cancels.

    Parameters
    ----------
    networks
        Name → function of scans that returns an unfitted estimator of survival holding them:
        SurvivalNetwork, DeepEnsemble.
    scans
        Phases as channels.
    y
        Survival target of the patients of the scans, in their order.
    train, test
        Rows of scans to learn from and to judge by.
    phases
        Sets of phases; each by itself when None. All together always stand last.
    level
        Of the intervals.

    Returns
    -------
    DataFrame
        ``network, phases`` (joined by " + ") ``, n_phases, concordance, low, high, minus_all,
        minus_all_low, minus_all_high, n_comparable``; one row a network and set.

    Raises
    ------
    LeakageError
        A patient is in both parts.
    AlignmentError, UnknownNameError
        There is no such row, or phase.
    SchemaError, OutcomeError, DataError
        A set of phases is empty or names one twice; there is no network; as of the estimators.
    """
    if not networks:
        raise SchemaError("networks: expected one or more; found none. Name a network.")
    parts = _parts(scans, train, test)
    time, event = survival_target(require_target(y))
    check_consistent_length(scans.patient_ids, time)
    target = survival_array(time, event)
    sets = _sets(scans, phases)
    rows = []
    for name, make in networks.items():
        risks = {some: _risk(make, of_phases(scans, some), target, parts) for some in sets}
        rows += [(name, *row) for row in _judged(risks, target[parts[1]], level=level)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def of_phases(scans: ScanArrays, phases: Sequence[str]) -> ScanArrays:
    """Scans of the same patients with some phases only, in the order asked for.

    Raises
    ------
    UnknownNameError
        The scans have no such phase.
    SchemaError
        None is asked for, or one twice.

    Examples
    --------
    >>> scans = ScanArrays(np.zeros((1, 2, 4, 4, 4), np.float32), ("P1",), ("arterial", "portal"))
    >>> of_phases(scans, ["portal"])
    ScanArrays(1 patients; portal; 4 × 4 × 4 voxels)
    """
    wanted = tuple(phases)
    for phase in wanted:
        if phase not in scans.channels:
            raise UnknownNameError("phase of the scans", phase, scans.channels)
    if not wanted or len(set(wanted)) < len(wanted):
        raise SchemaError(
            f"phases: expected one or more, each once; found {short_list(wanted) or 'none'}. "
            "Correct the set."
        )
    places = [scans.channels.index(phase) for phase in wanted]
    return ScanArrays(scans.values[:, places], scans.patient_ids, wanted, scans.spacing_mm)


def _parts(scans: ScanArrays, train: ArrayLike, test: ArrayLike) -> tuple[Rows, Rows]:
    learnt, judged = scans.places(train), scans.places(test)
    both = np.intersect1d(learnt, judged)
    if len(both):
        raise LeakageError(
            f"expected patients to judge by who are not learnt from; found {len(both)} in both "
            "parts. Split the patients first."
        )
    return learnt, judged


def _sets(scans: ScanArrays, phases: Iterable[Sequence[str]] | None) -> tuple[tuple[str, ...], ...]:
    """Sets in their order, each once, all phases last."""
    asked = [(phase,) for phase in scans.channels] if phases is None else map(tuple, phases)
    some = [one for one in dict.fromkeys(asked) if set(one) != set(scans.channels)]
    return (*some, scans.channels)


def _risk(
    make: Callable[[ScanArrays], Any],
    scans: ScanArrays,
    target: np.ndarray,
    parts: tuple[Rows, Rows],
) -> Floats:
    """Risk of the second part by a network that has learnt from the first."""
    learnt, judged = parts
    table, model = scans.table(), make(scans)
    model.fit(table.iloc[learnt], target[learnt])
    return np.asarray(model.predict(table.iloc[judged]), dtype=float)


def _judged(
    risks: Mapping[tuple[str, ...], Floats], target: np.ndarray, *, level: float
) -> Iterator[tuple[Any, ...]]:
    """Rows of one network, without its name; the last set is what others are held against."""
    *_, whole = risks.values()
    time, event = target["time"], target["event"]
    for some, risk in risks.items():
        found = concordance(risk, time, event, level=level)
        less = concordance_test(risk, whole, time=time, event=event, level=level)
        bounds = found.value, found.low, found.high, less.difference, less.low, less.high
        yield (" + ".join(some), len(some), *bounds, found.n_comparable)
