"""Which classifier somebody means: a version of the registry, by alias or number, or a folder that holds a bundle."""

import json
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gazette.core.errors import Misconfigured
from gazette.pipeline import hashing
from gazette.registry.store import address

if TYPE_CHECKING:
    from gazette.registry.store.client import Known, Version

CHAMPION = "champion"
BUNDLES = Path(".gazette/bundles")
ASKED = re.compile(r"(?P<name>[\w.-]+)(?:@(?P<alias>[\w.-]+)|/(?P<number>[0-9]+))?")


@dataclass(frozen=True)
class Model:
    """A bundle and what the registry knows of it; `trained_on` are its classes and their rows in training."""

    asked: str
    folder: Path
    digest: str
    name: str | None = None
    version: str | None = None
    trained_on: dict[str, int] | None = None


def find(asked: str) -> Model:
    """The classifier that `asked` names: `NAME@ALIAS`, `NAME/VERSION`, `NAME` (its champion), or a bundle's folder.

    A version's files are downloaded once, to `.gazette/bundles`. Raises Misconfigured where there is none.
    """
    folder = Path(asked)
    if (folder / "bundle.json").is_file():
        return Model(asked, folder, hashing.of_bundle(folder))
    parts = ASKED.fullmatch(asked)
    if folder.is_dir() or not parts:
        raise Misconfigured(f"{asked} holds no bundle; give NAME@ALIAS, NAME/VERSION or a folder with bundle.json")
    refuse_no_registry(asked)
    from gazette.registry.store import client  # imports MLflow, 3 s

    wanted = look_up(asked, parts, client.known(client.connect(), parts["name"]))
    digest = wanted.tags["digest"]
    trained_on = json.loads(wanted.tags.get(client.TRAINED_ON, "null"))
    folder = BUNDLES / digest
    if not holds(folder, digest):
        bring(f"{parts['name']}/{wanted.number}", digest, folder)
    return Model(asked, folder, digest, parts["name"], wanted.number, trained_on)


def is_version(asked: str) -> bool:
    """Whether a word has the form of a version, `NAME@ALIAS` or `NAME/NUMBER`, and is not a name alone."""
    parts = ASKED.fullmatch(asked)
    return bool(parts and (parts["alias"] or parts["number"]))


def refuse_no_registry(asked: str) -> None:
    """Raises Misconfigured where there is no registry to ask, so that asking does not make an empty one."""
    if not address.exists():
        raise Misconfigured(
            f"no registry here to ask for {asked} ({address.DATABASE}): `gazette run` makes it, "
            "MLFLOW_TRACKING_URI names another, a folder with a bundle needs none"
        )


def look_up(asked: str, parts: "re.Match[str]", known: "Known") -> "Version":
    """The version that was asked for, by its number or alias (the champion where neither is said).

    Raises Misconfigured, with what there is, where it is not there.
    """
    wanted = known.versions.get(parts["number"] or known.aliases.get(parts["alias"] or CHAMPION, ""))
    if wanted is None:
        raise Misconfigured(_missing(asked, parts["name"], known.aliases, list(known.versions)))
    return wanted


def _missing(asked: str, name: str, aliases: dict[str, str], numbers: list[str]) -> str:
    if not numbers:
        return f"{asked}: the registry knows no {name}; `gazette run` registers it"
    named = ", ".join(f"{name}@{alias} (version {number})" for alias, number in sorted(aliases.items()))
    there = named or ", ".join(f"{name}/{number}" for number in numbers)
    return f"{asked}: the registry has no such version; there is {there}: say which by --model"


def bring(version: str, digest: str, folder: Path) -> None:
    """Downloads a bundle to `folder`, whole or not at all; raises Misconfigured where it is not what was registered."""
    from gazette.registry.store import client

    place(
        digest,
        folder,
        lambda box: client.download(version, box),
        lambda got: (
            f"{version}: the registry's files have the hash {got}, the version was registered with {digest}; "
            "they were changed afterwards and must not be trusted"
        ),
    )


def place(digest: str, folder: Path, fetch: Callable[[Path], Path], wrong: Callable[[str], str]) -> None:
    """Puts the bundle that `fetch` brings to a box at `folder`, whole or not at all.

    Raises Misconfigured, with what `wrong` says of the hash that it has, where that is not `digest`.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".") as box:
        found = fetch(Path(box))
        if (got := hashing.of_bundle(found)) != digest:
            raise Misconfigured(wrong(got))
        shutil.rmtree(folder, ignore_errors=True)
        found.rename(folder)


def holds(folder: Path, digest: str) -> bool:
    """Whether a folder holds the bundle with this digest, undamaged."""
    return folder.exists() and hashing.of_bundle(folder) == digest
