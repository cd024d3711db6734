"""The table of articles and its contract, which pandera checks at every read and write."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors
from prefect_dvc.core.errors import DataContractError
from prefect_dvc.core.escape import MAX_SHOWN, escape

from gazette.core import tables
from gazette.core.escape import quote
from gazette.core.limits import MAX_FIELD

_UNKNOWN = "unknown label"
PART = 1 << 17  # rows that are read and validated at a time


class Article(pa.DataFrameModel):
    """A row: one article, its label, and its location in the raw files (line from 1)."""

    text: str = pa.Field(description="title and body")
    label: str = pa.Field(str_length={"min_value": 1})
    split: str = pa.Field(isin=["train", "valid", "test"])
    file: str = pa.Field(str_length={"min_value": 1})
    line: int = pa.Field(ge=1)
    date: Annotated[pl.Datetime, "us", "UTC"] | None = pa.Field(nullable=True, description="when it was published")
    train_label: str | None = pa.Field(nullable=True, description="a volunteer's label, if the row falls into train")

    class Config:
        """Exactly these columns, in this order; `date` if files have dates, `train_label` if volunteers corrected."""

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


COLUMNS = tuple(Article.to_schema().columns)


def read_articles(path: Path) -> pl.DataFrame:
    """Read the articles at `path`; raises DataContractError, with the row and its place, if they break the contract."""
    return _check(tables.read_parquet(path), path)


def iter_articles(path: Path) -> Iterator[pl.DataFrame]:
    """Read articles a part at a time, at least one, otherwise like `read_articles`."""
    rows = tables.scan_parquet(path)
    total = rows.select(pl.len()).collect().item()
    for start in range(0, max(total, 1), PART):
        yield _check(rows.slice(start, PART).collect(), path)


def sample_articles(path: Path, max_rows: int | None, seed: int) -> pl.DataFrame:
    """Read at most `max_rows` articles (None: all), sampled by a seed, otherwise like `read_articles`."""
    total = tables.scan_parquet(path).select(pl.len()).collect().item()
    if max_rows is None or max_rows >= total:
        return read_articles(path)
    rows, start, parts = sample_rows(total, max_rows, seed), 0, []
    for part in iter_articles(path):
        first, stop = np.searchsorted(rows, (start, start + part.height))
        parts.append(part[rows[first:stop] - start].with_columns(pl.col("text") + ""))  # a copy, not a view of the part
        start += part.height
    return pl.concat(parts)


def _check(articles: pl.DataFrame, path: Path) -> pl.DataFrame:
    try:
        return _validate(articles)
    except SchemaErrors as errors:
        raise DataContractError(
            f"{path} breaks the contract of articles. A stage wrote it, so it was changed since: remove it, and "
            f"`gazette run` makes it again. {_describe_first(errors)}"
        ) from None


def write_articles(path: Path, articles: pl.DataFrame | pl.LazyFrame) -> None:
    """Write articles atomically; raises pandera's SchemaErrors if they break the contract."""
    tables.sink_parquet(path, articles.lazy().map_batches(_validate, streamable=True))


def _validate(articles: pl.DataFrame) -> pl.DataFrame:
    """Return the articles, validated in parts since pandera copies its input."""
    for part in articles.iter_slices(PART) if articles.height else [articles]:
        Article.validate(part, lazy=True)
    return articles


def _describe_first(errors: SchemaErrors) -> str:
    """Return the first rule that is broken; for a rule about rows, with the place of the first row."""
    breach = errors.failure_cases.row(0, named=True)
    place = ""
    if breach["index"] is not None and {"file", "line"} <= set(errors.data.columns):
        file, line = errors.data.select("file", "line").row(breach["index"])
        place = f", {escape(str(file))}, line {line}"
    return f"Column {breach['column']}{place}: {breach['check']}; seen: {quote(breach['failure_case'])}"


def split_invalid(articles: pl.DataFrame, labels: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split rows into articles that keep the contract, labels included, and rejects with a reason."""
    schema = deepcopy(Article.to_schema())  # pandera caches the schema
    schema.columns["label"].checks = [pa.Check.isin(labels, error=_UNKNOWN)]
    breaches = pl.DataFrame(schema={"index": pl.UInt32, "check": pl.String})
    try:
        schema.validate(articles, lazy=True)
    except SchemaErrors as errors:
        breaches = errors.failure_cases.select(pl.col("index").cast(pl.UInt32), pl.col("check").cast(pl.String))
    rows = articles.with_row_index()
    valid = rows.join(breaches, on="index", how="anti", maintain_order="left").drop("index")
    return valid, _rejects(rows.join(breaches.unique(maintain_order=True), on="index", maintain_order="left"), labels)


def _rejects(rows: pl.DataFrame, labels: list[str]) -> pl.DataFrame:
    names = rows.filter(pl.col("check") == _UNKNOWN)["label"].unique(maintain_order=True)
    reason = pl.when(pl.col("check") == _UNKNOWN).then(
        pl.col("label").replace_strict(names, [unknown_label_reason(name, labels) for name in names], default=None)
    )
    seen = pl.format("{}: {}", pl.col("label").fill_null(""), pl.col("text").fill_null("").str.slice(0, MAX_SHOWN))
    return (
        rows.with_columns(reason.otherwise(pl.col("check")).alias("reason"), seen=seen)
        .group_by("index", "split", "file", "line", "seen", maintain_order=True)
        .agg(pl.col("reason").str.join("; "))
        .with_columns(pl.col("seen").map_elements(escape, return_dtype=pl.String))
        .select("split", "file", "line", "reason", "seen")
    )


def count_reasons(rejects: pl.DataFrame) -> pl.DataFrame:
    """Count the rejects of each kind of reason and show the first; a kind quotes nothing from the corpus."""
    kind = pl.col("reason").str.extract(r"""^([^:('"]*)""").str.strip_chars()
    location = pl.format("{}, line {}: {}", pl.col("file").first(), pl.col("line").first(), pl.col("reason").first())
    counts = rejects.group_by(kind.alias("kind"), maintain_order=True).agg(rows=pl.len(), first=location)
    return counts.rename({"kind": "reason"}).sort("rows", "reason", descending=[True, False])


def unknown_label_reason(label: str, labels: list[str]) -> str:
    """Return why a label is not one of `labels`, and the one that was probably meant."""
    foreign = sorted({c for c in label if not c.isascii()} - set("".join(labels)))
    points = f" ({', '.join(f'U+{ord(c):04X}' for c in foreign[:5])})" if foreign else ""
    near = get_close_matches(label.strip().casefold(), [name.casefold() for name in labels], n=1, cutoff=0.7)
    meant = next((name for name in labels if near and name.casefold() == near[0]), None)
    names = ", ".join(escape(name, 60) for name in labels[:20])
    hint = f"did you mean {quote(meant)}?" if meant else f"the description names {names}"
    return f"{_UNKNOWN} {quote(label)}{points}: {hint}"


def encode_labels(column: pl.Series, labels: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the labels of a column as indices into `labels`; raises polars' error if one is not among them."""
    return column.replace_strict(labels, range(len(labels)), return_dtype=pl.Int64).to_numpy()


def sample_rows(total: int, max_rows: int | None, seed: int) -> npt.NDArray[np.int64]:
    """Return sorted numbers of at most `max_rows` of `total` rows (None: all), sampled by a seed."""
    return np.sort(np.random.default_rng(seed).permutation(total)[:max_rows])
