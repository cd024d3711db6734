"""A record of the journal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from gazette.serving.answers import Answers

HOUR = "%Y-%m-%dT%H"
Source = Literal["serve", "score", "shadow"]  # shadow: answered aside, under the id of the answer that was sent


@dataclass(frozen=True)
class Prediction:
    """An answer to a text, without the text.

    `hour` is in UTC (`2026-11-29T14`), `digest` is of the bundle, `id` is of the request and the text's place in it or
    of the scoring and the row's place, `probabilities` are in the order of the bundle's labels, `unknown` is the share
    of `tokens` that are not in the vocabulary, `language` is empty if it was not detected.
    """

    hour: str
    digest: str
    id: str
    label: str
    probabilities: Sequence[float]
    tokens: int
    unknown: float
    language: str
    milliseconds: float
    source: Source


def hour_of(moment: datetime) -> str:
    """Return the hour of a moment in UTC, as records have it."""
    return moment.astimezone(UTC).strftime(HOUR)


def make(
    answers: Answers,
    labels: Sequence[str],
    ids: Sequence[str],
    languages: Sequence[str],
    *,
    hour: str,
    digest: str,
    milliseconds: float,
    source: Source,
) -> list[Prediction]:
    """Make the records of answers to texts with these ids."""
    rows = answers.probabilities.astype(float).round(3).tolist()
    best = answers.probabilities.argmax(axis=1).tolist()
    columns = zip(ids, rows, best, answers.tokens.tolist(), answers.unknown.tolist(), languages, strict=True)
    return [
        Prediction(hour, digest, id, labels[label], row, tokens, round(unknown, 3), language, milliseconds, source)
        for id, row, label, tokens, unknown, language in columns
    ]
