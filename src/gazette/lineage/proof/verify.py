"""Whether everything that was recorded of this revision is still so, every byte read again, nothing run again."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from gazette.core import candidates
from gazette.lineage.proof import provenance
from gazette.lineage.proof.compare import of_each_clone
from gazette.pipeline import flatten, git, hashing
from gazette.registry import ledger

LOCK, PIPELINE, PARAMS = Path("dvc.lock"), Path("dvc.yaml"), Path("params.yaml")


def findings(statements: list[Path], key: Path | None) -> list[str]:
    """What is not as recorded, each by name: files under git, raw data, code, params, outputs, ledger, statements.

    Raises Misconfigured where this is no repository, or the key cannot be read.
    """
    commit = git.commit("HEAD")
    found = [*_tracked(commit), *_ledger(commit), *_locked()]
    for path in statements:
        found += provenance.wrong(path, Path(), commit, key)
    return found


def _tracked(commit: str) -> Iterator[str]:
    """Files under git that are other than in the commit, by their content: git's own list goes by size and time."""
    lines = git.said("ls-tree", "-r", "-z", commit).rstrip("\0").split("\0")
    blobs = {path: head.split()[2] for head, _, path in (line.partition("\t") for line in lines) if " blob " in head}
    blobs = {path: blob for path, blob in blobs.items() if path != str(ledger.PATH)}
    here = [path for path in blobs if Path(path).is_file() and not Path(path).is_symlink()]
    hashed = subprocess.run(
        ["git", "hash-object", "--stdin-paths"], input="\n".join(here), capture_output=True, text=True, check=True
    )
    now = dict(zip(here, hashed.stdout.split(), strict=True))
    for path, blob in blobs.items():
        if path in now and now[path] != blob:
            yield f"{path}: not as commit {commit[:9]} has it"
        elif not Path(path).exists() and not Path(path).is_symlink():
            yield f"{path}: gone; commit {commit[:9]} has it"


def _ledger(commit: str) -> list[str]:
    """What is wrong with the chain, and whether committed lines were changed: of the last one, git alone knows."""
    here = ledger.PATH.read_bytes() if ledger.PATH.exists() else b""
    committed = git.content(commit, str(ledger.PATH))
    try:
        found = (
            [f"{ledger.PATH}: {one}" for one in ledger.verify(here.decode().removesuffix("\n").split("\n"))]
            if here
            else []
        )
    except UnicodeDecodeError as error:
        number = 1 + here[: error.start].count(b"\n")
        found = [f"{ledger.PATH}: line {number} is not UTF-8"]
    if not here.startswith(committed):
        lines, before = here.split(b"\n"), committed.split(b"\n")
        number = next(n for n, line in enumerate(before) if n >= len(lines) or lines[n] != line)
        found.append(f"{ledger.PATH}: line {number + 1} is not as commit {commit[:9]} has it")
    return found


def _locked() -> Iterator[str]:
    """What of the stages is other than `dvc.lock` says: dependencies, params and outputs."""
    try:
        stages = YAML(typ="safe", pure=True).load(LOCK)["stages"]
        own = of_each_clone(YAML(typ="safe", pure=True).load(PIPELINE)["stages"])
    except (YAMLError, OSError, KeyError, TypeError, UnicodeDecodeError) as error:
        yield f"{LOCK} or {PIPELINE}: cannot be read: {error}".split("\n", maxsplit=1)[0]
        return
    numbers = cache(_numbers)
    hashes: dict[str, str | None] = {}
    looked_at: set[tuple[str, str | None]] = set()
    for stage, entry in stages.items():
        if _is_left_over(stage, numbers(PARAMS)):
            continue
        for side in ("deps", "outs"):
            for recorded in entry.get(side, []):
                path = recorded["path"]
                if path not in hashes:
                    hashes[path] = hashing.of_path(Path(path))
                told = (path, recorded.get("md5"))
                if told not in looked_at and (hashes[path] is not None or path not in own):
                    yield from _differs(stage, side, recorded, hashes[path])
                looked_at.add(told)
        yield from _params(stage, entry.get("params", {}), numbers)
    for pointer in git.said("ls-files", "*.dvc").split():
        yield from _pointer(Path(pointer), hashes)


def _numbers(file: Path) -> dict[str, Any] | None:
    """What a file of params holds; none where it cannot be read."""
    try:
        return dict(YAML(typ="safe", pure=True).load(file) or {})
    except (YAMLError, UnicodeDecodeError, OSError):
        return None


def _is_left_over(stage: str, numbers: dict[str, Any] | None) -> bool:
    """Whether the lock still has a candidate that `params.yaml` lists no more."""
    candidate, known = stage.partition("@")[2], numbers or {}
    return bool(candidate and known.get("candidates")) and candidate not in candidates.of(known)


def _differs(stage: str, side: str, recorded: dict[str, Any], found: str | None) -> Iterator[str]:
    path, kind = recorded["path"], {"deps": "what it depends on", "outs": "what it made"}[side]
    if found is None:
        yield f"{path}: missing; {kind}, says {LOCK} of {stage}"
    elif found != recorded.get("md5"):
        inside = "".join(f"; in it {name}" for name in _altered(Path(path), str(recorded.get("md5"))))
        yield f"{path}: has the hash {found}, {LOCK} says {recorded.get('md5')} of {kind} ({stage}){inside}"


def _altered(folder: Path, recorded: str) -> list[str]:
    """Which files of a folder are other than when it had the recorded hash, as far as DVC's cache knows."""
    if not recorded.endswith(".dir"):
        return []
    from gazette.pipeline import revisions  # imports DVC, 1 s

    before = revisions.listing(recorded)
    now = hashing.listing(folder)
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name)) if before else []


def _params(stage: str, recorded: dict[str, Any], numbers: Callable[[Path], dict[str, Any] | None]) -> Iterator[str]:
    for file, values in recorded.items():
        known = numbers(Path(file))
        if known is None:
            yield f"{file}: cannot be read as YAML"
            return
        found = flatten.leaves(known)
        for key, was in flatten.leaves(values).items():
            if found.get(key) != was:
                yield f"{file}: {key} is {found.get(key)}, {LOCK} says {was} of {stage}"


def _pointer(pointer: Path, hashes: dict[str, str | None]) -> Iterator[str]:
    raw = pointer.with_suffix("").as_posix()
    try:
        named = YAML(typ="safe", pure=True).load(pointer)["outs"][0]["md5"]
    except (YAMLError, UnicodeDecodeError, KeyError, TypeError, IndexError):
        yield f"{pointer}: cannot be read as a pointer of DVC"
        return
    found = hashes.get(raw)
    if found is not None and found != named:
        yield f"{raw}: has the hash {found}, {pointer} names {named}"


def registered(name: str, digest: str) -> list[str]:
    """What is wrong with the registry's copy of a bundle: its files are downloaded and hashed; MLflow, seconds."""
    from gazette.registry.store import client as registry

    client = registry.connect()
    number = registry.find(client, name, digest)
    if number is None:
        return [f"the registry has no version of {name} with the digest {digest}"]
    with tempfile.TemporaryDirectory() as box:
        found = hashing.of_bundle(registry.download(f"{name}/{number}", Path(box)))
    return (
        [] if found == digest else [f"{name}/{number} in the registry: its files have the hash {found}, not {digest}"]
    )
