"""Articles of the journal that a person is asked to label, and the answers.

Articles drawn at random estimate accuracy. Those on which champion and challenger disagree teach more, but tell nothing
about accuracy, so they are marked and never mixed in. Questions lie in `asked/`, a file for each call, with texts that
are masked. Answers lie in `answers/` without text, and as feedback, from which a corpus is corrected.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from prefect_dvc import locks
from prefect_dvc.core import atomic

from gazette.core import files
from gazette.data import feedback
from gazette.data.feedback import Feedback
from gazette.pipeline import lines
from gazette.serving.journal import read as journal_read
from gazette.serving.journal.records import HOUR

ASKED, ANSWERS, LOCK = "asked", "answers", "lock"
RANDOM, DISAGREEMENT = "asked", "disagreement"
QUESTION = ("id", "hour", "digest", "predicted", "how", "when", "text")
ANSWER = ("id", "hour", "digest", "predicted", "how", "when", "label")
FRESH_DAYS = 28  # of which articles are drawn first if nobody was asked before


@dataclass(frozen=True)
class Draw:
    """How many articles to draw, the part of them by disagreement, and the seed."""

    articles: int
    disagreement: float
    seed: int


def ask(journal: Path, folder: Path, digest: str, draw: Draw, now: datetime) -> pl.DataFrame:
    """Draw articles that the bundle labeled and nobody was asked about, and write them as questions.

    What came since the last questions is drawn first, so that a loss shows soon. Returns QUESTION's columns in order of
    time, which does not tell which are random; fewer rows than wanted if the sample has no more.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locks.file_lock(folder / LOCK, "another process asks for labels"):
        before = read_questions(folder)
        known = [*before["id"], *read(folder)["id"]]
        candidates = find_candidates(journal, digest).filter(~pl.col("id").is_in(known))
        asked_at = before["when"].max()
        since = datetime.fromisoformat(str(asked_at)) if asked_at is not None else now - timedelta(days=FRESH_DAYS)
        questions = draw_articles(candidates, since, len(known), draw)
        questions = questions.with_columns(
            pl.col("hour").dt.strftime(HOUR), when=pl.lit(now.isoformat(timespec="seconds")), digest=pl.lit(digest)
        ).select(QUESTION)
        if questions.height:
            path = folder / ASKED / f"{now:%Y-%m-%dT%H%M%S.%f}.jsonl"
            path.parent.mkdir(exist_ok=True, mode=0o700)
            atomic.write_text(path, "".join(map(_line, questions.iter_rows(named=True))))
    return questions


def find_candidates(journal: Path, digest: str) -> pl.DataFrame:
    """Return the sampled texts that the bundle labeled: id, hour, predicted, text, and whether a shadow disagrees.

    An id that several records or texts share is left out: nobody could say which one is meant.
    """
    texts = journal_read.texts(journal)
    if texts.is_empty():
        return texts.select("id", "hour", "text", predicted=pl.lit(""), disagrees=pl.lit(False))
    records = journal_read.scan(journal, since=texts["hour"].min())  # type: ignore[arg-type]
    records = records.filter(pl.col("id").is_in(texts["id"].implode()))
    answered = records.select("id", "digest", "label", "source").collect(engine="streaming")
    own = answered.filter((pl.col("digest") == digest) & (pl.col("source") != "shadow"))
    shadow = answered.filter(pl.col("source") == "shadow").unique("id", keep="last").select("id", other="label")
    own, texts = (frame.filter(pl.col("id").is_unique()) for frame in (own.select("id", predicted="label"), texts))
    joined = texts.join(own, on="id").join(shadow, on="id", how="left")
    disagrees = (pl.col("predicted") != pl.col("other")).fill_null(False)
    return joined.select("id", "hour", "text", "predicted", disagrees=disagrees).sort("hour", "id")


def draw_articles(candidates: pl.DataFrame, since: datetime, asked_before: int, draw: Draw) -> pl.DataFrame:
    """Draw from candidates: the newer ones first, then older ones; then the part by disagreement from what is left.

    Deterministic by the seed and by how many were asked before.
    """
    generator = np.random.default_rng([draw.seed, asked_before])
    by_disagreement = min(round(draw.articles * draw.disagreement), int(candidates["disagrees"].sum()))
    shuffled = candidates[generator.permutation(candidates.height)]
    newest_first = shuffled.sort(pl.col("hour") < since, maintain_order=True)
    random = newest_first.head(draw.articles - by_disagreement)
    rest = newest_first.slice(random.height).filter("disagrees").head(by_disagreement)
    parts = [random.with_columns(how=pl.lit(RANDOM)), rest.with_columns(how=pl.lit(DISAGREEMENT))]
    return pl.concat(parts).sort("hour", "id")


@dataclass(frozen=True)
class Outcome:
    """How many answers were recorded, how many had been recorded before, and how many labels changed."""

    recorded: int
    known: int
    changed: int


def record(folder: Path, to: Path, labels: dict[str, str], who: str, now: datetime) -> Outcome:
    """Record a label for each id of a question, as an answer and as feedback in folder `to`; once is enough.

    Of two answers to a question the later counts. Raises KeyError if an id is of no question.
    """
    questions = {row["id"]: row for row in read_questions(folder).iter_rows(named=True)}
    before = dict(read(folder).select("id", "label").iter_rows())
    new = {key: label for key, label in labels.items() if before.get(key) != label}
    when = now.isoformat(timespec="seconds")
    for key, label in new.items():
        row = questions[key]
        feedback.append(to, Feedback(row["text"], label, row["predicted"], row["digest"], when, who, row["how"]))
    answers = [{name: questions[key][name] for name in ANSWER[:5]} | {"when": when, "label": new[key]} for key in new]
    if answers:
        (folder / ANSWERS).mkdir(exist_ok=True, mode=0o700)
        lines.append(folder / ANSWERS / f"{when[:10]}.jsonl", "".join(map(_line, answers)).encode())
    return Outcome(len(new), len(labels) - len(new), sum(key in before for key in new))


def read_questions(folder: Path) -> pl.DataFrame:
    """Return all questions that are kept, in the order in which they were asked."""
    rows = _read_lines(sorted((folder / ASKED).glob("*.jsonl")), QUESTION)
    return pl.DataFrame(rows, schema=dict.fromkeys(QUESTION, pl.String)).unique("id", maintain_order=True)


def read(folder: Path) -> pl.DataFrame:
    """Return the answers with ANSWER's columns, ordered by hour and id; of two to one question the later."""
    rows = _read_lines(sorted((folder / ANSWERS).glob("*.jsonl")), ANSWER)
    table = pl.DataFrame(rows, schema=dict.fromkeys(ANSWER, pl.String)).unique("id", keep="last", maintain_order=True)
    return table.with_columns(hour=journal_read.to_moment(pl.col("hour"))).sort("hour", "id")


def remove_questions(folder: Path, before: datetime) -> int:
    """Remove questions that were asked before a moment, with their texts, and return how many files that were."""
    old = [path for path in (folder / ASKED).glob("*") if path.name < f"{before:%Y-%m-%dT%H%M%S}"]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _read_lines(paths: Iterable[Path], keys: tuple[str, ...]) -> list[dict[str, str]]:
    return [
        files.parse_line(line, keys, f"{path}, line {number}")
        for path in paths
        for number, line in enumerate(path.read_bytes().splitlines(), 1)
        if line.strip()
    ]


def _line(row: dict[str, str]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"
