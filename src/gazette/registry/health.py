"""The state of a registry in a database: files in trees that runs remove, and versions that lost theirs."""

from pathlib import Path

from gazette.registry.store import address, locations


def list_warnings() -> list[str]:
    """Return what endangers the registry's files, each with the command that fixes it; none for a server."""
    path = address.database()
    if path is None:
        return []
    return [
        f"the registry keeps files in {folder}, a tree that is removed after its run; `gazette registry relocate`"
        for folder in locations.list_strays(path)
    ] + describe_lost(path)


def describe_lost(database: Path) -> list[str]:
    """Return a line for each version without files."""
    return [
        f"{version} has lost its files, which were removed; `git checkout` its revision, then `gazette run` registers "
        "the bundle again"
        for version in locations.list_lost_versions(database)
    ]
