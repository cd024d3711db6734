"""Language and script of every row: is it written as the corpus says?"""

import unicodedata
from functools import cache
from typing import Any

import numpy as np
import polars as pl
from py3langid.langid import MODEL_FILE, LanguageIdentifier
from scipy.sparse import csr_array
from scipy.special import softmax

from gazette.core.languages import HOME_SCRIPT

LETTERS = {"en": r"\p{L}", "zh": r"\p{Han}|[\p{L}--\p{Han}]+"}  # beside Chinese characters, a word counts as one
AT_LEAST = {"en": 0.5, "zh": 0.25}  # of the letters in the home script; a Chinese headline may be full of brands
KANA = r"[\p{Hiragana}\p{Katakana}]"
JUDGED = 300  # characters of a text that its language is judged from
LEAST_LETTERS = 30  # a shorter headline may be names and little else
DOUBT = 0.002  # a row is foreign where English is less probable: 60 characters full of foreign names go down to 0.005
ENGLISH = r"\b(?:the|and|with|from|after|said|says|that|this|which|have|has|been|its|their|would|against)\b"
LATIN = [
    "af", "ca", "cs", "da", "de", "en", "es", "et", "fi", "fr", "hr", "hu", "id", "it", "lt",
    "lv", "ms", "nl", "no", "pl", "pt", "ro", "sk", "sl", "sq", "sv", "sw", "tl", "tr", "vi",
]  # fmt: skip


def marks(articles: pl.DataFrame, language: str) -> pl.DataFrame:
    """What each row shows by itself, its `key` alone: two of the flags, and the form of its Chinese characters."""
    if language == "zh":
        kana = pl.col("key").str.count_matches(KANA)
        return articles.select(
            foreign_script=_is_foreign("zh"),
            foreign_language=(kana > 0) & (kana * 10 >= pl.col("key").str.count_matches(r"\p{L}")),
            **_forms(),
        )
    beyond_ascii = pl.col("key").str.contains(r"[^\x00-\x7f]")
    rows = articles.select("key", asked=beyond_ascii).with_row_index("row")
    foreign = rows.filter("asked").filter(_is_foreign("en"))["row"]
    return rows.select(
        foreign_script=pl.col("row").is_in(foreign.implode()),
        foreign_language=_is_not_english(articles["key"]),
        traditional=False,
        simplified=False,
    )


def flags(marks: pl.DataFrame) -> pl.DataFrame:
    """Three columns, true where a row is not in the corpus's script, language or form of Chinese characters.

    foreign_script: less than half of the letters are in the script of the language; in a Chinese corpus, where a Latin
    word counts as one letter, less than a quarter. foreign_language: in an English corpus, py3langid holds English for
    all but impossible among thirty languages in Latin letters (rows with some of the commonest English words are not
    asked); in a Chinese one, a tenth of the letters are kana. minority_variant: in a Chinese corpus, the row is in
    traditional characters and most others are in simplified ones, or the reverse.
    """
    minority = "simplified" if marks["traditional"].sum() > marks["simplified"].sum() else "traditional"
    return marks.select("foreign_script", "foreign_language", minority_variant=minority)


def _is_foreign(language: str) -> pl.Expr:
    letters = pl.col("key").str.count_matches(LETTERS[language])
    return pl.col("key").str.count_matches(HOME_SCRIPT[language]) < AT_LEAST[language] * letters


def _is_not_english(keys: pl.Series) -> pl.Series:
    start = keys.str.slice(0, JUDGED)
    few = start.to_frame("start").with_row_index("row").filter(pl.col("start").str.count_matches(ENGLISH) < 2)
    doubtful = few.filter(pl.col("start").str.count_matches(r"\p{Latin}") >= LEAST_LETTERS)
    unlikely = doubtful.filter(_english(doubtful["start"]) < 2 * DOUBT) if doubtful.height else doubtful
    foreign = [row for row, text in unlikely.iter_rows() if dict(_identifier().rank(text))["en"] < DOUBT]
    return pl.Series(np.isin(np.arange(keys.len()), foreign))


def _english(texts: pl.Series) -> pl.Series:
    """How probable English is, by py3langid's own automaton and weights but for all texts at once, up to rounding."""
    moves, rows, features, weights, bias, english = _automaton()
    written = [unicodedata.normalize("NFC", text).encode() for text in texts]
    lengths = np.array([len(text) for text in written], dtype=np.int64)
    state, found = np.zeros(len(written), dtype=np.int64), []
    padded = np.frombuffer(b"".join(text.ljust(lengths.max(), b"\0") for text in written), dtype=np.uint8)
    for place, letters in enumerate(padded.reshape(len(written), -1).T):
        state = moves[rows[state] + letters].astype(np.int64)
        seen = np.flatnonzero((features[state] >= 0) & (place < lengths))
        found.append(np.stack((seen, features[state[seen]])))
    at = np.concatenate(found, axis=1)
    counts = csr_array((np.ones(at.shape[1], dtype=np.float32), at), shape=(len(written), len(weights)))
    counts.data = np.log1p(counts.data)
    scores = (counts @ weights + bias) / np.sqrt(np.maximum(lengths, 1))[:, None]
    return pl.Series(softmax(scores, axis=1)[:, english])


@cache
def _automaton() -> tuple[Any, ...]:
    model = _identifier()
    moves, rows, features = (np.asarray(table) for table in (model.tk_nextmove, model.tk_row, model.tk_output))
    weights = model.nb_ptc.astype(np.float32)
    return moves, rows.astype(np.int64) << 8, features, weights, model.nb_pc, model.nb_classes.index("en")


@cache
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LATIN)
    return identifier


def _forms() -> dict[str, pl.Expr]:
    traditional, simplified = (pl.col("key").str.count_matches(letters) for letters in _variants())
    return {
        "traditional": (traditional >= 2) & (traditional > simplified),
        "simplified": (simplified >= 2) & (simplified > traditional),
    }


@cache
def _variants() -> tuple[str, str]:
    """The characters of one form alone: those that only Big5 (traditional) or only GB2312 (simplified) can encode.

    A character of both (后, 里, 干: simplified forms that are traditional characters of their own) tells nothing.
    """
    han = [chr(code) for code in range(0x4E00, 0xA000)]
    big5, gb2312 = ({letter for letter in han if letter.encode(codec, "ignore")} for codec in ("big5", "gb2312"))
    return f"[{''.join(sorted(big5 - gb2312))}]", f"[{''.join(sorted(gb2312 - big5))}]"
