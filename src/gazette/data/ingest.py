"""Bringing a corpus in: its files are read where they lie, copied to `data/raw/<name>`, described; all or nothing."""

import os
import shutil
import tempfile
from contextlib import ExitStack
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import SingleQuotedScalarString

from gazette.core import articles
from gazette.core.corpus import Corpus, File, Folder, Split
from gazette.core.errors import BrokenContract, Misconfigured
from gazette.data import labels as classes
from gazette.data import sniffing
from gazette.data.paths import DESCRIPTIONS, RAW
from gazette.data.readers.read import name_labels, read_file
from gazette.data.readers.rows import Contents
from gazette.pipeline import storage

HEAD = "# As `gazette corpus add` found it out. Delimiter, quotes, header and columns may be corrected here.\n"

Stamp = list[tuple[Path, int, int]]


class Given(NamedTuple):
    """A file or folder of a corpus where it lies now, how it is laid out, and what was read from it."""

    split: Split
    path: Path
    file: File
    contents: Contents
    stamp: Stamp


def look(split: Split, path: Path, columns: sniffing.Columns) -> Given:
    """Finds out how a file or folder is laid out, and reads it whole; files are named as they were given."""
    stamp = _stamp(path)
    if odd := next((file for file in [path, *(file for file, *_ in stamp)] if not str(file).isprintable()), None):
        raise BrokenContract(f"{str(odd)!a}: a name that cannot be shown; give the file another")
    file = sniffing.layout(path, columns)
    real = path.resolve()
    if isinstance(file, Folder):
        found, place = read_file(file, real), pl.format("{}/{}", pl.lit(str(path)), "file")
    else:
        found, place = read_file(file.model_copy(update={"path": real.name}), real.parent), pl.lit(str(path))
    good, bad = (table.with_columns(file=place) for table in (found.articles, found.rejects))
    notes = dict(found.notes)
    if path.is_dir():
        comes = bad["file"].is_in([str(file) for file, *_ in stamp])
        if left := bad.height - comes.sum():
            notes["links that lead out and other things that are no files, left behind"] = int(left)
        bad = bad.filter(comes)
    _refuse_most(bad, good.height + bad.height, str(path))
    return Given(split, path, file, Contents(good, bad, found.unused, notes), stamp)


def placed(given: list[Given]) -> list[Given]:
    """The same, each with a place of its own below `data/raw/<name>`, in a folder of its split."""
    done: list[Given] = []
    for one in given:
        taken = {other.file.path.casefold() for other in done}
        names = (_name(one, number) for number in range(1, len(given) + 1))
        path = next(name for name in names if name.casefold() not in taken)
        if isinstance(one.file, Folder) and [other.split for other in given].count(one.split) == 1:
            path = one.split
        done.append(one._replace(file=one.file.model_copy(update={"path": path})))
    return done


def _name(one: Given, number: int) -> str:
    more = f"_{number}" if number > 1 else ""
    if isinstance(one.file, Folder):
        return f"{one.split}/{one.path.resolve().name}{more}"
    return f"{one.split}/{one.path.stem}{more}{one.path.suffix}"


def described(given: list[Given], about: dict[str, Any], names: list[str], numbered_from: int | None) -> Corpus:
    """The corpus that the files make; `about` are its language, source and terms, `names` its classes or nothing."""
    labels = _articles(given).with_columns(place=pl.format("{}, line {}", "file", "line"))
    found = classes.name(labels, names, numbered_from) if names else classes.find(labels)
    files: dict[str, list[File]] = {}
    for one in given:
        files.setdefault(one.split, []).append(one.file)
    return Corpus.model_validate({**about, **found._asdict(), "files": files})


