"""What differs between two revisions outside the articles: code, packages, stages, metrics that were committed."""

import hashlib
import re
from typing import Any

from gazette.pipeline import dvclock, flatten, git
from gazette.pipeline.dvclock import State

CODE = ("src", "flows", "dvc.yaml")
PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", re.MULTILINE)
STATES = {"A": "added", "D": "deleted"}


def code(before: State, after: State) -> list[dict[str, Any]]:
    """Files of code that differ: path, state (added, deleted, modified) and the stages that run them.

    What is not under git is new in the tree here.
    """
    ends = [side.commit for side in (before, after) if side.commit]
    words = git.said("diff", "--relative", "--no-renames", "--name-status", *ends, "--", *CODE)
    found = [line.split("\t") for line in words.splitlines()]
    if after.commit is None:
        untracked = git.said("ls-files", "--others", "--exclude-standard", "--", *CODE).splitlines()
        found += [["A", path] for path in untracked]
    return [
        {"path": path, "state": STATES.get(state, "modified"), "stages": _running(path, before, after)}
        for state, path in sorted(found, key=lambda one: one[1])
    ]


def _running(path: str, *sides: State) -> list[str]:
    return sorted(
        {
            name
            for side in sides
            for name, stage in side.stages.items()
            for dep in stage.get("deps", [])
            if path == dep["path"] or path.startswith(dep["path"] + "/")
        }
    )


def packages(before: State, after: State) -> list[dict[str, Any]]:
    """Packages of `requirements.lock` that differ: name, before, after, and the stages whose bytes they can change."""
    old, new = (dict(PINNED.findall(side.text("requirements.lock") or "")) for side in (before, after))
    sections = [side.yaml("environment.yaml") for side in (before, after)]
    return [
        {
            "name": name,
            "before": old.get(name),
            "after": new.get(name),
            "stages": sorted({stage for section in sections for stage, held in section.items() if name in held}),
        }
        for name in sorted(old | new)
        if old.get(name) != new.get(name)
    ]


def stages(before: State, after: State) -> list[dict[str, Any]]:
    """Stages that were run on something else, or made something else: which inputs and outputs differ."""
    found: list[dict[str, Any]] = []
    for name in sorted(before.stages | after.stages):
        old, new = before.stages.get(name), after.stages.get(name)
        if old is None or new is None:
            found.append({"name": name, "state": "added" if old is None else "deleted", "inputs": [], "outputs": []})
            continue
        inputs = [*_paths("deps", old, new), *(name for name, *_ in flatten.differing(_params(old), _params(new)))]
        outputs = _paths("outs", old, new)
        if inputs or outputs or old["cmd"] != new["cmd"]:
            found.append({"name": name, "state": "modified", "inputs": inputs, "outputs": outputs})
    return found


def outputs() -> list[str]:
    """Outputs whose hash in `dvc.lock` here is not the one of the last commit's; none where there is no such commit."""
    committed = dvclock.of("HEAD")
    before, after = (dvclock.outputs(side.stages) if side else {} for side in (committed, dvclock.at(None)))
    return sorted(path for path, found in after.items() if before.get(path, found) != found)


def _params(stage: dict[str, Any]) -> dict[str, Any]:
    """The params of a stage, those of `params.yaml` by their own names, those of another file after its name."""
    held = stage.get("params", {})
    return {**held.get("params.yaml", {}), **{file: held[file] for file in held if file != "params.yaml"}}


def _paths(kind: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    one, two = ({entry["path"]: entry["md5"] for entry in stage.get(kind, [])} for stage in (old, new))
    return sorted(path for path in one | two if one.get(path) != two.get(path))


def metrics(before: State, after: State) -> dict[str, Any]:
    """Accuracy, macro-F1, calibration and rows as both revisions committed them, each with its interval."""
    return {"before": committed(before), "after": committed(after)}


def committed(side: State) -> dict[str, Any]:
    """The metrics of a revision, without the classes; empty where it has none."""
    return {key: value for key, value in side.record("evaluate", "metrics").items() if key != "classes"}


def not_as_locked(side: State) -> list[str]:
    """Figures under git that are not what `dvc.lock` says was made."""
    where = side.commit[:9] if side.commit else dvclock.HERE
    found = []
    for name, stage in side.stages.items():
        for out in stage.get("outs", []):
            text = side.text(out["path"]) if out["path"].startswith("reports/") and "." in out["path"] else None
            if text is not None and hashlib.md5(text.encode()).hexdigest() != out["md5"]:
                found.append(f"{out['path']} at {where} is not what {name} made, by dvc.lock")
    return found
