"""Links, anchors and file names in the project's Markdown lead somewhere. Reads files only, no network."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TOP = ("README.md", "README.zh.md", "CONTRIBUTING.md", "CHANGELOG.md")
PAGES = [*(ROOT / name for name in TOP), *sorted(DOCS.rglob("*.md"))]
MENTIONED = ("src/", "tests/", "flows/", "docs/", "benchmarks/", "data/corpora")
PLACEHOLDER = re.compile(r"[<>{}$…]|[A-Z]{4,}")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tokens(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(text)


def inline(text: str) -> Iterator[Token]:
    return (token for block in tokens(text) for token in block.children or [])


def links(text: str) -> list[str]:
    targets = [str(token.attrs.get("href") or token.attrs.get("src") or "") for token in inline(text)]
    return [unquote(target) for target in targets if target and not re.match(r"[a-z]+:", target)]


def anchors(text: str) -> list[str]:
    """GitHub's anchor of each heading; the second of one name ends in -1, the third in -2."""
    used: Counter[str] = Counter()
    slugs = []
    for block, content in zip(tokens(text), tokens(text)[1:], strict=False):
        if block.type == "heading_open":
            words = "".join(token.content for token in content.children or [] if token.type in ("text", "code_inline"))
            slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            slugs.append(f"{slug}-{used[slug]}" if used[slug] else slug)
            used[slug] += 1
    return slugs


def broken_links(page: Path, text: str) -> Iterator[str]:
    for target in links(text):
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        if not file.exists():
            yield f"{target}: no such file"
        elif anchor and anchor not in anchors(file.read_text(encoding="utf-8") if name else text):
            yield f"{target}: no such heading"


def missing_paths(text: str) -> Iterator[str]:
    for code in (token.content for token in inline(text) if token.type == "code_inline"):
        path = code.split(" ")[0].partition("::")[0].rstrip("/")
        if code.startswith(MENTIONED) and not PLACEHOLDER.search(path) and not any(ROOT.glob(path)):
            yield path


def navigation(entries: list[Any]) -> Iterator[str]:
    for entry in entries:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            yield from [value] if isinstance(value, str) else navigation(value)


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    assert list(broken_links(page, page.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_path_of_the_repository_that_a_page_names_exists(page: Path) -> None:
    assert list(missing_paths(page.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=relative)
def test_a_page_of_the_site_links_to_pages_of_the_site_alone(page: Path) -> None:
    files = [target.partition("#")[0] for target in links(page.read_text(encoding="utf-8"))]
    assert [file for file in files if not (page.parent / file).resolve().is_relative_to(DOCS)] == []


def test_the_site_has_each_page_once() -> None:
    site = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
    assert sorted(navigation(site["nav"])) == sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))


def test_what_leads_nowhere_is_reported() -> None:
    text = (
        "# Run `a`, twice?\n\n# Run `a`, twice?\n\n[a](#run-a-twice-1) [b](#run-a-twice-2) [c](gone.md)\n"
        "![d](gone.png) [e](gate.md#statistics) [f](gate.md#gone)\n"
        "`src/gazette/gone.py` `src/gazette/<package>` `docs/*.md`\n"
    )
    assert list(broken_links(DOCS / "index.md", text)) == [
        "#run-a-twice-2: no such heading", "gone.md: no such file", "gone.png: no such file",
        "gate.md#gone: no such heading",
    ]  # fmt: skip
    assert list(missing_paths(text)) == ["src/gazette/gone.py"]
