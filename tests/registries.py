"""A registry in memory, with MLflow's client's methods that Gazette calls; it fails on request."""

from types import SimpleNamespace
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, TEMPORARILY_UNAVAILABLE


class Registry:
    """One name, `tiny`; `fails` is the method that fails next and whether its work was done all the same."""

    def __init__(self, *digests: str) -> None:
        self.versions = {
            str(number): SimpleNamespace(version=number, tags={"digest": digest}, run_id=None)
            for number, digest in enumerate(digests, 1)
        }
        self.aliases: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.moves: list[tuple[str, str | None]] = []
        self.fails: tuple[str, bool] | None = None

    def _done(self, method: str, work: Any) -> None:
        fault, done = self.fails or ("", False)
        if fault == method:
            if done:
                work()
            raise MlflowException("no answer", TEMPORARILY_UNAVAILABLE)
        work()

    def _move(self, alias: str, to: str | None) -> None:
        if self.aliases.get(alias) != to:
            self.moves.append((alias, to))
        self.aliases.pop(alias, None)
        self.aliases |= {alias: to} if to else {}

    def get_registered_model(self, name: str) -> Any:
        if name != "tiny":
            raise MlflowException("none", RESOURCE_DOES_NOT_EXIST)
        self._done("get", lambda: None)
        return SimpleNamespace(aliases=dict(self.aliases), tags=dict(self.tags))

    def search_model_versions(self, wanted: str) -> list[Any]:
        return [
            version for version in self.versions.values() if "digest" not in wanted or version.tags["digest"] in wanted
        ]

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        self._done(alias, lambda: self._move(alias, version))

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        self._done(alias, lambda: self._move(alias, None))

    def set_registered_model_tag(self, name: str, key: str, value: str) -> None:
        self._done("follow", lambda: self.tags.update({key: value}))

    def set_model_version_tag(self, name: str, version: str, key: str, value: str) -> None:
        self._done("mark", lambda: self.versions[version].tags.update({key: value}))
