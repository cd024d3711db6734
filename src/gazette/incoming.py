"""Texts that somebody wants labelled, from a file or standard input."""

import sys
from pathlib import Path

import polars as pl

from gazette.errors import Misconfigured


def read(source: Path) -> list[str]:
    """The texts of CSV, TSV or JSON lines (column `text`), or one per line; `-` is standard input, one per line.

    Raises Misconfigured where the file is not what its name says, or has no such column.
    """
    ending = source.suffix.lower()
    if str(source) != "-" and not source.is_file():
        raise Misconfigured(f"{source}: no such file")
    if ending in (".json", ".parquet", ".xlsx", ".zip", ".gz"):
        raise Misconfigured(f"{source}: give CSV, TSV, JSON lines or plain lines")
    try:
        if str(source) == "-":
            return [line.rstrip("\r\n") for line in sys.stdin]
        if ending in (".csv", ".tsv"):
            table = pl.read_csv(source, separator={".csv": ",", ".tsv": "\t"}[ending], infer_schema=False)
        elif ending in (".jsonl", ".ndjson"):
            table = pl.read_ndjson(source, infer_schema_length=None)
        else:
            return source.read_text(encoding="utf-8-sig").removesuffix("\n").split("\n")
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{source} cannot be read: {error}") from None
    if table.schema.get("text") != pl.String:
        raise Misconfigured(f"{source}: no column `text` with texts; it has {', '.join(table.columns)}")
    if table["text"].has_nulls():
        raise Misconfigured(f"{source}, row {table['text'].is_null().arg_max() + 1}: no text")  # type: ignore[operator]
    return table["text"].to_list()
