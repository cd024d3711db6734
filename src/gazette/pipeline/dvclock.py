"""What a revision records: its `dvc.lock` and the files beside it, or those of the tree as it is here."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from gazette.core import atomic, files
from gazette.core.errors import Misconfigured
from gazette.pipeline import cmdline, flatten, git

HERE = "the tree here"
LOCK = Path("dvc.lock")
PARSED = Path(".gazette/parsed")  # by the hash of their text: parsing one takes half a second


@dataclass(frozen=True)
class State:
    """The stages of `dvc.lock` at a commit; without one, those of the tree here."""

    commit: str | None
    stages: dict[str, Any]

    def option(self, stage: str, name: str) -> str | None:
        """What a stage was given for an option, a path or a word; none where the stage or the option is not there."""
        entry = self.stages.get(stage)
        return cmdline.options(entry["cmd"]).get(name) if entry else None

    def hash_of(self, path: str | None) -> str | None:
        """The hash under which a path was made, or read."""
        entries = (entry for key in ("outs", "deps") for stage in self.stages.values() for entry in stage.get(key, []))
        return next((str(entry["md5"]) for entry in entries if entry["path"] == path), None)

    @property
    def corpus(self) -> str | None:
        """The corpus that was learned."""
        found = self.option("validate", "description")
        return Path(found).stem if found else None

    @property
    def bundle(self) -> str | None:
        """The digest of the selected bundle."""
        return self.hash_of(self.option("select", "bundle"))

    def text(self, path: str) -> str | None:
        """A file that git keeps, at the revision or here; none where it is not there."""
        if self.commit:
            return git.file(self.commit, path)
        return Path(path).read_text(encoding="utf-8") if Path(path).is_file() else None

    def yaml(self, path: str) -> dict[str, Any]:
        """A YAML file that git keeps; empty where it is not there."""
        text = self.text(path)
        return dict(YAML(typ="safe", pure=True).load(text) or {}) if text else {}

    def record(self, stage: str, name: str) -> dict[str, Any]:
        """The JSON file that a stage was given for an option, as git keeps it; empty where it is not there."""
        path = self.option(stage, name)
        text = self.text(path) if path else None
        return dict(json.loads(text)) if text else {}


def at(commit: str | None) -> State:
    """What a commit records, or the tree here; raises Misconfigured where no run was recorded."""
    if commit is None:
        return State(None, json.loads(_json(files.read_yaml(LOCK))))
    if (state := of(commit)) is None:
        raise Misconfigured(f"there is no dvc.lock at {commit[:9]}: no run was committed there")
    return state


def of(commit: str) -> State | None:
    """What a commit records; none where it has no `dvc.lock`."""
    text = git.file(commit, "dvc.lock")
    return None if text is None else State(commit, _parsed(text))


def outputs(stages: Mapping[str, Any]) -> dict[str, str]:
    """What the stages of a lock made: path to hash."""
    return {out["path"]: str(out.get("md5")) for stage in stages.values() for out in stage.get("outs", [])}


def differing(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """The values that differ: name, before, after; null where one side has none."""
    return [{"name": name, "before": old, "after": new} for name, old, new in flatten.differing(before, after)]


def _json(lock: dict[str, Any]) -> str:
    """The stages of a lock: those that were kept as JSON and those that were not are the same."""
    return json.dumps(lock.get("stages", {}), default=str)


def _parsed(text: str) -> dict[str, Any]:
    kept = PARSED / f"{hashlib.sha256(text.encode()).hexdigest()}.json"
    if not kept.exists():
        atomic.write(_json(YAML(typ="safe", pure=True).load(text) or {}), kept)
    return dict(json.loads(kept.read_text(encoding="utf-8")))
