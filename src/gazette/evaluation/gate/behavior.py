"""Behavioral tests: a perturbation that does not matter must keep the label, one that matters must change it.

The three kinds of tests are those of M. Ribeiro et al., "Beyond Accuracy: Behavioral Testing of NLP Models with
CheckList", ACL 2020: invariance, directional expectation and minimum functionality. Pure, except for the classifier.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from prefect_dvc.core.errors import parse
from pydantic import BaseModel

from gazette.core import files
from gazette.core.escape import format_places, tally
from gazette.data.languages import base
from gazette.evaluation.gate.floors import MAX_PLACES
from gazette.evaluation.gate.rules import INVARIANCE, Rules
from gazette.registry.verdict import FAIL, PASS, UNKNOWN, Finding

Probabilities = Callable[[Sequence[str]], npt.NDArray[np.float32]]
Perturbation = Callable[[str], str]
TYPO_EVERY = 12  # words; one word in this many gets two letters swapped
PREFIX = {"en": "LONDON (Reuters) - ", "zh": "新华社北京11月3日电 "}


class Direction(BaseModel, frozen=True, extra="forbid"):
    """A text, words to append, and the label that must become more probable."""

    text: str
    add: str
    label: str


class Minimum(BaseModel, frozen=True, extra="forbid"):
    """A text that any classifier of this corpus must label correctly."""

    text: str
    label: str


class Cases(BaseModel, frozen=True, extra="forbid"):
    """`data/corpora/<name>.cases.yaml`: interchangeable names, and hand-written test cases."""

    names: dict[str, str] = {}
    direction: list[Direction] = []
    minimum: list[Minimum] = []


def read_cases(path: Path) -> Cases:
    """Read the cases of a corpus; empty if there is no such file."""
    return parse(Cases, files.read_yaml(path), str(path)) if path.exists() else Cases()


def perturbations(language: str, names: dict[str, str]) -> dict[str, Perturbation]:
    """Return the perturbations that must not matter, by name; each returns a text unchanged if it does not apply."""
    common: dict[str, Perturbation] = {
        "width": lambda text: text.translate(_WIDE),
        "punctuation": lambda text: "".join(" " if _is_punctuation(letter) else letter for letter in text),
        "agency": lambda text: PREFIX.get(base(language), "") + text,  # unchanged, so skipped, if none is known
        "names": lambda text: _swap_names(text, names),
    }
    if base(language) == "zh":
        return common | {"form": _convert_form}
    return common | {"case": str.upper, "typos": _add_typos}


_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def _is_punctuation(letter: str) -> bool:
    return unicodedata.category(letter).startswith("P")


def _swap_names(text: str, names: dict[str, str]) -> str:
    if not names:
        return text
    edge = "" if any(ord(name[0]) > 0x2E80 for name in names) else r"\b"  # Han characters have no word boundaries
    both = names | {value: name for name, value in names.items()}
    return re.sub(f"{edge}({'|'.join(map(re.escape, both))}){edge}", lambda match: both[match[1]], text)


def _add_typos(text: str) -> str:
    """Swap two letters in every TYPO_EVERYth long word, at least in one; the choice depends only on the text."""
    words = re.split(r"(\s+)", text)
    long = [index for index, word in enumerate(words) if len(word) > 4 and word.isalpha()]
    first = len(text) % min(TYPO_EVERY, len(long)) if long else 0
    for index in long[first::TYPO_EVERY]:
        word = words[index]
        words[index] = word[:2] + word[3] + word[2] + word[4:]
    return "".join(words)


def _convert_form(text: str) -> str:
    traditional = str(_converter("s2t").convert(text))
    return traditional if traditional != text else str(_converter("t2s").convert(text))


@cache
def _converter(name: str) -> Any:
    from opencc import OpenCC

    return OpenCC(name)


def check_invariance(
    texts: Sequence[str],
    predicted: npt.NDArray[np.int64],
    probabilities: Probabilities,
    language: str,
    cases: Cases,
    rules: Rules,
    places: Sequence[Mapping[str, Any]] = (),
) -> list[Finding]:
    """Check, for each perturbation, the share of affected texts whose label stays; `predicted` are the labels before.

    `places` are file and line of each text, for those whose label changes.

    A perturbation that affects fewer than `min_slice_rows` texts is inconclusive and does not block.
    """
    findings = []
    for name, perturb in sorted(perturbations(language, cases.names).items()):
        changed = [(row, new) for row, text in enumerate(texts) if (new := perturb(text)) != text]
        if name == "agency" and base(language) not in PREFIX:
            why = f"skipped: how an agency begins its articles is not known for the language {language}"
            findings.append(Finding(INVARIANCE + name, UNKNOWN, "skipped", "the same labels", why, blocks=False))
        if not changed:
            continue
        rows = [row for row, _ in changed]
        same = probabilities([text for _, text in changed]).argmax(axis=1) == predicted[rows]
        share, enough = round(float(same.mean()), 6), len(changed) >= rules.min_slice_rows
        outcome = UNKNOWN if not enough else PASS if share >= rules.min_invariance else FAIL
        why = f"{int((~same).sum())} of {tally(len(changed), 'article')} change their label"
        if outcome == FAIL and places:
            changing = [places[row] for row, stays in zip(rows, same, strict=True) if not stays]
            why += f"; the first: {format_places(changing, MAX_PLACES)}"
        if not enough:
            why += f"; fewer than {rules.min_slice_rows} are inconclusive"
        expected = f"at least {rules.min_invariance:g}"
        findings.append(Finding(INVARIANCE + name, outcome, share, expected, why, blocks=enough))
    return findings


def check_cases(cases: Cases, labels: Sequence[str], probabilities: Probabilities) -> list[Finding]:
    """Check the hand-written cases, which must all hold; those that do not are named."""
    findings = []
    if cases.minimum:
        best = probabilities([case.text for case in cases.minimum]).argmax(axis=1)
        wrong = [
            f"{case.text!r}: {labels[number]}, not {case.label}"
            for case, number in zip(cases.minimum, best, strict=True)
            if labels[number] != case.label
        ]
        findings.append(_all_hold("minimum function", len(cases.minimum), wrong))
    if cases.direction:
        before = probabilities([case.text for case in cases.direction])
        after = probabilities([f"{case.text} {case.add}" for case in cases.direction])
        wrong = [
            f"{case.label} does not gain from {case.add!r}"
            for case, old, new in zip(cases.direction, before, after, strict=True)
            if case.label not in labels or new[labels.index(case.label)] <= old[labels.index(case.label)]
        ]
        findings.append(_all_hold("direction", len(cases.direction), wrong))
    return findings


def _all_hold(rule: str, count: int, wrong: Sequence[str]) -> Finding:
    return Finding(rule, FAIL if wrong else PASS, f"{count - len(wrong)} of {count}", "all", "; ".join(wrong))
