"""What a text goes through before it is cut into tokens or compared with another.

The same steps stand in every `tokenizer.json`, so that any program that reads a bundle takes them too.
"""

from collections.abc import Iterable

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


def normalizer(last: normalizers.Normalizer | None = None) -> normalizers.Normalizer:
    """Width and compatibility forms (NFKC), entities, lower case, control characters, space around Han characters.

    `last`, that of a pretrained tokenizer, takes the place of the last three.
    """
    ours = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=True)
    entities = (normalizers.Replace(seen, meant) for seen, meant in _ENTITIES.items())
    return normalizers.Sequence([normalizers.NFKC(), *entities, last or ours])


def normalise(texts: Iterable[str]) -> list[str]:
    """Each text as its tokenizer sees it, runs of white space made one."""
    step = normalizer()
    return [" ".join(step.normalize_str(text).split()) for text in texts]


def with_key(articles: pl.DataFrame) -> pl.DataFrame:
    """Adds `key` (the normalised text: equal keys are exact duplicates) to the articles."""
    return articles.with_columns(key=pl.Series(normalise(articles["text"]), dtype=pl.String))
