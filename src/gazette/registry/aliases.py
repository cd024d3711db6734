"""The registry's aliases `champion` and `previous`, made to say what the ledger says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gazette.core.errors import Misconfigured
from gazette.registry import ledger
from gazette.registry.ledger import Entry, Standing
from gazette.registry.store import client as registry
from gazette.registry.store.client import Known
from gazette.registry.versions import CHAMPION

PREVIOUS = "previous"


@dataclass(frozen=True)
class Move:
    """An alias and the numbers of the versions that it goes from and to; none: it is not there."""

    alias: str
    origin: str | None
    to: str | None


def number(known: Known, digest: str) -> str | None:
    """The version with a digest in this registry, the first of several."""
    found = [int(one.number) for one in known.versions.values() if one.tags.get("digest") == digest]
    return str(min(found)) if found else None


def moves(standing: Standing, known: Known) -> list[Move]:
    """What has to move so that the aliases say what the ledger says.

    `previous` moves first, so that whoever sees the new champion can go back. A version that this registry does not
    have moves nothing.
    """
    wanted = ((PREVIOUS, standing.previous), (CHAMPION, standing.champion))
    found = []
    for alias, place in wanted:
        to = number(known, place.digest) if place else None
        if to != known.aliases.get(alias) and (to or not place):
            found.append(Move(alias, known.aliases.get(alias), to))
    return found


def refuse_behind(name: str, entries: Sequence[Entry], known: Known) -> None:
    """Raises Misconfigured where the aliases follow an entry that this ledger has not: another clone promoted."""
    if known.followed and known.followed not in {entry.digest() for entry in entries}:
        raise Misconfigured(
            f"the aliases of {name} follow an entry that {ledger.PATH} here has not (SHA-256 {known.followed}): "
            "another clone has promoted, or a line was altered. `git pull` brings what others committed, "
            "`gazette ledger --verify` finds an alteration, `gazette registry rebuild --force` follows this ledger"
        )


def settle(client: Any, name: str, entries: Sequence[Entry], force: bool = False) -> list[Move]:
    """Moves the aliases of a name to where the ledger has them; what was moved. Twice is once.

    Raises Misconfigured where the registry follows another ledger, unless forced.
    """
    known = registry.known(client, name)
    if not force:
        refuse_behind(name, entries, known)
    last = ledger.last(entries, name)
    if last and known.versions and known.followed != last.digest():
        registry.follow(client, name, last.digest())
    found = moves(ledger.standing(entries, name), known)
    for move in found:
        if move.alias == CHAMPION and move.to and last:
            registry.mark(client, name, move.to, {"revision": last.to.revision, "ledger": last.digest()})
        registry.point(client, name, move.alias, move.to)
    return found


def absent(name: str, entries: Sequence[Entry], known: Known) -> str:
    """What to do where this registry has no version for the champion of the ledger; empty where it has."""
    champion = ledger.standing(entries, name).champion
    if champion is None or number(known, champion.digest):
        return ""
    return (
        f"the champion of {name} (digest {champion.digest}) is not in this registry: "
        f"`git checkout {champion.revision[:9]} && gazette run` registers it"
    )
