"""Escaping of text from a corpus for messages, terminals and reports."""

MAX_SHOWN = 200  # characters


def escape(text: str, limit: int = MAX_SHOWN) -> str:
    """Return the first `limit` characters with every non-printable one as a backslash escape, such as `\\x1b`.

    Escaped are control and format characters, bidirectional overrides, spaces other than U+0020, and lone surrogates.
    """
    start = text[:limit]
    if start.isprintable():
        return start
    escaped = (c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in start)
    return "".join(escaped)[:limit]


def quote(text: object, limit: int = 60) -> str:
    """Return a label, column or file name in quotes, escaped; a truncated one ends in an ellipsis."""
    name = str(text)
    return f"'{escape(name, limit)}{'…' if len(name) > limit else ''}'"
