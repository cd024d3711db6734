"""A stage whose code, data or params are edited while it runs fails, and DVC records nothing of it."""

import functools
import importlib
import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.environment import child_environment
from root import ROOT

from gazette.pipeline import input_guard, loaded

PIPELINE = """\
stages:
  train:
    matrix: {candidate: [a, b]}
    cmd: any
    params: [train, "models.${item.candidate}"]
    deps: ["data/raw/${corpus}", code.py]
"""
PARAMS = "corpus: tiny\ntrain: {seed: 7}\nmodels: {a: {units: 8}, b: {units: 9}}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    raw = tmp_path / "data" / "raw" / "tiny"
    raw.mkdir(parents=True)
    for number in range(input_guard.MAX_CONTENT_FILES + 1):
        (raw / f"{number}.txt").write_text("goal")
    (tmp_path / "code.py").write_text("one = 1\n")
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / ".dvcignore").write_text("# left by editors\n.*.sw[a-p]\n")
    return tmp_path


def rewritten(path: Path, text: str) -> None:
    """To the same length, with the time that the file had."""
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


EDITS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a raw file": (lambda root: rewritten(root / "data/raw/tiny/3.txt", "bank"), "data/raw/tiny/3.txt was modified"),
    "a raw file more": (lambda root: (root / "data/raw/tiny/x.txt").write_text("x"), "data/raw/tiny/x.txt appeared"),
    "a raw file fewer": (lambda root: (root / "data/raw/tiny/3.txt").unlink(), "data/raw/tiny/3.txt disappeared"),
    "code": (lambda root: rewritten(root / "code.py", "one = 2\n"), "code.py was modified"),
    "a param": (lambda root: (root / "params.yaml").write_text(PARAMS.replace("7", "8")), "train.seed: 7 → 8"),
    "a param, half saved": (lambda root: (root / "params.yaml").write_text("train: {seed"), "params.yaml is not YAML"),
    "its own param": (
        lambda root: (root / "params.yaml").write_text(PARAMS.replace("8}", "5}")),
        "8 → 5",
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_what_is_edited_while_a_stage_runs_fails_it_and_is_named(project: Path, edit: str) -> None:
    change, named = EDITS[edit]
    with pytest.raises(ConfigError, match=named), input_guard.inputs_unchanged("train", {"candidate": "a"}):
        change(project)


def test_the_encoder_of_a_candidate_is_watched_and_no_other(project: Path) -> None:
    (project / "dvc.yaml").write_text(
        "stages: {linear_probe: {foreach: '${pretrained.linear_probe}', do: {deps: ['${item}.bin']}}}"
    )
    (project / "params.yaml").write_text("pretrained: {linear_probe: {a: one, b: two}}")
    for name in ("one", "two"):
        (project / f"{name}.bin").write_text("0.5")
    for candidate in ("a", "called by hand, listed nowhere"):
        with input_guard.inputs_unchanged("linear_probe", {"candidate": candidate}):
            (project / "two.bin").write_text(f"0.7 {candidate}")
    with (
        pytest.raises(ConfigError, match=r"one\.bin"),
        input_guard.inputs_unchanged("linear_probe", {"candidate": "a"}),
    ):
        (project / "one.bin").write_text("0.7")


UNRELATED: dict[str, Callable[[Path], object]] = {
    "nothing": lambda root: None,
    "a param of another candidate": lambda root: (root / "params.yaml").write_text(PARAMS.replace("9", "5")),
    "a remark": lambda root: (root / "params.yaml").write_text(PARAMS + "# a remark\n"),
    "code that is written as it was": lambda root: (root / "code.py").write_text("one = 1\n"),
    "what an editor leaves": lambda root: (root / "data/raw/tiny/.3.txt.swp").write_text("bank"),
    "another file": lambda root: (root / "other.py").write_text("two = 2\n"),
}


@pytest.mark.parametrize("edit", UNRELATED)
def test_what_a_stage_does_not_depend_on_may_be_edited(project: Path, edit: str) -> None:
    with input_guard.inputs_unchanged("train", {"candidate": "a"}):
        UNRELATED[edit](project)


def test_a_folder_without_a_pipeline_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with input_guard.inputs_unchanged("train", {}):
        (tmp_path / "dvc.yaml").write_text(PIPELINE)


def test_a_failure_of_the_stage_itself_is_raised_unchanged(project: Path) -> None:
    with pytest.raises(ZeroDivisionError), input_guard.inputs_unchanged("train", {"candidate": "a"}):
        rewritten(project / "code.py", "one = 2\n")
        1 / 0  # noqa: B018


def test_code_that_was_written_after_the_process_began_is_found(tmp_path: Path) -> None:
    began = loaded.process_start()
    assert 0 < time.time() - began < 3600
    (tmp_path / "late.py").write_text("")
    assert loaded.modified_since(began, {"src/late.py": tmp_path / "late.py"}) == ["src/late.py was modified"]
    assert loaded.modified_since(time.time(), {"src/late.py": tmp_path / "late.py"}) == []


def test_code_of_another_tree_fails_a_stage_before_it_begins(project: Path) -> None:
    """Whatever it depends on: between two layouts, no path of the one is a path of the other."""
    (project / "src" / "gazette").mkdir(parents=True)
    began = False
    with (
        pytest.raises(ConfigError, match=r"not this tree's src/gazette/.*PYTHONPATH="),
        input_guard.inputs_unchanged("train", {}),
    ):
        began = True
    assert not began


def test_dvc_runs_a_stage_with_the_code_of_its_own_tree(dvc_project: Callable[..., Path]) -> None:
    """As in a worktree, whose `gazette` on the path is the root's."""
    stages = {"say": {"cmd": f"{sys.executable} -m gazette say > made", "outs": ["made"]}}
    root = dvc_project(stages)
    package = root / "src" / "gazette"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text("import sys; print(__file__, sys.argv[1:])")
    subprocess.run([sys.executable, "-m", "dvc", "repro"], cwd=root, env=child_environment({}), check=True)
    assert (root / "made").read_text() == f"{package / '__main__.py'} ['say']\n"


def test_a_package_that_pythonpath_puts_before_the_installed_one_is_refused(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = tmp_path / "other" / "numpy" / "__init__.py"
    twin.parent.mkdir(parents=True)
    twin.touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "other"))
    monkeypatch.setattr(sys.modules["numpy"], "__file__", str(twin))
    with pytest.raises(ConfigError, match=f"numpy is that of {twin}"), input_guard.inputs_unchanged("train", {}):
        pass


