"""What the registry has under a name; without MLflow, so that anyone can hold it."""

from dataclasses import dataclass

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
