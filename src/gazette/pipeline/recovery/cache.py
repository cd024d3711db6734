"""DVC's cache: what is in it, what of it is damaged, and how it is set up."""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc_data.hashfile.build import build
from dvc_data.hashfile.hash import hash_file
from dvc_data.hashfile.tree import Tree

from gazette.core.errors import Misconfigured

MOMENT = 0.5  # seconds in which a project beside this one that shares its cache has long written an entry


@dataclass(frozen=True)
class Damage:
    """An object of the cache that is not what its name says, what it belongs to, and what to do."""

    file: str
    belongs_to: list[str]
    cure: str


@contextmanager
def _opened(root: Path) -> Iterator[Repo]:
    try:
        with Repo(str(root)) as repo:
            yield repo
    except DvcException as error:
        raise Misconfigured(f"DVC cannot read the project in {root.absolute()}: {error}") from error


def unknown(root: Path, paths: Sequence[Path], recorded: Mapping[Path, str]) -> list[Path]:
    """Those of `paths` that a stage makes and whose content is neither the recorded one nor in the cache."""
    with _opened(root) as repo:
        store = repo.cache.local
        made = {out.fs_path for out in repo.index.outs if out.stage.cmd}
        found = []
        for path in [path for path in paths if str(path) in made]:
            _, _, built = build(store, str(path), store.fs, "md5", dry_run=True)
            digest = str(built.hash_info.value)
            if recorded.get(path) != digest and not store.exists(digest):
                found.append(path)
        return found


def half_noted(root: Path) -> list[Path]:
    """Entries of DVC's list of runs that were not written to their end, and folders that hold none, by nobody alive.

    DVC takes either for an entry, and fails on it.
    """
    with _opened(root) as repo:
        folder = Path(repo.stage_cache.cache_dir)

    def found() -> list[Path]:
        halves = sorted(folder.glob("*/*/*.tmp"))
        return halves + [
            entry for entry in sorted(folder.glob("*/*")) if entry.is_dir() and set(entry.iterdir()) <= set(halves)
        ]

    first = found()
    time.sleep(MOMENT if first else 0)
    return [path for path in first if path in found()]


def warnings(root: Path) -> list[str]:
    """What of the set-up lets damage through, and the command that mends it."""
    with _opened(root) as repo:
        kinds = repo.cache.local.cache_types
        remotes = {name: settings.get("verify", False) for name, settings in repo.config["remote"].items()}
    linked = [kind for kind in kinds if kind in ("hardlink", "symlink")]
    said = [
        f"cache.type has {kind}: a process that outlives its run writes through the link into the cache; "
        "`dvc config cache.type reflink,copy`"
        for kind in linked
    ]
    return said + [
        f"remote {name} is believed unseen: what was damaged there comes in; `dvc remote modify {name} verify true`"
        for name, verified in sorted(remotes.items())
        if not verified
    ]


def altered(root: Path) -> list[str]:
    """Files of raw data that are not what their pointer names, hashed again: DVC believes what it has checked out."""
    found = []
    with _opened(root) as repo:
        for out in (out for out in repo.index.outs if out.stage.is_data_source and Path(out.fs_path).exists()):
            held = out.get_obj()
            files = {"": held.hash_info} if not isinstance(held, Tree) else {"/".join(k): h for k, _, h in held}
            for name, wanted in files.items():
                path = str(Path(out.fs_path) / name)
                if hash_file(path, repo.cache.local.fs, "md5")[1] != wanted:
                    found.append(os.path.relpath(path, root))
    return sorted(found)


def damaged(root: Path) -> list[Damage]:
    """Hashes every object of the cache again, whatever DVC noted of it, and gives those that are damaged."""
    with _opened(root) as repo:
        store = repo.cache.local
        # Other names are of objects that a kill caught on their way in.
        files = [file for file in sorted(Path(store.path).glob("[0-9a-f][0-9a-f]/*")) if len(file.stem) == 30]
        bad = [file for file in files if hash_file(str(file), store.fs, "md5")[1].value != _name(file)[:32]]
        owners = _owners(repo) if bad else {}
        remote = bool(repo.config["remote"])
    return [_told(file, owners.get(_name(file), {}), remote) for file in bad]


def _name(file: Path) -> str:
    return file.parent.name + file.name


def _told(file: Path, owners: dict[str, bool], remote: bool) -> Damage:
    """`owners`: whose it is, and whether a stage makes it."""
    if not owners:
        return Damage(str(file), [], f"rm {file}; nothing of this revision needs it")
    anew = "`gazette run` makes it anew" if all(owners.values()) else "`dvc add` takes it anew from whole raw files"
    return Damage(str(file), sorted(owners), f"rm {file}; then {'`dvc pull` brings it, or ' if remote else ''}{anew}")


def _owners(repo: Repo) -> dict[str, dict[str, bool]]:
    """What of this revision each object belongs to, by hash; the files of folders too."""
    found: dict[str, dict[str, bool]] = {}
    for out in repo.index.outs:
        digest, made = str(out.hash_info.value), not out.stage.is_data_source
        path = os.path.relpath(out.fs_path, repo.root_dir)
        by = f"stage {out.stage.addressing}" if made else os.path.relpath(out.stage.path, repo.root_dir)
        found.setdefault(digest, {})[f"{path} ({by})"] = made
        for name, inner in _inside(Path(repo.cache.local.oid_to_path(digest))):
            found.setdefault(inner, {})[f"{path}/{name} ({by})"] = made
    return found


def _inside(listing: Path) -> list[tuple[str, str]]:
    """Names and hashes of a folder's files; none where it is a file, is not in the cache, or is damaged itself."""
    if listing.suffix != ".dir" or not listing.exists():
        return []
    try:
        return [(entry["relpath"], entry["md5"]) for entry in json.loads(listing.read_bytes())]
    except (ValueError, TypeError, KeyError):
        return []
