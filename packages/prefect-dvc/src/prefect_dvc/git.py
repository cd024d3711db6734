"""Git, by its command: commits, files of a commit, and the commits that changed a file.

It works on the repository of the given folder and on no other, whoever calls; see `git_environment`. It never prompts,
and it runs no hook (DVC installs some) and no background maintenance.
"""

import os
import subprocess
from pathlib import Path

from prefect_dvc import git_environment, git_errors
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.git_errors import GitError

_SETTINGS = [word for key, value in git_environment.CONFIG.items() for word in ("-c", f"{key}={value}")]
_GIT = ("git", "--no-pager", "--no-replace-objects", *_SETTINGS)


def run(*words: str, folder: Path = Path(), stdin: str = "") -> str:
    """Run a git command and return its stdout; raises GitError with git's reason and its cure if it fails."""
    return _run(*words, folder=folder, stdin=stdin).decode("utf-8", "surrogateescape").rstrip("\n")


def run_or_error(*words: str, folder: Path = Path()) -> str:
    """Run a git command and return why it failed; empty if it succeeded."""
    return git_errors.explain(_error(_call(*words, folder=folder)))


def output(*words: str, folder: Path = Path()) -> bytes:
    """Run a git command and return its stdout; empty if there is nothing to read, as outside a repository.

    Raises GitError if git fails for another reason, such as a repository of another user.
    """
    return _output(*words, folder=folder) or b""


def list_names(*words: str, folder: Path = Path()) -> list[str]:
    """Run a git command that prints names, with `-z` among its options, and return them."""
    return [os.fsdecode(name) for name in _run(*words, folder=folder).split(b"\0") if name]


def prefix(folder: Path = Path()) -> Path:
    """Return the path of a folder from the top of its repository, `.` at the top."""
    return Path(os.fsdecode(_run("rev-parse", "--show-prefix", folder=folder).removesuffix(b"\n")))


def top(folder: Path = Path()) -> Path:
    """Return the top folder of the working tree."""
    return Path(os.fsdecode(_run("rev-parse", "--show-toplevel", folder=folder).removesuffix(b"\n")))


def project_in(tree: Path, root: Path, revision: str) -> Path:
    """Return the folder of the project at `root` in another working tree of its repository, which is at `revision`.

    Raises ConfigError if the tree is not one by itself, so that git would work on another, or lacks the folder.
    """
    if not top(tree).samefile(tree):
        raise ConfigError(f"{tree} is not a working tree; git would work on {top(tree)}")
    inside = prefix(root)
    if not (tree / inside).is_dir():
        raise ConfigError(f"{revision[:9]} has no folder {inside}, which this project is in")
    return tree / inside


def hash_files(names: list[str]) -> list[str]:
    """Return the hash that git would give to each file of this folder, filters applied."""
    start = prefix()
    quoted = [_quote(str(start / name)) for name in names]  # git reads them from the top
    return run("hash-object", "--stdin-paths", folder=top(), stdin="".join(f"{name}\n" for name in quoted)).split()


def _quote(name: str) -> str:
    """Quote a name as git does, if it has what ends a name."""
    if not name.startswith('"') and "\n" not in name:
        return name
    return '"{}"'.format(name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))


def add(names: list[str], folder: Path) -> None:
    """Stage files by their names."""
    run("--literal-pathspecs", "add", "--", *names, folder=folder)


def resolve_commit(revision: str, folder: Path = Path()) -> str:
    """Return the full hash of the commit that a revision names.

    Raises GitError if git does not know it, or cannot tell, and says which: a shallow clone, no commit, no repository,
    one of another user.
    """
    if commit := _find_commit(revision, folder):
        return commit
    if not _find_commit("HEAD", folder):
        raise GitError(f"{folder.absolute()}: {git_errors.NO_COMMIT.cure}", git_errors.NO_COMMIT)
    where = describe_shallow(folder) or " here; `git fetch` fetches what a remote has"
    raise GitError(f"git knows no revision {revision!r}{where}")


