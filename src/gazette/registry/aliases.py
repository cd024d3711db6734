"""The registry's aliases `champion` and `previous`, which follow the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prefect_dvc.core.errors import ConfigError

from gazette.registry import ledger
from gazette.registry.ledger import Entry
from gazette.registry.shared_ledger import SharedLedger
from gazette.registry.store import client as store
from gazette.registry.store.model import RegisteredModel
from gazette.registry.versions import CHAMPION

PREVIOUS = "previous"


@dataclass(frozen=True)
class Move:
    """An alias and the numbers of the versions that it moves from and to; None: no alias."""

    alias: str
    source: str | None
    to: str | None


def plan_moves(last: Entry | None, model: RegisteredModel) -> list[Move]:
    """Return the moves after which the aliases agree with the last entry of the name.

    `previous` moves first, so that anyone who sees the new champion can roll back. A version that this registry lacks
    moves nothing.
    """
    moves = []
    for alias, expected in ((PREVIOUS, last and last.origin), (CHAMPION, last and last.to)):
        version = model.find_digest(expected.digest) if expected else None
        to = version.number if version else None
        if to != model.aliases.get(alias) and (to or not expected):
            moves.append(Move(alias, model.aliases.get(alias), to))
    return moves


def check_not_behind(name: str, entries: Sequence[Entry], model: RegisteredModel) -> None:
    """Raise ConfigError if the aliases follow an entry that this ledger lacks: another clone has promoted."""
    if model.followed and model.followed not in {entry.digest() for entry in entries}:
        raise ConfigError(
            f"the aliases of {name} follow an entry that {ledger.PATH} here lacks (SHA-256 {model.followed}): "
            "another clone has promoted, or a line was altered. `git pull` brings what others committed, "
            "`gazette ledger --verify` finds an alteration, `gazette registry rebuild --force` follows this ledger"
        )


def sync(client: Any, name: str, entries: Sequence[Entry], force: bool = False) -> list[Move]:
    """Move the aliases of a name to where the ledger has them, and return the moves; idempotent.

    Raises ConfigError if the registry follows another ledger, unless forced.
    """
    model = store.get_model(client, name)
    if not force:
        check_not_behind(name, entries, model)
    last = ledger.last_entry(entries, name)
    if last and model.versions and model.followed != last.digest():
        store.set_ledger_head(client, name, last.digest())
    moves = plan_moves(last, model)
    for move in moves:
        if move.alias == CHAMPION and move.to and last:
            store.set_tags(client, name, move.to, {"revision": last.to.revision, "ledger": last.digest()})
        store.set_alias(client, name, move.alias, move.to)
    return moves


def follow(client: Any, name: str, shared: SharedLedger) -> list[Move]:
    """Move the aliases of a name to where the shared ledger has them, until it has not moved on meanwhile."""
    moves: list[Move] = []
    while True:
        moves += sync(client, name, shared.entries, force=True)
        shared, before = shared.read_again(), shared
        if shared.head == before.head:
            return moves


def missing_champion_hint(name: str, entries: Sequence[Entry], model: RegisteredModel) -> str:
    """Return what to do if this registry lacks the ledger's champion; empty if it has it."""
    champion = ledger.current_champion(entries, name)
    if champion is None or model.find_digest(champion.digest):
        return ""
    return (
        f"the champion of {name} (digest {champion.digest}) is not in this registry: "
        f"`git checkout {champion.revision[:9]} && gazette run` registers it"
    )
