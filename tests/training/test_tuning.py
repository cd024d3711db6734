"""Search spaces, patches of params.yaml and studies; the command itself is in test_tune_command.py."""

from pathlib import Path
from typing import Any

import pytest
from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError
from ruamel.yaml import YAML

from gazette.training.networks.family import EpochCallback
from gazette.training.tuning import params_patch, search_space, study

MODEL = {"rate": 0.001, "filters": 128, "widths": [2, 3], "flag": True, "head": {"units": 8}}


# Ranges


def test_a_range_is_from_low_to_high_or_one_of_a_list() -> None:
    section = {
        "rate": {"low": 0.0001, "high": 0.01, "log": True},
        "filters": {"low": 8, "high": 256},
        "widths": [[2, 3], [3]],
        "head.units": [8, 16],
    }
    space = search_space.read_space(section, MODEL, "cnn")
    assert space["rate"] == search_space.Span(low=0.0001, high=0.01, log=True)
    assert space["filters"].is_integer()
    assert not space["rate"].is_integer()
    assert space["head.units"].ends() == [8, 16]


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"rate": {"low": 0.01, "high": 0.001}}, "tune.cnn.rate: low must be below high"),
        ({"rate": {"low": 0, "high": 0.1, "log": True}}, "log needs a low above 0"),
        ({"rate": {"low": 0.0001, "hihg": 0.1}}, "hihg: no such key; did you mean high"),
        ({"rate": {"low": 0.01, "high": 0.1}}, "models.cnn.rate is 0.001, outside of its range"),
        ({"filters": {"low": 1.0, "high": "9"}}, "tune.cnn.filters: high"),
        ({"filters": [64, 256]}, "models.cnn.filters is 128, outside"),
        ({"flag": [0, 1]}, "models.cnn.flag is True, outside"),
        ({"filters": [128]}, "at least 2"),
        ({"filters": 128}, "valid list"),
        ({"head.unit": [8, 16]}, "models.cnn has no key head.unit"),
        ({"rate.units": [8, 16]}, "models.cnn has no key rate.units"),
        ({}, "expected keys of models.cnn with ranges"),
        ([], "expected keys of models.cnn with ranges"),
    ],
)
def test_an_invalid_range_is_rejected_by_name(section: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        search_space.read_space(section, MODEL, "cnn")


def test_a_sampled_number_has_three_digits_and_stays_within() -> None:
    span = search_space.Span(low=0.00012345, high=0.1)
    assert span.rounded(0.0123456) == 0.0123
    assert span.rounded(0.00012346) == 0.00012345
    assert search_space.Span(low=1, high=10_000).rounded(1234) == 1234


def test_other_values_leave_the_section_as_it_was() -> None:
    assert search_space.with_values(MODEL, {"head.units": 16})["head"] == {"units": 16}
    assert MODEL["head"] == {"units": 8}


# The change of params.yaml

PARAMS = """\
# the numbers
models:
  cnn:  # a family
    rate: 0.001   # per step
    widths: [2, 3]  # in tokens
    units:
      - 8
      - 4   # the last

    activation: 'relu'
  lstm: {rate: 0.1, head: {units: 8}}
"""


def test_values_change_in_their_places_and_nothing_else_does() -> None:
    values = {"rate": 0.00002, "widths": [1, 2, 3], "activation": "true", "units": [16]}
    after = params_patch.patch_params(PARAMS, ("models", "cnn"), values)
    assert YAML(typ="safe", pure=True).load(after)["models"]["cnn"] == values
    replaced = (
        ("0.001", "[2, 3]", "'relu'", "\n      - 8\n      - 4"),
        ("0.00002", "[1, 2, 3]", '"true"', "\n      [16]"),
    )
    expected = PARAMS
    for old, new in zip(*replaced, strict=True):
        expected = expected.replace(old, new, 1)
    assert after == expected


def test_a_nested_value_and_a_word_change_in_their_places() -> None:
    assert params_patch.patch_params(PARAMS, ("models", "lstm"), {"head.units": 16}) == PARAMS.replace(
        "units: 8", "units: 16"
    )
    assert params_patch.patch_params(PARAMS, ("models", "cnn"), {"activation": "tanh"}) == PARAMS.replace(
        "'relu'", "tanh"
    )


def test_line_ends_stay_as_they_are(tmp_path: Path) -> None:
    windows = PARAMS.replace("\n", "\r\n")
    after = params_patch.patch_params(windows, ("models", "cnn"), {"rate": 0.5})
    atomic.write_text(tmp_path / "params.yaml", after)
    assert (tmp_path / "params.yaml").read_bytes().decode() == windows.replace("0.001", "0.5")


def test_the_difference_is_shown_line_by_line() -> None:
    after = params_patch.patch_params(PARAMS, ("models", "cnn"), {"rate": 0.5})
    assert "-    rate: 0.001   # per step\n+    rate: 0.5   # per step\n" in params_patch.diff(PARAMS, after)


# The study

RANGES = search_space.read_space(
    {"rate": {"low": 0.0001, "high": 0.01, "log": True}, "widths": [[2, 3], [3], [4]]}, MODEL, "cnn"
)
CURRENT = {"rate": 0.001, "widths": [2, 3]}


def evaluate(values: dict[str, Any], on_epoch: EpochCallback) -> dict[str, float]:
    return {"macro_f1": 1 - abs(values["rate"] - 0.002) * 50 - len(values["widths"]) / 10, "accuracy": 0.5}


def searched(place: Path, evaluate: study.ScoreTrial = evaluate, trials: int = 6) -> list[study.Trial]:
    list(study.search(study.open_study(place, "it"), RANGES, CURRENT, evaluate, trials=trials, seed=3))
    return study.finished_trials(study.open_study(place, "it"))


def values_of(trials: list[study.Trial]) -> list[dict[str, Any]]:
    return [trial.values for trial in trials]


def test_the_current_values_come_first_and_the_best_is_never_worse(tmp_path: Path) -> None:
    trials = searched(tmp_path / "a.db")
    assert trials[0].values == CURRENT
    assert len(trials) == 6
    assert study.best_trial(trials, CURRENT).score > trials[0].score
    assert study.best_trial(trials[:1], CURRENT) == trials[0]


def test_a_study_that_was_killed_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    unbroken = searched(tmp_path / "whole.db")
    calls = []

    def killed(values: dict[str, Any], on_epoch: EpochCallback) -> dict[str, float]:
        calls.append(values)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return evaluate(values, on_epoch)

    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path / "part.db", killed)
    assert values_of(searched(tmp_path / "part.db")) == values_of(unbroken)


