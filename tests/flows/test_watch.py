"""The flow `watch` on a real project with a real Prefect server: from an alarm without labels to a rollback."""

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flow_runs import Flow, until
from watched import Watched, make_watched, write_traffic

from gazette.monitoring import answers
from gazette.monitoring.answers import Draw
from gazette.serving.journal.records import hour_of

pytestmark = pytest.mark.slow


@pytest.fixture
def watched(tmp_path: Path, flow: Flow) -> Watched:
    return make_watched(tmp_path, flow)


def test_alarm_labels_training_promotion_and_rollback_follow_each_other(watched: Watched) -> None:
    now, first = datetime.now(UTC), watched.champion
    write_traffic(watched, now)

    assert watched.run() == ["ask", "wait"]
    questions = answers.read_questions(watched.questions)
    assert questions.height == 40
    assert list(watched.questions.glob("asked/*.csv"))
    assert watched.run() == ["wait"]  # asked once; no label has come, so nothing is trained
    assert watched.subjects() == ["ran", "start"]

    watched.answer(questions, "sports")
    process = watched.start()
    until(lambda: watched.subjects()[0].startswith("Correct the corpus tiny"), within=300)
    process.send_signal(signal.SIGKILL)  # in the training
    process.wait()
    assert watched.run() == ["train", "promote", "wait"]
    assert [subject.split(":")[0] for subject in watched.subjects()[:3]] == [
        "Retrained",
        "Correct the corpus tiny",
        "ran",
    ]
    second = watched.champion
    assert second.digest != first.digest and watched.entries[-1].who.startswith("the flow watch")

    latest = hour_of(now + timedelta(hours=2))
    watched.sample(latest, watched.predict(latest, "business", range(60)))
    draw = Draw(40, 0.0, 7)
    watched.answer(answers.ask(watched.journal, watched.questions, second.digest, draw, datetime.now(UTC)), "sports")
    assert watched.run()[0] == "roll_back"
    (rollback,) = (entry for entry in watched.entries if entry.kind == "rollback")
    assert rollback.to == first
    assert rollback.reason.startswith("the CUSUM of errors reached")
    watched.run()  # may train on the new answers, but does not return to what was left
    assert second.digest not in [entry.to.digest for entry in watched.entries[rollback.number - 1 :]]
    assert "rolled it back" in watched.project("gazette promote 2", code=1)
