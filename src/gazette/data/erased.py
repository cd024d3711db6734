"""Articles that were erased: `data/erased.jsonl` has the SHA-256 of each normalized text, and nothing else of it.

Raw data that bring one back lose it again in `validate`, with a reason.
"""

import hashlib
import json
from pathlib import Path

import polars as pl
from prefect_dvc.core import atomic

from gazette.core import files
from gazette.core.normalization import normalize

PATH = Path("data/erased.jsonl")
REASON = f"erased on request: {PATH} has its hash"


def hash_texts(texts: pl.Series) -> pl.Series:
    """Return the SHA-256 of each text, normalized, so that white space and case make no difference."""
    digests = [hashlib.sha256(key.encode()).hexdigest() for key in normalize(texts)]
    return pl.Series(texts.name, digests, dtype=pl.String)


def read_erased(path: Path = PATH) -> frozenset[str]:
    """Return the hashes of erased articles; none if there is no file. Raises DataContractError if a line is damaged."""
    content = path.read_bytes().splitlines() if path.exists() else []
    lines = ((number, line) for number, line in enumerate(content, 1) if line.strip())
    return frozenset(files.parse_line(line, ("sha256",), f"{path}, line {number}")["sha256"] for number, line in lines)


def record_erased(digest: str, path: Path = PATH) -> bool:
    """Add a hash to the file, atomically; returns whether it was new."""
    if digest in read_erased(path):
        return False
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    atomic.write_text(path, before + json.dumps({"sha256": digest}) + "\n")
    return True


def split_erased(articles: pl.DataFrame, erased: frozenset[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split articles into those that were not erased, and rejects of the others, which do not show the text."""
    if not erased or articles.is_empty():
        return articles, _reject(articles.clear())
    is_erased = hash_texts(articles["text"]).is_in(list(erased))
    return articles.filter(~is_erased), _reject(articles.filter(is_erased))


def _reject(articles: pl.DataFrame) -> pl.DataFrame:
    return articles.select("split", "file", "line", reason=pl.lit(REASON), seen=pl.format("{}: …", "label"))
