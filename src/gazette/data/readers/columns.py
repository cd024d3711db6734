"""Finding a column by its name or position, and saying what a header lacks."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from gazette.core.errors import BrokenContract
from gazette.core.escape import quoted

DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}


def place(wanted: str | int, names: list[str] | list[int], path: Path, delimiter: str) -> int:
    """Where the column stands, from 0; raises BrokenContract, with what is there, where it does not or stands twice."""
    if names.count(wanted) == 1:  # type: ignore[arg-type]
        return names.index(wanted)  # type: ignore[arg-type]
    found, why = ("more than one column", "") if wanted in names else ("no column", hint(wanted, names, delimiter))
    raise BrokenContract(
        f"{path}, line 1: {found} {wanted!r} among {listed(names)}{why}; correct the corpus's description or the file"
    )


def listed(names: Sequence[str | int]) -> str:
    """The first twenty columns, in quotes."""
    return ", ".join(quoted(name, 40) for name in names[:20])


def hint(wanted: str | int, names: Sequence[str | int], delimiter: str) -> str:
    """What may be the reason that a column is not there, in brackets, or nothing."""
    words = [str(name) for name in names]
    if isinstance(wanted, int):
        return f" (the rows have {len(words)} {'column' if len(words) == 1 else 'columns'})"
    if words[0].startswith("#"):
        return " (a comment stands where the header is expected)"
    if words[0].lower().startswith("sep="):
        return " (Excel's own first line stands where the header is expected; take it out)"
    if words[0].lstrip().startswith("{"):
        return " (this looks like JSON lines; say `format: jsonl`)"
    if len(words) == 1 and (other := next((d for d in DELIMITERS if d != delimiter and d in words[0]), None)):
        return f" (is {DELIMITERS[other]} the delimiter?)"
    if (bare := next((w for w in words if w != wanted and w.strip() == wanted), None)) is not None:
        return f" (there are spaces around {quoted(bare, 40)})"
    if near := get_close_matches(wanted.lower(), [word.lower() for word in words], n=1):
        return f" (did you mean {quoted(next(word for word in words if word.lower() == near[0]), 40)}?)"
    if any(len(word) > 30 or " " in word.strip() or word.isdecimal() for word in words):
        return " (the first row looks like data; if there is no header, columns are positions, from 1)"
    return ""
