"""Errors in a section: a message per key, with the expected and the actual value."""

from datetime import date
from typing import Any

import pytest
from prefect_dvc.core.errors import ConfigError, parse
from pydantic import BaseModel, Field, model_validator


class Section(BaseModel, frozen=True, extra="forbid"):
    epochs: int = Field(ge=1, le=100)
    rate: float = Field(gt=0)
    shuffle: bool = True
    name: str = "linear"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epocs": 3}, "epocs: no such key; did you mean epochs?"),
        ({"zzz": 3}, "zzz: no such key"),
        ({"epochs": -1}, "epochs: Input should be greater than or equal to 1, got -1"),
        ({"epochs": 10**12}, "epochs: Input should be less than or equal to 100"),
        ({"epochs": "3"}, "epochs: Input should be a valid integer, got '3'"),
        ({"epochs": True}, "epochs: Input should be a valid integer, got True"),
        ({"epochs": 3.0}, "epochs: Input should be a valid integer, got 3.0"),
        ({"rate": "1e-3"}, "rate: Input should be a valid number, got '1e-3'"),
        ({"rate": float("nan")}, "rate: Input should be greater than 0, got nan"),
        ({"rate": float("inf")}, "rate: expected a finite number, got inf"),
        ({"rate": True}, "rate: Input should be a valid number, got True"),
        ({"shuffle": "no"}, "shuffle: expected true or false, got 'no'"),
        ({"name": 3}, "name: expected a text, got 3; put it in quotes"),
        ({"name": date(2024, 1, 2)}, "name: expected a text, got 2024-01-02; put it in quotes"),
        ({"name": ["a"]}, "name: Input should be a valid string, got ['a']"),
    ],
    ids=str,
)
def test_a_wrong_value_is_named_with_its_key(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as stop:
        parse(Section, {"epochs": 3, "rate": 0.1} | values, "params.yaml, section train")
    assert f"params.yaml, section train: {message}" in str(stop.value)


@pytest.mark.parametrize("values", [["epochs"], "epochs", 3, None, float("inf")], ids=str)
def test_a_section_that_is_no_dictionary_is_refused(values: Any) -> None:
    with pytest.raises(ConfigError, match=r"^here: Input should be a valid dictionary .*, got "):
        parse(Section, values, "here")


def test_a_missing_key_is_named() -> None:
    with pytest.raises(ConfigError, match="rate: missing"):
        parse(Section, {"epochs": 3}, "here")


def test_whole_numbers_are_numbers() -> None:
    assert parse(Section, {"epochs": 3, "rate": 1}, "here").rate == 1


def test_a_large_value_is_cut_and_what_a_screen_would_obey_is_escaped() -> None:
    with pytest.raises(ConfigError) as stop:
        parse(Section, {"epochs": "\x1b[31m" + "x" * 10**6, "rate": 1}, "here")
    assert len(str(stop.value)) < 300
    assert "\x1b" not in str(stop.value)


class Range(BaseModel, frozen=True, extra="forbid"):
    low: int
    high: int

    @model_validator(mode="after")
    def _has_order(self) -> "Range":
        if self.low >= self.high:
            raise ValueError("low must be below high")
        return self


def test_what_is_wrong_with_a_section_as_a_whole_stands_without_all_of_its_values() -> None:
    with pytest.raises(ConfigError) as stop:
        parse(Range, {"low": 3, "high": 1}, "params.yaml, section x")
    assert str(stop.value) == "params.yaml, section x: low must be below high"
