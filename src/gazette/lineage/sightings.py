"""Which models saw a file: a raw file by its content, or code, params and data by what `dvc.lock` names."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from gazette.core.errors import Misconfigured
from gazette.pipeline import dvclock, git, hashing, revisions
from gazette.pipeline.dvclock import State
from gazette.registry import lookup
from gazette.registry.resolve import DIGEST


@dataclass(frozen=True)
class Sighting:
    """A model and how it met the file: at which path, with which hash, the same as asked or another one.

    `revision` is the first whose run met it so. `rows` counts the articles of the file in what the model learned from
    and was judged on; none where it is not a raw file, or where the articles are not at hand.
    """

    digest: str
    revision: str
    versions: list[str]
    path: str
    hash: str
    same: bool
    rows: dict[str, int] | None


@dataclass(frozen=True)
class Seen:
    """A file, its hash as it is here (none where it is not here), who saw it, and what is not known."""

    asked: str
    hash: str | None
    sightings: list[Sighting]
    unknown: list[str]

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def of_file(asked: str) -> Seen:
    """Every model whose stages read or made the file: by its path, or by its content, which a hash may stand for.

    Raises Misconfigured where the file is not here and no run names it.
    """
    path = Path(asked)
    content = hashing.of_path(path) or (asked if DIGEST.fullmatch(asked) else None)
    relative = path.absolute().relative_to(Path.cwd()).as_posix() if path.absolute().is_relative_to(Path.cwd()) else ""
    sightings: dict[str, Sighting] = {}
    unknown: list[str] = []
    answers, listing = cache(lookup.ask), cache(revisions.listing)
    for commit in git.history("dvc.lock", "--all", "--topo-order"):
        state = dvclock.of(commit)
        if state is None or state.bundle is None or (state.bundle in sightings and sightings[state.bundle].same):
            continue
        met = _met(state, relative, content, listing, unknown)
        if met is None or (state.bundle in sightings and met[1] != content):
            continue
        answer = answers(str(state.corpus))
        named = [f"{one.name}/{one.number}" for one in answer.versions if one.digest == state.bundle]
        sightings[state.bundle] = Sighting(state.bundle, commit, named, met[0], met[1], met[1] == content, met[2])
        unknown += [f"versions: {answer.why}"] if answer.why else []
    if not sightings and content is None:
        raise Misconfigured(f"{asked}: neither a version, a digest, a commit, a file here, nor a path of any dvc.lock")
    return Seen(asked, content, list(sightings.values()), sorted(set(unknown)))


def _met(
    state: State,
    path: str,
    content: str | None,
    listing: Callable[[str], dict[str, str] | None],
    unknown: list[str],
) -> tuple[str, str, dict[str, int] | None] | None:
    """Path and hash with which a run met the file, and its rows where it is raw; none where it did not."""
    entries = [entry for stage in state.stages.values() for key in ("deps", "outs") for entry in stage.get(key, [])]
    for entry in entries:
        if entry["path"] == path or entry["md5"] == content:
            return entry["path"], entry["md5"], None
        if path.startswith("src/") and path.startswith(entry["path"] + "/"):
            return path, hashlib.md5(git.content(str(state.commit), path)).hexdigest(), None
    raw = str(state.option("validate", "raw"))
    files = listing(state.hash_of(raw) or "")
    if files is None:
        unknown.append(f"raw files of {str(state.commit)[:9]}: DVC's cache has no list of {raw}; `dvc fetch {raw}.dvc`")
        return None
    places = [place for place, digest in sorted(files.items()) if digest == content]
    inside = path.removeprefix(raw + "/") if path.startswith(raw + "/") else ""
    place = inside if inside in files else next(iter(places), None)
    return (f"{raw}/{place}", files[place], _rows(state, place)) if place else None


def _rows(state: State, place: str) -> dict[str, int] | None:
    counts = {}
    for split in ("train", "valid", "test"):
        kept = revisions.cached(state.hash_of(state.option("preprocess", split)) or "")
        if kept is None:
            return None
        counts[split] = pl.scan_parquet(kept).filter(pl.col("file") == place).select(pl.len()).collect().item()
    return counts
