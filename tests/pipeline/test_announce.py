"""The event that a corpus changed; with a server, see tests/flows/test_scheduled.py."""

import socket

import pytest
from prefect_dvc.core.errors import ConfigError

from gazette.pipeline import announce


def test_without_a_server_no_event_is_emitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert not announce.emit_change("news")


@pytest.mark.slow
def test_a_server_that_is_down_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("PREFECT_API_URL", f"http://me:secret@127.0.0.1:{port}/api")
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path_factory.mktemp("home")))
    with pytest.raises(ConfigError) as stop:
        announce.emit_change("news")
    lines = str(stop.value).splitlines()
    assert len(lines) == 2 and f"127.0.0.1:{port}" in lines[0] and "secret" not in lines[0]
    assert "`prefect event emit gazette.corpus.changed --resource-id gazette.corpus.news`" in lines[1]
