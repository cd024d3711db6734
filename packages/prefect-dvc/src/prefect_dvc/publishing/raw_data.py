"""Raw data in a worktree, as their pointers name them."""

import shlex
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from prefect_dvc import dvc_command, graph, remote, storage, supervisor
from prefect_dvc.core.errors import ConfigError, DataContractError
from prefect_dvc.environment import child_environment
from prefect_dvc.plan import Node
from prefect_dvc.recovery import cache

MISSING = {"deleted", "not in cache"}
MAX_LINES = 10  # of a failed command's output

OnLine = Callable[[str], object]


def fetch_data(folder: Path, prepare: Sequence[str] = (), on_line: OnLine = print) -> str:
    """Fetch what pointers and locks name, from the cache or else from the DVC remote; returns why that failed, if so.

    If raw data are in neither, the commands `prepare` run in the folder, which may know where else to get them. Outputs
    that are nowhere will be made again. Raises ConfigError if raw data are nowhere, DataContractError if they are not
    as their pointer names them.
    """
    files = graph.list_dvc_files(folder)
    error = remote.describe_problem(folder)
    if not error and storage.default_remote(folder):
        error = dvc_command.run_or_error("fetch", "--quiet", "--with-deps", *files, folder=folder)
    checkout = ("checkout", "--quiet", "--force", "--allow-missing", "--with-deps")
    dvc_command.run_or_error(*checkout, *files, folder=folder)
    nodes = graph.read_graph(folder)
    if prepare and any(_is_missing(node) for node in nodes):
        for command in prepare:
            _run_command(command, folder, on_line, error)
        nodes = graph.read_graph(folder)
    check_raw_data(nodes, error)
    if altered := cache.list_altered_raw_files(folder):
        raise DataContractError(
            f"raw data in the cache are not as their pointer names them: {', '.join(altered[:5])}; "
            "`prefect-dvc doctor --verify` lists what is damaged"
        )
    return error


def _is_missing(node: Node) -> bool:
    return node.name.endswith(".dvc") and bool(MISSING & {change.state for change in node.changes})


def _run_command(command: str, folder: Path, on_line: OnLine, why: str) -> None:
    """Run a command in a folder; raises ConfigError with its last lines if it fails, DataContractError after 3.

    `why` is why the remote did not bring the data, if that is known.
    """
    reason = f" ({why})" if why else ""
    on_line(f"raw data are missing{reason}: `{command}`")
    process = supervisor.start_command(shlex.split(command), folder, child_environment(tree=folder))
    last: deque[str] = deque(maxlen=MAX_LINES)
    for line in process.stdout or ():
        last.append(line.rstrip("\n"))
        on_line(last[-1])
    if code := process.wait():
        error = DataContractError if code == DataContractError.code else ConfigError
        head = f"`{command}`, which brings raw data that are missing{reason}, ended with {code}:"
        raise error("\n".join([head, *last]))


def check_raw_data(nodes: Sequence[Node], why: str = "") -> None:
    """Raise ConfigError if raw data are missing, DataContractError if they differ from their pointer, a `.dvc` file.

    `why` is why the remote was not asked, or failed.
    """
    for node in nodes:
        if node.name.endswith(".dvc"):
            if _is_missing(node):
                raise ConfigError(
                    f"the data of {node.name} are neither in the cache nor at the remote: `dvc push` them"
                    + (f" ({why})" if why else "")
                )
            reasons = "; ".join(map(str, node.changes))
            raise DataContractError(
                f"raw data differ from {node.name} ({reasons}): `dvc add` records an edit, `dvc checkout` undoes it"
            )
