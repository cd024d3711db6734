"""The baseline of the gate: the bundle of the champion, of a version or of a revision."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect_dvc import git, revisions
from prefect_dvc.core.errors import ConfigError

from gazette.data.paths import list_descriptions
from gazette.pipeline import dvclock
from gazette.pipeline.dvclock import DvcLock
from gazette.registry import ledger, resolve, versions


@dataclass(frozen=True)
class Baseline:
    """A bundle in a folder, with its digest, the name by which it was requested, its version and revision."""

    reference: str
    folder: Path
    digest: str
    version: str | None
    revision: str | None

    def record(self) -> dict[str, Any]:
        """Return the baseline for JSON, without its folder on this machine."""
        return {name: getattr(self, name) for name in ("reference", "digest", "version", "revision")}


def find_baseline(against: str | None, corpus: str, bundle: str) -> Baseline | None:
    """Return the bundle to compare with; None if `against` is None and the corpus has no champion yet.

    `against` is a revision, NAME/VERSION, NAME@alias or an alias of the corpus; a name that git knows is a revision.
    `bundle` is the path of the selected bundle. Raises ConfigError if there is no such baseline, if it is not available
    or if it is of another corpus.
    """
    if against is None:
        return _champion(corpus, bundle)
    if git.is_commit(against):
        return _from_revision(against, corpus, bundle)
    if versions.is_version(against):
        return _from_version(against, corpus)
    if against in versions.get_model(corpus).aliases:
        return _from_version(f"{corpus}@{against}", corpus)
    return _from_revision(against, corpus, bundle)  # raises: git does not know it, and a shallow clone may be why


def check_corpus(reference: str, their_corpus: object, corpus: str) -> None:
    """Raise ConfigError if what `reference` names is of another corpus."""
    if their_corpus != corpus:
        raise ConfigError(
            f"{reference} is of the corpus {their_corpus}, this revision of {corpus}: they have no articles in common; "
            f"give a revision or a version of {corpus}"
        )


def _champion(corpus: str, bundle: str) -> Baseline | None:
    """Return the champion of the ledger, which needs no registry, or else the one that the registry's alias names."""
    reference = f"{corpus}@{versions.CHAMPION}"
    if champion := ledger.current_champion(ledger.read_ledger(), corpus):
        folder = _fetch_bundle(champion.revision, bundle, champion.digest, corpus)
        return Baseline(reference, folder, champion.digest, champion.version, champion.revision)
    return _from_version(reference, corpus) if versions.CHAMPION in versions.get_model(corpus).aliases else None


def _from_version(reference: str, corpus: str) -> Baseline:
    name = reference.partition("@")[0].partition("/")[0]
    if name != corpus and name not in [path.stem for path in list_descriptions()]:
        raise ConfigError(f"{reference}: there is no corpus {name} here, and git knows no such revision")
    check_corpus(reference, name, corpus)
    model = versions.find_model(reference)
    commits = resolve.list_revisions(model.digest)
    return Baseline(reference, model.folder, model.digest, model.version, commits[0] if commits else None)


def _from_revision(reference: str, corpus: str, bundle: str) -> Baseline:
    commit = git.resolve_commit(reference)
    state = dvclock.load_or_none(commit) or DvcLock(commit, {})
    check_corpus(reference, state.yaml("params.yaml").get("corpus"), corpus)
    digest = state.hash_of(bundle)
    if digest is None:
        raise ConfigError(f"dvc.lock of {reference} does not name {bundle}: that revision was never run")
    return Baseline(reference, _fetch_bundle(commit, bundle, digest, corpus), digest, None, commit)


def _fetch_bundle(commit: str, bundle: str, digest: str, corpus: str) -> Path:
    """Return the folder of a bundle, fetched from DVC's cache or remote, or else from the registry."""
    folder = versions.BUNDLES / digest
    if versions.is_intact(folder, digest):
        return folder
    try:
        versions.install_bundle(
            digest,
            folder,
            lambda box: revisions.fetch_file(commit, bundle, box / "bundle"),
            lambda actual: (
                f"{bundle} of {commit[:9]} was fetched with the hash {actual}, but its dvc.lock names {digest}: DVC's "
                "cache is damaged; `gazette doctor --verify` names the file"
            ),
        )
    except revisions.MissingFileError as missing:
        version = versions.get_model(corpus).find_digest(digest)
        if version is None:
            raise ConfigError(f"{missing}; the registry has no version with its digest either") from None
        return versions.find_model(f"{corpus}/{version.number}").folder
    return folder
