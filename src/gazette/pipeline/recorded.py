"""Whether the content of a file or folder is recorded, so that removing it loses nothing of anybody's."""

from collections.abc import Sequence
from pathlib import Path

from prefect_dvc import git, hashing, revisions
from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError

from gazette.pipeline import dvclock

LEFT_ALONE = (".gitignore",)  # DVC writes it beside outputs


def remove_leftovers(paths: Sequence[Path], reader: str) -> None:
    """Remove what earlier runs made and params.yaml no longer lists, so that a stage, the `reader`, does not read it.

    Raises ConfigError, and removes nothing, if the content of one is neither in dvc.lock nor in DVC's cache nor in git:
    then no run of ours is known to have made it.
    """
    temporary = [path for path in paths if atomic.final_name(path.name)]
    others = [path for path in paths if path not in temporary and path.name not in LEFT_ALONE]
    if stranger := next((path for path in others if not is_recorded(path)), None):
        raise ConfigError(
            f"{stranger} belongs to nothing in params.yaml, and neither dvc.lock nor DVC's cache nor git has it as it "
            f"is, so it is not removed; move it elsewhere: {reader} reads all of {stranger.parent}"
        )
    for path in [*temporary, *others]:
        atomic.remove(path)


def is_recorded(path: Path) -> bool:
    """Whether dvc.lock names the content that a path has now, or DVC's cache or git has it."""
    digest = None if path.is_symlink() else hashing.dvc_hash_or_none(path)
    if digest is None:
        return False
    locked = dvclock.list_outputs(dvclock.load(None).stages) if dvclock.LOCK.exists() else {}
    if locked.get(path.as_posix()) == digest or revisions.cache_path(digest):
        return True
    has_content = path.is_file() and path.stat().st_size  # git has the empty file without anybody's adding it
    return bool(has_content) and not git.run_or_error("cat-file", "-e", git.hash_files([str(path)])[0])


def find_unrecorded(folder: Path, digest: str) -> Path | None:
    """Return what differs from the folder that DVC knows by a hash: a file that it lacks or has otherwise.

    It is the folder itself if DVC's cache cannot tell which; None if nothing differs.
    """
    if hashing.dvc_hash_or_none(folder) == digest:
        return None
    known = revisions.list_folder(digest) if folder.is_dir() else None
    if known is None:
        return folder
    actual = hashing.list_hashes(folder)
    return next((folder / name for name in sorted(actual) if known.get(name) != actual[name]), folder)
