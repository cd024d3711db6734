"""Fetch what a run reads, in a tree that may be a fresh clone: from DVC's cache, its remote, or the corpus's source."""

import sys
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

from prefect_dvc import remote, storage
from prefect_dvc.environment import child_environment
from prefect_dvc.recovery import guard

from gazette.core import candidates, corpus, files
from gazette.data import fetch
from gazette.data.paths import DESCRIPTIONS, PRETRAINED, RAW

OnLine = Callable[[str], object]


def fetch_inputs(root: Path, on_line: OnLine) -> list[str]:
    """Fetch what is missing in the tree and leave what exists alone; returns a note if the remote lacked something.

    Missing outputs are left to the run, which makes them. Raises ConfigError if raw data or an encoder cannot be found
    anywhere, DataContractError if the fetched files differ from their pointer.
    """
    missing = storage.list_missing(root)
    if not missing:
        return []
    name, problem = storage.default_remote(root), remote.describe_problem(root)
    if problem:
        on_line(problem)
    elif name:
        run_dvc(root, on_line, "fetch", "--quiet", *missing)
    run_dvc(root, on_line, "checkout", "--quiet", "--allow-missing", *missing)
    incomplete = name and storage.list_missing(root)  # DVC exits with 0 if a remote does not answer
    params = files.read_yaml(root / "params.yaml")
    chosen = str(params["corpus"])
    with chdir(root):
        if not (RAW / chosen).exists():
            on_line(fetch.fetch_corpus(corpus.read_description(DESCRIPTIONS / f"{chosen}.yaml").fetch, RAW / chosen))
        for encoder in candidates.list_encoders(params):
            if not (PRETRAINED / encoder).exists():
                on_line(fetch.fetch_encoder(encoder))
    return [f"The DVC remote {name} lacks some of what dvc.lock names; the rest was made here."] if incomplete else []


def run_dvc(root: Path, on_line: OnLine, *words: str, **extra: str) -> int:
    """Run a `dvc` command in a tree and return its exit code; `extra` is added to its environment."""
    return guard.run_command([sys.executable, "-m", "dvc", *words], root, on_line, child_environment(extra, root))


def tee(lines: list[str], on_line: OnLine) -> OnLine:
    """Return a callback that adds each line to `lines` and passes it on."""

    def add(line: str) -> None:
        lines.append(line)
        on_line(line)

    return add
