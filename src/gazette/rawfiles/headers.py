"""Finding a column by its name or position, and saying what a header lacks."""

from difflib import get_close_matches
from pathlib import Path

from gazette.errors import BrokenContract
from gazette.shown import shown

DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}


def place(wanted: str | int, names: list[str] | list[int], path: Path, delimiter: str) -> int:
    """Where the column stands, from 0; raises BrokenContract, with what is there, where it does not or stands twice."""
    if names.count(wanted) == 1:  # type: ignore[arg-type]
        return names.index(wanted)  # type: ignore[arg-type]
    found = "no column" if wanted not in names else "more than one column"
    there = ", ".join(f"'{shown(str(name), 40)}'" for name in names[:20])
    raise BrokenContract(
        f"{path}, line 1: {found} {wanted!r} among {there}{_hint(wanted, names, delimiter)}; correct the corpus's "
        "description or the file"
    )


def _hint(wanted: str | int, names: list[str] | list[int], delimiter: str) -> str:
    words = [str(name) for name in names]
    if isinstance(wanted, int):
        return f" (the rows have {len(words)} {'column' if len(words) == 1 else 'columns'})"
    if words[0].startswith("#"):
        return " (a comment stands where the header is expected)"
    if words[0].lstrip().startswith("{"):
        return " (this looks like JSON lines; say `format: jsonl`)"
    if len(words) == 1 and (other := next((d for d in DELIMITERS if d != delimiter and d in words[0]), None)):
        return f" (is {DELIMITERS[other]} the delimiter?)"
    if (bare := next((w for w in words if w != wanted and w.strip() == wanted), None)) is not None:
        return f" (there are spaces around '{shown(bare, 40)}')"
    if near := get_close_matches(wanted.lower(), [word.lower() for word in words], n=1):
        return f" (did you mean '{shown(next(word for word in words if word.lower() == near[0]), 40)}'?)"
    if any(len(word) > 30 or " " in word.strip() for word in words):
        return " (the first row looks like data; if there is no header, say `header: false` and give positions)"
    return ""
