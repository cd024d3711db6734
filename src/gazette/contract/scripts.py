"""Language and script of every row: is it written as the corpus says?"""

from functools import cache

import polars as pl
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from gazette.languages import HOME_SCRIPT

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


def flags(articles: pl.DataFrame, language: str) -> pl.DataFrame:
    """Three columns, true where a row is not in the corpus's script, language or form of Chinese characters.

    foreign_script: less than half of the letters are in the script of the language; in a Chinese corpus, where a Latin
    word counts as one letter, less than a quarter. foreign_language: in an English corpus, py3langid holds English for
    all but impossible among thirty languages in Latin letters (rows with some of the commonest English words are not
    asked); in a Chinese one, a tenth of the letters are kana. minority_variant: in a Chinese corpus, the row is in
    traditional characters and most others are in simplified ones, or the reverse.
    """
    letters = pl.col("key").str.count_matches(LETTERS[language])
    home = pl.col("key").str.count_matches(HOME_SCRIPT[language])
    foreign = articles.select(foreign_script=home < AT_LEAST[language] * letters)
    if language == "zh":
        kana = pl.col("key").str.count_matches(KANA)
        is_japanese = (kana > 0) & (kana * 10 >= pl.col("key").str.count_matches(r"\p{L}"))
        return foreign.hstack(articles.select(foreign_language=is_japanese, minority_variant=_minority_variant()))
    return foreign.with_columns(foreign_language=_is_not_english(articles["key"]), minority_variant=pl.lit(False))


def _is_not_english(keys: pl.Series) -> pl.Series:
    start = keys.str.slice(0, JUDGED)
    doubtful = (start.str.count_matches(r"\p{Latin}") >= LEAST_LETTERS) & (start.str.count_matches(ENGLISH) < 2)
    found = [
        asked and dict(_identifier().rank(text))["en"] < DOUBT for text, asked in zip(start, doubtful, strict=True)
    ]
    return pl.Series(found, dtype=pl.Boolean)


@cache
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LATIN)
    return identifier


def _minority_variant() -> pl.Expr:
    traditional, simplified = (pl.col("key").str.count_matches(letters) for letters in _variants())
    is_traditional = (traditional >= 2) & (traditional > simplified)
    is_simplified = (simplified >= 2) & (simplified > traditional)
    return pl.when(is_traditional.sum() > is_simplified.sum()).then(is_simplified).otherwise(is_traditional)


@cache
def _variants() -> tuple[str, str]:
    """The characters of one form alone: those that only Big5 (traditional) or only GB2312 (simplified) can encode.

    A character of both (后, 里, 干: simplified forms that are traditional characters of their own) tells nothing.
    """
    han = [chr(code) for code in range(0x4E00, 0xA000)]
    big5, gb2312 = ({letter for letter in han if letter.encode(codec, "ignore")} for codec in ("big5", "gb2312"))
    return f"[{''.join(sorted(big5 - gb2312))}]", f"[{''.join(sorted(gb2312 - big5))}]"
