"""The record of a revision: its `dvc.lock` and the files beside it, or those of the working tree."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from prefect_dvc import flatten, git
from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError

from gazette.core import candidates, files
from gazette.pipeline import cmdline, corpus_params

WORKING_TREE = "the working tree"
LOCK = Path("dvc.lock")
PARSED = Path(".gazette/parsed")  # by the hash of their text, since parsing one takes up to half a second
MAX_PARSED = 500  # the newest stay


class StageChange(NamedTuple):
    """What differs between two entries of a stage: `kind` is command, param, dependency or output."""

    kind: str
    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class DvcLock:
    """The stages of `dvc.lock` at a commit, or of the working tree if `commit` is None."""

    commit: str | None
    stages: dict[str, Any]

    @property
    def place(self) -> str:
        """What a message calls the commit."""
        return self.commit[:9] if self.commit else WORKING_TREE

    def option(self, stage: str, name: str) -> str | None:
        """Return the value of a stage's option, a path or a word; None if the stage or the option does not exist."""
        entry = self.stages.get(stage)
        return cmdline.parse_options(entry["cmd"]).get(name) if entry else None

    def hash_of(self, path: str | None) -> str | None:
        """Return the hash of a path as an output or a dependency of any stage."""
        return (list_inputs(self.stages) | list_outputs(self.stages)).get(str(path))

    @property
    def corpus(self) -> str | None:
        """The corpus that the models were trained on."""
        description = self.option("validate", "description")
        return Path(description).stem if description else None

    @property
    def bundle(self) -> str | None:
        """The digest of the selected bundle."""
        return self.hash_of(self.option("select", "bundle"))

    def text(self, path: str) -> str | None:
        """Return the text of a file under git; None if it does not exist."""
        if self.commit:
            return git.show(self.commit, path)
        return Path(path).read_text(encoding="utf-8") if Path(path).is_file() else None

    def yaml(self, path: str) -> dict[str, Any]:
        """Return the content of a YAML file under git; empty if it does not exist."""
        return _parse(self.text(path), path)

    def params(self) -> dict[str, Any]:
        """Return the content of params.yaml with what the corpus's description sets in it."""
        params = self.yaml("params.yaml")
        return corpus_params.merge(params, self.yaml(str(corpus_params.description_path(params))))

    def without_left_overs(self) -> "DvcLock":
        """Return the lock without candidates that its `params.yaml` does not list, which DVC leaves in it."""
        params = self.yaml("params.yaml")
        stages = {name: entry for name, entry in self.stages.items() if not is_left_over(name, params)}
        return replace(self, stages=stages)

    def record(self, stage: str, name: str) -> dict[str, Any]:
        """Return the content of the JSON file that a stage's option names; empty if it does not exist."""
        path = self.option(stage, name)
        text = self.text(path) if path else None
        return dict(json.loads(text)) if text else {}


def load(commit: str | None) -> DvcLock:
    """Load the lock of a commit, or of the working tree; raises ConfigError if it is missing, empty or old."""
    if commit is None:
        if not LOCK.is_file():
            raise ConfigError(files.describe_missing(LOCK))
        if not (stages := parse_stages(LOCK.read_text(encoding="utf-8"))):
            raise ConfigError(f"{LOCK} here has no stages: `gazette run` restores them, or makes them")
        return DvcLock(None, stages)
    if (lock := load_or_none(commit)) is None or not lock.stages:
        raise ConfigError(f"there is no dvc.lock at {commit[:9]}, or it has no stages: no run was committed there")
    check_layout(lock)
    return lock


def check_layout(lock: DvcLock) -> None:
    """Raise ConfigError if an earlier version of Gazette recorded a commit's lock, with stages that this one lacks."""
    if "validate" in lock.stages and lock.option("validate", "validated") is None:
        revision = str(lock.commit)[:9]
        raise ConfigError(
            f"revision {revision} was recorded by an earlier version of Gazette and cannot be compared, traced or "
            f"promoted by this one: `gazette reproduce {revision}` runs it with its own code"
        )


def load_or_none(commit: str) -> DvcLock | None:
    """Load the lock of a commit; None if it has no `dvc.lock`."""
    text = git.show(commit, "dvc.lock")
    return None if text is None else DvcLock(commit, parse_stages(text))


def is_left_over(stage: str, params: Mapping[str, Any]) -> bool:
    """Tell whether a stage of a lock is that of a candidate that `params.yaml` does not list."""
    candidate = stage.partition("@")[2]
    known = {"candidates", "pretrained", "teachers"} <= params.keys()  # earlier versions had not all of them
    return bool(candidate) and known and candidate not in candidates.all_candidates(dict(params))


def list_outputs(stages: Mapping[str, Any]) -> dict[str, str]:
    """Return the hash of each output of a lock's stages, by path."""
    return {path: digest for stage in stages.values() for path, digest in list_hashes(stage, "outs").items()}


def list_inputs(stages: Mapping[str, Any]) -> dict[str, str]:
    """Return the hash of each dependency of a lock's stages, by path."""
    return {path: digest for stage in stages.values() for path, digest in list_hashes(stage, "deps").items()}


def list_hashes(stage: Mapping[str, Any], side: str) -> dict[str, str]:
    """Return the hash of each entry on a side of a stage, deps or outs, by path."""
    return {entry["path"]: str(entry.get("md5")) for entry in stage.get(side, [])}


def diff_stages(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[StageChange]:
    """Yield what differs between two entries of a stage; a param is called `seed`, or `other.yaml:seed`."""
    if before.get("cmd") != after.get("cmd"):
        yield StageChange("command", "", before.get("cmd"), after.get("cmd"))
    for change in flatten.diff(_params(before), _params(after)):
        yield StageChange("param", *change)
    for kind, side in (("dependency", "deps"), ("output", "outs")):
        for change in flatten.diff(list_hashes(before, side), list_hashes(after, side)):
            yield StageChange(kind, *change)


def _params(stage: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key if file == "params.yaml" else f"{file}:{key}": value
        for file, section in stage.get("params", {}).items()
        for key, value in section.items()
    }


def diff_values(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the values that differ: name, before, after; None if a side has none."""
    return [{"name": name, "before": old, "after": new} for name, old, new in flatten.diff(before, after)]


def _parse(text: str | None, where: str) -> dict[str, Any]:
    return files.parse_yaml(text, where) if text and text.strip() else {}


def parse_stages(text: str) -> dict[str, Any]:
    """Return the stages of a lock; the result is kept by the hash of its text."""
    cached = PARSED / f"{hashlib.sha256(text.encode()).hexdigest()}.json"
    if not cached.exists():
        stages = _parse(text, "dvc.lock").get("stages", {})
        atomic.write_text(cached, json.dumps(stages, default=str))  # so that types are the same, cached or not
        for old in sorted(cached.parent.glob("*.json"), key=lambda path: path.stat().st_mtime)[:-MAX_PARSED]:
            old.unlink(missing_ok=True)
    return dict(json.loads(cached.read_text(encoding="utf-8")))
