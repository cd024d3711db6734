"""Adding a corpus: inspect its files, copy them to `data/raw/<name>`, describe them; all or nothing."""

import os
import shutil
import tempfile
from contextlib import ExitStack
from datetime import date as Day
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from prefect_dvc import storage
from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError, DataContractError

from gazette.core import articles
from gazette.core.corpus import Corpus, File, Folder, Split
from gazette.core.escape import quote, tally
from gazette.data.coding import NO_HINTS, Hints, list_guesses
from gazette.data.date_formats import detect_format
from gazette.data.description import render_description
from gazette.data.erased import read_erased, split_erased
from gazette.data.labels import infer_labels, map_labels
from gazette.data.paths import DESCRIPTIONS, RAW
from gazette.data.readers.columns import Columns
from gazette.data.readers.dates import add_dates
from gazette.data.readers.folder import count_leftovers, list_files
from gazette.data.readers.read import decode_labels, read_file
from gazette.data.readers.rows import ReadResult, strip_labels
from gazette.data.removing import list_paths
from gazette.data.sniffing import detect_layout

FileStat = list[tuple[Path, int, int]]


class SourceFile(NamedTuple):
    """A file or folder of a corpus at its original path, its layout, and its rows."""

    split: Split
    path: Path
    file: File
    contents: ReadResult
    stat: FileStat
    guesses: tuple[str, ...] = ()  # encodings that neither the user nor a mark names


def inspect_file(
    split: Split, path: Path, columns: Columns, hints: Hints = NO_HINTS, until: Day | None = None
) -> SourceFile:
    """Detect the layout of a file or folder and read all of it; its rows name the files by their original paths.

    No date of an article may be later than `until`.
    """
    stat = _stat_files(path)
    files = [file for file, *_ in stat]
    if unprintable := next((file for file in [path, *files] if not str(file).isprintable()), None):
        raise DataContractError(f"{str(unprintable)!a}: unprintable characters in the name; rename the file")
    file = detect_layout(path, columns, hints)
    real = path.resolve()
    if isinstance(file, Folder):
        result, place = read_file(file, real), pl.format("{}/{}", pl.lit(str(path)), "file")
    else:
        result, place = read_file(file.model_copy(update={"path": real.name}), real.parent), pl.lit(str(path))
        if file.date is not None and until is not None:
            form = hints.date_format or detect_format(
                result.articles["date"], until, f"{path}, column {quote(str(file.date))}"
            )
            file = file.model_copy(update={"date_format": form, "time_zone": hints.time_zone})
            result = add_dates(result, file, until)
    result = strip_labels(result)
    accepted, rejects = (table.with_columns(file=place) for table in (result.articles, result.rejects))
    notes = dict(result.notes)
    if path.is_dir():
        is_copied = rejects["file"].is_in(list(map(str, files)))
        if skipped := rejects.height - is_copied.sum():
            notes["symlinks out of the folder and other entries that are not files, not copied"] = int(skipped)
        if leftovers := count_leftovers(path):
            notes["files that editors and systems leave (*~, *.orig, desktop.ini, …), not copied"] = leftovers
        rejects = rejects.filter(is_copied)
    _check_most_readable(rejects, accepted.height + rejects.height, str(path))
    contents = ReadResult(accepted, rejects, result.unused, notes)
    return SourceFile(split, path, file, contents, stat, list_guesses(file, hints))


def assign_paths(sources: list[SourceFile]) -> list[SourceFile]:
    """Give each file its own path below `data/raw/<name>`, in a folder named after its split."""
    assigned: list[SourceFile] = []
    for source in sources:
        taken = {earlier.file.path.casefold() for earlier in assigned}
        names = (_numbered_path(source, number) for number in range(1, len(sources) + 1))
        path = next(name for name in names if name.casefold() not in taken)
        if isinstance(source.file, Folder) and [peer.split for peer in sources].count(source.split) == 1:
            path = source.split
        assigned.append(source._replace(file=source.file.model_copy(update={"path": path})))
    return assigned


def _numbered_path(source: SourceFile, number: int) -> str:
    suffix = f"_{number}" if number > 1 else ""
    if isinstance(source.file, Folder):
        return f"{source.split}/{source.path.resolve().name}{suffix}"
    return f"{source.split}/{source.path.stem}{suffix}{source.path.suffix}"


