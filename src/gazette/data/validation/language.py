"""Language and script of every row, compared with those of the corpus."""

from functools import cache

import polars as pl
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from gazette.core import normalization
from gazette.data.languages import base, home_script

MIN_SHARE = 0.5  # of the letters in the home script
DENSE = {"zh", "ja", "ko"}  # among whose characters a word in another script counts as one letter
MIN_DENSE = 0.25  # a Chinese headline may be full of brands
KANA = r"[\p{Hiragana}\p{Katakana}]"
MAX_CHARACTERS = 300  # of a text, from its start, that identify its language
MIN_LETTERS = 30  # a shorter headline may be little more than names
MIN_ENGLISH = 0.002  # probability below which a row is foreign; 60 characters full of foreign names reach 0.005
MAX_ROWS_IDENTIFIED = 200_000  # sampled with a fixed seed
ENGLISH = r"\b(?:the|and|with|from|after|said|says|that|this|which|have|has|been|its|their|would|against)\b"
LATIN = [
    "af", "ca", "cs", "da", "de", "en", "es", "et", "fi", "fr", "hr", "hu", "id", "it", "lt",
    "lv", "ms", "nl", "no", "pl", "pt", "ro", "sk", "sl", "sq", "sv", "sw", "tl", "tr", "vi",
]  # fmt: skip


def mark_languages(articles: pl.DataFrame, language: str) -> pl.DataFrame:
    """Return what each row's `key` shows by itself, for `flag_other_languages`; a check that is skipped flags nothing.

    foreign_script is final; foreign_language is final for Chinese and a suspicion for English; traditional and
    simplified tell the form of Chinese characters.
    """
    if base(language) == "zh":
        kana = pl.col("key").str.count_matches(KANA)
        return articles.select(
            foreign_script=_is_foreign_script(language),
            foreign_language=(kana > 0) & (kana * 10 >= pl.col("key").str.count_matches(r"\p{L}")),
            **_forms(),
        )
    rows = articles.select("key").with_row_index("row")
    if base(language) != "en":
        foreign_script = pl.repeat(False, pl.len()) if home_script(language) is None else _is_foreign_script(language)
        return rows.select(foreign_script=foreign_script, foreign_language=False, traditional=False, simplified=False)
    foreign = rows.filter(pl.col("key").str.contains(r"[^\x00-\x7f]")).filter(_is_foreign_script(language))["row"]
    start = pl.col("key").str.slice(0, MAX_CHARACTERS)
    is_suspect = (start.str.count_matches(ENGLISH) < 2) & (start.str.count_matches(r"\p{Latin}") >= MIN_LETTERS)
    return rows.select(
        foreign_script=pl.col("row").is_in(foreign.implode()),
        foreign_language=is_suspect,
        traditional=False,
        simplified=False,
    )


def flag_other_languages(marks: pl.DataFrame, texts: pl.Series, language: str) -> pl.DataFrame:
    """Return three columns, true if a row is not in the corpus's script, language or form of Chinese characters.

    foreign_script: less than half of the letters are in the script of the language; in a Chinese corpus, where a Latin
    word counts as one letter, less than a quarter. foreign_language: in an English corpus, English is nearly impossible
    among thirty languages in Latin letters according to py3langid (rows with common English words are not tested; in a
    larger corpus, rows beyond a sample of `MAX_ROWS_IDENTIFIED` are null); in a Chinese one, a tenth of the letters are
    kana. minority_variant: in a Chinese corpus, the row is in traditional characters and most others are in simplified
    ones, or the reverse.
    """
    minority = "simplified" if marks["traditional"].sum() > marks["simplified"].sum() else "traditional"
    flags = marks.select("foreign_script", "foreign_language", minority_variant=minority)
    if base(language) != "en":
        return flags
    return flags.with_columns(foreign_language=_identify_foreign(marks["foreign_language"], texts))


def _is_foreign_script(language: str) -> pl.Expr:
    home, is_dense = home_script(language) or r"\p{L}", base(language) in DENSE
    letters = pl.col("key").str.count_matches(rf"{home}|[\p{{L}}--{home}]+" if is_dense else r"\p{L}")
    return pl.col("key").str.count_matches(home) < (MIN_DENSE if is_dense else MIN_SHARE) * letters


def _identify_foreign(suspects: pl.Series, texts: pl.Series) -> pl.Series:
    rows = pl.int_range(texts.len(), eager=True)
    sample = rows if texts.len() <= MAX_ROWS_IDENTIFIED else rows.sample(MAX_ROWS_IDENTIFIED, seed=7)
    suspected = sample.filter(suspects.gather(sample))
    starts = normalization.normalize(texts.gather(suspected)).str.slice(0, MAX_CHARACTERS)
    foreign = suspected.filter(
        pl.Series([dict(_identifier().rank(start))["en"] < MIN_ENGLISH for start in starts], dtype=pl.Boolean)
    )
    identified = pl.when(rows.is_in(sample.implode())).then(rows.is_in(foreign.implode()))
    return pl.select(identified).to_series()


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
    """Return the characters that only Big5 (traditional), or only GB2312 (simplified), can encode, as two patterns.

    Characters of both (后, 里, 干: simplified forms that are also traditional characters) are in neither.
    """
    han = [chr(code) for code in range(0x4E00, 0xA000)]
    big5, gb2312 = ({letter for letter in han if letter.encode(codec, "ignore")} for codec in ("big5", "gb2312"))
    return f"[{''.join(sorted(big5 - gb2312))}]", f"[{''.join(sorted(gb2312 - big5))}]"
