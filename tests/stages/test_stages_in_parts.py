"""The data stages work in parts, so that rows need not fit in memory; the size of a part changes no byte."""

import json
import random
from pathlib import Path

import polars as pl
import pytest
from root import ROOT

from gazette.core import articles, files
from gazette.data import dedup
from gazette.data.readers import rows
from gazette.data.validation import part_records, personal_data, sampling
from gazette.data.validation.part_records import PartRecord, PartRecords
from gazette.stages import preprocess, validate

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
    validate: ("validated", "quarantine", "examples", "report"),
    preprocess: ("train", "valid", "test", "quarantine", "report"),
}
LOOSE = {name: 1.0 for name in NUMBERS["validate"] if name.startswith("max_") and "median" not in name}
LOOSE |= {"min_rows_per_class": 1, "min_rows": 1}


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


@pytest.mark.parametrize(("size", "order"), [(1, "reversed"), (7, "as validate leaves them"), (64, "reversed")])
def test_preprocess_leaves_the_same_bytes_for_parts_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, order: str
) -> None:
    table = news(size) if order != "reversed" else news(size).reverse()
    whole = preprocessed(tmp_path / "whole", table)
    monkeypatch.setattr(articles, "PART", size)
    monkeypatch.setattr(dedup, "MAX_ROWS_TOGETHER", 5 * size)
    assert preprocessed(tmp_path / "parts", table) == whole
    assert b'"conflicts": 0' not in whole["report"] and b'"overlap": 0' not in whole["report"]


def test_preprocess_leaves_no_temporary_file(tmp_path: Path) -> None:
    preprocessed(tmp_path / "whole", news(1))
    assert {path.name for path in (tmp_path / "whole").iterdir()} == {*OUTS[preprocess], "tiny.yaml", "validated"}


def lay_down(folder: Path, table: pl.DataFrame, overlay: str = "") -> None:
    """Write raw files that are not in the order of their names, with rows that are no articles, and an overlay."""
    (folder / "raw").mkdir(parents=True)
    bad = pl.DataFrame({"text": ["?!", "Sports.", "Write to jane@example.org."], "label": ["sport", "sports", "sport"]})
    train = pl.concat([table.filter(split="train").select("text", "label"), bad])
    train.head(60).write_csv(folder / "raw/z.csv")
    train.tail(-60).write_ndjson(folder / "raw/a.jsonl")
    table.filter(split="test").select("text", "label").write_csv(folder / "raw/test.csv")
    (folder / "tiny.yaml").write_text(
        DESCRIPTION.replace(
            "  train: [{format: csv, path: train.csv, header: true, text: [text], label: label}]",
            "  train:\n    - {format: csv, path: z.csv, header: true, text: [text], label: label}\n"
            "    - {format: jsonl, path: a.jsonl, text: [text], label: label}",
        )
    )
    if overlay:
        (folder / "raw/corrections.jsonl").write_text(overlay)


def validated(folder: Path, **changes: str) -> dict[str, bytes]:
    paths = {name: folder / name for name in OUTS[validate]}
    params = validate.Params(**NUMBERS["validate"] | LOOSE | changes)
    validate.run(
        params,
        description=folder / "tiny.yaml",
        raw=folder / "raw",
        erased=folder / "erased",
        docs=folder / "docs",
        **paths,
    )
    return {name: path.read_bytes() for name, path in paths.items()}


def correct(table: pl.DataFrame) -> str:
    """Lines of an overlay: a label for an article, and a new article."""
    about = {"source": "volunteered", "when": "2026-11-29", "who": "x"}
    label = {"text": table.filter(split="train")["text"][70], "label": "sport", "kind": "label"} | about
    new = {"text": "An article that is new", "label": "trade", "kind": "article"} | about
    return "".join(json.dumps(line) + "\n" for line in (label, new))


