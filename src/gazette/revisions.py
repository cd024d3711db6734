"""DVC: files as they were at another revision, from git, from DVC's cache or from its remote."""

import subprocess
from pathlib import Path

from dvc.api import DVCFileSystem
from dvc.exceptions import DvcException
from dvc_data.index.index import DataIndexDirError

from gazette.errors import Misconfigured


def fetch(revision: str, path: str, target: Path) -> None:
    """Brings a file or folder of a revision to `target`; raises Misconfigured where there is no such thing at hand."""
    known = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"], capture_output=True, check=False
    )
    if known.returncode:
        raise Misconfigured(f"git knows no revision {revision!r} here; in a shallow clone, run `git fetch --unshallow`")
    files = DVCFileSystem(rev=revision)
    try:
        if not files.exists(path):
            raise Misconfigured(f"{path} is not there at revision {revision}")
        files.get(path, str(target), recursive=files.isdir(path))
    except (DvcException, DataIndexDirError, OSError) as error:
        raise Misconfigured(
            f"{path} of revision {revision} is neither in DVC's cache nor in its remote ({error}); run `dvc push` "
            "where it was made"
        ) from None
