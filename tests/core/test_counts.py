"""Numbers with their nouns."""

import pytest

from gazette.core.counts import tally


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 entries"), (1, "1 entry"), (2, "2 entries"), (1_000, "1,000 entries")]
)
def test_a_noun_is_in_the_plural_unless_it_stands_with_1(number: int, text: str) -> None:
    assert tally(number, "entry", "entries") == text
    assert tally(number, "row").endswith(" row" if number == 1 else " rows")
