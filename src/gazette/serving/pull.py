"""Pulling a registered bundle into a folder of an application, and the lock that pins it.

Needs MLflow for the registry, but neither DVC nor TensorFlow. The application loads the folder as `bundle.py` does, or
with MLflow.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prefect_dvc import hashing
from prefect_dvc.core import atomic
from prefect_dvc.core.errors import CommandError, ConfigError

from gazette.core import bundle_folder, files
from gazette.pipeline import ownership, written
from gazette.registry import statements, versions
from gazette.registry.store.model import RegisteredVersion

PULL_LOCK = Path("gazette.lock")


class PinMismatchError(CommandError):
    """The lock and the registry differ; nothing was pulled."""

    code = 1


@dataclass(frozen=True)
class Pin:
    """A version in a folder. `revision` is the commit that made it, `ledger` the SHA-256 of the entry that promoted it.

    Both are empty for a version that was never champion.
    """

    name: str
    version: str
    digest: str
    revision: str
    ledger: str


def pull(name: str, to: Path, lock: Path = PULL_LOCK, signers: Sequence[Path] = ()) -> Pin:
    """Pull the version NAME@ALIAS, NAME/VERSION or NAME into a folder, and pin it in the lock.

    Its signature, if it has one, is written beside the folder. Raises ConfigError if there is no such version, if its
    files are not as registered, or if there are `signers` and it is signed by none of these keys.
    """
    check_link(to)
    pins = read_lock(lock) if lock.exists() else {}
    version = versions.find_version(name)
    tags = version.tags
    pin = Pin(version.name, version.number, version.digest, tags.get("revision", ""), tags.get("ledger", ""))
    _download(pin, tags, to, signers)
    pins |= {to.as_posix(): pin}
    files.write_json(lock.resolve(), {"folders": {folder: asdict(pins[folder]) for folder in sorted(pins)}})
    return pin


def pull_locked(lock: Path = PULL_LOCK, signers: Sequence[Path] = ()) -> dict[str, Pin]:
    """Pull exactly what the lock pins, whatever the aliases are today.

    Raises PinMismatchError if the registry has something else under a pinned number.
    """
    if not lock.exists():
        raise ConfigError(f"no {lock} in {Path.cwd()}: `gazette pull NAME@champion --to FOLDER` writes it")
    pins = read_lock(lock)
    for pin in pins.values():
        versions.require_registry(pin.name)
    models = {name: versions.get_model(name) for name in sorted({pin.name for pin in pins.values()})}
    pinned = {folder: models[pin.name].versions.get(pin.version) for folder, pin in pins.items()}
    differences = [line for folder, pin in pins.items() for line in pin_differences(pin, pinned[folder])]
    if differences:
        head = f"{lock} pins what the registry does not have; nothing was pulled:"
        raise PinMismatchError("\n".join([head, *differences]))
    for folder, version in pinned.items():
        _download(pins[folder], version.tags if version else {}, Path(folder), signers)
    return pins


def pin_differences(pin: Pin, version: RegisteredVersion | None) -> list[str]:
    """Describe how a version in the registry differs from its pin. Pure; an empty revision is not compared."""
    if version is None:
        return [f"  {pin.name}/{pin.version}: the registry has no such version"]
    return [
        f"  {pin.name}/{pin.version}: its {key} is {version.tags.get(key) or 'unknown'}, the lock has {value}"
        for key, value in (("digest", pin.digest), ("revision", pin.revision))
        if value and version.tags.get(key) != value
    ]


def read_lock(lock: Path = PULL_LOCK) -> dict[str, Pin]:
    """Read the pins of a lock, by folder; raises ConfigError if it is not a lock."""
    try:
        pinned = json.loads(lock.read_text(encoding="utf-8"))["folders"]
        return {folder: Pin(**pin) for folder, pin in pinned.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ConfigError(f"{lock} is not a lock of Gazette's; `git restore {lock}` or pull again") from None


def swap_folder(folder: Path, to: Path, digest: str) -> None:
    """Replace `to` by a folder atomically: readers see either the old one or the new one, complete.

    `to` is a symlink to a folder beside it that is named after the digest; a rename can replace a symlink, but not a
    folder with files. The old folder stays for current readers, until the next swap.
    """
    check_link(to)
    before = to.readlink().name if to.is_symlink() else ""
    place = to.with_name(f".{to.name}.bundle-{digest.removesuffix('.dir')[:12]}")
    if place.name == before:  # the current one is damaged
        place = place.with_name(place.name + "-again")
    bundle_folder.check_bundle(place)
    atomic.remove(place)
    folder.rename(place)
    with atomic.atomic_path(to) as link:
        link.symlink_to(place.name)
    for old in to.parent.iterdir():
        is_older = old.name not in (before, place.name) and _place_of(to).fullmatch(old.name)
        if is_older and bundle_folder.stranger_in_bundle(old) is None:
            shutil.rmtree(old)


def check_link(to: Path) -> None:
    """Raise ConfigError if there is anything at `to` but a link that a pull made, to a folder with a bundle alone."""
    ownership.check_folder(to.parent)
    if to.is_symlink() and _place_of(to).fullmatch(str(to.readlink())):
        bundle_folder.check_bundle(to.with_name(str(to.readlink())))
    elif to.exists() or to.is_symlink():
        raise ConfigError(f"{to} exists and is not a link of `gazette pull`; choose another folder or remove it")


def _place_of(to: Path) -> re.Pattern[str]:
    return re.compile(rf"\.{re.escape(to.name)}\.bundle-[0-9a-f]{{1,12}}(-again)?")


def statement_faults(statement: dict[str, Any], folder: Path) -> list[str]:
    """List the files of a bundle that an in-toto statement does not name, or names with another SHA-256."""
    named = {(Path(subject["name"]).name, subject["digest"]["sha256"]) for subject in statement["subject"]}
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path.name for path in paths if (path.name, hashing.hash_file(path)) not in named]


def _download(pin: Pin, tags: Mapping[str, str], to: Path, signers: Sequence[Path]) -> None:
    """Download the bundle of a pin to `to`, unless it is already there and intact, and its signature beside it."""
    signature = (
        statements.fetch_record(pin.name, pin.version, statements.SIGNATURE) if statements.SIGNATURE in tags else None
    )
    if signature:
        from gazette.registry import model_signature, signing  # import cryptography

        written.check_replaceable(signature_path(to), model_signature.is_signature)
    if versions.is_intact(to, pin.digest):
        _check_signature(pin, signature, to, signers)
    else:
        check_link(to)
        to.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=to.parent, prefix=f".{to.name}.partial-") as box:
            folder = Path(box) / "bundle"
            versions.download(f"{pin.name}/{pin.version}", pin.digest, folder)
            _check_signature(pin, signature, folder, signers)
            statement = statements.fetch_statement(pin.name, pin.version) if statements.TAG in tags else None
            if statement and (names := statement_faults(statement, folder)):
                raise ConfigError(f"{pin.name}/{pin.version}: its statement has other digests for {', '.join(names)}")
            swap_folder(folder, to, pin.digest)
    if signature:
        text, path = signing.text(signature), signature_path(to)
        if not path.exists() or path.read_text(encoding="utf-8") != text:  # an image may be read-only
            atomic.write_text(path, text)


def _check_signature(pin: Pin, signature: dict[str, Any] | None, folder: Path, signers: Sequence[Path]) -> None:
    if not signers:
        return
    from gazette.registry import model_signature

    if faults := model_signature.verify(signature, folder, signers):
        raise ConfigError(f"{pin.name}/{pin.version}: {'; '.join(faults)}")


def signature_path(folder: Path) -> Path:
    """Return the path of a pulled bundle's signature, beside its folder."""
    return folder.with_name(folder.name + statements.SUFFIX)


def list_folders(pins: dict[str, Pin]) -> Sequence[str]:
    """Return a line for each folder and its version."""
    return [
        f"{folder}: {pin.name} version {pin.version}, digest {pin.digest}"
        + (f", revision {pin.revision[:9]}" if pin.revision else ", never a champion")
        for folder, pin in pins.items()
    ]
