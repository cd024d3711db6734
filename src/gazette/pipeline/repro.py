"""Bringing every stage up to date by DVC, in this process."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from dvc.exceptions import DvcException, ReproductionError
from dvc.repo import Repo

from gazette.core.errors import ConfigError
from gazette.pipeline import graph
from gazette.pipeline.execution import signals
from gazette.pipeline.execution.run import stage_exit_code


@dataclass(frozen=True)
class ReproResult:
    """The state of each stage, `ran` or `unchanged`, in the order of dvc.yaml; or why the run ended early."""

    states: dict[str, str] = field(default_factory=dict)
    code: int = 0  # the exit code of the stage that failed
    message: str = ""


def reproduce() -> ReproResult:
    """Bring every stage up to date, as `dvc repro` does, its output on this terminal.

    Raises ConfigError if DVC cannot start: another run holds its lock, or `dvc.yaml` is invalid.
    """
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    try:
        with Repo() as repo:
            names = [stage.addressing for stage in graph.own_stages(repo)]
            ran = {stage.addressing for stage in repo.reproduce()}
    except ReproductionError as error:
        cause = error.__cause__
        code = stage_exit_code(str(cause))
        return ReproResult(code=code, message=signals.append_signal(f"{error}: {cause}", code))
    except DvcException as error:
        raise ConfigError(f"DVC cannot run the stages: {error}") from error
    return ReproResult({name: "ran" if name in ran else "unchanged" for name in names})
