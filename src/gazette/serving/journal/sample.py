"""Texts of a random share of the answers, apart from the records, without personal data, for people who label some."""

import hashlib
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import orjson
from prefect_dvc.core import atomic

from gazette.serving.journal import layout, write


class Sample:
    """Draws texts by a hash under a secret key, so that nobody can choose which."""

    def __init__(self, folder: Path, share: float) -> None:
        self.folder, self.share, self.key = folder, share, _key(folder)

    def draw(self, ids: Sequence[str], texts: Sequence[str]) -> list[tuple[str, str]]:
        """Return the ids and texts that are drawn; always the same ones of equal ids and texts."""
        return [(id, text) for id, text in zip(ids, texts, strict=True) if self._is_drawn(f"{id}\0{text}")]

    def _is_drawn(self, content: str) -> bool:
        digest = hashlib.blake2b(content.encode(errors="replace"), key=self.key, digest_size=8).digest()
        return int.from_bytes(digest) < self.share * 2**64

    def append(self, hour: str, pairs: Sequence[tuple[str, str]], language: str) -> None:
        """Write drawn texts, masked, to the file of their day; raises OSError if the disk is full."""
        masked = _mask([text for _, text in pairs], language)
        records = [{"id": id, "hour": hour, "text": text} for (id, _), text in zip(pairs, masked, strict=True)]
        lines = b"".join(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in records)
        write.append_lines(self.folder / layout.TEXTS / f"{hour[:10]}.jsonl", lines)


def _mask(texts: list[str], language: str) -> list[str]:
    import polars as pl  # a tenth of a second and 50 MB, in a server only for what is drawn

    from gazette.data.validation import personal_data

    column = pl.Series(texts, dtype=pl.String)
    masked: list[str] = personal_data.mask(column, personal_data.find_personal_data(column, language)).to_list()
    return masked


def _key(folder: Path) -> bytes:
    """Return the journal's secret key; the first who asks makes it."""
    path = folder / layout.KEY
    if not path.exists():
        write.make_folder(folder)
        partial = atomic.temporary_path(path)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
        with suppress(FileExistsError):
            path.hardlink_to(partial)
        partial.unlink()
    return path.read_bytes()
