"""Files under git that are not as committed, by their content: git's own list goes by size and time."""

from collections.abc import Iterator
from pathlib import Path

from gazette.core.escape import escape_path
from gazette.pipeline import git
from gazette.registry import ledger


def check_tracked(commit: str) -> Iterator[str]:
    """Yield files under git that differ from the commit in content; git's own list goes by size and time."""
    lines = git.list_names("ls-tree", "-r", "-z", commit)
    blobs = {path: head.split()[2] for head, _, path in (line.partition("\t") for line in lines) if " blob " in head}
    blobs = {path: blob for path, blob in blobs.items() if path != str(ledger.PATH)}
    files_here = [path for path in blobs if Path(path).is_file() and not Path(path).is_symlink()]
    now = dict(zip(files_here, git.hash_files(files_here), strict=True))
    missing = {path for path in blobs if not Path(path).exists() and not Path(path).is_symlink()}
    if missing:
        missing -= set(list_sparse())
    for path, blob in blobs.items():
        if path in now and now[path] != blob:
            yield f"{escape_path(path)}: differs from commit {commit[:9]}"
        elif path in missing:
            yield f"{escape_path(path)}: missing, but commit {commit[:9]} has it"


def list_sparse() -> list[str]:
    """List the files that a sparse checkout leaves out on purpose."""
    return [name[2:] for name in git.list_names("ls-files", "-t", "-z") if name.startswith("S ")]
