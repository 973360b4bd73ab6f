"""Gene symbols that a spreadsheet turned into dates: MARCH1 → 1-Mar, SEPT9 → 9-Sep."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from types import MappingProxyType

from radiogenomics.omics.identifiers.hgnc import UNKNOWN, GeneMatch, GeneNames

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMES = "(?P<month>" + "|".join(_MONTHS) + ")[a-z]*"
_DAY_MONTH = re.compile(rf"(?P<number>\d{{1,2}})[-./ ]{_NAMES}\.?([-./ ](\d\d|\d{{4}}))?", re.I)
_MONTH_NUMBER = re.compile(rf"{_NAMES}[-./ ](?P<number>\d{{1,2}})", re.I)
_ISO = re.compile(r"(?P<year>\d{4})[-/](?P<month>\d\d)[-/](?P<day>\d\d)([ T]\d\d:\d\d.*)?")
_SLASHED = re.compile(r"(?P<first>\d{1,2})[/.](?P<second>\d{1,2})[/.](\d\d|\d{4})")
_SERIAL = re.compile(r"\d{5}(\.0)?")

# Day 60 of the 1900 date system is a 29 February that never was; later days count from here.
_EPOCH = date(1899, 12, 30)
_SERIALS = (date(1990, 1, 1), date(2039, 12, 31))
_LAST = 15
_STEMS = MappingProxyType({3: ("MARCH", "MARC"), 9: ("SEPT",), 12: ("DEC",)})


def former_symbols(text: str, *, serials: bool = False) -> tuple[str, ...]:
    """Symbols that a spreadsheet may have shown as this date; none if it is no such date.

    ``1-Mar``, ``Mar-01``, ``2001-03-01`` and ``3/1/2001`` are read in every way they can be: the
    first of September 2009 may have been SEPT1, typed in 2009, or SEPT9, read as a month.

    Parameters
    ----------
    text
        A cell of the column of symbols.
    serials
        Whether five digits are read as a day number of the 1900 date system (36951 is 1 March
        2001). Only where names are symbols: Entrez identifiers look the same.

    Examples
    --------
    >>> former_symbols("9-Sep")
    ('SEPT9',)
    >>> former_symbols("1-Mar")
    ('MARCH1', 'MARC1')
    >>> former_symbols("2009-09-01")
    ('SEPT1', 'SEPT9')
    >>> former_symbols("36951", serials=True)
    ('MARCH1', 'MARC1')
    >>> former_symbols("KPNA2")
    ()

    References
    ----------
    Zeeberg et al. 2004, doi:10.1186/1471-2105-5-80; Abeysooriya et al. 2021,
    doi:10.1371/journal.pcbi.1008984 (dates as numbers).
    """
    found = [
        f"{stem}{number}"
        for month, number in _readings(text.strip(), serials=serials)
        if 1 <= number <= _LAST
        for stem in _stems(month, number)
    ]
    return tuple(dict.fromkeys(found))


def is_date(text: str, *, serials: bool = False) -> bool:
    """Whether a name is a date, of a gene or not.

    Examples
    --------
    >>> is_date("4-Oct"), is_date("OCT4"), is_date("DEC1")
    (True, False, False)
    """
    return bool(_readings(text.strip(), serials=serials))


def match_date(text: str, names: GeneNames, *, serials: bool = False) -> GeneMatch:
    """Gene whose symbol became this date, if only one can have.

    Examples
    --------
    >>> from radiogenomics.omics.identifiers.hgnc import built_in_names
    >>> match_date("9-Sep", built_in_names())
    GeneMatch(status='date', symbol='SEPTIN9', others=())
    >>> match_date("1-Mar", built_in_names())
    GeneMatch(status='ambiguous', symbol=None, others=('MARCHF1', 'MTARC1'))
    """
    matches = [names.by_symbol(symbol) for symbol in former_symbols(text, serials=serials)]
    meant = _distinct(match.symbol for match in matches)
    others = _distinct(name for match in matches for name in match.others)
    if len(meant) == 1 and all(match.status != "ambiguous" for match in matches):
        return GeneMatch("date", meant[0], tuple(name for name in others if name != meant[0]))
    candidates = _distinct((*meant, *others))
    return GeneMatch("ambiguous", None, candidates) if candidates else UNKNOWN


def _distinct(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name is not None))


def _stems(month: int, number: int) -> tuple[str, ...]:
    # SELENOF was SEP15; no other symbol was SEP and a number.
    return (*_STEMS.get(month, ()), "SEP") if (month, number) == (9, 15) else _STEMS.get(month, ())


def _readings(text: str, *, serials: bool) -> list[tuple[int, int]]:
    """Month and number of each way to read a date."""
    for pattern in (_DAY_MONTH, _MONTH_NUMBER):
        if (worded := pattern.fullmatch(text)) is not None:
            month = _MONTHS.index(worded["month"].lower()) + 1
            return [(month, int(worded["number"]))]
    if (iso := _ISO.fullmatch(text)) is not None:
        return _of_date(int(iso["year"]), int(iso["month"]), int(iso["day"]))
    if (slashed := _SLASHED.fullmatch(text)) is not None:
        pair = int(slashed["first"]), int(slashed["second"])
        return [(month, day) for month, day in (pair, pair[::-1]) if month <= 12 and day <= 31]
    if serials and _SERIAL.fullmatch(text):
        day = _EPOCH + timedelta(days=int(float(text)))
        if _SERIALS[0] <= day <= _SERIALS[1]:
            return _of_date(day.year, day.month, day.day)
    return []


def _of_date(year: int, month: int, day: int) -> list[tuple[int, int]]:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return []
    # "Sep-09" typed or read again is the first of September 2009.
    return [(month, day), (month, year % 100)] if day == 1 else [(month, day)]
