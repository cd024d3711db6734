"""What was made of what, as an in-toto statement: outputs with their SHA-256, materials, params, machine.

The shape is https://in-toto.io/Statement/v1 with SLSA's provenance (https://slsa.dev/provenance/v1) as predicate; the
same revision, machine and outcome give the same bytes.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from gazette.core import atomic
from gazette.core.errors import Misconfigured
from gazette.lineage.proof.compare import of_each_clone
from gazette.pipeline import dvclock, git, hashing
from gazette.registry import signing

FOLDER = Path("statements")
MATERIALS = ("dvc.yaml", "dvc.lock", "params.yaml", "requirements.lock")
BUILD = "urn:gazette:pipeline:1"


def make(
    folder: Path, commit: str, machines: Mapping[str, Any], reproduction: Mapping[str, Any] | None
) -> dict[str, Any]:
    """A statement on the tree at `folder`, which is at `commit` and has every output of its `dvc.lock`.

    `reproduction` says what came of making it once more; none where it was not.
    """
    yaml = YAML(typ="safe", pure=True)
    stages = yaml.load(folder / "dvc.lock")["stages"]
    outs = dvclock.outputs(stages).keys() - of_each_clone(yaml.load(folder / "dvc.yaml")["stages"])
    sources = {dep["path"]: dep["md5"] for stage in stages.values() for dep in stage.get("deps", [])}
    inputs = sorted(path for path in sources if not any(path == out or _holds(path, out) for out in outs))
    kept = [path for path in MATERIALS if (folder / path).exists()]
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [_resource(name, folder / name) for out in sorted(outs) for name in _files(folder, out)],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD,
                "externalParameters": {name: stage.get("params", {}) for name, stage in sorted(stages.items())},
                "internalParameters": {"machine": dict(machines)},
                "resolvedDependencies": [
                    {"name": "revision", "digest": {"gitCommit": commit}},
                    *(_resource(path, folder / path) for path in [*kept, *inputs]),
                ],
            },
            "runDetails": {
                "builder": {"id": BUILD},
                "byproducts": [{"name": "reproduction", "annotations": dict(reproduction)}] if reproduction else [],
            },
        },
    }


def _holds(folder: str, path: str) -> bool:
    return path.startswith(folder + "/")


def _files(folder: Path, out: str) -> list[str]:
    """The files of an output; none of one that is not there, such as that of a candidate no longer listed."""
    path = folder / out
    if path.is_dir():
        return sorted(file.relative_to(folder).as_posix() for file in path.rglob("*") if file.is_file())
    return [out] if path.exists() else []


def _resource(name: str, path: Path) -> dict[str, Any]:
    if not path.exists():
        raise Misconfigured(f"{name} is not there: `gazette run` makes it, `dvc checkout` brings it")
    digest = hashing.of_articles(path) if path.is_dir() else hashing.of_file(path)
    return {"name": name, "digest": {"sha256": digest}}


def path_of(corpus: str, commit: str) -> Path:
    """Where the statement on a revision lies."""
    return FOLDER / f"{corpus}-{commit[:9]}.json"


def write(record: dict[str, Any], path: Path, key: Path | None) -> None:
    """Writes a statement to `path`, under a signature where there is a key."""
    text = signing.text(record)
    if key is not None:
        text = signing.text(signing.sign(text.encode(), key))
    atomic.write(text, path)


def wrong(path: Path, folder: Path, commit: str, key: Path | None) -> list[str]:
    """What is wrong with the statement at `path` on the tree at `folder`: its form, its signature, what it says.

    Of one on a revision that has another `dvc.lock` than `commit`, which the tree is at, form and signature alone are
    looked at.

    Raises Misconfigured where the key cannot be read.
    """
    try:
        content = path.read_bytes()
        record = json.loads(content)
        if content != signing.text(record).encode():
            return [f"{path}: not as a statement is written"]
        signed = "payload" in record or "signatures" in record
        inner = json.loads(signing.payload(record)) if signed else record
        machine = inner["predicate"]["buildDefinition"]["internalParameters"]["machine"]
        byproducts = inner["predicate"]["runDetails"]["byproducts"]
        of = inner["predicate"]["buildDefinition"]["resolvedDependencies"][0]["digest"]["gitCommit"]
        if not git.knows(of):
            return [f"{path}: it is on a revision {of} that git does not know"]
        other = git.file(of, "dvc.lock") != git.file(commit, "dvc.lock")
        made = inner if other else make(folder, of, machine, byproducts[0]["annotations"] if byproducts else None)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        return [f"{path}: no statement: {error!r}"]
    said = [f"{path}: {one}" for one in signing.wrong(record, key)] if signed and key else []
    if key and not signed:
        said.append(f"{path}: it has no signature")
    return said + [f"{path}: {one}" for one in _apart(inner, made)]


def _apart(says: dict[str, Any], made: dict[str, Any]) -> list[str]:
    found = []
    for kind, one, two in (
        ("output", says["subject"], made["subject"]),
        ("material", *(side["predicate"]["buildDefinition"]["resolvedDependencies"] for side in (says, made))),
    ):
        before, after = ({entry["name"]: entry["digest"] for entry in side} for side in (one, two))
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) != after.get(name):
                found.append(f"{kind} {name}: it says {_short(before.get(name))}, here is {_short(after.get(name))}")
    return found or ([] if says == made else ["its params or its form are not those of this revision"])


def _short(digest: Any) -> str:
    return str(next(iter(digest.values())))[:16] if digest else "none"
