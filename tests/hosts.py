"""Hosts on this machine that share no disk and no network: each has namespaces of its own, which only root can make.

A host reaches the servers of this machine alone, at their ports on its own 127.0.0.1, and sees its own folder alone.
A wire gives it an address, at which this machine reaches what listens there.
"""

import ctypes
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from links import Link
from prefect_dvc import supervisor

CLONE_NEWNET = 0x40000000

# Hides the folder of all hosts, but for that of this one, before the command runs.
HIDE = (
    'mount --bind "$1" /mnt && mount -t tmpfs tmpfs "$0" && mkdir "$1" && mount --move /mnt "$1" && cd "$1" && shift 1'
)


def can_part() -> bool:
    """Whether this process may make namespaces and mount; root in a container may not."""
    if os.getuid() != 0 or not all(shutil.which(name) for name in ("ip", "unshare")):
        return False
    return subprocess.run(["unshare", "--mount", "--net", "true"], check=False, capture_output=True).returncode == 0


class Host:
    """A host whose files are in `box`/`name`; `ports` are those of the servers that it reaches."""

    def __init__(self, box: Path, name: str, ports: Sequence[int], environment: Mapping[str, str]) -> None:
        self.folder, self.box, self.environment = box / name, box, environment
        self.folder.mkdir()
        self.space = f"gazette-{os.getpid()}-{name}"
        subprocess.run(["ip", "netns", "add", self.space], check=True)
        subprocess.run(["ip", "-n", self.space, "link", "set", "lo", "up"], check=True)
        self.links = [Link(port, self._listen(port)) for port in ports]

    def __call__(self, command: str, code: int = 0) -> str:
        result = subprocess.run(
            self._inside(command), env=dict(self.environment), capture_output=True, text=True, check=False
        )
        assert result.returncode == code, result.stdout + result.stderr
        return result.stdout + result.stderr

    def start(self, command: str, log: Path) -> "subprocess.Popen[str]":
        """Start a command on the host, with its output in `log`; `terminate()` ends it."""
        with log.open("w") as file:
            return supervisor.start_command(self._inside(command), Path(), self.environment, file)

    def wire(self, number: int) -> str:
        """Lay a wire to this machine, which is at 10.77.NUMBER.1 on it, and return the host's address."""
        here = f"w{number}-{os.getpid()}"
        commands = [f"ip link add {here} type veth peer name eth0 netns {self.space}"]
        for ip, device, place in (("ip", here, 1), (f"ip -n {self.space}", "eth0", 2)):
            commands += [f"{ip} addr add 10.77.{number}.{place}/30 dev {device}", f"{ip} link set {device} up"]
        for command in commands:
            subprocess.run(command.split(), check=True)
        return f"10.77.{number}.2"

    def _inside(self, command: str) -> list[str]:
        inside = f'{HIDE} && exec sh -c "$1"'
        words = ["unshare", "--mount", "sh", "-c", inside, str(self.box), str(self.folder), command]
        return ["ip", "netns", "exec", self.space, *words]

    def remove(self) -> None:
        for link in self.links:
            link.close()
        subprocess.run(["ip", "netns", "del", self.space], check=True)

    def _listen(self, port: int) -> socket.socket:
        """Listen in the namespace, by a thread that enters it; a socket stays where it was created."""
        listeners: list[socket.socket] = []

        def enter() -> None:
            with Path(f"/run/netns/{self.space}").open() as space:
                assert ctypes.CDLL(None, use_errno=True).setns(space.fileno(), CLONE_NEWNET) == 0
            listeners.append(socket.create_server(("127.0.0.1", port)))

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        return listeners[0]
