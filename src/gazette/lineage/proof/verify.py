"""Verify that all records of this revision still hold: every byte is read again, nothing is run."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from prefect_dvc import flatten, git, hashing
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.core.escape import escape_path

from gazette.core import files, pointers
from gazette.lineage.proof import checking
from gazette.lineage.proof.compare import local_outputs
from gazette.pipeline import dvclock
from gazette.registry import ledger

LOCK, PIPELINE, PARAMS = Path("dvc.lock"), Path("dvc.yaml"), Path("params.yaml")
NEWLINE = b"\n"
SIDES = {"deps": "a dependency", "outs": "an output"}


def verify_revision(statements: list[Path], keys: Sequence[Path] | None) -> list[str]:
    """List what is not as recorded: files under git, raw data, code, params, outputs, ledger, statements.

    If there are keys, one of them must have signed each statement. Raises ConfigError if this is not a repository, or
    if a key cannot be read.
    """
    commit = git.resolve_commit("HEAD")
    faults = [*_check_tracked(commit), *_check_ledger(commit), *_check_lock()]
    for path in statements:
        faults += checking.statement_faults(path, Path(), commit, keys or ())
    return faults


def _check_tracked(commit: str) -> Iterator[str]:
    """Yield files under git that differ from the commit in content; git's own list goes by size and time."""
    lines = git.list_names("ls-tree", "-r", "-z", commit)
    blobs = {path: head.split()[2] for head, _, path in (line.partition("\t") for line in lines) if " blob " in head}
    blobs = {path: blob for path, blob in blobs.items() if path != str(ledger.PATH)}
    present = [path for path in blobs if Path(path).is_file() and not Path(path).is_symlink()]
    now = dict(zip(present, git.hash_files(present), strict=True))
    missing = {path for path in blobs if not Path(path).exists() and not Path(path).is_symlink()}
    if missing:
        missing -= set(list_sparse())
    for path, blob in blobs.items():
        if path in now and now[path] != blob:
            yield f"{escape_path(path)}: differs from commit {commit[:9]}"
        elif path in missing:
            yield f"{escape_path(path)}: missing, but commit {commit[:9]} has it"


def list_sparse() -> list[str]:
    """List the files that a sparse checkout leaves out on purpose."""
    return [name[2:] for name in git.list_names("ls-files", "-t", "-z") if name.startswith("S ")]


def _check_ledger(commit: str) -> list[str]:
    """Return what is wrong with the chain, and the first committed line that changed, which only git can tell."""
    content = ledger.PATH.read_bytes() if ledger.PATH.exists() else b""
    committed = git.show_bytes(commit, str(ledger.PATH))
    try:
        faults = ledger.verify_chain(content.decode().removesuffix("\n").split("\n")) if content else []
    except UnicodeDecodeError as error:
        faults = [f"line {1 + content[: error.start].count(NEWLINE)} is not UTF-8"]
    if not content.startswith(committed):
        lines, before = content.split(NEWLINE), committed.split(NEWLINE)
        number = next(n for n, line in enumerate(before) if n >= len(lines) or lines[n] != line)
        faults.append(f"line {number + 1} differs from commit {commit[:9]}")
    return [f"{ledger.PATH}: {fault}" for fault in faults]


def _check_lock() -> Iterator[str]:
    """Yield dependencies, params and outputs of the stages that differ from `dvc.lock`."""
    try:
        stages = files.read_yaml(LOCK)["stages"]
        local = local_outputs(files.read_yaml(PIPELINE)["stages"])
    except (ConfigError, KeyError, TypeError) as error:
        yield f"{LOCK} or {PIPELINE}: cannot be read: {error}".split("\n", maxsplit=1)[0]
        return
    params = cache(_read_params)
    hashes: dict[str, str | None] = {}
    checked: set[tuple[str, str]] = set()
    for stage, entry in stages.items():
        if dvclock.is_left_over(stage, params(PARAMS) or {}):
            continue
        for side in ("deps", "outs"):
            for path, recorded in dvclock.list_hashes(entry, side).items():
                if path not in hashes:
                    hashes[path] = hashing.dvc_hash_or_none(Path(path))
                if (path, recorded) not in checked and (hashes[path] is not None or path not in local):
                    yield from _check_hash(f"{SIDES[side]} of {stage}", path, recorded, hashes[path])
                checked.add((path, recorded))
        yield from _check_params(stage, entry.get("params", {}), params)
    for pointer in git.list_names("ls-files", "-z", "*.dvc"):
        yield from _check_pointer(Path(pointer), hashes)


def _read_params(file: Path) -> dict[str, Any] | None:
    try:
        return files.read_yaml(file)
    except ConfigError:
        return None


def _check_hash(role: str, path: str, recorded: str, actual: str | None) -> Iterator[str]:
    if actual is None:
        yield f"{path}: missing; {LOCK} has it as {role}"
    elif actual != recorded:
        inside = "".join(f"; in it {name}" for name in _altered_files(Path(path), recorded))
        yield f"{path}: has the hash {actual}, {LOCK} has {recorded} as {role}{inside}"


def _altered_files(folder: Path, recorded: str) -> list[str]:
    """Return the files of a folder that changed since it had the recorded hash, if DVC's cache knows them."""
    if not recorded.endswith(".dir"):
        return []
    from prefect_dvc import revisions  # imports DVC, 1 s

    before = revisions.list_folder(recorded)
    now = hashing.list_hashes(folder)
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name)) if before else []


def _check_params(stage: str, recorded: dict[str, Any], read: Callable[[Path], dict[str, Any] | None]) -> Iterator[str]:
    for file, values in recorded.items():
        params = read(Path(file))
        if params is None:
            yield f"{file}: cannot be read as YAML"
            return
        actual = flatten.flatten(params)
        for key, value in flatten.flatten(values).items():
            if actual.get(key) != value:
                yield f"{file}: {key} is {actual.get(key)}, {LOCK} has {value} for {stage}"


def _check_pointer(pointer: Path, hashes: dict[str, str | None]) -> Iterator[str]:
    raw = pointer.with_suffix("").as_posix()
    try:
        recorded = pointers.read_hash(pointer)
    except ConfigError as error:
        yield str(error)
        return
    actual = hashes.get(raw)
    if actual is not None and actual != recorded:
        yield pointers.mismatch(pointer, recorded, actual)


def verify_registered(name: str, digest: str, signers: Sequence[Path] = ()) -> list[str]:
    """Return what is wrong with the registry's copy of a bundle, whose files are downloaded and hashed.

    If there are signers, its signature there must be by one of these keys.
    """
    from gazette.registry import model_signature, statements
    from gazette.registry.store import client as store  # imports MLflow, about 5 s

    client = store.connect()
    version = store.get_model(client, name).find_digest(digest)
    if version is None:
        return [f"the registry has no version of {name} with the digest {digest}"]
    with tempfile.TemporaryDirectory() as folder:
        bundle = store.download(f"{name}/{version.number}", Path(folder))
        actual = hashing.dvc_hash(bundle)
        signature = statements.fetch_record(name, version.number, statements.SIGNATURE) if signers else None
        faults = model_signature.verify(signature, bundle, signers) if signers else []
    if actual != digest:
        faults = [f"its files have the hash {actual}, not {digest}", *faults]
    return [f"{name}/{version.number} in the registry: {fault}" for fault in faults]
