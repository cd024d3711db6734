"""Prefect's server is not there, or something else answers: exit code 2 within seconds, its address, and the cure."""

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
