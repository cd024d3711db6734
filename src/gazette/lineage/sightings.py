"""Which models saw a file: a raw file by its content, or code, params and data by the paths in `dvc.lock`."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl
from prefect_dvc import git, hashing, revisions
from prefect_dvc.core.errors import ConfigError

from gazette.core import layout, tables
from gazette.pipeline import dvclock
from gazette.pipeline.dvclock import DvcLock
from gazette.registry import resolve

Listing = Callable[[str], dict[str, str] | None]


@dataclass(frozen=True)
class Sighting:
    """A model that saw the file: at which path, with which hash, and whether its content was the same.

    `revision` is the first whose run saw it so. `rows` counts the articles of the file in each split; None if it is not
    a raw file, or if the articles are not available.
    """

    digest: str
    revision: str
    versions: list[str]
    path: str
    hash: str
    same: bool
    rows: dict[str, int] | None


@dataclass(frozen=True)
class FileSightings:
    """A file, its hash here (None if it does not exist here), the models that saw it, and what is unknown."""

    file: str
    hash: str | None
    sightings: list[Sighting]
    unknown: list[str]


def trace_file(file: str) -> FileSightings:
    """Find every model whose stages read or made a file, by its path, across renames, or by its content.

    A hash stands for content. Raises ConfigError if the file does not exist here and no run names it.
    """
    path = Path(file)
    content = hashing.dvc_hash_or_none(path) or (file if resolve.DIGEST.fullmatch(file) else None)
    paths = _path_history(path.absolute())
    sightings: dict[str, Sighting] = {}
    unknown: list[str] = []
    answers, listing = cache(resolve.list_registered), cache(revisions.list_folder)
    for commit in git.list_commits("dvc.lock", "--all", "--topo-order"):
        lock = dvclock.load_or_none(commit)
        if lock is None or lock.bundle is None or (lock.bundle in sightings and sightings[lock.bundle].same):
            continue
        match = _find_in(lock.without_left_overs(), paths, content, listing, unknown)
        if match is None or (lock.bundle in sightings and match[1] != content):
            continue
        registered, why = answers(str(lock.corpus))
        versions = [f"{version.name}/{version.number}" for version in registered if version.digest == lock.bundle]
        same = match[1] == content
        sightings[lock.bundle] = Sighting(lock.bundle, commit, versions, match[0], match[1], same, match[2])
        unknown += [f"versions: {why}"] if why else []
    if not sightings and content is None:
        raise ConfigError(f"{file}: not a version, a digest, a commit, a file here, or a path in any dvc.lock")
    return FileSightings(file, content, list(sightings.values()), sorted(set(unknown)))


def _path_history(path: Path) -> list[str]:
    """Return the paths that a file has had, its present one first; empty if it is outside of the project."""
    path = path.parent.resolve() / path.name  # the file itself may be a link into DVC's cache
    if not path.is_relative_to(Path.cwd()):
        return []
    relative = path.relative_to(Path.cwd()).as_posix()
    follow = ("log", "--follow", "--relative", "--name-only", "-z", "--format=", "HEAD", "--", relative)
    earlier = git.list_names("--literal-pathspecs", *follow)
    return list(dict.fromkeys([relative, *earlier]))


def _find_in(
    lock: DvcLock, paths: list[str], content: str | None, listing: Listing, unknown: list[str]
) -> tuple[str, str, dict[str, int] | None] | None:
    """Return path and hash of the file in a run, and its rows if it is raw; None if the run did not see it."""
    for place, digest in (dvclock.list_inputs(lock.stages) | dvclock.list_outputs(lock.stages)).items():
        if place in paths or digest == content:
            return place, digest, None
        if code := _find_code(lock, [path for path in paths if path.startswith(place + "/")]):
            return (*code, None)
    raw = str(lock.option("validate", "raw"))
    files = listing(lock.hash_of(raw) or "")
    if files is None:
        unknown.append(f"raw files of {lock.place}: DVC's cache has no list of {raw}; `dvc fetch {raw}.dvc`")
        return None
    inside = [path.removeprefix(raw + "/") for path in paths if path.removeprefix(raw + "/") in files]
    copies = [name for name, digest in sorted(files.items()) if digest == content]
    name = next(iter([*inside, *copies]), None)
    return (f"{raw}/{name}", files[name], _count_rows(lock, name)) if name else None


def _find_code(lock: DvcLock, paths: list[str]) -> tuple[str, str] | None:
    """Return path and hash of the first of `paths` under `src` that the commit has; it may be an empty file."""
    code = [path for path in paths if path.startswith(layout.CODE)]
    if not code:
        return None
    existing = git.list_names("ls-tree", "-r", "-z", "--name-only", str(lock.commit), "--", *code)
    path = next((path for path in code if path in existing), None)
    return (path, hashlib.md5(git.show_bytes(str(lock.commit), path)).hexdigest()) if path else None


def _count_rows(lock: DvcLock, name: str) -> dict[str, int] | None:
    counts = {}
    for split in ("train", "valid", "test"):
        cached = revisions.cache_path(lock.hash_of(lock.option("preprocess", split)) or "")
        if cached is None:
            return None
        counts[split] = tables.scan_parquet(cached).filter(pl.col("file") == name).select(pl.len()).collect().item()
    return counts
