"""The text of a `dvc.lock` as DVC writes it, entry by entry. Pure.

YAML takes seconds to read and to write a lock of a thousand stages, and a run does both for each of them. Each entry is
a block of its own, so the text of one can be replaced without the others.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

_STAGES = re.compile(r"^stages:\n", re.MULTILINE)
_TAIL = re.compile(r"^(?=\S)", re.MULTILINE)
_START = re.compile(r"^(?=  \S)", re.MULTILINE)
_NAME = re.compile(r"  (?:'((?:[^'\n]|'')+)'|([^\s'\"\-?:,\[\]{}#&*!|>%@`][^\n:#]*)):\n")
_BODY = re.compile(r"(?: {4}.*\n|\n)+")


@dataclass(frozen=True)
class LockText:
    """A lock: the block of each stage by its name, and what is before and after them."""

    head: str
    blocks: Mapping[str, str]
    tail: str

    def update(self, blocks: Mapping[str, str]) -> "LockText":
        """Return the lock with other blocks of some stages, and with those of new stages at the end."""
        return replace(self, blocks={**self.blocks, **blocks})

    def sort(self, order: Iterable[str]) -> "LockText":
        """Return the lock with its blocks in another order."""
        return replace(self, blocks={name: self.blocks[name] for name in order})

    def __str__(self) -> str:
        return self.head + "".join(self.blocks.values()) + self.tail


def split(text: str) -> LockText | None:
    """Return the parts of a lock; None if DVC does not write one so."""
    stages = _STAGES.search(text)
    if not stages or not text.endswith("\n"):
        return None
    tail = _TAIL.search(text, stages.end())
    end = tail.start() if tail else len(text)
    before, *starts = _START.split(text[stages.end() : end])
    blocks = {}
    for block in starts:
        start = _NAME.match(block)
        name = (start[1] or "").replace("''", "'") or start[2] if start else ""
        if not start or name in blocks or not _BODY.fullmatch(block, start.end()):
            return None
        blocks[name] = block
    return None if before else LockText(text[: stages.end()], blocks, text[end:])
