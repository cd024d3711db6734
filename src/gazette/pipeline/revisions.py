"""DVC: files as they were at another revision, from git, from DVC's cache or from its remote."""

import json
import logging
from pathlib import Path
from typing import Any

from dvc.api import DVCFileSystem
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc_data.hashfile.status import status
from dvc_data.index.index import DataIndexDirError

from gazette.core.errors import Misconfigured
from gazette.pipeline import git


class Missing(Misconfigured):
    """A file of a revision is not there, or not at hand."""


def fetch(revision: str, path: str, target: Path) -> Path:
    """Brings a file or folder of a revision to `target`; raises Missing where there is no such thing at hand."""
    git.commit(revision)
    files = DVCFileSystem(rev=revision)
    try:
        if not files.exists(path):
            raise Missing(f"{path} is not there at revision {revision}")
        files.get(path, str(target), recursive=files.isdir(path))
    except (DvcException, DataIndexDirError, OSError) as error:
        raise Missing(
            f"{path} of revision {revision} is neither in DVC's cache nor in its remote ({error}); run `dvc push` "
            "where it was made"
        ) from None
    return target


def cached(digest: str) -> Path | None:
    """Where DVC's cache has the file with a hash, or the list of a folder's files (`.dir`); none where it has not.

    What is there is read and never changed.
    """
    with Repo() as repo:
        path = Path(repo.cache.local.oid_to_path(digest))
    return path if path.is_file() else None


def listing(digest: str) -> dict[str, str] | None:
    """The files of a folder by its hash, path to hash; none where DVC's cache has no list of them."""
    path = cached(digest)
    if path is None:
        return None
    return {str(one["relpath"]): str(one["md5"]) for one in json.loads(path.read_text(encoding="utf-8"))}


def absent(revision: str) -> int:
    """How many objects that a revision's locks and pointers name its DVC remote has not; each is asked for.

    Raises Misconfigured where there is no remote, or where it does not answer.
    """
    logging.getLogger("dvc").setLevel(logging.ERROR)  # it warns of outputs that are in no lock
    try:
        with Repo() as repo:
            if not repo.config["core"].get("remote"):
                raise Misconfigured("DVC has no remote; `dvc remote add --default` names one, `dvc push` fills it")
            named: dict[Any, set[Any]] = {}
            for _ in repo.brancher(revs=[revision], workspace=False):
                named = dict(repo.index.used_objs())  # leaves out a folder whose list of files is nowhere
                outs = {out.hash_info for out in repo.index.outs if out.use_cache and out.hash_info}
                named[None] = named.get(None, set()) | outs.difference(*named.values())
            return sum(len(status(own or repo.cloud.get_remote_odb(), one).missing) for own, one in named.items())
    except (DvcException, OSError) as error:
        raise Misconfigured(f"DVC's remote did not answer: {error}") from error
