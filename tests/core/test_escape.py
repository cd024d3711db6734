"""Text from a corpus in messages: nothing that a terminal would interpret, nothing invisible."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect_dvc.core.escape import MAX_SHOWN, escape

from gazette.core.escape import tally


@pytest.mark.parametrize("text", ["Shares fell.", "股市下跌。", "café 🎉", 'a "b" \\ c', "e\u0301"])
def test_what_can_be_seen_is_shown_as_it_is(text: str) -> None:
    assert escape(text) == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\r\nb\tc\0", "a\\r\\nb\\tc\\x00"),
        ("\x7f\x9b", "\\x7f\\x9b"),
        ("\u202eabc\u2066", "\\u202eabc\\u2066"),
        ("a\u200bb\ufeff\u00ad", "a\\u200bb\\ufeff\\xad"),
        ("a\u00a0b\u3000c\u2028", "a\\xa0b\\u3000c\\u2028"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
    ids=["escape", "breaks", "delete", "bidirectional", "zero width", "spaces", "surrogate", "tag"],
)
def test_what_a_screen_would_obey_or_hide_is_an_escape(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_a_long_text_is_cut_with_its_escapes_counted() -> None:
    assert escape("x" * 1000) == "x" * MAX_SHOWN
    assert escape("\0" * 1000) == "\\x00" * (MAX_SHOWN // 4)
    assert escape("abc", 2) == "ab"


@given(st.text(st.characters(), max_size=300))
def test_whatever_is_shown_is_printable_and_short(text: str) -> None:
    assert escape(text).isprintable()
    assert len(escape(text)) <= MAX_SHOWN


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 entries"), (1, "1 entry"), (2, "2 entries"), (1_000, "1,000 entries")]
)
def test_a_noun_is_in_the_plural_unless_it_stands_with_1(number: int, text: str) -> None:
    assert tally(number, "entry", "entries") == text
    assert tally(number, "row").endswith(" row" if number == 1 else " rows")
