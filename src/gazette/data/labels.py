"""The classes of a corpus, found out from the labels that its files hold."""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

from gazette.core.errors import BrokenContract, Misconfigured
from gazette.core.escape import quoted

MOST = 1_000  # more is another column than the label's
LONGEST = 100  # characters of a label
FEW = 20  # so many may be rare each; more, and every second row one of its own, is another column too

_NUMBER = re.compile(r"0|[1-9][0-9]*")


class Classes(NamedTuple):
    """The labels as a corpus's description names them."""

    labels: list[str]
    numbered_from: int | None = None


def find(articles: pl.DataFrame) -> Classes:
    """The labels of train, sorted (numbers by size); `articles` have label, split and place.

    Raises BrokenContract or Misconfigured where they are no classes.
    """
    train = articles.filter(pl.col("split") == "train")
    places = _places(train)
    if len(places) < 2:
        raise BrokenContract(f"train has {len(places)} class: {_listed(places)}; expected two or more")
    if len(places) > MOST or (len(places) > FEW and 2 * len(places) > train.height):
        raise Misconfigured(
            f"train has {len(places):,} different labels in {train.height:,} rows; at most {MOST:,} can be learned. "
            f"Is that the label column? They begin with {_listed(places)}"
        )
    refuse_twins(_places(articles))
    if long := next((label for label in places if len(label) > LONGEST or not label.isprintable()), None):
        raise Misconfigured(
            f"{places[long]}: the label {quoted(long)} is no name of a class: more than {LONGEST} characters, or "
            "some that a screen does not show. Is that the label column?"
        )
    return Classes(sorted(places, key=int if all(map(_NUMBER.fullmatch, places)) else None))


def name(articles: pl.DataFrame, names: list[str], numbered_from: int | None = None) -> Classes:
    """The classes by `names`, in their order; where labels are numbers, whether from 0 or from 1 is found out.

    Raises BrokenContract or Misconfigured where names and labels do not fit together.
    """
    if len(names) < 2 or len(set(names)) < len(names):
        raise Misconfigured("--classes: the file names fewer than two classes, or one of them twice")
    places = _places(articles)
    numbers = {int(label): place for label, place in places.items() if _NUMBER.fullmatch(label)}
    refuse_twins({**dict.fromkeys(names, "--classes"), **places})
    if sum(label in places for label in names) > len(numbers):
        return Classes(names)
    if not numbers:
        raise Misconfigured(f"--classes: no label is a number or one of {_listed(names)}; labels are {_listed(places)}")
    first = _first(numbers, names) if numbered_from is None else numbered_from
    if wrong := [number for number in sorted(numbers) if not 0 <= number - first < len(names)]:
        raise BrokenContract(
            f"{numbers[wrong[0]]}: the label {wrong[0]} has no name; the {len(names)} of --classes are counted from "
            f"{first} to {first + len(names) - 1}. Is the label wrong, or does the file lack a class?"
        )
    return Classes(names, first)


def _first(numbers: dict[int, str], names: list[str]) -> int:
    least, most = min(numbers), max(numbers)
    if least == 0 or most == len(names):
        return min(least, 1)
    if most > len(names):
        return 1
    raise Misconfigured(
        f"labels are numbers from {least} to {most}, the classes {len(names)}: is {quoted(names[0])} number 0 or 1? "
        "Say --numbered-from 0 or --numbered-from 1"
    )


def refuse_twins(places: dict[str, str]) -> None:
    """Raises BrokenContract where two labels differ by nothing that a reader sees; `places` says where each stands."""
    seen: dict[str, str] = {}
    for label, place in places.items():
        other = seen.setdefault(_looks(label), label)
        if other != label:
            raise BrokenContract(
                f"two classes that look the same: {quoted(other)} ({places[other]}) and {quoted(label)} ({place}); "
                "spell them alike in the file, or take the one out"
            )


def _places(articles: pl.DataFrame) -> dict[str, str]:
    """Every label that is not blank, with the place where it stands first, in their order in the files."""
    filled = articles.filter(pl.col("label").str.strip_chars() != "")
    first = filled.group_by("label", maintain_order=True).agg(pl.col("place").first())
    return dict(first.iter_rows())


def _looks(label: str) -> str:
    """The label as it looks: width, case, invisible characters and white space make no difference."""
    folded = unicodedata.normalize("NFKC", label).casefold()
    return "".join(c for c in folded if not c.isspace() and unicodedata.category(c) not in ("Cf", "Cc"))


def _listed(labels: Iterable[str]) -> str:
    return ", ".join(map(quoted, sorted(labels)[:5]))
