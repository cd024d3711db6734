"""Hashes of files and folders: SHA-256 of inputs, and DVC's hash of a file or a folder."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

CACHE = "__pycache__"


def hash_file(path: Path, kind: str = "sha256") -> str:
    """Return the digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def sha256_tree(folder: Path) -> str:
    """Return one SHA-256 of all files in a folder: of the lines that `sha256sum` prints.

    Hidden files are no part of it, nor is compiled code, which every run may write anew.
    """
    paths = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    visible = [path for path in paths if not any(part.startswith(".") or part == CACHE for part in path.parts)]
    lines = (f"{hash_file(folder / path)}  {path.as_posix()}\n".encode("utf-8", "surrogateescape") for path in visible)
    return hashlib.sha256(b"".join(lines)).hexdigest()


def dvc_hash(folder: Path) -> str:
    """Return the hash that dvc.lock has for a folder with these files."""
    return dvc_hash_of(list_hashes(folder))


def dvc_hash_of(hashes: Mapping[str, str]) -> str:
    """Return DVC's hash of a folder, given the MD5 of each file by its path in the folder."""
    entries = [{"md5": hashes[path], "relpath": path} for path in sorted(hashes)]
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + ".dir"


def dvc_hash_or_none(path: Path) -> str | None:
    """Return the hash by which DVC knows a file or a folder; None if there is neither."""
    if path.is_dir():
        return dvc_hash(path)
    return hash_file(path, "md5") if path.exists() else None


def list_hashes(folder: Path) -> dict[str, str]:
    """Return the MD5 of each file by its path in a folder; compiled code is never an input (`.dvcignore`)."""
    files = (path for path in folder.rglob("*") if path.is_file() and CACHE not in path.parts)
    paths = sorted(file.relative_to(folder).as_posix() for file in files)
    return {path: hash_file(folder / path, "md5") for path in paths}
