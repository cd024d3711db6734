"""Erasure of an article from everywhere but models. Every step searches again, so a killed one continues."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from prefect_dvc import revisions, storage
from prefect_dvc.core import atomic
from prefect_dvc.recovery import guard

from gazette.core import files, pointers
from gazette.core.corpus import OVERLAY
from gazette.data import correcting, erased
from gazette.data.paths import RAW
from gazette.data.readers import cut
from gazette.lineage.erasure import history, learned, places, records, search, stores
from gazette.lineage.erasure.article import Article
from gazette.lineage.erasure.learned import Learner
from gazette.lineage.erasure.places import CUT, PENDING, REMOVE, STAYS, Place, Project
from gazette.serving.batch import results
from gazette.serving.journal import layout

Report = Callable[[str], None]
ABSENT = "raw files that are not in the tree: `dvc checkout` them, then erase again"


@dataclass(frozen=True)
class Findings:
    """Where an article is, the models that learned from it, and what is unknown."""

    sha256: str
    places: list[Place]
    learners: list[Learner]
    unknown: list[str] = field(default_factory=list)


def find_everywhere(project: Project, article: Article, report: Report) -> Findings:
    """Search raw files, the project, git's history, DVC's cache and remotes; changes nothing."""
    report("searching files and git's history …")
    raw = places.find_raw(project, article)
    matches = [*raw, *places.find_files(project, article, raw), *history.search(article)]
    with stores.open_stores(Path()) as opened:
        report(f"searching DVC's {', '.join(store.name for store in opened)} …")
        objects = stores.find_objects(opened, partial(search.has_article, article=article, encodings=project.encodings))
        protected = _list_raw_objects(absent=True)
        matches += [
            Place(store.name, digest, STAYS, ABSENT) if digest in protected else Place(store.name, digest, REMOVE)
            for store, digest in objects
        ]
        matches += [Place(store.name, store.where, STAYS, store.why) for store in opened if store.why]
    learners, unknown = learned.find_learners(article)
    return Findings(article.digest, matches, learners, unknown)


def erase(project: Project, article: Article, report: Report) -> Findings:
    """Remove an article from everywhere but models; returns where it still is, and the models that learned from it.

    Raises ConfigError or DataContractError, and removes nothing, if a run is at work, a store does not answer, or raw
    files are not those that their pointer records.
    """
    with guard.without_runs(Path()):
        with stores.open_stores(Path()) as opened:
            report("searching …")
            for store in opened:
                store.check_answers()
        begun = _begin(project, article)
        erased.record_erased(article.digest)
        report("removing it from files …")
        _cut_raw(project, article, begun["corpora"])
        for place in [*places.find_files(project, article)]:
            _remove(place, article)
        current = _list_raw_objects(absent=False)  # from which the article was cut
        with stores.open_stores(Path()) as opened:
            has_article = partial(search.has_article, article=article, encodings=project.encodings)
            for store, digest in stores.find_objects(opened, has_article):
                if digest not in current:
                    report(f"removing {digest} from {store.name}")
                    store.remove(digest)
        left = find_everywhere(project, article, report)
        atomic.remove(_path(article.digest))
    learners = [Learner(**learner) for learner in begun["learners"]]
    return Findings(article.digest, left.places, learners, begun["unknown"])


def list_pending() -> list[Article]:
    """Return the articles whose erasure was interrupted."""
    articles = (files.read_json(path)["article"] for path in sorted(PENDING.glob("*.json")))
    return [Article(article["text"], tuple(article["languages"])) for article in articles]


def _begin(project: Project, article: Article) -> dict[str, Any]:
    """Return what is known before anything is removed, or was when an interrupted erasure began.

    That is the models that learned from it, since their splits are removed, and the corpora whose raw files have it.
    """
    path = _path(article.digest)
    if not path.exists():
        rows = {name for name, *_ in places.find_raw_rows(project, article)}
        overlays = {path.parent.name for path in _find_overlays(project, article)}
        for name in rows | overlays:
            correcting.check_recorded(name)
        learners, unknown = learned.find_learners(article)
        record = {"learners": [asdict(learner) for learner in learners], "unknown": unknown}
        record |= {"corpora": sorted(rows | overlays)}
        PENDING.mkdir(mode=0o700, exist_ok=True)
        files.write_json(path, record | {"article": {"text": article.text, "languages": list(article.languages)}})
    return files.read_json(path)


def _path(digest: str) -> Path:
    return PENDING / f"{digest}.json"


def _find_overlays(project: Project, article: Article) -> list[Path]:
    paths = (RAW / name / OVERLAY for name in project.corpora)
    return [path for path in paths if path.exists() and records.count_records(path, article)]


def _cut_raw(project: Project, article: Article, corpora: list[str]) -> None:
    """Cut the article's rows, and its lines in overlays, and record the rest by DVC."""
    for (name, number, split), rows in places.find_raw_rows(project, article).items():
        cut.cut_rows(RAW / name, project.corpora[name].files[split][number], rows)
    for path in _find_overlays(project, article):
        records.cut_records(path, article)
    for name in corpora:
        if pointers.pointer_path(RAW / name).exists():
            storage.dvc_add(RAW / name)


def _list_raw_objects(absent: bool) -> set[str]:
    """Return the objects of raw files that pointers name now; if `absent`, only of those that are not in the tree."""
    paths = [path for path in RAW.glob("*.dvc") if not (absent and path.with_suffix("").exists())]
    listings = [revisions.list_folder(pointers.read_hash(path)) for path in paths]
    return {digest for listing in listings if listing for digest in listing.values()}


def _remove(place: Place, article: Article) -> None:
    path = Path(place.where)
    if place.kind == "results":
        results.remove(path)
    elif place.action == REMOVE:
        path.unlink(missing_ok=True)
    elif place.action == CUT:
        records.cut_records(_close(path) if place.kind in ("feedback", "journal") else path, article)


def _close(path: Path) -> Path:
    """Close a file of today, to which a server may append, and return its new name; the server begins another."""
    return layout.close(path) or path if path.stem == f"{datetime.now(UTC):%Y-%m-%d}" else path
