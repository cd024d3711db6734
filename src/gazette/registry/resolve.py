"""Resolve a name to a commit or a version."""

import re

from prefect_dvc import git
from prefect_dvc.core.errors import ConfigError

from gazette.pipeline import dvclock
from gazette.registry import versions
from gazette.registry.store import address
from gazette.registry.store.model import RegisteredVersion
from gazette.registry.versions import ResolvedModel

DIGEST = re.compile(r"[0-9a-f]{32}(\.dir)?")


def list_registered(name: str) -> tuple[list[RegisteredVersion], str]:
    """Return the versions of a corpus, or why there is no registry to ask."""
    if not address.registry_exists():
        return [], versions.no_registry()
    return list(versions.get_model(name).versions.values()), ""


def parse_version(reference: str) -> RegisteredVersion | None:
    """Return the version that `NAME/NUMBER` or `NAME@ALIAS` names; None if it has another form or git knows it.

    Raises ConfigError if it has the form and there is no such version.
    """
    if not versions.is_version(reference) or git.is_commit(reference):
        return None
    return versions.find_version(reference)


def list_revisions(digest: str) -> list[str]:
    """Return the commits in whose `dvc.lock` a bundle became the selected one, oldest first.

    The first is the revision of the model. A commit that names the digest only for a candidate is not one.
    """
    selected = ("--branches", "--remotes", "--tags", "HEAD", f"-S{digest}")  # without the commits of experiments
    locks = (dvclock.load_or_none(commit) for commit in git.list_commits("dvc.lock", *selected))
    return [str(lock.commit) for lock in locks if lock and lock.bundle == digest]


def find_revision(model: ResolvedModel) -> str:
    """Return the revision of a model; raises ConfigError if it has none."""
    for commit in list_revisions(model.digest):
        return commit
    cure = git.describe_shallow() or ". Commit the dvc.lock of the run that made it (`git commit -am …`)"
    raise ConfigError(
        f"{model.reference} has no revision: no commit of a branch has a dvc.lock that selects its bundle "
        f"({model.digest}){cure}"
    )


def resolve_commit(reference: str) -> str:
    """Return the commit of a revision, of a version, or of the digest of a bundle.

    Raises ConfigError if there is none, or if no commit's `dvc.lock` names the version.
    """
    version = parse_version(reference)
    digest = version.digest if version else reference if DIGEST.fullmatch(reference) else None
    if digest is None:
        return git.resolve_commit(reference)
    commits = list_revisions(digest)
    if not commits:
        why = git.describe_shallow() or "; it was registered from a tree that was never committed"
        raise ConfigError(f"{reference}: no commit's dvc.lock names {digest}{why}")
    return commits[0]
