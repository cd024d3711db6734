"""How a command ends when it cannot go on.

    Stop                 the message is for the person who typed the command, `code` for the program that did
    ├── Misconfigured    2: the command line, params.yaml or a corpus's description
    └── BrokenContract   3: the data are not what was agreed

Anything else that is raised is our own bug and ends with 70.
"""

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

from gazette.core.escape import SEEN, shown

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
    """`values` as a `section`; raises Misconfigured, a line for each key that is missing, unknown or out of bounds.

    A value has to be of its key's type: `"3"`, `true` and `3.0` are no whole numbers.
    """
    from pydantic import ValidationError

    try:
        return section.model_validate(values, strict=True)
    except ValidationError as error:
        found = sorted(error.errors(include_url=False), key=lambda one: one["type"] != "extra_forbidden")
        lines = [f"{where}: {_said(one, set(section.model_fields))}" for one in found]
        raise Misconfigured("\n".join(lines)) from None


def _said(error: Any, keys: set[str]) -> str:
    key = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        near = get_close_matches(key, sorted(keys), n=1)
        return f"{key}: no such key" + (f"; did you mean {near[0]}?" if near else "")
    if error["type"] == "missing":
        return f"{key}: missing"
    return f"{key}: {error['msg']}, got {shown(repr(error['input'])[: 2 * SEEN], 80)}"