def describe_corpus(
    sources: list[SourceFile], about: dict[str, Any], names: list[str], numbered_from: int | None
) -> Corpus:
    """Describe the corpus of these files; `about` has language, source and terms, `names` its classes, if given."""
    labels = _concat(sources, "articles").with_columns(place=pl.format("{}, line {}", "file", "line"))
    rejects = _concat(sources, "rejects")
    classes = map_labels(labels, names, numbered_from) if names else infer_labels(labels, rejects)
    files = {
        split: [source.file for source in sources if source.split == split]
        for split in dict.fromkeys(source.split for source in sources)
    }
    return Corpus.model_validate({**about, **classes._asdict(), "files": files})


def validate_rows(sources: list[SourceFile], corpus: Corpus) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the articles, and the rows that `validate` will quarantine, with file, line and reason."""
    decoded = decode_labels(_concat(sources, "articles"), corpus.labels, corpus.numbered_from)
    columns = ("text", "label", "split", "file", "line", *(["date"] if corpus.is_dated else []))
    present, gone = split_erased(decoded.select(columns), read_erased())
    table, invalid = articles.split_invalid(present, corpus.labels)
    rejects = pl.concat([_concat(sources, "rejects").select(invalid.columns), gone, invalid])
    for split in corpus.files:
        lost, valid = (part.filter(pl.col("split") == split) for part in (rejects, table))
        _check_most_readable(lost, lost.height + valid.height, split)
    return table, rejects


def _concat(sources: list[SourceFile], rows: str) -> pl.DataFrame:
    tables = [getattr(source.contents, rows).with_columns(split=pl.lit(source.split)) for source in sources]
    return pl.DataFrame(pl.concat(tables, how="diagonal"))


def _check_most_readable(rejects: pl.DataFrame, rows: int, name: str) -> None:
    if rejects.height * 2 > rows:
        first = rejects.head(3).iter_rows(named=True)
        lines = [f"  {row['file']}, line {row['line']}: {row['reason']}" for row in first]
        raise DataContractError(
            f"{name}: {rejects.height:,} of {tally(rows, 'row')} cannot be used; is this the right file and layout? "
            "The first:\n" + "\n".join(lines)
        )


def check_name_free(name: str) -> None:
    """Raise ConfigError if a corpus, or files of one, have this name."""
    for path in list_paths(name):
        if os.path.lexists(path):
            raise ConfigError(f"the name {name} is taken: {path} exists; choose another name, or remove it first")


def add_corpus(name: str, corpus: Corpus, sources: list[SourceFile]) -> None:
    """Copy the files, put them under DVC and write the description; after a failure, nothing of it remains."""
    description, raw, pointer = list_paths(name)
    content = render_description(corpus)
    with ExitStack() as undo:
        for folder in (RAW, DESCRIPTIONS):
            if not folder.exists():
                folder.mkdir(parents=True)
                undo.callback(folder.rmdir)
        with tempfile.TemporaryDirectory(dir=RAW, prefix=f".{name}.") as box:
            for source in sources:
                _copy(source, Path(box) / name / source.file.path)
            check_name_free(name)
            (Path(box) / name).rename(raw)
        undo.callback(shutil.rmtree, raw)
        undo.callback(pointer.unlink, missing_ok=True)
        storage.check_none_ignored(raw)
        storage.dvc_add(raw)
        atomic.write_text(description, content)
        undo.pop_all()


def _copy(source: SourceFile, target: Path) -> None:
    for path, *_ in _stat_files(source.path):
        copy = target / path.relative_to(source.path)
        try:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        except OSError as error:
            raise ConfigError(f"{path} cannot be copied to {RAW}: {error.strerror}") from None
    if _stat_files(source.path) != source.stat:
        raise DataContractError(f"{source.path} changed after it was read; try again when nothing writes to it")


def _stat_files(path: Path) -> FileStat:
    """Return path, size and time of the file, or of the regular files in a folder; no symlink leads out of it."""
    files = [path]
    if path.is_dir():
        top = path.resolve()
        files = [file for file in list_files(path) if file.is_file() and file.resolve().is_relative_to(top)]
    return [(file, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
