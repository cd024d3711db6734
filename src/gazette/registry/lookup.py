"""The versions of a corpus in the registry, or the reason why it cannot be queried."""

from dataclasses import asdict, dataclass, field
from typing import Any

from gazette.registry.store import address


@dataclass(frozen=True)
class RegisteredVersion:
    """A version: its name and number, the digest of its bundle, its aliases and tags, and MLflow's run."""

    name: str
    number: str
    digest: str
    aliases: list[str]
    tags: dict[str, str]
    run: str

    def record(self) -> dict[str, Any]:
        """Return the version for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class RegistryAnswer:
    """The versions, or why the registry could not be queried."""

    versions: list[RegisteredVersion] = field(default_factory=list)
    why: str = ""


def list_registered(name: str) -> RegistryAnswer:
    """Return the versions of a corpus."""
    if not address.registry_exists():
        return RegistryAnswer(
            why=f"there is no registry here ({address.DATABASE}); `gazette run` makes one, MLFLOW_TRACKING_URI "
            "names another"
        )
    from gazette.registry.store import client as store  # imports MLflow, about 5 s

    client = store.connect()
    model = store.get_model(client, name)
    return RegistryAnswer(
        [
            RegisteredVersion(
                name=name,
                number=version.number,
                digest=version.tags.get("digest", ""),
                aliases=sorted(alias for alias, number in model.aliases.items() if number == version.number),
                tags=dict(sorted(version.tags.items())),
                run=str(client.get_model_version(name, version.number).run_id or ""),
            )
            for version in model.versions.values()
        ]
    )
