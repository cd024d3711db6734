"""What a text goes through before it is cut into tokens or compared with another.

The same steps stand in every `tokenizer.json`, so that any program that reads a bundle takes them too.
"""

from collections.abc import Iterable

import numpy as np
import polars as pl
from tokenizers import normalizers

# Entities that lost their ampersand on the way through a feed (AG News), then those that kept it.
_ENTITIES = {
    "&lt;": "<",
    "&gt;": ">",
    "&quot;": '"',
    "&nbsp;": " ",
    "&amp;": "&",
    "#39;": "'",
    "#36;": "$",
    " quot;": ' "',
    "\\": " ",  # a line break, once
}
# What one character at a time becomes, whatever stands beside it: no mark that joins another, no sign that vanishes.
_PLAIN = r"\x00-\x7f\u00a1-\u00ac\u00ae-\u00ff‘’“”–—…、。《》「」『』【】\u4e00-\u9fff\uff01-\uff5e"


def normalizer(last: normalizers.Normalizer | None = None, *, han_apart: bool = True) -> normalizers.Normalizer:
    """Width and compatibility forms (NFKC), entities, lower case, control characters, space around Han characters.

    `last`, that of a pretrained tokenizer, takes the place of the last three.
    """
    ours = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=han_apart, strip_accents=False, lowercase=True
    )
    entities = (normalizers.Replace(seen, meant) for seen, meant in _ENTITIES.items())
    return normalizers.Sequence([normalizers.NFKC(), *entities, last or ours])


def normalise(texts: Iterable[str]) -> list[str]:
    """Each text as its tokenizer sees it, runs of white space made one."""
    step = normalizer()
    return [" ".join(step.normalize_str(text).split()) for text in texts]


def normalised(texts: pl.Series) -> pl.Series:
    """`normalise`; texts of ASCII alone take a tenth of the time, those of other plain characters (Chinese) half."""
    ascii_alone, plain = ~texts.str.contains(r"[^\x00-\x7f]"), ~texts.str.contains(f"[^{_PLAIN}]")
    kinds = [ascii_alone, plain & ~ascii_alone, ~plain]
    short, wide, others = (texts.filter(kind) for kind in kinds)
    done = [_cleaned(short), _cleaned(wide.str.normalize("NFKC")), pl.Series(normalise(others), dtype=pl.String)]
    return pl.concat(done).gather(np.argsort(np.concatenate([kind.arg_true() for kind in kinds])))


def _cleaned(texts: pl.Series) -> pl.Series:
    """What follows NFKC, of texts that are `_PLAIN`."""
    for seen, meant in _ENTITIES.items():
        texts = texts.str.replace_all(seen, meant, literal=True)
    texts = texts.str.replace_all(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "").str.to_lowercase()
    texts = texts.str.replace_all(r"[\u4e00-\u9fff]", " $0 ")
    return texts.str.replace_all(r"[\t\n\r]", " ").str.replace_all("  +", " ").str.strip_chars(" ")


def with_key(articles: pl.DataFrame) -> pl.DataFrame:
    """Adds `key` (the normalised text: equal keys are exact duplicates) to the articles."""
    return articles.with_columns(key=normalised(articles["text"]))
