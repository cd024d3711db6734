"""`python -m flows.schedule`: a Prefect server with its UI, the deployments and a worker, until Ctrl-C."""

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from prefect_dvc import dvc_command, supervisor
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.environment import QUIET, child_environment
from prefect_dvc.flows import server

from gazette.__main__ import main
from gazette.core import files

if TYPE_CHECKING:
    from prefect.events.schemas.automations import AutomationCore

POOL = "gazette"
GRACE = 30  # seconds for runs to end their stages, remove their worktrees and report
ZOMBIES = Path(__file__).with_name("zombies.yaml")


@click.command("python -m flows.schedule")
@click.option("--port", default=4200, show_default=True, type=click.IntRange(1, 65535), help="Of server and UI.")
@click.option("--every", default=10, show_default=True, help="Seconds between two polls for scheduled runs.")
def command(port: int, every: int) -> None:
    """Serve the deployments of prefect.yaml, as scheduled, on this machine, until Ctrl-C.

    The database is in .dvc/tmp/prefect-dvc; other commands use the server with
    `PREFECT_API_URL=http://127.0.0.1:4200/api`.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    root = Path().absolute()
    os.environ |= {**QUIET, "PWD": str(root)}
    os.environ.pop("PREFECT_API_URL", None)  # the server is this one
    with suppress(KeyboardInterrupt), server.served(root, port) as address:
        _prefect("work-pool", "create", POOL, "--type", "process", "--overwrite")
        _prefect("--no-prompt", "deploy", "--all")
        watch_for_zombies()
        click.echo(f"serving on {address.removesuffix('/api')}")
        polling = {"PREFECT_WORKER_QUERY_SECONDS": str(every), "PYTHONPATH": _search_path(root)}
        while True:
            with _terminating(_worker(root, polling)) as worker:
                click.echo(f"the worker ended with {worker.wait()}; restarting it")
            time.sleep(1)
    click.echo("served")


def _worker(root: Path, extra: Mapping[str, str]) -> supervisor.Process:
    words = [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process"]
    return supervisor.start_command(words, root, child_environment(extra), sys.stdout, grace=GRACE)


def _search_path(root: Path) -> str:
    """Return the search path of the runs: `flows` is not installed."""
    return os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])


@contextmanager
def _terminating(process: supervisor.Process) -> Iterator[supervisor.Process]:
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _prefect(*words: str) -> None:
    environment = child_environment({"PREFECT_CLI_PROMPT": "false"})
    if error := dvc_command.run_module("prefect", *words, folder=Path(), environment=environment):
        raise ConfigError(f"`prefect {' '.join(words)}` failed:\n{error}")


def watch_for_zombies() -> None:
    """Create or update the automation of zombies.yaml at the server; with GAZETTE_NOTIFY, it also notifies."""
    from prefect.client.orchestration import get_client
    from prefect.events.schemas.automations import AutomationCore

    from flows import notify

    description: dict[str, Any] = files.read_yaml(ZOMBIES)
    if address := os.environ.get(notify.ADDRESS):
        block = notify.notification_block(address).save("gazette", overwrite=True)
        subject, body = "{{ flow.name }} {{ flow_run.name }}: crashed", description["actions"][0]["message"]
        description["actions"].append(
            {"type": "send-notification", "block_document_id": block, "subject": subject, "body": body}
        )
    with get_client(sync_client=True) as client:
        automation = AutomationCore.model_validate(description)
        existing = client.read_automations_by_name(automation.name)
        for old in (old for old in existing if not _is_same(old, automation)):
            client.delete_automation(old.id)
        if not any(_is_same(old, automation) for old in existing):
            client.create_automation(automation)


def _is_same(automation: "AutomationCore", candidate: "AutomationCore") -> bool:
    """Compare automations: one that is created again forgets the events it has received."""
    return automation.trigger == candidate.trigger and automation.actions == candidate.actions


if __name__ == "__main__":
    main(command)
