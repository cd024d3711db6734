"""Probation: a version loaded as anyone would, in a process without Gazette and TensorFlow, on articles that it knows.

The articles are test rows of the version's own revision, where `evaluate` recorded what the bundle said of them.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from pydantic import BaseModel, Field

from gazette.core.errors import Misconfigured
from gazette.pipeline import dvclock, hashing, revisions
from gazette.registry import clean_load, resolve
from gazette.registry.store import address
from gazette.registry.verdict import FAIL, PASS, Finding
from gazette.registry.versions import Model


class Params(BaseModel, frozen=True, extra="forbid"):
    """How many articles are asked, how near the answers must be, and what loading and answering may cost."""

    articles: int = Field(ge=1)
    tolerance: float = Field(gt=0, lt=0.01)
    seconds_to_load: float = Field(gt=0)
    milliseconds_per_article: float = Field(gt=0)
    megabytes: float = Field(gt=0)


@dataclass(frozen=True)
class Recorded:
    """Where a revision has its test rows and what the bundle said of them."""

    revision: str
    test: str
    predictions: str


@dataclass(frozen=True)
class Articles:
    """Texts, and the probabilities recorded for each, texts × labels."""

    texts: list[str]
    probabilities: list[list[float]]


def revision(model: Model) -> str:
    """The revision of a model; raises Misconfigured where it has none."""
    for commit in resolve.revisions(model.digest):
        return commit
    raise Misconfigured(
        f"{model.asked} has no revision: no commit of a branch has a dvc.lock in which its bundle ({model.digest}) is "
        "the one that was selected. Commit the dvc.lock of the run that made it (`git commit -am …`)"
    )


def recorded(commit: str) -> Recorded:
    """What a revision recorded."""
    state = dvclock.at(commit)
    return Recorded(commit, *(str(state.option("evaluate", name)) for name in ("test", "predictions")))


def articles(found: Recorded, count: int) -> Articles:
    """So many test rows of a revision, evenly spread, from DVC's cache or remote; they stay in memory."""
    with tempfile.TemporaryDirectory(prefix="gazette-") as box:
        tables = []
        for path in (found.test, found.predictions):
            revisions.fetch(found.revision, path, Path(box) / Path(path).name)
            tables.append(pl.read_parquet(Path(box) / Path(path).name))
    texts, said = tables
    both = said.join(texts.select("file", "line", "text"), on=["file", "line"], how="inner", maintain_order="left")
    if both.height != said.height or not both.height:
        raise Misconfigured(f"{found.predictions} of {found.revision[:9]} is of other rows than {found.test}")
    rows = both[np.linspace(0, both.height - 1, min(count, both.height)).astype(int)]
    return Articles(rows["text"].to_list(), rows["probabilities"].to_list())


def undergo(params: Params, model: Model, known: Articles) -> list[Finding]:
    """Loads the version in a clean process and holds it to what is known and to the budget.

    Raises Misconfigured where the registry does not give the version.
    """
    labels = json.loads((model.folder / "bundle.json").read_text(encoding="utf-8"))["labels"]
    with tempfile.TemporaryDirectory(prefix="gazette-") as box:
        asked = {
            "registry": address.address(),
            "version": f"{model.name}/{model.version}",
            "folder": box,
            "texts": known.texts,
        }
        done = _clean(asked)
        digest = next((hashing.of_bundle(path.parent) for path in Path(box).rglob("bundle.json")), "none")
        if done.returncode and digest != model.digest:
            raise Misconfigured(
                f"the registry did not give {asked['version']} to a clean process:\n{_end(done.stderr)}"
            )
        size = sum(path.stat().st_size for path in Path(box).rglob("*") if path.is_file()) / 1e6
    checks = [Finding("digest", True, _outcome(digest == model.digest), digest, model.digest)]
    checks.append(_below("megabytes", size, params.megabytes))
    if done.returncode:
        return [*checks, Finding("loads", True, FAIL, f"exit code {done.returncode}", "0", _end(done.stderr))]
    return checks + verdicts(params, json.loads(done.stdout), known, labels)


def verdicts(params: Params, said: dict[str, Any], known: Articles, labels: Sequence[str]) -> list[Finding]:
    """What a clean process said, held to what is known and to the budget; pure."""
    foreign = sorted(set(said["imported"]) & set(clean_load.FORBIDDEN))
    answers = [[answer["probabilities"].get(label, np.nan) for label in labels] for answer in said["answers"]]
    same_shape = np.shape(answers) == np.shape(known.probabilities)
    apart = float(np.abs(np.subtract(answers, known.probabilities)).max()) if same_shape else float("nan")
    near = Finding(
        "known articles", True, _outcome(apart <= params.tolerance), str(apart), f"at most {params.tolerance}"
    )
    return [
        Finding("imports", True, _outcome(not foreign), foreign, [], "packages that a consumer need not have"),
        near,
        _below("seconds to load", said["seconds_to_load"], params.seconds_to_load),
        _below("milliseconds per article", said["milliseconds_per_article"], params.milliseconds_per_article),
    ]


def _clean(asked: dict[str, Any]) -> "subprocess.CompletedProcess[str]":
    """A process with Python's own path alone: no current folder, no PYTHONPATH, no user's packages."""
    return subprocess.run(
        [sys.executable, "-I", str(Path(clean_load.__file__).absolute())],
        input=json.dumps(asked),
        env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def _below(rule: str, observed: float, most: float) -> Finding:
    return Finding(rule, True, _outcome(observed <= most), round(observed, 3), f"at most {most:g}")


def _outcome(passed: bool) -> str:
    return PASS if passed else FAIL


def _end(stderr: str) -> str:
    return "\n".join(stderr.strip().splitlines()[-5:])
