"""Register the selected bundle, the candidates and the metrics as a version in the registry, and write a receipt."""

import csv
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect_dvc import git
from prefect_dvc.core.errors import DataContractError

from gazette.core import corpus, files, layout, pointers, tables
from gazette.core.candidates import list_candidates
from gazette.data import languages
from gazette.registry.store import address
from gazette.registry.store import client as registry
from gazette.registry.store.model import TRAINED_ON
from gazette.registry.store.runs import Candidate, Run, Split

EXAMPLES = {"en": ["Shares fell after the bank cut its forecast."], "zh": ["央行宣布下调存款准备金率"]}


@dataclass(frozen=True)
class Results:
    """The results of a run that the registry records."""

    selection: Path
    scores: Path
    curves: Path
    metrics: Path
    fingerprints: Path


def run(
    *,
    candidates: list[str],
    pretrained: dict[str, dict[str, str]],
    teachers: dict[str, str],
    models: dict[str, Any],
    description: Path,
    raw: str,
    lock: Path,
    bundle: Path,
    train: Path,
    valid: Path,
    test: Path,
    results: Results,
    receipt: Path,
    version: Path,
) -> None:
    """Register the bundle unless a version already has its digest, and move the alias `challenger` to the version.

    Under `dvc exp run` a version has the experiment's name and no alias moves. Raises DataContractError if the raw
    files were edited and their pointer still names the old ones.
    """
    stages, names = files.read_yaml(lock)["stages"], list_candidates(candidates, pretrained, teachers)
    recorded = {name: entry for name, entry in stages.items() if _is_upstream(name, names)}
    digest = _hash_of(bundle, recorded)
    _check_pointer(raw, recorded)
    name = description.stem
    selected = files.read_json(results.selection)["selected"]
    experiment = os.environ.get("DVC_EXP_NAME", "")
    client = registry.connect()
    number = registry.deduplicate(client, name, digest)
    status = "new" if number is None else "registered before"
    if number is None:
        metrics = files.read_json(results.metrics)
        tags = _tags(recorded, lock, raw, digest, experiment) | _machine(results.fingerprints / f"{selected}.json")
        record = Run(
            experiment=name,
            name=selected,
            candidates=[_candidate(candidate, models[candidate], results) for candidate in names],
            metrics={key: value for key, value in metrics.items() if isinstance(value, float)},
            tags=tags,
            files=[lock, results.metrics],
            splits=[
                Split("train", str(train), _hash_of(train, recorded)),
                Split("valid", str(valid), _hash_of(valid, recorded)),
                Split("test", str(test), _hash_of(test, recorded), metrics["rows"]),
            ],
            examples=EXAMPLES.get(languages.base(corpus.read_description(description).language), EXAMPLES["en"]),
        )
        model = registry.log_run(record, bundle)
        number = registry.create_version(client, name, model, tags, _describe(selected, metrics, tags))
    registry.set_tags(client, name, number, {TRAINED_ON: json.dumps(_class_counts(train), ensure_ascii=False)})
    if not experiment:
        registry.set_alias(client, name, registry.CHALLENGER, number)
    files.write_json(receipt, {"name": name, "digest": digest})
    files.write_json(version, {"name": name, "version": number, **address.describe_registry(challenged=not experiment)})
    print(f"{name} version {number} ({selected}, {status}), digest {digest}")


def _is_upstream(stage: str, candidates: list[str]) -> bool:
    """Return whether an entry of dvc.lock led to the bundle; dvc.lock keeps entries of candidates no longer listed."""
    name, _, candidate = stage.partition("@")
    return name != "register" and (not candidate or candidate in candidates)


def _candidate(name: str, params: dict[str, Any], results: Results) -> Candidate:
    with (results.curves / f"{name}.csv").open(encoding="utf-8") as file:
        curve = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    return Candidate(name, params, curve, files.read_json(results.scores / f"{name}.json"))


def _class_counts(train: Path) -> dict[str, int]:
    counts = tables.read_parquet(train, columns=["label"]).group_by("label").len().sort("label")
    return dict(counts.iter_rows())


def _hash_of(path: Path | str, recorded: dict[str, Any]) -> str:
    """Return the hash that dvc.lock records for a path, as an output or a dependency of any stage."""
    entries = (entry for stage in recorded.values() for entry in [*stage.get("outs", []), *stage.get("deps", [])])
    return str(next(entry["md5"] for entry in entries if entry["path"] == str(path)))


def _check_pointer(raw: str, recorded: dict[str, Any]) -> None:
    pointer = pointers.pointer_path(raw)
    if not pointer.exists():
        raise DataContractError(pointers.missing(raw))
    expected, actual = pointers.read_hash(pointer), _hash_of(raw, recorded)
    if expected != actual:
        raise DataContractError(pointers.mismatch(pointer, expected, actual))


def _tree_state(outs: list[str]) -> str:
    """Return `dirty` if files under git differ from HEAD, outputs of the run excluded, and `clean` otherwise."""
    excluded = [f":(exclude,literal){path}" for path in outs]
    status = ("status", "--porcelain", "-z", "--untracked-files=no", "--ignore-submodules", "--", ".")
    return "dirty" if git.run(*status, *excluded) else "clean"


def _tags(recorded: dict[str, Any], lock: Path, raw: str, digest: str, experiment: str) -> dict[str, str]:
    """Return a version's provenance; `base_commit` is where the run started, as no commit holds its dvc.lock yet."""
    code = {
        dep["path"]: dep["md5"]
        for stage in recorded.values()
        for dep in stage["deps"]
        if dep["path"].startswith(layout.CODE)
    }
    params = {name: stage.get("params", {}) for name, stage in recorded.items()}
    outs = [out["path"] for stage in recorded.values() for out in stage.get("outs", [])]
    tags = {
        "digest": digest,
        "data": _hash_of(raw, recorded),
        "params": _sha256(params),
        "code": _sha256(code),
        "base_commit": git.resolve_commit("HEAD"),
        "tree": _tree_state([str(lock), *outs]),
    }
    return tags | ({"experiment": experiment} if experiment else {})


def _machine(fingerprint: Path) -> dict[str, str]:
    """Return the training machine as a tag; none if the candidate came from DVC's cache."""
    return {"machine": fingerprint.read_text(encoding="utf-8")} if fingerprint.exists() else {}


def _describe(selected: str, metrics: dict[str, Any], tags: dict[str, str]) -> str:
    return (
        f"**{selected}**: accuracy {metrics['accuracy']:.4f}, macro-F1 {metrics['macro_f1']:.4f} "
        f"on {metrics['rows']:,} test rows.\n\n"
        f"Made from data `{tags['data']}`, params `{tags['params']}`, code `{tags['code']}`, on top of commit "
        f"`{tags['base_commit']}` ({tags['tree']} tree). "
        f"Its revision is the commit whose `dvc.lock` names the bundle `{tags['digest']}`."
    )


def _sha256(facts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
