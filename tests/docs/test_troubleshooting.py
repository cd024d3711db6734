"""The messages that docs/troubleshooting.md explains are those that the code has."""

import ast
import re

import pytest
from root import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
MESSAGES = re.findall(r"^### `(.+)`$", PAGE, re.MULTILINE)
EXAMPLES = re.compile(r"…|[:;] |models\.\w+|learning_\w+\?|'[^']*'|\b[\w.]*(?:[/@=][\w./=]+)+|\d[\d.,%]*")


@pytest.fixture(scope="module")
def code() -> list[str]:
    """The texts in the code, which take seconds to parse."""
    files = [path for folder in ("src", "packages") for path in sorted((ROOT / folder).rglob("*.py"))]
    nodes = (node for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [*texts, (ROOT / "Makefile").read_text(encoding="utf-8")]


def longest_words(message: str) -> str:
    """Return the longest part of a message between the names and numbers of the example."""
    return max(EXAMPLES.split(message), key=len).strip(" :;(`,")


def test_ten_messages_are_explained() -> None:
    assert len(MESSAGES) == 10


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_that_is_explained_exists(code: list[str], message: str) -> None:
    words = longest_words(message).replace("run git fetch", "run `git fetch")
    assert any(words in text for text in code), words
