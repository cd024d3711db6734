"""A piece of a corpus as it may stand in a message, on a terminal or in a report."""

SEEN = 200  # characters that are shown


def shown(text: str, limit: int = SEEN) -> str:
    """The first `limit` characters, with what a screen would obey or hide as an escape: a backslash, then `x1b` or so.

    These are control and format characters, bidirectional overrides, spaces other than U+0020, lone surrogates.
    """
    start = text[:limit]
    if start.isprintable():
        return start
    return "".join(c if c.isprintable() else _escape(c) for c in start)[:limit]


def quoted(text: object, limit: int = 60) -> str:
    """A name from a corpus (a label, a column, a file) in quotes, escaped; what is cut ends in an ellipsis."""
    name = str(text)
    return f"'{shown(name, limit)}{'…' if len(name) > limit else ''}'"


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
