"""The smoke test: load a version in a process without Gazette and TensorFlow, and compare with recorded predictions.

The articles are test rows of the version's own revision, for which `evaluate` recorded the bundle's predictions.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from prefect_dvc import hashing, revisions, supervisor
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.execution import signals
from pydantic import BaseModel, Field

from gazette.core import tables
from gazette.pipeline import dvclock, inheritance
from gazette.registry import clean_load
from gazette.registry.store import address
from gazette.registry.verdict import FAIL, PASS, Finding
from gazette.registry.versions import ResolvedModel


class Params(BaseModel, frozen=True, extra="forbid"):
    """The number of articles, the tolerance of their probabilities, and the budget for loading and predicting."""

    articles: int = Field(ge=1)
    tolerance: float = Field(gt=0, lt=0.01)
    seconds_to_load: float = Field(gt=0)
    milliseconds_per_article: float = Field(gt=0)
    megabytes: float = Field(gt=0)


@dataclass(frozen=True)
class Articles:
    """Texts, and the recorded probabilities, texts × labels."""

    texts: list[str]
    probabilities: list[list[float]]


def read_recorded(revision: str, count: int) -> Articles:
    """Read `count` evenly spaced test rows of a revision, with their predictions, from DVC's cache or remote.

    Raises ConfigError if they are not available, or if an earlier version of Gazette recorded the revision.
    """
    lock = dvclock.load(revision)
    paths = [str(lock.option("evaluate", name)) for name in ("test", "predictions")]
    with tempfile.TemporaryDirectory(prefix="gazette-") as folder:
        test, predictions = (
            tables.read_parquet(revisions.fetch_file(revision, path, Path(folder) / Path(path).name)) for path in paths
        )
    texts = test.select("file", "line", "text")
    joined = predictions.join(texts, on=["file", "line"], how="inner", maintain_order="left")
    if joined.height != predictions.height or not joined.height:
        raise ConfigError(f"{paths[1]} of {revision[:9]} has other rows than {paths[0]}")
    rows = joined[np.linspace(0, joined.height - 1, min(count, joined.height)).astype(int)]
    return Articles(rows["text"].to_list(), rows["probabilities"].to_list())


def run_smoke_test(params: Params, model: ResolvedModel, known: Articles) -> list[Finding]:
    """Load the version in a clean process and check its predictions, its imports and its costs.

    Raises ConfigError if the registry does not provide the version.
    """
    labels = json.loads((model.folder / "bundle.json").read_text(encoding="utf-8"))["labels"]
    version = f"{model.name}/{model.version}"
    with tempfile.TemporaryDirectory(prefix="gazette-") as folder:
        request = {"registry": address.tracking_uri(), "version": version, "folder": folder, "texts": known.texts}
        # Isolated: without the current folder, PYTHONPATH and the user's packages.
        command = [sys.executable, "-I", str(Path(clean_load.__file__).absolute())]
        done = supervisor.capture(command, inheritance.inherited(), stdin=json.dumps(request))
        digest = next((hashing.dvc_hash(path.parent) for path in Path(folder).rglob("bundle.json")), "none")
        if done.returncode and digest != model.digest:
            raise ConfigError(f"the registry did not provide {version} to a clean process:\n{_end(done.stderr)}")
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6
    findings = [
        Finding("digest", _outcome(digest == model.digest), digest, model.digest),
        _at_most("megabytes", size, params.megabytes),
    ]
    if done.returncode:
        how = signals.explain_exit(done.returncode) or f"exit code {done.returncode}"
        return [*findings, Finding("loads", FAIL, how, "0", _end(done.stderr))]
    return findings + check_answers(params, json.loads(done.stdout), known, labels)


def check_answers(params: Params, result: dict[str, Any], known: Articles, labels: Sequence[str]) -> list[Finding]:
    """Check the result of a clean process against the recorded predictions and the budget; pure."""
    forbidden = sorted(set(result["imported"]) & set(clean_load.FORBIDDEN))
    answers = [[answer["probabilities"].get(label, np.nan) for label in labels] for answer in result["answers"]]
    same_shape = np.shape(answers) == np.shape(known.probabilities)
    error = float(np.abs(np.subtract(answers, known.probabilities)).max()) if same_shape else float("nan")
    limit = f"at most {params.tolerance}"
    return [
        Finding("imports", _outcome(not forbidden), forbidden, [], "packages that a consumer may not have"),
        Finding("known articles", _outcome(error <= params.tolerance), str(error), limit),
        _at_most("seconds to load", result["seconds_to_load"], params.seconds_to_load),
        _at_most("milliseconds per article", result["milliseconds_per_article"], params.milliseconds_per_article),
    ]


def _at_most(rule: str, observed: float, limit: float) -> Finding:
    return Finding(rule, _outcome(observed <= limit), round(observed, 3), f"at most {limit:g}")


def _outcome(passed: bool) -> str:
    return PASS if passed else FAIL


def _end(stderr: str) -> str:
    return "\n".join(stderr.strip().splitlines()[-5:])
