"""What made a model, and what became of it: commit, stages, raw files, params, code, runs, versions, verdicts.

From git, DVC's locks and cache, the registry and the ledger, whatever of them is here; what is not known is said.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gazette.core.errors import Misconfigured
from gazette.lineage import decisions, weak_links
from gazette.pipeline import dvclock, git, hashing, revisions
from gazette.pipeline.dvclock import State
from gazette.registry import lookup, resolve, versions
from gazette.registry.lookup import Answer


@dataclass(frozen=True)
class Model:
    """A model's lineage, as JSON has it.

    `revisions` are the commits that brought its digest into `dvc.lock`; the first is its revision, and `commit` tells
    of it. `stages` gives for each stage: hash (of all that went in), data, code, params, packages, made; each path with
    its hash. `raw` names the folder, its hash and the hash of each file. `weak` are links that hold less, `unknown`
    lines what could not be found out, and why.
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

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def is_model(asked: str) -> bool:
    """Whether a version, a bundle, by its folder or its digest, or a commit is meant, and not a file.

    What is both a path and a commit's name is the path, as `git log --` has it; what is neither is a file that is gone.
    """
    path = Path(asked)
    if path.exists():
        return (path / "bundle.json").is_file()
    if resolve.DIGEST.fullmatch(asked):
        return bool(resolve.revisions(asked))
    return versions.is_version(asked) or git.knows(asked)


def trace(asked: str) -> Model:
    """The lineage of a version (`NAME/NUMBER`, `NAME@ALIAS`), a digest, a bundle's folder, or of what a commit made.

    Raises Misconfigured where there is no such thing.
    """
    found = resolve.version(asked)
    if found:
        return of_digest(found.digest, found.name)
    if (Path(asked) / "bundle.json").is_file():
        return of_digest(hashing.of_bundle(Path(asked)))
    if resolve.DIGEST.fullmatch(asked):
        return of_digest(asked)
    state = dvclock.at(git.commit(asked))
    if state.bundle is None:
        raise Misconfigured(f"{asked}: its dvc.lock names no selected bundle; the run did not come that far")
    return of_digest(state.bundle, state.corpus)


def of_digest(digest: str, corpus: str | None = None, answer: Answer | None = None) -> Model:
    """The lineage of the model with this digest; `answer` is the registry's, asked for unless given."""
    named = resolve.revisions(digest)
    state = dvclock.at(named[0]) if named else State(None, {})
    corpus = corpus or state.corpus
    if answer is None:
        answer = lookup.ask(corpus) if corpus else Answer(why="no commit and no name says which corpus to ask for")
    versions = [one for one in answer.versions if one.digest == digest]
    if not named and not versions:
        raise Misconfigured(f"{digest}: neither a commit's dvc.lock nor the registry knows this bundle")
    verdicts = decisions.of(digest)
    commit, no_flow = _commit(named[0]) if named else ({}, [])
    raw, no_files = _raw(state) if named else ({}, [])
    unregistered = (
        [] if versions else [f"version, MLflow's run: {answer.why or 'the registry has none of this bundle'}"]
    )
    weak = [
        *([] if named else [weak_links.weak(weak_links.UNCOMMITTED, "no commit's dvc.lock names this bundle")]),
        *weak_links.of_versions(versions),
        *(
            found
            for one in named[:1]
            for found in (*weak_links.of_commit(one), *weak_links.of_data(one), *weak_links.of_code(state))
        ),
        *weak_links.of_entries(verdicts.entries),
        *weak_links.of_ledger(),
    ]
    return Model(
        digest=digest,
        corpus=corpus,
        revisions=named,
        commit=commit,
        stages={name: _stage(entry) for name, entry in state.stages.items()},
        raw=raw,
        versions=[one.record() for one in versions],
        verdicts=verdicts.entries,
        weak=weak,
        unknown=[*no_flow, *no_files, *unregistered, *verdicts.unknown],
    )


def _commit(commit: str) -> tuple[dict[str, Any], list[str]]:
    """Who committed what when, and the flow run that did, where a flow run did."""
    form = "%an%x00%aI%x00%s%x00%(trailers:key=Flow-Run,valueonly,separator=%x2C)"
    author, when, subject, flow = git.said("show", "--no-patch", f"--format={form}", commit).split("\0")
    about = {"commit": commit, "author": author, "when": when, "subject": subject, "flow_run": flow or None}
    return about, [] if flow else ["Prefect's run: the commit's message has no `Flow-Run:`, so no flow committed it"]


def _stage(entry: dict[str, Any]) -> dict[str, Any]:
    """What went into a stage, one hash of all of it, and what came out."""
    deps = {dep["path"]: dep["md5"] for dep in entry.get("deps", [])}
    params = entry.get("params", {})
    went_in = json.dumps([entry["cmd"], deps, params], sort_keys=True).encode()
    return {
        "hash": hashlib.sha256(went_in).hexdigest(),
        "data": {path: digest for path, digest in deps.items() if not path.startswith("src/")},
        "code": {path: digest for path, digest in deps.items() if path.startswith("src/")},
        "params": params.get("params.yaml", {}),
        "packages": next(iter(params.get("environment.yaml", {}).values()), {}),
        "made": {out["path"]: out["md5"] for out in entry.get("outs", [])},
    }


def _raw(state: State) -> tuple[dict[str, Any], list[str]]:
    path = state.option("validate", "raw")
    digest = state.hash_of(path)
    if path is None or digest is None:
        return {}, ["raw files: dvc.lock has no stage validate"]
    files = revisions.listing(digest)
    why = [] if files is not None else [f"raw files: DVC's cache has no list of {path}; `dvc fetch {path}.dvc`"]
    return {"path": path, "digest": digest, "files": files or {}}, why
