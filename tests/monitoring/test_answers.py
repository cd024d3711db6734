"""Questions are drawn at random and once; answers are recorded once, and what was not random is marked."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazette.data import feedback
from gazette.monitoring import answers
from gazette.monitoring.answers import Draw
from gazette.serving.journal import layout, write
from gazette.serving.journal.records import Prediction

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LABELS = ["sport", "trade"]


def prediction(identifier: str, hour: str = "2026-03-01T10", digest: str = "d", **more: str) -> Prediction:
    row = {"label": "sport", "source": "serve"} | more
    return Prediction(hour, digest, identifier, row["label"], [0.9, 0.1], 5, 0.0, "", 1.0, row["source"])  # type: ignore[arg-type]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Twenty served articles, all of them sampled; the shadow `e` disagrees on five."""
    folder = tmp_path / "journal"
    rows = [prediction(f"r{number}#0") for number in range(20)]
    rows += [prediction(f"r{number}#0", digest="e", label="trade", source="shadow") for number in range(5)]
    write.append(folder, rows)
    texts = "".join(
        f'{{"id": "r{number}#0", "hour": "2026-03-01T10", "text": "text {number}"}}\n' for number in range(20)
    )
    place = folder / layout.TEXTS
    place.mkdir()
    (place / "2026-03-01T10.jsonl").write_text(texts)
    return folder


def ask(journal: Path, articles: int = 5, now: datetime = NOW, part: float = 0.0, digest: str = "d") -> pl.DataFrame:
    return answers.ask(journal, journal.parent / "monitor", digest, Draw(articles, part, 7), now)


def test_nobody_is_asked_twice_and_all_are_asked_in_the_end(journal: Path) -> None:
    questions = [ask(journal, 6, NOW + timedelta(minutes=number)) for number in range(5)]
    assert [table.height for table in questions] == [6, 6, 6, 2, 0]
    assert len({*pl.concat(questions)["id"]}) == 20


def test_the_same_seed_draws_the_same_articles(journal: Path, tmp_path: Path) -> None:
    first = ask(journal)
    again = answers.ask(journal, tmp_path / "again", "d", Draw(5, 0.0, 7), NOW)
    assert first["id"].to_list() == again["id"].to_list()
    third = answers.ask(journal, tmp_path / "third", "d", Draw(5, 0.0, 8), NOW)
    assert third["id"].to_list() != first["id"].to_list()


def test_articles_of_another_version_are_not_drawn(journal: Path) -> None:
    assert ask(journal, digest="e").is_empty()


def test_an_id_of_several_records_is_not_drawn(journal: Path) -> None:
    write.append(journal, [prediction("r3#0", label="trade")])
    assert "r3#0" not in ask(journal, 20)["id"]


def test_what_came_since_the_last_questions_is_drawn_first(journal: Path) -> None:
    ask(journal, 2)
    write.append(journal, [prediction(f"new{number}#0", "2026-03-03T10") for number in range(4)])
    lines = (f'{{"id": "new{number}#0", "hour": "2026-03-03T10", "text": "new"}}\n' for number in range(4))
    (journal / layout.TEXTS / "2026-03-03T10.jsonl").write_text("".join(lines))
    later = ask(journal, 6, NOW + timedelta(days=2))
    assert sum(key.startswith("new") for key in later["id"]) == 4


ROWS = st.lists(st.tuples(st.integers(0, 99), st.booleans()), max_size=40, unique_by=lambda row: row[0])


@given(ROWS, st.integers(1, 20), st.floats(0, 0.9), st.integers(0, 9))
def test_random_questions_do_not_depend_on_disagreement(
    rows: list[tuple[int, bool]], wanted: int, part: float, seed: int
) -> None:
    """Whatever share is drawn by disagreement, the random part is the beginning of one random order."""
    schema = {"id": pl.String, "hour": pl.Datetime("us", "UTC"), "text": pl.String, "disagrees": pl.Boolean}
    hour = datetime(2026, 3, 1, tzinfo=UTC)
    table = pl.DataFrame([(str(n), hour, "", differs) for n, differs in rows], schema=schema, orient="row")
    drawn = answers.draw_articles(table, hour, 0, Draw(wanted, part, seed))
    without = answers.draw_articles(table, hour, 0, Draw(wanted, 0.0, seed))
    random, rest = (drawn.filter(how=how) for how in ("asked", "disagreement"))
    assert {*random["id"]} <= {*without["id"]}
    assert rest["disagrees"].all()
    assert drawn["id"].is_unique().all()
    assert drawn.height <= wanted


def test_the_part_by_disagreement_is_marked_and_no_estimate(journal: Path) -> None:
    questions = ask(journal, 10, part=0.3)
    by_how = dict(questions.group_by("how").len().iter_rows())
    assert by_how["asked"] == 7
    assert 1 <= by_how["disagreement"] <= 3  # the random ones may have taken the others
    disagreed = questions.filter(how="disagreement")["id"]
    assert {*disagreed} <= {f"r{number}#0" for number in range(5)}


def test_answers_are_feedback_and_lines_and_the_same_again_is_not(journal: Path, tmp_path: Path) -> None:
    questions = ask(journal, 3)
    first, second, _ = questions["id"]
    monitor, to = tmp_path / "monitor", tmp_path / "feedback"
    outcome = answers.record(monitor, to, {first: "sport", second: "trade"}, "ann", NOW)
    assert (outcome.recorded, outcome.known, outcome.changed) == (2, 0, 0)
    outcome = answers.record(monitor, to, {first: "trade", second: "trade"}, "ann", NOW)
    assert (outcome.recorded, outcome.known, outcome.changed) == (1, 1, 1)
    table = answers.read(monitor)
    assert dict(table.select("id", "label").iter_rows()) == {first: "trade", second: "trade"}
    assert table["predicted"].unique().to_list() == ["sport"]
    assert table["hour"].unique().to_list() == [datetime(2026, 3, 1, 10, tzinfo=UTC)]
    records, torn = feedback.read(to / "2026-03-02.jsonl")
    assert [(record.label, record.how, record.digest) for _, record in records] == [
        ("sport", "asked", "d"), ("trade", "asked", "d"), ("trade", "asked", "d"),
    ]  # fmt: skip
    assert records[0][1].text.startswith("text")
    assert not torn
    assert "text" not in (monitor / "answers" / "2026-03-02.jsonl").read_text()


def test_old_questions_go_with_their_texts_and_answers_stay(journal: Path, tmp_path: Path) -> None:
    first = ask(journal, 3)["id"][0]
    monitor = tmp_path / "monitor"
    answers.record(monitor, tmp_path / "feedback", {first: "sport"}, "ann", NOW)
    assert answers.remove_questions(monitor, NOW) == 0
    assert answers.remove_questions(monitor, NOW + timedelta(seconds=1)) == 1
    assert answers.read_questions(monitor).is_empty()
    assert answers.read(monitor).height == 1
    assert first not in ask(journal, 20, NOW + timedelta(days=1))["id"]
