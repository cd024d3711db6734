"""DVC's cache: which objects no revision that stays needs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from prefect_dvc import git, graph
from prefect_dvc.core.errors import ConfigError

from gazette.registry.retention import Item


def list_objects(root: Path, revisions: Sequence[str], before: datetime) -> tuple[list[Item], str]:
    """Return the objects that neither the tree, a branch, a tag, an experiment, a younger commit nor `revisions` name.

    `dvc gc --all-branches --all-tags --all-experiments --date DAY` would remove the same, but it takes only one
    revision more. None, and why, if the cache is outside of the project, since other clones may need what this one does
    not. Raises ConfigError if there are any in a shallow clone, which does not know what its missing commits need.
    """
    with _unused(root, revisions, before) as (cache, unused, shared):
        if shared:
            return [], f"{cache.path} is outside of this project and may be shared, so nothing of it is removed"
        if unused and (shallow := git.describe_shallow(root)):
            raise ConfigError(f"objects of DVC's cache that no commit needs cannot be known{shallow}")
        stats = {digest: Path(cache.oid_to_path(digest)).stat() for digest in unused}
    days = {digest: f"{datetime.fromtimestamp(status.st_mtime):%Y-%m-%d}" for digest, status in stats.items()}
    return [Item("object", digest, days[digest], status.st_size) for digest, status in stats.items()], ""


def remove_objects(root: Path, revisions: Sequence[str], before: datetime) -> None:
    """Remove these objects; what is needed is computed again under DVC's lock."""
    with _unused(root, revisions, before) as (cache, unused, shared):
        for digest in unused if not shared else ():
            cache.fs.rm_file(cache.oid_to_path(digest))


@contextmanager
def _unused(root: Path, revisions: Sequence[str], before: datetime) -> Iterator[tuple[Any, list[str], bool]]:
    with graph.open_repo(root) as repo, repo.lock:
        cache = repo.cache.local
        used = repo.used_objs(
            all_branches=True,
            all_tags=True,
            all_experiments=True,
            commit_date=f"{before:%Y-%m-%d}",
            revs=list(revisions),
            force=True,
        )
        needed = {info.value for infos in used.values() for info in infos}
        shared = not Path(cache.path).resolve().is_relative_to(Path(repo.root_dir).resolve())
        yield cache, sorted(digest for digest in cache.all() if digest not in needed), shared
