"""A registry that is not there, or answers something else: exit code 2 within seconds, its address, and the cure."""

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from broken_servers import ANSWERS, broken_server
from prefect_dvc.core.errors import ConfigError

from gazette.registry import statements, versions
from gazette.registry.store import locations, probe

AGAIN = "Nothing is lost: when it answers again, the same command finishes the job"
REASONS = {
    "closed": "connection refused",
    "silent": "no answer in time",
    "drip": "no answer in time",
    "reset": "closes the connection",
    "garbage": "closes the connection",
    "page": "answers, but with a page",
    "401": "credentials",
    "404": "HTTP 404",
    "500": "HTTP 500",
    "503": "HTTP 503",
}
WRONG = ("page", "401", "404")  # the same command would end the same


@pytest.fixture(autouse=True)
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setattr(probe, "SECONDS", 1)


@pytest.mark.parametrize("kind", ["closed", *ANSWERS])
def test_a_server_that_does_not_answer_is_named_with_the_reason(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken_server(kind) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://somebody:secret@{address}")
        began = time.monotonic()
        with pytest.raises(ConfigError) as error:
            versions.find_model("news@champion")
    assert time.monotonic() - began < 10 + 20 * ("mlflow" not in sys.modules)
    message = str(error.value)
    assert f"the registry at http://somebody:***@{address} failed: " in message and "secret" not in message
    assert REASONS[kind] in message and (AGAIN in message) == (kind not in WRONG)


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("http://no-such-host.invalid:5000", "the name of its host is unknown"),
        ("postgresql://me:secret@127.0.0.1/news", "needs a package that is not installed"),
        ("ftp://news.example.org", "expected http://host:port, sqlite:///path/to/mlflow.db"),
        ("sqlite:////proc/none/mlflow.db", "No such file or directory"),
        ("http://[::1", r"^MLFLOW_TRACKING_URI=http://\[::1 cannot be read; expected http://host:port"),
        (
            "postgresql+psycopg://me:secret@127.0.0.1:port/db",
            r"URI=postgresql\+psycopg://me:\*\*\*@127\.0\.0\.1:port/db",
        ),
        (
            "postgresql+psycopg://me:s@h:secret@127.0.0.1/db",
            r"URI=postgresql\+psycopg://me:\*\*\*@127\.0\.0\.1/db cannot",
        ),
    ],
)
def test_an_address_that_cannot_be_one_is_refused(uri: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(ConfigError, match=reason) as error:
        versions.get_model("news")
    assert AGAIN not in str(error.value) and "secret" not in str(error.value)


def test_a_setting_of_mlflow_s_that_cannot_be_read_is_named_with_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "abc")
    with pytest.raises(ConfigError, match=r"environment: .*'abc' for MLFLOW_HTTP_REQUEST_MAX_RETRIES.*; correct it"):
        versions.get_model("news")


def test_a_port_without_tls_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with broken_server("404") as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"https://{address}")
        with pytest.raises(ConfigError, match=f"https://{address} failed: TLS fails"):
            versions.get_model("news")


def test_a_damaged_database_is_told_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("this was a registry once, and is not a database now")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    with pytest.raises(ConfigError, match="restore a copy of it") as error:
        versions.get_model("news")
    assert AGAIN not in str(error.value)
    for read in (locations.list_strays, locations.list_lost_versions):
        with pytest.raises(ConfigError, match="restore a copy of it"):
            read(tmp_path / "mlflow.db")
    assert (tmp_path / "mlflow.db").read_text().startswith("this was")


def test_a_locked_database_is_told_within_seconds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    database = tmp_path / "locked.db"
    holder = sqlite3.connect(database)
    holder.executescript("CREATE TABLE t (x); BEGIN EXCLUSIVE;")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{database}")
    with pytest.raises(ConfigError, match="database is locked; another process writes to it") as error:
        versions.get_model("news")
    assert "the same command" in str(error.value)
    holder.close()


def test_a_statement_cannot_be_read_from_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with broken_server("closed") as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://{address}")
        with pytest.raises(ConfigError, match="connection refused"):
            statements.fetch_statement("news", "1")
        with pytest.raises(ConfigError, match="connection refused"):
            statements.attach_statement("news", "a.dir", Path("statement.json"))


@pytest.mark.slow
@pytest.mark.usefixtures("warm_commands")
@pytest.mark.parametrize(
    "words",
    [["versions"], ["pull", "news@champion", "--to", "models/news"], ["score", "new.txt", "--to", "scored"],
     ["registry", "rebuild"], ["rollback"], ["promote"], ["predict", "--model", "news@champion", "text"]],
)  # fmt: skip
def test_a_command_ends_with_2_and_one_line(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("corpus: news\nsmoke_test: {}\n")
    (tmp_path / "new.txt").write_text("goal\n")
    with broken_server("closed") as address:
        done = subprocess.run(
            [sys.executable, "-m", "gazette", *words],
            env={**os.environ, "MLFLOW_TRACKING_URI": f"http://{address}"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "Traceback" not in done.stderr and not (tmp_path / "models").exists()
