"""Where a served version comes from: an alias of the registry, or a folder."""

import shutil
import tempfile
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from prefect_dvc import hashing
from prefect_dvc.core.errors import ConfigError

from gazette.core import files
from gazette.registry import versions
from gazette.serving import pull

QUIET_SECONDS = 1.0


@dataclass(frozen=True)
class Wanted:
    """The version that should answer. `revision` is the commit that made it, empty if unknown."""

    name: str
    version: str
    digest: str
    ledger: str
    revision: str
    has_statement: bool = False


class NoVersionError(ConfigError):
    """The registry answers, and has no such version."""


class Source(Protocol):
    """What says which version should answer, and has its files."""

    def find(self) -> Wanted:
        """Return the version that should answer now; raises ConfigError if the source does not say."""

    def fetch(self, wanted: Wanted, box: Path) -> Path:
        """Return a folder with the bundle, perhaps a new one in `box`; raises ConfigError if there is none."""

    def fetch_signature(self, wanted: Wanted) -> dict[str, Any] | None:
        """Return the signature of a version in the OpenSSF format; None if it has none."""


class Registry:
    """A version of the registry, by alias or number."""

    def __init__(self, reference: str) -> None:
        parts = versions.VERSION_PATTERN.fullmatch(reference)
        if not parts:
            raise ConfigError(f"{reference} does not name a version; expected NAME@ALIAS, NAME/VERSION or NAME")
        versions.require_registry(reference)
        self.reference, self.name = reference, parts["name"]
        self.alias, self.number = parts["alias"] or versions.CHAMPION, parts["number"]

    @cached_property
    def client(self) -> Any:
        """The registry's client."""
        from gazette.registry.store import client  # imports MLflow, about 5 s

        return client.connect()

    def find(self) -> Wanted:
        """Ask the registry; raises ConfigError if it does not answer, or has no such version."""
        from gazette.registry import statements
        from gazette.registry.store import client

        version = client.find_version(self.client, self.name, self.alias, self.number)
        if version is None:
            model = client.get_model(self.client, self.name)
            raise NoVersionError(versions.explain_missing(self.reference, self.name, model))
        tags = version.tags
        return Wanted(
            self.name,
            version.number,
            version.digest,
            tags.get("ledger", ""),
            tags.get("revision", ""),
            statements.TAG in tags,
        )

    def fetch(self, wanted: Wanted, box: Path) -> Path:
        """Download the bundle to `.gazette/bundles`, unless it is there and undamaged."""
        folder = versions.BUNDLES / wanted.digest
        if not versions.is_intact(folder, wanted.digest):
            versions.download(f"{wanted.name}/{wanted.version}", wanted.digest, folder)
        return folder.absolute()

    def fetch_signature(self, wanted: Wanted) -> dict[str, Any] | None:
        """Return the signature that the version's tag names; raises ConfigError if it is not that one."""
        from gazette.registry import statements

        return statements.fetch_record(wanted.name, wanted.version, statements.SIGNATURE)


class Folder:
    """A folder with a bundle: what `gazette pull` keeps, or the selected bundle of a clone.

    Files may be replaced one by one, so a new state counts once it is `QUIET_SECONDS` old, and a copy is served.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.locks = {lock.absolute() for lock in (folder.parent / pull.PULL_LOCK, pull.PULL_LOCK)}
        self.stamp: list[tuple[object, ...]] = []
        self.changed = 0.0
        self.wanted: Wanted | None = None

    def find(self) -> Wanted:
        """Return the version in the folder; raises ConfigError if there is no bundle, or not the one that is pinned."""
        place = self.folder.resolve()
        if not (place / "bundle.json").is_file():
            raise ConfigError(f"no bundle at {self.folder}: `gazette run` makes one, `gazette pull` gets a version")
        now, stamp = time.monotonic(), self._stamp(place)
        if stamp != self.stamp:
            self.stamp, self.changed = stamp, now
        if self.wanted is None or 0 < self.changed <= now - QUIET_SECONDS:
            self.changed = now  # if it is not as pinned, it is read again after a while
            self.wanted = self._read(place)
            self.changed = 0.0
        return self.wanted

    def _stamp(self, place: Path) -> list[tuple[object, ...]]:
        paths = sorted(path for path in (*place.glob("*"), *self.locks) if path.is_file())
        return [(place, path, path.stat().st_mtime_ns, path.stat().st_size) for path in paths]

    def _read(self, place: Path) -> Wanted:
        digest = hashing.dvc_hash(place)
        pins = [(lock, *pin) for lock in sorted(self.locks) if lock.exists() for pin in pull.read_lock(lock).items()]
        for lock, folder, pin in pins:
            if (lock.parent / folder) == self.folder.absolute() and pin.digest != digest:
                raise ConfigError(
                    f"{lock} pins {folder} to {pin.digest}, its files have the hash {digest}; `gazette pull --locked`"
                )
        for _, _, pin in pins:
            if pin.digest == digest:
                return Wanted(pin.name, pin.version, digest, pin.ledger, pin.revision)
        return Wanted(self.name, "", digest, "", "")

    def fetch(self, wanted: Wanted, box: Path) -> Path:
        """Copy the bundle to a folder of the server; all copies but the last one are removed."""
        copies = sorted(box.glob("bundle-*"), key=lambda path: path.stat().st_mtime)
        for old in copies[:-1]:
            shutil.rmtree(old)
        copy = Path(tempfile.mkdtemp(prefix="bundle-", dir=box))
        shutil.copytree(self.folder.resolve(), copy, dirs_exist_ok=True)
        return copy

    def fetch_signature(self, wanted: Wanted) -> dict[str, Any] | None:
        """Return the signature beside the folder, where `gazette pull` writes it."""
        path = pull.signature_path(self.folder)
        return files.read_json(path) if path.exists() else None
