"""One try: a model's section with other values, learned as `train` would and judged on the valid rows; no bundle."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from gazette.core import corpus, files
from gazette.core.errors import Misconfigured, parse
from gazette.pipeline import hashing
from gazette.pipeline.imports import SOURCE, closure
from gazette.training.networks import learn, runtime
from gazette.training.tuning.search_space import Range, changed

Watch = Callable[[dict[str, float]], None]


class Shared(BaseModel, frozen=True):
    """Of section `train`, what changes the score of a candidate."""

    seed: int = Field(ge=0)
    threads: int = Field(ge=1)
    onednn: bool
    resamples: int = Field(ge=100, le=100_000)


class Trying:
    """The rows of a corpus, read once, and a candidate's section; called with values and who watches the epochs."""

    def __init__(self, candidate: str, model: dict[str, Any], shared: Shared, paths: dict[str, Path]) -> None:
        if missing := [str(path) for path in paths.values() if not path.exists()]:
            raise Misconfigured(f"{', '.join(missing)}: not there; `dvc repro preprocess` makes what is tuned on")
        self.where, self.model, self.shared = f"params.yaml, section models.{candidate}", model, shared
        self.labels = corpus.describe(paths["description"]).labels
        self.train, self.valid = (learn.read(paths[split], self.labels) for split in ("train", "valid"))

    def check(self, ranges: dict[str, Range]) -> None:
        """Raises Misconfigured where a value within the ranges is not one for its key."""
        runtime.start(self.shared.seed, self.shared.threads, self.shared.onednn)
        from gazette.training.networks.family import load_family

        params = load_family(self.model["family"]).Params
        for key, one in ranges.items():
            for end in one.ends():
                parse(params, changed(self.model, {key: end}), f"{self.where} with {key} {end}, as its range allows")

    def __call__(self, values: dict[str, Any], watch: Watch) -> dict[str, float]:
        """The figures that stage `train` would write for these values."""
        runtime.start(self.shared.seed, self.shared.threads, self.shared.onednn)
        section, seed = changed(self.model, values), self.shared.seed
        learned = learn.learn(section, self.where, self.train, self.valid, len(self.labels), seed, watch)
        return learn.figures(self.valid.labels, learned.probabilities, self.shared.resamples, seed)


def digest(model: dict[str, Any], ranges: dict[str, Any], shared: Shared, paths: dict[str, Path]) -> str:
    """What a study's trials have in common: data, code, packages, ranges, and the numbers that no range varies."""
    code = sorted(closure(SOURCE / "training" / "networks" / "learn.py"))
    packages = Path("environment.yaml")
    facts = {
        "data": {name: hashing.of_file(path) for name, path in paths.items()},
        "code": {path.relative_to(SOURCE).as_posix(): hashing.of_file(path) for path in code},
        "packages": files.read_yaml(packages).get("train") if packages.exists() else None,
        "fixed": changed(model, dict.fromkeys(ranges)),
        "ranges": ranges,
        "shared": shared.model_dump(),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
