"""Which commit, and which model, somebody means."""

import re

from gazette.core.errors import Misconfigured
from gazette.pipeline import dvclock, git
from gazette.registry import lookup, versions
from gazette.registry.lookup import Registered

DIGEST = re.compile(r"[0-9a-f]{32}(\.dir)?")


def version(asked: str) -> Registered | None:
    """The version that `NAME/NUMBER` or `NAME@ALIAS` names; none where it is written otherwise, or git knows it.

    Raises Misconfigured where it is written so and there is none.
    """
    parts = versions.ASKED.fullmatch(asked)
    if not parts or not versions.is_version(asked) or git.knows(asked):
        return None
    answer = lookup.ask(parts["name"])
    if answer.why:
        raise Misconfigured(f"{asked}: {answer.why}")
    for one in answer.versions:
        if one.number == parts["number"] or parts["alias"] in one.aliases:
            return one
    there = ", ".join(f"{one.name}/{one.number}" for one in answer.versions) or f"no {parts['name']} at all"
    raise Misconfigured(f"{asked}: the registry has no such version; there is {there}")


def revisions(digest: str) -> list[str]:
    """The commits in whose `dvc.lock` a bundle became the selected one, the oldest first.

    The first is the revision of the model: one that names the digest of a candidate alone is none.
    """
    return [one for one in git.naming(digest) if dvclock.at(one).bundle == digest]


def commit(asked: str) -> str:
    """The commit that is meant by a revision, by a version or by the digest of its bundle.

    Raises Misconfigured where there is none, or where no commit's `dvc.lock` names the version.
    """
    found = version(asked)
    digest = found.digest if found else asked if DIGEST.fullmatch(asked) else None
    if digest is None:
        return git.commit(asked)
    named = revisions(digest)
    if not named:
        raise Misconfigured(
            f"{asked}: no commit's dvc.lock names {digest}; it was registered from a tree that was never committed"
        )
    return named[0]
