"""The commands of docs/backup.md bring a project back to the byte after the loss of its whole folder."""

import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from clones import clone
from root import ROOT

pytestmark = pytest.mark.slow
TRACKED = (
    ".dvc/cache",
    "mlruns",
    ".gazette/journal",
    "feedback",
    "data",
    "models",
    "ledger.jsonl",
    "dvc.lock",
    "reports",
)


def read_files(top: Path) -> dict[str, bytes]:
    """The bytes of what has to be back, by path."""
    paths = [path for name in TRACKED for path in [top / name, *(top / name).rglob("*")] if path.is_file()]
    untracked = ("receipt.json", "report.html")  # of this machine
    return {str(path.relative_to(top)): path.read_bytes() for path in paths if path.name not in untracked}


def test_after_the_loss_of_everything_the_page_restores_every_byte(tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/backup.md").read_text(encoding="utf-8"), re.DOTALL)
    back_up, restore, check = blocks
    project = clone(tmp_path / "project", tmp_path / "guard")
    project.environment["BACKUP"] = str(tmp_path / "backup")
    project.set(candidates=["linear"])
    project("gazette run && git add -A && git commit -qm first")
    project("gazette promote 1 --override 'the first' && git add -A && git commit -qm promotion")
    project.set(linear={"C": 0.5})
    project("gazette run && git add -A && git commit -qm second")
    (project.folder / "feedback").mkdir()
    (project.folder / "feedback/2026-11-29.jsonl").write_text("{}\n")
    (project.folder / ".gazette/journal/records").mkdir(parents=True)
    (project.folder / ".gazette/journal/records/2026-11-29T10.jsonl").write_text("{}\n")
    versions = project("gazette versions --json 2>/dev/null")
    project(f"set -e\n{back_up}")
    before, tables = read_files(project.folder), dump(project.folder / "mlflow.db")

    shutil.rmtree(project.folder)
    project.folder.mkdir()  # a shell has to stand somewhere
    project(f"set -e\ncd ..\nrmdir project\n{restore}")
    after = read_files(project.folder)
    assert after.keys() == before.keys() and [name for name in before if before[name] != after[name]] == []
    assert dump(project.folder / "mlflow.db") == tables
    project(f"set -e\n{check}")
    assert project("gazette versions --json 2>/dev/null") == versions
    project("gazette promote 2 --override 'after the loss'")
    assert "after the loss" in (project.folder / "ledger.jsonl").read_text()


def dump(database: Path) -> list[str]:
    with sqlite3.connect(database) as connection:
        return list(connection.iterdump())
