"""New corrections of a corpus: from feedback, from an audit's list, from files of new articles; into its overlay."""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from prefect_dvc import revisions, storage
from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError, DataContractError

from gazette.core import articles, normalization, pointers
from gazette.core.corpus import OVERLAY, Corpus, Folder
from gazette.core.escape import format_places, tally
from gazette.data import feedback, fetch, ingest, overlay, splits
from gazette.data.coding import NO_HINTS, Hints
from gazette.data.erased import read_erased, split_erased
from gazette.data.paths import RAW
from gazette.data.readers.columns import Columns

AUDIT = Columns(
    ("file", "line", "label", "text"),
    "correct_label",
    cure="expected a list of `gazette corpus audit`; `gazette corpus extend` adds articles",
)
FEEDBACK, LISTS = (".jsonl",), (".csv", ".tsv")  # by the end of a file's name
_FORMULA = re.compile(r"^'(?=[=+\-@\t\r\n＝＋－＠])")  # what `corpus audit` puts before a cell


class Answers(NamedTuple):
    """Corrections, and what is left out: new articles that break the contract, lines of lists, lines that are torn."""

    corrections: pl.DataFrame
    rejects: pl.DataFrame  # place, reason
    absent: int  # lines of audits that are not in the corpus
    torn: int  # lines of feedback that are no JSON


def read_corrections(
    paths: Sequence[Path], raw: pl.DataFrame, name: str, corpus: Corpus, hints: Hints = NO_HINTS
) -> Answers:
    """Read feedback files and audits' lists; raises DataContractError if one names a label that the corpus lacks.

    A text of feedback that the raw files lack is a new article; `hints` are of the lists.
    """
    rows: list[dict[str, Any]] = []
    absent = torn = 0
    has_list = any(path.suffix.lower() in LISTS for path in paths)
    corrected = overlay.apply(raw, _read_present(name))[0] if has_list else raw
    for path in paths:
        suffix = path.suffix.lower()
        if suffix in LISTS:
            matched, missing = _read_audit(path, corrected, hints)
            rows, absent = rows + matched, absent + missing
        elif suffix in FEEDBACK:
            records, broken = feedback.read(path)
            rows += [_from_feedback(record, f"{path}, line {line}") for line, record in records]
            torn += broken
        else:
            raise ConfigError(
                f"{path}: expected feedback ({', '.join(FEEDBACK)}) or a list of `gazette corpus audit` "
                f"({', '.join(LISTS)}); save a spreadsheet as CSV"
            )
    table = overlay.to_frame(rows)
    overlay.check_labels(table, corpus.labels)
    return Answers(*_split_invalid(_with_kinds(table, raw), corpus.labels), absent, torn)


def _with_kinds(table: pl.DataFrame, raw: pl.DataFrame) -> pl.DataFrame:
    """Fill in what a text of feedback is: the label of an article in the raw files, or a new article."""
    known = normalization.normalize(raw["text"]) if "" in set(table["kind"]) else pl.Series([], dtype=pl.String)
    kind = pl.when(pl.col("key").is_in(known.implode())).then(pl.lit("label")).otherwise(pl.lit("article"))
    return table.with_columns(kind=pl.when(kind="").then(kind).otherwise("kind"))


