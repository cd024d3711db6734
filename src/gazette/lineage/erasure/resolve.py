"""Which article a person means: by the place of a raw row, by an id, by a file with its text, or by the text itself."""

import errno
import json
import re
from pathlib import Path

import polars as pl
from prefect_dvc.core.errors import ConfigError, DataContractError
from prefect_dvc.core.escape import escape

from gazette.core.corpus import Folder, JsonLines
from gazette.core.escape import is_unicode
from gazette.data.paths import RAW
from gazette.data.readers import plaintext, read
from gazette.lineage.erasure.article import Article
from gazette.lineage.erasure.places import Project
from gazette.serving.journal import read as journal_read

MAX_NAME = 255  # bytes of the name of a file
MAX_DIGITS = 18  # of a line number; with as many it is beyond every file, so more need not be read
_LINES = JsonLines(format="jsonl", path="-", text=["text"], label="text")
_PLACE = re.compile(r"(?P<path>.+):(?P<line>\d+)")


def find_article(project: Project, word: str) -> Article:
    """Return the article that a word names; raises ConfigError if it names none.

    It is `FILE:LINE` (a row of a raw file, or a line of JSON), a file (of a raw folder, or with nothing but the text),
    the id of a text in the journal's sample or of a question, or else a text: of two words or more, or too long for a
    name.
    """
    text = _read_place(project, word) or _read_word(project, word)
    languages = tuple(sorted({about.language for about in project.corpora.values()}))
    article = Article(text, languages)
    return Article(_unmask(project, article), languages) if article.is_masked else article


def _read_word(project: Project, word: str) -> str:
    if not is_unicode(word):
        raise ConfigError(f"{escape(word)}: no file, and no text in the terminal's encoding; put the text in a file")
    if (text := _read_id(project, word)) or len(word.split()) > 1 or len(word.encode()) > MAX_NAME:
        return text or word
    raise ConfigError(
        f"{escape(word)}: no file, no line of one, no id in {project.journal} or {project.questions}, and no text; "
        "give FILE:LINE for a row, or the whole text, best as a file"
    )


def _unmask(project: Project, article: Article) -> str:
    """Return the text in raw files of which personal data were masked in the journal; as it is if there is none."""
    for name, about in project.corpora.items():
        if (RAW / name).is_dir():
            texts = read.read_corpus(about, RAW / name)[0]["text"]
            if (matches := texts.filter(article.is_text(texts))).len():
                return str(matches[0])
    return article.text


def _read_place(project: Project, word: str) -> str | None:
    match = _PLACE.fullmatch(word)
    path, line = (Path(match["path"]), int(match["line"][:MAX_DIGITS])) if match else (Path(word), None)
    if not _is_file(path):
        return None
    inside = path.absolute().is_relative_to(RAW.absolute())
    text = _read_raw(project, path.absolute().relative_to(RAW.absolute()), line) if inside else None
    if text is not None:
        return text
    return _read_text(path) if line is None else _read_line(path, line)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return False  # it is a text


def _read_text(path: Path) -> str:
    """Return the text of a file; raises DataContractError if a line is not text in UTF-8."""
    real = path.resolve()
    lines = plaintext.read_lines(real.parent, real.name)
    _check_rejects(lines.rejects, path)
    return "\n".join(lines.articles["text"]).strip()


def _read_line(path: Path, line: int) -> str:
    """Return the text in a line of JSON; raises DataContractError if it has none, ConfigError if there is no line."""
    real = path.resolve()
    if path.suffix == ".jsonl":
        lines = read.read_file(_LINES.model_copy(update={"path": real.name}), real.parent, labeled=False)
        _check_rejects(lines.rejects.filter(line=line), path)
        if text := "".join(lines.articles.filter(line=line)["text"]):
            return text
    raise ConfigError(f"{path}:{line}: no article in this line; give the line of a raw file, of feedback, or a text")


def _check_rejects(rejects: pl.DataFrame, path: Path) -> None:
    for row in rejects.head(1).iter_rows(named=True):
        raise DataContractError(f"{path}, line {row['line']}: {row['reason']}; seen: {row['seen']}")


def _read_raw(project: Project, path: Path, line: int | None) -> str | None:
    name, inner = path.parts[0], Path(*path.parts[1:])
    about = project.corpora.get(name)
    for file in [file for files in (about.files.values() if about else ()) for file in files]:
        is_folder = isinstance(file, Folder)
        if not (inner.is_relative_to(file.path) if is_folder else inner == Path(file.path)):
            continue
        if not is_folder and line is None:
            raise ConfigError(f"{RAW / path} has many articles; name one: {RAW / path}:LINE")
        place = inner.relative_to(file.path).as_posix() if is_folder else file.path
        rows = read.read_file(file, RAW / name).articles.filter(pl.col("file") == place)
        rows = rows if is_folder else rows.filter(pl.col("line") == line)
        if rows.height:
            return str(rows["text"][0])
    return None


def _read_id(project: Project, word: str) -> str | None:
    texts = journal_read.texts(project.journal).filter(id=word)["text"].to_list()
    for path in sorted(project.questions.glob("*.jsonl")):
        records = map(json.loads, filter(None, path.read_bytes().splitlines()))
        texts += [record["text"] for record in records if record["id"] == word]
    return texts[0] if texts else None
