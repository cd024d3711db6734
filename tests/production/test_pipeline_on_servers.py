"""A classifier's life on MLflow and Prefect in PostgreSQL, with files and DVC's remote on S3: the same as on SQLite."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import polars as pl
import pytest
from clones import Project, clone, share
from flow_runs import Flow, until
from real_servers import KEYS, ObjectStorage, Orchestration, PostgreSQL, Tracking
from ruamel.yaml import YAML
from servers import Server
from watched import GATE

from gazette.registry import ledger

pytestmark = [pytest.mark.servers, pytest.mark.slow]

Both = tuple[Project, Project]


@pytest.fixture(scope="module")
def both(
    tmp_path_factory: pytest.TempPathFactory, storage: ObjectStorage, tracking: Tracking, orchestration: Orchestration
) -> Both:
    """A clone whose registry is SQLite, and a clone of that by git, which has data by S3 and versions by a server."""
    box = tmp_path_factory.mktemp("both")
    here = clone(box / "here", box / "guard")
    here.environment |= storage.variables
    here.set(candidates=["linear"], gate=GATE)
    here("dvc remote add --default store s3://dvc/tiny && gazette run")
    here("git add -A && git commit -qm ran && dvc push -q")
    there = share(here, box / "there")
    tracking.wait("/health")
    there.environment |= {"MLFLOW_TRACKING_URI": tracking.address}
    there("dvc pull -q && gazette run")
    assert there("git status --porcelain") == ""
    return here, there


@pytest.fixture(scope="module")
def retrained(both: Both, orchestration: Orchestration) -> Both:
    """Both with other params and a second version: one by `gazette run`, the other by a scheduled run."""
    here, there = both
    here.set(linear={"C": 0.01})
    here("git commit -qam params && git push -q")
    with scheduled(there, orchestration):
        until(lambda: here("git fetch -q && git log --format=%s ..origin/main").startswith("Retrained: train@linear"))
    here("gazette run && git diff --exit-code origin/main -- dvc.lock reports/metrics.json")
    for project in both:
        project("git checkout -q . && git pull -q")
    there("dvc pull -q")
    return both


@pytest.fixture(scope="module")
def decided(retrained: Both) -> Both:
    """Both after the same promotions and a rollback."""
    for project in retrained:
        for command in ("promote 1 --by Ada", "promote 2 --by Ada", "rollback --by Bob --because worse"):
            project(f"gazette {command}")
    return retrained


@contextmanager
def scheduled(project: Project, orchestration: Orchestration) -> Iterator[None]:
    """Deploy the nightly run, due in a moment, and serve it by a worker, as docs/deployments.md does."""
    yaml, path = YAML(), project.folder / "prefect.yaml"
    text = path.read_text()
    record = yaml.load(text)
    record["deployments"][0]["schedules"] = [{"interval": 30}]
    yaml.dump(record, path)
    orchestration.wait("/api/health")
    paths = {"PYTHONPATH": f"{project.environment['PYTHONPATH']}:{project.folder}"}
    environment = project.cold() | paths | {"PREFECT_API_URL": f"{orchestration.address}/api"}
    environment |= {"PWD": str(project.folder), "PREFECT_WORKER_QUERY_SECONDS": "2", "DO_NOT_TRACK": "true"}

    def prefect(*words: str) -> list[str]:
        return [sys.executable, "-m", "prefect", *words]

    for words in (
        ["work-pool", "create", "gazette", "--type", "process"],
        ["--no-prompt", "deploy", "-n", "retrain-nightly"],
    ):
        subprocess.run(prefect(*words), cwd=project.folder, env=environment, check=True, capture_output=True)
    path.write_text(text)
    log = project.folder.with_name("worker.log")
    with log.open("w") as file:
        worker = subprocess.Popen(
            prefect("worker", "start", "--pool", "gazette"),
            cwd=project.folder,
            env=environment,
            stdout=file,
            stderr=file,
        )
        try:
            yield
            flow = Flow(environment["PREFECT_API_URL"], project.folder)
            until(
                lambda: any(run["state_type"] == "COMPLETED" and run["deployment_id"] for run in flow.ask("flow_runs"))
            )
        finally:
            worker.terminate()
            worker.wait()


def test_a_clone_registers_from_the_remote_what_was_trained_elsewhere(both: Both) -> None:
    here, there = both
    assert digests(there) == digests(here) != []


def test_a_scheduled_run_makes_and_registers_the_same_bytes(retrained: Both) -> None:
    here, there = retrained
    assert digests(there) == digests(here) and len(digests(here)) == 2
    assert there("git status --porcelain") == ""


def test_promotions_and_a_rollback_come_to_the_same_ledger(decided: Both) -> None:
    here, there = (ledger.read_ledger(project.folder / ledger.PATH) for project in decided)
    assert [facts(entry) for entry in there] == [facts(entry) for entry in here] and len(here) == 3
    assert (
        decided[1]("git fetch -q && git show origin/gazette/ledger:ledger.jsonl")
        == (decided[1].folder / ledger.PATH).read_text()
    )
    decided[1]("gazette ledger --verify")


def test_the_champion_has_the_same_bytes(decided: Both, tmp_path: Path) -> None:
    for project in decided:
        project(f"gazette pull tiny@champion --to {tmp_path}/{project.folder.name}")
    assert contents(tmp_path / "here") == contents(tmp_path / "there") != {}


def test_the_champion_labels_a_file_alike(decided: Both, tmp_path: Path) -> None:
    (tmp_path / "new.txt").write_text("the coach of the match\nprofit of the bank\n")
    for project in decided:
        name = project.folder.name
        project(f"gazette score {tmp_path}/new.txt --model tiny@champion --to {tmp_path}/{name} --workers 1")
    parts = [sorted((tmp_path / name).rglob("*.parquet")) for name in ("here", "there")]
    assert [part.read_bytes() for part in parts[0]] == [part.read_bytes() for part in parts[1]] != []


def test_the_champion_answers_alike_over_http(decided: Both) -> None:
    answers = []
    for project in decided:
        server = Server(project.folder, "tiny@champion", environment=project.cold())
        _, answer, _ = server.ask("/v1/predict", {"texts": ["the coach of the match"]})
        answers.append((answer["model"]["digest"], answer["predictions"]))
        assert server.end() == 0
    assert answers[0] == answers[1]


def test_an_old_version_that_nobody_needs_leaves_the_server_and_s3_and_the_champion_stays(
    decided: Both, postgresql: PostgreSQL, storage: ObjectStorage, tmp_path: Path
) -> None:
    _, there = decided
    for cost in (0.02, 0.03):
        there.set(linear={"C": cost})
        there("gazette run")
    there("git checkout -q .")
    for table, column in (("model_versions", "creation_time"), ("runs", "start_time"), ("runs", "end_time")):
        postgresql.ask("mlflow", f"UPDATE {table} SET {column} = {column} - 400::bigint * 86400000")
    before = objects(storage, "mlflow")
    shown = json.loads(there("gazette gc --only version --only run --json 2>/dev/null"))
    assert [item["name"] for item in shown["items"] if item["kind"] == "version"] == ["tiny/3"], shown
    assert "`mlflow gc` where the registry's server is" in there("gazette gc --only version --only run --yes")
    assert len(there("gazette versions --json 2>/dev/null").splitlines()) == 3
    database = f"postgresql+psycopg://gazette@127.0.0.1:{postgresql.port}/mlflow"
    there(f"mlflow gc --backend-store-uri {database} --artifacts-destination s3://mlflow")
    after = objects(storage, "mlflow")
    assert after.keys() < before.keys() and {key: before[key] for key in after} == after
    there(f"gazette pull tiny@champion --to {tmp_path}/pulled")


def test_an_erased_article_is_in_no_object_of_s3(decided: Both, storage: ObjectStorage, tmp_path: Path) -> None:
    _, there = decided
    _, title, body = (there.folder / "data/raw/tiny/news.csv").read_text().splitlines()[40].split(",")
    assert len(find(title, storage)) == 3  # the raw file, the validated rows, and the split
    there(f"gazette erase '{title}\n\n{body}' --yes")
    assert find(title, storage) == [] and find(body, storage) == []


def objects(storage: ObjectStorage, bucket: str) -> dict[str, bytes]:
    keys = {name.lower(): value for name, value in KEYS.items() if not name.endswith("REGION")}
    client = boto3.client("s3", endpoint_url=storage.address, **keys)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {
        item["Key"]: client.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
        for page in pages
        for item in page.get("Contents", ())
    }


def find(text: str, storage: ObjectStorage) -> list[str]:
    """Return the objects with a text in their bytes or tables."""
    both = objects(storage, "dvc") | objects(storage, "mlflow")
    return [key for key, content in both.items() if text.encode() in plain(content)]


def plain(content: bytes) -> bytes:
    return pl.read_parquet(content).write_json().encode() if content[:4] == b"PAR1" else content


def facts(entry: ledger.Entry) -> tuple[object, ...]:
    verdict = entry.verdict and (entry.verdict["word"], entry.verdict["digest"])
    return entry.number, entry.kind, entry.who, entry.reason, entry.origin, entry.to, verdict


def digests(project: Project) -> list[str]:
    lines = project("gazette versions --json 2>/dev/null").splitlines()
    return [json.loads(line)["digest"] for line in lines]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
