"""What a server and a scoring add to the journal: every answer, no text beyond the sample, and no error of its own."""

import asyncio
import http.client
import itertools
import json
import os
import re
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from bundles import make_bundle
from hypothesis import given
from hypothesis import strategies as st
from predictions import ids
from servers import Server
from starlette.testclient import TestClient
from workers import make_served, make_worker, served_by

from gazette.core import files
from gazette.registry import versions
from gazette.serving.batch import parts, run
from gazette.serving.batch.journaling import Journal
from gazette.serving.batch.staging import Options
from gazette.serving.journal import layout, params, read, write
from gazette.serving.journal.sample import Sample
from gazette.serving.online import metrics, recorder
from gazette.serving.online.settings import Limits
from gazette.serving.online.worker import Worker

PHONE = "call +44 20 7946 0958 or mail jane.doe@example.com"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def recording(tmp_path: Path, bundle: Path, journal: Path) -> Worker:
    return make_worker(tmp_path, bundle, journal=str(journal))


def rows(journal: Path) -> list[dict[str, object]]:
    return read.scan(journal).collect().to_dicts()


def predict(client: TestClient, *texts: str, request_id: str = "r-1") -> None:
    answer = client.post("/v1/predict", json={"texts": texts}, headers={"X-Request-Id": request_id})
    assert answer.status_code == 200, answer.text


def test_every_answer_of_every_contract_is_recorded_before_it_is_sent(
    recording: Worker, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = write.append
    monkeypatch.setattr(write, "append", lambda *words: (time.sleep(0.1), real(*words)))
    tensor = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["goal"]}
    with served_by(recording) as client:
        predict(client, "a goal", "央行")
        assert [row["id"] for row in rows(journal)] == ["r-1#0", "r-1#1"]
        assert client.post("/invocations", json={"inputs": ["bank"]}).status_code == 200
        assert client.post("/v2/models/tiny/infer", json={"inputs": [tensor]}).status_code == 200
    first, second, third, _ = rows(journal)
    assert (first["label"], first["tokens"], first["unknown"], first["language"]) == ("sport", 2, 0.5, "und-Latn")
    assert second["language"] == "und-Hani" and third["label"] == "trade" and first["source"] == "serve"
    assert first["digest"] == recording.main.model.served.digest and first["milliseconds"] > 0  # type: ignore[operator]
    assert read.labels(journal, str(first["digest"])) == ["sport", "trade"]


def test_a_correction_is_no_traffic(recording: Worker, journal: Path) -> None:
    with served_by(recording) as client:
        assert client.post("/v1/feedback", json={"text": "goal", "label": "trade"}).status_code == 200
    assert rows(journal) == []


def test_the_shadow_is_recorded_under_the_same_id(tmp_path: Path, bundle: Path, journal: Path) -> None:
    worker = make_worker(tmp_path, bundle, make_served(bundle, "4"), journal=str(journal))
    with served_by(worker) as client:
        predict(client, "goal")
        until(lambda: len(rows(journal)) == 2)
    assert {(row["id"], row["source"]) for row in rows(journal)} == {("r-1#0", "serve"), ("r-1#0", "shadow")}


def until(reached: Callable[[], bool], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.01)


def unwritten(reason: str) -> float:
    return float(metrics.get().unwritten.labels(reason)._value.get())


