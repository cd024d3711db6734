"""What made a model, and what became of it: commit, stages, raw files, params, code, runs, versions, verdicts.

From git, DVC's locks and cache, the registry and the ledger, as far as they are available; what is unknown is listed.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prefect_dvc import git, hashing, revisions
from prefect_dvc.core.errors import ConfigError

from gazette.core import layout
from gazette.lineage import weak_links
from gazette.pipeline import corpus_params, dvclock
from gazette.pipeline.dvclock import DvcLock
from gazette.registry import ledger, resolve, versions


@dataclass(frozen=True)
class ModelLineage:
    """A model's lineage, as in JSON.

    `revisions` are the commits that brought its digest into `dvc.lock`; the first is its revision, which `commit`
    describes. `stages` has for each stage: hash (of all inputs), data, code, params, packages, outputs; each path with
    its hash. `raw` has the folder, its hash and the hash of each file. `weak` lists the weak links, `unknown` what
    could not be determined, and why.
    """

    digest: str
    corpus: str | None
    revisions: list[str]
    commit: dict[str, Any]
    stages: dict[str, dict[str, Any]]
    raw: dict[str, Any]
    versions: list[dict[str, Any]]
    verdicts: list[dict[str, Any]]
    weak: list[dict[str, str]]
    unknown: list[str]


def is_model(name: str) -> bool:
    """Whether a name is a version, a bundle (by folder or digest) or a commit, and not a file.

    A name that is both a path and a commit is the path, as in `git log --`; one that is neither is a deleted file.
    """
    path = Path(name)
    if path.exists():
        return (path / "bundle.json").is_file()
    if resolve.DIGEST.fullmatch(name):
        return bool(resolve.list_revisions(name))
    return versions.is_version(name) or git.is_commit(name)


def trace(name: str) -> ModelLineage:
    """Trace a version (`NAME/NUMBER`, `NAME@ALIAS`), a digest, a bundle's folder, or the model of a commit.

    Raises ConfigError if there is no such model, or if an earlier version of Gazette recorded it.
    """
    version = resolve.parse_version(name)
    if version:
        return trace_digest(version.digest, version.name)
    if (Path(name) / "bundle.json").is_file():
        return trace_digest(hashing.dvc_hash(Path(name)))
    if resolve.DIGEST.fullmatch(name):
        return trace_digest(name)
    lock = dvclock.load(git.resolve_commit(name))
    if lock.bundle is None:
        raise ConfigError(f"{name}: its dvc.lock names no selected bundle; the run did not get that far")
    return trace_digest(lock.bundle, lock.corpus)


def trace_digest(digest: str, corpus: str | None = None) -> ModelLineage:
    """Trace the model with this digest."""
    commits = resolve.list_revisions(digest)
    lock = dvclock.load(commits[0]).without_left_overs() if commits else DvcLock(None, {})
    corpus = corpus or lock.corpus
    no_corpus = "neither a commit nor a name gives its corpus"
    registered, why = resolve.list_registered(corpus) if corpus else ([], no_corpus)
    registered = [version for version in registered if version.digest == digest]
    if not commits and not registered:
        shallow = git.describe_shallow()
        raise ConfigError(f"{digest}: neither a commit's dvc.lock nor the registry has this bundle{shallow}")
    verdicts, no_verdicts = _decisions_of(digest)
    commit, no_flow = _describe_commit(commits[0]) if commits else ({}, [])
    raw, no_files = _describe_raw(lock) if commits else ({}, [])
    unregistered = [f"version, MLflow's run: {why or 'the registry does not have this bundle'}"]
    if commits:
        weak = weak_links.check_commit(commits[0]) + weak_links.check_data(commits[0]) + weak_links.check_code(lock)
    else:
        why = f"no commit's dvc.lock names this bundle{git.describe_shallow()}"
        weak = [weak_links.weak_link(weak_links.UNCOMMITTED, why)]
    description = lock.yaml(lock.option("validate", "description") or "") if commits else {}
    return ModelLineage(
        digest=digest,
        corpus=corpus,
        revisions=commits,
        commit=commit,
        stages={name: _describe_stage(entry, description) for name, entry in lock.stages.items()},
        raw=raw,
        versions=[asdict(version) for version in registered],
        verdicts=verdicts,
        weak=[
            *weak_links.check_versions(registered),
            *weak,
            *weak_links.check_entries(verdicts),
            *weak_links.check_ledger(),
        ],
        unknown=[*no_flow, *no_files, *(unregistered if not registered else []), *no_verdicts],
    )


def _decisions_of(digest: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the entries on the bundle with this digest, oldest first, and what is unknown of them.

    The chain is not verified here.
    """
    if not ledger.PATH.exists():
        return [], [f"verdict: there is no {ledger.PATH}; nothing was promoted yet"]
    entries, unknown = [], []
    for number, line in enumerate(ledger.PATH.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        try:
            entry = json.loads(line)
            digests = [(entry[side] or {}).get("digest") for side in ("to", "from")]
        except (ValueError, KeyError, TypeError, AttributeError):
            unknown.append(
                f"verdict: line {number} of {ledger.PATH} is not an entry; `gazette ledger --verify` gives details"
            )
            continue
        if digest in digests:
            entries.append(entry | {"became": "champion" if digests[0] == digest else "previous"})
    return entries, unknown


def _describe_commit(commit: str) -> tuple[dict[str, Any], list[str]]:
    """Return author, time and subject of a commit, and the flow run that made it, if one did."""
    form = "%an%x00%aI%x00%s%x00%(trailers:key=Flow-Run,valueonly,separator=%x2C)"
    author, when, subject, flow = git.run("show", "--no-patch", f"--format={form}", commit).split("\0")
    record = {"commit": commit, "author": author, "when": when, "subject": subject, "flow_run": flow or None}
    return record, [] if flow else ["Prefect's run: the commit's message has no `Flow-Run:`, so no flow committed it"]


def _describe_stage(entry: dict[str, Any], description: dict[str, Any]) -> dict[str, Any]:
    deps = dvclock.list_hashes(entry, "deps")
    params = entry.get("params", {})
    inputs = json.dumps([entry["cmd"], deps, params], sort_keys=True).encode()
    return {
        "hash": hashlib.sha256(inputs).hexdigest(),
        "data": {path: digest for path, digest in deps.items() if not path.startswith(layout.CODE)},
        "code": {path: digest for path, digest in deps.items() if path.startswith(layout.CODE)},
        "params": corpus_params.merge(params.get("params.yaml", {}), description),
        "packages": next(iter(params.get("environment.yaml", {}).values()), {}),
        "outputs": dvclock.list_hashes(entry, "outs"),
    }


def _describe_raw(lock: DvcLock) -> tuple[dict[str, Any], list[str]]:
    """Return the folder of raw data, its hash, its files and its corrections, if any, and why the files are unknown."""
    path = lock.option("validate", "raw")
    digest = lock.hash_of(path)
    if path is None or digest is None:
        return {}, ["raw files: dvc.lock has no stage validate"]
    files = revisions.list_folder(digest)
    why = [] if files is not None else [f"raw files: DVC's cache has no list of {path}; `dvc fetch {path}.dvc`"]
    record = {"path": path, "digest": digest, "files": files or {}}
    corrections = lock.record("validate", "report").get("corrections")
    return record | ({"corrections": corrections} if corrections else {}), why
