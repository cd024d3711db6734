"""What a registry and this machine may forget: versions, runs and downloaded bundles that are old and nobody needs."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect_dvc.core import atomic

from gazette.core import bundle_folder
from gazette.pipeline import ownership
from gazette.registry import ledger, resolve, versions
from gazette.registry.store import address

MODEL = "models:/m-"  # how the source of a version begins if MLflow has its files as a model of their own
PAGE = 1000
PARENT = "mlflow.parentRunId"


@dataclass(frozen=True)
class Item:
    """Something that can go: its kind (version, run, bundle, object, journal), name, day, and bytes if known."""

    kind: str
    name: str
    day: str
    bytes: int = 0
    model: str = ""  # MLflow's id of a version's files


@dataclass(frozen=True)
class Needed:
    """Versions that stay, why, and their digests, runs and revisions, which are what their proof needs."""

    reasons: dict[str, str]
    digests: frozenset[str]
    runs: frozenset[str]
    revisions: tuple[str, ...]


def find_needed(names: Sequence[str], named: Sequence[str], before: datetime) -> Needed:
    """Return the versions of names that have an alias, are named, are champion or previous in the ledger, or are young.

    Raises ConfigError if a named version does not exist.
    """
    wanted = {(version.name, version.number) for version in map(versions.find_version, named)}
    entries = ledger.read_ledger()
    last = [entry for name in names if (entry := ledger.last_entry(entries, name))]
    decided = {side.digest for entry in last for side in (entry.to, entry.origin) if side}
    reasons, digests, runs = dict[str, str](), set(decided), set[str]()
    for version, when, _ in _list_versions(names):
        reason = (
            ", ".join(version.aliases)
            or ("named" if (version.name, version.number) in wanted else "")
            or ("in the ledger" if version.digest in decided else "")
            or ("young" if when >= before else "")
        )
        if reason:
            reasons[f"{version.name}/{version.number}"] = reason
            digests.add(version.digest)
            runs.add(version.run)
    revisions = [commit for digest in sorted(digests) for commit in resolve.list_revisions(digest)[:1]]
    return Needed(reasons, frozenset(digests), frozenset(runs), tuple(revisions))


def list_registered(names: Sequence[str], needed: Needed, before: datetime) -> list[Item]:
    """Return the versions that do not stay, and the runs that are old and belong to no version that stays."""
    known = [(f"{version.name}/{version.number}", _day(when), model) for version, when, model in _list_versions(names)]
    stay = {model for name, _, model in known if name in needed.reasons}  # versions by a lost answer share their files
    items = [
        Item("version", name, day, model="" if model in stay else model)
        for name, day, model in known
        if name not in needed.reasons
    ]
    for run in _list_runs(names):
        when = datetime.fromtimestamp((run.info.end_time or run.info.start_time) / 1000, UTC)
        if when < before and not {run.info.run_id, run.data.tags.get(PARENT)} & needed.runs:
            items.append(Item("run", run.info.run_id, _day(when)))
    return items


def list_bundles(needed: Needed, before: datetime, folder: Path = versions.BUNDLES) -> list[Item]:
    """Return downloaded bundles that are old and of no version that stays; they can be downloaded again."""
    paths = [path for path in sorted(folder.glob("*")) if resolve.DIGEST.fullmatch(path.name)]
    return [
        Item("bundle", path.name, _day(when), sum(file.stat().st_size for file in path.rglob("*") if file.is_file()))
        for path in paths
        if (when := datetime.fromtimestamp(path.stat().st_mtime, UTC)) < before and path.name not in needed.digests
    ]


def remove_registered(items: Sequence[Item]) -> str:
    """Remove versions and runs, and return what is left for somebody to do, if anything.

    MLflow only marks runs as deleted; `mlflow gc` removes them with their files, which is done here if the registry is
    a database of this project. A second call finishes what a first one began.
    """
    from gazette.registry.store import client as store
    from gazette.registry.store.retry import call_with_retries

    client: Any = store.connect()
    models = sorted({item.model for item in items} - {""})
    runs = [item.name for item in items if item.kind == "run"]
    for item in items:
        if item.kind == "version":
            name, _, number = item.name.rpartition("/")
            call_with_retries(client.delete_model_version, name, number, ignore="RESOURCE_DOES_NOT_EXIST")
        else:
            call_with_retries(client.delete_run, item.name, ignore="RESOURCE_DOES_NOT_EXIST")
    for model in models:
        call_with_retries(client.delete_logged_model, model, ignore="RESOURCE_DOES_NOT_EXIST")
    if not items:
        return ""
    if address.database() is None or address.is_shared():
        return "the runs are marked as deleted; `mlflow gc` where the registry's server is removes their files"
    return _purge(client, runs, models)


def remove_bundles(items: Sequence[Item], folder: Path = versions.BUNDLES) -> None:
    """Remove downloaded bundles."""
    ownership.check_folder(folder)
    for item in items:
        bundle_folder.check_bundle(folder / item.name)
        atomic.remove(folder / item.name)


def _purge(client: Any, runs: Sequence[str], models: Sequence[str]) -> str:
    from mlflow.cli import gc
    from mlflow.entities import ViewType

    if client.search_experiments(view_type=ViewType.DELETED_ONLY):
        return "somebody deleted an experiment, which `mlflow gc` would remove too; run it yourself"
    words = [word for option, ids in (("--run-ids", runs), ("--logged-model-ids", models)) if ids
             for word in (option, ",".join(ids))]  # fmt: skip
    with contextlib.redirect_stdout(sys.stderr):
        uri = address.tracking_uri()
        gc.main(["--backend-store-uri", uri, "--tracking-uri", uri, *words], standalone_mode=False)
    return ""


def _list_versions(names: Sequence[str]) -> Iterator[tuple[Any, datetime, str]]:
    """Yield the versions of names, when each was registered, and MLflow's id of its files."""
    if not address.registry_exists():
        return
    from gazette.registry.store import client as store
    from gazette.registry.store.retry import call_with_retries

    client: Any = store.connect()
    for name in names:
        known = store.get_model(client, name).versions
        for match in call_with_retries(client.search_model_versions, f"name = '{name}'") or []:
            if version := known.get(str(match.version)):
                when = datetime.fromtimestamp(match.creation_timestamp / 1000, UTC)
                yield version, when, _model_id(match.source)


def _model_id(source: str) -> str:
    """Return MLflow's id of the files that a version's source names; a search leaves `model_id` empty."""
    return source.removeprefix("models:/") if source.startswith(MODEL) else ""


def _list_runs(names: Sequence[str]) -> list[Any]:
    if not address.registry_exists():
        return []
    from gazette.registry.store import client as store
    from gazette.registry.store.retry import registry_errors

    client: Any = store.connect()
    with registry_errors():
        experiments = [client.get_experiment_by_name(f"{name}{end}") for name in names for end in ("", " tuning")]
        ids = [experiment.experiment_id for experiment in experiments if experiment]
        runs, token = [], None
        while ids:
            page = client.search_runs(ids, max_results=PAGE, page_token=token)
            runs += page
            if not (token := page.token):
                break
    return runs


def _day(when: datetime) -> str:
    return f"{when:%Y-%m-%d}"