def test_a_journal_that_cannot_be_written_fails_no_answer_and_is_logged_once(
    recording: Worker, journal: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    journal.write_text("a file in its place")
    before = unwritten("failed")
    with served_by(recording) as client:
        for _ in range(3):
            predict(client, "unmistakable goal", "bank")
        journal.unlink()
        predict(client, "goal")
    assert unwritten("failed") == before + 6 and len(rows(journal)) == 1
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    events = [line["event"] for line in lines if "written" in line["event"]]
    assert events == ["journal not written", "journal written again"]
    assert "unmistakable" not in json.dumps(lines)


def test_a_disk_that_hangs_delays_one_answer_within_its_deadline_and_no_further_one(
    tmp_path: Path, bundle: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = make_worker(tmp_path, bundle, journal=str(journal), limits=Limits(deadline_seconds=0.8))
    real, before = write.append, unwritten("late")
    monkeypatch.setattr(write, "append", lambda *words: (time.sleep(1), real(*words)))
    with served_by(recording) as client:
        began = time.monotonic()
        for _ in range(5):
            predict(client, "goal")
        assert time.monotonic() - began < 0.9
        assert unwritten("late") == before + 5
        monkeypatch.setattr(write, "append", real)
        until(lambda: len(rows(journal)) == 5)


def test_records_that_wait_have_a_bound(recording: Worker, journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "WAITING", 0)
    before = unwritten("full")
    with served_by(recording) as client:
        predict(client, "goal")
    assert unwritten("full") == before + 1 and rows(journal) == []


def test_texts_of_the_sample_are_masked_and_lie_apart(tmp_path: Path, bundle: Path, journal: Path) -> None:
    worker = make_worker(tmp_path, bundle, journal=str(journal), sample=1.0)
    with served_by(worker) as client:
        predict(client, f"goal: {PHONE}", "bank")
        until(lambda: read.texts(journal).height == 2)
    texts = read.texts(journal)
    assert texts["text"].to_list() == ["goal: call <phone> or mail <email>", "bank"]
    assert texts.join(read.scan(journal).collect(), on=["id", "hour"]).height == 2


def test_the_sample_is_a_share_that_nobody_can_foresee(tmp_path: Path) -> None:
    ids, texts = [f"r#{number}" for number in range(20_000)], ["the same text"] * 20_000
    first, second = (Sample(tmp_path / name, 0.05).draw(ids, texts) for name in "ab")
    assert len(first) == pytest.approx(1000, abs=150) and first != second
    assert Sample(tmp_path / "a", 0.05).draw(ids, texts) == first
    by_text = Sample(tmp_path / "a", 0.05).draw(["r#0"] * 20_000, ids)
    assert len(by_text) == pytest.approx(1000, abs=150)  # whoever always sends the same id is drawn like others
    assert (tmp_path / "a" / layout.KEY).stat().st_mode & 0o077 == 0


def everything(folder: Path) -> str:
    """All that lies in a folder, Parquet decoded, without names of temporary files."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    tables = [str(pl.read_parquet(path).to_dicts()) for path in paths if path.suffix == ".parquet"]
    return "\n".join([*tables, *(path.read_text() for path in paths if path.suffix != ".parquet"), *map(str, paths)])


MARKED = st.lists(
    st.tuples(st.integers(0, 2**64), st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)).map(
        lambda pair: f"zq{pair[0]:016x} {pair[1]} goal zq{pair[0]:016x}"
    ),
    min_size=1,
    max_size=4,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[tuple[Path, TestClient]]:
    """A journal and a client of a worker with a shadow."""
    box = tmp_path_factory.mktemp("watched")
    worker = make_worker(box, shared, make_served(shared, "4"), journal=str(box / "journal"), sample=0.0)
    with served_by(worker) as client:
        yield box / "journal", client


@given(texts=MARKED, route=st.sampled_from(["/v1/predict", "/invocations", "/v2/models/tiny/infer", "/v1/none"]))
def test_no_text_reaches_journal_log_or_metrics(watched: tuple[Path, TestClient], texts: list[str], route: str) -> None:
    journal, client = watched
    tensor = {"name": "text", "datatype": "BYTES", "shape": [len(texts)], "data": texts}
    bodies = {"/v1/predict": {"texts": texts}, "/invocations": {"inputs": texts}}
    with pytest.MonkeyPatch.context() as patch, journal.with_name("log").open("a") as log:
        patch.setattr("sys.stderr", log)
        for body in (
            bodies.get(route, {"inputs": [tensor]}),
            {"texts": texts, "top": texts[0]},
            {"instances": [texts]},
        ):
            client.post(route, json=body)
    written = everything(journal.parent / "journal") + journal.with_name("log").read_text()
    assert '"event":"request"' in written and "zq" not in written + client.get("/metrics").text


@given(texts=MARKED)
def test_no_text_reaches_journal_or_results_of_a_scoring(
    texts: list[str], tmp_path_factory: pytest.TempPathFactory, shared: Path
) -> None:
    box = tmp_path_factory.mktemp("scoring")
    (box / "new.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    score(box, shared, Journal(box / "journal", 0.0))
    assert read.scan(box / "journal").collect().height == len(texts)
    assert "zq" not in everything(box / "journal") + everything(box / "scored")


def score(box: Path, bundle: Path, journal: Journal | None, name: str = "new.jsonl", **options: object) -> None:
    with ThreadPoolExecutor(1) as pool:
        model = versions.find_model(str(bundle))
        settings = Options(**options)  # type: ignore[arg-type]
        run.score_files(box / name, box / "scored", model, settings, pool, lambda *_: None, journal=journal)


def test_a_scoring_records_each_row_once_though_a_part_is_scored_twice(
    tmp_path: Path, bundle: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "new.txt").write_text("".join(f"goal {'bank ' * (n % 5)}\n" for n in range(2 * parts.BLOCK + 7)))
    real = parts.score_part

    def killed(folder: str, number: int) -> str:
        os.utime(Path(folder) / parts.PLAN, (1e9, 1e9))
        real(folder, number)
        (Path(folder) / parts.PART.format(number)).unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr(parts, "score_part", killed)
    recorded = Journal(journal, 1.0)
    with pytest.raises(KeyboardInterrupt):
        score(tmp_path, bundle, recorded, "new.txt", part_rows=1)
    monkeypatch.setattr(parts, "score_part", real)
    score(tmp_path, bundle, recorded, "new.txt", part_rows=1)
    table = read.scan(journal).collect()
    scored = pl.read_parquet(tmp_path / "scored" / "part-*.parquet")
    assert [int(id.partition("#")[2]) for id in table["id"]] == list(range(scored.height))
    assert table["label"].to_list() == scored["label"].to_list() and set(table["source"]) == {"score"}
    assert table["probabilities"].list.max().to_list() == pytest.approx(scored["probability"].to_list(), abs=6e-4)
    assert set(table["hour"]) == {datetime(2001, 9, 9, 1, tzinfo=UTC)} == set(read.texts(journal)["hour"])
    assert read.texts(journal).height == scored.height
    assert not (tmp_path / "scored" / "staged").exists()


def test_a_journal_that_cannot_be_written_stops_no_scoring(tmp_path: Path, bundle: Path, journal: Path) -> None:
    (tmp_path / "new.txt").write_text("goal\nbank\n")
    journal.write_text("a file in its place")
    recorded = Journal(journal, 0.5)
    score(tmp_path, bundle, recorded, "new.txt")
    assert recorded.faults == [f"{journal}: Not a directory"]
    assert files.read_json(tmp_path / "scored" / "manifest.json")["rows"]["scored"] == 2


def test_results_do_not_depend_on_the_journal(tmp_path: Path, bundle: Path, journal: Path) -> None:
    for name, recorded in (("with", Journal(journal, 0.5)), ("without", None)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "new.txt").write_text("goal\nbank\n")
        score(tmp_path / name, bundle, recorded, "new.txt")
    scored = [
        {path.name: path.read_bytes() for path in (tmp_path / name / "scored").glob("*")}
        for name in ("with", "without")
    ]
    for result in scored:
        result.pop(".gazette", None)
    assert scored[0].keys() == scored[1].keys()
    assert all(content == scored[1][name] for name, content in scored[0].items() if "part" in name or "mani" in name)


def test_the_defaults_are_those_of_params_yaml() -> None:
    section = files.read_yaml(Path(__file__).parents[2] / "params.yaml")["monitor"]
    assert params.Params().model_dump() == {key: section[key] for key in params.Params.model_fields}


def test_a_worker_without_a_journal_writes_none(worker: Worker, tmp_path: Path) -> None:
    assert worker.recorder is None
    asyncio.run(worker.answer(["goal"], "r"))
    assert not list(tmp_path.rglob("*.jsonl"))


@pytest.mark.slow
def test_what_a_server_answered_before_its_worker_was_killed_is_in_the_journal(tmp_path: Path, bundle: Path) -> None:
    kills = int(os.environ.get("KILLS", "3"))
    server = Server(tmp_path, "--folder", str(bundle))
    answered: set[str] = set()
    ended = threading.Event()

    def ask(name: str) -> None:
        for number in itertools.count():
            if ended.is_set():
                return
            headers = {"Content-Type": "application/json", "X-Request-Id": f"{name}-{number}"}
            request = urllib.request.Request(server.address + "/v1/predict", b'{"texts": ["goal"]}', headers)
            with suppress(OSError, http.client.HTTPException), urllib.request.urlopen(request, timeout=5) as answer:
                if answer.status == 200 and answer.read():
                    answered.add(f"{name}-{number}#0")

    threads = [threading.Thread(target=ask, args=(name,)) for name in "abcd"]
    try:
        for thread in threads:
            thread.start()
        for _ in range(kills):
            before = len(answered)
            until(lambda before=before: len(answered) > before + 20, seconds=30)  # type: ignore[misc]
            for process in server.workers():
                process.kill()
    finally:
        ended.set()
        for thread in threads:
            thread.join()
        late = re.findall(r'unwritten_total{reason="late"} (\d+)', server.ask("/metrics")[1])
        server.end()
    recorded = ids(tmp_path / ".gazette" / "journal")
    assert len(answered) > 20 * kills and len(recorded) == len(set(recorded))
    assert len(answered - set(recorded)) <= sum(map(int, late)) < 0.1 * len(answered)
