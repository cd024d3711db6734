"""Bringing every stage up to date by DVC, in this process."""

import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prefect_dvc import dvc_errors, dvc_internals
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.dvc_internals import DvcException, MissingDataSource, Repo, ReproductionError
from prefect_dvc.execution import signals

FETCH = "bring it back with `dvc checkout`, `dvc pull` or, for a corpus with an address, `gazette corpus fetch`"


@dataclass(frozen=True)
class ReproResult:
    """The state of each stage, `ran` or `unchanged`, in the order of dvc.yaml; or why the run ended early."""

    states: dict[str, str] = field(default_factory=dict)
    code: int = 0  # the exit code of the stage that failed
    message: str = ""
    seconds: dict[str, float] = field(default_factory=dict)  # of each stage that ran, also in a run that ended early


def reproduce() -> ReproResult:
    """Bring every stage up to date, as `dvc repro` does, its output on this terminal.

    Raises ConfigError if DVC cannot start: another run holds its lock, or `dvc.yaml` is invalid.
    """
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    states: dict[str, str] = {}
    seconds: dict[str, float] = {}

    def reproduce_stage(stage: Any, **options: Any) -> Any:
        """Do what DVC does with each stage, in its order, and note the outcome; the graph is read once."""
        start = time.monotonic()
        result = dvc_internals.reproduce_stage(stage, **options)
        if not stage.is_data_source and Path(stage.path).is_relative_to(Path.cwd()):
            states[stage.addressing] = "ran" if result else "unchanged"
            seconds.update({stage.addressing: time.monotonic() - start} if result else {})
        return result

    try:
        with Repo() as repo:
            repo.reproduce(repro_fn=reproduce_stage)
    except ReproductionError as error:
        cause = error.__cause__
        code = signals.stage_exit_code(str(cause))
        why = f"{cause}; {FETCH}" if isinstance(cause, MissingDataSource) else str(cause)
        message = signals.append_signal(f"{error}: {why}", code)
        return ReproResult(code=code, message=message, seconds=seconds)
    except DvcException as error:
        raise ConfigError(f"DVC cannot run the stages: {dvc_errors.explain(error)}") from error
    return ReproResult(states, seconds=seconds)
