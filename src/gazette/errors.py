"""How a command ends when it cannot go on.

    Stop                 the message is for the person who typed the command, `code` for the program that did
    ├── Misconfigured    2: the command line, params.yaml or a corpus's description
    └── BrokenContract   3: the data are not what was agreed

Anything else that is raised is our own bug and ends with 70.
"""

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pydantic import BaseModel

Section = TypeVar("Section", bound="BaseModel")


class Stop(Exception):
    """A reason not to go on: what happened, where, what was expected, and what to do."""

    code = 70


class Misconfigured(Stop):
    """The command line, `params.yaml` or a corpus's description says something that cannot be done."""

    code = 2


class BrokenContract(Stop):
    """The data are not what was agreed; nothing downstream may use them."""

    code = 3


def parse(section: "type[Section]", values: dict[str, Any], where: str) -> "Section":
    """`values` as a `section`; raises Misconfigured, a line for each key that is missing, unknown or out of bounds."""
    from pydantic import ValidationError

    try:
        return section.model_validate(values)
    except ValidationError as error:
        lines = (f"{where}: {'.'.join(map(str, e['loc']))}: {e['msg']}, got {e['input']!r}" for e in error.errors())
        raise Misconfigured("\n".join(lines)) from None
