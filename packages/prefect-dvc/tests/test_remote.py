"""DVC's remote, or git's, does not answer: exit code 2 within seconds, its address, the reason, and the cure."""

from pathlib import Path

import pytest
from broken_servers import broken_server
from projects import make_project, shell

from prefect_dvc import remote, revisions
from prefect_dvc.core.errors import ConfigError, DataContractError
from prefect_dvc.publishing import raw_data, worktree

pytestmark = pytest.mark.usefixtures("warm_commands")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with raw data in its cache, and one revision."""
    monkeypatch.setattr(remote, "ANSWER_SECONDS", 1)
    root = make_project(tmp_path, {}, raw="1\n")
    shell(root, "git rm -q --cached raw && dvc add -q raw && git add -A")
    shell(root, "git -c user.name=t -c user.email=t@x commit -qm raw")
    monkeypatch.chdir(root)
    return root


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("closed", "connection refused"),
        ("silent", "no answer in time"),
        ("reset", "closes the connection"),
        ("401", "credentials"),
        ("503", "HTTP 503"),
    ],
)
def test_a_remote_that_does_not_answer_is_named(project: Path, kind: str, reason: str) -> None:
    with broken_server(kind) as address:
        shell(project, f"dvc remote add -q -d store http://ann:secret@{address}/dvc")
        with pytest.raises(ConfigError, match=f"DVC's remote store at .*{address}/dvc failed: ") as error:
            remote.check_answers(project)
    assert reason in str(error.value) and "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("gs://news/dvc", "requires 'dvc-gs' to be installed"),
        ("ssh://host/dvc", "requires 'dvc-ssh' to be installed"),
        ("http://no-such-host.invalid/dvc", "the name of its host is unknown"),
        ("/no/such/mount/dvc", "there is no folder /no/such/mount"),
    ],
)
def test_a_remote_that_cannot_be_used_is_told_with_the_cure(project: Path, url: str, reason: str) -> None:
    shell(project, f"dvc remote add -q -d store {url}")
    with pytest.raises(ConfigError, match=reason):
        remote.check_answers(project)


def test_an_empty_remote_and_one_that_is_about_to_be_made_answer(project: Path, tmp_path: Path) -> None:
    assert remote.describe_problem(project) == ""
    shell(project, f"dvc remote add -q -d store {tmp_path}/store")
    assert remote.describe_problem(project) == ""
    with broken_server("404") as address:
        shell(project, f"dvc remote add -q -f -d store http://{address}/dvc")
        assert remote.describe_problem(project) == ""


def test_what_the_cache_has_needs_no_remote_and_what_it_lacks_waits_for_none(project: Path, tmp_path: Path) -> None:
    with broken_server("silent") as address:
        shell(project, f"dvc remote add -q -d store http://{address}/dvc")
        assert revisions.fetch_file("HEAD", "raw", tmp_path / "copy").read_text() == "1\n"
        assert raw_data.fetch_data(project).startswith("DVC's remote store")
        shell(project, "rm -rf .dvc/cache raw")
        with pytest.raises(ConfigError, match="no answer in time"):
            revisions.fetch_file("HEAD", "raw", tmp_path / "other")
        with pytest.raises(ConfigError, match=r"neither in the cache nor at the remote.*no answer in time"):
            raw_data.fetch_data(project)
        with pytest.raises(ConfigError, match=r"`false`, which brings .*no answer in time.*, ended with 1"):
            raw_data.fetch_data(project, ["false"], lambda _: None)


@pytest.mark.parametrize("kind", ["closed", "silent"])
def test_a_git_remote_that_does_not_answer_is_named(project: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worktree, "ANSWER_SECONDS", 2)
    with broken_server(kind) as address:
        shell(project, f"git remote add origin http://{address}/news.git")
        with pytest.raises(ConfigError, match=f"the git remote origin of {project} failed: "):
            worktree.check_answers(project, "origin")


def test_raw_data_that_are_nowhere_are_brought_by_what_knows_where_from(project: Path) -> None:
    shell(project, "cp raw spare && rm -rf .dvc/cache raw")
    lines: list[str] = []
    assert raw_data.fetch_data(project, ["cp spare raw", "dvc add raw"], lines.append) == ""
    assert (project / "raw").read_text() == "1\n" and lines[0] == "raw data are missing: `cp spare raw`"
    assert raw_data.fetch_data(project, ["false"], lines.append) == ""  # nothing is missing any more


@pytest.mark.parametrize(("code", "kind"), [(2, ConfigError), (3, DataContractError), (127, ConfigError)])
def test_a_command_that_does_not_bring_them_says_why(project: Path, code: int, kind: type[Exception]) -> None:
    shell(project, "rm -rf .dvc/cache raw")
    with pytest.raises(kind, match=f"ended with {code}:\nthe mirror lacks it"):
        raw_data.fetch_data(project, [f"sh -c 'echo the mirror lacks it; exit {code}'"], lambda _: None)


def test_a_command_that_brings_nothing_is_not_enough(project: Path) -> None:
    shell(project, "rm -rf .dvc/cache raw")
    with pytest.raises(ConfigError, match="neither in the cache nor at the remote"):
        raw_data.fetch_data(project, ["true"], lambda _: None)
