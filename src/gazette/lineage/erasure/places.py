"""The files of a project that have an article, and what can be done about each."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from prefect_dvc import graph
from prefect_dvc.core import atomic

from gazette.core import corpus
from gazette.core.corpus import OVERLAY, Corpus, Folder, Parquet, Split
from gazette.data import paths
from gazette.data.paths import RAW
from gazette.data.readers import cut
from gazette.lineage.erasure import records, search
from gazette.lineage.erasure.article import Article
from gazette.pipeline import ownership
from gazette.serving.batch.parts import STAGED

STATE, PENDING = Path(".gazette"), Path(".gazette/erasing")
SKIPPED = (".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "node_modules")
CUT, REMOVE, STAYS = "cut", "remove", "stays"


@dataclass(frozen=True)
class Place:
    """Where an article is, and what `--yes` does there: it cuts rows, removes all of it, or nothing, and why."""

    kind: str  # raw, overlay, feedback, journal, questions, output, state, file, cache, remote, history
    where: str
    action: str
    note: str = ""


@dataclass(frozen=True)
class Project:
    """What has to be known of a project in the working directory: its corpora, outputs and stores of records."""

    feedback: Path
    journal: Path
    questions: Path
    corpora: dict[str, Corpus] = field(default_factory=dict)
    outputs: frozenset[Path] = frozenset()
    stores: frozenset[Path] = frozenset()  # folders of DVC's cache and remotes, which are searched otherwise
    also: tuple[Path, ...] = ()  # folders elsewhere

    @property
    def encodings(self) -> list[str]:
        """The encodings of raw files beside UTF-8."""
        files = [file for about in self.corpora.values() for split in about.files.values() for file in split]
        names = [
            name
            for file in files
            if not isinstance(file, Parquet)
            for name in (file.encodings if isinstance(file, Folder) else [file.encoding])
        ]
        return sorted({*names} - {"utf-8"})


def open_project(feedback: Path, journal: Path, questions: Path, also: tuple[Path, ...] = ()) -> Project:
    """Return the project in the working directory; the folders `also` are searched too."""
    corpora = {path.stem: corpus.read_description(path) for path in paths.list_descriptions()}
    with graph.open_repo(Path()) as repo:
        outputs = {_relative(out.fs_path) for out in repo.index.outs if out.stage.cmd and out.protocol == "local"}
        urls = [settings.get("url", "") for settings in repo.config["remote"].values()]
        stores = {_relative(path) for path in (repo.cache.local_cache_dir, *filter(os.path.isabs, urls))}
    return Project(feedback, journal, questions, corpora, frozenset(outputs), frozenset(stores), also)


def find_raw_rows(project: Project, article: Article) -> dict[tuple[str, int, Split], list[tuple[str, int]]]:
    """Return the article's rows in raw files that a description names, by corpus and the file's place in it."""
    rows = {
        (name, number, split): cut.find_rows(RAW / name, file, article.is_text, article.is_excerpt)
        for name, about in project.corpora.items()
        if (RAW / name).is_dir()
        for split, files in about.files.items()
        for number, file in enumerate(files)
    }
    return {key: places for key, places in rows.items() if places}


def find_files(project: Project, article: Article, raw: Sequence[Place] = ()) -> Iterator[Place]:
    """Yield the files of the project that have the article, but for raw files with rows that are known."""
    known = {Path(place.where.rpartition(":")[0]) for place in raw}
    for path in _walk(project):
        if path not in known and (
            (_may_have_records(project, path) and records.count_records(path, article))
            or search.has_article(path, article, project.encodings, _is_text(path))
        ):
            yield _classify(project, path, article)


def find_raw(project: Project, article: Article) -> list[Place]:
    """Return the article's rows in raw files."""
    places = []
    for (name, number, split), rows in find_raw_rows(project, article).items():
        file = project.corpora[name].files[split][number]
        for inner, line in rows:
            path = RAW / name / file.path / inner if isinstance(file, Folder) else RAW / name / file.path
            places.append(Place("raw", f"{path.as_posix()}:{line}", REMOVE if isinstance(file, Folder) else CUT))
    return places


def _relative(path: str) -> Path:
    return Path(os.path.relpath(path))


def _walk(project: Project) -> Iterator[Path]:
    more = [project.feedback, project.journal, project.questions, *project.also]
    for top in [Path(), *(folder for folder in more if not folder.resolve().is_relative_to(Path.cwd()))]:
        for folder, inner, names in os.walk(top):
            here = Path(folder)
            skipped = {*SKIPPED} | {name for name in inner if here / name in (*project.stores, PENDING)}
            inner[:] = sorted(name for name in inner if name not in skipped)
            yield from (here / name for name in sorted(names) if (here / name).is_file() and not search.is_model(name))


def _is_text(path: Path) -> bool:
    """Whether a file has texts as a whole, and is not one of the pages and lists of excerpts that runs make again."""
    return path.parts[0] not in (STATE.name, "reports", ".dvc")


def _classify(project: Project, path: Path, article: Article) -> Place:
    where = path.as_posix()
    if kind := _record_kind(project, path):
        return _cut(kind, path, article)
    if path.is_relative_to(RAW):
        return Place("raw", where, STAYS, "in a column that is not read, or within another article: edit the file")
    if any(path.is_relative_to(out) for out in project.outputs):
        return Place("output", where, REMOVE)
    if path.parent.name == STAGED and ownership.read_marker(path.parent.parent):
        return Place("results", path.parent.parent.as_posix(), REMOVE, "an interrupted `gazette score`")
    if path.suffix == ".db":
        return Place("state", where, STAYS, "a database")
    if path.parts[0] == "mlruns":
        return Place("file", where, STAYS, "an artifact of a run in MLflow: delete that run, then `mlflow gc`")
    if _is_state(project, path):
        return Place("state", where, REMOVE)
    return _cut("file", path, article)


def _is_state(project: Project, path: Path) -> bool:
    """Whether a run makes a file again, or left it when it was killed."""
    parts = {f".{out.name}.parts" for out in project.outputs}
    folders = (STATE, Path(".dvc/tmp"), Path("reports"))
    return any(path.is_relative_to(folder) for folder in folders) or any(
        part in parts or atomic.final_name(part) for part in path.parts
    )


def _may_have_records(project: Project, path: Path) -> bool:
    """Whether rows of a file may be the article though the file has not all of it: masked texts, lists of excerpts."""
    is_made = any(path.is_relative_to(out) for out in project.outputs) or path.is_relative_to(RAW)
    return bool(_record_kind(project, path)) or (path.suffix in records.DELIMITERS and not is_made)


def _record_kind(project: Project, path: Path) -> str:
    """Return which store of records a file belongs to; empty if to none."""
    folders = {"feedback": project.feedback, "journal": project.journal, "questions": project.questions}
    if path.is_relative_to(RAW) and path.name == OVERLAY:
        return "overlay"
    return next((kind for kind, folder in folders.items() if path.is_relative_to(folder)), "")


def _cut(kind: str, path: Path, article: Article) -> Place:
    """Return what can be done about a file of records, or of nobody knows what."""
    rows = records.count_records(path, article)
    if rows:
        return Place(kind, path.as_posix(), CUT, f"{rows:,} row{'s' * (rows != 1)}")
    if rows is None and _is_nothing_else(path, article):
        return Place(kind, path.as_posix(), REMOVE)
    return Place(kind, path.as_posix(), STAYS, "among other things: edit the file, or remove it")


def _is_nothing_else(path: Path, article: Article) -> bool:
    import polars as pl

    return bool(article.is_text(pl.Series([path.read_bytes().decode("utf-8", "replace")]))[0])
