"""The consuming side: a registered bundle in a folder of an application, and the lock that pins it.

Needs MLflow to ask the registry, and of the rest of Gazette neither DVC nor TensorFlow. The application loads the
folder as `bundle.py` does, or by MLflow.
"""

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gazette.core import files as records
from gazette.core.errors import Misconfigured, Stop
from gazette.pipeline import hashing
from gazette.registry import statements, versions
from gazette.registry.store import client

LOCK = Path("gazette.lock")


class Different(Stop):
    """What the lock pins and what is there differ; nothing was taken."""

    code = 1


@dataclass(frozen=True)
class Pin:
    """A version in a folder. `revision` is the commit that made it, `ledger` the SHA-256 of the entry that promoted it.

    Both are empty for a version that never was champion.
    """

    name: str
    version: str
    digest: str
    revision: str
    ledger: str


def pull(asked: str, to: Path, lock: Path = LOCK) -> Pin:
    """Brings the version that NAME@ALIAS, NAME/VERSION or NAME names to a folder, and pins it in the lock.

    Raises Misconfigured where there is none, or where its files are not what was registered.
    """
    parts = versions.ASKED.fullmatch(asked)
    if not parts:
        raise Misconfigured(f"{asked} names no version; give NAME@ALIAS, NAME/VERSION or NAME")
    tags = (wanted := versions.look_up(asked, parts, client.known(_client(asked), parts["name"]))).tags
    pin = Pin(parts["name"], wanted.number, tags["digest"], tags.get("revision", ""), tags.get("ledger", ""))
    _bring(pin, statements.TAG in tags, to)
    pins = read(lock) if lock.exists() else {}
    pins |= {to.as_posix(): pin}
    records.write({"folders": {folder: asdict(pins[folder]) for folder in sorted(pins)}}, lock)
    return pin


def pull_locked(lock: Path = LOCK) -> dict[str, Pin]:
    """Brings exactly what the lock pins, whatever the aliases say today.

    Raises Different, with what differs, where the registry has something else under the pinned number.
    """
    if not lock.exists():
        raise Misconfigured(f"no {lock} in {Path.cwd()}: `gazette pull NAME@champion --to FOLDER` writes it")
    pins = read(lock)
    known = {name: client.known(_client(name), name) for name in sorted({pin.name for pin in pins.values()})}
    found = {folder: known[pin.name].versions.get(pin.version) for folder, pin in pins.items()}
    wrong = [line for folder, pin in pins.items() for line in differences(pin, found[folder])]
    if wrong:
        raise Different("\n".join([f"{lock} pins what the registry does not have; nothing was taken:", *wrong]))
    for folder, version in found.items():
        _bring(pins[folder], bool(version and statements.TAG in version.tags), Path(folder))
    return pins


def differences(pin: Pin, found: client.Version | None) -> list[str]:
    """In what a version of the registry differs from its pin; pure. An empty revision of a pin is not compared."""
    if found is None:
        return [f"  {pin.name}/{pin.version}: the registry has no such version"]
    return [
        f"  {pin.name}/{pin.version}: its {key} is {found.tags.get(key) or 'not known'}, the lock has {value}"
        for key, value in (("digest", pin.digest), ("revision", pin.revision))
        if value and found.tags.get(key) != value
    ]


def read(lock: Path = LOCK) -> dict[str, Pin]:
    """What a lock pins, by folder; raises Misconfigured where it is no lock."""
    try:
        pinned = json.loads(lock.read_text(encoding="utf-8"))["folders"]
        return {folder: Pin(**pin) for folder, pin in pinned.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Misconfigured(f"{lock} is no lock of Gazette's; `git restore {lock}` or pull anew") from None


def swap(folder: Path, to: Path, digest: str) -> None:
    """Puts a folder in the place of `to`, in one step: whoever opens `to` finds the old one or the new one, whole.

    `to` is a link to a folder beside it that is named after the digest; a rename replaces a link, but no folder that
    holds something. What the link named before stays for those that still read it, until the next swap.
    """
    if to.exists() and not to.is_symlink():
        raise Misconfigured(f"{to} is there and is no link that `gazette pull` made; give another folder or remove it")
    before = to.readlink().name if to.is_symlink() else ""
    place = to.with_name(f".{to.name}.bundle-{digest.removesuffix('.dir')[:12]}")
    if place.name == before:  # what is read now is damaged
        place = place.with_name(place.name + "-again")
    shutil.rmtree(place, ignore_errors=True)
    folder.rename(place)
    link = to.with_name(f".{to.name}.link")
    link.unlink(missing_ok=True)
    link.symlink_to(place.name)
    link.rename(to)
    for left in to.parent.glob(f".{to.name}.bundle-*"):
        if left.name not in (before, place.name):
            shutil.rmtree(left)


def statement_faults(statement: dict[str, Any], folder: Path) -> list[str]:
    """Files of a bundle that an in-toto statement does not name, or names with another SHA-256."""
    named = {(Path(one["name"]).name, one["digest"]["sha256"]) for one in statement["subject"]}
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path.name for path in files if (path.name, hashing.of_file(path)) not in named]


def _client(asked: str) -> Any:
    versions.refuse_no_registry(asked)
    return client.connect()


def _bring(pin: Pin, stated: bool, to: Path) -> None:
    """The bundle of a pin at `to`; one that is there already and whole stays."""
    if versions.holds(to, pin.digest):
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=f".{to.name}.partial-") as box:
        folder = Path(box) / "bundle"
        versions.bring(f"{pin.name}/{pin.version}", pin.digest, folder)
        statement = statements.bring(pin.name, pin.version) if stated else None
        if statement and (wrong := statement_faults(statement, folder)):
            raise Misconfigured(f"{pin.name}/{pin.version}: its statement has other digests for {', '.join(wrong)}")
        swap(folder, to, pin.digest)


def folders(pins: dict[str, Pin]) -> Sequence[str]:
    """A line for each folder: what it holds."""
    return [
        f"{folder}: {pin.name} version {pin.version}, digest {pin.digest}"
        + (f", revision {pin.revision[:9]}" if pin.revision else ", never a champion")
        for folder, pin in pins.items()
    ]
