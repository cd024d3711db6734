"""An erasure in a project whose stages have run: the next run shows that the article is gone."""

import gzip
import json
from pathlib import Path

import polars as pl
import pytest
from clones import WORDS, clone

pytestmark = pytest.mark.slow
MARK = " ".join(["quixolotl", *WORDS["sports"]])  # a title; its words stay in the vocabularies of models


def find_mark(top: Path) -> list[str]:
    """The files, outside of git's own, with the word in their bytes, tables or archives."""
    paths = [path for path in top.rglob("*") if path.is_file() and ".git" not in path.parts]
    return [str(path) for path in paths if MARK in read(path).lower()]


def read(path: Path) -> str:
    content = path.read_bytes()
    if content[:4] == b"PAR1":
        return pl.read_parquet(path).write_json()
    return (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode("latin-1")


def test_the_next_run_shows_that_it_is_gone_and_keeps_it_out(tmp_path: Path) -> None:
    project = clone(tmp_path / "project", tmp_path / "guard")
    raw = project.folder / "data/raw/tiny/news.csv"
    row = f"sports,{MARK.title()},{' '.join([*WORDS['sports'], *WORDS['business']] * 2)}\n"
    lines = raw.read_text().splitlines(keepends=True)
    raw.write_text("".join([*lines[:40], row, *lines[40:]]))
    project.set(candidates=["linear"])
    project(f"dvc remote add -q -d store {tmp_path / 'store'} && dvc add -q data/raw/tiny")
    project("gazette run && git add -A && git commit -qm ran && dvc push -q")
    assert len(find_mark(tmp_path)) > 5

    shown = json.loads(project("gazette erase data/raw/tiny/news.csv:41 --json 2>/dev/null"))[0]
    assert {place["kind"] for place in shown["places"]} >= {"raw", "output", "cache", "store"}
    assert [model["versions"] for model in shown["learners"]] == [["tiny/1"]]
    assert "tiny/1" in project("gazette erase data/raw/tiny/news.csv:41 --yes")
    assert find_mark(tmp_path) == [] and raw.read_text() == "".join(lines)

    states = project.states()
    assert states["validate"] == states["train@linear"] == "ran" and find_mark(tmp_path) == []
    project("git add -A && git commit -qm erased && dvc push -q")
    raw.write_text("".join([*lines, row]))
    project("dvc add -q data/raw/tiny && gazette run")
    quarantine = pl.read_parquet(project.folder / "data/validated/quarantine.parquet")
    assert quarantine["reason"].to_list() == ["erased on request: data/erased.jsonl has its hash"]
    assert all("/data/raw/" in path or "/.dvc/cache/" in path for path in find_mark(tmp_path))
