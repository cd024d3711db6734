"""`gazette serve` as a process of its own, on a free port."""

import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil


class Server:
    """A running server; `log` holds what it wrote to standard error."""

    def __init__(self, folder: Path, *words: str, environment: Mapping[str, str] | None = None) -> None:
        self.log = folder / "serve.log"
        command = [sys.executable, "-m", "gazette", "serve", "--port", "0", *words]
        with self.log.open("w") as file:
            self.process = psutil.Popen(
                command, cwd=folder, env={**os.environ, **(environment or {})}, stdout=file, stderr=file
            )
        self.address = self._wait()

    def _wait(self, seconds: float = 120) -> str:
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.process.poll() is None:
            if match := re.search(r"(https?://\S+) answers by", self.log.read_text()):
                return match[1]
            time.sleep(0.05)
        self.end()
        raise AssertionError(self.log.read_text())

    def workers(self) -> list[psutil.Process]:
        """Return the processes that answer."""
        children = [child for child in self.process.children() if child.status() != psutil.STATUS_ZOMBIE]
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]

    def ask(self, path: str, record: Any = None, timeout: float = 30) -> tuple[int, Any, Mapping[str, str]]:
        """Return status, JSON and headers of an answer."""
        body = None if record is None else json.dumps(record).encode()
        request = urllib.request.Request(self.address + path, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, _json(answer.read()), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, _json(error.read()), error.headers

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of the log of one kind."""
        lines = (json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{"))
        return [line for line in lines if line["event"] == event]

    def end(self) -> int:
        """Ask it to end, and return its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return int(self.process.wait(60))


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode()
