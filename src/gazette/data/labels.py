"""The classes of a corpus, inferred from the labels in its files."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

import polars as pl
from prefect_dvc.core.errors import ConfigError, DataContractError

from gazette.core.articles import count_reasons
from gazette.core.escape import format_places, name_first, quote, tally
from gazette.data.oddities import check_single
from gazette.data.readers.lookalikes import tell_apart, visible_forms
from gazette.data.readers.read import FLOAT

MAX_CLASSES = 1_000  # more, and it is not the label column
MAX_LABEL = 100  # characters
MIN_CLASSES = 20  # up to which labels may be rare; above, with half the rows distinct, it is not the label column

_NUMBER = re.compile(r"0|[1-9][0-9]*")


class Classes(NamedTuple):
    """The labels as a corpus's description names them."""

    labels: list[str]
    numbered_from: int | None = None


def infer_labels(articles: pl.DataFrame, rejects: pl.DataFrame | None = None) -> Classes:
    """Infer the classes from the labels of train, sorted (numbers by value); `articles` have label, split and place.

    Raises DataContractError or ConfigError if they cannot be classes; rows of train that cannot be read (`rejects`:
    split, file, line, reason) are named first, since a class may be among them.
    """
    train = articles.filter(pl.col("split") == "train")
    places = _places(train)
    if len(places) < 2:
        check_single(places)
        classes = f"1 class: {_list(places)}" if places else "0 classes"
        raise DataContractError(
            f"{_unreadable(rejects)}train has {classes}; expected two or more. Is that the label column, and are the "
            f"articles of every class among the files? It has {tally(train.height, 'row')}"
        )
    if lost := _lost_folders(rejects, articles):
        raise DataContractError(f"{_unreadable(rejects)}{name_first(lost)} would be no class, as no file of it is left")
    if len(places) > MAX_CLASSES or (len(places) > MIN_CLASSES and 2 * len(places) > train.height):
        check_single(places)
        raise ConfigError(
            f"train has {len(places):,} different labels in {tally(train.height, 'row')}; at most {MAX_CLASSES:,} are "
            f"supported. Is that the label column? The first are {_list(places)}"
        )
    check_single(places)
    check_confusable(_places(articles))
    _check_short(places)
    return Classes(sorted(places, key=int if all(map(_NUMBER.fullmatch, places)) else None))


def map_labels(articles: pl.DataFrame, names: list[str], numbered_from: int | None = None) -> Classes:
    """Match labels to `names`, in their order; if labels are numbers, infer whether they start from 0 or from 1.

    Raises DataContractError or ConfigError if names and labels do not match.
    """
    if len(names) < 2 or len(set(names)) < len(names):
        raise ConfigError("--classes: the file has fewer than two classes, or a class twice")
    places = {label if label in names else _as_integer(label): place for label, place in _places(articles).items()}
    numerals = {label: place for label, place in places.items() if _NUMBER.fullmatch(label)}
    check_confusable({**dict.fromkeys(names, "--classes"), **places})
    if sum(label in places for label in names) > len(numerals):
        return Classes(names)
    if not numerals:
        raise ConfigError(f"--classes: no label is a number or in {_list(names)}; labels are {_list(places)}")
    _check_short(numerals)
    numbers = {int(label): place for label, place in numerals.items()}
    first = _infer_first(numbers, names) if numbered_from is None else numbered_from
    if wrong := [number for number in sorted(numbers) if not 0 <= number - first < len(names)]:
        raise DataContractError(
            f"{numbers[wrong[0]]}: the label {wrong[0]} has no name; the {len(names)} of --classes are numbered "
            f"{first} to {first + len(names) - 1}. Is the label wrong, or is a class missing in the file?"
        )
    return Classes(names, first)


def _infer_first(numbers: dict[int, str], names: list[str]) -> int:
    least, most = min(numbers), max(numbers)
    if least == 0 or most == len(names):
        return min(least, 1)
    if most > len(names):
        return 1
    raise ConfigError(
        f"labels are numbers from {least} to {most} for {len(names)} classes: is {quote(names[0])} number 0 or 1? "
        "Add --numbered-from 0 or --numbered-from 1"
    )


def _check_short(places: dict[str, str]) -> None:
    if long := next((label for label in places if len(label) > MAX_LABEL or not label.isprintable()), None):
        raise ConfigError(
            f"{places[long]}: the label {quote(long)} cannot be a class: it has more than {MAX_LABEL} characters, or "
            "unprintable ones. Is that the label column?"
        )


def check_confusable(places: dict[str, str]) -> None:
    """Raise DataContractError if two labels look the same; `places` maps each to where it first occurs."""
    labels: dict[str, str] = {}
    for label, place in places.items():
        name = _as_integer(label)
        name = (name.lstrip("0") or "0") if name.isdecimal() else name  # a spreadsheet drops zeros before a number
        twins = [labels.setdefault(form, label) for form in visible_forms(name)]
        if twin := next((twin for twin in twins if twin != label), None):
            raise DataContractError(
                f"two classes that look the same: {quote(twin)} ({places[twin]}) and {quote(label)} ({place}); "
                f"use one spelling, or remove one{tell_apart({'the first': twin, 'the second': label})}"
            )


def _unreadable(rejects: pl.DataFrame | None) -> str:
    """Return how many rows of train cannot be read, why, and the first of them; empty if all can."""
    lost = rejects.filter(pl.col("split") == "train") if rejects is not None else pl.DataFrame()
    if lost.is_empty():
        return ""
    kinds = ", ".join(f"{rows:,} × {kind}" for kind, rows, _ in count_reasons(lost).head(5).iter_rows())
    return (
        f"{tally(lost.height, 'row')} of train cannot be read ({kinds}). The first: {format_places(lost.to_dicts())}. "
        "Save them as UTF-8 or correct them first: without them, "
    )


def _lost_folders(rejects: pl.DataFrame | None, articles: pl.DataFrame) -> list[str]:
    """Return the folders of train none of whose files is in UTF-8."""
    if rejects is None:
        return []

    def folders(rows: pl.DataFrame) -> list[str]:
        return [PurePosixPath(file).parent.as_posix() for file in rows.filter(pl.col("split") == "train")["file"]]

    unreadable = rejects.filter(pl.col("reason").str.starts_with("not UTF-8"), pl.col("line") > 0)
    readable = set(folders(articles)) if "file" in articles.columns else set()
    return [PurePosixPath(folder).name for folder in dict.fromkeys(folders(unreadable)) if folder not in readable]


def _places(articles: pl.DataFrame) -> dict[str, str]:
    """Map every label that is not blank to its first place, in the order of the files."""
    filled = articles.filter(pl.col("label").str.strip_chars() != "")
    first = filled.group_by("label", maintain_order=True).agg(pl.col("place").first())
    return dict(first.iter_rows())


def _as_integer(label: str) -> str:
    """Return a number such as 1.0 as an integer, other labels as they are."""
    integer = label.removesuffix(FLOAT)
    return integer if _NUMBER.fullmatch(integer) else label


def _list(labels: Iterable[str]) -> str:
    return ", ".join(map(quote, sorted(labels)[:5]))
