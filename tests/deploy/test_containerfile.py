"""The images: what the Containerfile copies, installs and runs exists, comes from the lock, and needs no rights."""

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from root import ROOT

from gazette.pipeline import environment

TEXT = (ROOT / "Containerfile").read_text(encoding="utf-8")
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
IMAGES = ("serve", "pipeline")


def instructions() -> dict[str, list[tuple[str, str]]]:
    """Return the instructions of each stage, as word and rest."""
    stages: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for line in re.sub(r"\\\n\s*|^#.*\n", "", TEXT, flags=re.MULTILINE).splitlines():
        if not line:
            continue
        word, _, rest = line.partition(" ")
        if word == "FROM":
            name = rest.split(" AS ")[1]
        stages.setdefault(name, []).append((word, rest))
    return stages


STAGES = instructions()


def values(stage: str, word: str) -> list[str]:
    return [rest for first, rest in STAGES[stage] if first == word]


def copied() -> set[str]:
    """Return the paths of this folder that the images' stages copy."""
    copies = [rest.split() for stage in STAGES for rest in values(stage, "COPY") if not rest.startswith("--from")]
    return {path for words in copies for path in words[:-1]}


def test_hadolint_has_nothing_to_say() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    ended = subprocess.run([linter, ROOT / "Containerfile"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


def test_what_is_copied_exists_and_nothing_else_enters_a_build() -> None:
    lines = (ROOT / ".containerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*" and {rule[1:] for rule in rules if rule.startswith("!")} == copied()
    assert all((ROOT / path).exists() for path in copied())


def test_docker_ignores_what_podman_ignores() -> None:
    assert (ROOT / ".dockerignore").resolve() == ROOT / ".containerignore"


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_runs_without_rights_and_has_a_health_check_a_volume_and_a_command(image: str) -> None:
    assert values(image, "USER") == ["1000:1000"]
    assert values(image, "HEALTHCHECK")[0].count("urlopen") == 1
    assert values(image, "VOLUME") == values(image, "WORKDIR")


@pytest.mark.parametrize("image", IMAGES)
def test_what_an_image_runs_is_installed_in_it(image: str) -> None:
    command = (values(image, "CMD") or values(image, "ENTRYPOINT"))[0]
    scripts = {script.name: script.dist for script in metadata.entry_points(group="console_scripts")}
    owner = canonicalize_name(scripts[command.strip("[]").split(",")[0].strip('"')].name)
    assert owner == PROJECT["name"] or owner in environment.read_versions(LOCK)


def test_the_base_has_the_python_of_the_lock() -> None:
    assert f"--python-version {re.findall(r'ARG BASE=python:(3[.][0-9]+)-', TEXT)[0]} " in LOCK


def test_the_images_install_as_make_install_does() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    first = "awk '/^uv==/,/# via/' requirements.lock"
    assert first in TEXT and first in makefile
    editable = r"--no-deps --no-build-isolation ((?:--editable \S+ ?)+)"
    assert re.findall(editable, TEXT)[0].split() == re.findall(editable, makefile)[0].split()
    for command in re.findall(r"(?:uv )?pip install .*?(?=\n|&&)", TEXT):
        assert any(check in command for check in ("--require-hashes", "--constraint", "--editable")), command


def test_the_lock_has_all_that_the_served_image_installs_so_that_every_hash_is_checked() -> None:
    known = environment.read_versions(LOCK)
    pending = [(Requirement(text), frozenset[str]()) for text in PROJECT["dependencies"]]
    visited: dict[str, set[str]] = {}
    while pending:
        requirement, extras = pending.pop()
        name = canonicalize_name(requirement.name)
        markers = [{**environment.REFERENCE, "extra": extra} for extra in ("", *extras)]
        if requirement.marker and not any(requirement.marker.evaluate(values) for values in markers):
            continue
        new = {"", *requirement.extras} - visited.get(name, set())
        visited.setdefault(name, set()).update(new)
        if new:
            inner = [Requirement(text) for text in metadata.requires(name) or []]
            pending += [(needed, frozenset(requirement.extras)) for needed in inner]
    assert len(visited) > len(PROJECT["dependencies"])
    assert {name for name in visited if name not in known} == {"prefect-dvc"}  # built from its source


def test_signals_reach_a_command_through_a_first_process_that_the_image_installs() -> None:
    (first,) = values("pipeline", "ENTRYPOINT")
    assert first == '["/usr/bin/tini", "--"]' and re.search(r"apt-get install .* tini ", values("pipeline", "RUN")[0])


def test_the_pipeline_s_environment_has_pip_which_downloads_corpora() -> None:
    assert not any("--without-pip" in command for command in values("pipeline-environment", "RUN"))
