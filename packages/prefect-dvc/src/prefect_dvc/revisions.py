"""Files of another revision, from git, from DVC's cache or from its remote."""

import json
import logging
from pathlib import Path
from typing import Any

from prefect_dvc import git, remote
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.dvc_internals import DataIndexDirError, DvcException, DVCFileSystem, Repo, status, switch


class MissingFileError(ConfigError):
    """A file of a revision does not exist, or is neither in the cache nor at the remote."""


def fetch_file(revision: str, path: str, target: Path) -> Path:
    """Copy a file or folder of a revision to `target`, from the cache or else from DVC's remote.

    Raises MissingFileError if it cannot be found, ConfigError if it is not in the cache and the remote does not answer.
    """
    commit = git.resolve_commit(revision)
    if _copy(commit, path, target, {"core": {"remote": ""}}):  # without a remote, which may not answer
        remote.check_answers(Path())
        if error := _copy(commit, path, target, {}):
            raise MissingFileError(
                f"{path} of revision {revision} is neither in DVC's cache nor in its remote ({error}); run `dvc push` "
                "where it was made"
            )
    return target


def _copy(commit: str, path: str, target: Path, config: dict[str, Any]) -> str:
    """Copy a file or folder of a commit, and return why that failed; empty if it did not."""
    try:
        with Repo(config=config) as repo, switch(repo, commit):  # `DVCFileSystem(rev=…)` begins at git's top
            files = DVCFileSystem(repo)
            if not files.exists(path):
                raise MissingFileError(f"{path} does not exist at revision {commit}")
            files.get(path, str(target.absolute()), recursive=files.isdir(path))
    except (DvcException, DataIndexDirError, OSError) as error:
        return str(error) or type(error).__name__
    return ""


def cache_path(digest: str) -> Path | None:
    """Return the path in DVC's cache of a file, or of a folder's list of files (`.dir`); None if it is not there.

    Read it only; never change it.
    """
    with Repo() as repo:
        path = Path(repo.cache.local.oid_to_path(digest))
    return path if path.is_file() else None


def list_folder(digest: str) -> dict[str, str] | None:
    """Return the hash of each file by its path in a folder; None if DVC's cache has no list of them."""
    path = cache_path(digest)
    if path is None:
        return None
    return {str(entry["relpath"]): str(entry["md5"]) for entry in json.loads(path.read_text(encoding="utf-8"))}


def count_missing_on_remote(revision: str) -> int:
    """Count the objects that a revision's locks and pointers name and its DVC remote lacks; each is looked up.

    Raises ConfigError if there is no remote, or it does not answer.
    """
    logging.getLogger("dvc").setLevel(logging.ERROR)  # it warns of outputs that are in no lock
    remote.check_answers(Path())
    try:
        with Repo() as repo:
            if not repo.config["core"].get("remote"):
                raise ConfigError("DVC has no remote; `dvc remote add --default` names one, `dvc push` fills it")
            objects: dict[Any, set[Any]] = {}
            for _ in repo.brancher(revs=[revision], workspace=False):
                objects = dict(repo.index.used_objs())  # omits a folder whose list of files is nowhere
                outs = {out.hash_info for out in repo.index.outs if out.use_cache and out.hash_info}
                objects[None] = objects.get(None, set()) | outs.difference(*objects.values())
            remotes = ((odb or repo.cloud.get_remote_odb(), hashes) for odb, hashes in objects.items())
            return sum(len(status(odb, hashes).missing) for odb, hashes in remotes)
    except (DvcException, OSError) as error:
        raise ConfigError(f"DVC's remote did not answer: {error}") from error
