"""`python -m flows.serve`: a Prefect server with its page, the deployments and a worker, here, until Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flows import server
from gazette.__main__ import main
from gazette.core import files
from gazette.core.errors import Misconfigured
from gazette.pipeline import state, supervisor
from gazette.pipeline.execution import run

if TYPE_CHECKING:
    from prefect.events.schemas.automations import AutomationCore

POOL = "gazette"
GRACE = 30  # seconds for runs to end their stages, remove their trees and say so
ZOMBIES = Path(__file__).with_name("zombies.yaml")


@click.command("python -m flows.serve")
@click.option("--port", default=4200, show_default=True, type=click.IntRange(1, 65535), help="Of server and page.")
@click.option("--every", default=10, show_default=True, help="Seconds between two looks for runs that are due.")
def command(port: int, every: int) -> None:
    """Serve the deployments of prefect.yaml, as scheduled, on this machine, until Ctrl-C ends all of it.

    The database is in .gazette/prefect; `PREFECT_API_URL=http://127.0.0.1:4200/api` lets other commands use the server.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    root = Path().absolute()
    home = state.folder(root) / "prefect"
    address = f"http://127.0.0.1:{port}/api"
    os.environ |= {**server.QUIET, "PREFECT_API_URL": address, "PREFECT_HOME": str(home), "PWD": str(root)}
    page = {"PREFECT_SERVER_UI_ENABLED": "true", "PREFECT_SERVER_UI_API_URL": address}
    with suppress(KeyboardInterrupt), _ended(server.start(home, port, page)[0]) as process:
        server.wait(process, address, home)
        _prefect("work-pool", "create", POOL, "--type", "process", "--overwrite")
        _prefect("--no-prompt", "deploy", "--all")
        watch_for_zombies()
        click.echo(f"serving on {address.removesuffix('/api')}")
        polling = {"PREFECT_WORKER_QUERY_SECONDS": str(every), "PYTHONPATH": _with(root)}
        while True:
            with _ended(_worker(root, polling)) as worker:
                click.echo(f"the worker ended with {worker.wait()}; here is another")
            time.sleep(1)
    click.echo("served")


def _worker(root: Path, extra: Mapping[str, str]) -> supervisor.Process:
    words = [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process"]
    return supervisor.start(words, root, run.environment(extra), sys.stdout, grace=GRACE)


def _with(root: Path) -> str:
    """The search path of the runs: `flows` is not installed."""
    return os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])


@contextmanager
def _ended(process: supervisor.Process) -> Iterator[supervisor.Process]:
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _prefect(*words: str) -> None:
    command = [sys.executable, "-m", "prefect", *words]
    environment = run.environment({"PREFECT_CLI_PROMPT": "false"})
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Misconfigured(f"`prefect {' '.join(words)}` ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def watch_for_zombies() -> None:
    """Makes the automation of zombies.yaml at the server, or brings it up to date; it tells, too, where told whom."""
    from prefect.client.orchestration import get_client
    from prefect.events.schemas.automations import AutomationCore

    from flows import notify

    described: dict[str, Any] = files.read_yaml(ZOMBIES)
    if address := os.environ.get(notify.ADDRESS):
        block = notify.block(address).save("gazette", overwrite=True)
        subject, body = "{{ flow.name }} {{ flow_run.name }}: crashed", described["actions"][0]["message"]
        described["actions"].append(
            {"type": "send-notification", "block_document_id": block, "subject": subject, "body": body}
        )
    with get_client(sync_client=True) as client:
        wanted = AutomationCore.model_validate(described)
        found = client.read_automations_by_name(wanted.name)
        for other in (one for one in found if not _same(one, wanted)):
            client.delete_automation(other.id)
        if not any(_same(one, wanted) for one in found):
            client.create_automation(wanted)


def _same(one: "AutomationCore", other: "AutomationCore") -> bool:
    """Whether it is the same automation: what it has heard so far is kept only as long as it is not made anew."""
    return one.trigger == other.trigger and one.actions == other.actions


if __name__ == "__main__":
    main(command)
