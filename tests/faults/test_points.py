"""Kills at named points of the real pipeline, on a small corpus: what DVC and the registry have afterwards."""

import hashlib
import json
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import stopping
from clones import GUARD, Project, clone
from root import ROOT

pytestmark = pytest.mark.faults

REGISTRY = ("uploaded", "version", "alias", "a run begun")
LISTED = """
import json
from collections import Counter
versions = client.search_model_versions("name = 'tiny'")
digests = Counter(version.tags["digest"] for version in versions)
alias = client.get_model_version_by_alias("tiny", "challenger")
print(json.dumps([dict(sorted(digests.items())), alias.tags["digest"]]))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A clone in which everything ran once, and a copy of it to go back to."""
    box = tmp_path_factory.mktemp("points")
    project_clone = clone(box / "project", box / "guard")
    (box / "guard" / "sitecustomize.py").write_text(GUARD + (Path(stopping.__file__)).read_text())
    project_clone.environment["PYTHONPATH"] += f":{ROOT / 'src'}"
    project_clone("gazette run && git add -A && git commit -qm ran")
    shutil.copytree(project_clone.folder, box / "saved", symlinks=True)
    return project_clone


def back(project: Project, point: str) -> None:
    """As after the first run, and what the point needs: other params, or a registry that is new."""
    shutil.rmtree(project.folder)
    shutil.copytree(project.folder.parent / "saved", project.folder, symlinks=True)
    if point.startswith(REGISTRY):
        (project.folder / "mlflow.db").unlink()
    else:
        project.set(select={"tie_standard_errors": 0.4}, evaluate={"resamples": 101})


def state(project: Project) -> dict[str, object]:
    """Every file that a run makes by its hash, and the registry: how many versions a digest has, whose the alias is."""
    tops = ("data", "models", "reports", "dvc.lock")
    files = [path for top in tops for path in [project.folder / top, *(project.folder / top).rglob("*")]]
    hashes: dict[str, object] = {
        str(path.relative_to(project.folder)): hashlib.md5(path.read_bytes()).hexdigest()
        for path in files
        if path.is_file() and path.name != "report.html"
    }
    return hashes | {"registry": json.loads(project.ask(LISTED))}


@pytest.fixture(scope="module")
def undisturbed(project: Project) -> dict[bool, dict[str, object]]:
    states = {}
    for point in ("after the lock", "uploaded without version"):
        back(project, point)
        project("gazette run")
        states[point.startswith(REGISTRY)] = state(project)
    return states


@pytest.mark.parametrize("victims", ["group", "parent"])
@pytest.mark.parametrize("point", stopping.POINTS)
def test_a_kill_at_a_named_point_is_made_good_by_one_more_run(
    project: Project, undisturbed: dict[bool, dict[str, object]], point: str, victims: str
) -> None:
    back(project, point)
    in_stage = point.startswith(REGISTRY) or point == "an output half-written"
    stage = "register" if point.startswith(REGISTRY) else "evaluate"
    reached = project.folder.parent / "reached"
    reached.unlink(missing_ok=True)
    stops = {
        "GAZETTE_STOP_AT": point,
        "GAZETTE_STOP_IN": stage if in_stage else "--unguarded",
        "GAZETTE_STOP_FILE": str(reached),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "gazette", "run"],
        cwd=project.folder,
        env=project.environment | stops,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as run:
        while not reached.exists():
            assert run.poll() is None, run.stdout.read() if run.stdout else ""
            time.sleep(0.05)
        tree = [psutil.Process(run.pid), *psutil.Process(run.pid).children(recursive=True)]
        for process in tree if victims == "group" else tree[:1]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
    output = project("gazette run")
    print(
        point,
        victims,
        [line for line in output.splitlines() if line.startswith(("removed", "ended", "dvc.lock", ".dvc"))],
    )
    assert state(project) == undisturbed[point.startswith(REGISTRY)]
    assert set(state(project)["registry"][0].values()) == {1}  # type: ignore[index]
    assert project("dvc status --quiet") == ""
