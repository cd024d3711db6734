"""`gazette doctor`: repairs, warnings of settings that hide damage, and damaged objects of the cache."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import standin
import warm

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stand-in in which everything ran, its raw file under DVC."""
    folder = standin.make(tmp_path_factory.mktemp("doctor") / "made", seconds=0)
    assert standin.start(folder, folder / ".dvc" / "log").wait() == 0
    (folder / "raw" / "extra.csv").write_text("more")
    dvc(folder, "add", "-q", "raw/extra.csv")
    return folder


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(template, tmp_path / "project", symlinks=True)


def environment() -> dict[str, str]:
    return standin.environment() | warm.environment()


def dvc(folder: Path, *words: str) -> None:
    subprocess.run([sys.executable, "-m", "dvc", *words], cwd=folder, env=environment(), check=True)


def doctor(folder: Path, *words: str, code: int = 0) -> str:
    command = [sys.executable, "-m", "gazette", "doctor", *words]
    result = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True)
    assert result.returncode == code, result.stdout + result.stderr
    return result.stdout


def verified(folder: Path, code: int = 0) -> list[dict[str, Any]]:
    damaged: list[dict[str, Any]] = json.loads(doctor(folder, "--verify", "--json", code=code))["damaged"]
    return damaged


def damage(folder: Path, path: str, name: str = "") -> Path:
    """Change the object of an output, or of a file in it, in the cache, and leave its mode read-only."""
    content = (folder / path / name).read_bytes() if name else (folder / path).read_bytes()
    damaged = next(file for file in objects(folder) if file.read_bytes() == content)
    damaged.chmod(0o644)
    damaged.write_bytes(b"x" + content[1:])
    damaged.chmod(0o444)
    return damaged


def objects(folder: Path) -> list[Path]:
    return sorted(file for file in (folder / ".dvc" / "cache" / "files").rglob("*") if file.is_file())


def test_an_intact_project_is_reported(project: Path) -> None:
    assert doctor(project, "--verify") == "nothing to repair\nDVC's cache is intact\n"


def test_a_repair_is_reported_once(project: Path) -> None:
    (project / "dvc.lock").write_text("")
    assert json.loads(doctor(project, "--json")) == {
        "healed": ["dvc.lock was truncated: restored from the copy of the last run"],
        "warnings": [],
        "damaged": [],
    }
    assert doctor(project) == "nothing to repair\n"


def test_a_damaged_object_is_named_with_what_it_belongs_to_and_ends_with_3(project: Path) -> None:
    file = damage(project, "models/candidates/cnn", "a")
    [damaged] = verified(project, code=3)
    assert damaged["file"] == str(file)
    assert "models/candidates/cnn/a (stage train@cnn)" in damaged["belongs_to"]
    assert f"damaged: {damaged['file']}" in doctor(project, "--verify", code=3)


def test_the_cure_of_an_output_is_to_remove_the_object_and_run_again(project: Path) -> None:
    before = standin.state(project)
    file = damage(project, "data/predictions.parquet")
    [damaged] = verified(project, code=3)
    assert damaged["cure"].startswith(f"rm {damaged['file']}; then `dvc repro` makes it again")
    file.unlink()
    assert standin.start(project, project / ".dvc" / "log").wait() == 0
    assert standin.state(project) == before
    assert verified(project) == []


def test_a_damaged_raw_file_is_for_its_owner_to_bring_back(project: Path) -> None:
    damage(project, "raw/extra.csv")
    [damaged] = verified(project, code=3)
    assert damaged["belongs_to"] == ["raw/extra.csv (raw/extra.csv.dvc)"]
    assert "`dvc add` restores it" in damaged["cure"]


def test_a_damaged_list_of_a_folder_is_named_too(project: Path) -> None:
    listing = next(file for file in objects(project) if file.suffix == ".dir")
    listing.chmod(0o644)
    listing.write_text("[")
    [damaged] = verified(project, code=3)
    assert damaged["file"].endswith(".dir") and "(stage" in damaged["belongs_to"][0]


def test_an_object_cut_off_or_of_another_revision_is_found_too(project: Path) -> None:
    standin.set_params(project, 0, seed=2)
    old = damage(project, "models/candidates/cnn", "a")
    old.chmod(0o644)
    old.write_text("")
    assert standin.start(project, project / ".dvc" / "log").wait() == 0
    [damaged] = verified(project, code=3)
    assert damaged["belongs_to"] == [] and "nothing of this revision needs it" in damaged["cure"]


@pytest.mark.parametrize("kind", ["hardlink", "symlink"])
def test_a_cache_that_links_is_warned_of(project: Path, kind: str) -> None:
    dvc(project, "config", "cache.type", f"reflink,{kind}")
    assert f"warning: cache.type has {kind}: a process that outlives its run writes through" in doctor(project)


def test_a_remote_that_is_believed_is_warned_of_until_the_command_was_typed(project: Path) -> None:
    dvc(project, "remote", "add", "-q", "shelf", str(project.parent / "shelf"))
    assert "`dvc remote modify shelf verify true`" in doctor(project)
    dvc(project, "remote", "modify", "shelf", "verify", "true")
    assert "warning" not in doctor(project)


def test_during_a_run_nothing_is_repaired(project: Path) -> None:
    standin.set_params(project, 2, seed=3)
    run = standin.start(project, project / ".dvc" / "log")
    while "Running stage" not in (project / ".dvc" / "log").read_text():
        assert run.poll() is None
    command = [sys.executable, "-m", "gazette", "doctor"]
    result = subprocess.run(command, cwd=project, env=standin.environment(), capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (2, "")
    assert f"another run is at work in this folder: process {run.pid}, run.py, since" in result.stderr
    run.terminate()
    assert run.wait() == 143
