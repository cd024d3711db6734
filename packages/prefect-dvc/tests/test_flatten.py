"""Params and the like, flattened and compared."""

from typing import Any

import pytest

from prefect_dvc import flatten


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"train": {"seed": 7, "fit": {"epochs": 3}}, "corpus": "tiny"},
         {"train.seed": 7, "train.fit.epochs": 3, "corpus": "tiny"}),
        ({1: {"a": None}}, {"1.a": None}),
        ({"a": {}, "b": [1, {"c": 2}]}, {"a": {}, "b": [1, {"c": 2}]}),
        ({}, {}),
    ],
)  # fmt: skip
def test_each_value_has_the_keys_that_lead_to_it(value: dict[Any, Any], expected: dict[str, Any]) -> None:
    assert flatten.flatten(value) == expected


def test_lists_are_flattened_on_request() -> None:
    assert flatten.flatten({"b": [1, {"c": [2]}]}, lists=True) == {"b[0]": 1, "b[1].c[0]": 2}
    assert flatten.flatten([1, 2], lists=True) == {"[0]": 1, "[1]": 2}


def test_differences_are_listed_by_key_with_both_values() -> None:
    before = {"a": {"x": 1, "y": [1]}, "b": 2, "d": {}}
    after = {"a": {"x": 1, "y": [2]}, "c": {"z": 3}}
    assert flatten.diff(before, after) == [("a.y", [1], [2]), ("b", 2, None), ("c.z", None, 3), ("d", {}, None)]


def test_a_section_in_the_place_of_a_number_differs_in_both() -> None:
    assert flatten.diff({"a": 1}, {"a": {"b": 1}}) == [("a", 1, None), ("a.b", None, 1)]
