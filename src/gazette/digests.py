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
    places = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    entries = [{"md5": of_file(folder / place, "md5"), "relpath": place} for place in places]
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + ".dir"
