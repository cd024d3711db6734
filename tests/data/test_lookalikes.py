"""Names that look the same, and what tells them apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazette.data.readers.lookalikes import look_alike, tell_apart


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("sci-tech", "sci\u2010tech"),
        ("sci-tech", "Sci \u2013 Tech"),
        ("-1", "\u22121"),
        ("men's", "men\u2019s"),
        ("arts & life", "arts &amp; life"),
        ("sport", "'sport'"),
        ("sport", "\u201esport\u201c"),
        ("sport", "sp\u043ert"),
        ("SPORT", "SP\u039fRT"),
        ("\u00e9conomie", "e\u0301conomie"),
        ("\u26bd", "\u26bd\ufe0f"),
    ],
)
def test_names_that_look_the_same_are_twins(name: str, twin: str) -> None:
    assert look_alike(name, twin) and look_alike(twin, name)


@pytest.mark.parametrize(
    ("name", "second"), [("men's", "mens"), ("'90s", "90s"), ("R&D", "R D"), ("1.0", "10"), ("'", '"'), ("é", "e")]
)
def test_names_that_look_different_are_not(name: str, second: str) -> None:
    assert not look_alike(name, second)


@pytest.mark.parametrize("letters", ["АВЕКМНОРСТУХІЈЅаеорсухіјѕвкмнт", "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοαβεζηικμνρτυχ"])
def test_words_of_one_script_look_the_same_if_only_case_differs(letters: str) -> None:
    @given(st.text(letters, max_size=3), st.text(letters, max_size=3))
    def check(name: str, second: str) -> None:
        assert look_alike(name, second) == (name.casefold() == second.casefold())

    check()


def test_what_tells_twins_apart_is_shown_as_code_points_beyond_ascii() -> None:
    assert tell_apart({"a": "\u00e9", "b": "e\u0301"}) == (
        " (a has U+00E9 LATIN SMALL LETTER E WITH ACUTE; b has U+0301 COMBINING ACUTE ACCENT)"
    )
    assert tell_apart({"a": "x\u0080", "b": "\u0430\u0435\u043e\u0440"}) == (
        " (a has U+0080; b has U+0430 CYRILLIC SMALL LETTER A, U+0435 CYRILLIC SMALL LETTER IE, "
        "U+043E CYRILLIC SMALL LETTER O)"
    )
    assert tell_apart({"a": "Sport", "b": "sport"}) == ""