def describe_shallow(folder: Path = Path()) -> str:
    """Return the end of a message on a missing commit: the clone is shallow, and the cure; empty if it is not."""
    shallow = run("rev-parse", "--is-shallow-repository", folder=folder) == "true"
    return " in this shallow clone; `git fetch --unshallow` fetches the history" if shallow else ""


def is_commit(revision: str) -> bool:
    """Check whether a revision names a commit here."""
    try:
        return bool(_find_commit(revision, Path()))
    except GitError as error:
        if error.cause not in git_errors.NOTHING_THERE:
            raise
        return False


def _find_commit(revision: str, folder: Path) -> str:
    """Return the commit that a revision names; empty if there is none. Raises GitError if git cannot tell."""
    if revision.startswith("-"):  # no ref does
        return ""
    result = _call("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", folder=folder)
    if result.returncode and result.stderr.strip():
        raise _failure(result, folder)
    return "" if result.returncode else result.stdout.decode().strip()


def show(revision: str, path: str) -> str | None:
    """Return the text of a file at a revision; None if it does not exist there, or is a folder."""
    content = _read_blob(f"{revision}:./{path}", Path())
    return None if content is None else content.decode("utf-8").replace("\r\n", "\n")


def show_bytes(revision: str, path: str, folder: Path = Path()) -> bytes:
    """Return the bytes of a file at a revision; empty if it does not exist there."""
    return _read_blob(f"{revision}:./{path}", folder) or b""


def _read_blob(name: str, folder: Path) -> bytes | None:
    try:
        return _output("cat-file", "blob", name, folder=folder)
    except GitError:
        if _call("cat-file", "-e", name, folder=folder).returncode:
            raise
        return None  # it exists and is no file


def list_commits(path: str, *words: str) -> list[str]:
    """List the commits that changed a file, oldest first; `words` are options of `git log` that select commits.

    Merges count too, and branches that were merged without their change of the file.
    """
    merges = ("--full-history", "--diff-merges=separate", "--no-patch")
    options = (*merges, "--reverse", "--format=%H", "--no-textconv")
    commits = run("--literal-pathspecs", "log", *words, *options, "--", path).split()
    return list(dict.fromkeys(commits))  # git names a merge once for each parent


def _output(*words: str, folder: Path = Path()) -> bytes | None:
    try:
        return _run(*words, folder=folder)
    except GitError as error:
        if error.cause not in git_errors.NOTHING_THERE:
            raise
        return None


def _run(*words: str, folder: Path, stdin: str = "") -> bytes:
    result = _call(*words, folder=folder, stdin=stdin)
    if result.returncode:
        raise _failure(result, folder)
    return result.stdout


def _call(*words: str, folder: Path, stdin: str = "") -> "subprocess.CompletedProcess[bytes]":
    environment = {name: value for name, value in os.environ.items() if git_environment.passes(name)}
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder, so git cannot run there")
    try:
        return subprocess.run(
            [*_GIT, *words],
            cwd=folder,
            env=environment | git_environment.SET,
            input=os.fsencode(stdin),
            capture_output=True,
            check=False,
        )
    except (FileNotFoundError, PermissionError) as error:
        cause = git_errors.NOT_STARTED
        raise GitError(f"git cannot be started ({error.strerror}): {cause.cure}", cause) from None


def _failure(result: "subprocess.CompletedProcess[bytes]", folder: Path) -> GitError:
    words, message = " ".join(result.args[len(_GIT) :]), _error(result)
    return GitError(
        f"`git {words}` in {folder.absolute()}: {git_errors.explain(message)}", git_errors.find_cause(message)
    )


def _error(result: "subprocess.CompletedProcess[bytes]") -> str:
    if not result.returncode:
        return ""
    return (result.stderr or result.stdout).decode(errors="replace").strip() or f"exit code {result.returncode}"
