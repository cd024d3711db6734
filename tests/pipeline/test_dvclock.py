"""The lock of DVC, parsed once for each text."""

from pathlib import Path

import pytest

from gazette.pipeline import dvclock


def test_parsed_locks_are_kept_and_their_number_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dvclock, "MAX_PARSED", 2)
    for number in range(4):
        stages = dvclock.parse_stages(f"stages: {{train: {{cmd: run {number}}}}}")
        assert stages == {"train": {"cmd": f"run {number}"}}
    assert len(list((tmp_path / dvclock.PARSED).glob("*.json"))) == 2
