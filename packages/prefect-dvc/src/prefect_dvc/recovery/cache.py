"""DVC's cache: its objects, damaged ones, and settings that let damage through."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from prefect_dvc import graph, hashing
from prefect_dvc.dvc_internals import Repo, Tree

ENTRY_SECONDS = 0.5  # long enough for another project that shares the cache to finish an entry


@dataclass(frozen=True)
class Damage:
    """An object of the cache whose hash is not its name, what it belongs to, and what to do."""

    file: str
    belongs_to: list[str]
    cure: str


def list_unrecorded(root: Path, paths: Sequence[Path], recorded: Mapping[Path, str]) -> dict[Path, bool]:
    """Return those of `paths` that a stage makes and whose content is neither the recorded one nor in the cache.

    The value says whether the stage builds on what was there before (`persist: true`).
    """
    with graph.open_repo(root) as repo:
        outputs = {out.fs_path: out.persist for out in repo.index.outs if out.stage.cmd}
        hashes = {path: str(hashing.dvc_hash_or_none(path)) for path in paths if str(path) in outputs}
        return {
            path: outputs[str(path)]
            for path, digest in hashes.items()
            if recorded.get(path) != digest and not repo.cache.local.exists(digest)
        }


def list_unfinished_entries(root: Path) -> list[Path]:
    """Return incomplete entries of DVC's run cache, and folders without an entry, that no live process is writing.

    DVC takes either for an entry, and fails on it.
    """
    with graph.open_repo(root) as repo:
        folder = Path(repo.stage_cache.cache_dir)

    def unfinished() -> list[Path]:
        partial = sorted(folder.glob("*/*/*.tmp"))
        return partial + [
            entry for entry in sorted(folder.glob("*/*")) if entry.is_dir() and set(entry.iterdir()) <= set(partial)
        ]

    first = unfinished()
    time.sleep(ENTRY_SECONDS if first else 0)
    return [path for path in first if path in unfinished()]


def list_warnings(root: Path) -> list[str]:
    """Return the settings that let damage through, each with the command that fixes it."""
    with graph.open_repo(root) as repo:
        linked = [kind for kind in repo.cache.local.cache_types if kind in ("hardlink", "symlink")]
        unverified = sorted(name for name, settings in repo.config["remote"].items() if not settings.get("verify"))
    warnings = [
        f"cache.type has {kind}: a process that outlives its run writes through the link into the cache; "
        "`dvc config cache.type reflink,copy`"
        for kind in linked
    ]
    return warnings + [
        f"remote {name} is not verified, so damaged objects are pulled; `dvc remote modify {name} verify true`"
        for name in unverified
    ]


def list_altered_raw_files(root: Path) -> list[str]:
    """Return the files of raw data that are not as their pointer names them; hashes all of them, which DVC does not."""
    altered: list[Path] = []
    with graph.open_repo(root) as repo:
        for out in (out for out in repo.index.outs if out.stage.is_data_source and Path(out.fs_path).exists()):
            obj = out.get_obj()
            files = {"": obj.hash_info} if not isinstance(obj, Tree) else {"/".join(k): h for k, _, h in obj}
            paths = {Path(out.fs_path) / name: recorded.value for name, recorded in files.items()}
            altered += [path for path, digest in paths.items() if hashing.hash_file(path, "md5") != digest]
    return sorted(os.path.relpath(path, root) for path in altered)


def list_damaged(root: Path) -> list[Damage]:
    """Hash every object of the cache, whatever DVC recorded of it, and return the damaged ones."""
    with graph.open_repo(root) as repo:
        store = repo.cache.local
        # Other names belong to objects that a kill interrupted on their way in.
        files = [file for file in sorted(Path(store.path).glob("[0-9a-f][0-9a-f]/*")) if len(file.stem) == 30]
        damaged = [file for file in files if hashing.hash_file(file, "md5") != _name(file)[:32]]
        owners = _owners(repo) if damaged else {}
        remote = bool(repo.config["remote"])
    return [_damage(file, owners.get(_name(file), {}), remote) for file in damaged]


def _name(file: Path) -> str:
    return file.parent.name + file.name


def _damage(file: Path, owners: dict[str, bool], remote: bool) -> Damage:
    """Describe a damaged object; `owners`: what it belongs to, and whether a stage makes that."""
    if not owners:
        return Damage(str(file), [], f"rm {file}; nothing of this revision needs it")
    remake = "`dvc repro` makes it again" if all(owners.values()) else "`dvc add` restores it from intact raw files"
    pull = "`dvc pull` fetches it, or " if remote else ""
    return Damage(str(file), sorted(owners), f"rm {file}; then {pull}{remake}")


def _owners(repo: Repo) -> dict[str, dict[str, bool]]:
    """Return what each object, by hash, belongs to in this revision, files of folders included."""
    owners: dict[str, dict[str, bool]] = {}
    for out in repo.index.outs:
        digest, is_output = str(out.hash_info.value), not out.stage.is_data_source
        path = os.path.relpath(out.fs_path, repo.root_dir)
        by = f"stage {out.stage.addressing}" if is_output else os.path.relpath(out.stage.path, repo.root_dir)
        owners.setdefault(digest, {})[f"{path} ({by})"] = is_output
        for name, inner in _list_files(Path(repo.cache.local.oid_to_path(digest))):
            owners.setdefault(inner, {})[f"{path}/{name} ({by})"] = is_output
    return owners


def _list_files(listing: Path) -> list[tuple[str, str]]:
    """Return names and hashes of a folder's files; none if it is a file, is not in the cache, or is damaged itself."""
    if listing.suffix != ".dir" or not listing.exists():
        return []
    try:
        return [(entry["relpath"], entry["md5"]) for entry in json.loads(listing.read_bytes())]
    except (ValueError, TypeError, KeyError):
        return []
