from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.html import MAX_COLUMNS, MAX_ROWS, card


def cells(html: str, tag: str = "td") -> list[str]:
    """Texts of the cells; a card must be well-formed for this."""
    return ["".join(cell.itertext()) for cell in ElementTree.fromstring(html).iter(tag)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (np.nan, "–"),
        (pd.NA, "–"),
        (pd.NaT, "–"),
        (True, "yes"),
        (np.bool_(False), "no"),
        (0.123456, "0.1235"),
        (np.float32(2.0), "2"),
        (1234567, "1234567"),
        ("5 < 6 & 'x'", "5 < 6 & 'x'"),
        (["a"], "['a']"),
    ],
)
def test_values_are_written_for_people(value: object, text: str) -> None:
    assert cells(card("T", {"fact": value})) == [text]
    assert cells(card("T", {}, pd.DataFrame({"c": [value]}, dtype=object))) == [text]


def test_empty_text_is_left_out() -> None:
    assert cells(card("T", {"licence": "", "patients": 0})) == ["0"]


def test_everything_of_the_user_is_escaped(hostile: str, escaped: str) -> None:
    table = pd.DataFrame({hostile: [hostile]}, index=pd.Index([hostile], name=hostile))
    html = card(hostile, {hostile: hostile}, table)
    assert hostile not in html
    assert html.count(escaped) == 7
    assert cells(html) == [hostile, hostile]


def test_long_tables_say_how_much_is_left_out() -> None:
    html = card("T", {}, pd.DataFrame({"c": range(MAX_ROWS + 7)}))
    assert len(cells(html)) == MAX_ROWS
    assert "and 7 more rows" in html
    assert "more rows" not in card("T", {}, pd.DataFrame({"c": range(MAX_ROWS)}))


def test_wide_tables_say_how_much_is_left_out() -> None:
    html = card("T", {}, pd.DataFrame([range(MAX_COLUMNS + 3)] * (MAX_ROWS + 1)))
    assert len(cells(html)) == MAX_ROWS * MAX_COLUMNS
    assert "and 1 more rows, 3 more columns" in html


def test_numbers_stand_right_and_text_left() -> None:
    html = card("T", {}, pd.DataFrame({"n": [1.5], "t": ["x"], "b": [True]}))
    styles = [cell.get("style", "") for cell in ElementTree.fromstring(html).iter("td")]
    assert ["text-align:right" in style for style in styles] == [True, False, False]


def test_no_colour_is_fixed_for_light_or_dark_pages() -> None:
    html = card("T", {"a": 1}, pd.DataFrame({"c": [1]}))
    for declaration in html.replace('"', ";").split(";"):
        if declaration.startswith(("color:", "background")):
            assert declaration in ("color:inherit", "background:none")
