"""Questions of the flow `watch`: articles of the journal, as a CSV for people."""

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from gazette.core.errors import ConfigError
from gazette.monitoring import answers, observe, questionnaire
from gazette.monitoring.answers import Draw
from gazette.registry import ledger


def ask(root: Path, name: str, rows: int | None, when: datetime) -> str:
    """Draw articles that the champion labeled, None: as many as in a week, and return what a person has to do.

    Nothing is drawn again if something was drawn at `when`; empty if there is nothing to ask.
    """
    champion = ledger.current_champion(ledger.read_ledger(root / ledger.PATH), name)
    if champion is None:
        raise ConfigError(f"{name} has no champion, so there is nothing to ask about: `gazette promote`")
    folder, params = root / observe.FOLDER, observe.read_params()
    answers.remove_questions(folder, when - timedelta(days=params.text_days))
    before = answers.read_questions(folder)
    questions = before.filter(pl.col("when") == when.isoformat(timespec="seconds"))
    if questions.is_empty():
        draw = Draw(rows or params.labels_a_week, params.disagreement, params.seed)
        questions = answers.ask(root / observe.JOURNAL, folder, champion.digest, draw, when)
    if questions.is_empty():
        return ""
    path = folder / answers.ASKED / f"{when:%Y-%m-%dT%H%M%S}.csv"  # removed with the questions
    questionnaire.write_questions(path, questions)
    return f"{questions.height:,} articles to label: fill in {path}, then `gazette monitor answer {path}`"
