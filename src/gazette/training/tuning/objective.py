"""The objective of a study: trains a candidate with new values as `train` would, and scores it on valid; no bundle."""

import hashlib
import json
from pathlib import Path
from typing import Any

from prefect_dvc import hashing
from prefect_dvc.core.errors import ConfigError, parse

from gazette.core import corpus, files
from gazette.pipeline.imports import SOURCES, closure, name_of
from gazette.training.networks import learn, runtime
from gazette.training.networks.family import EpochCallback, load_family
from gazette.training.tuning.search_space import Range, with_values


class Objective:
    """The splits of a corpus, read once, and a candidate's section; called with values and a callback per epoch."""

    def __init__(self, candidate: str, model: dict[str, Any], shared: learn.Params, paths: dict[str, Path]) -> None:
        if missing := [str(path) for path in paths.values() if not path.exists()]:
            raise ConfigError(f"{', '.join(missing)}: missing; run `dvc repro preprocess` to create the splits")
        self.where, self.model, self.shared = f"params.yaml, section models.{candidate}", model, shared
        labels = corpus.read_description(paths["description"]).labels
        self.train, self.valid = (
            learn.read_split(paths[split], labels, shared.max_rows, shared.seed) for split in ("train", "valid")
        )

    def check(self, ranges: dict[str, Range]) -> None:
        """Raise ConfigError if an end of a range is not allowed for its key."""
        runtime.configure_tensorflow(self.shared.seed, self.shared.threads, self.shared.onednn)
        params = load_family(self.model["family"]).Params
        for key, space in ranges.items():
            for end in space.ends():
                where = f"{self.where} with {key} {end}, as its range allows"
                parse(params, with_values(self.model, {key: end}), where)

    def __call__(self, values: dict[str, Any], on_epoch: EpochCallback) -> dict[str, float]:
        """Return the score that stage `train` would write for these values."""
        runtime.configure_tensorflow(self.shared.seed, self.shared.threads, self.shared.onednn)
        section, seed = with_values(self.model, values), self.shared.seed
        learned = learn.train_candidate(section, self.where, self.train, self.valid, seed, on_epoch)
        return learn.validation_metrics(self.valid.labels, learned.probabilities, self.shared.resamples, seed)


def study_digest(model: dict[str, Any], ranges: dict[str, Any], shared: learn.Params, paths: dict[str, Path]) -> str:
    """Hash what a study's trials have in common: data, code, packages, ranges, and the fixed values."""
    code = sorted(closure(SOURCES["gazette"] / "training" / "networks" / "learn.py"))
    packages = Path("environment.yaml")
    facts = {
        "data": {name: hashing.hash_file(path) for name, path in paths.items()},
        "code": {name_of(path): hashing.hash_file(path) for path in code},
        "packages": files.read_yaml(packages).get("train") if packages.exists() else None,
        "fixed": with_values(model, dict.fromkeys(ranges)),
        "ranges": ranges,
        "shared": shared.model_dump(exclude={"export_tolerance"}),  # which changes no score
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