def _split_invalid(table: pl.DataFrame, labels: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the corrections without new articles that break the row contract, and place and reason of these."""
    rows = table.with_columns(line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
    new = rows.filter(kind="article").select("text", "label", split=pl.lit("train"), file="place", line="line")
    present, gone = split_erased(new, read_erased())
    _, invalid = articles.split_invalid(present, labels)
    rejects = pl.concat([invalid, gone])
    valid = rows.join(rejects, on="line", how="anti", maintain_order="left").select(table.columns)
    return valid, rejects.select("reason", place="file")


def _from_feedback(record: feedback.Feedback, place: str) -> dict[str, Any]:
    about = {"text": record.text, "label": record.label, "source": record.how, "kind": ""}
    return about | {"when": record.when, "who": record.who, "place": place}


def _read_audit(path: Path, corpus: pl.DataFrame, hints: Hints) -> tuple[list[dict[str, Any]], int]:
    """Return what a person filled into an audit's list, with whole texts, and how many lines are not in the corpus.

    Of a line, file, number and the beginning of the text must be those of an article.
    """
    filled = ingest.inspect_file("train", path, AUDIT, hints).contents.articles.filter(pl.col("label") != "")
    cells = [[_FORMULA.sub("", cell) for cell in text.split("\n", 3)] for text in filled["text"]]
    schema = dict.fromkeys(("file", "line", "before", "begin"), pl.String)
    listed = pl.DataFrame([[*row, ""][:4] for row in cells], schema=schema, orient="row")
    listed = listed.with_columns(label=filled["label"], number=filled["line"])
    places = corpus.select("file", pl.col("line").cast(pl.String), "text")
    about = {"source": "audit", "kind": "label", "when": "", "who": ""}
    rows = [
        about | {"text": row["text"], "label": row["label"], "place": f"{path}, line {row['number']}"}
        for row in listed.join(places, on=["file", "line"], maintain_order="left").iter_rows(named=True)
        if " ".join(row["text"].split()).startswith(" ".join(row["begin"].split()))
    ]
    return rows, listed.height - len(rows)


def read_articles(paths: Iterable[Path], corpus: Corpus, columns: Columns, hints: Hints = NO_HINTS) -> pl.DataFrame:
    """Return new labeled articles as lines of an overlay; raises DataContractError if a row cannot be used."""
    sources = [ingest.inspect_file("train", path, columns, hints) for path in paths]
    table, rejects = ingest.validate_rows(sources, corpus)
    if rejects.height:
        raise DataContractError(
            f"{rejects.height:,} of {tally(rejects.height + table.height, 'row')} cannot be used, so nothing is added. "
            f"The first: {format_places(rejects.head(1).to_dicts())}: {rejects['reason'][0]}"
        )
    place = pl.format("{}, line {}", "file", "line")
    about = {"source": "added", "kind": "article", "when": "", "who": ""}
    return overlay.to_frame([row | about for row in table.select("text", "label", place=place).to_dicts()])


def train_columns(corpus: Corpus) -> Columns:
    """Return the columns of the corpus's first train file; of a folder there are none."""
    file = corpus.files["train"][0]
    if isinstance(file, Folder):
        return Columns((), None)
    return Columns(tuple(map(str, file.text)), str(file.label))


def merge(corrections: pl.DataFrame, name: str) -> tuple[pl.DataFrame, str]:
    """Return the lines of the overlay with these corrections among them, and its content; the same ones again add none.

    Of lines with the same text, label and source, the earliest stays.
    """
    order = ["key", "source", "label", "when", "who", "text", "kind"]
    merged = pl.concat([_read_present(name), corrections]).sort(order, maintain_order=True)
    merged = merged.unique(order[:3], keep="first", maintain_order=True)
    merged = merged.with_columns(line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in merged.select(overlay.FIELDS).iter_rows(named=True))
    return merged, "".join(lines)


def _read_present(name: str) -> pl.DataFrame:
    path = RAW / name / OVERLAY
    return overlay.parse_overlay(path.read_bytes(), path) if path.exists() else overlay.to_frame([])


def preview(
    merged: pl.DataFrame, corrections: pl.DataFrame, raw: pl.DataFrame, corpus: Corpus, shares: tuple[float, float]
) -> pl.DataFrame:
    """Return the corrections with their outcomes, those included that will be withheld since a hash puts them in test.

    `shares` are those of valid and test. Raises DataContractError if corrections contradict each other.
    """
    _, outcomes = overlay.apply(raw, merged)
    placed = outcomes.with_columns(place=splits.hash_positions(outcomes["key"]), split=pl.lit("train"))
    split = splits.assign_splits(placed, sorted(corpus.files), *shares)["split"]
    is_out = (pl.col("outcome") == "train_only") & (split != "train")
    outcomes = outcomes.with_columns(outcome=pl.when(is_out).then(pl.lit("withheld")).otherwise("outcome"))
    return outcomes.join(corrections.select("key", "source", "label"), on=["key", "source", "label"], how="semi")


def check_recorded(name: str) -> None:
    """Raise ConfigError if the raw files are missing, DataContractError if they are not as their pointer records."""
    raw, pointer = RAW / name, pointers.pointer_path(RAW / name)
    if not raw.exists():
        known = revisions.list_folder(pointers.read_hash(pointer)) if pointer.exists() else None
        fetch_it = "" if OVERLAY in (known or ()) else f", or `gazette corpus fetch {name}` if it has no corrections"
        raise ConfigError(f"the files of {name} are missing; run `dvc pull {pointer}`{fetch_it}")
    fetch.check_present(raw, pointer)


def write_overlay(name: str, content: str) -> bool:
    """Write the overlay into the folder of raw files and record it by DVC; returns whether anything changed."""
    path = RAW / name / OVERLAY
    if path.exists() and path.read_bytes() == content.encode():
        return False
    atomic.write_text(path, content)
    storage.dvc_add(RAW / name)
    return True
