"""What differs between two records of a revision, without git."""

import json
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any

from gazette.evaluation.diff import changes
from gazette.pipeline.dvclock import DvcLock


@dataclass(frozen=True)
class Side(DvcLock):
    """A record whose files are texts by path."""

    files: dict[str, str] = field(default_factory=dict)

    def text(self, path: str) -> str | None:
        return self.files.get(path)


def side(stages: dict[str, Any] | None = None, commit: str | None = None, **files: str) -> Side:
    named = {name.replace("__", "/").replace("_", "."): text for name, text in files.items()}
    return Side(commit, stages or {}, named)


def stage(deps: dict[str, str], outs: dict[str, str], **params: dict[str, Any]) -> dict[str, Any]:
    kinds = {"deps": deps, "outs": outs}
    listed = {kind: [{"path": path, "md5": hash_} for path, hash_ in paths.items()] for kind, paths in kinds.items()}
    return {"cmd": "run", **listed, "params": {name.replace("_", "."): values for name, values in params.items()}}


def test_packages_that_differ_have_both_versions_and_the_stages_that_use_them() -> None:
    before = side(
        requirements_lock="keras==3.1 \\\n    --hash=x\nnumpy==2.0 ; python_version < '4'\nold.one==1\n# numpy==9\n",
        environment_yaml="train: {keras: '3.1', old.one: '1'}\nvalidate: {numpy: '2.0'}\n",
    )
    after = side(
        requirements_lock="keras==3.2 \\\n    --hash=x\nnumpy==2.0\nnew-one==2\n",
        environment_yaml="train: {keras: '3.2'}\nevaluate: {keras: '3.2', new-one: '2'}\n",
    )
    assert changes.package_changes(before, after) == [
        {"name": "keras", "before": "3.1", "after": "3.2", "stages": ["evaluate", "train"]},
        {"name": "new-one", "before": None, "after": "2", "stages": ["evaluate"]},
        {"name": "old.one", "before": "1", "after": None, "stages": ["train"]},
    ]
    assert changes.package_changes(side(), side()) == []


def test_a_stage_names_the_inputs_and_outputs_that_differ() -> None:
    old = stage(
        {"a": "1", "b": "1", "gone": "1"}, {"x": "1", "y": "1"}, params_yaml={"k": 1, "m": 2}, env_yaml={"v": 1}
    )
    new = stage({"a": "1", "b": "2", "new": "1"}, {"x": "2", "y": "1"}, params_yaml={"k": 1, "m": 3}, env_yaml={"v": 2})
    assert changes.stage_changes(side({"train": old}), side({"train": new})) == [
        {"name": "train", "state": "modified", "inputs": ["env.yaml:v", "m", "b", "gone", "new"], "outputs": ["x"]}
    ]
    assert changes.stage_changes(side({"train": old}), side({"train": old})) == []


def test_a_stage_of_another_command_is_modified_though_nothing_else_differs() -> None:
    old = stage({"a": "1"}, {"x": "1"})
    (change,) = changes.stage_changes(side({"train": old}), side({"train": old | {"cmd": "run --fast"}}))
    assert change == {"name": "train", "state": "modified", "inputs": [], "outputs": []}
    only = stage({"a": "1"}, {"x": "2"})
    assert changes.stage_changes(side({"train": old}), side({"train": only}))[0]["outputs"] == ["x"]
    only = stage({"a": "2"}, {"x": "1"})
    assert changes.stage_changes(side({"train": old}), side({"train": only}))[0]["inputs"] == ["a"]


def test_stages_that_come_and_go_are_listed_by_name() -> None:
    some = stage({}, {})
    assert changes.stage_changes(side({"b": some, "c": some}), side({"a": some, "c": some})) == [
        {"name": "a", "state": "added", "inputs": [], "outputs": []},
        {"name": "b", "state": "deleted", "inputs": [], "outputs": []},
    ]


def test_committed_metrics_are_those_without_the_classes() -> None:
    evaluate = {"evaluate": stage({}, {}) | {"cmd": "gazette evaluate --metrics reports/metrics.json"}}
    figures = {"accuracy": 0.9, "classes": {"a": 1}, "rows": 7}
    before = side(evaluate, reports__metrics_json=json.dumps(figures))
    assert changes.metric_changes(before, side()) == {"before": {"accuracy": 0.9, "rows": 7}, "after": {}}


def test_a_report_that_is_not_what_its_stage_made_is_named_with_its_revision() -> None:
    good = md5(b"1").hexdigest()
    stages = {
        "evaluate": stage({}, {"reports/a.json": good, "reports/b.json": good, "reports/c.json": good}),
        "train": stage({}, {"reports/plots": good, "data/d.json": good}),
    }
    files = {"reports__a_json": "1", "reports__b_json": "2", "reports__plots": "2", "data__d_json": "2"}
    end = "is not the output of evaluate that dvc.lock recorded"
    assert changes.list_unlocked_metrics(side(stages, **files)) == [f"reports/b.json at the working tree {end}"]
    assert changes.list_unlocked_metrics(side(stages, "0123456789ab", **files)) == [
        f"reports/b.json at 012345678 {end}"
    ]
