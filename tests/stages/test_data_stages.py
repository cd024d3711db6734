"""Well-formed files with wrong content: what the data stages report, and how severely."""

import inspect
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from prefect_dvc.core.errors import DataContractError
from root import ROOT
from ruamel.yaml import YAML

from gazette.core import articles, files
from gazette.data import erased
from gazette.stages import preprocess, validate

NUMBERS = YAML(typ="safe", pure=True).load(ROOT / "params.yaml")
SMALL = {"min_rows": 10, "min_rows_per_class": 2, "max_quarantined": 0.5}
WORDS = "river stone market orange violin harbor window copper garden letter engine forest basket candle mirror"
Row = tuple[str, str]


def different(label: str, rows: int, start: int = 0) -> list[Row]:
    """Articles that have little in common."""
    words = WORDS.split()
    return [
        (f"{label} {words[n % 15]} {words[n * 7 % 13]} {words[n * 3 % 11]} {n * 7919}", label)
        for n in range(start, start + rows)
    ]


TRAIN = different("sport", 60) + different("trade", 60)
TEST = [("Sport & its “rivals”", "sport"), *different("sport", 9, 100), *different("trade", 10, 100)]


def lay_down(folder: Path, **splits: list[Row]) -> dict[str, Path]:
    """Writes the files of a corpus and its description; their paths by option."""
    (folder / "raw").mkdir()
    described = "language: en\nlabels: [sport, trade]\nsource: made here\nterms: none\nfiles:\n"
    for split, rows in splits.items():
        pl.DataFrame(rows, schema=["text", "label"], orient="row").write_csv(folder / "raw" / f"{split}.csv")
        described += f"  {split}: [{{format: csv, path: {split}.csv, header: true, text: [text], label: label}}]\n"
    (folder / "tiny.yaml").write_text(described)
    return {"description": folder / "tiny.yaml", "raw": folder / "raw"}


def validated(folder: Path, **splits: list[Row]) -> tuple[dict[str, Any], pl.DataFrame, pl.DataFrame]:
    """The report, the validated articles and the quarantine."""
    paths = lay_down(folder, **splits)
    names = {name for name in inspect.signature(validate.run).parameters if name != "params"}
    outs = {name: folder / name for name in names - paths.keys()}
    validate.run(validate.Params(**NUMBERS["validate"] | SMALL), **paths, **outs)
    table = articles.read_articles(folder / "validated")
    return files.read_json(folder / "report"), table, pl.read_parquet(folder / "quarantine")


def preprocessed(folder: Path) -> tuple[dict[str, Any], dict[str, pl.DataFrame]]:
    """The report of `preprocess` after `validated`, and its tables."""
    names = ("train", "valid", "test", "quarantine")
    preprocess.run(
        preprocess.Params(valid_share=0.2, test_share=0.2),
        description=folder / "tiny.yaml",
        validated=folder / "validated",
        **{name: folder / f"{name}.parquet" for name in names},
        report=folder / "preprocessing",
    )
    tables = {name: pl.read_parquet(folder / f"{name}.parquet") for name in names}
    return files.read_json(folder / "preprocessing"), tables


def warnings(report: dict[str, Any]) -> str:
    return "\n".join(f["expects"] for f in report["expectations"] if not f["success"])


# Copies, contradictions, leaks


def test_copies_are_counted_and_dropped(tmp_path: Path) -> None:
    report, table, _ = validated(tmp_path, train=[*TRAIN, TRAIN[0], TRAIN[1]])
    assert (table.height, report["corpus"]["exact_duplicates_train"]) == (122, round(2 / 122, 6))
    assert preprocessed(tmp_path)[0]["left_out"]["duplicates"] == 2


def test_too_many_copies_stop(tmp_path: Path) -> None:
    with pytest.raises(DataContractError, match=r"duplicates in train: 14\.29% \(20 of 140.*line 122.*concatenated"):
        validated(tmp_path, train=[*TRAIN, *TRAIN[:20]])


def test_one_text_under_two_labels_is_a_warning_and_goes_to_quarantine(tmp_path: Path) -> None:
    report, _, _ = validated(tmp_path, train=[*TRAIN, *different("sport", 80, 200), (TRAIN[0][0], "trade")])
    assert "exact_conflicts" in warnings(report)
    counts, left = preprocessed(tmp_path)
    assert counts["left_out"]["conflicts"] == 2
    assert left["quarantine"].select("line", "reason").rows() == [
        (line, "the same text under two labels") for line in (2, 202)
    ]


def test_many_texts_under_two_labels_stop(tmp_path: Path) -> None:
    with pytest.raises(DataContractError, match=r"the same text under two labels: .*line 2"):
        validated(tmp_path, train=[*TRAIN, *((text, "trade") for text, _ in TRAIN[:5])])


@pytest.mark.parametrize(
    "changed",
    [
        str,
        str.upper,
        lambda text: text.replace(" ", "  ") + "\n",
        lambda text: "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isalpha() else c for c in text),
        lambda text: text.replace("&", "&amp;").replace(" ", "&nbsp;"),
    ],
    ids=["as it is", "case", "white space", "full width", "entities"],
)
def test_a_test_article_in_train_is_a_warning_and_leaves_train(tmp_path: Path, changed: Any) -> None:
    report, _, _ = validated(tmp_path, train=[*TRAIN, (changed(TEST[0][0]), "sport")], test=TEST)
    assert "exact_overlap" in warnings(report)
    counts, left = preprocessed(tmp_path)
    assert counts["left_out"]["overlap"] == 1
    assert left["test"].height == len(TEST)