def sorted_out(given: list[Given], corpus: Corpus) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Articles, and the rows that `validate` will put into quarantine, with file, line and reason."""
    table, unfit = articles.sort_out(name_labels(_articles(given), corpus.labels, corpus.numbered_from), corpus.labels)
    unreadable = [one.contents.rejects.with_columns(split=pl.lit(one.split)).select(unfit.columns) for one in given]
    rejects = pl.concat([*unreadable, unfit])
    for split in corpus.files:
        lost, kept = (part.filter(pl.col("split") == split) for part in (rejects, table))
        _refuse_most(lost, lost.height + kept.height, split)
    return table, rejects


def _articles(given: list[Given]) -> pl.DataFrame:
    found = pl.concat([one.contents.articles.with_columns(split=pl.lit(one.split)) for one in given])
    return found.select("text", "label", "split", "file", "line")


def _refuse_most(rejects: pl.DataFrame, rows: int, what: str) -> None:
    if rejects.height * 2 > rows:
        first = rejects.head(3).iter_rows(named=True)
        lines = [f"  {row['file']}, line {row['line']}: {row['reason']}" for row in first]
        raise BrokenContract(
            f"{what}: {rejects.height:,} of {rows:,} rows cannot be used; is it what it is said to be? The first:\n"
            + "\n".join(lines)
        )


def refuse_taken(name: str) -> None:
    """Raises Misconfigured where a corpus, or files of one, have this name."""
    for path in (DESCRIPTIONS / f"{name}.yaml", RAW / name, RAW / f"{name}.dvc"):
        if _is_there(path):
            raise Misconfigured(f"the name {name} is taken: {path} is there; choose another name, or remove that first")


def add(name: str, corpus: Corpus, given: list[Given]) -> None:
    """Copies the files, puts them under DVC and writes the description; whatever fails, nothing of it stays."""
    raw, description = RAW / name, DESCRIPTIONS / f"{name}.yaml"
    content = written(corpus)
    with ExitStack() as undo:
        for folder in (RAW, DESCRIPTIONS):
            if not folder.exists():
                folder.mkdir(parents=True)
                undo.callback(folder.rmdir)
        with tempfile.TemporaryDirectory(dir=RAW, prefix=f".{name}.") as box:
            for one in given:
                _copy(one, Path(box) / name / one.file.path)
            refuse_taken(name)
            (Path(box) / name).rename(raw)
        undo.callback(shutil.rmtree, raw)
        undo.callback(raw.with_name(raw.name + ".dvc").unlink, missing_ok=True)
        storage.add(raw)
        partial = description.with_name(description.name + ".partial")
        undo.callback(partial.unlink, missing_ok=True)
        partial.write_text(content, encoding="utf-8")
        partial.rename(description)
        undo.pop_all()


def remove(name: str) -> list[Path]:
    """Removes pointer, raw files and description of a corpus; what was removed."""
    raw = RAW / name
    gone = [path for path in (raw.with_name(name + ".dvc"), raw, DESCRIPTIONS / f"{name}.yaml") if _is_there(path)]
    for path in gone:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    return gone


def written(corpus: Corpus) -> str:
    """The description as YAML, a line for each file, every part of a layout in it."""
    about = CommentedMap(corpus.model_dump(exclude_none=True))
    about["labels"] = _in_a_line(corpus.labels)
    about["files"] = {split: [_flat(file) for file in files] for split, files in corpus.files.items()}
    yaml, out = YAML(), StringIO()
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(about, out)
    return HEAD + out.getvalue()


def _flat(file: File) -> CommentedMap:
    parts = CommentedMap(
        {key: _in_a_line(v) if isinstance(v, list) else _quoted(v) for key, v in file.model_dump().items()}
    )
    parts.fa.set_flow_style()
    return parts


def _in_a_line(values: list[Any]) -> CommentedSeq:
    line = CommentedSeq(map(_quoted, values))
    line.fa.set_flow_style()
    return line


def _quoted(value: Any) -> Any:
    """The value itself, in quotes if it begins with `?`: ruamel writes it plain, and reads a key there."""
    return SingleQuotedScalarString(value) if isinstance(value, str) and value.startswith("?") else value


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _copy(one: Given, target: Path) -> None:
    for path in _files(one.path):
        place = target / path.relative_to(one.path)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
        except OSError as error:
            raise Misconfigured(f"{path} cannot be copied below {RAW}: {error.strerror}") from None
    if _stamp(one.path) != one.stamp:
        raise BrokenContract(f"{one.path} changed after it was read; try again when nothing writes to it")


def _stamp(path: Path) -> Stamp:
    return [(file, file.stat().st_size, file.stat().st_mtime_ns) for file in _files(path)]


def _files(path: Path) -> list[Path]:
    """The file itself, or what a folder holds: regular files, no hidden ones, no links that lead out of it."""
    if not path.is_dir():
        return [path]
    top = path.resolve()
    found = []
    for folder, inner, files in os.walk(path):  # follows no links
        inner[:] = [name for name in inner if not name.startswith(".")]
        found += [Path(folder) / name for name in files if not name.startswith(".")]
    return sorted(file for file in found if file.is_file() and file.resolve().is_relative_to(top))
