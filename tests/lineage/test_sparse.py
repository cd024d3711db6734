"""A clone that lacks files on purpose cannot prove what ran."""

from pathlib import Path

import pytest
from projects import SOMEBODY, shell

from gazette.lineage.proof import verify


def test_a_sparse_file_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inside").mkdir()
    for name in ("a.txt", "inside/b.txt"):
        (tmp_path / name).write_text("x\n")
    shell(tmp_path, f"git init -q && git add -A && git {SOMEBODY} commit -qm start")
    shell(tmp_path, "git sparse-checkout set --no-cone /inside/")
    monkeypatch.chdir(tmp_path)
    assert verify.list_sparse() == ["a.txt"]
