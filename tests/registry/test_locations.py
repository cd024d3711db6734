"""Where a registry in a database keeps its files: in the project, wherever the process works."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow.utils.file_utils import local_file_uri_to_path
from prefect_dvc import state
from prefect_dvc.core.errors import ConfigError

from gazette.registry.store import address, locations, relocation

TABLES = """
CREATE TABLE experiments (artifact_location TEXT);
CREATE TABLE runs (artifact_uri TEXT);
CREATE TABLE logged_models (artifact_location TEXT);
CREATE TABLE model_versions (name TEXT, version INTEGER, current_stage TEXT, source TEXT, storage_location TEXT);
"""
TREES = [
    ".dvc/tmp/prefect-dvc/retrain-x/retrain-x",
    ".gazette/retrain-x/retrain-x",
    ".gazette/experiment-x",
    ".dvc/tmp/exps/tmpx",
    ".dvc/tmp/exps/standalone/x/sub",
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "my project, 100% 新闻 #1"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv(address.VARIABLE, raising=False)
    return folder


@pytest.fixture
def registry(project: Path) -> Path:
    """A database begun in a tree that was removed: version 1 is lost, version 2 was registered after that."""
    runs = project / TREES[0] / "mlruns" / "1"
    model = runs / "models" / "m-2" / "artifacts"
    model.mkdir(parents=True)
    (model / "MLmodel").write_text("model")
    database = project / "mlflow.db"
    with sqlite3.connect(database) as connection:
        connection.executescript(TABLES)
        connection.executemany("INSERT INTO experiments VALUES (?)", [(str(runs),), (str(runs.with_name("0")),)])
        connection.execute("INSERT INTO experiments VALUES ('s3://bucket/1')")
        connection.execute("INSERT INTO runs VALUES (?)", (f"{(runs / 'r2').as_uri()}/artifacts",))
        connection.execute("INSERT INTO logged_models VALUES (?)", (str(model),))
        for number, place in ((1, model.parents[1] / "m-1" / "artifacts"), (2, model)):
            row = ("tiny", number, "None", f"models:/m-{number}", str(place))
            connection.execute("INSERT INTO model_versions VALUES (?, ?, ?, ?, ?)", row)
    return database


def column(database: Path, table: str, name: str) -> list[str]:
    with sqlite3.connect(database) as connection:
        return [row[0] for row in connection.execute(f"SELECT {name} FROM {table}")]


@pytest.mark.parametrize("tree", TREES)
def test_a_process_in_a_tree_of_a_run_has_the_registry_of_the_project(
    project: Path, tree: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_home = address.tracking_uri()
    assert at_home == f"sqlite:///{project}/mlflow.db"
    (project / "mlflow.db").touch()
    (project / tree).mkdir(parents=True)
    monkeypatch.chdir(project / tree)
    assert (address.tracking_uri(), address.artifact_folder()) == (at_home, project)
    assert address.registry_exists()


@pytest.mark.slow
@pytest.mark.parametrize("words", ["--temp", "--queue && dvc exp run -q --run-all"])
def test_an_experiment_of_dvc_in_a_tree_has_the_registry_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(address.VARIABLE, raising=False)
    answers = tmp_path.parent / f"{tmp_path.name}-answers"
    code = f"from gazette.registry.store import address; open('{answers}', 'a').write(address.tracking_uri() + ' ')"
    (tmp_path / "dvc.yaml").write_text(
        f"stages: {{ask: {{cmd: {sys.executable} ask.py, deps: [ask.py], outs: [x]}}}}\n"
    )
    (tmp_path / "ask.py").write_text(f"{code}; open('x', 'w').write('')")
    who = "git -c user.name=t -c user.email=t@t"
    subprocess.run(f"git init -q && dvc init -q && git add -A && {who} commit -qm x", shell=True, check=True)
    subprocess.run(f"dvc exp run -q {words}", shell=True, check=True)
    assert set(answers.read_text().split()) == {f"sqlite:///{tmp_path}/mlflow.db"}


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_variable_is_one_that_is_not_set(project: Path, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    unset = address.tracking_uri(), address.absolute_uri(project), address.registry_exists(), address.name()
    monkeypatch.setenv(address.VARIABLE, value)
    assert (address.tracking_uri(), address.absolute_uri(project), address.registry_exists(), address.name()) == unset
    assert not address.registry_exists()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("sqlite:///other.db", "sqlite:///{root}/other.db"),
        ("sqlite:///other.db?timeout=5", "sqlite:///{root}/other.db?timeout=5"),
        ("sqlite+pysqlite:///other.db", "sqlite+pysqlite:///{root}/other.db"),
        ("sqlite:////srv/mlflow.db", "sqlite:////srv/mlflow.db"),
        ("mlruns", "{root}/mlruns"),
        ("/srv/mlruns", "/srv/mlruns"),
        ("https://mlflow.example.org", "https://mlflow.example.org"),
        ("postgresql+psycopg2://u:p@host/db", "postgresql+psycopg2://u:p@host/db"),
        ("databricks", "databricks"),
    ],
)
def test_a_relative_address_is_the_projects(
    project: Path, value: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(address.VARIABLE, value)
    assert address.absolute_uri(project) == expected.format(root=project)


@pytest.mark.parametrize("value", ["sqlite://mlflow.db", "sqlite:mlflow.db", "sqlite:///", "sqlite:///:memory:"])
def test_an_address_of_sqlite_that_names_no_file_is_refused_before_a_run(
    project: Path, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setenv(address.VARIABLE, value)
    with pytest.raises(ConfigError, match=f"MLFLOW_TRACKING_URI={value}: expected the file .* sqlite:///mlflow.db"):
        address.is_current(Path("version.json"))


def test_a_question_mark_in_the_projects_path_needs_a_server(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"what\?, has a question mark.*rename the folder, or let MLFLOW_TR"):
        address.absolute_uri(project / "what?")
    (project / "what?").mkdir()
    monkeypatch.chdir(project / "what?")
    with pytest.raises(ConfigError, match="question mark"):
        address.is_current(Path("version.json"))
    monkeypatch.setenv(address.VARIABLE, "https://mlflow.example.org")
    assert address.absolute_uri(project / "what?") == "https://mlflow.example.org"


def test_nothing_is_registered_where_mlflow_takes_a_path_for_another(project: Path) -> None:
    with pytest.raises(ConfigError, match=r"takes .*/a%2Fb/mlruns/1, .* for .*/a/b/mlruns/1: `gazette registry reloc"):
        locations.check_lasting("tiny", f"{project}/a%2Fb/mlruns/1", project)
    locations.check_lasting("tiny", (project / "a%2Fb" / "mlruns" / "1").as_uri(), project)


def test_files_lie_beside_a_database_elsewhere(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(address.VARIABLE, "sqlite:////srv/registry/mlflow.db")
    assert address.artifact_folder() == Path("/srv/registry")


def test_doctor_names_what_is_kept_in_a_tree_and_what_is_lost(registry: Path) -> None:
    warnings = address.list_warnings()
    strays = [warning for warning in warnings if "`gazette registry relocate`" in warning]
    assert [f"{TREES[0]}/mlruns/{number}," in warning for number, warning in enumerate(strays)] == [True, True]
    assert [warning.split()[0] for warning in warnings if "lost" in warning] == ["tiny/1"]


def test_relocated_files_are_found_in_the_project(registry: Path, project: Path) -> None:
    relocation.relocate(registry, project)
    home = project / "mlruns"
    assert (home / "1" / "models" / "m-2" / "artifacts" / "MLmodel").read_text() == "model"
    assert column(registry, "experiments", "artifact_location") == [f"{home}/1", f"{home}/0", "s3://bucket/1"]
    assert column(registry, "runs", "artifact_uri") == [f"{(home / '1' / 'r2').as_uri()}/artifacts"]
    assert locations.list_strays(registry) == []
    assert locations.list_lost_versions(registry) == ["tiny/1"]
    assert not (project / TREES[0] / "mlruns" / "1").exists()
    assert relocation.relocate(registry, project) == []


def test_a_killed_relocation_is_finished_by_the_next(
    registry: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(relocation, "_rewrite", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            relocation.relocate(registry, project)
    relocation.relocate(registry, project)
    assert locations.list_lost_versions(registry) == ["tiny/1"]


def test_a_file_in_the_way_of_a_relocation_stays_and_nothing_is_moved(registry: Path, project: Path) -> None:
    taken = project / "mlruns" / "1" / "models" / "m-2" / "artifacts" / "MLmodel"
    taken.parent.mkdir(parents=True)
    taken.write_text("mine")
    before = column(registry, "experiments", "artifact_location")
    with pytest.raises(ConfigError, match="MLmodel has the place"):
        relocation.relocate(registry, project)
    assert taken.read_text() == "mine" and column(registry, "experiments", "artifact_location") == before


@pytest.fixture
def settled(project: Path) -> Path:
    """A database whose files are in the project's mlruns; its first experiment, Default, has none."""
    place = project / "mlruns" / "1"
    place.mkdir(parents=True)
    with sqlite3.connect(project / "mlflow.db") as connection:
        connection.executescript(TABLES)
        connection.executemany("INSERT INTO experiments VALUES (?)", [(str(place.with_name("0")),), (str(place),)])
    return project


