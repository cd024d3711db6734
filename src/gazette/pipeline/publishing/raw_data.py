"""Raw data in a worktree, as their pointers name them."""

from collections.abc import Sequence
from pathlib import Path

from gazette.core.errors import ConfigError, DataContractError
from gazette.pipeline import dvc_command, graph, remote, storage
from gazette.pipeline.plan import Node
from gazette.pipeline.recovery import cache

MISSING = {"deleted", "not in cache"}


def fetch_data(folder: Path) -> str:
    """Fetch what pointers and locks name, from the cache or else from the DVC remote; returns why that failed, if so.

    Outputs that are nowhere will be made again. Raises ConfigError if raw data are nowhere, DataContractError if they
    are not as their pointer names them.
    """
    files = graph.list_dvc_files(folder)
    error = remote.describe_problem(folder)
    if not error and storage.default_remote(folder):
        error = dvc_command.run_or_error("fetch", "--quiet", "--with-deps", *files, folder=folder)
    checkout = ("checkout", "--quiet", "--force", "--allow-missing", "--with-deps")
    dvc_command.run_or_error(*checkout, *files, folder=folder)
    check_raw_data(graph.read_graph(folder), error)
    if altered := cache.list_altered_raw_files(folder):
        raise DataContractError(
            f"raw data in the cache are not as their pointer names them: {', '.join(altered[:5])}; "
            "`gazette doctor --verify` lists what is damaged"
        )
    return error


def check_raw_data(nodes: Sequence[Node], why: str = "") -> None:
    """Raise ConfigError if raw data are missing, DataContractError if they differ from their pointer, a `.dvc` file.

    `why` is why the remote was not asked, or failed.
    """
    for node in nodes:
        if node.name.endswith(".dvc"):
            if MISSING & {change.state for change in node.changes}:
                raise ConfigError(
                    f"the data of {node.name} are neither in the cache nor at the remote: `dvc push` them"
                    + (f" ({why})" if why else "")
                )
            reasons = "; ".join(map(str, node.changes))
            raise DataContractError(
                f"raw data differ from {node.name} ({reasons}): `dvc add` records an edit, `dvc checkout` undoes it"
            )
