"""The parent's thread that follows the registry: a new version is checked aside, then it is on the roster."""

import os
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gazette.serving.online import log, roster
from gazette.serving.online.roster import Roster, Served
from gazette.serving.online.source import NoVersionError, Source, Wanted

POLL_SECONDS = 0.25
TOUCH_SECONDS = 3600
RETRY_SECONDS = 30  # a refused version is checked again: a disk was full, a download was cut


class Follower:
    """Keeps the roster of a running server true to its sources."""

    def __init__(
        self, folder: Path, main: Source, shadow: Source | None, public_key: str, signers: tuple[str, ...] = ()
    ) -> None:
        self.folder, self.public_key, self.signers = folder, public_key, signers
        self.sources = {"main": main} | ({"shadow": shadow} if shadow else {})
        self.refused: dict[tuple[str, str], tuple[str, float]] = {}  # why, and when to check again
        self.touched = time.monotonic()

    def begin(self) -> None:
        """Write the first roster; raises ConfigError if the version may not answer. A shadow may come later."""
        self.roster = Roster(self._fetch(self.sources["main"], self.sources["main"].find()))
        if "shadow" in self.sources:
            self.roster = self._ask()
        roster.write(self.folder, self.roster)

    def run(self, stop: threading.Event) -> None:
        """Follow until `stop` is set."""
        fault = ""
        while not stop.wait(POLL_SECONDS):
            try:
                self._keep_young()
                if (new := self._ask()) != self.roster:
                    roster.write(self.folder, new)
                    self.roster = new
                fault = ""
            except OSError as error:  # the disk is full; the last good version answers, and it is tried again
                if str(error) != fault:
                    log.write_error("state not written", error)
                fault = str(error)

    def _keep_young(self) -> None:
        """Touch the server's files now and then: a machine's cleaner removes from /tmp what is old."""
        if time.monotonic() > self.touched + TOUCH_SECONDS:
            for path in self.folder.rglob("*"):
                os.utime(path)
            self.touched = time.monotonic()

    def _ask(self) -> Roster:
        new = replace(self.roster, refused={}, unreachable_since="", unreachable_reason="")
        for role, source in self.sources.items():
            try:
                wanted = source.find()
            except Exception as error:  # noqa: BLE001  # whatever a registry does, the last good version answers
                if role == "shadow" and isinstance(error, NoVersionError):
                    new = replace(new, shadow=None)  # its alias is gone, as after a promotion
                    continue
                since = self.roster.unreachable_since
                if not since:
                    log.write("source unreachable", role=role, reason=str(error))
                return replace(self.roster, unreachable_since=since or _now(), unreachable_reason=str(error))
            new = self._follow(new, role, source, wanted)
        return new

    def _follow(self, new: Roster, role: str, source: Source, wanted: Wanted) -> Roster:
        current: Served | None = getattr(new, role)
        if current and (wanted.version, wanted.digest, wanted.ledger) == (
            current.version,
            current.digest,
            current.ledger,
        ):
            return new
        key = (wanted.version, wanted.digest)
        reason, again = self.refused.get(key, ("", 0.0))
        if time.monotonic() >= again:
            try:
                return replace(new, **{role: self._fetch(source, wanted)})  # type: ignore[arg-type]
            except Exception as error:  # noqa: BLE001  # whatever a bundle does, it does not answer
                if str(error) != reason:
                    log.write("refused", role=role, name=wanted.name, version=wanted.version, reason=str(error))
                reason = str(error)
                self.refused[key] = reason, time.monotonic() + RETRY_SECONDS
        name = f"{wanted.name}/{wanted.version or wanted.digest}"
        return replace(new, refused=new.refused | {name: reason})

    def _fetch(self, source: Source, wanted: Wanted) -> Served:
        # Imports numpy and ONNX Runtime, while the workers start.
        from gazette.serving.online.check import check, check_signature

        folder = source.fetch(wanted, self.folder)
        check(wanted, folder, self.public_key)
        if self.signers:
            check_signature(source.fetch_signature(wanted), folder, self.signers)
        return Served(wanted.name, wanted.version, wanted.digest, wanted.ledger, str(folder), _now())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
