"""Removal of what runs made here, if it is recorded; corpora, the registry, DVC's cache and studies stay."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from prefect_dvc import graph
from prefect_dvc import state as bridge
from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.recovery import guard

from gazette.pipeline import recorded, state

STATE = ("charts", "data_docs", "fingerprints", "parsed", "challenger.json", "version.json")
BUNDLES = "bundles"
_DIGEST = re.compile(r"[0-9a-f]{32}(\.dir)?")


def clean(root: Path) -> list[Path]:
    """Remove the outputs of stages that DVC keeps, and local state that a run makes again; returns what.

    Raises ConfigError, and removes nothing, if a run is at work or the content of an output is recorded nowhere.
    """
    home = state.state_folder(root)
    with guard.without_runs(root):
        outputs = list(_outputs(root))
        if stranger := next((path for path in outputs if not recorded.is_recorded(path)), None):
            raise ConfigError(
                f"{stranger} is as neither dvc.lock nor DVC's cache has it, so nothing is removed; move it elsewhere, "
                "or `gazette run` makes it again"
            )
        paths = [*outputs, *_state(home)]
        for path in paths:
            atomic.remove(path)
        for folder in sorted({folder for path in outputs for folder in path.parents if folder != Path()}, reverse=True):
            with suppress(OSError):  # it has files
                folder.rmdir()
    return paths


def _outputs(root: Path) -> Iterator[Path]:
    """Yield the outputs, in the project, that are not for git."""
    with graph.open_repo(root) as repo:
        outs = [out for out in repo.index.outs if out.stage.cmd and (out.use_cache or out.persist)]
        paths = sorted(Path(out.fs_path) for out in outs if out.protocol == "local")
    top = root.absolute()
    yield from (path.relative_to(top) for path in paths if path.is_relative_to(top) and path.exists())


def _state(home: Path) -> Iterator[Path]:
    times = bridge.state_path(home.parent) / bridge.SECONDS
    yield from (path for path in (*(home / name for name in STATE), times) if path.exists())
    yield from (path for path in sorted((home / BUNDLES).glob("*")) if _DIGEST.fullmatch(path.name))
