"""Turns the selected bundle, the candidates and the metrics into a version in the registry and a receipt."""

import csv
import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import polars as pl

from gazette.core import corpus, files
from gazette.core.candidates import listed
from gazette.core.errors import BrokenContract
from gazette.registry.store import address
from gazette.registry.store import client as registry

EXAMPLES = {"en": ["Shares fell after the bank cut its forecast."], "zh": ["央行宣布下调存款准备金率"]}


def run(
    *,
    candidates: list[str],
    further: dict[str, dict[str, str]],
    models: dict[str, Any],
    description: Path,
    raw: str,
    lock: Path,
    bundle: Path,
    selection: Path,
    scores: Path,
    curves: Path,
    metrics: Path,
    train: Path,
    fingerprints: Path,
    receipt: Path,
    version: Path,
) -> None:
    """Twice is once: the bundle's digest finds the version that is there. Moves `challenger` either way.

    Under `dvc exp run` a version carries the experiment's name and no alias moves. Raises BrokenContract where the raw
    files were edited and their pointer still names the old ones.
    """
    stages, names = files.read_yaml(lock)["stages"], listed(candidates, further)
    recorded = {name: entry for name, entry in stages.items() if _made_this(name, names)}
    digest = _hash_of(bundle, recorded)
    _refuse_unrecorded(raw, recorded)
    name = description.stem
    selected = files.read(selection)["selected"]
    figures = files.read(metrics)
    experiment = os.environ.get("DVC_EXP_NAME", "")
    client = registry.connect()
    number = registry.single(client, name, digest)
    known = number is not None
    if number is None:
        tags = _tags(recorded, lock, raw, digest, experiment) | _machine(fingerprints / f"{selected}.json")
        told = registry.Run(
            experiment=name,
            name=selected,
            candidates=[_candidate(candidate, models[candidate], scores, curves) for candidate in names],
            metrics={key: value for key, value in figures.items() if isinstance(value, float)},
            tags=tags,
            files=[lock, metrics],
            examples=EXAMPLES[corpus.describe(description).language],
        )
        number = registry.register(client, name, registry.log(told, bundle), tags, _about(selected, figures, tags))
    registry.note_training(client, name, number, _classes(train))
    if not experiment:
        registry.challenge(client, name, number)
    files.write({"name": name, "digest": digest}, receipt)
    files.write({"name": name, "version": number, **address.here(challenged=not experiment)}, version)
    print(f"{name} version {number} ({selected}, {'registered before' if known else 'new'}), digest {digest}")


def _made_this(stage: str, candidates: list[str]) -> bool:
    """Whether an entry of dvc.lock says what made the bundle; it keeps candidates that are no longer listed."""
    name, _, candidate = stage.partition("@")
    return name != "register" and (not candidate or candidate in candidates)


def _candidate(name: str, params: dict[str, Any], scores: Path, curves: Path) -> registry.Candidate:
    with (curves / f"{name}.csv").open(encoding="utf-8") as file:
        curve = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    return registry.Candidate(name, params, curve, files.read(scores / f"{name}.json"))


def _classes(train: Path) -> dict[str, int]:
    counts = pl.read_parquet(train, columns=["label"]).group_by("label").len().sort("label")
    return dict(counts.iter_rows())


def _hash_of(path: Path | str, recorded: dict[str, Any]) -> str:
    """The hash that dvc.lock records for a path, as an output or a dependency of any stage."""
    entries = (entry for stage in recorded.values() for entry in [*stage.get("outs", []), *stage.get("deps", [])])
    return str(next(entry["md5"] for entry in entries if entry["path"] == str(path)))


def _refuse_unrecorded(raw: str, recorded: dict[str, Any]) -> None:
    pointer = Path(raw + ".dvc")
    if not pointer.exists():
        raise BrokenContract(f"{raw} is not under DVC: `dvc add {raw}` records what was used")
    named = files.read_yaml(pointer)["outs"][0]["md5"]
    used = _hash_of(raw, recorded)
    if named != used:
        raise BrokenContract(
            f"{raw} was edited: its files have the hash {used}, {pointer} names {named}. "
            f"`dvc add {raw}` records the edit, `dvc checkout {pointer}` undoes it."
        )


def _tree(made: list[str]) -> str:
    """Whether files under git differ from that commit; those that the run itself makes do not count."""
    others = [f":(exclude){path}" for path in made]
    return "dirty" if _git("status", "--porcelain", "--untracked-files=no", "--", ".", *others) else "clean"


def _tags(recorded: dict[str, Any], lock: Path, raw: str, digest: str, experiment: str) -> dict[str, str]:
    """What made a version. No commit holds today's dvc.lock yet: `base_commit` is the one this run started from."""
    code = {
        dep["path"]: dep["md5"]
        for stage in recorded.values()
        for dep in stage["deps"]
        if dep["path"].startswith("src/")
    }
    params = {name: stage.get("params", {}) for name, stage in recorded.items()}
    tags = {
        "digest": digest,
        "data": _hash_of(raw, recorded),
        "params": _sha256(params),
        "code": _sha256(code),
        "base_commit": _git("rev-parse", "HEAD"),
        "tree": _tree([str(lock), *(out["path"] for stage in recorded.values() for out in stage.get("outs", []))]),
    }
    return tags | ({"experiment": experiment} if experiment else {})


def _machine(fingerprint: Path) -> dict[str, str]:
    """The machine that trained, where it was this one; a candidate from DVC's cache was trained elsewhere or before."""
    return {"machine": fingerprint.read_text(encoding="utf-8")} if fingerprint.exists() else {}


def _about(selected: str, figures: dict[str, Any], tags: dict[str, str]) -> str:
    return (
        f"**{selected}**: accuracy {figures['accuracy']:.4f}, macro-F1 {figures['macro_f1']:.4f} "
        f"on {figures['rows']:,} test rows.\n\n"
        f"Made from data `{tags['data']}`, params `{tags['params']}`, code `{tags['code']}`, on top of commit "
        f"`{tags['base_commit']}` ({tags['tree']} tree). "
        f"Its revision is the commit whose `dvc.lock` names the bundle `{tags['digest']}`."
    )


def _sha256(facts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout.strip()
