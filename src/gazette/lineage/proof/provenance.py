"""Provenance as an in-toto statement: outputs with their SHA-256, materials, params, machine.

The shape is https://in-toto.io/Statement/v1 with SLSA's provenance (https://slsa.dev/provenance/v1) as predicate; the
same revision, machine and outcome give the same bytes.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gazette.core import atomic, files
from gazette.core.errors import ConfigError
from gazette.lineage.proof.compare import local_outputs
from gazette.pipeline import dvclock, git, hashing
from gazette.registry import signing, statements

FOLDER = Path("statements")
MATERIALS = ("dvc.yaml", "dvc.lock", "params.yaml", "requirements.lock")
BUILD = "urn:gazette:pipeline:1"


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
    materials = [path for path in MATERIALS if (folder / path).exists()]
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [_resource(name, folder / name) for out in sorted(outs) for name in _list_files(folder, out)],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD,
                "externalParameters": {name: stage.get("params", {}) for name, stage in sorted(stages.items())},
                "internalParameters": {"machine": dict(machines)},
                "resolvedDependencies": [
                    {"name": "revision", "digest": {"gitCommit": commit}},
                    *(_resource(path, folder / path) for path in [*materials, *inputs]),
                ],
            },
            "runDetails": {
                "builder": {"id": BUILD},
                "byproducts": [{"name": "reproduction", "annotations": dict(reproduction)}] if reproduction else [],
            },
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
    digest = hashing.sha256_tree(path) if path.is_dir() else hashing.hash_file(path)
    return {"name": name, "digest": {"sha256": digest}}


def statement_path(corpus: str, commit: str) -> Path:
    """Return the path of the statement on a revision."""
    return FOLDER / f"{corpus}-{commit[:9]}.json"


def is_statement(content: bytes) -> bool:
    """Whether a file's content is a statement that Gazette wrote, signed or not."""
    return stated_revision(content) is not None


def stated_revision(content: bytes) -> str | None:
    """Return the commit that a statement is on, which is not verified; None if the content is no statement of ours."""
    try:
        record = json.loads(content)
        definition = statements.unwrap(record)["predicate"]["buildDefinition"]
        if definition["buildType"] != BUILD:
            return None
        return str(definition["resolvedDependencies"][0]["digest"]["gitCommit"])
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def write_statement(record: dict[str, Any], path: Path, key: Path | None) -> None:
    """Write a statement to `path`, signed if there is a key."""
    text = signing.text(record)
    if key is not None:
        text = signing.text(signing.sign(text.encode(), key))
    atomic.write_text(path, text)


def statement_faults(path: Path, folder: Path, commit: str, key: Path | None) -> list[str]:
    """Return what is wrong with the statement at `path` on the tree at `folder`: form, signature, content.

    The tree is at `commit`. If the statement is on a revision with another `dvc.lock`, only form and signature are
    checked. Raises ConfigError if the key cannot be read.
    """
    try:
        content = path.read_bytes()
        record = json.loads(content)
        if content != signing.text(record).encode():
            return [f"{path}: not in canonical form"]
        signed = "payload" in record or "signatures" in record
        inner = json.loads(signing.payload(record)) if signed else record
        machine = inner["predicate"]["buildDefinition"]["internalParameters"]["machine"]
        byproducts = inner["predicate"]["runDetails"]["byproducts"]
        revision = inner["predicate"]["buildDefinition"]["resolvedDependencies"][0]["digest"]["gitCommit"]
        if not git.is_commit(revision):
            return [f"{path}: it is on a revision {revision} that git does not know"]
        if git.show(revision, "dvc.lock") == git.show(commit, "dvc.lock"):
            reproduction = byproducts[0]["annotations"] if byproducts else None
            faults = _differences(inner, make_statement(folder, revision, machine, reproduction))
        else:
            faults = []
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        return [f"{path}: not a statement: {error!r}"]
    if key:
        faults = [*(signing.verify(record, key) if signed else ["it has no signature"]), *faults]
    return [f"{path}: {fault}" for fault in faults]


def _differences(statement: dict[str, Any], actual: dict[str, Any]) -> list[str]:
    differences = []
    for kind, stated, present in (
        ("output", statement["subject"], actual["subject"]),
        ("material", *(side["predicate"]["buildDefinition"]["resolvedDependencies"] for side in (statement, actual))),
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
