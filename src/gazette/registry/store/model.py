"""What the registry has under a name; without MLflow, so that anyone can hold it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prefect_dvc.core.errors import ConfigError

TRAINED_ON = "trained_on"  # the tag with the classes and their training rows, for `gazette score` to compare with


@dataclass(frozen=True)
class RegisteredVersion:
    """A version: its name and number, the digest of its bundle, its aliases and tags, and MLflow's run."""

    name: str
    number: str
    digest: str
    aliases: list[str]
    tags: dict[str, str]
    run: str


@dataclass(frozen=True)
class RegisteredModel:
    """The versions of a name by number, and numbers by alias; both empty for a new name.

    `followed` is the SHA-256 of the ledger entry that the aliases follow.
    """

    versions: dict[str, RegisteredVersion]
    aliases: dict[str, str]
    followed: str | None = None

    def find_digest(self, digest: str) -> RegisteredVersion | None:
        """Return the first version with a digest, which two runs may have registered at once; None if there is none."""
        return next((version for version in self.versions.values() if version.digest == digest), None)


def read_object(version: str, tags: Mapping[str, str], tag: str) -> dict[str, Any] | None:
    """Read a tag that is a JSON object; None if the version has none. Raises ConfigError if it is something else."""
    try:
        return dict(json.loads(tags[tag])) if tag in tags else None
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"{version}: its tag {tag} in the registry is {tags[tag][:40]!r}; expected the JSON object that stage "
            "`register` wrote: write it again, or remove the tag"
        ) from error
