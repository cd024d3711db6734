"""Telling people: through Prefect's notification block, at the Apprise address in GAZETTE_NOTIFY, if there is one."""

import os
from typing import Any

from prefect.blocks.notifications import SlackWebhook
from prefect.client.schemas.objects import FlowRun, State
from prefect.flows import Flow
from pydantic import SecretStr

ADDRESS = "GAZETTE_NOTIFY"  # slack://…, mailto://…, json://host:port; what Apprise knows


def block(address: str) -> SlackWebhook:
    """Prefect's block for an address: of those that any server knows, the one that hands all addresses to Apprise."""
    return SlackWebhook(url=SecretStr(address))


def tell(subject: str, body: str) -> None:
    """Tells; an address that does not answer is a line in the log, as no run is to fail of it."""
    if address := os.environ.get(ADDRESS):
        block(address).notify(body, subject)


def ended_badly(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """A hook of flows, for runs that failed or crashed."""
    tell(f"{flow.name} {flow_run.name}: {state.name}", state.message or "no reason is known")
