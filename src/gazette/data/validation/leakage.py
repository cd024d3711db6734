"""Boilerplate that gives a class away: an agency's name, a column's title, a source's tail.

A classifier that learns such a phrase is right for a reason that the next source does not share. The statistic is that
of M. Gardner et al., "Competency Problems: On Finding and Removing Artifacts in Language Data", EMNLP 2021: a feature
that alone predicts the label, by a one-sided test with Bonferroni's correction (exact here, where they approximate).
"""

from itertools import product

import polars as pl
from scipy.stats import binom

TOKEN = r"\p{Han}|[\p{L}\p{N}--\p{Han}]+|[^\p{L}\p{N}\s]"  # a Chinese character, a word or number, a sign
SPACE = r" ?(\p{Han}) ?|([\p{Ps}\p{Pi}]) | ([\p{Pe}\p{Pf}\p{Po}])"  # between tokens that are written together
LONGEST = 4  # tokens
REACH = 80  # characters in which that many tokens are looked for
ALPHA = 0.01  # chance of a single false find in a corpus without giveaways
AT_ITS_PLACE = 0.9  # share of a phrase's texts that have it there: a subject, unlike boilerplate, stands anywhere
SEARCHED = 50_000  # texts, drawn with a fixed seed, in which that is measured
MOST = 200_000  # train texts, drawn with a fixed seed, that are looked at
PART = 1 << 16  # texts whose phrases are counted at a time


def find(articles: pl.DataFrame, min_rows_share: float, min_purity: float) -> pl.DataFrame:
    """Phrases at the start or end of train texts: phrase, place, label, rows, purity, share_of_class; most rows first.

    Found is a phrase of one to four tokens that at least `min_rows_share` of the texts have there; of these at least
    `min_purity` are of one class, more than the class's own share explains; and which hardly ever stands elsewhere.
    Of phrases that go on into one another the longest that still has half of the rows is named. The first and the last
    line of a text count each, so a title and a description both have a start and an end. Of more than `MOST` train
    texts so many are looked at, and rows are among these.
    """
    rows = (articles["split"] == "train").arg_true()
    train = articles.select("label", "text")[rows if rows.len() <= MOST else rows.sample(MOST, seed=7).sort()]
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
    placed = pure.filter(_share_at_place(texts, pure) >= AT_ITS_PLACE)
    return (
        placed.filter(~_goes_on(placed))
        .with_columns(pl.col("phrase").str.replace_all(SPACE, "$1$2$3"))
        .select("phrase", "place", "label", "rows", "purity", "share_of_class")
        .sort("rows", "phrase", "place", "label", descending=[True, False, False, False])
    )


def _phrases(texts: pl.DataFrame) -> pl.DataFrame:
    """Every phrase at each place by label: rows (texts that have it there) and hits (those of the label)."""
    parts = [_phrases_of_part(part) for part in (texts.head(0), *texts.iter_slices(PART))]
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
            start=pl.col("line").str.head(REACH).str.extract_all(TOKEN).list.head(LONGEST),
            end=pl.col("line").str.tail(REACH).str.extract_all(TOKEN).list.tail(LONGEST),
        )
    )
    tables = []
    for place, length in product(("start", "end"), range(1, LONGEST + 1)):
        some = pl.col(place).list.head(length) if place == "start" else pl.col(place).list.tail(length)
        phrases = ends.filter(pl.col(place).list.len() >= length).group_by("label", phrase=some.list.join(" "))
        hits = phrases.agg(hits=pl.col("row").n_unique().cast(pl.Int64))
        tables.append(hits.with_columns(place=pl.lit(place)))
    return pl.concat(tables)


def _share_at_place(texts: pl.DataFrame, found: pl.DataFrame) -> pl.Series:
    """Of the texts in which a phrase stands, wherever, the share that has it at its place."""
    some = texts.sample(min(SEARCHED, texts.height), seed=7)
    spaced = " " + some["text"].str.extract_all(TOKEN).list.join(" ") + " "
    anywhere = [spaced.str.contains(f" {phrase} ", literal=True).sum() for phrase in found["phrase"]]
    there = _phrases(some).select("phrase", "place", there="rows").unique()
    rows = found.join(there, on=["phrase", "place"], how="left", maintain_order="left")["there"].fill_null(0)
    return (rows / pl.Series(anywhere, dtype=pl.Int64)).fill_nan(0)


def _goes_on(found: pl.DataFrame) -> pl.Series:
    """Whether a longer phrase that was found at the same place has half of a phrase's rows or more."""
    rows = list(found.select("phrase", "place", "label", "rows").iter_rows())
    return pl.Series(
        [
            any(
                (place, label) == (other, of)
                and rest * 2 >= count
                and (longer.startswith(f"{phrase} ") if place == "start" else longer.endswith(f" {phrase}"))
                for longer, other, of, rest in rows
            )
            for phrase, place, label, count in rows
        ],
        dtype=pl.Boolean,
    )
