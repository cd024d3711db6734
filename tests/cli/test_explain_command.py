"""`gazette explain`: words in order of what they add, as a table or JSON; what it refuses."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gazette.cli.app import gazette


def explain(bundle: Path, *words: str) -> Result:
    return CliRunner().invoke(gazette, ["explain", "--bundle", str(bundle), *words])


def test_the_strongest_words_stand_first(bundle: Path) -> None:
    result = explain(bundle, "the goal, a goal of", "--words", "2")
    assert result.output.splitlines()[0] == "sport 0.982, by leaving out words in turn"
    assert [line.split()[-1] for line in result.output.splitlines()[2:]] == ["goal", "goal"]


def test_json_has_every_word_with_its_characters(bundle: Path) -> None:
    text = "\u592e goal"
    record = json.loads(explain(bundle, text, "--json").output)
    assert [text[word["start"] : word["end"]] for word in record["words"]] == ["\u592e", "goal"]
    assert record["exact"] is False and record["probabilities"].keys() == {"sport", "trade"}


@pytest.mark.parametrize(
    ("words", "reason"),
    [(["goal", "--label", "weather"], "this bundle has sport, trade"), (["\udcff"], "not in the terminal's encoding")],
)
def test_a_label_that_is_none_and_bytes_that_are_no_text_are_refused(
    bundle: Path, words: list[str], reason: str
) -> None:
    result = explain(bundle, *words)
    assert result.exit_code and reason in f"{result.output}{result.exception}"


def test_an_empty_text_has_no_words(bundle: Path) -> None:
    assert json.loads(explain(bundle, "", "--json").output)["words"] == []
