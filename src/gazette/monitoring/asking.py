"""Questions for people, as a CSV: drawn by a command, or by the flow `watch`."""

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
from prefect_dvc.core.errors import ConfigError

from gazette.core.escape import tally
from gazette.monitoring import answers, observe, questionnaire
from gazette.monitoring.answers import Draw
from gazette.registry import ledger


def default_path(root: Path, when: datetime) -> Path:
    """Return the path of questions that are drawn at a moment; they are removed with their texts."""
    return root / observe.FOLDER / answers.ASKED / f"{when:%Y-%m-%dT%H%M%S.%f}.csv"


def draw_questions(root: Path, digest: str, draw: Draw, when: datetime, path: Path) -> pl.DataFrame:
    """Draw articles that a bundle labeled, write them to a CSV, unless there are none, and return them.

    Questions older than `monitor.text_days` are removed.
    """
    folder = root / observe.FOLDER
    answers.remove_questions(folder, when - timedelta(days=observe.read_params().text_days))
    questions = answers.ask(root / observe.JOURNAL, folder, digest, draw, when)
    if questions.height:
        questionnaire.write_questions(path, questions)
    return questions


def ask(root: Path, name: str, rows: int | None, when: datetime) -> str:
    """Draw articles that the champion labeled, None: as many as in a week, and return what a person has to do.

    The same again, after a kill, draws none; empty if there is nothing to ask.
    """
    champion = ledger.current_champion(ledger.read_ledger(root / ledger.PATH), name)
    if champion is None:
        raise ConfigError(f"{name} has no champion, so there is nothing to ask about: `gazette promote`")
    params, path = observe.read_params(), default_path(root, when.replace(microsecond=0))
    draw = Draw(rows or params.labels_a_week, params.disagreement, params.seed)
    questions = answers.read_questions(root / observe.FOLDER).filter(when=when.isoformat(timespec="seconds"))
    if questions.height:  # a run that was killed drew them
        questionnaire.write_questions(path, questions)
    else:
        questions = draw_questions(root, champion.digest, draw, when, path)
    if questions.is_empty():
        return ""
    return f"{tally(questions.height, 'article')} to label: fill in {path}, then `gazette monitor answer {path}`"
