"""What a version did on the valid and test rows of its own revision: the reference of windows and of errors."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from prefect_dvc import hashing, revisions
from prefect_dvc.core.errors import ConfigError

from gazette.core import articles, tables
from gazette.core.bundle import Bundle
from gazette.evaluation.gate import baseline
from gazette.pipeline import dvclock
from gazette.pipeline.dvclock import DvcLock
from gazette.serving.answers import answer
from gazette.serving.journal.scripts import language

SPLITS = {"valid": "preprocess", "test": "evaluate"}  # whose options name the paths


@dataclass(frozen=True)
class Version:
    """A version to watch: its digest, its number, if it has one, and the commit that made it, if it is known."""

    digest: str
    number: str
    revision: str | None


def read_articles(version: Version) -> pl.DataFrame:
    """Return the valid and test rows on which a version was selected and evaluated.

    They are those of the working tree if it has the same, or else come from DVC's cache or remote. Raises ConfigError
    if they are nowhere.
    """
    lock = _find_lock(version)
    parts = []
    for split, stage in SPLITS.items():
        path = str(lock.option(stage, split))
        if Path(path).is_file() and hashing.hash_file(Path(path), "md5") == lock.hash_of(path):
            parts.append(articles.read_articles(Path(path)))
            continue
        with tempfile.TemporaryDirectory() as box:
            fetched = revisions.fetch_file(str(lock.commit or "HEAD"), path, Path(box) / f"{split}.parquet")
            parts.append(articles.read_articles(fetched))
    return pl.concat(parts, how="diagonal")


def _find_lock(version: Version) -> DvcLock:
    """Return the record of the version's revision; that of the working tree if it selected the same bundle."""
    here = dvclock.load(None)
    return here if here.bundle == version.digest or not version.revision else dvclock.load(version.revision)


def predict(version: Version, corpus: str, folder: Path, threads: int) -> pl.DataFrame:
    """Return what a version predicts on its rows, in the columns of the journal, with column `actual`.

    It is remembered in `folder` by the hashes of the bundle and of the rows. Raises ConfigError if they are nowhere.
    """
    lock = _find_lock(version)
    hashes = [str(lock.hash_of(lock.option(stage, split))) for split, stage in SPLITS.items()]
    path = folder / f"{hashlib.sha256(' '.join([version.digest, *hashes]).encode()).hexdigest()[:32]}.parquet"
    if not path.exists():
        table = read_articles(version)
        bundle = Bundle(find_folder(version, corpus), threads)
        path.parent.mkdir(parents=True, exist_ok=True)
        tables.write_parquet(path, to_records(bundle, table))
    return tables.read_parquet(path)


def recorded_error(version: Version) -> float | None:
    """Return the error on the test rows that the version's revision recorded; None if it did not."""
    lock = dvclock.load_or_none(version.revision) if version.revision else dvclock.load(None)
    accuracy = lock.record("evaluate", "metrics").get("accuracy") if lock else None
    return None if accuracy is None else 1 - accuracy


def find_folder(version: Version, corpus: str) -> Path:
    """Return the folder of a version's bundle: the selected one, or the champion's, fetched if it is not here."""
    selected = Path(str(_find_lock(version).option("select", "bundle")))
    if selected.exists() and hashing.dvc_hash(selected) == version.digest:
        return selected
    base = baseline.find_baseline(None, corpus, str(selected))
    if base is None or base.digest != version.digest:
        raise ConfigError(f"the bundle {version.digest} of {corpus} is neither selected here nor champion")
    return base.folder


def to_records(bundle: Bundle, table: pl.DataFrame) -> pl.DataFrame:
    """Return predictions in the columns of the journal; `hour` is when the article appeared, null if unknown."""
    texts = table["text"].to_list()
    answers = answer(bundle, texts)
    best = answers.probabilities.argmax(axis=1).tolist()
    undated = pl.Series([None] * len(texts), dtype=pl.Datetime("us", "UTC"))
    return pl.DataFrame(
        {
            "hour": table["date"] if "date" in table.columns else undated,
            "label": pl.Series([bundle.labels[number] for number in best], dtype=pl.String),
            "probabilities": pl.Series(answers.probabilities.tolist(), dtype=pl.List(pl.Float32)),
            "tokens": answers.tokens,
            "unknown": answers.unknown,
            "language": pl.Series([language(text) for text in texts], dtype=pl.String),
            "actual": table["label"],
        }
    )
