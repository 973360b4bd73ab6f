"""Dates as spreadsheets write them; day numbers as openpyxl computes them."""

from __future__ import annotations

from datetime import date

import pytest
from openpyxl.utils.datetime import to_excel

from radiogenomics.omics.identifiers import built_in_names, former_symbols, is_date, map_genes
from radiogenomics.omics.identifiers.mangled import match_date

SYMBOLS = [(f"MARCH{n}", 3, n) for n in range(1, 12)]
SYMBOLS += [(f"SEPT{n}", 9, n) for n in range(1, 16)]
SYMBOLS += [("DEC1", 12, 1), ("MARC1", 3, 1), ("MARC2", 3, 2)]


@pytest.mark.parametrize(("symbol", "month", "day"), SYMBOLS, ids=[s[0] for s in SYMBOLS])
@pytest.mark.parametrize("year", [2004, 2016, 2021])
def test_every_form_of_a_date_leads_back_to_the_symbol(symbol, month, day, year) -> None:
    when = date(year, month, day)
    forms = [
        f"{day}-{when:%b}",
        f"{day:02d}-{when:%b}",
        f"{day}-{when:%b}-{when:%y}",
        f"{when:%b}-{day:02d}",
        f"{when:%B} {day}",
        f"{day}/{when:%b}",
        when.isoformat(),
        f"{when.isoformat()} 00:00:00",
        f"{when:%Y/%m/%d}",
        f"{month}/{day}/{year}",
        f"{day}.{month}.{year}",
    ]
    for form in forms:
        assert symbol in former_symbols(form), form
    serial = str(int(to_excel(when)))
    assert symbol in former_symbols(serial, serials=True)
    assert symbol in former_symbols(f"{serial}.0", serials=True)


def test_published_examples() -> None:
    # Ziemann et al. 2016: SEPT2 → 2-Sep and 2006/09/02, MARCH1 → 1-Mar.
    assert former_symbols("2-Sep") == ("SEPT2",)
    assert former_symbols("2006/09/02") == ("SEPT2",)
    assert former_symbols("1-Mar") == ("MARCH1", "MARC1")


@pytest.mark.parametrize(
    "name", ["SEPT9", "DEC1", "MARCH1", "SEP15", "NOV", "KPNA2", "36951", "1-2", "MAR-AS1", "2-Foo"]
)
def test_symbols_are_no_dates(name: str) -> None:
    assert former_symbols(name) == ()
    assert not is_date(name)


def test_dates_of_no_gene_are_dates_all_the_same() -> None:
    assert is_date("4-Oct") and former_symbols("4-Oct") == ()
    assert is_date("2001-09-30") and former_symbols("2001-09-30") == ()
    assert not is_date("3838", serials=True) and not is_date("2001-13-45")


@pytest.mark.parametrize(
    ("text", "status", "symbol"),
    [
        ("3-Mar", "date", "MARCHF3"),
        ("9-Sep", "date", "SEPTIN9"),
        ("15-Sep", "date", "SELENOF"),
        ("13-Sep", "date", "SEPTIN7P2"),
        ("1-Dec", "date", "DELEC1"),
        ("2-Dec", "date", "BHLHE41"),
        ("1-Mar", "ambiguous", None),
        ("2-Mar", "ambiguous", None),
        ("2009-09-01", "ambiguous", None),
        ("5-Dec", "unknown", None),
        ("4-Oct", "unknown", None),
    ],
)
def test_mended_only_where_one_gene_can_be_meant(text, status, symbol) -> None:
    match = match_date(text, built_in_names())
    assert (match.status, match.symbol) == (status, symbol)


def test_candidates_are_reported() -> None:
    genes = map_genes(["KPNA2", "SMG5", "1-Mar", "2-Sep"])
    assert genes["others"].tolist() == ["", "", "MARCHF1|MTARC1", "SEPTIN6"]
