"""Which models learned from an article: those whose train, valid or test split has it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from prefect_dvc import git, revisions

from gazette.core import tables
from gazette.lineage.erasure.article import Article
from gazette.pipeline import dvclock
from gazette.pipeline.dvclock import DvcLock
from gazette.registry import resolve

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Learner:
    """A model: its digest, the first revision that selected it, its versions, and the splits that have the article.

    Its weights come from `train`, the choice among candidates from `valid`; `test` only measured it.
    """

    digest: str
    revision: str
    versions: list[str]
    splits: list[str]

    @property
    def place(self) -> str:
        """What a message calls the revision."""
        return self.revision if self.revision == dvclock.WORKING_TREE else f"revision {self.revision[:9]}"


def find_learners(article: Article) -> tuple[list[Learner], list[str]]:
    """Return the models whose splits have the article, oldest first, and what is unknown, with how to know it."""
    learners: dict[str, Learner] = {}
    unknown, known = dict[str, None](), set[str]()
    registered = cache(resolve.list_registered)

    @cache
    def has_article(digest: str) -> bool | None:
        path = revisions.cache_path(digest)
        rows = tables.scan_parquet(path).select("text") if path else None
        return rows if rows is None else any(article.is_text(part["text"]).any() for part in rows.collect_batches())

    for lock in _list_locks():
        if lock.bundle is None or lock.bundle in known:
            continue
        known.add(lock.bundle)
        answers = {split: has_article(lock.hash_of(lock.option("preprocess", split)) or "") for split in SPLITS}
        versions, why = registered(str(lock.corpus))
        if why:
            unknown[f"versions: {why}"] = None
        if None in answers.values():
            fetch = "DVC's cache lacks its splits; `dvc fetch --all-commits`"
            unknown[f"model {lock.bundle[:8]} of {lock.place}: {fetch}"] = None
        splits = [split for split, answer in answers.items() if answer]
        if splits:
            names = [f"{version.name}/{version.number}" for version in versions if version.digest == lock.bundle]
            learners[lock.bundle] = Learner(lock.bundle, lock.commit or dvclock.WORKING_TREE, names, splits)
    return list(learners.values()), list(unknown)


def _list_locks() -> Iterator[DvcLock]:
    """Yield the locks of all commits, oldest first, and that of the working tree."""
    for commit in git.list_commits("dvc.lock", "--all", "--topo-order"):
        if (lock := dvclock.load_or_none(commit)) is not None:
            yield lock
    if dvclock.LOCK.is_file():
        yield dvclock.load(None)