def test_many_test_articles_in_train_stop(tmp_path: Path) -> None:
    with pytest.raises(DataContractError, match=r"articles of train that are also in test: .*line 122"):
        validated(tmp_path, train=[*TRAIN, *TEST[:5]], test=TEST)


# Classes


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (different("sport", 60), TEST),
        (TRAIN, TEST[:10]),
        ([*different("sport", 60), TRAIN[-1]], TEST),
    ],
    ids=["none in train", "none in test", "one in train"],
)
def test_a_class_that_is_missing_or_has_one_row_stops(tmp_path: Path, train: list[Row], test: list[Row]) -> None:
    few = r"class '(sport|trade)' in (train|test) has (0 articles|1 article), expected"
    with pytest.raises(DataContractError, match=few):
        validated(tmp_path, train=train, test=test)


def test_a_class_that_outweighs_the_others_is_a_warning(tmp_path: Path) -> None:
    report, _, _ = validated(tmp_path, train=[*different("sport", 1998), *different("trade", 2)])
    assert "share" in warnings(report)


def test_a_class_that_splitting_leaves_without_articles_is_named_with_where_they_are(tmp_path: Path) -> None:
    validated(tmp_path, train=[*different("sport", 60), *different("trade", 2)])
    with pytest.raises(DataContractError) as stop:
        preprocessed(tmp_path)
    lines = str(stop.value).splitlines()
    assert lines[0].startswith("a class has no article in a split")
    assert all(line.startswith("  class 'trade' in ") and "0 of its 2 articles (" in line for line in lines[1:-1])
    assert "train.csv, line 62, 63" in lines[1] and "valid_share" in lines[-1]


# Rows


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("Up.", "weather"), "unknown label 'weather': the description names sport, trade"),
        (("Up.", "Sport"), "unknown label 'Sport': did you mean 'sport'?"),
        (("Up.", "sports"), "unknown label 'sports': did you mean 'sport'?"),
        ((" \u00a0\u3000\n", "sport"), "no word"),
        (("\u200b\u200d\ufeff", "sport"), "no word"),
        (("…?!", "sport"), "no word"),
        (("tok" * 40_000, "sport"), "too long: more than 100,000 characters"),
    ],
    ids=["unknown", "case", "near", "white space", "zero width", "punctuation", "too long"],
)
def test_a_row_that_is_wrong_goes_to_quarantine_and_its_neighbors_do_not(tmp_path: Path, row: Row, reason: str) -> None:
    _, table, quarantine = validated(tmp_path, train=[*TRAIN[:60], row, *TRAIN[60:]])
    assert table.select("text", "label").rows() == TRAIN
    assert reason in quarantine["reason"].item()
    assert (quarantine["reason"].item() + quarantine["seen"].item()).isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "🎉🏆",
        "אבג \u202eabc\u202c \x1b[31m",
        "Z\u0351\u0352\u0353a\u0354lgo смешан",
        "&lt;b&gt;Shares&lt;/b&gt; <i>fell</i>",
        "<script>alert(1)</script>",
        "=cmd|'/c calc'!A1",
        "On 31 December 9999 and in the year 0, before 19 January 2038",
        "https://example.org/a?b=c",
        "1234567890",
        "五",
        "x" * 100_000,
        "a" * 99_999 + "!",
        "<" * 50_000 + "a" * 50_000,
    ],
    ids=[
        "emoji",
        "bidi",
        "zalgo",
        "entities",
        "script",
        "formula",
        "dates",
        "url",
        "digits",
        "one character",
        "long",
        "regex",
        "tags",
    ],
)
def test_a_row_that_is_odd_is_an_article_as_it_stands(tmp_path: Path, text: str) -> None:
    _, table, quarantine = validated(tmp_path, train=[*TRAIN, (text, "sport")])
    assert quarantine.is_empty()
    assert table["text"][-1] == text


def test_rows_in_another_order_are_the_same_splits(tmp_path: Path) -> None:
    texts = []
    for name, rows in {"forward": TRAIN, "reversed": TRAIN[::-1]}.items():
        (tmp_path / name).mkdir()
        validated(tmp_path / name, train=rows)
        left = preprocessed(tmp_path / name)[1]
        texts.append({split: sorted(left[split]["text"]) for split in ("train", "valid", "test")})
    assert texts[0] == texts[1]


def test_what_is_shown_of_a_row_in_a_message_is_escaped(tmp_path: Path) -> None:
    bad = [("\x1b]0;owned\x07 \u202eabc", f"\u202e{n}") for n in range(200)]
    with pytest.raises(DataContractError) as stop:
        validated(tmp_path, train=[*TRAIN, *bad])
    assert str(stop.value).replace("\n", "").isprintable()


def test_an_erased_article_that_comes_back_is_quarantined_without_its_text(tmp_path: Path) -> None:
    text = TRAIN[3][0]
    erased.record_erased(erased.hash_texts(pl.Series([text]))[0], tmp_path / "erased")
    again = (f"  {text.upper()} ", "trade")
    _, table, quarantine = validated(tmp_path, train=[*TRAIN, again], test=TEST)
    assert table.height == len(TRAIN) - 1 + len(TEST) and text not in table["text"].to_list()
    assert quarantine.select("line", "reason", "seen").rows() == [
        (5, erased.REASON, "sport: …"), (len(TRAIN) + 2, erased.REASON, "trade: …")
    ]  # fmt: skip
