"""Which words make the difference between sampled texts of traffic and the version's own rows."""

from datetime import datetime
from pathlib import Path

import polars as pl

from gazette.core import files
from gazette.data.validation import personal_data
from gazette.monitoring import reference
from gazette.monitoring.reference import Version
from gazette.serving.journal import read as journal_read
from gazette.training.explanation import domain
from gazette.training.explanation.domain import Difference
from gazette.training.explanation.words import split_words

MAX_TEXTS = 5_000  # of a side
WORDS = 20


def compare_words(journal: Path, version: Version, name: str, since: datetime, seed: int) -> Difference | None:
    """Return how texts sampled since a moment differ from the version's valid and test rows; None if they are few.

    Personal data is masked in both, as in the sample. Raises ConfigError if the rows or the bundle are nowhere.
    """
    texts = journal_read.texts(journal).filter(pl.col("hour") >= since)["text"]
    if texts.len() < domain.MIN_TEXTS:
        return None
    language = files.read_json(reference.find_folder(version, name) / "bundle.json")["language"]
    own = reference.read_articles(version)["text"]
    own = own.sample(min(own.len(), MAX_TEXTS), seed=seed)
    own = personal_data.mask(own, personal_data.find_personal_data(own, language))
    texts = texts.sample(min(texts.len(), MAX_TEXTS), seed=seed)
    before, after = (split_words(side.to_list()) for side in (own, texts))
    return domain.compare(before, after, WORDS, seed)
