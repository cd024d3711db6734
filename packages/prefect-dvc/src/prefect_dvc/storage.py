"""DVC's storage: caches and remotes, and what is in them."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prefect_dvc import dvc_errors, graph
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.dvc_internals import DvcException, Repo, ignore_pattern, merge, write_settings

CACHE = "cache-of-origin"  # the remote that `isolate_cache` creates


def share_cache(root: Path, folder: Path) -> None:
    """Give another tree of the project this one's cache and local settings, including passwords of remotes.

    Relative addresses of remotes become absolute.
    """
    with graph.open_repo(root) as source, graph.open_repo(folder) as target:
        urls = {name: {"url": remote["url"]} for name, remote in source.config["remote"].items()}
        with _local_settings(target) as settings:
            merge(settings, source.config.read("local"))
            merge(settings, {"cache": {"dir": source.cache.local_cache_dir}, "remote": urls})
        Path(target.config.files["local"]).chmod(0o600)


@contextmanager
def _local_settings(repo: Repo) -> Iterator[dict[str, Any]]:
    """Yield a tree's local settings, and write them."""
    path = Path(repo.config.files["local"])
    settings = repo.config.read("local")
    yield settings
    write_settings(settings, path)
    repo.config.load()


def isolate_cache(root: Path, folder: Path) -> None:
    """Give another tree of the project an empty cache; this one's cache becomes its remote `CACHE`."""
    share_cache(root, folder)
    with (
        graph.open_repo(root) as source,
        graph.open_repo(folder) as target,
        _local_settings(target) as settings,
    ):
        merge(settings, {"remote": {CACHE: {"url": str(Path(source.cache.local_cache_dir).absolute())}}})
        settings["cache"]["dir"] = str(Path(target.dvc_dir) / "cache")


def default_remote(root: Path) -> str | None:
    """Return the name of DVC's default remote, if there is one."""
    with graph.open_repo(root) as repo:
        name: str | None = repo.config["core"].get("remote")
        return name


def list_missing(root: Path) -> list[str]:
    """List the outputs under DVC that are not in the tree; of raw data, only those that a stage reads."""
    with graph.open_repo(root) as repo:
        own = graph.own_stages(repo)
        read = {dep.fs_path for stage in own for dep in stage.deps}
        outs = [out for out in repo.index.outs if out.use_cache and out.hash_info and not out.exists]
        paths = {out.fs_path for out in outs if out.stage in own or out.fs_path in read}
        return sorted(os.path.relpath(path) for path in paths)


def check_none_ignored(path: Path) -> None:
    """Raise ConfigError if DVC would leave out a file or folder at or below a path, which it does without a word."""
    with graph.open_repo(Path()) as repo:
        for file in [path, *sorted(path.rglob("*"))]:
            if pattern := ignore_pattern(repo, file):
                raise ConfigError(f"{file}: DVC would leave it out ({pattern}); rename it, or remove the pattern")


def dvc_add(path: Path) -> None:
    """Put a file or folder under DVC, as `dvc add` does: into its cache, with a pointer beside it.

    Raises ConfigError if DVC cannot: another command holds its lock, or this is not a DVC project.
    """
    logging.getLogger("dvc").setLevel(logging.WARNING)  # no advice on git if the pointer did not change
    try:
        with Repo() as repo:
            repo.add(str(path))
    except DvcException as error:
        raise ConfigError(f"DVC cannot add {path}: {dvc_errors.explain(error)}") from error
