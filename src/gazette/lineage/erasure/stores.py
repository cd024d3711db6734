"""DVC's cache and remotes as stores of objects, of which some have an article."""

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from prefect_dvc import connection, graph, remote
from prefect_dvc.core.errors import ConfigError

from gazette.lineage.erasure import search

CACHE = "cache"


class Store(NamedTuple):
    """DVC's cache, or a remote by its name, where it is, and DVC's object database; `why` it cannot be searched."""

    name: str
    where: str
    database: Any
    why: str = ""

    def remove(self, digest: str) -> None:
        """Remove an object."""
        path = self.database.oid_to_path(digest)
        if self.database.fs.exists(path):
            self.database.fs.rm_file(path)

    def check_answers(self) -> None:
        """Raise ConfigError if it does not answer, or if it is on a disk that is not mounted."""
        if not self.why:
            self.list_objects()

    def list_objects(self) -> list[str]:
        """List its objects; raises ConfigError if it does not answer."""
        title = f"DVC's remote {self.name} at {self.where}"
        if self.database.fs.protocol == "local" and (fault := remote.describe_folder(title, Path(self.where))):
            raise ConfigError(fault)
        try:
            return sorted(self.database.all())
        except Exception as error:  # noqa: BLE001  # each kind of remote has errors of its own
            raise ConfigError(remote.describe_failure(title, error)) from None


@contextmanager
def open_stores(root: Path) -> Iterator[list[Store]]:
    """Yield DVC's cache and all of its remotes; raises ConfigError if one cannot be opened."""
    with graph.open_repo(root) as repo, repo.lock:
        cache = repo.cache.local
        is_new = not repo.config["cache"].get("dir") and not Path(cache.path).exists()  # of a clone without data
        stores = [] if is_new else [Store(CACHE, str(cache.path), cache)]
        for name, settings in repo.config["remote"].items():
            where = connection.redact(str(settings.get("url", "")))
            if where.startswith(("http:", "https:")):
                why = "a remote by HTTP cannot be listed: remove there what the cache had"
                stores.append(Store(name, where, None, why))
            elif settings.get("version_aware") or settings.get("worktree"):
                stores.append(Store(name, where, None, "it has files by their names and versions: remove them there"))
            else:
                stores.append(Store(name, where, _open(repo, name, where)))
        yield stores


def find_objects(stores: Sequence[Store], has_article: Callable[[Path], bool]) -> list[tuple[Store, str]]:
    """Return the objects that have the article; each is read once, its nearest copy. Models are left out.

    A file is a model if a folder's list of files gives it the name of one.
    """
    listed = [(store, store.list_objects()) for store in stores if not store.why]
    folders = {digest: store for store, digests in reversed(listed) for digest in digests if digest.endswith(".dir")}
    entries = (entry for digest, store in folders.items() for entry in json.loads(_read(store, digest)))
    verdicts = {entry["md5"]: False for entry in entries if search.is_model(Path(entry["relpath"]).name)}
    matches = []
    for store, digests in listed:
        for digest in digests:
            if digest not in folders and digest not in verdicts:
                verdicts[digest] = _check(store, digest, has_article)
            if verdicts.get(digest):
                matches.append((store, digest))
    return matches


def _open(repo: Any, name: str, where: str) -> Any:
    try:
        return repo.cloud.get_remote_odb(name)
    except Exception as error:  # noqa: BLE001  # each kind of remote has errors of its own
        raise ConfigError(remote.describe_failure(f"DVC's remote {name} at {where}", error)) from None


def _check(store: Store, digest: str, has_article: Callable[[Path], bool]) -> bool:
    path = store.database.oid_to_path(digest)
    if store.database.fs.protocol == "local":
        return has_article(Path(path))
    with tempfile.TemporaryDirectory(prefix="gazette-") as box:
        store.database.fs.get_file(path, str(Path(box) / digest))
        return has_article(Path(box) / digest)


def _read(store: Store, digest: str) -> bytes:
    with store.database.fs.open(store.database.oid_to_path(digest), "rb") as file:
        return bytes(file.read())
