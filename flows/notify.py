"""Notifications through Prefect's notification block, to the Apprise address in GAZETTE_NOTIFY, if there is one."""

import os
from typing import Any

from prefect.blocks.notifications import SlackWebhook
from prefect.client.schemas.objects import FlowRun, State
from prefect.flows import Flow
from pydantic import SecretStr

ADDRESS = "GAZETTE_NOTIFY"  # slack://…, mailto://…, json://host:port; any address of Apprise


def notification_block(address: str) -> SlackWebhook:
    """Return Prefect's block for an address: every server knows this one, and it passes any address to Apprise."""
    return SlackWebhook(url=SecretStr(address))


def send(subject: str, body: str) -> None:
    """Send a notification; a failed notification never fails a run."""
    if address := os.environ.get(ADDRESS):
        notification_block(address).notify(body, subject)


def notify_failure(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Notify of a run that failed or crashed; a hook of flows."""
    send(f"{flow.name} {flow_run.name}: {state.name}", state.message or "no reason is known")
