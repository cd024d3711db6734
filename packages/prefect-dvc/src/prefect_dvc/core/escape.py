"""Escaping of names and messages, for terminals and reports."""

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


def escape_path(path: str) -> str:
    """Return a whole path, escaped: a file name of any bytes as text that every terminal and JSON can hold."""
    return escape(path, len(path) * len("\\U0001f600"))
