"""Bringing the stages up to date in this process: states, seconds, and a failure."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prefect_dvc import graph, storage
from prefect_dvc.core.errors import ConfigError
from projects import copy_stage

from gazette.pipeline import repro

NEEDED = "gazette.cli.run_summary gazette.evaluation.diff.changes gazette.evaluation.report.freshness"
HEAVY = {"polars", "pandas", "pandera", "numpy", "pyarrow", "mlflow", "tensorflow", "jinja2", "altair"}


def test_each_stage_that_ran_has_its_seconds_and_one_that_did_not_has_none(
    dvc_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = {"slow": copy_stage("slow", "raw", then="sleep 0.3"), "after": copy_stage("after", "made_slow")}
    monkeypatch.chdir(dvc_project(stages, raw="1\n"))
    result = repro.reproduce()
    assert list(result.states.items()) == [("slow", "ran"), ("after", "ran")]
    assert result.seconds.keys() == {"slow", "after"} and result.seconds["slow"] >= 0.3
    again = repro.reproduce()
    assert again.states == {"slow": "unchanged", "after": "unchanged"} and again.seconds == {}


def test_a_run_that_fails_keeps_the_seconds_of_what_ran_before(
    dvc_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = {"first": copy_stage("first", "raw"), "second": copy_stage("second", "made_first", then="exit 3")}
    monkeypatch.chdir(dvc_project(stages, raw="1\n"))
    result = repro.reproduce()
    assert result.code == 3 and result.seconds.keys() == {"first"}


def test_raw_data_that_are_missing_come_with_the_commands_that_bring_them(
    dvc_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(dvc_project({"first": copy_stage("first", "news")}))
    Path("news").write_text("1\n")
    subprocess.run([sys.executable, "-m", "dvc", "add", "-q", "news"], check=True)
    Path("news").unlink()
    result = repro.reproduce()
    assert result.code == 2 and "missing data 'source': news; bring it back with `dvc checkout`" in result.message


@pytest.mark.parametrize(
    "use", [repro.reproduce, lambda: storage.dvc_add(Path("raw")), lambda: graph.read_graph(Path())]
)
def test_a_project_without_its_repository_is_told_how_to_make_one(
    dvc_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, use: Callable[[], Any]
) -> None:
    root = dvc_project({"first": copy_stage("first", "raw")}, raw="1\n")
    shutil.rmtree(root / ".git")
    monkeypatch.chdir(root)
    with pytest.raises(ConfigError, match="not a git repository\na repository is needed: `git init "):
        use()


def test_a_run_in_which_nothing_changed_imports_no_data_frame() -> None:
    code = f"import sys, gazette.pipeline.repro, {NEEDED.replace(' ', ', ')}; print(sorted({HEAVY} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
