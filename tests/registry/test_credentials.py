"""No credential is ever printed, logged, recorded or committed, whether a command succeeds or fails."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from clones import Project, clone
from real_servers import Tracking

pytestmark = pytest.mark.slow
MARK = "Hush7"  # in every secret, and in nothing else
SECRETS = {
    "MLFLOW_TRACKING_USERNAME": "ann",
    "MLFLOW_TRACKING_PASSWORD": f"{MARK}-mlflow",
    "PREFECT_API_KEY": f"{MARK}-prefect",
    "PREFECT_API_AUTH_STRING": f"ann:{MARK}-auth",
    "AWS_ACCESS_KEY_ID": f"{MARK}-id",
    "AWS_SECRET_ACCESS_KEY": f"{MARK}-aws",
    "AWS_SESSION_TOKEN": f"{MARK}-session",
    "PGPASSWORD": f"{MARK}-postgresql",
    "PIP_INDEX_URL": f"http://ann:{MARK}-pip@127.0.0.1:1/simple",
}
LOGIN = f"ann:{MARK}-login@"
HOLDERS = (".dvc/config.local", ".git/config")  # files of the user, who wrote a secret there


@pytest.fixture(scope="module")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracking]:
    folder = tmp_path_factory.mktemp("tracking")
    server = Tracking(folder, f"sqlite:///{folder}/mlflow.db", str(folder / "artifacts"), {})
    yield server
    server.process.poll() is None and server.stop()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, tracking: Tracking) -> Project:
    """A project whose registry and DVC remote have credentials; the remote does not answer."""
    box = tmp_path_factory.mktemp("box")
    project = clone(box / "project", box / "guard")
    project.set(candidates=["linear"])
    project.environment |= SECRETS | {"MLFLOW_TRACKING_URI": f"http://{LOGIN}127.0.0.1:{tracking.port}"}
    project("git init -q --bare ../news.git && git remote add origin ../news.git")
    project(
        "dvc remote add -q --local -d store http://127.0.0.1:1/store && dvc remote modify -q --local store user ann"
    )
    project(f"dvc remote modify -q --local store auth basic && dvc remote modify -q --local store password {MARK}-dvc")
    project("git add -A && git commit -qm small")
    tracking.wait("/health")
    return project


OUTPUT: list[str] = []


def call(project: Project, command: str) -> int:
    """Run a command, whatever comes of it, remember what it printed, and return its exit code."""
    result = subprocess.run(
        command, shell=True, cwd=project.folder, env=project.environment, capture_output=True, text=True, check=False
    )
    OUTPUT.append(f"$ {command}\n{result.stdout}{result.stderr}")
    return result.returncode


def test_nothing_shows_a_secret_when_all_goes_well(project: Project) -> None:
    for command in (
        "gazette plan", "gazette run", "git add -A && git commit -qm ran", "gazette promote 1 --override first",
        "gazette versions", "gazette versions --json", "gazette ledger --verify", "gazette registry rebuild",
        "gazette doctor", "gazette card tiny@champion --to card.md", "gazette lineage tiny@champion --json",
        "gazette pull tiny@champion --to pulled", "gazette predict 'the goal of the match'",
        "gazette gc --json", "gazette card HEAD --format cyclonedx --to bom.json", "gazette report",
        "python -m flows.pipeline",
    ):  # fmt: skip
        assert call(project, command) == 0, OUTPUT[-1]


def test_nothing_shows_a_secret_when_something_fails(project: Project, tracking: Tracking) -> None:
    tracking.stop()
    project(f"git remote set-url origin http://{LOGIN}127.0.0.1:1/news.git")
    failing = ["gazette versions", "gazette run", "gazette promote 1", "gazette pull tiny --to other", "gazette doctor"]
    addresses = {
        "": [*failing, "gazette corpus fetch bbc_news", "dvc push", "gazette erase some words", "gazette lineage HEAD",
             "gazette ci --base origin/main", "gazette registry relocate", "gazette rollback --because x"],
        f"postgresql+psycopg://{LOGIN}127.0.0.1:1/mlflow": ["gazette versions", "gazette registry relocate"],
        f"ftp://{LOGIN}127.0.0.1/mlflow": ["gazette versions", "gazette registry relocate"],
        f"https://{MARK}-token@127.0.0.1:1": ["gazette versions", "gazette run"],
        f"nonsense://{LOGIN}x?password={MARK}-query": ["gazette versions"],
    }  # fmt: skip
    for address, commands in addresses.items():
        for command in commands:
            call(project, f"export MLFLOW_TRACKING_URI='{address}'; {command}" if address else command)
    call(project, f"PREFECT_API_URL=http://{LOGIN}127.0.0.1:1/api python -m flows.pipeline")
    assert not [text for text in OUTPUT if "Traceback" in text]


def test_no_output_and_no_file_has_a_secret(project: Project, tracking: Tracking) -> None:
    lines = [line for text in OUTPUT for line in text.split("\n")[1:]]
    assert [line for line in lines if MARK in line] == []
    box = project.folder.parent
    paths = [
        path for top in (box, tracking.folder) for path in top.rglob("*") if path.is_file() and not path.is_symlink()
    ]
    assert len(paths) > 500
    holders = {project.folder / name for name in HOLDERS}
    assert [path for path in paths if path not in holders and has_mark(path)] == []
    assert project(f"git log --all -p -S{MARK} --format=%H -- ':!tests'") == ""


def has_mark(path: Path) -> bool:
    """Whether a file has a secret; the project has this file too."""
    return path.name != Path(__file__).name and MARK.encode() in path.read_bytes()
