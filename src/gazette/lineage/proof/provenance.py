"""Provenance as an in-toto statement: outputs with their SHA-256, materials, params, machine.

The shape is https://in-toto.io/Statement/v1 with SLSA's provenance (https://slsa.dev/provenance/v1) as predicate; the
same revision, machine and outcome give the same bytes. docs/proof.md describes the second predicate, of re-derivation.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect_dvc import git, hashing
from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError

from gazette.core import files
from gazette.lineage.proof.compare import local_outputs
from gazette.pipeline import dvclock
from gazette.registry import signing, statements

FOLDER = Path("statements")
MATERIALS = ("dvc.yaml", "dvc.lock", "params.yaml", "requirements.lock")
BUILD = "urn:gazette:pipeline:1"
STATEMENT, SLSA, REDERIVATION = (
    "https://in-toto.io/Statement/v1", "https://slsa.dev/provenance/v1", "urn:gazette:re-derivation:1",
)  # fmt: skip


def make_statement(
    folder: Path, commit: str, machines: Mapping[str, Any], reproduction: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return a statement on the tree at `folder`, which is at `commit` and has every output of its `dvc.lock`.

    `reproduction` is the result of reproducing it; None if it was not reproduced.
    """
    stages = files.read_yaml(folder / "dvc.lock")["stages"]
    outs = dvclock.list_outputs(stages).keys() - local_outputs(files.read_yaml(folder / "dvc.yaml")["stages"])
    sources = sorted(dvclock.list_inputs(stages))
    inputs = [path for path in sources if not any(path == out or out.startswith(path + "/") for out in outs)]
    tracked = [(path, git.show_bytes(commit, path, folder)) for path in MATERIALS]  # the tree may have a later policy
    return {
        "_type": STATEMENT,
        "subject": [_resource(name, folder / name) for out in sorted(outs) for name in _list_files(folder, out)],
        "predicateType": SLSA,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD,
                "externalParameters": {name: stage.get("params", {}) for name, stage in sorted(stages.items())},
                "internalParameters": {"machine": dict(machines)},
                "resolvedDependencies": [
                    {"name": "revision", "digest": {"gitCommit": commit}},
                    *(_descriptor(path, hashlib.sha256(content).hexdigest()) for path, content in tracked if content),
                    *(_resource(path, folder / path) for path in inputs),
                ],
            },
            "runDetails": {
                "builder": {"id": BUILD},
                "byproducts": [{"name": "reproduction", "annotations": dict(reproduction)}] if reproduction else [],
            },
        },
    }


def make_claim(
    statement: Mapping[str, Any], verifier: str, machines: Mapping[str, Any], environment: str
) -> dict[str, Any]:
    """Return the claim that a verifier, by its key's id, made all subjects of a statement again, byte for byte."""
    return {
        "_type": STATEMENT,
        "subject": statement["subject"],
        "predicateType": REDERIVATION,
        "predicate": {
            "result": "identical",
            "method": BUILD,
            "materials": statement["predicate"]["buildDefinition"]["resolvedDependencies"],
            "verifier": {"id": verifier},
            "machine": dict(machines),
            "environment": environment,
        },
    }


def _list_files(folder: Path, out: str) -> list[str]:
    """Return the files of an output; none if it does not exist, as for a candidate that is no longer listed."""
    path = folder / out
    if path.is_dir():
        return sorted(file.relative_to(folder).as_posix() for file in path.rglob("*") if file.is_file())
    return [out] if path.exists() else []


def _resource(name: str, path: Path) -> dict[str, Any]:
    if not path.exists():
        raise ConfigError(f"{name} does not exist: `gazette run` makes it, `dvc checkout` restores it")
    return _descriptor(name, hashing.sha256_tree(path) if path.is_dir() else hashing.hash_file(path))


def _descriptor(name: str, sha256: str) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": sha256}}


def statement_path(corpus: str, commit: str) -> Path:
    """Return the path of the statement on a revision."""
    return FOLDER / f"{corpus}-{commit[:9]}.json"


def claim_path(statement: Path, verifier: str) -> Path:
    """Return the path of a verifier's claim, beside the statement on the same revision."""
    return statement.with_suffix(f".{verifier[:8]}{statement.suffix}")


def is_statement(content: bytes) -> bool:
    """Whether a file's content is a statement that Gazette wrote, signed or not."""
    return stated_revision(content) is not None


def stated_revision(content: bytes) -> str | None:
    """Return the commit that a statement is on, which is not verified; None if the content is no statement of ours."""
    try:
        statement = statements.unwrap(json.loads(content))
        if statement["predicateType"] == REDERIVATION:
            circumstances(statement)
        return revision_of(statement)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def revision_of(statement: dict[str, Any]) -> str:
    """Return the commit that a statement is on; raises ValueError or KeyError if it is none of ours."""
    predicate = statement["predicate"]
    is_claim = statement["predicateType"] == REDERIVATION
    method = predicate["method"] if is_claim else predicate["buildDefinition"]["buildType"]
    if method != BUILD:
        raise ValueError(f"it states what {method} made, expected {BUILD}")
    return str(materials_of(statement)[0]["digest"]["gitCommit"])


def materials_of(statement: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a statement names as its materials; the first is the revision."""
    predicate = statement["predicate"]
    is_claim = statement["predicateType"] == REDERIVATION
    return list(predicate["materials"] if is_claim else predicate["buildDefinition"]["resolvedDependencies"])


def circumstances(claim: dict[str, Any]) -> tuple[str, dict[str, Any], str]:
    """Return by whom (the id of a key), on which machine and with which packages a claim says that it was made."""
    predicate = claim["predicate"]
    return str(predicate["verifier"]["id"]), dict(predicate["machine"]), str(predicate["environment"])


def read_claim(content: bytes) -> dict[str, Any] | None:
    """Return the claim in a file's content, which is not verified; None if it is no claim."""
    if stated_revision(content) is None:
        return None
    statement = statements.unwrap(json.loads(content))
    return statement if statement["predicateType"] == REDERIVATION else None


def is_signed_by_another(path: Path, key: Path | None) -> bool:
    """Whether there is a statement at `path` that somebody else signed, and that must stay when this key signs too."""
    if key is None or not path.exists() or not path.stat().st_size:
        return False
    record = files.read_json(path)
    return "payload" in record and bool(signing.verify(record, key))


def write_statement(record: dict[str, Any], path: Path, key: Path | None) -> None:
    """Write a statement to `path`, signed if there is a key."""
    text = signing.text(record)
    if key is not None:
        text = signing.text(signing.sign(text.encode(), key))
    atomic.write_text(path, text)
