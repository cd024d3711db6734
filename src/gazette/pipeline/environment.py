"""`environment.yaml`: for each stage, the versions of the packages that can change the bytes it makes.

`python -m gazette.pipeline.environment`, which `make lock` calls, writes it from `requirements.lock`: the packages that
the stage's code imports, and their requirements. In `dvc.yaml` each stage has its section as a param, so it runs again
when one of them changes. `INERT` lists the packages that are excluded, with the reason.
"""

import sys
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError

from gazette.pipeline.imports import SOURCES, closure, imported_modules

LOCK, TARGET = Path("requirements.lock"), Path("environment.yaml")

# Markers are evaluated as on this machine, so that the file is the same wherever it is made; the lock's
# `--python-version` is 3.11.
REFERENCE = {
    "implementation_name": "cpython", "implementation_version": "3.11.0", "os_name": "posix",
    "platform_machine": "x86_64", "platform_python_implementation": "CPython", "platform_release": "",
    "platform_system": "Linux", "platform_version": "", "python_full_version": "3.11.0", "python_version": "3.11",
    "sys_platform": "linux",
}  # fmt: skip

# Packages that no stage's bytes pass through: they print, download, serve, authenticate or build.
INERT = {
    "altair": "Great Expectations' charts, which are not drawn here",
    "cryptography": "keys of databases and services, which are not used here",
    "databricks-sdk": "a service that is not called here",
    "docker": "MLflow's images, which are not built here",
    "gitpython": "MLflow's record of a commit, for people",
    "grpcio": "TensorFlow on several machines",
    "huggingface-hub": "downloads of tokenizers, which are trained here",
    "libclang": "bindings to a compiler, never imported",
    "matplotlib": "MLflow's figures, which are not drawn here",
    "requests": "calls to services",
    "skops": "MLflow's other kinds of models",
    **dict.fromkeys(("fastapi", "flask", "flask-cors", "graphene", "gunicorn", "huey", "uvicorn"), "MLflow's server"),
    **dict.fromkeys(("rich", "termcolor", "tqdm"), "printing"),
    **dict.fromkeys(("setuptools", "wheel"), "building packages"),
}


def read_versions(lock: str) -> dict[str, str]:
    """Return the version of each package of a lock by canonical name, if its marker holds in `REFERENCE`."""
    pinned = [line.rstrip(" \\") for line in lock.splitlines() if line[:1].isalnum()]
    return {
        canonicalize_name(requirement.name): str(requirement.specifier).removeprefix("==")
        for requirement in map(Requirement, pinned)
        if requirement.marker is None or requirement.marker.evaluate(REFERENCE)
    }


def imported_packages(stage: str, known: dict[str, str]) -> set[str]:
    """Return the packages that a stage's code imports; raises ConfigError if the lock has none for an import."""
    packages: set[str] = set()
    for module in sorted(_modules(stage)):
        owners = {canonicalize_name(owner) for owner in _owners().get(module, [])} & set(known)
        if not owners:
            raise ConfigError(f"{module}, which stage {stage} imports, is in no package of {LOCK}: `make lock`")
        packages |= owners
    return packages


def required_packages(packages: set[str], known: dict[str, str]) -> set[str]:
    """Return those of these packages, and of all that they require, extras included, that the lock has."""
    queue = [(name, "") for name in packages]
    visited: set[tuple[str, str]] = set()
    while queue:
        name, extra = queue.pop()
        if (name, extra) in visited or name not in known or name in INERT:
            continue
        visited.add((name, extra))
        for requirement in _requirements(name):
            if requirement.marker is None or requirement.marker.evaluate(REFERENCE | {"extra": extra}):
                queue += [(canonicalize_name(requirement.name), inner) for inner in ("", *requirement.extras)]
    return {name for name, _ in visited}


@cache
def _requirements(package: str) -> list[Requirement]:
    """Return what an installed package requires; a package for other machines is not installed here."""
    installed = metadata.distributions(name=package)
    return [Requirement(line) for distribution in installed for line in distribution.requires or []]


_owners = cache(metadata.packages_distributions)


@cache
def _modules(stage: str) -> frozenset[str]:
    """Return the top-level modules that a stage's code imports, except those of Gazette and of Python."""
    files = closure(SOURCES["gazette"] / "stages" / f"{stage}.py")
    modules = {name.split(".")[0] for file in files for name in imported_modules(file)}
    return frozenset(modules - set(sys.stdlib_module_names) - set(SOURCES) - {file.stem for file in files})


def build_sections(lock: str, stages: list[str]) -> dict[str, dict[str, str]]:
    """Return the version by stage and package, sorted."""
    known = read_versions(lock)
    return {
        stage: {name: known[name] for name in sorted(required_packages(imported_packages(stage, known), known))}
        for stage in stages
    }


def to_yaml(sections: dict[str, dict[str, str]]) -> str:
    """Format the sections as YAML; versions are quoted, since `1.10` is not a number."""
    lines = ["# Made by `make lock`: packages that can change a stage's outputs; if one changes, the stage is stale."]
    for stage, packages in sections.items():
        lines += ["", f"{stage}:", *(f'  {name}: "{version}"' for name, version in packages.items())]
    return "\n".join(lines) + "\n"


def list_stages() -> list[str]:
    """List the stages, by their modules."""
    return sorted(path.stem for path in (SOURCES["gazette"] / "stages").glob("*.py") if path.stem != "__init__")


def main() -> None:
    """Write the file."""
    atomic.write_text(TARGET, to_yaml(build_sections(LOCK.read_text(encoding="utf-8"), list_stages())))


if __name__ == "__main__":
    main()
