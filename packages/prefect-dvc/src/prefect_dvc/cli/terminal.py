"""The terminal, or the file or pipe in its place, to which tables and lines are printed."""

from rich.console import Console

WIDTH = 80  # where none is known: a job of CI, a container or an editor can say 0
MIN_WIDTH = 40  # in a narrower one, a table's columns would be one character wide, or none


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave a broken pipe to the command line, which ends quietly and says so by its exit code."""
        raise BrokenPipeError


def open_console() -> Console:
    """Return a console that prints text as it is, and is wide enough for a table."""
    console = _Console(markup=False, highlight=False, emoji=False)
    console.width = max(console.width or WIDTH, MIN_WIDTH)
    return console
