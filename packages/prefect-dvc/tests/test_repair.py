"""What a kill leaves in a project's files, and how it is repaired."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect_dvc import state
from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.recovery import lock_check, orphans, repair, rwlock

GOOD = hashlib.md5(b"good").hexdigest()
ENTRY = """\
  {name}:
    cmd: news {name} --in raw.csv --out data/{name}.parquet
    outs:
    - path: data/{name}.parquet
      hash: md5
      md5: {good}
      size: 4
"""
# Not in the order of a serial run: such a lock must come back as it was.
LOCK = "schema: '2.0'\nstages:\n" + "".join(ENTRY.format(name=name, good=GOOD) for name in ("train", "validate"))
NOTES = (".git/", ".dvc/tmp/prefect-dvc/broken/", ".dvc/tmp/btime")  # by git, by repair, by DVC when it reads
NOBODY = 2**22 + 1  # above Linux's largest process number


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Create a DVC project, committed, as a successful run leaves it."""
    root = tmp_path / "a project"
    (root / "data").mkdir(parents=True)
    (root / "raw.csv").write_text("other")
    for name in ("train", "validate"):
        (root / "data" / f"{name}.parquet").write_text("good")
    (root / "dvc.lock").write_text(LOCK)
    stages: dict[str, Any] = {name: {"cmd": "true", "outs": [f"data/{name}.parquet"]} for name in ("validate", "train")}
    stages["train"]["outs"] += ["data/bundle", "data/new"]
    (root / "dvc.yaml").write_text(json.dumps({"stages": stages}))
    (root / ".gitignore").write_text("/data\n")
    (root / ".dvc" / "tmp").mkdir(parents=True)
    (root / ".dvc" / "config").touch()
    (root / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    for command in ("git init -q", "git add -A"):
        subprocess.run(command.split(), cwd=root, check=True)
    commit(root)
    for name in ("rwlock", "rwlock.lock", "lock"):
        (root / ".dvc" / "tmp" / name).write_text("{}" if name == "rwlock" else "")
    repair.back_up_locks(root)
    return root


def commit(root: Path) -> None:
    names = {f"GIT_{who}_{what}": "t" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", "commit", "-qam", "."], cwd=root, check=True, env={**os.environ, **names})


def content(root: Path) -> dict[str, bytes]:
    """Return the content of every file except git's and copies of replaced ones."""
    files = (path for path in root.rglob("*") if path.is_file())
    contents = {path.relative_to(root).as_posix(): path.read_bytes() for path in files}
    return {name: content for name, content in contents.items() if not name.startswith(NOTES)}


def hold(root: Path, pid: int, command: str = "dvc repro", *, write: list[str], read: list[str] | None = None) -> None:
    """Write into DVC's rwlock that a process reads and writes."""
    holder = {"pid": pid, "cmd": command}
    entries = {
        "write": {str(root.resolve() / name): holder for name in write},
        "read": {str(root.resolve() / name): [holder] for name in read or []},
    }
    rwlock.path_of(root).write_text(json.dumps(entries))


# Nothing happened


def test_an_undamaged_project_is_unchanged(project: Path) -> None:
    before = content(project)
    assert repair.repair(project) == []
    assert content(project) == before


def test_a_project_before_its_first_run_is_unchanged(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    assert repair.repair(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == ["dvc.yaml"]


# dvc.lock


@pytest.fixture
def only_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip processes and the cache, which a sweep over hundreds of offsets does not need."""
    monkeypatch.setattr(orphans, "end_orphans", lambda root: [])
    monkeypatch.setattr(repair, "_repair_runs", lambda root: [])


@pytest.mark.usefixtures("only_files")
def test_a_lock_truncated_at_any_byte_is_restored(project: Path) -> None:
    before = content(project)
    for end in range(len(LOCK)):
        (project / "dvc.lock").write_text(LOCK[:end])
        repair.repair(project, interrupted=True)
        if LOCK[:end].endswith("\n") and (project / "dvc.lock").read_text() == LOCK[:end]:
            assert lock_check.stage_names(LOCK[:end].encode()) == {
                "train",
                "validate",
            }  # the last lost its tail: stale, no harm
            (project / "dvc.lock").write_text(LOCK)
        assert content(project) == before


def test_an_empty_lock_comes_back_from_the_copy_and_says_so(project: Path) -> None:
    (project / "dvc.lock").write_text("")
    assert repair.repair(project) == ["dvc.lock was truncated: restored from the copy of the last run"]


def test_after_a_commit_the_copy_is_out_of_date_and_git_has_the_lock(project: Path) -> None:
    newer = LOCK.replace("size: 4", "size: 6")
    (project / "dvc.lock").write_text(newer)
    commit(project)
    (project / "dvc.lock").write_text("")
    assert repair.repair(project) == ["dvc.lock was truncated: restored from the last commit"]
    assert (project / "dvc.lock").read_text() == newer


def test_a_copy_newer_than_the_commit_is_preferred(project: Path) -> None:
    newer = LOCK.replace("size: 4", "size: 6")
    (project / "dvc.lock").write_text(newer)
    repair.back_up_locks(project)
    (project / "dvc.lock").write_text(newer[:100])
    repair.repair(project)
    assert (project / "dvc.lock").read_text() == newer


def test_without_copy_and_commit_a_broken_lock_is_removed(project: Path) -> None:
    shutil.rmtree(state.state_path(project))
    shutil.rmtree(project / ".git")
    (project / "dvc.lock").write_text(LOCK[:-5])
    assert "there is no copy: removed" in repair.repair(project)[0]
    assert not (project / "dvc.lock").exists()
    assert repair.repair(project) == []


def test_a_broken_copy_is_never_put_back(project: Path) -> None:
    for copy in (project / ".dvc" / "tmp" / "prefect-dvc" / "locks").rglob("dvc.lock"):
        copy.write_text(LOCK[:100])
    (project / "dvc.lock").write_text("")
    assert repair.repair(project) == ["dvc.lock was truncated: restored from the last commit"]


def test_a_replaced_lock_is_kept(project: Path) -> None:
    (project / "dvc.lock").write_text(LOCK[:77])
    repair.repair(project)
    assert (project / ".dvc" / "tmp" / "prefect-dvc" / "broken" / "dvc.lock").read_text() == LOCK[:77]


def test_a_lock_that_lost_stages_in_a_run_that_was_killed_was_cut_off_between_them(project: Path) -> None:
    (project / "dvc.lock").write_text(LOCK[: LOCK.index("  validate")])
    assert repair.repair(project, interrupted=False) == []  # somebody removed a stage
    assert repair.repair(project, interrupted=True) == [
        "dvc.lock was truncated: restored from the copy of the last run"
    ]


def test_a_lock_put_back_by_hand_to_what_git_has_stays(project: Path) -> None:
    more = LOCK + ENTRY.format(name="select", good=GOOD)
    (project / "dvc.lock").write_text(more)
    repair.back_up_locks(project)
    subprocess.run(["git", "checkout", "-q", "dvc.lock"], cwd=project, check=True)
    assert repair.repair(project, interrupted=True) == []


def test_a_lock_with_merge_conflicts_is_left_to_the_user(project: Path) -> None:
    conflict = LOCK.replace("      size: 4\n", "<<<<<<< HEAD\n      size: 4\n=======\n      size: 6\n>>>>>>> b\n", 1)
    (project / "dvc.lock").write_text(conflict)
    with pytest.raises(ConfigError, match="git checkout --ours dvc\\.lock"):
        repair.repair(project)
    assert (project / "dvc.lock").read_text() == conflict


def test_locks_of_subfolders_are_repaired_too(project: Path) -> None:
    (project / "part").mkdir()
    (project / "part" / "dvc.yaml").write_text("stages: {}\n")
    (project / "part" / "dvc.lock").write_text(LOCK)
    repair.back_up_locks(project)
    (project / "part" / "dvc.lock").write_text("")
    assert repair.repair(project) == ["part/dvc.lock was truncated: restored from the copy of the last run"]
    assert (project / "part" / "dvc.lock").read_text() == LOCK


# rwlock


@pytest.mark.usefixtures("only_files")
def test_an_rwlock_truncated_at_any_byte_no_longer_blocks(project: Path) -> None:
    hold(project, NOBODY, write=["data/train.parquet"], read=["raw.csv"])
    text = rwlock.path_of(project).read_text()
    expected = content(project).keys() - {".dvc/tmp/rwlock"}
    for end in range(len(text) + 1):
        rwlock.path_of(project).write_text(text[:end])
        repair.repair(project)
        assert rwlock.read_entries(project) == rwlock.Entries()
        assert content(project).keys() - {".dvc/tmp/rwlock"} == expected  # good outputs are still there


def test_an_entry_of_a_process_that_is_gone_goes_and_is_named(project: Path) -> None:
    hold(project, NOBODY, write=["data/train.parquet"])
    assert repair.repair(project) == [f".dvc/tmp/rwlock named processes that are gone: {NOBODY}"]
    assert rwlock.read_entries(project) == rwlock.Entries()


def test_an_entry_of_the_process_that_wrote_it_stays(project: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        hold(project, process.pid, "sleep 60", write=["data/train.parquet"])
        before = content(project)
        assert repair.repair(project) == []
        assert content(project) == before
        process.kill()


def test_an_entry_whose_number_another_program_has_now_goes(project: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        hold(project, process.pid, "/venv/bin/dvc repro", write=["data/train.parquet"])
        assert repair.repair(project) != []
        assert rwlock.read_entries(project) == rwlock.Entries()
        process.kill()


def test_an_entry_whose_number_a_younger_process_has_now_goes(project: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        hold(project, process.pid, "sleep 60", write=["data/train.parquet"])
        began = psutil.Process(process.pid).create_time()
        os.utime(rwlock.path_of(project), (began - 10, began - 10))
        repair.repair(project)
        assert rwlock.read_entries(project) == rwlock.Entries()
        process.kill()


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["/v/bin/python", "/v/bin/dvc", "repro", "train"], "/v/bin/dvc repro train"),
        (["/v/bin/python", "-m", "dvc", "repro"], "/v/lib/python3.12/site-packages/dvc/__main__.py repro"),
        (["python", "-m", "flows.pipeline"], "/my work/flows/pipeline.py"),
        (["/my v/bin/python", "/my v/bin/dvc", "repro"], "/my v/bin/dvc repro"),
    ],
)
def test_a_process_is_known_by_the_command_that_it_found_in_its_arguments(words: list[str], command: str) -> None:
    assert rwlock._runs(words, command)
    assert not rwlock._runs([*words, "--other"], command)
    assert not rwlock._runs(["sleep", "infinity"], command)


@given(content=st.binary(max_size=40) | st.sampled_from([b'{"write": 3}', b"[]", b'{"read": {"a": {}}}', b'{"x": {}}']))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_rwlock_of_any_bytes_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".dvc" / "tmp").mkdir(parents=True, exist_ok=True)
    rwlock.path_of(tmp_path).write_bytes(content)
    assert isinstance(rwlock.read_entries(tmp_path), rwlock.Entries | None)


@given(content=st.binary(max_size=60) | st.text(max_size=60).map(lambda text: f"schema: '2.0'\n{text}\n".encode()))
def test_a_lock_of_any_bytes_is_read_or_refused(content: bytes) -> None:
    assert isinstance(lock_check.stage_names(content), set | None)


# Outputs


def test_an_output_that_a_killed_process_was_writing_goes(project: Path) -> None:
    (project / "data" / "train.parquet").write_text("goo")
    hold(project, NOBODY, write=["data/train.parquet"])
    assert "removed data/train.parquet, half-written" in repair.repair(project)
    assert not (project / "data" / "train.parquet").exists()
    assert (project / "data" / "validate.parquet").exists()


def test_an_output_that_the_lock_knows_stays_though_its_writer_was_killed(project: Path) -> None:
    hold(project, NOBODY, write=["data/train.parquet", "data/validate.parquet"])
    repair.repair(project)
    assert {path.name for path in (project / "data").iterdir()} == {"train.parquet", "validate.parquet"}


def test_an_output_that_the_cache_knows_stays_though_its_writer_was_killed(project: Path) -> None:
    (project / "data" / "train.parquet").write_text("better")
    digest = hashlib.md5(b"better").hexdigest()
    cached = project / ".dvc" / "cache" / "files" / "md5" / digest[:2] / digest[2:]
    cached.parent.mkdir(parents=True)
    cached.write_text("better")
    hold(project, NOBODY, write=["data/train.parquet"])
    repair.repair(project)
    assert (project / "data" / "train.parquet").read_text() == "better"


@pytest.mark.parametrize("command", ["/venv/bin/dvc commit -f", "/venv/bin/dvc add data/train.parquet"])
def test_an_output_of_a_killed_dvc_add_or_commit_stays(project: Path, command: str) -> None:
    (project / "data" / "train.parquet").write_text("mine alone")
    hold(project, NOBODY, command, write=["data/train.parquet"])
    repair.repair(project)
    assert (project / "data" / "train.parquet").read_text() == "mine alone"


def test_raw_data_that_no_stage_makes_stay(project: Path) -> None:
    (project / "raw.csv").write_text("mine alone")
    (project / "raw.csv.dvc").write_text(f"outs:\n- md5: {GOOD}\n  hash: md5\n  size: 4\n  path: raw.csv\n")
    hold(project, NOBODY, write=["raw.csv"])
    repair.repair(project)
    assert (project / "raw.csv").read_text() == "mine alone"


def test_a_half_written_folder_is_removed(project: Path) -> None:
    (project / "data" / "bundle").mkdir()
    (project / "data" / "bundle" / "weights").write_text("half")
    hold(project, NOBODY, write=["data/bundle"])
    assert "removed data/bundle, half-written" in repair.repair(project)
    assert not (project / "data" / "bundle").exists()


def test_unfinished_files_beside_outputs_go_and_no_others(project: Path) -> None:
    ours = [atomic.temporary_path(Path("train.parquet")).name, ".kT3Jsd6AEOeM9vUOPirtRg.tmp"]
    mine = ["mine", "mine.partial", "mine.tmp", "train.parquet.partial", ".train.parquet.abc.partial"]
    for name in ours + mine:
        (project / "data" / name).write_text("x")
    assert sorted(repair.repair(project)) == sorted(f"removed data/{name}, half-written" for name in ours)
    assert set(mine) <= {path.name for path in (project / "data").iterdir()}


def test_an_output_on_which_its_stage_builds_stays(project: Path) -> None:
    stage = {"cmd": "echo new >> data/new", "outs": [{"data/new": {"persist": True, "cache": False}}]}
    (project / "dvc.yaml").write_text(json.dumps({"stages": {"grow": stage}}))
    (project / "data" / "new").write_text("years of history")
    hold(project, NOBODY, write=["data/new"])
    assert "data/new may be half-written; it persists, so it stays as it is" in repair.repair(project)
    assert (project / "data" / "new").read_text() == "years of history"


def test_an_output_changed_by_hand_stays(project: Path) -> None:
    (project / "data" / "train.parquet").write_text("mine")
    assert repair.repair(project) == []
    assert (project / "data" / "train.parquet").read_text() == "mine"


def test_a_path_outside_the_project_is_never_removed(project: Path, tmp_path: Path) -> None:
    outside = tmp_path / "precious"
    outside.write_text("half")
    hold(project, NOBODY, write=["../precious"])
    rwlock.path_of(project).write_text(rwlock.path_of(project).read_text().replace("a project/../", ""))
    assert str(outside) in rwlock.path_of(project).read_text()
    repair.repair(project)
    assert outside.exists()


def test_nothing_is_removed_through_a_symlink_out_of_the_project(project: Path, tmp_path: Path) -> None:
    outside = tmp_path / "disk"
    shutil.move(project / "data", outside)
    (project / "data").symlink_to(outside)
    (outside / "train.parquet").write_text("half")
    atomic.temporary_path(outside / "train.parquet").write_text("half")
    before = sorted(outside.iterdir())
    hold(project, NOBODY, write=["data/train.parquet"])
    repair.repair(project)
    assert sorted(outside.iterdir()) == before


def test_temporary_files_beside_an_output_outside_the_project_stay(project: Path, tmp_path: Path) -> None:
    partial = atomic.temporary_path(tmp_path / "train.parquet")
    partial.write_text("another run's")
    (project / "dvc.lock").write_text(LOCK.replace("path: data/train.parquet", "path: ../train.parquet"))
    repair.repair(project)
    assert partial.exists()


def test_a_folder_among_the_copies_that_is_not_a_commits_stays(project: Path) -> None:
    mine = project / ".dvc" / "tmp" / "prefect-dvc" / "locks" / "before-the-refactoring"
    mine.mkdir()
    (mine / "dvc.lock").write_text("mine")
    commit_again = project / "params.yaml"
    commit_again.write_text("a: 1")
    subprocess.run(["git", "add", "-A"], cwd=project, check=True)
    commit(project)
    repair.back_up_locks(project)
    assert (mine / "dvc.lock").read_text() == "mine"
    assert len(list(mine.parent.iterdir())) == 2


def test_nothing_is_removed_while_dvc_called_by_hand_is_at_work(project: Path) -> None:
    (project / "data" / "train.parquet").write_text("goo")
    partial = atomic.temporary_path(project / "data" / "train.parquet")
    partial.write_text("goo")
    with subprocess.Popen(["sleep", "60"]) as process:
        hold(project, process.pid, "sleep 60", write=["data/train.parquet"])
        assert repair.repair(project) == []
        process.kill()
    assert partial.exists()


# DVC's list of runs


def test_an_incomplete_entry_of_the_run_cache_is_removed_after_a_kill_and_others_stay(project: Path) -> None:
    noted = project / ".dvc" / "cache" / "runs" / "30" / "30b6"
    noted.mkdir(parents=True)
    for name in ("91ab", ".BqAmB42gxkHvUpaaMd38sQ.tmp"):
        (noted / name).write_text("cmd: true\n")
    assert repair.repair(project, interrupted=False) == []
    hold(project, NOBODY, write=["data/train.parquet"])
    assert f"removed {noted.relative_to(project)}/.BqAmB42gxkHvUpaaMd38sQ.tmp, half-written" in repair.repair(project)
    assert [path.name for path in noted.iterdir()] == ["91ab"]


@pytest.mark.parametrize("left", [[], [".BqAmB42gxkHvUpaaMd38sQ.tmp"]])
def test_a_folder_that_holds_no_run_goes_after_a_kill(project: Path, left: list[str]) -> None:
    noted = project / ".dvc" / "cache" / "runs" / "30" / "30b6"
    noted.mkdir(parents=True)
    for name in left:
        (noted / name).write_text("cmd: true\n")
    repair.repair(project, interrupted=True)
    assert not noted.exists()


# Twice

DAMAGE = {
    "empty lock": lambda root: (root / "dvc.lock").write_text(""),
    "truncated lock": lambda root: (root / "dvc.lock").write_text(LOCK[:200]),
    "lock shorter": lambda root: (root / "dvc.lock").write_text(LOCK[: LOCK.index("  validate")]),
    "no copy": lambda root: shutil.rmtree(state.state_path(root)),
    "truncated rwlock": lambda root: rwlock.path_of(root).write_text('{"read": {"/x'),
    "rwlock of the dead": lambda root: hold(root, NOBODY, write=["data/train.parquet", "data/new"], read=["raw.csv"]),
    "half an output": lambda root: (root / "data" / "train.parquet").write_text("go"),
    "new output": lambda root: (root / "data" / "new").write_text("go"),
    "unfinished file": lambda root: atomic.temporary_path(root / "data" / "validate.parquet").write_text("go"),
    "no outputs": lambda root: shutil.rmtree(root / "data"),
}


@given(kinds=st.lists(st.sampled_from(sorted(DAMAGE)), unique=True))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_repair_is_idempotent_and_good_outputs_stay(project: Path, kinds: list[str]) -> None:
    folder = shutil.copytree(project, project.parent / "copy")
    for kind in kinds:
        if kind != "no copy" or state.state_path(folder).exists():
            (folder / "data").mkdir(exist_ok=True)
            DAMAGE[kind](folder)
    good = {name for name, content in content(folder).items() if name.startswith("data/") and content == b"good"}
    repair.repair(folder)
    repaired = content(folder)
    assert repair.repair(folder) == []
    assert content(folder) == repaired
    assert {name for name in repaired if name.startswith("data/")} >= good
    assert (folder / "dvc.lock").read_text() == LOCK or "lock shorter" in kinds
    shutil.rmtree(folder)