@pytest.mark.parametrize("carry", [shutil.copytree, shutil.move])
@pytest.mark.parametrize("name", ["a copy", "feature%2Fcopy"])
def test_the_registry_of_a_copied_or_moved_project_is_of_use_once_it_names_its_own_files(
    settled: Path, monkeypatch: pytest.MonkeyPatch, name: str, carry: Callable[[Path, Path], object]
) -> None:
    address.check_place()
    there = settled.with_name(name)
    carry(settled, there)
    monkeypatch.chdir(there)
    with pytest.raises(ConfigError, match=r"copied or moved.*`gazette registry relocate`"):
        address.check_place()
    with pytest.raises(ConfigError, match="copied or moved"):
        address.is_current(Path("version.json"))  # before a run trains
    assert ["copied or moved" in warning for warning in address.list_warnings()] == [True]
    assert relocation.relocate(there / "mlflow.db", there) == [(settled / "mlruns", there / "mlruns")]
    address.check_place()
    places = column(there / "mlflow.db", "experiments", "artifact_location")
    assert [local_file_uri_to_path(place) for place in places] == [f"{there}/mlruns/{number}" for number in range(2)]


def test_files_in_a_folder_that_somebody_chose_are_nobody_elses(settled: Path) -> None:
    chosen = settled.with_name("disk") / "mlruns" / "1"
    chosen.mkdir(parents=True)
    with sqlite3.connect(settled / "mlflow.db") as connection:
        connection.execute("INSERT INTO experiments VALUES (?)", (str(chosen),))
    address.check_place()


