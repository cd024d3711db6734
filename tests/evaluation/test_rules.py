"""The section `gate` of params.yaml: which rules it may set, and within which bounds."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gazette.core import files
from gazette.evaluation.gate.rules import Rules

SECTION = {
    "alpha": 0.05, "power": 0.8, "margin": 0.02, "resamples": 500, "seed": 7, "slice_margin": 0.05,
    "min_slice_rows": 20, "invariance_rows": 10, "min_invariance": 0.9, "warn_only": ["milliseconds"],
    "floors": {"accuracy": 0.8, "macro_f1": 0.8, "worst_recall": 0.5, "ece": 0.1, "megabytes": 1, "milliseconds": 10},
}  # fmt: skip
SHARE, OPEN, POSITIVE = ([0, 1], [-0.01, 1.01]), ([0.001, 0.999], [0, 1]), ([0.001, 1e6], [0, -1])
BOUNDS = {
    "alpha": ([0.001, 0.499], [0, 0.5]),
    "power": ([0.501, 0.999], [0.5, 1]),
    "margin": OPEN,
    "resamples": ([100, 10**6], [99]),
    "seed": ([0, 2**31], [-1]),
    "slice_margin": OPEN,
    "min_slice_rows": ([1, 10**6], [0]),
    "invariance_rows": ([1, 10**6], [0]),
    "min_invariance": SHARE,
}
FLOORS = dict.fromkeys(["accuracy", "macro_f1", "worst_recall", "ece"], SHARE) | dict.fromkeys(
    ["megabytes", "milliseconds"], POSITIVE
)


def with_value(name: str, value: object) -> dict[str, object]:
    if name in FLOORS or name[:-1] in FLOORS:
        return SECTION | {"floors": SECTION["floors"] | {name: value}}  # type: ignore[operator]
    return SECTION | {name: value}


@pytest.mark.parametrize("name", [*BOUNDS, *FLOORS])
def test_a_value_at_the_end_of_its_range_is_taken_and_one_beyond_is_refused_by_name(name: str) -> None:
    inside, outside = (BOUNDS | FLOORS)[name]
    for value in inside:
        rules = Rules.model_validate(with_value(name, value))
        assert getattr(rules.floors if name in FLOORS else rules, name) == value
    for value in outside:
        with pytest.raises(ValidationError, match=rf"(?s)1 validation error.*\b{name}\b"):
            Rules.model_validate(with_value(name, value))


@given(st.sampled_from([*BOUNDS, *FLOORS]), st.sampled_from(["0.9", None, True, [0.9]]))
def test_what_is_no_number_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError, match=name):
        Rules.model_validate(with_value(name, value))


@pytest.mark.parametrize("name", [*SECTION, *FLOORS])
def test_every_rule_must_be_set_and_no_other_may(name: str) -> None:
    section = {key: value for key, value in SECTION.items() if key != name}
    if name in FLOORS:
        section["floors"] = {key: value for key, value in SECTION["floors"].items() if key != name}  # type: ignore[attr-defined]
    with pytest.raises(ValidationError, match=rf"(?s){name}.*Field required"):
        Rules.model_validate(section)
    with pytest.raises(ValidationError, match=f"(?s){name}s.*not permitted"):
        Rules.model_validate(with_value(f"{name}s", 0.5))


def test_a_rule_that_warns_is_one_that_may() -> None:
    taken = ["milliseconds", "accuracy", "slices", "unchanged by case"]
    assert Rules.model_validate(SECTION | {"warn_only": taken}).warn_only == taken
    with pytest.raises(ValidationError, match="milliseconds is missing"):
        Rules.model_validate(SECTION | {"warn_only": taken[1:]})
    with pytest.raises(ValidationError, match="provenance, acuracy: not a rule that may warn; choose from accuracy"):
        Rules.model_validate(SECTION | {"warn_only": ["provenance", *taken, "acuracy"]})


def test_rules_do_not_change_once_read() -> None:
    rules = Rules.model_validate(SECTION)
    for model, name in ((rules, "alpha"), (rules.floors, "accuracy")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(model, name, 0.1)


def test_the_rules_of_params_yaml_are_rules() -> None:
    assert Rules.model_validate(files.read_yaml(Path("params.yaml"))["gate"])
