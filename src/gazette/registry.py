"""The registry: MLflow's runs, versions and aliases, at MLFLOW_TRACKING_URI or in `mlflow.db`.

A version is known by the digest of its bundle: registering the same bundle twice is once.
"""

import logging
import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow

DEFAULT = "sqlite:///mlflow.db"
CHALLENGER = "challenger"
_HERE = Path(__file__).parent
_SERVED_BY = ("mlflow", "numpy", "onnxruntime", "tokenizers")


@dataclass(frozen=True)
class Candidate:
    """What is told about a candidate: its numbers, its learning curve (a dict per epoch), its score on valid rows."""

    name: str
    params: dict[str, Any]
    curve: list[dict[str, float]]
    score: dict[str, float]


def connect() -> mlflow.MlflowClient:
    """A client of the registry that the environment names."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    mlflow.set_tracking_uri(os.environ.get("MLFLOW_TRACKING_URI", DEFAULT))
    return mlflow.MlflowClient()


def find(client: mlflow.MlflowClient, name: str, digest: str) -> str | None:
    """The version of `name` whose bundle has this digest; of several (two registered at once) the first."""
    found = client.search_model_versions(f"name = '{name}' and tags.digest = '{digest}'")
    return str(min(int(version.version) for version in found)) if found else None


def log(
    name: str, bundle: Path, selected: str, candidates: list[Candidate], metrics: dict[str, float], files: list[Path],
    tags: dict[str, str], examples: list[str],
) -> str:
    """Logs a run with one nested run per candidate and the bundle as a model; returns the model's address."""
    mlflow.set_experiment(name)
    with mlflow.start_run(run_name=selected, tags=tags):
        mlflow.log_metrics(metrics)
        for candidate in candidates:
            _log_candidate(candidate)
        for file in files:
            mlflow.log_artifact(str(file))
        model = mlflow.pyfunc.log_model(
            name="classifier",
            python_model=str(_HERE / "serving.py"),
            code_paths=[str(_HERE / "bundle.py")],
            artifacts={"bundle": str(bundle)},
            pip_requirements=[f"{package}=={version(package)}" for package in _SERVED_BY],
            input_example=examples,
        )
    return str(model.model_uri)


def _log_candidate(candidate: Candidate) -> None:
    with mlflow.start_run(run_name=candidate.name, nested=True):
        mlflow.log_params(candidate.params)
        mlflow.log_metrics({f"valid_{name}": value for name, value in candidate.score.items()})
        for row in candidate.curve:
            mlflow.log_metrics({name: value for name, value in row.items() if name != "epoch"}, step=int(row["epoch"]))


def register(client: mlflow.MlflowClient, name: str, address: str, digest: str, tags: dict[str, str], about: str) -> str:
    """Makes a version of the model at `address`; returns the one that holds this digest, should another come first."""
    made = mlflow.register_model(address, name, tags={**tags, "digest": digest})
    client.update_model_version(name, made.version, about)
    first = find(client, name, digest)
    if first is not None and first != str(made.version):
        client.delete_model_version(name, made.version)
        return first
    return str(made.version)


def challenge(client: mlflow.MlflowClient, name: str, version: str) -> None:
    """Moves the alias `challenger` to a version."""
    client.set_registered_model_alias(name, CHALLENGER, version)
