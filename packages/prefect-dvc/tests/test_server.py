"""Prefect's server is not there, or something else answers: exit code 2 within seconds, its address, and the cure."""

import os
import subprocess
from pathlib import Path
from unittest.mock import patch

import prefect.settings
import pytest
from broken_servers import broken_server
from prefect.settings import PREFECT_API_URL, temporary_settings

from prefect_dvc.core.errors import ConfigError
from prefect_dvc.flows import server

AGAIN = "Nothing is lost"


@pytest.mark.parametrize(
    ("kind", "reason", "passing"),
    [
        ("closed", "connection refused", True),
        ("silent", "no answer in time", True),
        ("reset", "closes the connection", True),
        ("page", "answers, but with a page", False),
        ("401", "set PREFECT_API_KEY", False),
        ("404", "HTTP 404", False),
        ("503", "HTTP 503", True),
    ],
)
def test_a_server_that_does_not_answer_is_named(
    kind: str, reason: str, passing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "ANSWER_SECONDS", 3)
    with broken_server(kind) as address:
        monkeypatch.setenv("PREFECT_API_URL", f"http://{address}/api")
        with temporary_settings({PREFECT_API_URL: f"http://{address}/api"}), pytest.raises(ConfigError) as error:
            server.check_answers()
    assert f"Prefect's server at http://{address}/api failed: " in str(error.value)
    assert reason in str(error.value) and (AGAIN in str(error.value)) == passing


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("PREFECT_CLIENT_MAX_RETRIES", "Prefect, ClientSettings: max_retries: Input should be a valid integer"),
        ("PREFECT_LOGGING_LEVEL", "Prefect, LoggingSettings: level: Input should be 'DEBUG'"),
    ],
)
@patch.dict(os.environ)
def test_an_invalid_setting_of_prefect_is_named(name: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "abc")
    monkeypatch.setattr(prefect.settings, "get_current_settings", prefect.settings.Settings)
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    with pytest.raises(ConfigError) as error:
        server.ensure_server(Path())
    assert str(error.value).startswith(message)
    assert "got 'abc'\n" in str(error.value).lower() and "that sets it" in str(error.value)


def test_a_server_that_ends_as_it_starts_gives_its_reason_at_once(tmp_path: Path) -> None:
    with (tmp_path / server.LOG).open("w") as log:
        process = subprocess.Popen(["sh", "-c", "echo starting; echo no such database; echo; exit 3"], stdout=log)
    process.wait()
    with pytest.raises(ConfigError, match=r"ended as it started: no such database; see .*server\.log"):
        server.wait(process, "http://127.0.0.1:1/api", tmp_path)
