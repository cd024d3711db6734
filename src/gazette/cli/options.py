"""Options that several commands share, and groups whose help lists whole sentences."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gazette.core.encodings import canonical_name
from gazette.core.escape import is_unicode
from gazette.core.limits import MAX_DELIMITER

PATH = click.Path(path_type=Path)
Decorator = Callable[[Any], Any]


def as_json(text: str = "Print one JSON object.") -> Decorator:
    """Return the option `--json`."""
    return click.option("--json", "as_json", is_flag=True, help=text)


def check_text(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Return a text, or several; raises UsageError if one's bytes could not be decoded."""
    for text in [value] if isinstance(value, str) else value:
        if not is_unicode(text):
            raise click.UsageError(
                f"{text!a} is not in the terminal's encoding; put it in a file: `gazette predict --file`, --encoding"
            )
    return value


def encoding(name: str = "--encoding", text: str = "Encoding, such as gb18030.  [default: found out]") -> Decorator:
    """Return an option that names an encoding."""

    def check(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        try:
            return value and canonical_name(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return click.option(name, metavar="NAME", callback=check, help=text)


def language() -> Decorator:
    """Return an option that names a language by any code of BCP 47 or ISO 639, in its standard form."""

    def check(ctx: click.Context, param: click.Parameter, value: str) -> str:
        import langcodes
        from langcodes.tag_parser import LanguageTagError

        from gazette.core.corpus import LANGUAGE

        try:
            code, is_valid = langcodes.standardize_tag(value), langcodes.tag_is_valid(value)
        except LanguageTagError:
            code, is_valid = "", False
        if not is_valid or not re.fullmatch(LANGUAGE, code):
            raise click.BadParameter(f"{value!r} is no code of a language; expected one such as en, zh, fr or pt-BR")
        return code

    return click.option(
        "--lang", required=True, metavar="CODE", callback=check, help="Language of the articles: en, zh, fr, pt-BR, …"
    )


def delimiter() -> Decorator:
    """Return an option that names a delimiter, of several characters too; control characters are written as escapes."""

    def check(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        if value is None:
            return None
        text = re.sub(
            r"\\(?:t|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})",
            lambda match: match[0].encode("ascii").decode("unicode_escape"),
            value,
        )
        if not 0 < len(text) <= MAX_DELIMITER or set(text) & set('"\r\n\0'):
            raise click.BadParameter(
                f"{value!r}: expected 1 to {MAX_DELIMITER} characters, no quote and no line break; "
                r"a tab is \t, another control character \x01"
            )
        return text

    text = r"Delimiter, such as '||' or '\t'.  [default: found out]"
    return click.option("--delimiter", metavar="CHARACTERS", callback=check, help=text)


def header() -> Decorator:
    """Return the options that say whether the first line is a header."""
    text = "Whether the first line names the columns.  [default: found out]"
    return click.option("--header/--no-header", default=None, help=text)


def date_format() -> Decorator:
    """Return the option that names the format of dates."""

    def check(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        from gazette.core.dates import check_format

        try:
            return value and check_format(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    text = "iso, rfc2822, seconds, milliseconds, or a pattern such as %d/%m/%Y.  [default: found out and shown]"
    return click.option("--date-format", metavar="FORMAT", callback=check, help=text)


def time_zone() -> Decorator:
    """Return the option that names the time zone of times without an offset."""

    def check(ctx: click.Context, param: click.Parameter, value: str) -> str:
        from gazette.core.dates import check_zone

        try:
            return check_zone(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return click.option(
        "--time-zone",
        metavar="ZONE",
        default="UTC",
        show_default=True,
        callback=check,
        help="Time zone of times without an offset, such as Europe/London.",
    )


def add_options(options: list[Decorator]) -> Decorator:
    """Return a decorator that adds options to a command, in this order."""

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


class Group(click.Group):
    """A group that lists its commands under headings, as added, each with the whole first line of its help."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.headings: dict[str, str] = {}

    def add_under(self, heading: str, *commands: click.Command) -> None:
        """Add commands under a heading."""
        for command in commands:
            self.add_command(command)
            self.headings[str(command.name)] = heading

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands in the order in which they were added."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each heading."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            line = (command.help or "").partition("\n")[0]
            sections.setdefault(self.headings.get(name, "Commands"), []).append((name, line))
        for heading, lines in sections.items():
            with formatter.section(heading):
                formatter.write_dl(lines)
