"""Standard streams that take any text, whatever the terminal, the locale and the program at the other end."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper

import click

from gazette.core.escape import escape_lines

BROKEN_PIPE = 141  # a shell's code for a program that SIGPIPE ended
ERRORS = "backslashreplace"


def configure() -> None:
    """Give a closed stream a place to go to, and have each escape what it cannot show or decode.

    A file that is opened later would otherwise get the number of the closed stream, and what is printed.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        _open_closed(number)
        stream = getattr(sys, name)
        if stream is None:
            mode = "w" if number else "r"
            setattr(sys, name, open(number, mode, encoding="utf-8", errors=ERRORS, closefd=False))  # noqa: SIM115
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=ERRORS)


def _open_closed(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)
        os.set_inheritable(number, True)


@contextmanager
def quiet_pipe() -> Iterator[None]:
    """Exit with BROKEN_PIPE, without a word, if the program that reads the output has ended, as `head` does."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
        sys.exit(BROKEN_PIPE)
    except SystemExit:
        if type(sys.stdout).__name__.endswith("PacifyFlushWrapper"):  # click met the broken pipe
            discard_output()
            sys.exit(BROKEN_PIPE)
        raise


def discard_output() -> None:
    """Have the rest go nowhere: Python flushes at its end, and would exit with 120."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)


def echo_error(text: str) -> None:
    """Print lines on standard error, escaped; if that cannot be written, the exit code has to do."""
    with suppress(OSError):
        click.echo(escape_lines(text), err=True)
