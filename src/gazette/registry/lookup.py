"""The versions of a corpus, as the registry knows them, or why it cannot be asked."""

from dataclasses import asdict, dataclass, field
from typing import Any

from gazette.registry.store import address


@dataclass(frozen=True)
class Registered:
    """A version: its name and number, the digest of its bundle, its aliases and tags, and MLflow's run."""

    name: str
    number: str
    digest: str
    aliases: list[str]
    tags: dict[str, str]
    run: str

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Answer:
    """The versions, and where the registry could not be asked, why."""

    versions: list[Registered] = field(default_factory=list)
    why: str = ""


def ask(name: str) -> Answer:
    """The versions of a corpus."""
    if not address.exists():
        return Answer(
            why=f"there is no registry here ({address.DATABASE}); `gazette run` makes one, MLFLOW_TRACKING_URI "
            "names another"
        )
    from gazette.registry.store import client as registry  # imports MLflow, 3 s

    client = registry.connect()
    known = registry.known(client, name)
    return Answer(
        [
            Registered(
                name=name,
                number=one.number,
                digest=one.tags.get("digest", ""),
                aliases=sorted(alias for alias, number in known.aliases.items() if number == one.number),
                tags=dict(sorted(one.tags.items())),
                run=str(client.get_model_version(name, one.number).run_id or ""),
            )
            for one in known.versions.values()
        ]
    )
