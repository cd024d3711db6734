"""A changed corpus made public: its pointer committed, data and commit pushed, and the event on which flows retrain."""

import os
from pathlib import Path

from prefect_dvc import connection, dvc_command, git, remote, storage
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.environment import child_environment

EVENT = "gazette.corpus.changed"  # prefect.yaml expects it
HERE = Path()


def publish_pointer(pointer: Path, message: str) -> None:
    """Commit a pointer and nothing else, then push its data, then the branch; what is done already is not repeated.

    Raises ConfigError, and commits nothing, without a default remote of DVC: nobody could get the data.
    """
    if not storage.default_remote(HERE):
        raise ConfigError(
            f"DVC has no default remote, so nobody could get the data that {pointer} names, and nothing is "
            "committed; `dvc remote add --default NAME URL`, then the same command again"
        )
    remote.check_answers(HERE)
    if git.run("status", "--porcelain", "--", str(pointer)):
        git.add([str(pointer)], HERE)
        git.run("commit", "--quiet", "--message", message, "--", str(pointer))
    dvc_command.run("push", "--quiet", str(pointer), folder=HERE)
    git.run("push", "--quiet")


def emit_change(corpus: str) -> bool:
    """Emit the event at the Prefect server of PREFECT_API_URL; returns False if there is none."""
    address = os.environ.get("PREFECT_API_URL")
    if not address:
        return False
    words = ("event", "emit", EVENT, "--resource-id", f"gazette.corpus.{corpus}")
    environment = child_environment({"PREFECT_CLI_PROMPT": "false"})
    if error := dvc_command.run_module("prefect", *words, folder=HERE, environment=environment):
        raise ConfigError(
            f"Prefect's server at {connection.redact(address)} did not take the event: {error.splitlines()[-1]}\n"
            f"All else is done; correct PREFECT_API_URL or start the server, then `prefect {' '.join(words)}`"
        )
    return True
