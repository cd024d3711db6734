"""Facts that are in two places agree, and every stage lists the code that it runs."""

import ast
import importlib
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
from root import ROOT
from ruamel.yaml import YAML

from gazette.cli import app
from gazette.core import candidates, layout
from gazette.pipeline import cmdline
from gazette.pipeline.imports import closure

SOURCE = ROOT / "src" / "gazette"
PIPELINE = YAML(typ="safe", pure=True).load(ROOT / "dvc.yaml")
NUMBERS = YAML(typ="safe", pure=True).load(ROOT / "params.yaml")
DEFINED = {name: stage.get("do", stage) for name, stage in PIPELINE["stages"].items()}  # the body of a `foreach`
STAGES = list(DEFINED)
MAX_SURPLUS = 175  # lines


def entries(stage: dict[str, object], *keys: str) -> set[str]:
    """Return the paths under `deps:`, `outs:`, `metrics:` or `plots:`, with or without options."""
    return {
        path for key in keys for entry in stage.get(key, []) for path in ([entry] if isinstance(entry, str) else entry)
    }


def parameters(stage: str) -> tuple[set[str], set[str]]:
    """The options and the sections of params that a stage takes."""
    module = importlib.import_module(f"gazette.stages.{stage}")
    options, _, sections = app.stage_parameters(module.run)
    return set(options), {*sections, *({stage} if hasattr(module, "Params") else ())}


@pytest.mark.parametrize("path", sorted((ROOT / "flows").glob("*.py")), ids=lambda path: path.stem)
def test_flows_know_no_stage_by_name(path: Path) -> None:
    words = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
    assert not words & set(STAGES)


def test_every_stage_is_a_module_and_every_module_a_stage() -> None:
    assert {path.stem for path in (SOURCE / "stages").glob("*.py")} - {"__init__"} == set(STAGES)


def listed_code(stage: str) -> dict[Path, set[Path]]:
    """Return the code entries of a stage, each with its files."""
    paths = [ROOT / path for path in entries(DEFINED[stage], "deps") if path.startswith(layout.CODE)]
    return {path: set(path.rglob("*.py")) if path.is_dir() else {path} for path in paths}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_the_code_that_it_runs(name: str) -> None:
    """DVC does not track imports: every module that a stage imports is under its `deps`, and no entry is unused."""
    listed, runs = listed_code(name), closure(SOURCE / "stages" / f"{name}.py")
    assert runs - set().union(*listed.values()) == set()
    assert [path for path, files in listed.items() if not files & runs] == []


@pytest.mark.parametrize("name", ["train", "fine_tune", "extract_features", "linear_probe", "distill"])
def test_a_stage_that_trains_lists_little_code_that_it_does_not_run(name: str) -> None:
    """Training takes minutes, so the code that is listed beyond the closure of imports is bounded."""
    surplus = set().union(*listed_code(name).values()) - closure(SOURCE / "stages" / f"{name}.py")
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in surplus) <= MAX_SURPLUS


def test_a_folder_of_code_is_listed_whole() -> None:
    """DVC hashes every file of a folder: an editor's temporary file would make every stage stale."""
    temporary = [".articles.py.swp", "articles.py~", ".#articles.py", "#articles.py#", "articles.py.orig"]
    patterns = [line for line in (ROOT / ".dvcignore").read_text().splitlines() if line[:2] not in ("", "# ")]
    patterns = [pattern.removeprefix("\\") for pattern in patterns]
    assert [name for name in temporary if not any(fnmatch(name, pattern) for pattern in patterns)] == []


def test_every_module_has_a_package() -> None:
    assert {path.name for path in SOURCE.glob("*.py")} == {"__init__.py", "__main__.py"}
    packages = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert packages == {
        "core", "pipeline", "data", "training", "registry", "evaluation", "serving", "lineage", "stages", "monitoring",
        "cli",
    }  # fmt: skip


def test_no_two_files_of_tests_have_the_same_name() -> None:
    folders = (ROOT / "tests", ROOT / "packages")
    names = [path.name for folder in folders for path in folder.rglob("test_*.py")]  # pytest imports them by it
    assert sorted(names) == sorted(set(names))


def test_an_init_has_a_docstring_and_nothing_else() -> None:
    """Importing a module runs the `__init__` of its package, which no `deps` have to list if it is empty."""
    bodies = {path: ast.parse(path.read_text(encoding="utf-8")).body for path in SOURCE.rglob("__init__.py")}
    assert [path for path, body in bodies.items() if len(body) != 1 and path.parent != SOURCE] == []


@pytest.mark.parametrize("name", STAGES)
def test_the_command_of_a_stage_names_its_deps_and_outs(name: str) -> None:
    stage = DEFINED[name]
    on_command = {path for option, path in cmdline.parse_options(stage["cmd"]).items() if option != "candidate"}
    untracked = {path for path in on_command if path.startswith(".gazette/") or path == "dvc.lock"}
    data = {path for path in entries(stage, "deps", "outs", "metrics", "plots") if not path.startswith(layout.CODE)}
    assert on_command - untracked - {"data/raw/${corpus}"} == data - {"data/raw/${corpus}"}


@pytest.mark.parametrize("name", STAGES)
def test_the_command_of_a_stage_has_its_options(name: str) -> None:
    command = cmdline.parse_options(DEFINED[name]["cmd"])
    assert set(command) == parameters(name)[0]


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_the_params_that_it_reads(name: str) -> None:
    params = DEFINED[name]["params"]
    listed = {re.sub(r"\.\$\{(item\.candidate|key)\}$", "", entry) for entry in params if isinstance(entry, str)}
    assert listed == parameters(name)[1]
    assert [entry for entry in params if not isinstance(entry, str)] == [{"environment.yaml": [name]}]


@pytest.mark.parametrize("name", [name for name in STAGES if name in NUMBERS])
def test_a_section_of_params_has_the_fields_of_its_stage(name: str) -> None:
    assert set(NUMBERS[name]) == set(importlib.import_module(f"gazette.stages.{name}").Params.model_fields)


def test_every_candidate_has_a_model() -> None:
    assert set(candidates.all_candidates(NUMBERS)) <= set(NUMBERS["models"])


def test_the_stages_in_the_readme_are_those_of_the_pipeline() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(rows) == {name: stage["desc"] for name, stage in DEFINED.items()}
