"""What a revision records: its `dvc.lock` and the files beside it, or those of the tree as it is here."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from gazette import git, records, wiring
from gazette.errors import Misconfigured

HERE = "the tree here"
PARSED = Path(".gazette/parsed")  # by the hash of their text: parsing one takes half a second


@dataclass(frozen=True)
class State:
    """The stages of `dvc.lock` at a commit; without one, those of the tree here."""

    commit: str | None
    stages: dict[str, Any]

    def option(self, stage: str, name: str) -> str | None:
        """What a stage was given for an option, a path or a word; none where the stage or the option is not there."""
        entry = self.stages.get(stage)
        return wiring.options(entry["cmd"]).get(name) if entry else None

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


def at(commit: str | None) -> State:
    """What a commit records, or the tree here; raises Misconfigured where no run was recorded."""
    if commit is None:
        return State(None, dict(records.read_yaml(Path("dvc.lock"))["stages"]))
    text = git.file(commit, "dvc.lock")
    if text is None:
        raise Misconfigured(f"there is no dvc.lock at {commit[:9]}: no run was committed there")
    return State(commit, _parsed(text))


def history() -> list[str]:
    """The commits, of all branches, that changed `dvc.lock`, the oldest first."""
    return git.said("log", "--all", "--reverse", "--topo-order", "--format=%H", "--", "dvc.lock").split()


def leaves(value: Any, key: str = "") -> dict[str, Any]:
    """The values of nested mappings, each by its keys with dots between them."""
    if not isinstance(value, dict):
        return {key: value}
    return {
        name: leaf
        for inner, found in value.items()
        for name, leaf in leaves(found, f"{key}.{inner}".strip(".")).items()
    }


def differing(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """The values that differ: name, before, after; null where one side has none."""
    old, new = leaves(before), leaves(after)
    return [
        {"name": name, "before": old.get(name), "after": new.get(name)}
        for name in sorted(old | new)
        if old.get(name) != new.get(name)
    ]


def _parsed(text: str) -> dict[str, Any]:
    kept = PARSED / f"{hashlib.sha256(text.encode()).hexdigest()}.json"
    if not kept.exists():
        stages = (YAML(typ="safe", pure=True).load(text) or {}).get("stages", {})
        kept.parent.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(".partial")
        partial.write_text(json.dumps(stages), encoding="utf-8")
        partial.rename(kept)
    return dict(json.loads(kept.read_text(encoding="utf-8")))
