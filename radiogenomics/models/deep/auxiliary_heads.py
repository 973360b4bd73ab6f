"""What a network is to say beside its main answer: other endpoints, findings and numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from radiogenomics.core.errors import AlignmentError, DataError, SchemaError, short_list
from radiogenomics.models.deep.multi_task import RECONSTRUCTION
from radiogenomics.stats.inputs import Floats

FINDINGS, NUMBERS = "findings", "numbers"
EVENT, TIME = "_event", "_time"
RESERVED = (FINDINGS, NUMBERS, RECONSTRUCTION)


def auxiliary_table(auxiliaries: Any, patient_ids: Sequence[str]) -> pd.DataFrame:
    """Facts of all patients of a ScanArrays as one table of floats, in the order of its rows.

    Parameters
    ----------
    auxiliaries
        None, or a frame of patients × facts, or a mapping from names to columns; each column in the
        order of the rows, or indexed by patient (who is not named is unknown). An endpoint is two
        columns, ``<name>_event`` and ``<name>_time``, or in a mapping one structured array of event
        and time. NaN where unknown.
    patient_ids
        Whose the rows are.

    Returns
    -------
    DataFrame
        Indexed by patient; NaN where unknown.

    Raises
    ------
    SchemaError
        A fact is no number, or a name stands twice.
    AlignmentError
        A column has neither a value for each row nor patients for an index.

    Examples
    --------
    >>> pfs = np.array([(True, 3.0), (False, 9.0)], dtype=[("event", bool), ("time", float)])
    >>> auxiliary_table({"pfs": pfs, "afp_high": pd.Series({"B": 1})}, ["A", "B"])
       pfs_event  pfs_time  afp_high
    A        1.0       3.0       NaN
    B        0.0       9.0       1.0
    """
    columns: list[tuple[str, Any]] = []
    for name, values in _items(auxiliaries):
        fields = getattr(getattr(values, "dtype", None), "names", None) or ()
        if len(fields) == len((EVENT, TIME)):
            ends = zip((EVENT, TIME), fields, strict=True)
            columns += [(name + end, values[field]) for end, field in ends]
        else:
            columns.append((name, values))
    names = [name for name, _ in columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SchemaError(
            f"auxiliaries: expected facts of different names; found {short_list(twice)} twice. "
            "Rename one."
        )
    table = {name: _column(values, patient_ids, name) for name, values in columns}
    return pd.DataFrame(table, index=list(patient_ids), dtype=float)


def _items(auxiliaries: Any) -> Iterable[tuple[str, Any]]:
    if auxiliaries is None:
        return ()
    if not isinstance(auxiliaries, pd.DataFrame | Mapping):
        raise SchemaError(
            "auxiliaries: expected a frame of patients × facts, or a mapping from names to "
            f"columns; found {type(auxiliaries).__name__}. Name the facts."
        )
    return ((str(name), values) for name, values in auxiliaries.items())


def _column(values: Any, patient_ids: Sequence[str], name: str) -> Floats:
    column = values if isinstance(values, pd.Series) else pd.Series(np.asarray(values).tolist())
    by_patient = bool(column.index.isin(patient_ids).any())
    if by_patient and column.index.is_unique:
        column = column.reindex(list(patient_ids))
    elif by_patient or not column.index.equals(pd.RangeIndex(len(patient_ids))):
        raise AlignmentError(
            f"auxiliaries: expected {name!r} of {len(patient_ids)} patients in the order of the "
            f"scans, or indexed by patient, each once; found {len(column)} values, indexed "
            f"{short_list(column.index, limit=2)}. Align it to ScanArrays.patient_ids."
        )
    try:
        return column.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise SchemaError(
            f"auxiliaries: expected numbers in {name!r}; found {error}. Code words as 0 and 1, or "
            "leave the fact out."
        ) from error


@dataclass(frozen=True)
class HeadPlan:
    """Which heads a network has, what each says, and the scale of its numbers.

    Parameters
    ----------
    main, kind
        The head that is asked for, and ``"cox"`` or ``"binary"``.
    endpoints
        Other endpoints, a head of one log hazard each.
    findings
        Facts of 0 and 1, together in one head.
    numbers
        Other facts, together in one head, which says them standardised.
    center, spread
        Mean and SD of each number in the training part.
    """

    main: str
    kind: str
    endpoints: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    center: tuple[float, ...] = ()
    spread: tuple[float, ...] = ()

    @classmethod
    def of(cls, table: pd.DataFrame, learning: NDArray[np.intp], *, main: str, kind: str) -> Self:
        """Read off, from the training part alone, what the columns of a table are.

        Raises
        ------
        SchemaError
            An endpoint lacks one of its columns, or has the name of another head.
        DataError
            Nothing is known of a fact in the training part.
        """
        names = list(map(str, table.columns))
        endpoints = [name.removesuffix(TIME) for name in names if name.endswith(TIME)]
        events = [name.removesuffix(EVENT) for name in names if name.endswith(EVENT)]
        odd = sorted(set(endpoints) ^ set(events))
        wrong = [name for name in endpoints if not name or name in (*RESERVED, main)]
        if odd or wrong:
            raise SchemaError(
                f"auxiliaries: expected endpoints as columns <name>{EVENT} and <name>{TIME}, with "
                f"names other than {short_list((*RESERVED, main))}; found "
                f"{short_list(odd or map(repr, wrong))}. Add the column, or rename the endpoint."
            )
        facts = [name for name in names if not name.endswith((EVENT, TIME))]
        known = table[facts].iloc[np.unique(learning)]
        empty = [name for name in facts if known[name].isna().all()]
        if empty:
            raise DataError(
                f"auxiliaries: expected facts that are known of some patients; found "
                f"{short_list(empty)} unknown in all {len(known)} of the training part. Leave "
                "them out."
            )
        yes_or_no = [name for name in facts if known[name].dropna().isin((0.0, 1.0)).all()]
        numbers = [name for name in facts if name not in yes_or_no]
        spread = known[numbers].std(ddof=0).replace(0.0, 1.0)
        return cls(
            main,
            kind,
            tuple(endpoints),
            tuple(yes_or_no),
            tuple(numbers),
            tuple(map(float, known[numbers].mean())),
            tuple(map(float, spread)),
        )

    @classmethod
    def from_words(cls, words: Mapping[str, Any]) -> Self:
        """Return the plan that :meth:`words` wrote down."""
        plan: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in words.items()}
        return cls(**plan)

    def words(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return asdict(self)

    def sizes(self) -> dict[str, int]:
        """Head → how many numbers it says."""
        grouped = {FINDINGS: len(self.findings), NUMBERS: len(self.numbers)}
        return {
            self.main: 1,
            **dict.fromkeys(self.endpoints, 1),
            **{head: size for head, size in grouped.items() if size},
        }

    def kinds(self, *, reconstruction: bool) -> dict[str, str]:
        """Head → kind of its loss, as of MultiTaskLoss."""
        kind_of = {self.main: self.kind, FINDINGS: "binary", NUMBERS: "number"}
        kinds = {head: kind_of.get(head, "cox") for head in self.sizes()}
        return kinds | ({RECONSTRUCTION: RECONSTRUCTION} if reconstruction else {})

    def survival_targets(self, table: pd.DataFrame) -> dict[str, NDArray[np.void]]:
        """Endpoint → structured array of event and time, NaN where unknown."""
        return {name: _outcome(table[name + EVENT], table[name + TIME]) for name in self.endpoints}

    def auxiliary_targets(self, table: pd.DataFrame) -> dict[str, Floats]:
        """Head of facts → what it is to say, shape (n, k); numbers standardised."""
        numbers = (table[list(self.numbers)].to_numpy() - self.center) / self.spread
        grouped = {FINDINGS: table[list(self.findings)].to_numpy(), NUMBERS: numbers}
        return {head: values for head, values in grouped.items() if values.shape[1]}

    def table(self, said: Mapping[str, Floats], index: pd.Index) -> pd.DataFrame:
        """What the heads said, in words of users.

        Parameters
        ----------
        said
            Head → shape (n, k).

        Returns
        -------
        DataFrame
            Log hazards of endpoints, probabilities of findings (and of a main head of two classes),
            numbers on their own scale.
        """
        main = said[self.main][:, 0]
        columns = {self.main: main if self.kind == "cox" else expit(main)}
        columns |= {name: said[name][:, 0] for name in self.endpoints}
        columns |= {name: expit(said[FINDINGS][:, n]) for n, name in enumerate(self.findings)}
        columns |= {
            name: said[NUMBERS][:, n] * self.spread[n] + self.center[n]
            for n, name in enumerate(self.numbers)
        }
        return pd.DataFrame(columns, index=index)


def _outcome(event: pd.Series, time: pd.Series) -> NDArray[np.void]:
    """Structured array; an unknown event makes the time unknown, too."""
    wrong = event.notna() & ~event.isin((0.0, 1.0))
    if wrong.any():
        raise DataError(
            f"auxiliaries: expected {event.name} coded 0 and 1; found {event[wrong].iloc[0]:g}. "
            "Recode it."
        )
    made: NDArray[np.void] = np.empty(len(time), dtype=[("event", bool), ("time", float)])
    made["event"] = event.fillna(0.0).to_numpy().astype(bool)
    made["time"] = time.where(event.notna()).to_numpy()
    return made
