"""The registry: MLflow's runs, versions and aliases, at MLFLOW_TRACKING_URI or in `mlflow.db`.

A version is known by the digest of its bundle: registering the same bundle twice is once. A registry that does not
answer is asked again for a while; whatever is asked here may be asked twice.
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

import gazette.core.bundle
from gazette.core.errors import Misconfigured
from gazette.registry.store import address as registration
from gazette.registry.store.retry import REQUESTS, answering, steadily

CHALLENGER = "challenger"
FOLLOWED = "ledger"  # the tag of a name with the ledger's entry that its aliases follow
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
    """What the registry has under a name: versions by number, numbers by alias; nothing where the name is new.

    `followed` is the SHA-256 of the ledger's line that the aliases follow.
    """

    versions: dict[str, Version]
    aliases: dict[str, str]
    followed: str | None = None


def connect() -> mlflow.MlflowClient:
    """A client of the registry that the environment names."""
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    for name, value in REQUESTS.items():
        os.environ.setdefault(name, value)
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # it prints a page where a database is locked
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    mlflow.set_tracking_uri(registration.address())
    with answering():
        return mlflow.MlflowClient()


def find(client: mlflow.MlflowClient, name: str, digest: str) -> str | None:
    """The version of `name` whose bundle has this digest; of several (two registered at once) the first."""
    found = _with_digest(client, name, digest)
    return str(found[0]) if found else None


def single(client: mlflow.MlflowClient, name: str, digest: str) -> str | None:
    """The version with this digest, as `find` has it; others, which a lost answer or a race left, are deleted."""
    found = _with_digest(client, name, digest)
    for number in found[1:]:
        steadily(client.delete_model_version, name, str(number), besides="RESOURCE_DOES_NOT_EXIST")
    return str(found[0]) if found else None


def _with_digest(client: mlflow.MlflowClient, name: str, digest: str) -> list[int]:
    found = steadily(client.search_model_versions, f"name = '{name}' and tags.digest = '{digest}'")
    return sorted(int(version.version) for version in found or [])


@answering()
def log(run: Run, bundle: Path) -> mlflow.models.model.ModelInfo:
    """Logs a run with one nested run per candidate, and the bundle as a model that anyone can load."""
    # pyfunc.py looks there once it lies beside bundle.py; MLflow tries it now.
    sys.modules["bundle"] = gazette.core.bundle
    mlflow.set_experiment(run.experiment)
    with mlflow.start_run(run_name=run.name, tags=run.tags):
        mlflow.log_metrics(run.metrics)
        for candidate in run.candidates:
            _log_candidate(candidate)
        for file in run.files:
            mlflow.log_artifact(str(file))
        return mlflow.pyfunc.log_model(
            name="classifier",
            python_model=str(_HERE / "pyfunc.py"),
            code_paths=[gazette.core.bundle.__file__],
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
    """Makes a version of a logged model; returns the one that holds its digest, should another have come first.

    MLflow sends a request again whose answer was lost, so one call can make several versions: the first stays.
    """
    steadily(client.create_registered_model, name, besides="RESOURCE_ALREADY_EXISTS")
    steadily(
        client.create_model_version,
        name,
        model.model_uri,
        run_id=model.run_id,
        model_id=model.model_id,
        tags=tags,
        description=about,
    )
    number = single(client, name, tags["digest"])
    if number is None:
        raise Misconfigured(f"{name}: the version was deleted while it was registered; run the same command again")
    return number


def challenge(client: mlflow.MlflowClient, name: str, version: str) -> None:
    """Moves the alias `challenger` to a version."""
    point(client, name, CHALLENGER, version)


def point(client: mlflow.MlflowClient, name: str, alias: str, version: str | None) -> None:
    """Moves an alias to a version, or takes it away; a reader finds it where it was or where it is."""
    if version is None:
        steadily(client.delete_registered_model_alias, name, alias)
    else:
        steadily(client.set_registered_model_alias, name, alias, version)


def known(client: mlflow.MlflowClient, name: str) -> Known:
    """The versions and aliases of a name."""
    model = steadily(client.get_registered_model, name, besides="RESOURCE_DOES_NOT_EXIST")
    if model is None:
        return Known({}, {})
    found = steadily(client.search_model_versions, f"name = '{name}'") or []
    numbered = sorted(found, key=lambda version: int(version.version))
    versions = {str(one.version): Version(str(one.version), one.tags) for one in numbered}
    aliases = {alias: str(number) for alias, number in model.aliases.items()}
    return Known(versions, aliases, model.tags.get(FOLLOWED))


def follow(client: mlflow.MlflowClient, name: str, line: str) -> None:
    """Notes at a name which entry of the ledger, by SHA-256, its aliases follow."""
    steadily(client.set_registered_model_tag, name, FOLLOWED, line)


def download(version: str, to: Path) -> Path:
    """Brings the files of a version, `NAME/NUMBER`, into the folder `to`; where in it the bundle is."""
    address = f"models:/{version}/artifacts"
    here = steadily(mlflow.artifacts.download_artifacts, artifact_uri=address, dst_path=str(to))
    return next(Path(str(here)).rglob("bundle.json")).parent


def note_training(client: mlflow.MlflowClient, name: str, version: str, rows: dict[str, int]) -> None:
    """Notes at a version on how many rows of each class it was trained; `gazette score` compares with them."""
    mark(client, name, version, {TRAINED_ON: json.dumps(rows, ensure_ascii=False)})


def mark(client: mlflow.MlflowClient, name: str, version: str, tags: dict[str, str]) -> None:
    """Sets tags of a version."""
    for key, value in tags.items():
        steadily(client.set_model_version_tag, name, version, key, value)
