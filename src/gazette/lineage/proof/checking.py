"""Whether a statement holds: its form, its signature, and whether it is on what the tree here has."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect_dvc import git

from gazette.lineage.proof import provenance
from gazette.registry import signing


def statement_faults(path: Path, folder: Path, commit: str, keys: Sequence[Path]) -> list[str]:
    """Return what is wrong with the statement at `path` on the tree at `folder`: form, signature, content.

    The tree is at `commit`. If the statement is on a revision with another `dvc.lock`, only form and signature are
    checked. If there are keys, one of them must have signed it, unless it is the claim of somebody whose key is not
    among them: nobody counts that. Raises ConfigError if a key cannot be read.
    """
    try:
        content = path.read_bytes()
        record = json.loads(content)
        if content != signing.text(record).encode():
            return [f"{path}: not in canonical form"]
        signed = "payload" in record or "signatures" in record
        inner = json.loads(signing.payload(record)) if signed else record
        revision, is_strangers = provenance.revision_of(inner), _is_strangers(inner, keys)
        if not git.is_commit(revision):
            return [f"{path}: it is on a revision {revision} that git does not know"]
        faults = _differences(inner, _restate(inner, folder)) if is_on(revision, commit) else []
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        return [f"{path}: not a statement: {error!r}"]
    if keys and not is_strangers:
        faults = [*(signing.verify_any(record, keys) if signed else ["it has no signature"]), *faults]
    return [f"{path}: {fault}" for fault in faults]


def _is_strangers(statement: dict[str, Any], keys: Sequence[Path]) -> bool:
    """Whether a statement is the claim of a verifier whose key is none of these."""
    if statement["predicateType"] != provenance.REDERIVATION:
        return False
    return provenance.circumstances(statement)[0] not in {signing.key_id(key) for key in keys}


def is_on(revision: str, commit: str) -> bool:
    """Whether two commits have the same `dvc.lock`, so that a statement on the first holds for the second."""
    return git.show(revision, "dvc.lock") == git.show(commit, "dvc.lock")


def _restate(statement: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return what a statement must be for the tree at `folder`, with the circumstances that only it records."""
    predicate, revision = statement["predicate"], provenance.revision_of(statement)
    if statement["predicateType"] == provenance.REDERIVATION:
        state = provenance.make_statement(folder, revision, {}, None)
        return provenance.make_claim(state, *provenance.circumstances(statement))
    byproducts = predicate["runDetails"]["byproducts"]
    machine = predicate["buildDefinition"]["internalParameters"]["machine"]
    return provenance.make_statement(folder, revision, machine, byproducts[0]["annotations"] if byproducts else None)


def _differences(statement: dict[str, Any], actual: dict[str, Any]) -> list[str]:
    differences = []
    for kind, stated, present in (
        ("output", statement["subject"], actual["subject"]),
        ("material", provenance.materials_of(statement), provenance.materials_of(actual)),
    ):
        before, after = ({entry["name"]: entry["digest"] for entry in side} for side in (stated, present))
        differences += [
            f"{kind} {name}: it states {_short(before.get(name))}, here is {_short(after.get(name))}"
            for name in sorted(before.keys() | after.keys())
            if before.get(name) != after.get(name)
        ]
    if not differences and statement != actual:
        return ["its params or its form are not those of this revision"]
    return differences


def _short(digest: Any) -> str:
    return str(next(iter(digest.values())))[:16] if digest else "none"
