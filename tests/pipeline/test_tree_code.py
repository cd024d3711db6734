"""Runs in worktrees use the code of their own tree, whatever `gazette` is installed."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.environment import child_environment
from prefect_dvc.execution.run import run_stage

from gazette.evaluation.ci import checkout
from gazette.lineage.proof import clone
from gazette.pipeline import loaded

SAY = f"{sys.executable} -c 'import gazette; print(gazette.__file__)' > made"


@pytest.fixture
def tree(dvc_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with its own code, as a worktree has."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    root = dvc_project({"say": {"cmd": SAY, "outs": ["made"]}})
    package = root / "src" / "gazette"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    return root


def module(root: Path) -> Path:
    return Path((root / "made").read_text().strip())


def test_a_stage_of_retrain_and_of_an_experiment(tree: Path) -> None:
    assert run_stage(tree, "say", print).code == 0
    assert module(tree) == tree / "src" / "gazette" / "__init__.py"


def test_a_base_that_ci_makes_again(tree: Path) -> None:
    assert checkout.run_dvc(tree, print, "repro") == 0
    assert module(tree) == tree / "src" / "gazette" / "__init__.py"


def test_a_clone_of_reproduce(tree: Path) -> None:
    assert clone.run_stages(tree, Path(sys.executable), print) == ""
    assert module(tree) == tree / "src" / "gazette" / "__init__.py"


def test_a_project_without_code_keeps_the_search_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    assert child_environment(tree=tmp_path)["PYTHONPATH"] == "elsewhere"
    (tmp_path / "src").mkdir()
    assert child_environment(tree=tmp_path)["PYTHONPATH"] == f"{tmp_path / 'src'}:elsewhere"


def test_a_stage_whose_path_cannot_be_searched_ends_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a:b" / "src" / "gazette").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a:b")
    with pytest.raises(ConfigError, match="a:b: `:` separates the entries of PYTHONPATH; rename the folder"):
        loaded.reexec_in_tree()
