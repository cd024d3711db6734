"""What files are known by: SHA-256 of what is read, and DVC's hash of a folder, by which a bundle is registered."""

import hashlib
import json
from pathlib import Path


def of_file(path: Path, kind: str = "sha256") -> str:
    """The digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def of_articles(folder: Path) -> str:
    """One SHA-256 of all files in a folder, hidden ones left out: of the lines that `sha256sum` writes of them."""
    places = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    seen = [place for place in places if not any(part.startswith(".") for part in place.parts)]
    lines = (f"{of_file(folder / place)}  {place.as_posix()}\n".encode("utf-8", "surrogateescape") for place in seen)
    return hashlib.sha256(b"".join(lines)).hexdigest()


def of_bundle(folder: Path) -> str:
    """The hash that dvc.lock has for a folder with these files."""
    entries = [{"md5": digest, "relpath": place} for place, digest in listing(folder).items()]
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + ".dir"


def of_path(path: Path) -> str | None:
    """The hash by which DVC knows a file or a folder; none where there is neither."""
    if path.is_dir():
        return of_bundle(path)
    return of_file(path, "md5") if path.exists() else None


def listing(folder: Path) -> dict[str, str]:
    """The MD5 of each file of a folder by its place in it, sorted; compiled code is never an input (`.dvcignore`)."""
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    places = sorted(file.relative_to(folder).as_posix() for file in files)
    return {place: of_file(folder / place, "md5") for place in places}
