"""Two clones that decide at once on a real registry: one wins, the other is told, and their ledgers stay the same.

Three rounds run with `make servers`; `pytest -m faults tests/production` runs fifty and prints a line for each.
"""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect_dvc.environment import child_environment
from promoters import NAME, Promoter
from real_servers import Tracking

from gazette.registry.store import client as registry

pytestmark = [pytest.mark.servers, pytest.mark.slow]

WHO = {f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
Clones = tuple[Promoter, Promoter]


@pytest.fixture
def clones(tracking: Tracking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clones]:
    """Two clones of a repository, and three versions at MLflow's server, of which the first is champion."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking.address)
    tracking.wait("/health")
    client = registry.connect()
    if not registry.get_model(client, NAME).versions:
        client.create_registered_model(NAME)
        for number in (1, 2, 3):
            client.create_model_version(NAME, f"s3://mlflow/{number}", tags={"digest": f"{number}.dir"})
    else:  # of the test before, whose ledger is gone
        client.delete_registered_model_tag(NAME, registry.FOLLOWED)
    environment = child_environment({**WHO, "MLFLOW_TRACKING_URI": tracking.address, "PYTHONPATH": "tests"})
    start = "git init -q --bare -b main origin.git && git clone -q origin.git a && git clone -q origin.git b"
    commit = "git -C a commit -q --allow-empty -m start && git -C a push -q origin HEAD:main && git -C b pull -q"
    subprocess.run(f"{start} && {commit}", shell=True, cwd=tmp_path, env=environment, check=True, capture_output=True)
    both = Promoter(tmp_path / "a", environment), Promoter(tmp_path / "b", environment)
    both[0].start(0, "1")
    assert both[0].answer()["is_new"]
    both[1].start(0, "2")
    assert both[1].answer()["code"] == 1  # behind
    yield both
    for clone in both:
        clone.end()


@pytest.mark.parametrize("rounds", [3, pytest.param(50, marks=pytest.mark.faults)])
def test_of_two_at_once_exactly_one_wins_and_the_ledgers_are_equal(clones: Clones, rounds: int) -> None:
    client, champion, wins = registry.connect(), "1", {"a": 0, "b": 0}
    for number in range(rounds):
        words = [word for word in "123" if word != champion]
        words = ["rollback" if number % 5 == 4 and place == number % 2 else word for place, word in enumerate(words)]
        moment = time.time() + 0.1
        for place, (clone, word) in enumerate(zip(clones, words, strict=True)):
            clone.start(moment + place * (number % 4) * 0.1, word)
        answers = [clone.answer() for clone in clones]
        assert sorted(answer["code"] for answer in answers) == [0, 1], answers
        winner, loser = sorted(answers, key=lambda answer: int(answer["code"]))
        assert winner["is_new"] and "another clone decided first" in loser["text"]
        assert clones[0].ledger() == clones[1].ledger() == shared(clones[0])
        assert clones[0].ledger().endswith(winner["text"] + "\n") and clones[0].ledger().count("\n") == number + 2
        model = registry.get_model(client, NAME)
        champion = model.aliases["champion"]
        assert f'"to": {{"version": "{champion}"' in winner["text"]
        wins[clones[answers.index(winner)].folder.name] += 1
        print(f"round {number + 1}: {words}, {clones[answers.index(winner)].folder.name} wins")
    print(f"{rounds} rounds, one winner each: {wins}")


def shared(clone: Promoter) -> str:
    words = ["git", "-C", str(clone.folder.parent / "origin.git"), "show", "gazette/ledger:ledger.jsonl"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout
