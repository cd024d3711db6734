"""DVC's pointers: `<raw>.dvc`, a file under git that names the hash of raw data."""

from pathlib import Path

from prefect_dvc.core.errors import ConfigError

from gazette.core import files


def pointer_path(raw: Path | str) -> Path:
    """Return the path of the pointer of raw data."""
    return Path(f"{raw}.dvc")


def read_hash(pointer: Path) -> str:
    """Return the hash that a pointer names; raises ConfigError if it is missing or not a pointer."""
    content = files.read_yaml(pointer)
    try:
        return str(content["outs"][0]["md5"])
    except (KeyError, TypeError, IndexError):
        raise ConfigError(f"{pointer}: expected a pointer of DVC, `outs` with an `md5`") from None


def mismatch(pointer: Path | str, recorded: str, actual: str | None) -> str:
    """Return the message about raw data whose hash is not the recorded one."""
    raw = str(pointer).removesuffix(".dvc")
    return (
        f"{raw}: its files have the hash {actual}, {pointer} names {recorded}: "
        f"`dvc add {raw}` records an edit, `dvc checkout {pointer}` undoes it"
    )


def missing(raw: Path | str) -> str:
    """Return the message about raw data without a pointer."""
    return f"{raw} is not under DVC: `dvc add {raw}` records what was used"
