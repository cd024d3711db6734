"""What a run reads, in a tree that may be a fresh clone: from DVC's cache, its remote, or where the corpus is had."""

import sys
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

from gazette.core import candidates, corpus, files
from gazette.data import fetch
from gazette.data.paths import DESCRIPTIONS, PRETRAINED, RAW
from gazette.pipeline import storage
from gazette.pipeline.execution import run
from gazette.pipeline.recovery import guard

Hear = Callable[[str], object]


def bring(root: Path, hear: Hear) -> list[str]:
    """Brings what is missing in the tree, and says what could not be had; nothing that is there is touched.

    Outputs that are nowhere are left to the run, which makes them. Raises Misconfigured where raw data or an encoder
    are nowhere, BrokenContract where what was fetched is not what their pointer names.
    """
    missing = storage.missing(root)
    if not missing:
        return []
    remote = storage.remote(root)
    if remote:
        dvc(root, hear, "fetch", "--quiet", *missing)
    dvc(root, hear, "checkout", "--quiet", "--allow-missing", *missing)
    lacking = remote and storage.missing(root)  # DVC ends with 0 where a remote does not answer
    params = files.read_yaml(root / "params.yaml")
    name = str(params["corpus"])
    with chdir(root):
        if not (RAW / name).exists():
            hear(fetch.fetch(corpus.describe(DESCRIPTIONS / f"{name}.yaml").fetch, RAW / name))
        for encoder in candidates.encoders(params):
            if not (PRETRAINED / encoder).exists():
                hear(fetch.encoder(encoder))
    return [f"The DVC remote {remote} did not give all that dvc.lock names; the rest was made here."] if lacking else []


def dvc(root: Path, hear: Hear, *words: str, **extra: str) -> int:
    """The exit code of a `dvc` command in a tree; `extra` is added to its environment."""
    return guard.run([sys.executable, "-m", "dvc", *words], root, hear, run.environment(extra))
