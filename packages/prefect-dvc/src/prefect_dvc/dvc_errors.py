"""Why DVC failed, and what to do about it."""

from pathlib import Path

from prefect_dvc.core import conflicts
from prefect_dvc.git_errors import NO_REPOSITORY


def explain(error: Exception, folder: Path = Path()) -> str:
    """Return the merge conflict in the file that DVC cannot read, below `folder`, or DVC's message and a cure."""
    name, message = getattr(error, "path", None), str(error)
    if name and (folder / name).is_file():
        return conflicts.describe_marker((folder / name).read_bytes(), name) or message
    return f"{message}\n{NO_REPOSITORY.cure}" if NO_REPOSITORY.words in message else message