def test_the_installed_packages_may_be_on_pythonpath(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", sysconfig.get_path("purelib"))
    importlib.import_module("tlz")  # toolz under a second name
    with input_guard.inputs_unchanged("train", {}):
        pass


@pytest.mark.slow
def test_under_plain_dvc_repro_nothing_is_recorded(dvc_project: Callable[..., Path]) -> None:
    program = (
        "from gazette.pipeline import input_guard\nfrom pathlib import Path\n"
        "with input_guard.inputs_unchanged('copy', {}):\n"
        "    Path('made').write_text(Path('raw').read_text())\n"
        "    if Path('edit').exists(): Path('raw').write_text('other')\n"
    )
    stages = {"copy": {"cmd": f"{sys.executable} program.py", "deps": ["raw", "program.py"], "outs": ["made"]}}
    root = dvc_project(stages, raw="text", program__py=program, edit="")
    repro = [sys.executable, "-m", "dvc", "repro"]
    failed = subprocess.run(repro, cwd=root, capture_output=True, text=True)
    assert failed.returncode != 0
    assert "  raw was modified" in failed.stderr
    assert not (root / "dvc.lock").exists()
    (root / "edit").unlink()
    assert subprocess.run(repro, cwd=root, capture_output=True).returncode == 0
    assert "md5" in (root / "dvc.lock").read_text()


def test_every_stage_that_the_command_line_runs_is_watched(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real stage `select`, with a body that saves other params while it runs."""
    from gazette.cli import app
    from gazette.stages import select

    root = ROOT
    (project / "dvc.yaml").write_text((root / "dvc.yaml").read_text())
    (project / "params.yaml").write_text((root / "params.yaml").read_text())

    @functools.wraps(select.run)
    def edited(*args: object, **kwargs: object) -> None:
        text = (project / "params.yaml").read_text()
        (project / "params.yaml").write_text(text.replace("tie_standard_errors: 0.5", "tie_standard_errors: 0.25"))

    monkeypatch.setattr(select, "run", edited)
    for name in ("bundles", "scores", "curves"):
        (project / name).mkdir()
    words = [f"--{name}={name}" for name in ("bundles", "scores", "curves", "bundle", "selection")]
    with pytest.raises(ConfigError, match=r"select\.tie_standard_errors: 0\.5 → 0\.25"):
        app.stage("select").main(words, standalone_mode=False)
