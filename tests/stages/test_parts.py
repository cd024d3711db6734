"""The data stages work in parts, so that rows need not fit in memory; the size of a part changes no byte."""

import random
from pathlib import Path

import polars as pl
import pytest
from projects import ROOT

from gazette.core import articles, files
from gazette.data import dedup
from gazette.stages import preprocess

NUMBERS = files.read_yaml(ROOT / "params.yaml")
DESCRIPTION = """\
language: en
labels: [sport, trade]
files:
  train: [{format: csv, path: train.csv, header: true, text: [text], label: label}]
  test: [{format: csv, path: test.csv, header: true, text: [text], label: label}]
source: made here
terms: none
"""
OUTS = {
    preprocess: ("train", "valid", "test", "quarantine", "report"),
}


def news(seed: int) -> pl.DataFrame:
    """Articles with copies, near copies, conflicts, and some in two splits; sorted as `validate` leaves them."""
    chance = random.Random(seed)
    words = [f"{chance.choice('bcdfg')}{chance.choice('aeiou')}{n}" for n in range(300)]
    stories = [" ".join(chance.choices(words, k=chance.randint(3, 40))) for _ in range(150)]
    texts = stories + [chance.choice(stories) + chance.choice(["", "!", " again"]) for _ in range(60)]
    rows = [(text, chance.choice(["sport", "trade"]), chance.choice(["train"] * 4 + ["test"])) for text in texts]
    table = pl.DataFrame(rows, schema=["text", "label", "split"], orient="row").sort("split", maintain_order=True)
    places = pl.int_range(2, 2 + pl.len(), dtype=pl.Int64).over("split")
    return table.with_columns(file=pl.format("{}.csv", "split"), line=places)


def preprocessed(folder: Path, table: pl.DataFrame) -> dict[str, bytes]:
    folder.mkdir()
    (folder / "tiny.yaml").write_text(DESCRIPTION)
    articles.write_articles(folder / "validated", table)
    paths = {name: folder / name for name in OUTS[preprocess]}
    params = preprocess.Params(valid_share=0.2, test_share=0.2)
    preprocess.run(params, description=folder / "tiny.yaml", validated=folder / "validated", **paths)
    return {name: path.read_bytes() for name, path in paths.items()}


@pytest.mark.parametrize("rows", [1, 7, 64])
@pytest.mark.parametrize("order", ["as validate leaves them", "reversed"])
def test_preprocess_leaves_the_same_bytes_for_parts_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, order: str
) -> None:
    table = news(rows) if order != "reversed" else news(rows).reverse()
    whole = preprocessed(tmp_path / "whole", table)
    monkeypatch.setattr(articles, "PART", rows)
    monkeypatch.setattr(dedup, "MAX_ROWS_TOGETHER", rows)
    assert preprocessed(tmp_path / "parts", table) == whole
    assert b'"conflicts": 0' not in whole["report"] and b'"overlap": 0' not in whole["report"]


def test_preprocess_leaves_no_temporary_file(tmp_path: Path) -> None:
    preprocessed(tmp_path / "whole", news(1))
    assert {path.name for path in (tmp_path / "whole").iterdir()} == {*OUTS[preprocess], "tiny.yaml", "validated"}
