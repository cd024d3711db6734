"""The differences between two revisions besides the articles: code, packages, stages, committed metrics."""

import hashlib
import re
from typing import Any

from prefect_dvc import git
from prefect_dvc.core.escape import escape_path

from gazette.pipeline import dvclock
from gazette.pipeline.dvclock import DvcLock

CODE = ("src", "packages", "flows", "dvc.yaml")
PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", re.MULTILINE)
STATES = {"A": "added", "D": "deleted", "R": "renamed"}


def code_changes(before: DvcLock, after: DvcLock) -> list[dict[str, Any]]:
    """List the code files that differ: path, from (the old path of a renamed one), state, stages that run them.

    States are added, deleted, modified and renamed. An untracked file is added in the tree here.
    """
    commits = [side.commit for side in (before, after) if side.commit]
    changes = _parse_changes(
        git.list_names("diff", "--relative", "--find-renames", "--name-status", "-z", *commits, "--", *CODE)
    )
    if after.commit is None:
        untracked = git.list_names("ls-files", "--others", "--exclude-standard", "-z", "--", *CODE)
        changes += [["A", path] for path in untracked]
    return [
        {
            "path": escape_path(paths[-1]),
            "from": escape_path(paths[0]) if len(paths) == 2 else None,
            "state": STATES.get(state[0], "modified"),
            "stages": sorted({stage for path in paths for stage in _stages_running(path, before, after)}),
        }
        for state, *paths in sorted(changes, key=lambda change: change[-1])
    ]


def _parse_changes(words: list[str]) -> list[list[str]]:
    """Return state and path of each change; of a renamed file state, old and new path."""
    rest = iter(words)
    return [[state, *(next(rest) for _ in range(1 + state.startswith("R")))] for state in rest]


def _stages_running(path: str, *sides: DvcLock) -> set[str]:
    return {
        name
        for side in sides
        for name, stage in side.stages.items()
        for dep in stage.get("deps", [])
        if path == dep["path"] or path.startswith(dep["path"] + "/")
    }


def package_changes(before: DvcLock, after: DvcLock) -> list[dict[str, Any]]:
    """List the packages of `requirements.lock` that differ: name, before, after, and the stages they may affect."""
    old, new = (dict(PINNED.findall(side.text("requirements.lock") or "")) for side in (before, after))
    sections = [side.yaml("environment.yaml") for side in (before, after)]
    return [
        {
            "name": name,
            "before": old.get(name),
            "after": new.get(name),
            "stages": sorted({stage for section in sections for stage, pins in section.items() if name in pins}),
        }
        for name in sorted(old | new)
        if old.get(name) != new.get(name)
    ]


def stage_changes(before: DvcLock, after: DvcLock) -> list[dict[str, Any]]:
    """List the stages that had other inputs or made other outputs, with those that differ."""
    changes: list[dict[str, Any]] = []
    for name in sorted(before.stages | after.stages):
        old, new = before.stages.get(name), after.stages.get(name)
        if old is None or new is None:
            changes.append({"name": name, "state": "added" if old is None else "deleted", "inputs": [], "outputs": []})
            continue
        if differing := list(dvclock.diff_stages(old, new)):
            inputs = [change.name for change in differing if change.kind in ("param", "dependency")]
            outputs = [change.name for change in differing if change.kind == "output"]
            changes.append({"name": name, "state": "modified", "inputs": inputs, "outputs": outputs})
    return changes


def changed_outputs() -> list[str]:
    """List the outputs whose hash in `dvc.lock` here differs from the last commit's; empty if there is no commit."""
    if git.show_bytes("HEAD", dvclock.LOCK.name) == dvclock.LOCK.read_bytes():
        return []
    committed = dvclock.load_or_none("HEAD")
    before, after = (dvclock.list_outputs(side.stages) if side else {} for side in (committed, dvclock.load(None)))
    return sorted(path for path, digest in after.items() if before.get(path, digest) != digest)


def metric_changes(before: DvcLock, after: DvcLock) -> dict[str, Any]:
    """Return accuracy, macro-F1, calibration and rows as both revisions committed them, with their intervals."""
    return {"before": committed_metrics(before), "after": committed_metrics(after)}


def committed_metrics(side: DvcLock) -> dict[str, Any]:
    """Return the metrics of a revision, without those per class; empty if it has none."""
    return {key: value for key, value in side.record("evaluate", "metrics").items() if key != "classes"}


def list_unlocked_metrics(side: DvcLock) -> list[str]:
    """List the reports under git that differ from what `dvc.lock` recorded."""
    where = side.commit[:9] if side.commit else dvclock.WORKING_TREE
    mismatches = []
    for name, stage in side.stages.items():
        for out in stage.get("outs", []):
            text = side.text(out["path"]) if out["path"].startswith("reports/") and "." in out["path"] else None
            if text is not None and hashlib.md5(text.encode()).hexdigest() != out["md5"]:
                mismatches.append(f"{out['path']} at {where} is not the output of {name} that dvc.lock recorded")
    return mismatches
