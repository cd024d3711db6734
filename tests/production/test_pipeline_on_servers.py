"""The pipeline on MLflow in PostgreSQL, with its files and DVC's remote on S3: the same bytes as on SQLite."""

import json
from pathlib import Path

import pytest
from clones import Project, clone, share
from real_servers import ObjectStorage, Tracking

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A clone in which the pipeline ran and registered a version in SQLite."""
    box = tmp_path_factory.mktemp("here")
    project = clone(box / "project", box / "guard")
    project.set(candidates=["linear"])
    project("gazette run && git add -A && git commit -qm ran")
    return project


@pytest.fixture(scope="module")
def there(here: Project, storage: ObjectStorage, tracking: Tracking) -> Project:
    """A clone of it by git, in a folder of its own, which has data by S3 and versions by MLflow's server alone."""
    here.environment |= storage.variables
    here("dvc remote add --default store s3://dvc/tiny && git commit -qam remote && dvc push -q")
    there = share(here, here.folder.parent / "there")
    tracking.wait("/health")
    there.environment |= {"MLFLOW_TRACKING_URI": tracking.address}
    return there


def test_a_clone_registers_from_the_remote_what_was_trained_elsewhere(here: Project, there: Project) -> None:
    there("dvc pull -q && gazette run")
    assert there("git status --porcelain") == ""
    assert digests(there) == digests(here) != []


def test_a_version_has_the_same_bytes_as_in_sqlite(here: Project, there: Project, tmp_path: Path) -> None:
    for project in (here, there):
        project(f"gazette pull tiny@challenger --to {tmp_path}/{project.folder.name}")
    assert contents(tmp_path / "project") == contents(tmp_path / "there")


def digests(project: Project) -> list[str]:
    lines = project("gazette versions --json 2>/dev/null").splitlines()
    return [json.loads(line)["digest"] for line in lines]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
