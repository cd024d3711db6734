"""The registry: MLflow's runs, versions and aliases, at MLFLOW_TRACKING_URI or in `mlflow.db`.

A version is known by the digest of its bundle: registering the same bundle twice is once.
"""

import json
import logging
import os
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow

import gazette.bundle
from gazette import registration

CHALLENGER = "challenger"
TRAINED_ON = "trained_on"  # the tag with the classes and their rows in training
_HERE = Path(__file__).parent
_SERVED_BY = ("mlflow", "numpy", "onnxruntime", "tokenizers")


@dataclass(frozen=True)
class Candidate:
    """What is told about a candidate: its numbers, its learning curve (a dict per epoch), its score."""

    name: str
    params: dict[str, Any]
    curve: list[dict[str, float]]
    score: dict[str, float]


@dataclass(frozen=True)
class Run:
    """What is told about a run: its candidates, the metrics of the selected one, what made it, files to keep."""

    experiment: str
    name: str
    candidates: list[Candidate]
    metrics: dict[str, float]
    tags: dict[str, str]
    files: list[Path]
    examples: list[str]


@dataclass(frozen=True)
class Version:
    """A version by its number, with its tags."""

    number: str
    tags: dict[str, str]


@dataclass(frozen=True)
class Known:
    """What the registry has under a name: versions by number, numbers by alias; nothing where the name is new."""

    versions: dict[str, Version]
    aliases: dict[str, str]


def connect() -> mlflow.MlflowClient:
    """A client of the registry that the environment names."""
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    mlflow.set_tracking_uri(registration.address())
    return mlflow.MlflowClient()


def find(client: mlflow.MlflowClient, name: str, digest: str) -> str | None:
    """The version of `name` whose bundle has this digest; of several (two registered at once) the first."""
    found = client.search_model_versions(f"name = '{name}' and tags.digest = '{digest}'")
    return str(min(int(version.version) for version in found)) if found else None


def log(run: Run, bundle: Path) -> mlflow.models.model.ModelInfo:
    """Logs a run with one nested run per candidate, and the bundle as a model that anyone can load."""
    sys.modules["bundle"] = gazette.bundle  # where serving.py looks, once it lies beside bundle.py; MLflow tries it now
    mlflow.set_experiment(run.experiment)
    with mlflow.start_run(run_name=run.name, tags=run.tags):
        mlflow.log_metrics(run.metrics)
        for candidate in run.candidates:
            _log_candidate(candidate)
        for file in run.files:
            mlflow.log_artifact(str(file))
        return mlflow.pyfunc.log_model(
            name="classifier",
            python_model=str(_HERE / "serving.py"),
            code_paths=[str(_HERE / "bundle.py")],
            artifacts={"bundle": str(bundle)},
            pip_requirements=[f"{package}=={version(package)}" for package in _SERVED_BY],
            input_example=run.examples,
        )


def _log_candidate(candidate: Candidate) -> None:
    with mlflow.start_run(run_name=candidate.name, nested=True):
        mlflow.log_params(candidate.params)
        mlflow.log_metrics({f"valid_{name}": value for name, value in candidate.score.items()})
        for row in candidate.curve:
            mlflow.log_metrics({name: value for name, value in row.items() if name != "epoch"}, step=int(row["epoch"]))


def register(
    client: mlflow.MlflowClient, name: str, model: mlflow.models.model.ModelInfo, tags: dict[str, str], about: str
) -> str:
    """Makes a version of a logged model; returns the one that holds its digest, should another have come first."""
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    made = client.create_model_version(
        name, model.model_uri, run_id=model.run_id, model_id=model.model_id, tags=tags, description=about
    )
    first = find(client, name, tags["digest"])
    if first is not None and first != str(made.version):
        client.delete_model_version(name, made.version)
        return first
    return str(made.version)


def challenge(client: mlflow.MlflowClient, name: str, version: str) -> None:
    """Moves the alias `challenger` to a version."""
    client.set_registered_model_alias(name, CHALLENGER, version)


def known(client: mlflow.MlflowClient, name: str) -> Known:
    """The versions and aliases of a name."""
    if not client.search_registered_models(f"name = '{name}'"):
        return Known({}, {})
    found = sorted(client.search_model_versions(f"name = '{name}'"), key=lambda version: int(version.version))
    versions = {str(one.version): Version(str(one.version), one.tags) for one in found}
    aliases = client.get_registered_model(name).aliases
    return Known(versions, {alias: str(number) for alias, number in aliases.items()})


def download(version: str, to: Path) -> Path:
    """Brings the files of a version, `NAME/NUMBER`, into the folder `to`; where in it the bundle is."""
    here = mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{version}/artifacts", dst_path=str(to))
    return next(Path(here).rglob("bundle.json")).parent


def note_training(client: mlflow.MlflowClient, name: str, version: str, rows: dict[str, int]) -> None:
    """Notes at a version on how many rows of each class it was trained; `gazette score` compares with them."""
    client.set_model_version_tag(name, version, TRAINED_ON, json.dumps(rows, ensure_ascii=False))
