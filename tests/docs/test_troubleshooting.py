"""The messages that docs/troubleshooting.md explains are those that the code has."""

import ast
import re

import pytest
from root import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
MESSAGES = re.findall(r"^### `(.+)`$", PAGE, re.MULTILINE)
CODE = [
    node.value
    for folder in ("src", "packages")
    for path in sorted((ROOT / folder).rglob("*.py"))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.Constant) and isinstance(node.value, str)
] + [(ROOT / "Makefile").read_text(encoding="utf-8")]


EXAMPLES = re.compile(r"…|[:;] |models\.\w+|learning_\w+\?|'[^']*'|\b[\w.]*(?:[/@=][\w./=]+)+|\d[\d.,%]*")


def longest_words(message: str) -> str:
    """Return the longest part of a message between the names and numbers of the example."""
    return max(EXAMPLES.split(message), key=len).strip(" :;(`,")


def test_ten_messages_are_explained() -> None:
    assert len(MESSAGES) == 10


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_that_is_explained_exists(message: str) -> None:
    words = longest_words(message).replace("run git fetch", "run `git fetch")
    assert any(words in text for text in CODE), words
