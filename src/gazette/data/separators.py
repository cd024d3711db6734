"""Delimiters of other kinds than comma, tab, semicolon and bar: `||`, `_!_`, `\\x01`, found by their regularity."""

import re
from collections import Counter

from gazette.core.limits import MAX_DELIMITER

LINES = 200  # of the sample
IRREGULAR = 0.05  # share of them in which a delimiter stands less or more often than in most; one may always be
MOST = 6  # candidates
RUN = re.compile(rf"(?:[^\W_]*)((?:[^\w\"\r\n]|_){{1,{MAX_DELIMITER}}})")
TEXT_END = re.compile(r"^ *[.!?)\]’”…。！？」』》】%]+")
TEXT_START = re.compile(r"[(\[“‘‹«「『《【#@$£€¿¡*]+$")
PUNCTUATION = set(" .-_'!?:/()&+*@=<>[]{}%$`，。！？：、《》“”‘’—…·～#")  # alone, they are part of texts


def delimiters_of(sample: bytes) -> list[str]:
    """Return runs of other characters than letters and digits that stand in every line equally often, longest first."""
    lines = sample.decode("utf-8", "replace").removeprefix("\ufeff").split("\n")[:LINES]
    lines = [line for line in lines if line.strip()]
    by_line = ({_leave_texts(run) for run in RUN.findall(line)} for line in lines[:20])
    runs = Counter(run for several in by_line for run in several if _can_part(run))
    regular = [run for run, _ in runs.most_common(50) if _is_regular(run, lines)]
    return sorted(regular, key=len, reverse=True)[:MOST]


def _leave_texts(run: str) -> str:
    """Return a run without the punctuation that ends the text before it and begins that after it, if more is left."""
    inner = TEXT_START.sub("", TEXT_END.sub("", run))
    return inner if set(inner) - PUNCTUATION else run


def _can_part(run: str) -> bool:
    return run not in {",", ";", "\t", "|"} and bool(run.strip(" ")) and not (len(run) == 1 and run in PUNCTUATION)


def _is_regular(run: str, lines: list[str]) -> bool:
    counts = Counter(line.count(run) for line in lines)
    times, rows = counts.most_common(1)[0]
    return times > 0 and len(lines) - rows <= max(len(lines) > 2, IRREGULAR * len(lines))