@pytest.mark.parametrize(("size", "policy"), [(7, "keep"), (64, "quarantine")])
def test_validate_leaves_the_same_bytes_for_parts_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, policy: str
) -> None:
    table = news(size)
    for name in ("whole", "parts"):
        lay_down(tmp_path / name, table, correct(table) if policy == "keep" else "")
    whole = validated(tmp_path / "whole", personal_data=policy)
    monkeypatch.setattr(rows, "BATCH_ROWS", size)
    monkeypatch.setattr(dedup, "PART_ROWS", size)
    monkeypatch.setattr(dedup, "MAX_ROWS_TOGETHER", 64)
    assert validated(tmp_path / "parts", personal_data=policy) == whole
    result = pl.read_parquet(tmp_path / "parts" / "validated")
    assert result.equals(result.sort("split", "file", "line"))
    assert result.height == table.height + (2 if policy == "keep" else 0)


@pytest.fixture
def inspected(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows of each part in which personal data were looked for; parts are small."""
    monkeypatch.setattr(rows, "BATCH_ROWS", 16)
    sizes, find = list[int](), personal_data.find_personal_data

    def record(texts: pl.Series, language: str) -> pl.DataFrame:
        sizes.append(texts.len())
        return find(texts, language)

    monkeypatch.setattr(personal_data, "find_personal_data", record)
    return sizes


def interrupt(folder: Path, monkeypatch: pytest.MonkeyPatch, after: int, **changes: str) -> None:
    """Run `validate` until the articles of a number of parts are on disk."""
    save, calls = PartRecords.save, iter(range(after))

    def save_some(records: PartRecords, record: PartRecord) -> None:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        save(records, record)

    with monkeypatch.context() as patch:
        patch.setattr(PartRecords, "save", save_some)
        with pytest.raises(KeyboardInterrupt):
            validated(folder, **changes)


@pytest.mark.parametrize(("after", "policy"), [(1, "keep"), (9, "quarantine")])
def test_what_an_interrupted_validation_knew_is_not_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inspected: list[int], after: int, policy: str
) -> None:
    for name in ("whole", "interrupted"):
        lay_down(tmp_path / name, news(3), correct(news(3)) if policy == "keep" else "")
    whole = validated(tmp_path / "whole", personal_data=policy)
    sizes = list(inspected)
    interrupt(tmp_path / "interrupted", monkeypatch, after, personal_data=policy)
    inspected.clear()
    assert validated(tmp_path / "interrupted", personal_data=policy) == whole
    assert inspected == sizes[after:]
    assert len(list((tmp_path / "interrupted").iterdir())) == len(list((tmp_path / "whole").iterdir()))


@pytest.mark.parametrize("change", ["a row", "a param", "the code"])
def test_what_was_known_of_other_rows_or_by_other_rules_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inspected: list[int], change: str
) -> None:
    lay_down(tmp_path / "news", news(3))
    interrupt(tmp_path / "news", monkeypatch, 9)
    policy = "mask" if change == "a param" else "keep"
    if change == "a row":
        path = tmp_path / "news/raw/test.csv"
        path.write_text(path.read_text().replace(" ", " another ", 1))
    if change == "the code":
        monkeypatch.setattr(part_records, "_hash_code", lambda: "another")
    inspected.clear()
    result = pl.read_parquet(validated(tmp_path / "news", personal_data=policy)["validated"])
    assert sum(inspected) == news(3).height + 1 == result.height  # with the one that has an address
    assert result["text"].str.contains(" another ").any() == (change == "a row")
    assert result["text"].str.contains("<email>").any() == (change == "a param")


def test_validate_leaves_no_temporary_file(tmp_path: Path) -> None:
    lay_down(tmp_path / "whole", news(1))
    validated(tmp_path / "whole")
    left = {path.name for path in (tmp_path / "whole").iterdir()}
    assert left == {*OUTS[validate], "docs", "raw", "tiny.yaml"}


def test_of_a_large_corpus_checks_that_estimate_see_a_sample_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = news(3)
    lay_down(tmp_path / "large", table)
    monkeypatch.setattr(sampling, "MAX_ROWS", 100)
    monkeypatch.setattr(sampling, "SAMPLED_ROWS", 80)
    validated(tmp_path / "large")
    report = files.read_json(tmp_path / "large" / "report")
    train = table.filter(split="train").height + 1
    assert report["sampled"] == {"train": {"rows": train, "sampled": 80}}
    assert f"estimated on 80 of {train} articles of train" in capsys.readouterr().out
