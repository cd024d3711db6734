"""Behaviour: a change that does not matter must not change the label, one that does must. Pure but for a classifier.

The three kinds of tests are those of M. Ribeiro et al., "Beyond Accuracy: Behavioral Testing of NLP Models with
CheckList", ACL 2020: invariance, direction and minimum function.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from gazette.core import files
from gazette.core.errors import parse
from gazette.evaluation.gate.rules import BEFORE, Rules
from gazette.registry.verdict import FAIL, PASS, UNKNOWN, Finding

Probabilities = Callable[[Sequence[str]], npt.NDArray[np.float32]]
Change = Callable[[str], str]
TYPO_EVERY = 12  # words; the letters of one in so many are swapped
PREFIX = {"en": "LONDON (Reuters) - ", "zh": "新华社北京11月3日电 "}


class Direction(BaseModel):
    """A text, what is added to it, and the label that must become more probable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    add: str
    label: str


class Minimum(BaseModel):
    """A text that any classifier of this corpus must label rightly."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    label: str


class Cases(BaseModel):
    """`data/corpora/<name>.cases.yaml`: names that may stand for each other, and cases that a person wrote."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: dict[str, str] = {}
    direction: list[Direction] = []
    minimum: list[Minimum] = []


def cases(path: Path) -> Cases:
    """The cases of a corpus; none where there is no such file."""
    return parse(Cases, files.read_yaml(path), str(path)) if path.exists() else Cases()


def changes(language: str, names: dict[str, str]) -> dict[str, Change]:
    """What must not matter, by name; each gives the text as it is where there is nothing to change."""
    found: dict[str, Change] = {
        "width": lambda text: text.translate(_WIDE),
        "punctuation": lambda text: "".join(" " if _is_punctuation(letter) else letter for letter in text),
        "agency": lambda text: PREFIX[language] + text,
        "names": lambda text: _swap(text, names),
    }
    if language == "zh":
        return found | {"form": _other_form}
    return found | {"case": str.upper, "typos": _typos}


_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def _is_punctuation(letter: str) -> bool:
    return unicodedata.category(letter).startswith("P")


def _swap(text: str, names: dict[str, str]) -> str:
    if not names:
        return text
    edge = "" if any(ord(name[0]) > 0x2E80 for name in names) else r"\b"  # Han characters have no edges of words
    either = names | {other: name for name, other in names.items()}
    return re.sub(f"{edge}({'|'.join(map(re.escape, either))}){edge}", lambda found: either[found[1]], text)


def _typos(text: str) -> str:
    """Swaps two letters within one of every so many words, at least one; where, depends on the text alone."""
    words = re.split(r"(\s+)", text)
    long = [place for place, word in enumerate(words) if len(word) > 4 and word.isalpha()]
    first = len(text) % min(TYPO_EVERY, len(long)) if long else 0
    for place in long[first::TYPO_EVERY]:
        word = words[place]
        words[place] = word[:2] + word[3] + word[2] + word[4:]
    return "".join(words)


def _other_form(text: str) -> str:
    """In traditional characters what is in simplified ones, and the reverse."""
    traditional = str(_converter("s2t").convert(text))
    return traditional if traditional != text else str(_converter("t2s").convert(text))


@cache
def _converter(which: str) -> Any:
    from opencc import OpenCC

    return OpenCC(which)


def invariance(
    texts: Sequence[str],
    said: npt.NDArray[np.int64],
    probabilities: Probabilities,
    language: str,
    given: Cases,
    rules: Rules,
) -> list[Finding]:
    """For each change, the share of texts it touches whose label stays; `said` is what they have as they are.

    One that touches fewer than `min_slice_rows` texts says nothing, and blocks nothing.
    """
    findings = []
    for name, change in sorted(changes(language, given.names).items()):
        changed = [(place, other) for place, text in enumerate(texts) if (other := change(text)) != text]
        if not changed:
            continue
        places = [place for place, _ in changed]
        same = probabilities([text for _, text in changed]).argmax(axis=1) == said[places]
        share, enough = round(float(same.mean()), 6), len(changed) >= rules.min_slice_rows
        outcome = UNKNOWN if not enough else PASS if share >= rules.min_unchanged else FAIL
        why = f"{int((~same).sum())} of {len(changed):,} articles change their label"
        if not enough:
            why += f"; fewer than {rules.min_slice_rows} say nothing"
        expected = f"at least {rules.min_unchanged:g}"
        findings.append(Finding(BEFORE + name, enough, outcome, share, expected, why))
    return findings


def written(given: Cases, labels: Sequence[str], probabilities: Probabilities) -> list[Finding]:
    """The cases that a person wrote: all must hold; those that do not are named."""
    findings = []
    if given.minimum:
        best = probabilities([case.text for case in given.minimum]).argmax(axis=1)
        wrong = [
            f"{case.text!r}: {labels[place]}, not {case.label}"
            for case, place in zip(given.minimum, best, strict=True)
            if labels[place] != case.label
        ]
        findings.append(_all_hold("minimum function", len(given.minimum), wrong))
    if given.direction:
        before = probabilities([case.text for case in given.direction])
        after = probabilities([f"{case.text} {case.add}" for case in given.direction])
        wrong = [
            f"{case.label} does not gain by {case.add!r}"
            for case, old, new in zip(given.direction, before, after, strict=True)
            if case.label not in labels or new[labels.index(case.label)] <= old[labels.index(case.label)]
        ]
        findings.append(_all_hold("direction", len(given.direction), wrong))
    return findings


def _all_hold(rule: str, count: int, wrong: Sequence[str]) -> Finding:
    return Finding(rule, True, FAIL if wrong else PASS, f"{count - len(wrong)} of {count}", "all", "; ".join(wrong))
