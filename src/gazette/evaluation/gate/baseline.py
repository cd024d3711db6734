"""The other bundle: that of the champion, of a version or of another revision."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gazette.core.errors import Misconfigured
from gazette.data.paths import descriptions
from gazette.pipeline import dvclock, git, revisions
from gazette.registry import ledger, resolve, versions
from gazette.registry.store import address


@dataclass(frozen=True)
class Other:
    """A bundle in a folder, its digest, and what it is known as."""

    asked: str
    folder: Path
    digest: str
    version: str | None
    revision: str | None

    def record(self) -> dict[str, Any]:
        """As JSON, without the place on this machine."""
        return {name: getattr(self, name) for name in ("asked", "digest", "version", "revision")}


def find(against: str | None, corpus: str, bundle: str) -> Other | None:
    """The bundle to compare with; none where nobody named one and the corpus has no champion yet.

    `against` is a revision, NAME/VERSION, NAME@alias or an alias of the corpus; what git knows is a revision. `bundle`
    is the path of the selected one. Raises Misconfigured where there is none, where it is not at hand, or where it is
    of another corpus.
    """
    if against is None:
        return _champion(corpus, bundle)
    if git.knows(against):
        return _of_revision(against, corpus, bundle)
    if versions.is_version(against):
        return _of_version(against, corpus)
    if against in _aliases(corpus):
        return _of_version(f"{corpus}@{against}", corpus)
    return _of_revision(against, corpus, bundle)  # which says that git knows none, and how a shallow clone learns of it


def _champion(corpus: str, bundle: str) -> Other | None:
    """The champion by the ledger, for which no registry is needed; else the one that a registry has under the alias."""
    asked = f"{corpus}@{versions.CHAMPION}"
    if champion := ledger.standing(ledger.read(), corpus).champion:
        folder = _bring(champion.revision, bundle, champion.digest, corpus)
        return Other(asked, folder, champion.digest, champion.version, champion.revision)
    return _of_version(asked, corpus) if versions.CHAMPION in _aliases(corpus) else None


def _aliases(corpus: str) -> dict[str, str]:
    """The aliases that the registry has for a corpus, none where there is no registry."""
    if not address.exists():
        return {}
    from gazette.registry.store import client  # imports MLflow, 5 s

    return client.known(client.connect(), corpus).aliases


def _of_version(asked: str, corpus: str) -> Other:
    name = asked.partition("@")[0].partition("/")[0]
    if name != corpus:
        raise _unlike(asked, name, corpus)
    model = versions.find(asked)
    named = resolve.revisions(model.digest)
    return Other(asked, model.folder, model.digest, model.version, named[0] if named else None)


def _of_revision(asked: str, corpus: str, bundle: str) -> Other:
    commit = git.commit(asked)
    state = dvclock.at(commit)
    theirs = state.yaml("params.yaml").get("corpus")
    if theirs != corpus:
        raise _unlike(asked, theirs, corpus)
    digest = state.hash_of(bundle)
    if digest is None:
        raise Misconfigured(f"dvc.lock of {asked} names no {bundle}: that revision was never run")
    return Other(asked, _bring(commit, bundle, digest, corpus), digest, None, commit)


def _unlike(asked: str, theirs: object, corpus: str) -> Misconfigured:
    there = [path.stem for path in descriptions()]
    if theirs not in there:
        return Misconfigured(f"{asked}: there is no corpus {theirs} here, and git knows no such revision")
    return Misconfigured(
        f"{asked} is of the corpus {theirs}, this revision of {corpus}: they have no articles in common; give a "
        f"revision or a version of {corpus}"
    )


def _bring(commit: str, bundle: str, digest: str, corpus: str) -> Path:
    """The bundle, from what was brought before, DVC's cache or remote, or else the registry."""
    folder = versions.BUNDLES / digest
    if versions.holds(folder, digest):
        return folder
    try:
        versions.place(
            digest,
            folder,
            lambda box: revisions.fetch(commit, bundle, box / "bundle"),
            lambda got: (
                f"{bundle} of {commit[:9]} came with the hash {got}, dvc.lock there names {digest}: DVC's cache "
                "is damaged, `gazette doctor --verify` says where"
            ),
        )
    except revisions.Missing as missing:
        number = _registered(corpus, digest)
        if number is None:
            raise Misconfigured(f"{missing}; no version in the registry has its digest either") from None
        return versions.find(f"{corpus}/{number}").folder
    return folder


def _registered(corpus: str, digest: str) -> str | None:
    if not address.exists():
        return None
    from gazette.registry.store import client

    return client.find(client.connect(), corpus, digest)
