"""Label leakage: boilerplate that predicts the class, such as an agency's name, a column's title, a source's sign-off.

A classifier that learns such a phrase is right for a reason that the next source does not share. The statistic is that
of M. Gardner et al., "Competency Problems: On Finding and Removing Artifacts in Language Data", EMNLP 2021: a feature
that alone predicts the label, by a one-sided test with Bonferroni's correction (exact here, approximate there).
"""

from itertools import product

import polars as pl
from scipy.stats import binom

TOKEN = r"\p{Han}|[\p{L}\p{N}--\p{Han}]+|[^\p{L}\p{N}\s]"  # a Chinese character, a word or number, a punctuation mark
SPACE = r" ?(\p{Han}) ?|([\p{Ps}\p{Pi}]) | ([\p{Pe}\p{Pf}\p{Po}])"  # between tokens that are written without one
MAX_TOKENS = 4  # of a phrase
MAX_CHARACTERS = 80  # of a line, in which its first or last tokens are found
ALPHA = 0.01  # chance of a single false positive in a corpus without leakage
MIN_SHARE_AT_PLACE = 0.9  # of the texts with a phrase: boilerplate, unlike a topic, is always at the same place
MAX_ROWS_SEARCHED = 50_000  # texts, sampled with a fixed seed, in which that is measured
PART_ROWS = 1 << 16  # texts whose phrases are counted at a time


def find_leaks(articles: pl.DataFrame, min_rows_share: float, min_purity: float) -> pl.DataFrame:
    """Find phrases at either end of train texts: phrase, place, label, rows, purity, share_of_class; most rows first.

    A phrase has one to four tokens; at least `min_rows_share` of the texts have it at its place; at least `min_purity`
    of these are of one class, more than the class's share explains; and it hardly ever occurs elsewhere. Of phrases
    that extend one another, the longest with half of the rows is kept. The first and the last line of a text count
    separately, so title and description both have a start and an end.
    """
    train = articles.filter(split="train")
    texts = train.select("label", text=pl.col("text").str.normalize("NFKC").str.to_lowercase().str.strip_chars())
    phrases = _phrases(texts)
    classes = texts.group_by("label").agg(of_class=pl.len()).with_columns(share=pl.col("of_class") / texts.height)
    common = (
        phrases.filter(pl.col("rows") >= min_rows_share * texts.height)
        .join(classes, on="label")
        .with_columns(purity=pl.col("hits") / pl.col("rows"), share_of_class=pl.col("hits") / pl.col("of_class"))
    )
    chance = binom.sf(common["hits"].to_numpy() - 1, common["rows"].to_numpy(), common["share"].to_numpy())
    pure = common.filter((pl.lit(chance * common.height) < ALPHA) & (pl.col("purity") >= min_purity))
    leaks = pure.filter(_share_at_place(texts, pure) >= MIN_SHARE_AT_PLACE)
    return (
        leaks.filter(~_has_extension(leaks))
        .with_columns(pl.col("phrase").str.replace_all(SPACE, "$1$2$3"))
        .select("phrase", "place", "label", "rows", "purity", "share_of_class")
        .sort("rows", "phrase", "place", "label", descending=[True, False, False, False])
    )


def _phrases(texts: pl.DataFrame) -> pl.DataFrame:
    """Count each phrase at each place by label: rows (texts that have it there) and hits (those of the label)."""
    parts = [_phrases_of_part(part) for part in (texts.head(0), *texts.iter_slices(PART_ROWS))]
    hits = pl.concat(parts).group_by("place", "phrase", "label").agg(pl.col("hits").sum())
    return hits.with_columns(rows=pl.col("hits").sum().over("place", "phrase"))


def _phrases_of_part(texts: pl.DataFrame) -> pl.DataFrame:
    lines = pl.col("text").str.split("\n")
    outer = pl.concat_list(lines.list.first(), lines.list.last()).list.unique(maintain_order=True)
    ends = (
        texts.select("label", line=outer)
        .with_row_index("row")
        .explode("line")
        .select(
            "row",
            "label",
            start=pl.col("line").str.head(MAX_CHARACTERS).str.extract_all(TOKEN).list.head(MAX_TOKENS),
            end=pl.col("line").str.tail(MAX_CHARACTERS).str.extract_all(TOKEN).list.tail(MAX_TOKENS),
        )
    )
    tables = []
    for place, length in product(("start", "end"), range(1, MAX_TOKENS + 1)):
        tokens = pl.col(place).list.head(length) if place == "start" else pl.col(place).list.tail(length)
        phrases = ends.filter(pl.col(place).list.len() >= length).group_by("label", phrase=tokens.list.join(" "))
        hits = phrases.agg(hits=pl.col("row").n_unique().cast(pl.Int64))
        tables.append(hits.with_columns(place=pl.lit(place)))
    return pl.concat(tables)


def _share_at_place(texts: pl.DataFrame, phrases: pl.DataFrame) -> pl.Series:
    """Return, of the texts that contain a phrase anywhere, the share that has it at its place."""
    sample = texts.sample(min(MAX_ROWS_SEARCHED, texts.height), seed=7)
    spaced = " " + sample["text"].str.extract_all(TOKEN).list.join(" ") + " "
    anywhere = [spaced.str.contains(f" {phrase} ", literal=True).sum() for phrase in phrases["phrase"]]
    at_place = _phrases(sample).select("phrase", "place", at_place="rows").unique()
    rows = phrases.join(at_place, on=["phrase", "place"], how="left", maintain_order="left")["at_place"].fill_null(0)
    return (rows / pl.Series(anywhere, dtype=pl.Int64)).fill_nan(0)


def _has_extension(phrases: pl.DataFrame) -> pl.Series:
    """Tell whether a longer phrase at the same place has at least half of a phrase's rows."""
    rows = list(phrases.select("phrase", "place", "label", "rows").iter_rows())
    return pl.Series(
        [
            any(
                (place, label) == (longer_place, longer_label)
                and longer_rows * 2 >= count
                and (longer.startswith(f"{phrase} ") if place == "start" else longer.endswith(f" {phrase}"))
                for longer, longer_place, longer_label, longer_rows in rows
            )
            for phrase, place, label, count in rows
        ],
        dtype=pl.Boolean,
    )
