"""How a command ends when it cannot go on.

    Stop                 the message is for the person who typed the command, `code` for the program that did
    ├── Misconfigured    2: the command line, params.yaml or a corpus's description
    └── BrokenContract   3: the data are not what was agreed

Anything else that is raised is our own bug and ends with 70.
"""

from collections.abc import Iterable, Mapping
from typing import Any


class Stop(Exception):
    """A reason not to go on: what happened, where, what was expected, and what to do."""

    code = 70


class Misconfigured(Stop):
    """The command line, `params.yaml` or a corpus's description says something that cannot be done."""

    code = 2


class BrokenContract(Stop):
    """The data are not what was agreed; nothing downstream may use them."""

    code = 3


def explain(refused: Iterable[Mapping[str, Any]], where: str) -> str:
    """What pydantic refused (its `errors()`), a line for each key."""
    return "\n".join(
        f"{where}: {'.'.join(map(str, part['loc']))}: {part['msg']}, got {part['input']!r}" for part in refused
    )
