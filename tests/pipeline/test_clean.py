"""`make clean` and `make install` remove what they made, and nothing else."""

import shutil
import subprocess
from pathlib import Path

import pytest
from prefect_dvc.core.errors import ConfigError
from projects import make_published
from root import ROOT

from gazette.pipeline import clean


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_published(tmp_path_factory.mktemp("published"))


@pytest.fixture
def project(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = shutil.copytree(published, tmp_path / "project", symlinks=True)
    monkeypatch.chdir(root)
    return root


def make(target: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "packages" / "prefect-dvc").mkdir(parents=True)
    for name in ("requirements.lock", "pyproject.toml", "packages/prefect-dvc/pyproject.toml"):
        (folder / name).touch()
    return subprocess.run(["make", target, "PYTHON=true"], cwd=folder, capture_output=True, text=True, check=False)


def test_recorded_outputs_and_state_that_is_made_again_go(project: Path) -> None:
    (project / ".gazette" / "bundles" / ("a" * 32 + ".dir")).mkdir(parents=True)
    (project / ".gazette" / "version.json").write_text("{}")
    for name in ("tuning/cnn.db", "promotion.begun", "bundles/mine"):
        (project / ".gazette" / name).parent.mkdir(exist_ok=True)
        (project / ".gazette" / name).write_text("stays")
    removed = {str(path) for path in clean.clean(Path())}
    assert removed >= {"made_start", "made_train", ".gazette/version.json"}
    assert not (project / "made_train").exists() and (project / "m.json").exists()
    assert all((project / ".gazette" / name).exists() for name in ("tuning/cnn.db", "promotion.begun", "bundles/mine"))
    subprocess.run(["dvc", "checkout", "-q"], check=True)
    assert (project / "made_train").exists()


def test_an_output_that_was_changed_by_hand_stays_and_so_does_all_else(project: Path) -> None:
    (project / "made_train").write_text("mine")
    with pytest.raises(ConfigError, match=r"made_train is as neither dvc\.lock nor DVC's cache has it"):
        clean.clean(Path())
    assert (project / "made_train").read_text() == "mine" and (project / "made_start").exists()


def test_an_environment_of_the_users_is_neither_cleared_nor_cleaned(tmp_path: Path) -> None:
    for name in (".venv", "site", ".cache", "models"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine").write_text("mine")
    done = make("clean", tmp_path)
    assert done.returncode == 0, done.stderr
    assert all((tmp_path / name / "mine").exists() for name in (".venv", "site", ".cache", "models"))


def test_make_install_names_an_environment_that_it_did_not_make(tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "mine").write_text("mine")
    done = make("install", tmp_path)
    assert done.returncode == 2 and ".venv was not made by make install" in done.stderr
    assert (tmp_path / ".venv" / "mine").read_text() == "mine"


def test_an_environment_that_a_killed_make_install_left_is_begun_again(tmp_path: Path) -> None:
    for name in (".gazette", "lib/.gazette", "lib/half"):
        (tmp_path / ".venv" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / ".venv" / name).touch()
    make("clean", tmp_path)
    assert not (tmp_path / ".venv").exists()
