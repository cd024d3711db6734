"""How the bytes of a user's file become text: how it is compressed, and its encoding, found out if it is not given."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from prefect_dvc.core.errors import ConfigError, DataContractError

from gazette.core.corpus import File, Folder, Parquet
from gazette.core.encodings import PLAIN, Coding
from gazette.core.limits import MAX_LINE
from gazette.data.readers.compressed import detect_compression
from gazette.data.readers.folder import list_files
from gazette.data.readers.open import HEAD_BYTES, detect_kind, open_file
from gazette.data.survey import BOMS

logger = logging.getLogger(__name__)


class Hints(NamedTuple):
    """What a user says of a file; what is None is found out. The language helps to tell the encoding."""

    language: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    date_format: str | None = None
    time_zone: str = "UTC"
    ask: bool = True  # if the encoding is not certain; otherwise lines that are not UTF-8 are rejects


NO_HINTS = Hints()


def detect_coding(path: Path, option: str, hints: Hints = NO_HINTS) -> Coding:
    """Return how a file is compressed, and its encoding; `option` names that where it is asked for.

    Raises DataContractError if it is not text, ConfigError if the encoding is not certain.
    """
    with open_file(path) as file:
        compression = detect_compression(file.read(HEAD_BYTES))
    with open_file(path, Coding(None, compression)) as file:
        head = file.read(HEAD_BYTES)
        file.seek(0)
        if head.startswith(b"PAR1"):
            if compression:
                raise DataContractError(f"{path} is Parquet, compressed once more ({compression}); unpack it first")
            return PLAIN
        if (kind := detect_kind(head)) and not head.startswith(tuple(BOMS)):
            raise DataContractError(f"{path} is {kind}")
        if hints.encoding is not None:
            return Coding(hints.encoding, compression)
        from gazette.data import encoding

        names = _settle(lambda: [encoding.detect_encoding(file, path, hints.language, option)], hints.ask)
    return Coding(names[0], compression)


def folder_encodings(path: Path, option: str, hints: Hints) -> list[str]:
    """Return the encodings of the files in a folder, at most two; raises ConfigError if they are not certain."""
    if hints.encoding is not None:
        return [hints.encoding]
    from gazette.data import encoding

    files = (file for file in list_files(path) if file.is_file() and file.stat().st_size <= MAX_LINE)
    contents = (content for file in files if not _is_binary(content := file.read_bytes()))
    return _settle(lambda: encoding.detect_folder(contents, path, hints.language, option), hints.ask)


def list_guesses(file: File, hints: Hints) -> tuple[str, ...]:
    """List the encodings of a file that were found out, and that its bytes do not prove, as they do Unicode's."""
    if hints.encoding is not None or isinstance(file, Parquet):
        return ()
    names = file.encodings if isinstance(file, Folder) else (file.coding.encoding,)
    return tuple(name for name in names if name and not name.startswith("utf-"))


def _settle(detect: Callable[[], list[str]], ask: bool) -> list[str]:
    """Return the encodings that are found; if they are not certain, UTF-8 with a warning unless a user is asked."""
    try:
        return detect()
    except ConfigError as question:
        if ask:
            raise
        logger.warning("%s\nUntil then, what is not UTF-8 goes to quarantine.", question)
        return ["utf-8"]


def _is_binary(content: bytes) -> bool:
    return detect_kind(content[:HEAD_BYTES]) is not None and not content.startswith(tuple(BOMS))