def test_nothing_is_registered_into_a_tree(project: Path) -> None:
    with pytest.raises(ConfigError, match="`gazette registry relocate` moves them"):
        locations.check_lasting("tiny", f"{project}/{TREES[0]}/mlruns/1", project)
    locations.check_lasting("tiny", f"{project}/mlruns/1", project)
    locations.check_lasting("tiny", "mlflow-artifacts:/1", project)


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_nothing_is_registered_into_a_folder_of_another_machine(project: Path, scheme: str) -> None:
    with pytest.raises(
        ConfigError, match=r"/srv/elsewhere/mlruns/1, a folder of another machine.*mlflow experiments create"
    ):
        locations.check_lasting("tiny", f"{scheme}/srv/elsewhere/mlruns/1", project)
    locations.check_lasting("tiny", f"{scheme}{project.parent}", project / "inside")


def test_a_recorded_version_that_lost_its_files_is_not_current(registry: Path, project: Path) -> None:
    record = {"name": "tiny", "version": "1", **address.describe_registry(challenged=True)}
    version = project / "version.json"
    for number, current in (("1", False), ("2", True)):
        from gazette.core import files

        files.write_json(version, record | {"version": number})
        assert address.is_current(version) == current


def test_a_project_below_the_folder_with_dvc_is_known_from_its_worktree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "a%b" / "news"
    for folder in (tmp_path / ".dvc", root):
        folder.mkdir(parents=True)
    tree = state.state_path(root) / "retrain-x" / "retrain-x" / "a%b" / "news"
    tree.mkdir(parents=True)
    monkeypatch.chdir(tree)
    assert locations.project_folder() == root
