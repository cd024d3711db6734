"""What `gazette doctor` says of a project: what it healed, what lets damage through, what of the cache is damaged."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import standin

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stand-in in which everything ran, its raw file under DVC."""
    folder = standin.make(tmp_path_factory.mktemp("doctor") / "made", seconds=0)
    assert standin.start(folder, folder / ".dvc" / "log").wait() == 0
    (folder / "raw" / "extra.csv").write_text("more")
    dvc(folder, "add", "-q", "raw/extra.csv")
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "project", symlinks=True)


def dvc(folder: Path, *words: str) -> None:
    subprocess.run([sys.executable, "-m", "dvc", *words], cwd=folder, env=standin.environment(), check=True)


def doctor(folder: Path, *words: str, code: int = 0) -> str:
    command = [sys.executable, "-m", "gazette", "doctor", *words]
    done = subprocess.run(command, cwd=folder, env=standin.environment(), capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def verified(folder: Path, code: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(doctor(folder, "--verify", "--json", code=code))["damaged"]
    return found


def damage(folder: Path, path: str, name: str = "") -> Path:
    """Changes the object of an output, or of a file in it, in the cache; its mode still says that it is sound."""
    content = (folder / path / name).read_bytes() if name else (folder / path).read_bytes()
    found = next(file for file in objects(folder) if file.read_bytes() == content)
    found.chmod(0o644)
    found.write_bytes(b"x" + content[1:])
    found.chmod(0o444)
    return found


def objects(folder: Path) -> list[Path]:
    return sorted(file for file in (folder / ".dvc" / "cache" / "files").rglob("*") if file.is_file())


def test_a_sound_project_is_told_so(project: Path) -> None:
    assert doctor(project, "--verify") == "nothing to heal\nthe cache is sound\n"


def test_what_was_healed_is_told_once(project: Path) -> None:
    (project / "dvc.lock").write_text("")
    assert json.loads(doctor(project, "--json")) == {
        "healed": ["dvc.lock was cut off: put back from the copy of the last run"],
        "warnings": [],
        "damaged": [],
    }
    assert doctor(project) == "nothing to heal\n"


def test_a_damaged_object_is_named_with_what_it_belongs_to_and_ends_with_3(project: Path) -> None:
    file = damage(project, "models/candidates/cnn", "a")
    [found] = verified(project, code=3)
    assert found["file"] == str(file)
    assert "models/candidates/cnn/a (stage train@cnn)" in found["belongs_to"]
    assert f"damaged: {found['file']}" in doctor(project, "--verify", code=3)


def test_the_cure_of_an_output_is_to_remove_the_object_and_run_again(project: Path) -> None:
    before = standin.state(project)
    file = damage(project, "data/judged.parquet")
    [found] = verified(project, code=3)
    assert found["cure"].startswith(f"rm {found['file']}; then `gazette run` makes it anew")
    file.unlink()
    assert standin.start(project, project / ".dvc" / "log").wait() == 0
    assert standin.state(project) == before
    assert verified(project) == []


def test_a_damaged_raw_file_is_for_its_owner_to_bring_back(project: Path) -> None:
    damage(project, "raw/extra.csv")
    [found] = verified(project, code=3)
    assert found["belongs_to"] == ["raw/extra.csv (raw/extra.csv.dvc)"]
    assert "`dvc add` takes it anew" in found["cure"]


def test_a_damaged_list_of_a_folder_is_named_too(project: Path) -> None:
    listing = next(file for file in objects(project) if file.suffix == ".dir")
    listing.chmod(0o644)
    listing.write_text("[")
    [found] = verified(project, code=3)
    assert found["file"].endswith(".dir") and "(stage" in found["belongs_to"][0]


def test_an_object_cut_off_or_of_another_revision_is_found_too(project: Path) -> None:
    standin.set_params(project, 0, seed=2)
    old = damage(project, "models/candidates/cnn", "a")
    old.chmod(0o644)
    old.write_text("")
    assert standin.start(project, project / ".dvc" / "log").wait() == 0
    [found] = verified(project, code=3)
    assert found["belongs_to"] == [] and "nothing of this revision needs it" in found["cure"]


@pytest.mark.parametrize("kind", ["hardlink", "symlink"])
def test_a_cache_that_links_is_warned_of(project: Path, kind: str) -> None:
    dvc(project, "config", "cache.type", f"reflink,{kind}")
    assert f"warning: cache.type has {kind}: a process that outlives its run writes through" in doctor(project)


def test_a_remote_that_is_believed_is_warned_of_until_the_command_was_typed(project: Path) -> None:
    dvc(project, "remote", "add", "-q", "shelf", str(project.parent / "shelf"))
    assert "`dvc remote modify shelf verify true`" in doctor(project)
    dvc(project, "remote", "modify", "shelf", "verify", "true")
    assert "warning" not in doctor(project)


def test_while_a_run_is_at_work_nothing_is_healed(project: Path) -> None:
    standin.set_params(project, 2, seed=3)
    run = standin.start(project, project / ".dvc" / "log")
    while "Running stage" not in (project / ".dvc" / "log").read_text():
        assert run.poll() is None
    command = [sys.executable, "-m", "gazette", "doctor"]
    done = subprocess.run(command, cwd=project, env=standin.environment(), capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"another run is at work in this folder: process {run.pid}, run.py, since" in done.stderr
    run.terminate()
    assert run.wait() == 143
