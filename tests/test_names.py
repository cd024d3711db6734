"""Names and spelling: a function is a verb, a variable the thing itself, and English is American."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from root import ROOT

FORBIDDEN = {"found", "said", "told", "held", "kept", "given", "asked", "made", "one", "other"}
BRITISH = re.compile(
    r"\b\w*(?:(?:normal|quant|token|optim|initial|recogn|summar|serial|vector|random|regular|final|special|organ|minim|"
    r"maxim|categor|general|util|visual|local|synchron|penal|priorit|standard|central|memor|emphas|author|apolog|"
    r"real)is(?:e[ds]?|ing|ation|er)|(?:behavi|col|fav|hon|neighb|harb|flav|rum|hum)our(?!s?\s*\()\w*|artefact\w*|"
    r"licen[c]e\w*|centre\w*|cent[r]ed|(?:label|cancel|model|travel|signal|total)l(?:ed|ing|er)|catalogue\w*|grey|"
    r"analys(?:e[ds]?|ing)|defence|offence|judgement|programme)\b",
    re.IGNORECASE,
)
QUOTED = {"CANCELLED", "behaviour_rows"}  # a state of Prefect, an earlier name in the changelog
CODE = sorted(
    path for folder in ("src", "flows", "packages", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")
)
PROSE = sorted(
    path
    for pattern in (
        "*.md",
        "*.yaml",
        "Makefile",
        "pyproject.toml",
        "docs/**/*.md",
        "packages/**/*.md",
        "src/**/*.j2",
        "data/**/*.yaml",
    )
    for path in ROOT.glob(pattern)
    if path.name not in ("README.zh.md",)
)


def names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name that the code itself chooses: what it binds, defines or takes, not what it imports or calls."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.lineno, node.name


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", CODE, ids=place)
def test_a_name_says_what_it_names(path: Path) -> None:
    chosen = names(ast.parse(path.read_text(encoding="utf-8")))
    assert [f"line {line}: {name}" for line, name in chosen if name.strip("_") in FORBIDDEN] == []


@pytest.mark.parametrize("path", [path for path in [*CODE, *PROSE] if path.name != Path(__file__).name], ids=place)
def test_english_is_american(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    words = [(number, match[0]) for number, line in enumerate(lines, 1) for match in BRITISH.finditer(line)]
    assert [f"line {number}: {word}" for number, word in words if word not in QUOTED] == []
