"""`environment.yaml`: for each stage the versions of the packages that can change the bytes it makes.

`python -m gazette.pipeline.environment`, which `make lock` calls, writes it from `requirements.lock`: what the stage's
code imports, and what these packages require in turn. Each stage in `dvc.yaml` has its section as a param, so that it
runs again when one of them changes. Left out is what `INERT` names, with the reason.
"""

import sys
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from gazette.core import atomic
from gazette.core.errors import Misconfigured
from gazette.pipeline.imports import SOURCE, closure, imported

LOCK, WRITTEN = Path("requirements.lock"), Path("environment.yaml")

# Markers are read as on this machine wherever the file is made, so that it is the same everywhere; `--python-version`
# of the lock is 3.11.
REFERENCE = {
    "implementation_name": "cpython", "implementation_version": "3.11.0", "os_name": "posix",
    "platform_machine": "x86_64", "platform_python_implementation": "CPython", "platform_release": "",
    "platform_system": "Linux", "platform_version": "", "python_full_version": "3.11.0", "python_version": "3.11",
    "sys_platform": "linux",
}  # fmt: skip

# What no import of ours names, because another package imports it for us.
_EXPORTS = {"tf2onnx": "Keras exports through it"}
HIDDEN = {"train": _EXPORTS, "fine_tune": _EXPORTS, "head": _EXPORTS, "distil": _EXPORTS}

# Packages that no stage's bytes pass through: they print, download, serve, authenticate or build.
INERT = {
    "altair": "Great Expectations' charts, which nothing here draws",
    "cryptography": "keys of data bases and services, which nothing here opens",
    "databricks-sdk": "a service that nothing here calls",
    "docker": "MLflow's images, which nothing here builds",
    "fastapi": "MLflow's server",
    "flask": "MLflow's server",
    "flask-cors": "MLflow's server",
    "gitpython": "MLflow's note of a commit, for people",
    "graphene": "MLflow's server",
    "grpcio": "TensorFlow on several machines",
    "gunicorn": "MLflow's server",
    "huey": "MLflow's server",
    "huggingface-hub": "downloads of tokenizers, which are learned here",
    "libclang": "bindings to a compiler, never imported",
    "matplotlib": "MLflow's figures, which nothing here draws",
    "requests": "calls to services",
    "rich": "printing",
    "setuptools": "building packages",
    "skops": "MLflow's other kinds of models",
    "termcolor": "printing",
    "tqdm": "printing",
    "uvicorn": "MLflow's server",
    "wheel": "building packages",
}


def versions(lock: str) -> dict[str, str]:
    """The version of each package of a lock, by its canonical name, where its marker holds in `REFERENCE`."""
    pinned = [line.rstrip(" \\") for line in lock.splitlines() if line[:1].isalnum()]
    return {
        canonicalize_name(one.name): str(one.specifier).removeprefix("==")
        for one in map(Requirement, pinned)
        if one.marker is None or one.marker.evaluate(REFERENCE)
    }


def roots(stage: str, known: dict[str, str]) -> set[str]:
    """The packages that a stage's code imports; raises Misconfigured where the lock has none for an import."""
    found = set(HIDDEN.get(stage, {}))
    for module in sorted(_modules(stage)):
        held = {canonicalize_name(owner) for owner in _owners().get(module, [])} & set(known)
        if not held:
            raise Misconfigured(f"{module}, which stage {stage} imports, is of no package of {LOCK}: `make lock`")
        found |= held
    return found


def required(packages: set[str], known: dict[str, str]) -> set[str]:
    """The packages of the lock among these and all that they require, their extras included."""
    open_ends = [(name, "") for name in packages]
    seen: set[tuple[str, str]] = set()
    while open_ends:
        name, extra = open_ends.pop()
        if (name, extra) in seen or name not in known or name in INERT:
            continue
        seen.add((name, extra))
        for one in _requirements(name):
            if one.marker is None or one.marker.evaluate(REFERENCE | {"extra": extra}):
                open_ends += [(canonicalize_name(one.name), inner) for inner in ("", *one.extras)]
    return {name for name, _ in seen}


@cache
def _requirements(package: str) -> list[Requirement]:
    """As the installed package declares them; a package that this machine has no use for is not installed here."""
    installed = any(metadata.distributions(name=package))
    return [Requirement(one) for one in (metadata.requires(package) if installed else None) or []]


@cache
def _owners() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


@cache
def _modules(stage: str) -> frozenset[str]:
    """The top-level modules that a stage's code imports, those of Gazette and of Python left out."""
    files = closure(SOURCE / "stages" / f"{stage}.py")
    modules = {name.split(".")[0] for file in files for name in imported(file)}
    return frozenset(modules - set(sys.stdlib_module_names) - {"gazette"} - {file.stem for file in files})


def sections(lock: str, stages: list[str]) -> dict[str, dict[str, str]]:
    """Stage to package to version, sorted."""
    known = versions(lock)
    return {stage: {name: known[name] for name in sorted(required(roots(stage, known), known))} for stage in stages}


def written(found: dict[str, dict[str, str]]) -> str:
    """As YAML; versions are quoted, for `1.10` is no number."""
    lines = [
        "# Made by `make lock`: the packages that can change what a stage makes; where one changes, the stage is stale."
    ]
    for stage, packages in found.items():
        lines += ["", f"{stage}:", *(f'  {name}: "{version}"' for name, version in packages.items())]
    return "\n".join(lines) + "\n"


def stages() -> list[str]:
    """The stages, by their modules."""
    return sorted(path.stem for path in (SOURCE / "stages").glob("*.py") if path.stem != "__init__")


def main() -> None:
    """Writes the file."""
    atomic.write(written(sections(LOCK.read_text(encoding="utf-8"), stages())), WRITTEN)


if __name__ == "__main__":
    main()
