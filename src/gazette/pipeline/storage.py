"""DVC's storage: caches and remotes, what lies in them, and the hashes by which it knows files.

Where a function takes a `root`, it works on any DVC project.
"""

import logging
import os
from pathlib import Path

from dvc.config import merge
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc_data.hashfile.build import build

from gazette.core import files
from gazette.core.errors import Misconfigured
from gazette.pipeline import graph


def share(root: Path, folder: Path) -> None:
    """Gives another tree of the project the cache of this one and its own settings, remotes' passwords included.

    An address of a remote that is relative to this tree is so no more.
    """
    with Repo(str(root)) as here, Repo(str(folder)) as there:
        urls = {name: {"url": remote["url"]} for name, remote in here.config["remote"].items()}
        with there.config.edit("local") as settings:
            merge(settings, here.config.read("local"))
            merge(settings, {"cache": {"dir": here.cache.local_cache_dir}, "remote": urls})
    (folder / ".dvc" / "config.local").chmod(0o600)


CACHE = "cache-of-origin"  # the remote that `set_apart` makes


def set_apart(root: Path, folder: Path) -> None:
    """Gives another tree of the project an empty cache of its own; this one's is a remote of it, named `CACHE`."""
    share(root, folder)
    with Repo(str(root)) as here, Repo(str(folder)) as there, there.config.edit("local") as settings:
        merge(settings, {"remote": {CACHE: {"url": str(Path(here.cache.local_cache_dir).absolute())}}})
        settings["cache"]["dir"] = str(folder.absolute() / ".dvc" / "cache")


def remote(root: Path) -> str | None:
    """The name of the remote that data go to, if there is one."""
    with graph.opened(root) as repo:
        name: str | None = repo.config["core"].get("remote")
        return name


def missing(root: Path) -> list[str]:
    """What pointers and locks name and DVC keeps, and is not in the tree; of raw data, those that a stage reads."""
    with graph.opened(root) as repo:
        read = {dep.fs_path for stage in repo.index.stages if not stage.is_data_source for dep in stage.deps}
        outs = [out for out in repo.index.outs if out.use_cache and out.hash_info and not out.exists]
        found = {out.fs_path for out in outs if not out.stage.is_data_source or out.fs_path in read}
    return sorted(os.path.relpath(path, root.absolute()) for path in found)


def digest(path: Path) -> str:
    """The hash by which DVC knows a file or folder."""
    with Repo() as repo:
        _, _, found = build(repo.cache.local, str(path.absolute()), repo.cache.local.fs, "md5", dry_run=True)
    return str(found.hash_info.value)


def pointed_at(pointer: Path) -> str:
    """The hash that a `.dvc` file names."""
    return str(files.read_yaml(pointer)["outs"][0]["md5"])


def add(path: Path) -> None:
    """Puts a file or folder under DVC, as `dvc add` does: into its cache, and a pointer beside it.

    Raises Misconfigured where DVC cannot: another command holds its lock, this is no project of DVC's.
    """
    logging.getLogger("dvc").setLevel(logging.WARNING)  # without advice on git, where the pointer stays as it was
    try:
        with Repo() as repo:
            repo.add(str(path))
    except DvcException as error:
        raise Misconfigured(f"DVC cannot take in {path}: {error}") from error
