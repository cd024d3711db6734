"""DVC's cache: which objects no revision that stays needs."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from prefect_dvc import git, git_errors, graph
from prefect_dvc.core.errors import ConfigError

from gazette.registry.retention import Item


def list_objects(root: Path, revisions: Sequence[str], before: datetime) -> tuple[list[Item], str]:
    """Return the objects that neither the tree, a branch, a tag, an experiment, a younger commit nor `revisions` name.

    `dvc gc --all-branches --all-tags --all-experiments --date DAY` would remove these, but it takes only one revision
    more. None, and why, if the cache is outside of the project, since other clones may need what this one does not.
    Raises ConfigError if there are any in a shallow clone, which does not know what its missing commits need.
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
        objects = {str(digest): digest.removesuffix(".dir") for digest in cache.all()}
        named = {info.value.removesuffix(".dir") for infos in repo.used_objs(force=True).values() for info in infos}
        named |= _list_named(repo, revisions, before)
        folders = [digest for digest, name in objects.items() if digest != name and name in named]
        for digest in folders:  # each is a list of files
            named |= _find_digests(Path(cache.oid_to_path(digest)).read_text(encoding="utf-8"))
        shared = not Path(cache.path).resolve().is_relative_to(Path(repo.root_dir).resolve())
        yield cache, sorted(digest for digest, name in objects.items() if name not in named), shared


def _list_named(repo: Any, revisions: Sequence[str], before: datetime) -> set[str]:
    """Return the digests in each dvc.lock and .dvc file of the revisions that stay.

    DVC would read the pipeline of each revision, 0.2 s, and name only what its stages and data still refer to.
    """
    root = Path(repo.root_dir)
    commits = repo.brancher(
        revs=list(revisions),
        all_branches=True,
        all_tags=True,
        all_experiments=True,
        commit_date=f"{before:%Y-%m-%d}",
        workspace=False,
        sha_only=True,
    )
    entries = {entry for commit in commits for entry in git.list_names("ls-tree", "-r", "-z", commit, folder=root)}
    blobs = {entry.split()[2] for entry in entries if re.search(r"(\.dvc|[\t/]dvc\.lock)$", entry)}
    contents = git.run("cat-file", "--batch", folder=root, stdin="".join(f"{blob}\n" for blob in sorted(blobs)))
    if lost := re.search("^([0-9a-f]{40,64}) missing$", contents, re.MULTILINE):
        raise ConfigError(git_errors.explain(f"{root}: missing blob {lost[1]}"))
    return _find_digests(contents)


def _find_digests(text: str) -> set[str]:
    return set(re.findall(r"\b[0-9a-f]{32}\b", text))
