"""An article to be erased: which cells, rows and files have its text, whole or in part.

Two texts are equal as everywhere in a corpus, after normalization. Other files have it if they have its letters and
digits, so that quotes, escapes and line breaks of a format make no difference.
"""

import html
import re
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from gazette.core.normalization import normalize
from gazette.data.erased import hash_texts
from gazette.data.validation import personal_data

SHORT = 16  # letters and digits, below which a text is only looked for as a whole cell or line
WHOLE = 48  # of a window; a file has the article if it has all windows
PART = 24  # of a window; a page made of excerpts has a part of the article if it has any window
_ESCAPES = re.compile(r"\\(?:u([0-9a-fA-F]{4})|[^u])")
_MASK = re.compile(r"<[a-z_]+>")  # in place of personal data
_CELL = re.compile(r'["\n\r\t,;|<>]+')


@dataclass(frozen=True)
class Article:
    """A text, and the languages of the project's corpora, by which personal data in it may have been masked."""

    text: str
    languages: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """The hash that stays of it."""
        return str(hash_texts(pl.Series([self.text]))[0])

    @property
    def is_masked(self) -> bool:
        """Whether personal data in it were masked, as in the journal's sample."""
        return bool(_MASK.search(self.text))

    def is_text(self, texts: pl.Series) -> pl.Series:
        """Return which texts are the article, masked or not."""
        texts = texts.fill_null("")
        is_equal = normalize(texts).is_in(self._keys)
        if not self.is_masked:
            return is_equal
        masked = (normalize(_mask(texts, language)).is_in(self._keys) for language in self.languages)
        return pl.select(pl.any_horizontal(is_equal, *masked)).to_series()

    def is_excerpt(self, cells: pl.Series) -> pl.Series:
        """Return which cells show nothing but a part of it, or all of it, after a label perhaps."""
        return cells.map_elements(self._is_excerpt, return_dtype=pl.Boolean, skip_nulls=False)

    def shares_words(self, cells: pl.Series) -> pl.Series:
        """Return which excerpts, of any article, have words in common with it: `PART` letters in a row, or all."""
        return cells.map_elements(self._shares_words, return_dtype=pl.Boolean, skip_nulls=False)

    def is_within(self, content: str, whole: bool = True) -> bool:
        """Whether a text of any format has it, or with `whole` false a part of it."""
        if len(self._letters) < SHORT:
            return any(_reduce(cell) in self._reduced_keys for cell in _CELL.split(content))
        letters = _reduce(content)
        if whole:
            return all(window in letters for window in self._windows)
        return any(window in letters for window in self._parts)

    def _is_excerpt(self, cell: str | None) -> bool:
        parts = [_reduce(cell or ""), _reduce((cell or "").partition(": ")[2])]
        return any(part in self._reduced_keys or (len(part) >= SHORT and part in self._letters) for part in parts)

    def _shares_words(self, cell: str | None) -> bool:
        letters = _reduce(cell or "")
        starts = range(max(len(letters) - PART + 1, 0))
        return self._is_excerpt(cell) or any(letters[start : start + PART] in self._letters for start in starts)

    @cached_property
    def _letters(self) -> str:
        return _reduce(self.text)

    @cached_property
    def _keys(self) -> list[str]:
        text = pl.Series([self.text])
        masked = (_mask(text, language) for language in self.languages)
        return normalize(pl.concat([text, *masked])).unique().to_list()

    @cached_property
    def _reduced_keys(self) -> set[str]:
        return {_reduce(key) for key in self._keys} - {""}

    @cached_property
    def _windows(self) -> list[str]:
        """The windows of each line, since columns that were joined by a line break may lie apart, without masks."""
        parts = (part for line in self.text.splitlines() for part in _MASK.split(line))
        lines = [letters for part in parts if len(letters := _reduce(part)) >= SHORT]
        return [window for line in lines or [self._letters] for window in _cut(line, WHOLE, WHOLE // 2)]

    @cached_property
    def _parts(self) -> list[str]:
        return _cut(self._letters, PART, PART // 3)


def _mask(texts: pl.Series, language: str) -> pl.Series:
    return personal_data.mask(texts, personal_data.find_personal_data(texts, language))


def _cut(letters: str, size: int, step: int) -> list[str]:
    last = max(len(letters) - size, 0)
    return [letters[start : start + size] for start in sorted({*range(0, last, step), last})]


def _reduce(text: str) -> str:
    """Return the letters and digits of a text, in lower case, after the escapes of JSON and HTML are undone."""
    if "\\" in text:
        text = _ESCAPES.sub(lambda match: chr(int(match[1], 16)) if match[1] else " ", text)
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if "&" in text:
        text = html.unescape(text)
    return re.sub(r"[\W_]+", "", text.casefold())
