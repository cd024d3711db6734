"""Resolve a classifier: a version of the registry, by alias or number, or a folder that holds a bundle."""

import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from prefect_dvc import hashing
from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError

from gazette.core import bundle_folder
from gazette.registry.store import address
from gazette.registry.store.model import TRAINED_ON, RegisteredModel, RegisteredVersion, read_object

CHAMPION = "champion"
BUNDLES = Path(".gazette/bundles")
VERSION_PATTERN = re.compile(r"(?P<name>[\w.-]+)(?:@(?P<alias>[\w.-]+)|/(?P<number>[0-9]+))?")


@dataclass(frozen=True)
class ResolvedModel:
    """A bundle, its name as requested, and its version; `trained_on` are its classes and their training rows."""

    reference: str
    folder: Path
    digest: str
    name: str | None = None
    version: str | None = None
    trained_on: dict[str, int] | None = None

    @property
    def language(self) -> str | None:
        """The language of its articles, if the bundle names it."""
        about: dict[str, str] = json.loads((self.folder / "bundle.json").read_text(encoding="utf-8"))
        return about.get("language")


def find_model(reference: str) -> ResolvedModel:
    """Return the classifier that `NAME@ALIAS`, `NAME/VERSION`, `NAME` (its champion) or a bundle's folder names.

    A version is downloaded once, to `.gazette/bundles`. Raises ConfigError if there is no such classifier.
    """
    folder = Path(reference)
    if (folder / "bundle.json").is_file():
        return ResolvedModel(reference, folder, hashing.dvc_hash(folder))
    if folder.is_dir() or not VERSION_PATTERN.fullmatch(reference):
        raise ConfigError(f"{reference} holds no bundle; give NAME@ALIAS, NAME/VERSION or a folder with bundle.json")
    version = find_version(reference)
    folder = BUNDLES / version.digest
    if not is_intact(folder, version.digest):
        download(f"{version.name}/{version.number}", version.digest, folder)
    trained_on = read_object(f"{version.name}/{version.number}", version.tags, TRAINED_ON)
    return ResolvedModel(reference, folder, version.digest, version.name, version.number, trained_on)


def find_version(reference: str) -> RegisteredVersion:
    """Return the version that `NAME@ALIAS`, `NAME/VERSION` or `NAME` (its champion) names.

    Raises ConfigError, with the existing versions, if there is none.
    """
    parts = VERSION_PATTERN.fullmatch(reference)
    if not parts:
        raise ConfigError(f"{reference} does not name a version; expected NAME@ALIAS, NAME/VERSION or NAME")
    require_registry(reference)
    model = get_model(parts["name"])
    version = model.versions.get(parts["number"] or model.aliases.get(parts["alias"] or CHAMPION, ""))
    if version is None:
        raise ConfigError(explain_missing(reference, parts["name"], model))
    return version


def get_model(name: str) -> RegisteredModel:
    """Return the versions and aliases of a name; none if there is no registry."""
    if not address.registry_exists():
        return RegisteredModel({}, {})
    from gazette.registry.store import client  # imports MLflow, about 5 s

    return client.get_model(client.connect(), name)


def is_version(reference: str) -> bool:
    """Whether a word has the form of a version, `NAME@ALIAS` or `NAME/NUMBER`, and is not a name alone."""
    parts = VERSION_PATTERN.fullmatch(reference)
    return bool(parts and (parts["alias"] or parts["number"]))


def require_registry(reference: str) -> None:
    """Raise ConfigError if there is no registry, because connecting would create an empty one."""
    if not address.registry_exists():
        raise ConfigError(f"{reference}: {no_registry()}")


def no_registry() -> str:
    """Return that there is no registry, and what to do."""
    return (
        f"there is no registry here ({address.name()}); `gazette run` makes it, MLFLOW_TRACKING_URI names another one, "
        "and a folder with a bundle needs none"
    )


def explain_missing(reference: str, name: str, model: RegisteredModel) -> str:
    """Return that a name has no such version, and which it has."""
    if not model.versions:
        return f"{reference}: the registry has no {name}; `gazette run` registers it"
    aliased = ", ".join(f"{name}@{alias} (version {number})" for alias, number in sorted(model.aliases.items()))
    known = aliased or ", ".join(f"{name}/{number}" for number in model.versions)
    return f"{reference}: the registry has no such version; there is {known}: choose one"


def download(version: str, digest: str, folder: Path) -> None:
    """Download a bundle to `folder` atomically; raises ConfigError if it is not what was registered."""
    from gazette.registry.store import client

    install_bundle(
        digest,
        folder,
        lambda box: client.download(version, box),
        lambda actual: (
            f"{version}: the registry's files have the hash {actual}, but the version was registered with {digest}; "
            "they were changed afterwards and must not be trusted"
        ),
    )


def install_bundle(digest: str, folder: Path, fetch: Callable[[Path], Path], mismatch: Callable[[str], str]) -> None:
    """Install the bundle that `fetch` writes to a temporary folder at `folder`, atomically.

    Raises ConfigError, with the message that `mismatch` makes of its hash, if that is not `digest`.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".") as box:
        bundle = fetch(Path(box))
        if (actual := hashing.dvc_hash(bundle)) != digest:
            raise ConfigError(mismatch(actual))
        bundle_folder.check_bundle(folder)
        atomic.remove(folder)
        bundle.rename(folder)


def is_intact(folder: Path, digest: str) -> bool:
    """Whether a folder holds the bundle with this digest, undamaged."""
    return folder.exists() and hashing.dvc_hash(folder) == digest
