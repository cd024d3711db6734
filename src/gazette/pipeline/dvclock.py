"""The record of a revision: its `dvc.lock` and the files beside it, or those of the working tree."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gazette.core import atomic, files
from gazette.core.errors import ConfigError
from gazette.pipeline import cmdline, flatten, git

WORKING_TREE = "the working tree"
LOCK = Path("dvc.lock")
PARSED = Path(".gazette/parsed")  # by the hash of their text, since parsing one takes up to half a second


@dataclass(frozen=True)
class DvcLock:
    """The stages of `dvc.lock` at a commit, or of the working tree if `commit` is None."""

    commit: str | None
    stages: dict[str, Any]

    def option(self, stage: str, name: str) -> str | None:
        """Return the value of a stage's option, a path or a word; None if the stage or the option does not exist."""
        entry = self.stages.get(stage)
        return cmdline.parse_options(entry["cmd"]).get(name) if entry else None

    def hash_of(self, path: str | None) -> str | None:
        """Return the hash of a path as an output or a dependency of any stage."""
        entries = (entry for key in ("outs", "deps") for stage in self.stages.values() for entry in stage.get(key, []))
        return next((str(entry["md5"]) for entry in entries if entry["path"] == path), None)

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

    def record(self, stage: str, name: str) -> dict[str, Any]:
        """Return the content of the JSON file that a stage's option names; empty if it does not exist."""
        path = self.option(stage, name)
        text = self.text(path) if path else None
        return dict(json.loads(text)) if text else {}


def load(commit: str | None) -> DvcLock:
    """Load the lock of a commit, or of the working tree; raises ConfigError if there is none or it is old."""
    if commit is None:
        if not LOCK.is_file():
            raise ConfigError(f"{LOCK}: no such file in {Path.cwd()}")
        return DvcLock(None, parse_stages(LOCK.read_text(encoding="utf-8")))
    if (lock := load_or_none(commit)) is None:
        raise ConfigError(f"there is no dvc.lock at {commit[:9]}: no run was committed there")
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


def list_outputs(stages: Mapping[str, Any]) -> dict[str, str]:
    """Return the hash of each output of a lock's stages, by path."""
    return {out["path"]: str(out.get("md5")) for stage in stages.values() for out in stage.get("outs", [])}


def diff_values(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the values that differ: name, before, after; None if a side has none."""
    return [{"name": name, "before": old, "after": new} for name, old, new in flatten.diff(before, after)]


def _parse(text: str | None, where: str) -> dict[str, Any]:
    return files.parse_yaml(text, where) if text and text.strip() else {}


def _to_json(lock: dict[str, Any]) -> str:
    """Return the stages of a lock as JSON, whose types are the same whether it was cached or not."""
    return json.dumps(lock.get("stages", {}), default=str)


def parse_stages(text: str, root: Path = Path()) -> dict[str, Any]:
    """Return the stages of a lock; the result is kept by the hash of its text in the project at `root`."""
    cached = root / PARSED / f"{hashlib.sha256(text.encode()).hexdigest()}.json"
    if not cached.exists():
        atomic.write_text(cached, _to_json(_parse(text, "dvc.lock")))
    return dict(json.loads(cached.read_text(encoding="utf-8")))
