"""Stops a process at a named point of its code, so that it can be killed just there; loaded as `sitecustomize`.

GAZETTE_STOP_AT names the point, GAZETTE_STOP_IN a word of the command line of the process that is meant,
GAZETTE_STOP_FILE what is written once it is reached. No code of the pipeline knows of it: functions are replaced as
their module is imported.
"""

import importlib.abc
import importlib.util
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any


def stop() -> None:
    """Says that the point is reached, and waits to be killed."""
    Path(os.environ["GAZETTE_STOP_FILE"]).write_text(str(os.getpid()))
    os.kill(os.getpid(), signal.SIGSTOP)


def before(name: str, stage: str = "") -> Callable[[ModuleType], None]:
    """Stop when a function, or a stage's method, is called."""
    return _around(name, stage, lambda function, *args, **kwargs: (stop(), function(*args, **kwargs))[1])


def after(name: str, stage: str = "") -> Callable[[ModuleType], None]:
    """Stop when it has returned."""
    return _around(name, stage, lambda function, *args, **kwargs: (function(*args, **kwargs), stop())[0])


def cut(text: str, stream: Any, share: float = 0.5) -> None:
    """Writes the first part of a text, as a kill in the midst of it would leave it."""
    stream.write(text[: int(len(text) * share)])
    stream.flush()
    stop()


def _around(name: str, stage: str, wrap: Callable[..., Any]) -> Callable[[ModuleType], None]:
    def patch(module: ModuleType) -> None:
        *inside, last = name.split(".")
        owner = getattr(module, inside[0]) if inside else module
        function = getattr(owner, last)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if stage and stage not in (getattr(each, "addressing", "") for each in args):
                return function(*args, **kwargs)
            return wrap(function, *args, **kwargs)

        setattr(owner, last, wrapped)

    return patch


def _yaml_written(ending: str, share: float = 0.5) -> Callable[[ModuleType], None]:
    """Truncate `dvc.lock`, or an entry of the run cache, under its temporary name."""

    def patch(module: ModuleType) -> None:
        function = module._dump

        def dump(data: Any, stream: Any) -> None:
            if str(getattr(stream, "name", "")).endswith(ending):
                cut(module.dumps_yaml(data), stream, share)
            function(data, stream)

        module._dump = dump

    return patch


def _rwlock_written(module: ModuleType) -> None:
    def dump(data: dict[str, Any], stream: Any) -> None:
        if any("selection.json" in path for path in data.get("write", {})):  # while `select` is at work
            cut(json.dumps(data), stream)
        json.dump(data, stream)

    module.json = SimpleNamespace(**{**vars(json), "dump": dump})


def _second_output_unnamed(module: ModuleType) -> None:
    rename, renames = module.Path.rename, []

    def renamed(path: Path, target: Path) -> Path:
        if path.name.endswith(".partial"):
            renames.append(path)
        if len(renames) == 2:
            stop()
        return rename(path, target)

    module.Path.rename = renamed


# Name of the point: the module in which it is, and what is done to that.
POINTS: dict[str, tuple[str, Callable[[ModuleType], None]]] = {
    "before outputs are removed": ("dvc.stage", before("Stage.remove_outs", "select")),
    "outputs removed, command not begun": ("dvc.stage.run", before("cmd_run", "select")),
    "an output half-written": ("prefect_dvc.core.atomic", _second_output_unnamed),
    "finished, not hashed": ("dvc.stage", before("Stage.save", "select")),
    "hashed, not in the run cache": ("dvc.stage.cache", before("StageCache.save", "select")),
    "in the cache, not in the lock": ("dvc.stage", before("PipelineStage.dump", "select")),
    "inside the write of dvc.lock, empty": ("dvc.utils.serialize._yaml", _yaml_written("dvc.lock", share=0)),
    "inside the write of dvc.lock": ("dvc.utils.serialize._yaml", _yaml_written("dvc.lock")),
    "inside the write of a run cache entry": ("dvc.utils.serialize._yaml", _yaml_written(".tmp")),
    "inside the write of rwlock": ("dvc.rwlock", _rwlock_written),
    "after the lock": ("dvc.stage", after("PipelineStage.dump", "select")),
    "a run begun, nothing uploaded": ("gazette.registry.store.client", before("_log_candidate")),
    "uploaded without version": ("gazette.registry.store.client", before("create_version")),
    "version without alias": ("gazette.registry.store.client", before("set_alias")),
    "alias without receipt": ("gazette.registry.store.client", after("set_alias")),
}

WATCH_POINTS: dict[str, tuple[str, Callable[[ModuleType], None]]] = {
    "a training noted, not begun": ("gazette.monitoring.corrections", before("publish_answers")),
    "answers committed, not pushed": ("prefect_dvc.publishing.publish", before("push")),
    "answers pushed, not trained": ("gazette.monitoring.corrections", after("publish_answers")),
    "trained and pushed, not noted": ("prefect_dvc.publishing.publish", after("publish")),
    "judged, not noted": ("gazette.monitoring.challengers", after("judge_at")),
    "in the ledger, no alias moved": ("gazette.registry.ledger", after("append_entry")),
    "one alias moved": ("gazette.registry.store.client", after("set_alias")),
}


class Finder(importlib.abc.MetaPathFinder):
    """Finds the module of the point as it is always found, and patches it once it has run."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        module, patch = (POINTS | WATCH_POINTS)[os.environ["GAZETTE_STOP_AT"]]
        if name != module:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        assert spec is not None and spec.loader is not None
        execute = spec.loader.exec_module

        def run(loaded: ModuleType) -> None:
            execute(loaded)
            patch(loaded)

        spec.loader.exec_module = run  # type: ignore[method-assign]
        return spec


if os.environ.get("GAZETTE_STOP_IN", "\0") in sys.orig_argv:
    sys.meta_path.insert(0, Finder())
