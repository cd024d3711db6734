"""DVC's default remote: whether it answers, before DVC asks it, which waits and tries again for minutes."""

from pathlib import Path
from typing import Any

from prefect_dvc import connection, graph, object_storage
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.dvc_internals import DvcException

ANSWER_SECONDS = 10


def check_answers(root: Path) -> None:
    """Raise ConfigError with the address, the reason and the cure if DVC's default remote does not answer, if any."""
    if problem := describe_problem(root):
        raise ConfigError(problem)


def describe_problem(root: Path) -> str:
    """Return why DVC's default remote cannot be used, and the cure; empty if it answers, or if there is none."""
    with graph.open_repo(root) as repo:
        name = repo.config["core"].get("remote")
        if not name:
            return ""
        url = connection.redact(str(repo.config["remote"].get(name, {}).get("url", "")))
        where = f"DVC's remote {name}" + (f" at {url}" if url else "")
        try:
            odb = repo.cloud.get_remote_odb(name)
        except ImportError as error:  # no plug-in for this kind of remote
            return f"{where} failed: {error}; `pip install` that, or correct the remote (`dvc remote list`)"
        except DvcException as error:
            return (
                f"{where} failed: {connection.first_line(error)}; `dvc remote list` and `dvc remote modify` correct it"
            )
        if odb.fs.protocol == "local":
            return describe_folder(where, Path(repo.config["remote"][name]["url"]))
        return _describe_server(where, odb)


def describe_folder(where: str, folder: Path) -> str:
    """Check a folder; the first push makes it, but not the folder above, which may be a disk that is not mounted."""
    if folder.exists() or folder.parent.exists():
        return ""
    return f"{where} failed: there is no folder {folder.parent}; mount it, or correct the remote (`dvc remote list`)"


def _describe_server(where: str, odb: Any) -> str:
    try:
        connection.within(ANSWER_SECONDS, lambda: _look(odb.fs, odb.path))
    except Exception as error:  # noqa: BLE001  # each kind of remote has errors of its own
        return "" if _is_empty(error) else describe_failure(where, error)
    return ""


def _is_empty(error: Exception) -> bool:
    """Whether a remote answers, and has nothing yet."""
    reason = connection.explain(error)
    if object_storage.explain(error):
        return False
    return "HTTP 404" in reason.text if reason else isinstance(error, FileNotFoundError)


def describe_failure(where: str, error: Exception) -> str:
    """Return why a remote failed, with its address and the cure."""
    if fault := object_storage.explain(error):
        return f"{where} failed: {fault}"
    reason = connection.explain(error)
    text = reason.text if reason else connection.first_line(error)
    rest = ". Nothing is lost: when it answers again, the same command continues" if reason and reason.passing else ""
    return f"{where} failed: {text}; start it, or correct the remote (`dvc remote list`){rest}"


def _look(fs: Any, path: str) -> None:
    """Look into a remote; a listing of S3 says why it is refused, a look at one object only that it is."""
    if fs.protocol == "s3":
        fs.fs.call_s3("list_objects_v2", Bucket=path.partition("/")[0], MaxKeys=1)
    else:
        fs.info(path)
