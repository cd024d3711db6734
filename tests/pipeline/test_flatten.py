"""Params and the like, flattened and compared."""

from typing import Any

import pytest

from gazette.pipeline import flatten


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"train": {"seed": 7, "fit": {"epochs": 3}}, "corpus": "tiny"},
         {"train.seed": 7, "train.fit.epochs": 3, "corpus": "tiny"}),
        ({1: {"a": None}}, {"1.a": None}),
        ({"a": {}, "b": [1, {"c": 2}]}, {"a": {}, "b": [1, {"c": 2}]}),
        ({}, {}),
    ],
)  # fmt: skip
def test_each_value_has_the_keys_that_lead_to_it(value: dict[Any, Any], found: dict[str, Any]) -> None:
    assert flatten.leaves(value) == found


def test_lists_are_opened_where_asked_for() -> None:
    assert flatten.leaves({"b": [1, {"c": [2]}]}, lists=True) == {"b[0]": 1, "b[1].c[0]": 2}
    assert flatten.leaves([1, 2], lists=True) == {"[0]": 1, "[1]": 2}


def test_what_differs_is_told_by_key_with_both_values() -> None:
    before = {"a": {"x": 1, "y": [1]}, "b": 2, "d": {}}
    after = {"a": {"x": 1, "y": [2]}, "c": {"z": 3}}
    assert flatten.differing(before, after) == [("a.y", [1], [2]), ("b", 2, None), ("c.z", None, 3), ("d", {}, None)]


def test_a_section_in_the_place_of_a_number_is_both() -> None:
    assert flatten.differing({"a": 1}, {"a": {"b": 1}}) == [("a", 1, None), ("a.b", None, 1)]
