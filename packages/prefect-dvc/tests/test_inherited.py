"""What the stages of a run inherit of its environment."""

import re
import sys
from pathlib import Path

import pytest

from prefect_dvc import environment
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.environment import child_environment
from prefect_dvc.recovery import guard


def test_all_passes_but_the_repository_of_a_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANY_WORD", "x")
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    inherited = child_environment({"ADDED": "y"})
    assert (inherited["ANY_WORD"], inherited["ADDED"]) == ("x", "y") and "GIT_DIR" not in inherited


def test_telemetry_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_NO_ANALYTICS", "")
    assert child_environment()["DVC_NO_ANALYTICS"] == "1"


def test_programs_beside_python_are_first_on_the_path() -> None:
    assert child_environment()["PATH"].startswith(str(Path(sys.executable).parent))


def test_a_project_that_is_stricter_names_a_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "strict_policy.py").write_text("def only(): return {'KEPT': '1'}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("ANY_WORD", "x")
    for policy in (lambda: monkeypatch.setenv(environment.POLICY, "strict_policy:only"), lambda: None):
        policy()
        assert "ANY_WORD" not in child_environment() and child_environment()["KEPT"] == "1"
    monkeypatch.delenv(environment.POLICY)
    assert "ANY_WORD" not in child_environment({environment.POLICY: "strict_policy:only"})  # as on a Dask worker


def test_a_function_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(environment.POLICY, "no_such_module:only")
    with pytest.raises(ConfigError, match=r"PREFECT_DVC_ENVIRONMENT=no_such_module:only: .*no_such_module"):
        child_environment()


def test_code_of_a_tree_comes_first_with_the_packages_of_a_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    assert child_environment(tree=tmp_path)["PYTHONPATH"] == "elsewhere"
    for folder in ("src", "packages/b/src", "packages/a/src", "packages/c"):
        (tmp_path / folder).mkdir(parents=True)
    expected = [tmp_path / "src", tmp_path / "packages/a/src", tmp_path / "packages/b/src", "elsewhere"]
    assert child_environment(tree=tmp_path)["PYTHONPATH"] == ":".join(map(str, expected))


@pytest.mark.parametrize("name", ["a:b", "a{x}", "a}"])
def test_a_folder_that_python_or_dvc_cannot_run_in_is_refused_by_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    with pytest.raises(ConfigError, match=rf"{re.escape(str(folder))}: `[:{{}}]` .*; rename the folder"):
        child_environment(tree=folder)
    with pytest.raises(ConfigError, match="rename the folder"), guard.exclusive_run(folder):
        pass
