"""The table of articles: its contract (pandera), asked at every read and write."""

from copy import deepcopy
from difflib import get_close_matches
from pathlib import Path

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from gazette.core import atomic
from gazette.core.escape import SEEN, quoted, shown
from gazette.core.limits import MAX_FIELD

_UNKNOWN = "unknown label"
PART = 1 << 18  # rows that are asked at a time


class Article(pa.DataFrameModel):
    """A row: one article, its label, and the place in the raw files where it stands (line from 1)."""

    text: str = pa.Field(description="what is read")
    label: str = pa.Field(str_length={"min_value": 1})
    split: str = pa.Field(isin=["train", "valid", "test"])
    file: str = pa.Field(str_length={"min_value": 1})
    line: int = pa.Field(ge=1)

    class Config:
        """No other columns, in this order."""

        strict = True
        ordered = True

    @pa.check("text", name="no word: a text needs at least one letter, digit or symbol")
    def _has_a_word(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col(data.key).str.contains(r"[\p{L}\p{N}\p{So}--\x{FFFD}]"))

    @pa.check("text", name="NUL character: the file was damaged or is not text")
    def _has_no_nul(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(~pl.col(data.key).str.contains("\0", literal=True))

    @pa.check("text", name=f"too long: an article has at most {MAX_FIELD:,} characters")
    def _is_not_too_long(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col(data.key).str.len_chars() <= MAX_FIELD)


def read(path: Path) -> pl.DataFrame:
    """The articles at `path`; raises pandera's SchemaError where they break the contract."""
    return _kept(pl.read_parquet(path))


def write(articles: pl.DataFrame, path: Path) -> None:
    """Writes articles that keep the contract, whole or not at all."""
    write_table(_kept(articles), path)


def _kept(articles: pl.DataFrame) -> pl.DataFrame:
    """The articles, asked part by part: pandera copies what it is given."""
    for part in (articles.head(0), *articles.iter_slices(PART)):
        Article.validate(part)
    return articles


def write_table(table: pl.DataFrame, path: Path) -> None:
    """Writes any table as parquet, whole or not at all; rows keep their order, so equal tables are equal bytes."""
    with atomic.written(path) as partial:
        table.write_parquet(partial)


def sort_out(articles: pl.DataFrame, labels: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Parts the rows that keep the contract, labels included, from those that do not (with a reason)."""
    schema = deepcopy(Article.to_schema())  # pandera keeps one for all
    schema.columns["label"].checks = [pa.Check.isin(labels, error=_UNKNOWN)]
    try:
        return schema.validate(articles, lazy=True), _rejects(
            articles, pl.DataFrame({"index": [], "check": []}), labels
        )
    except SchemaErrors as broken:
        cases = broken.failure_cases.select("index", "check")
    return (
        articles.with_row_index().filter(~pl.col("index").is_in(cases["index"].implode())).drop("index"),
        _rejects(articles, cases, labels),
    )


def _rejects(articles: pl.DataFrame, cases: pl.DataFrame, labels: list[str]) -> pl.DataFrame:
    rows = articles.with_row_index().join(
        cases.with_columns(pl.col("index").cast(pl.UInt32), pl.col("check").cast(pl.String)).unique(
            maintain_order=True
        ),
        on="index",
        maintain_order="left",
    )
    names = rows.filter(pl.col("check") == _UNKNOWN)["label"].unique(maintain_order=True)
    reason = pl.when(pl.col("check") == _UNKNOWN).then(
        pl.col("label").replace_strict(names, [unknown(name, labels) for name in names], default=None)
    )
    seen = pl.format("{}: {}", pl.col("label").fill_null(""), pl.col("text").fill_null("").str.slice(0, SEEN))
    return (
        rows.with_columns(reason.otherwise(pl.col("check")).alias("reason"), seen=seen)
        .group_by("index", "split", "file", "line", "seen", maintain_order=True)
        .agg(pl.col("reason").str.join("; "))
        .with_columns(pl.col("seen").map_elements(shown, return_dtype=pl.String))
        .select("split", "file", "line", "reason", "seen")
    )


def kinds(rejects: pl.DataFrame) -> pl.DataFrame:
    """How many rejects there are of each kind of reason, and the first; a kind quotes nothing from the corpus."""
    kind = pl.col("reason").str.extract(r"""^([^:('"]*)""").str.strip_chars()
    place = pl.format("{}, line {}: {}", pl.col("file").first(), pl.col("line").first(), pl.col("reason").first())
    counted = rejects.group_by(kind.alias("kind"), maintain_order=True).agg(rows=pl.len(), first=place)
    return counted.rename({"kind": "reason"}).sort("rows", "reason", descending=[True, False])


def unknown(label: str, labels: list[str]) -> str:
    """Why a label is none of `labels`, and which it may have been meant to be."""
    foreign = sorted({c for c in label if not c.isascii()} - set("".join(labels)))
    points = f" ({', '.join(f'U+{ord(c):04X}' for c in foreign[:5])})" if foreign else ""
    near = get_close_matches(label.strip().casefold(), [name.casefold() for name in labels], n=1, cutoff=0.7)
    meant = next((name for name in labels if near and name.casefold() == near[0]), None)
    named = ", ".join(shown(name, 60) for name in labels[:20])
    hint = f"did you mean {quoted(meant)}?" if meant else f"the description names {named}"
    return f"{_UNKNOWN} {quoted(label)}{points}: {hint}"
