"""Why DVC failed, and what to do about it."""

from pathlib import Path

from prefect_dvc.core import conflicts
from prefect_dvc.git_errors import NO_REPOSITORY

LOCK_CURE = "the next run restores it, and so does `doctor`"
CURES = {
    NO_REPOSITORY.words: NO_REPOSITORY.cure,
    "not inside of a DVC repository": "`dvc init` makes a project here, or go to its folder",
    "is git-ignored": "`git check-ignore -v --no-index dvc.yaml dvc.lock` names the rule of git's; take it back",
    "is not valid utf-8": "save the file as UTF-8",
    "missing data 'source'": "bring it back with `dvc checkout`, `dvc pull`, or the command that brought it first",
    "dvc.lock' validation failed": LOCK_CURE,
    "dvc.lock', YAML file structure is corrupted": LOCK_CURE,
}


def explain(error: Exception, folder: Path = Path()) -> str:
    """Return the merge conflict in the file that DVC cannot read, below `folder`, or DVC's message and a cure."""
    name, message = getattr(error, "path", None), str(error)
    text = (folder / name).read_bytes() if name and (folder / name).is_file() else b""
    if marker := conflicts.describe_marker(text, name):
        return marker
    faults = getattr(getattr(error, "exc", None), "errors", [])  # where a file is not as DVC's schema wants it
    places = [f"{' -> '.join(map(str, fault.path)) or 'top level'}: {fault.error_message}" for fault in faults]
    if mark := getattr(error.__cause__, "problem_mark", None):
        places = [f"line {mark.line + 1}, column {mark.column + 1}: {getattr(error.__cause__, 'problem', '')}"]
    return append_cure("\n".join([message, *places]))


def append_cure(message: str) -> str:
    """Add to DVC's message what to do, if it is known."""
    return "\n".join([message, *(cure for words, cure in CURES.items() if words in message)])
