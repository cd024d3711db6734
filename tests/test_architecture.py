"""Facts that stand in two places, and the rules of who may import what."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest
from projects import ROOT
from ruamel.yaml import YAML

from gazette import candidates, wiring
from gazette.imports import closure, imported

SOURCE = ROOT / "src" / "gazette"
PIPELINE = YAML(typ="safe", pure=True).load(ROOT / "dvc.yaml")
NUMBERS = YAML(typ="safe", pure=True).load(ROOT / "params.yaml")
DEFINED = {name: stage.get("do", stage) for name, stage in PIPELINE["stages"].items()}  # of `foreach`, what is done
STAGES = list(DEFINED)

# A heavy package, and the modules that may import it.
HEAVY = {
    "altair": {"report"},
    "dask": set(),
    "distributed": {"batch/pools"},
    "dvc": {"graph", "recovery/cache", "revisions", "storage"},
    "dvc_data": {"recovery/cache", "revisions", "storage"},
    "ftfy": {"contract/damage"},
    "great_expectations": {"contract/checkpoint", "contract/expectations"},
    "jinja2": {"lineage/card", "report"},
    "keras": {"export", "learning", "networks", "packing", "pretrained"},
    "mlflow": {"registry", "serving", "steadiness", "trial", "tuning/runs"},
    "onnx": {"export", "quantising"},
    "onnxruntime": {"bundle", "quantising"},
    "pandera": {"articles"},
    "orjson": {"rawfiles/jsonlines"},
    "phonenumbers": {"contract/personal"},
    "prefect": set(),
    "prefect_dask": set(),
    "psutil": {"recovery/rwlock", "recovery/strays"},
    "py3langid": {"contract/scripts"},
    "pyarrow": {"rawfiles/parquet"},
    "optuna": {"tuning/study"},
    "opencc": {"gate/behaviour"},
    "sklearn": {"networks", "scoring"},
    "statsmodels": {"gate/comparison"},
    "stdnum": {"contract/personal"},
    "tensorflow": {"networks"},
}


def module_of(path: Path) -> str:
    return path.relative_to(SOURCE).with_suffix("").as_posix()


def entries(stage: dict[str, object], *keys: str) -> set[str]:
    """Paths under `deps:`, `outs:`, `metrics:` or `plots:`, with or without options."""
    return {
        path for key in keys for entry in stage.get(key, []) for path in ([entry] if isinstance(entry, str) else entry)
    }


def run_of(stage: str) -> dict[str, inspect.Parameter]:
    module = importlib.import_module(f"gazette.stages.{stage}")
    return dict(inspect.signature(module.run, eval_str=True).parameters)


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=module_of)
def test_heavy_packages_are_imported_in_their_module_alone(path: Path) -> None:
    module = module_of(path)
    for package in {name.split(".")[0] for name in imported(path)} & set(HEAVY):
        assert module in HEAVY[package] or module.split("/")[0] in HEAVY[package], f"{module} imports {package}"


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=module_of)
def test_only_stages_and_the_command_line_know_stages(path: Path) -> None:
    stages = {name for name in imported(path) if name.startswith("gazette.stages.")}
    assert not stages, f"{module_of(path)} imports {stages}"


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=module_of)
def test_nothing_but_the_start_knows_the_command_line(path: Path) -> None:
    """A new command would make every stage stale that depended on it."""
    module = module_of(path)
    knows = {name for name in imported(path) if name.startswith("gazette.cli")}
    assert not knows or module == "__main__" or module.startswith("cli/"), f"{module} imports {knows}"


@pytest.mark.parametrize("path", sorted((ROOT / "flows").glob("*.py")), ids=lambda path: path.stem)
def test_flows_know_no_stage_by_name_and_no_heavy_package_but_prefect(path: Path) -> None:
    packages = {name.split(".")[0] for name in imported(path)}
    assert not packages & set(HEAVY) - {"prefect", "prefect_dask"}
    assert not {name for name in imported(path) if name.startswith("gazette.stages")}
    words = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
    assert not words & set(STAGES)


def test_every_stage_is_a_module_and_every_module_a_stage() -> None:
    assert {path.stem for path in (SOURCE / "stages").glob("*.py")} - {"__init__"} == set(STAGES)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_the_code_that_it_runs(name: str) -> None:
    listed = {ROOT / path for path in entries(DEFINED[name], "deps") if path.startswith("src/")}
    files = {file for path in listed for file in (path.glob("*.py") if path.is_dir() else [path])}
    assert {file for file in files if file.name != "__init__.py"} == closure(SOURCE / "stages" / f"{name}.py")


def test_an_init_holds_a_docstring_and_nothing_else() -> None:
    """Who imports a module of a folder runs its `__init__` too, which no `deps` need name then."""
    bodies = {path: ast.parse(path.read_text(encoding="utf-8")).body for path in SOURCE.rglob("__init__.py")}
    assert [path for path, body in bodies.items() if len(body) != 1 and path.parent != SOURCE] == []


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_names_on_its_command_what_it_depends_on_and_makes(name: str) -> None:
    stage = DEFINED[name]
    on_command = {path for option, path in wiring.options(stage["cmd"]).items() if option != "candidate"}
    untracked = {path for path in on_command if path.startswith(".gazette/") or path == "dvc.lock"}
    data = {path for path in entries(stage, "deps", "outs", "metrics", "plots") if not path.startswith("src/")}
    assert on_command - untracked - {"data/raw/${corpus}"} == data - {"data/raw/${corpus}"}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_is_given_the_options_that_it_takes(name: str) -> None:
    command = wiring.options(DEFINED[name]["cmd"])
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
