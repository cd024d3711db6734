"""A client for benchmarks of servers: many connections, or a fixed rate whatever the server does (open loop)."""

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Load:
    """Seconds of each answer, counted from the planned time in an open loop, and what was answered."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    answers: list[tuple[float, float, int, str]] = field(default_factory=list)  # planned, answered, status, version
    wall: float = 0.0

    def percentile(self, share: float, status: int = 200) -> float:
        """Return a percentile of the milliseconds of answers with a status."""
        times = sorted(end - begin for begin, end, code, _ in self.answers if code == status)
        return 1000 * times[min(len(times) - 1, int(share * len(times)))] if times else float("nan")


class Connection:
    """A connection that is kept, and opened again if it was closed."""

    def __init__(self, address: str, path: str, record: object, headers: str = "") -> None:
        parts = urlsplit(address)
        self.host, self.port = parts.hostname, parts.port
        body = json.dumps(record).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n{headers}"
        self.request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def ask(self) -> tuple[int, str]:
        """Return status and version of an answer; 0 if the connection broke."""
        try:
            if self.writer is None:
                self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
            self.writer.write(self.request)
            head = await self.reader.readuntil(b"\r\n\r\n")
            lines = head.decode("latin-1").lower().split("\r\n")
            fields = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
            await self.reader.readexactly(int(fields.get("content-length", 0)))
            if fields.get("connection") == "close":
                self.close()
            return int(lines[0].split()[1]), fields.get("gazette-version", "")
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            return 0, ""

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


async def closed_loop(address: str, path: str, record: object, connections: int, seconds: float) -> Load:
    """Ask over so many connections, each again as soon as it is answered."""
    load, end = Load(), time.perf_counter() + seconds

    async def one_connection() -> None:
        connection = Connection(address, path, record)
        while time.perf_counter() < end:
            begin = time.perf_counter()
            status, version = await connection.ask()
            note(load, begin, status, version)
        connection.close()

    began = time.perf_counter()
    await asyncio.gather(*(one_connection() for _ in range(connections)))
    load.wall = time.perf_counter() - began
    return load


async def open_loop(address: str, path: str, record: object, rate: float, seconds: float) -> Load:
    """Ask at a rate; a late answer delays no later request, and each is timed from when it was planned."""
    load, free, tasks = Load(), [], set()
    began = time.perf_counter()

    async def ask(planned: float) -> None:
        connection = free.pop() if free else Connection(address, path, record)
        status, version = await connection.ask()
        note(load, planned, status, version)
        free.append(connection)

    for number in range(int(rate * seconds)):
        planned = began + number / rate
        await asyncio.sleep(max(0.0, planned - time.perf_counter()))
        task = asyncio.create_task(ask(planned))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    load.wall = time.perf_counter() - began
    for connection in free:
        connection.close()
    return load


def note(load: Load, begin: float, status: int, version: str) -> None:
    end = time.perf_counter()
    load.statuses[status] += 1
    load.answers.append((begin, end, status, version))
