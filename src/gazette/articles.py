"""The table of articles: its contract (pandera), asked at every read and write."""

from copy import deepcopy
from pathlib import Path

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

MAX_CHARACTERS = 100_000  # a long read has 50,000; more is a file gone wrong


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

    @pa.check("text", name="no word: a text needs at least one letter or digit")
    def _has_a_word(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col(data.key).str.contains(r"[\p{L}\p{N}]"))

    @pa.check("text", name="NUL character: the file was damaged or is not text")
    def _has_no_nul(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(~pl.col(data.key).str.contains("\0", literal=True))

    @pa.check("text", name=f"too long: an article has at most {MAX_CHARACTERS:,} characters")
    def _is_not_too_long(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col(data.key).str.len_chars() <= MAX_CHARACTERS)


def read(path: Path) -> pl.DataFrame:
    """The articles at `path`; raises pandera's SchemaError where they break the contract."""
    return Article.validate(pl.read_parquet(path))


def write(articles: pl.DataFrame, path: Path) -> None:
    """Writes articles that keep the contract, whole or not at all."""
    write_table(Article.validate(articles), path)


def write_table(table: pl.DataFrame, path: Path) -> None:
    """Writes any table as parquet, whole or not at all; rows keep their order, so equal tables are equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    table.write_parquet(partial)
    partial.rename(path)


def sort_out(articles: pl.DataFrame, labels: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Parts the rows that keep the contract, labels included, from those that do not (with a reason)."""
    schema = deepcopy(Article.to_schema())  # pandera keeps one for all
    schema.columns["label"].checks.append(
        pa.Check.isin(labels, error="unknown label: the description names " + ", ".join(labels))
    )
    try:
        return schema.validate(articles, lazy=True), _rejects(articles, pl.DataFrame({"index": [], "check": []}))
    except SchemaErrors as broken:
        cases = broken.failure_cases.select("index", "check")
    return (
        articles.with_row_index().filter(~pl.col("index").is_in(cases["index"].implode())).drop("index"),
        _rejects(articles, cases),
    )


def _rejects(articles: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    reasons = (
        cases.with_columns(pl.col("index").cast(pl.UInt32), pl.col("check").cast(pl.String))
        .unique(maintain_order=True)
        .group_by("index", maintain_order=True)
        .agg(reason=pl.col("check").str.join("; "))
    )
    rows = articles.with_row_index().join(reasons, on="index", maintain_order="left")
    seen = pl.format("{}: {}", pl.col("label").fill_null(""), pl.col("text").fill_null("")).str.slice(0, 200)
    return rows.select("split", "file", "line", "reason", seen=seen)
