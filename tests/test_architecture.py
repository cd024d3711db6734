"""Facts that stand in two places, and the rules of who may import what."""

import ast
import importlib
import inspect
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
from projects import ROOT
from ruamel.yaml import YAML

from gazette.core import candidates
from gazette.pipeline import cmdline
from gazette.pipeline.imports import closure

SOURCE = ROOT / "src" / "gazette"
PIPELINE = YAML(typ="safe", pure=True).load(ROOT / "dvc.yaml")
NUMBERS = YAML(typ="safe", pure=True).load(ROOT / "params.yaml")
DEFINED = {name: stage.get("do", stage) for name, stage in PIPELINE["stages"].items()}  # of `foreach`, what is done
STAGES = list(DEFINED)
MAX_SURPLUS = 150  # lines


def entries(stage: dict[str, object], *keys: str) -> set[str]:
    """Paths under `deps:`, `outs:`, `metrics:` or `plots:`, with or without options."""
    return {
        path for key in keys for entry in stage.get(key, []) for path in ([entry] if isinstance(entry, str) else entry)
    }


def run_of(stage: str) -> dict[str, inspect.Parameter]:
    module = importlib.import_module(f"gazette.stages.{stage}")
    return dict(inspect.signature(module.run, eval_str=True).parameters)


@pytest.mark.parametrize("path", sorted((ROOT / "flows").glob("*.py")), ids=lambda path: path.stem)
def test_flows_know_no_stage_by_name(path: Path) -> None:
    words = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
    assert not words & set(STAGES)


def test_every_stage_is_a_module_and_every_module_a_stage() -> None:
    assert {path.stem for path in (SOURCE / "stages").glob("*.py")} - {"__init__"} == set(STAGES)


def listed_code(stage: str) -> dict[Path, set[Path]]:
    """What a stage names of the code, and the files that each entry stands for."""
    paths = [ROOT / path for path in entries(DEFINED[stage], "deps") if path.startswith("src/")]
    return {path: set(path.rglob("*.py")) if path.is_dir() else {path} for path in paths}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_the_code_that_it_runs(name: str) -> None:
    """DVC does not track imports: whatever a stage's module imports is under its `deps`, and no entry is idle."""
    listed, runs = listed_code(name), closure(SOURCE / "stages" / f"{name}.py")
    assert runs - set().union(*listed.values()) == set()
    assert [path for path, files in listed.items() if not files & runs] == []


@pytest.mark.parametrize("name", ["train", "fine_tune", "features", "head", "distil"])
def test_a_stage_that_learns_is_not_stale_by_code_that_it_does_not_run(name: str) -> None:
    """Each learns for minutes; what is listed beyond its closure is bounded, so that nothing is parked in a folder."""
    surplus = set().union(*listed_code(name).values()) - closure(SOURCE / "stages" / f"{name}.py")
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in surplus) <= MAX_SURPLUS


def test_a_folder_of_code_is_listed_whole() -> None:
    """DVC takes a folder as it is: what editors leave in it is ignored, or it would make every stage stale."""
    left = [".articles.py.swp", "articles.py~", ".#articles.py", "#articles.py#", "articles.py.orig"]
    patterns = [line for line in (ROOT / ".dvcignore").read_text().splitlines() if line[:2] not in ("", "# ")]
    patterns = [pattern.removeprefix("\\") for pattern in patterns]
    assert [name for name in left if not any(fnmatch(name, pattern) for pattern in patterns)] == []


def test_every_module_has_a_package() -> None:
    assert {path.name for path in SOURCE.glob("*.py")} == {"__init__.py", "__main__.py"}
    packages = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert packages == {
        "core", "pipeline", "data", "training", "registry", "evaluation", "serving", "lineage", "stages", "cli"
    }  # fmt: skip


def test_an_init_holds_a_docstring_and_nothing_else() -> None:
    """Who imports a module of a folder runs its `__init__` too, which no `deps` need name then."""
    bodies = {path: ast.parse(path.read_text(encoding="utf-8")).body for path in SOURCE.rglob("__init__.py")}
    assert [path for path, body in bodies.items() if len(body) != 1 and path.parent != SOURCE] == []


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_names_on_its_command_what_it_depends_on_and_makes(name: str) -> None:
    stage = DEFINED[name]
    on_command = {path for option, path in cmdline.options(stage["cmd"]).items() if option != "candidate"}
    untracked = {path for path in on_command if path.startswith(".gazette/") or path == "dvc.lock"}
    data = {path for path in entries(stage, "deps", "outs", "metrics", "plots") if not path.startswith("src/")}
    assert on_command - untracked - {"data/raw/${corpus}"} == data - {"data/raw/${corpus}"}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_is_given_the_options_that_it_takes(name: str) -> None:
    command = cmdline.options(DEFINED[name]["cmd"])
    assert set(command) == {key for key, parameter in run_of(name).items() if parameter.annotation in (Path, str)}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_the_params_that_it_reads(name: str) -> None:
    taken = run_of(name)
    sections = {name} if "params" in taken else set()
    sections |= {key for key, p in taken.items() if key != "params" and p.annotation not in (Path, str)}
    params = DEFINED[name]["params"]
    listed = {re.sub(r"\.\$\{(item\.candidate|key)\}$", "", entry) for entry in params if isinstance(entry, str)}
    assert listed == sections
    assert [entry for entry in params if not isinstance(entry, str)] == [{"environment.yaml": [name]}]


@pytest.mark.parametrize("name", [name for name in STAGES if name in NUMBERS])
def test_a_section_of_params_has_the_fields_of_its_stage(name: str) -> None:
    assert set(NUMBERS[name]) == set(importlib.import_module(f"gazette.stages.{name}").Params.model_fields)


def test_every_candidate_has_a_model() -> None:
    assert set(candidates.of(NUMBERS)) <= set(NUMBERS["models"])


def test_the_table_of_the_readme_says_what_the_pipeline_says() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(rows) == {name: stage["desc"] for name, stage in DEFINED.items()}
