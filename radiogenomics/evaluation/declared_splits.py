"""Splits that the data declare: by site, by date, or by a fixed list of patients."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from radiogenomics.core.errors import AlignmentError, OutcomeError, StudyError, short_list
from radiogenomics.evaluation.splits import Positions, Split, check_disjoint


class LeaveOneSiteOut:
    """One fold a site: learn on the other sites, predict this one.

    The nearest to an external validation that pooled data allow: what holds across sites holds
    here, what hangs on a scanner fails. Sites are tested in alphabetical order and may be small: an
    AUC within one site may not exist, one over all sites mixes their levels. Nothing is drawn, so
    there is one repeat. The site tested is never among those learnt from: ComBat has to leave it
    as it is (``unseen="pooled"``).

    Parameters
    ----------
    sites
        Site of each patient, indexed by patient.

    Raises
    ------
    AlignmentError
        A patient has several sites, or none.
    StudyError
        There is one site only.

    Examples
    --------
    >>> sites = pd.Series({"P1": "Basel", "P2": "Aarhus", "P3": "Basel"})
    >>> [split.test.tolist() for split in LeaveOneSiteOut(sites).split(["P1", "P2", "P3"])]
    [[1], [0, 2]]
    """

    def __init__(self, sites: pd.Series[str]) -> None:
        self.sites = _one_each(sites, "site")

    def split(
        self, patient_ids: Iterable[str], stratify: ArrayLike | None = None
    ) -> Iterator[Split]:
        """Yield one split a site; classes are not balanced, sites are what they are."""
        site = _of_rows(self.sites, patient_ids, "site")
        names = sorted(pd.unique(site), key=str)
        if len(names) < 2:
            raise StudyError(
                f"expected at least two sites; found only {short_list(names)}. Use PatientKFold "
                "within one site."
            )
        for fold, name in enumerate(names):
            tested = site == name
            yield Split(0, fold, np.flatnonzero(~tested), np.flatnonzero(tested))

    def __repr__(self) -> str:
        return f"LeaveOneSiteOut({self.sites.nunique()} sites)"


class TemporalSplit:
    """Learn on earlier patients, predict later ones.

    Sees drift of scanners, treatment and referral, which random folds mix away. Patients on the
    boundary are later.

    Parameters
    ----------
    dates
        Date (or number) of each patient, for example of the scan, indexed by patient.
    start
        Patients from this date on are predicted.

    Raises
    ------
    AlignmentError
        A patient has several dates, or none.
    StudyError
        Nobody is on one of the two sides.

    Examples
    --------
    >>> years = pd.Series({"P1": 2019, "P2": 2021, "P3": 2020})
    >>> [split.test.tolist() for split in TemporalSplit(years, 2020).split(["P1", "P2", "P3"])]
    [[1, 2]]
    """

    def __init__(self, dates: pd.Series, start: object) -> None:
        self.dates = _one_each(dates, "date")
        self.start = start

    def split(
        self, patient_ids: Iterable[str], stratify: ArrayLike | None = None
    ) -> Iterator[Split]:
        """Yield the one split."""
        later = np.asarray(_of_rows(self.dates, patient_ids, "date") >= self.start)
        if later.all() or not later.any():
            raise StudyError(
                f"expected patients before and from {self.start} on; found all "
                f"{later.size} {'from then on' if later.all() else 'before'}. Choose another start."
            )
        yield Split(0, 0, np.flatnonzero(~later), np.flatnonzero(later))

    def __repr__(self) -> str:
        return f"TemporalSplit(start={self.start!r})"


class FixedSplit:
    """One split by lists: these patients train, those are predicted.

    Parameters
    ----------
    train, test
        Patients of the two sides; any others are used for neither.

    Raises
    ------
    LeakageError
        A patient is on both lists.
    OutcomeError
        A list is empty.
    AlignmentError
        A listed patient is not in the data.

    Examples
    --------
    >>> fixed = FixedSplit(["P1", "P2"], ["P3"])
    >>> [(s.train.tolist(), s.test.tolist()) for s in fixed.split(["P3", "P1", "P2"])]
    [([1, 2], [0])]
    """

    def __init__(self, train: Iterable[str], test: Iterable[str]) -> None:
        self.train = tuple(train)
        self.test = tuple(test)
        check_disjoint(self.train, self.test)
        if not self.train or not self.test:
            raise OutcomeError(
                f"expected patients on both lists; found {len(self.train)} to train on and "
                f"{len(self.test)} to predict. Fill in the empty one."
            )

    def split(
        self, patient_ids: Iterable[str], stratify: ArrayLike | None = None
    ) -> Iterator[Split]:
        """Yield the one split."""
        ids = pd.Index(patient_ids)
        sides = [self._positions(ids, listed) for listed in (self.train, self.test)]
        yield Split(0, 0, sides[0], sides[1])

    def _positions(self, ids: pd.Index, listed: tuple[str, ...]) -> Positions:
        absent = sorted(set(listed) - set(ids), key=str)
        if absent:
            raise AlignmentError(
                f"expected the listed patients in the data; found {len(absent)} absent "
                f"({short_list(absent)}). Correct the list or the table."
            )
        return np.flatnonzero(ids.isin(listed))

    def __repr__(self) -> str:
        return f"FixedSplit({len(self.train)} to train on, {len(self.test)} to predict)"


def _one_each(values: pd.Series, what: str) -> pd.Series:
    """Return the fact without repeated rows; AlignmentError when a patient has two, or none."""
    empty = values.index[values.isna()]
    facts = values.reset_index().drop_duplicates().set_index(values.reset_index().columns[0])
    torn = facts.index[facts.index.duplicated()].unique()
    if len(empty) or len(torn):
        raise AlignmentError(
            f"expected one {what} a patient; found {len(empty)} patients without "
            f"({short_list(empty) or 'none'}) and {len(torn)} with several "
            f"({short_list(torn) or 'none'}). Complete the column."
        )
    return facts.iloc[:, 0]


def _of_rows(facts: pd.Series, patient_ids: Iterable[str], what: str) -> np.ndarray:
    ids = pd.Index(patient_ids)
    unknown = ids[~ids.isin(facts.index)].unique()
    if len(unknown):
        raise AlignmentError(
            f"expected a {what} of each patient; found {len(unknown)} without "
            f"({short_list(unknown)}). Complete the column or drop the rows."
        )
    return facts.loc[ids].to_numpy()
