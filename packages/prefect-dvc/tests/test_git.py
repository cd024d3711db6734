"""Git works on the named repository, whoever calls; it names files as they are; its reasons are passed on."""

import os
import subprocess
from pathlib import Path

import pytest
from projects import SOMEBODY, shell

from prefect_dvc import git, git_environment
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.core.escape import escape_path

ODD = ["prüfung.yml", "新闻.yml", "-x.yml", ":x.yml", 'q"x.yml', "a\tb.yml", "a\nb.yml", "[x]*.yml"]

CONFIGURED = """\
[color]
    ui = always
    diff = always
    branch = always
[core]
    quotePath = true
    pager = false
    editor = false
    fsmonitor = false
    excludesFile = {box}/ignored
    hooksPath = {box}/hooks
[diff]
    relative = true
    noprefix = true
    external = false
    orderFile = {box}/order
    renames = copies
[log]
    showSignature = true
    follow = true
    showRoot = false
    decorate = full
[status]
    short = true
    branch = true
[i18n]
    logOutputEncoding = GB18030
[commit]
    gpgSign = false
[advice]
    detachedHead = true
[push]
    followTags = true
"""


def make(folder: Path, *names: str) -> Path:
    """Create a repository with a commit of files by name."""
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{name}\n")
    shell(folder, f"git init -q -b main && git add -A && git {SOMEBODY} commit -q --allow-empty -m 'größer'")
    return folder


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make(tmp_path / "ours", "a.txt", "inside/b.txt")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    "variables",
    [
        {"GIT_DIR": "{theirs}/.git"},
        {"GIT_DIR": "{theirs}/.git", "GIT_WORK_TREE": "{theirs}", "GIT_INDEX_FILE": "{theirs}/.git/index"},
        {"GIT_OBJECT_DIRECTORY": "{theirs}/.git/objects"},
        {"GIT_COMMON_DIR": "{theirs}/.git"},
        {"GIT_NAMESPACE": "theirs"},
        {"GIT_LITERAL_PATHSPECS": "1"},
        {"GIT_EXTERNAL_DIFF": "false"},
        {"GIT_CONFIG_PARAMETERS": "'core.worktree={theirs}'"},
        {"GIT_TRACE": "1"},
    ],
    ids=lambda variables: "+".join(variables),
)
def test_no_variable_of_a_caller_leads_to_another_repository(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    theirs = make(tmp_path / "theirs", "c.txt")
    before = git.resolve_commit("HEAD")
    (repository / "a.txt").write_text("edited")
    state = shell(theirs, "git status --porcelain; cat .git/HEAD; git for-each-ref")
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(theirs=theirs))
    assert (git.resolve_commit("HEAD"), git.top()) == (before, repository)
    assert git.list_names("diff", "--name-only", "-z", "HEAD", "--", "*.txt") == ["a.txt"]
    git.run("checkout", "--quiet", "--detach", "--force", "HEAD")
    for name in variables:
        monkeypatch.delenv(name)
    assert shell(theirs, "git status --porcelain; cat .git/HEAD; git for-each-ref") == state


def test_what_leads_to_a_remote_or_names_a_person_passes() -> None:
    passed = {"GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_AUTHOR_NAME", "GIT_COMMITTER_DATE", "GIT_CONFIG_GLOBAL", "HOME"}
    stripped = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_QUARANTINE_PATH"}
    environment = dict.fromkeys(passed | stripped, "x")
    assert set(filter(git_environment.passes, environment)) == passed


@pytest.mark.parametrize("place", ["", "inside/"])
def test_names_are_those_of_the_files_whatever_characters_they_have(repository: Path, place: str) -> None:
    for name in ODD:
        (repository / place / name).write_text("x\n")
    git.add([place + name for name in ODD], repository)
    folder = repository / place
    assert sorted(git.list_names("diff", "--cached", "--relative", "--name-only", "-z", folder=folder)) == sorted(ODD)


def test_a_name_that_is_not_utf8_is_a_name_and_can_be_shown(repository: Path) -> None:
    name = os.fsdecode(b"pr\xfcfung.yml")
    (repository / name).write_text("x\n")
    git.add([name], repository)
    assert git.list_names("diff", "--cached", "--name-only", "-z") == [name]
    assert escape_path(name) == "pr\\udcfcfung.yml"
    assert escape_path("字" * 3000) == "字" * 3000


