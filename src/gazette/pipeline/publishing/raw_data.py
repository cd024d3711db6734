"""Raw data brought to a tree of its own, as their pointers name them."""

from collections.abc import Sequence
from pathlib import Path

from gazette.core.errors import BrokenContract, Misconfigured
from gazette.pipeline import graph, storage
from gazette.pipeline.plan import Node
from gazette.pipeline.publishing.shell import dvc
from gazette.pipeline.recovery import cache

MISSING = {"deleted", "not in cache"}


def bring(folder: Path) -> str:
    """Brings what pointers and locks name, from the cache or else from the DVC remote; what DVC has to say about it.

    Outputs that are nowhere will be made anew. Raises Misconfigured where raw data are nowhere, BrokenContract where
    they are not what their pointer names.
    """
    files = graph.files(folder)
    said = dvc(folder, "fetch", "--quiet", "--with-deps", *files) if storage.remote(folder) else ""
    dvc(folder, "checkout", "--quiet", "--force", "--allow-missing", "--with-deps", *files)
    refuse_edited(graph.read(folder))
    if altered := cache.altered(folder):
        raise BrokenContract(
            f"raw data came out of the cache otherwise than their pointer names them: {', '.join(altered[:5])}; "
            "`gazette doctor --verify` says what is damaged"
        )
    return said


def refuse_edited(nodes: Sequence[Node]) -> None:
    """Raises where raw data of the stages are not what their pointer, a `.dvc` file, names."""
    for node in nodes:
        if node.name.endswith(".dvc"):
            if MISSING & {change.state for change in node.changes}:
                raise Misconfigured(f"what {node.name} names is neither in the cache nor at the remote: `dvc push` it")
            reasons = "; ".join(map(str, node.changes))
            raise BrokenContract(
                f"raw data differ from {node.name} ({reasons}): `dvc add` records an edit, `dvc checkout` undoes it"
            )
