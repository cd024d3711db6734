"""The registry: MLflow's runs, versions and aliases, at MLFLOW_TRACKING_URI or in `mlflow.db`.

A version is identified by the digest of its bundle: registering a bundle twice makes one version. Failing calls are
retried for a while, so every call is idempotent.
"""

import logging
import os
import sys
from contextlib import chdir
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
from mlflow.exceptions import MlflowException
from prefect_dvc.core.errors import ConfigError

import gazette.core.bundle
import gazette.core.token_ids
from gazette.registry.store import address, locations, probe
from gazette.registry.store.model import RegisteredModel, RegisteredVersion
from gazette.registry.store.retry import REQUESTS, call_with_retries, registry_errors, shown_address
from gazette.registry.store.runs import Candidate, Run, Split, log_inputs

CHALLENGER = "challenger"
FOLLOWED = "ledger"  # the tag of a name that holds the ledger entry its aliases follow
_SERVED_BY = ("mlflow", "numpy", "onnxruntime", "tokenizers")


def connect() -> mlflow.MlflowClient:
    """Return a client of the registry that the environment names; raises ConfigError if it does not answer."""
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"  # with the password in the server's address
    for name, value in REQUESTS.items():
        os.environ.setdefault(name, value)
    if address.database():  # an open connection may not see that a database was restored in its place
        os.environ.setdefault("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # it logs a page if a database is locked
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    uri = address.tracking_uri()
    mlflow.set_tracking_uri(uri)
    probe.check_answers(uri)
    address.check_place()
    with (
        registry_errors(),
        chdir(address.artifact_folder()),
    ):  # a database's files go below the one it is begun in
        if "'" in uri and address.database():
            from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

            SqlAlchemyStore(uri, Path(locations.ARTIFACTS).absolute().as_uri())  # MLflow's own SQL escapes no quote
        return mlflow.MlflowClient()


def deduplicate(client: mlflow.MlflowClient, name: str, digest: str) -> str | None:
    """Return the first version with this digest that has its files, and delete others that no alias names.

    Others are left by a lost answer, by a race, or by a tree that was removed with their files.
    """
    matches = call_with_retries(client.search_model_versions, f"name = '{name}' and tags.digest = '{digest}'") or []
    path = address.database()
    lost = locations.list_lost_versions(path) if path else []
    numbers = sorted((str(match.version) for match in matches if f"{name}/{match.version}" not in lost), key=int)
    others = {str(match.version) for match in matches} - set(numbers[:1])
    if numbers and others:
        model = call_with_retries(client.get_registered_model, name)
        others -= {str(number) for number in model.aliases.values()} if model else set()
    for number in sorted(others if numbers else ()):
        call_with_retries(client.delete_model_version, name, number, ignore="RESOURCE_DOES_NOT_EXIST")
    return numbers[0] if numbers else None


def open_experiment(client: mlflow.MlflowClient, name: str) -> str:
    """Return the id of an experiment, new if there is none; raises ConfigError if its files would not last."""
    if call_with_retries(client.get_experiment_by_name, name) is None:
        place = address.experiment_folder(name)
        call_with_retries(client.create_experiment, name, place, ignore="RESOURCE_ALREADY_EXISTS")
    experiment: Any = call_with_retries(client.get_experiment_by_name, name)
    if experiment.lifecycle_stage == "deleted":
        cure = f"`mlflow experiments restore --experiment-id {experiment.experiment_id}` brings it back"
        raise ConfigError(f"{shown_address()}: experiment {name} was deleted in MLflow; {cure}, then run this again")
    locations.check_lasting(name, experiment.artifact_location, address.artifact_folder())
    return str(experiment.experiment_id)


@registry_errors()
def log_run(run: Run, bundle: Path) -> mlflow.models.model.ModelInfo:
    """Log a run with one nested run per candidate, and the bundle as a model that anyone can load."""
    # pyfunc.py imports it from beside itself when a version is loaded; MLflow runs it here first.
    sys.modules["bundle"] = gazette.core.bundle
    open_experiment(mlflow.MlflowClient(), run.experiment)
    mlflow.set_experiment(run.experiment)
    with mlflow.start_run(run_name=run.name, tags=run.tags) as active:
        log_inputs(active.info.run_id, run.splits)
        for candidate in run.candidates:
            _log_candidate(candidate, run.splits)
        for file in run.files:
            mlflow.log_artifact(str(file))
        model = mlflow.pyfunc.log_model(
            name="classifier",
            python_model=str(Path(__file__).with_name("pyfunc.py")),
            code_paths=[gazette.core.bundle.__file__, gazette.core.token_ids.__file__],
            artifacts={"bundle": str(bundle)},
            pip_requirements=[f"{package}=={version(package)}" for package in _SERVED_BY],
            input_example=run.examples,
        )
        test = next((split.dataset() for split in run.splits if split.name == "test"), None)
        mlflow.log_metrics(run.metrics, model_id=model.model_id, dataset=test)
        return model


def _log_candidate(candidate: Candidate, splits: list[Split]) -> None:
    with mlflow.start_run(run_name=candidate.name, nested=True) as active:
        log_inputs(active.info.run_id, [split for split in splits if split.name != "test"])
        mlflow.log_params(candidate.params)
        mlflow.log_metrics({f"valid_{name}": value for name, value in candidate.score.items()})
        for row in candidate.curve:
            mlflow.log_metrics({name: value for name, value in row.items() if name != "epoch"}, step=int(row["epoch"]))


def create_version(
    client: mlflow.MlflowClient, name: str, model: mlflow.models.model.ModelInfo, tags: dict[str, str], about: str
) -> str:
    """Create a version of a logged model and return its number, or the one that another run registered first.

    MLflow repeats a request whose answer was lost, so one call can create several versions; the first one stays.
    """
    call_with_retries(client.create_registered_model, name, ignore="RESOURCE_ALREADY_EXISTS")
    ids = {"run_id": model.run_id, "model_id": model.model_id}
    call_with_retries(client.create_model_version, name, model.model_uri, **ids, tags=tags, description=about)
    number = deduplicate(client, name, tags["digest"])
    if number is None:
        raise ConfigError(
            f"{name}: no version with its files is left after registering, so somebody removed it or them meanwhile; "
            "`gazette doctor` names versions without files, and the same command registers again"
        )
    return number


def set_alias(client: mlflow.MlflowClient, name: str, alias: str, version: str | None) -> None:
    """Move an alias to a version, or delete it (None); readers see it either before or after the move."""
    if version is None:
        call_with_retries(client.delete_registered_model_alias, name, alias)
    else:
        call_with_retries(client.set_registered_model_alias, name, alias, version)


def get_model(client: mlflow.MlflowClient, name: str) -> RegisteredModel:
    """Return the versions and aliases of a name."""
    model = call_with_retries(client.get_registered_model, name, ignore="RESOURCE_DOES_NOT_EXIST")
    if model is None:
        return RegisteredModel({}, {})
    aliases = {alias: str(number) for alias, number in model.aliases.items()}
    versions = {}
    matches = call_with_retries(client.search_model_versions, f"name = '{name}'") or []
    for match in sorted(matches, key=lambda match: int(match.version)):
        number, tags = str(match.version), dict(sorted(match.tags.items()))
        versions[number] = RegisteredVersion(
            name=name,
            number=number,
            digest=tags.get("digest", ""),
            aliases=sorted(alias for alias, to in aliases.items() if to == number),
            tags=tags,
            run=match.run_id or "",
        )
    return RegisteredModel(versions, aliases, model.tags.get(FOLLOWED))


@registry_errors()
def find_version(client: mlflow.MlflowClient, name: str, alias: str, number: str | None) -> RegisteredVersion | None:
    """Return a version by number, or by alias if that is None; in one request, without retries."""
    try:
        version = client.get_model_version(name, number) if number else client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise
    tags = dict(version.tags)
    return RegisteredVersion(name, str(version.version), tags.get("digest", ""), [], tags, version.run_id or "")


def set_ledger_head(client: mlflow.MlflowClient, name: str, line: str) -> None:
    """Record at a name which ledger entry, by SHA-256, its aliases follow."""
    call_with_retries(client.set_registered_model_tag, name, FOLLOWED, line)


def download(version: str, to: Path) -> Path:
    """Download the files of a version, `NAME/NUMBER`, to a folder and return the bundle's place in it."""
    uri = f"models:/{version}/artifacts"
    folder = call_with_retries(mlflow.artifacts.download_artifacts, artifact_uri=uri, dst_path=str(to))
    return next(Path(str(folder)).rglob("bundle.json")).parent


def set_tags(client: mlflow.MlflowClient, name: str, version: str, tags: dict[str, str]) -> None:
    """Set tags of a version."""
    for key, value in tags.items():
        call_with_retries(client.set_model_version_tag, name, version, key, value)