def test_files_are_hashed_as_git_does_from_a_subfolder_too(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [*ODD, '"quoted".txt', '"a\nb']
    for name in names:
        (repository / "inside" / name).write_text(name)
    monkeypatch.chdir(repository / "inside")
    expected = [shell(repository / "inside", f"git hash-object -- '{name}'") for name in names]
    assert git.hash_files(names) == expected


def test_no_configuration_of_a_user_changes_what_is_read(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ignored").write_text("*.lock\n*.yml\n")
    (tmp_path / "order").write_text("z*\n")
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks" / "post-checkout").write_text(f"#!/bin/sh\ntouch {tmp_path}/hooked\n")
    (tmp_path / "hooks" / "post-checkout").chmod(0o755)
    (tmp_path / "config").write_text(CONFIGURED.format(box=tmp_path))
    (repository / "a.txt").write_text("edited\n")
    (repository / "new.lock").write_text("x\n")

    def read() -> list[object]:
        author = git.run("show", "--no-patch", "--format=%s", "HEAD")
        names = git.list_names("diff", "--name-only", "-z", "HEAD", folder=repository / "inside")
        untracked = git.list_names("ls-files", "--others", "--exclude-standard", "-z")
        git.run("checkout", "--quiet", "--detach", "HEAD")
        return [author, names, untracked, git.list_commits("a.txt", "HEAD"), git.show("HEAD", "a.txt"), git.prefix()]

    plain = read()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    assert read() == plain == ["größer", ["a.txt"], ["new.lock"], plain[3], "a.txt\n", Path()]
    assert len(plain[3]) == 1 and not (tmp_path / "hooked").exists()  # type: ignore[arg-type]


def no_commit(box: Path) -> Path:
    shell(box, "git init -q here")
    return box / "here"


def shallow(box: Path) -> Path:
    origin = make(box / "origin", "a")
    shell(origin, f"git {SOMEBODY} commit -q --allow-empty -m more")
    shell(box, f"git clone -q --depth 1 file://{origin} here")
    return box / "here"


def gone(box: Path) -> Path:
    origin = make(box / "origin", "a")
    shell(origin, "git worktree add -q ../here && mv ../origin ../moved")
    return box / "here"


def bare(box: Path) -> Path:
    shell(box, "git init -q --bare here")
    return box / "here"


def plain_folder(box: Path) -> Path:
    (box / "here").mkdir()
    return box / "here"


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (plain_folder, "git init"),
        (no_commit, "no commit yet"),
        (shallow, "fetch --unshallow"),
        (gone, "worktree repair"),
        (lambda box: make(box / "here"), "knows no revision 'topic' here"),
    ],
)
def test_a_revision_that_cannot_be_resolved_has_its_own_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepare: object, words: str
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    here = prepare(tmp_path)  # type: ignore[operator]
    with pytest.raises(ConfigError, match=words) as failure:
        git.resolve_commit("topic", here)
    assert ("--unshallow" in str(failure.value)) == (prepare is shallow)


def test_a_bare_repository_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="run this in a clone"):
        git.run("status", folder=bare(tmp_path))


def test_a_repository_of_another_user_is_never_taken_for_an_empty_one(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    for read in (
        lambda: git.resolve_commit("HEAD"),
        lambda: git.is_commit("HEAD"),
        lambda: git.show("HEAD", "a.txt"),
        lambda: git.show_bytes("HEAD", "a.txt"),
        lambda: git.output("rev-parse", "HEAD"),
    ):
        with pytest.raises(ConfigError, match=r"safe\.directory"):
            read()


def test_without_git_what_is_missing_is_git(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="install git"):
        git.resolve_commit("HEAD")
    assert git.output("rev-parse", "HEAD") == b""


def test_an_old_git_is_told_which_one_is_needed(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "git").write_text("#!/bin/sh\necho \"error: unknown option 'no-write-fetch-head'\" >&2; exit 129\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(ConfigError, match=r"git 2\.\d+ or later is needed"):
        git.run("fetch", "--no-write-fetch-head", "origin")


def test_a_file_that_a_revision_lacks_is_none_and_a_lost_object_is_an_error(repository: Path) -> None:
    assert git.show("HEAD", "nope") is None and git.show("HEAD", "inside") is None and git.show("nope", "a.txt") is None
    blob = shell(repository, "git rev-parse HEAD:a.txt")
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(ConfigError, match="git fsck"):
        git.show("HEAD", "a.txt")


def test_a_revision_that_looks_like_an_option_is_none(repository: Path) -> None:
    assert not git.is_commit("--all") and not git.is_commit("-x")


def test_hooks_are_off_below_a_program_in_a_tree_of_ours(repository: Path, tmp_path: Path) -> None:
    hook = repository / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    more = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "t"}
    environment = os.environ | more
    environment |= git_environment.without_hooks(environment)
    command = "git -c user.email=t@example.org commit -q --allow-empty -m again && git log -1 --format=%an"
    done = subprocess.run(command, shell=True, cwd=repository, env=environment, capture_output=True, check=True)
    assert done.stdout == b"t\n"