def test_a_trial_that_falls_behind_is_pruned(tmp_path: Path) -> None:
    epochs = []

    def stepwise(values: dict[str, Any], on_epoch: EpochCallback) -> dict[str, float]:
        slow = len(epochs) >= 4
        epochs.append(0)
        for epoch in range(1, 6):
            epochs[-1] = epoch
            on_epoch({"epoch": epoch, "valid_accuracy": 0.1 if slow else 0.5})
        return evaluate(values, on_epoch)

    trials = searched(tmp_path / "a.db", stepwise)
    assert epochs == [5] * 4 + [2] * 2
    assert [trial.why for trial in trials[3:5]] == ["", "behind the others after 2 epochs"]
    assert [len(trial.curve) for trial in trials[3:5]] == [5, 2]
    assert study.best_trial(trials, CURRENT).figures


def test_values_that_fail_are_pruned_and_the_search_goes_on(tmp_path: Path) -> None:
    def narrow(values: dict[str, Any], on_epoch: EpochCallback) -> dict[str, float]:
        if values["widths"] != [2, 3]:
            raise ConfigError("the loss is nan")
        return evaluate(values, on_epoch)

    trials = searched(tmp_path / "a.db", narrow)
    assert {trial.why for trial in trials} == {"", "the loss is nan"}
    assert study.best_trial(trials, CURRENT).values["widths"] == [2, 3]


def test_current_values_that_fail_stop_the_search(tmp_path: Path) -> None:
    def never(values: dict[str, Any], on_epoch: EpochCallback) -> dict[str, float]:
        raise ConfigError("the loss is nan")

    with pytest.raises(ConfigError, match="the loss is nan"):
        searched(tmp_path / "a.db", never)


def test_values_are_learned_once(tmp_path: Path) -> None:
    learned = []

    def count(values: dict[str, Any], on_epoch: EpochCallback) -> dict[str, float]:
        learned.append(values["widths"])
        return {"macro_f1": 0.1 * values["widths"][0]}

    few = {"widths": search_space.Choice(values=[[2, 3], [3], [4]])}
    unfinished = study.open_study(tmp_path / "a.db", "it")
    trials = list(study.search(unfinished, few, {"widths": [2, 3]}, count, trials=8, seed=3))
    assert len(trials) == 8
    assert sorted(learned) == [[2, 3], [3], [4]]
    assert {trial.score for trial in trials if trial.values == {"widths": [4]}} == {0.4}


def test_no_trial_but_that_of_the_current_values_begins_when_time_is_up(tmp_path: Path) -> None:
    unfinished = study.open_study(tmp_path / "a.db", "it")
    assert values_of(list(study.search(unfinished, RANGES, CURRENT, evaluate, trials=9, seed=3, until=0))) == [CURRENT]


def test_current_values_that_changed_are_tried_in_the_study_as_it_is(tmp_path: Path) -> None:
    searched(tmp_path / "a.db", trials=3)
    unfinished = study.open_study(tmp_path / "a.db", "it")
    new = CURRENT | {"rate": 0.0042}
    assert values_of(list(study.search(unfinished, RANGES, new, evaluate, trials=3, seed=3))) == [new]
