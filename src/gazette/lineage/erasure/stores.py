"""DVC's cache and remotes as stores of objects, of which some have an article."""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from gazette.core.errors import ConfigError
from gazette.lineage.erasure import search
from gazette.pipeline import connection, graph

CACHE = "cache"


class Store(NamedTuple):
    """DVC's cache, or a remote by its name, where it is, and DVC's object database."""

    name: str
    where: str
    database: Any

    def remove(self, digest: str) -> None:
        """Remove an object."""
        path = self.database.oid_to_path(digest)
        if self.database.fs.exists(path):
            self.database.fs.rm_file(path)


@contextmanager
def open_stores(root: Path) -> Iterator[list[Store]]:
    """Yield DVC's cache and all of its remotes, of which none but remotes by HTTP can only be read.

    Raises ConfigError if one does not answer; then nothing has been removed.
    """
    with graph.open_repo(root) as repo, repo.lock:
        cache = repo.cache.local
        stores = [Store(CACHE, str(cache.path), cache)]
        for name, settings in repo.config["remote"].items():
            where = connection.redact(str(settings.get("url", "")))
            try:
                stores.append(Store(name, where, repo.cloud.get_remote_odb(name)))
            except Exception as error:  # noqa: BLE001  # each kind of remote has errors of its own
                raise ConfigError(f"DVC's remote {name} at {where} failed: {connection.first_line(error)}") from None
        yield stores


def list_models(store: Store) -> set[str]:
    """Return the objects that folders of bundles name: models, which stay."""
    listings = [digest for digest in store.database.all() if digest.endswith(".dir")]
    entries = [entry for digest in listings for entry in json.loads(_read(store, digest))]
    return {entry["md5"] for entry in entries if search.is_model(Path(entry["relpath"]).name)}


def find_objects(stores: list[Store], has_article: Callable[[Path], bool]) -> dict[str, list[str]]:
    """Return, for each store, the objects that have the article; each object is read once, the nearest copy."""
    verdicts: dict[str, bool] = {}
    matches: dict[str, list[str]] = {}
    for store in stores:
        models = list_models(store)
        digests = sorted(digest for digest in store.database.all() if not digest.endswith(".dir"))
        for digest in digests:
            if digest not in verdicts:
                verdicts[digest] = digest not in models and _check(store, digest, has_article)
        matches[store.name] = [digest for digest in digests if verdicts[digest]]
    return matches


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
