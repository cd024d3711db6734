"""One run at a time in a project, and what the last one left behind is healed first.

Whoever starts DVC does so inside `held`. The lock is the kernel's: it ends with its holder, so that a run that is alive
is never healed, and one that was killed blocks nobody.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from gazette.pipeline import state, supervisor
from gazette.pipeline.recovery import filelock, orphans, repair


@contextmanager
def held(root: Path) -> Iterator[list[str]]:
    """Heals the project and keeps other runs out for as long as the block lasts; gives what was done, a line each.

    What the block starts carries a mark, by which it is found should it outlive the run; inside a run that is marked so
    already, nothing more happens. Raises Misconfigured where another run is at work.
    """
    before = os.environ.get(orphans.MARK)
    if before == str(root.resolve()):
        yield []
        return
    with filelock.held(state.folder(root) / "run.lock", "another run is at work in this folder") as file:
        file.seek(0)
        interrupted = bool(file.read())
        deeds = repair.heal(root, interrupted)
        repair.remember(root)
        file.truncate(0)
        file.write(f"process {os.getpid()}, {' '.join(sys.argv)}, since {time.strftime('%Y-%m-%d %H:%M:%S %z')}\n")
        file.flush()
        os.environ[orphans.MARK] = str(root.resolve())
        try:
            yield deeds
        finally:
            del os.environ[orphans.MARK]
            os.environ.update({orphans.MARK: before} if before else {})
        repair.remember(root)
        file.truncate(0)


def run(
    command: Sequence[str],
    root: Path,
    hear: Callable[[str], object] | None = None,
    extra: Mapping[str, str] | None = None,
) -> int:
    """Runs a command with this process's streams, or each line of what it says to `hear`; its exit code.

    `extra` is added to the environment.

    SIGTERM and SIGINT end the command and whatever it started, within seconds; so does the end of this process. Where
    signal n ended either, this one exits with 128 + n.
    """
    environment = {**os.environ, **(extra or {})}
    output, errors = (subprocess.PIPE, subprocess.STDOUT) if hear else (None, None)
    process = supervisor.start(command, root, environment, output, errors)
    heard: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        process.terminate()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    for line in process.stdout or ():
        if hear:
            hear(line.rstrip("\n"))
    code = process.wait()
    for number, handler in before.items():
        signal.signal(number, handler)
    if heard or code < 0 or 128 < code < 128 + signal.NSIG:  # 255 is DVC's word for a stage that failed
        sys.exit(128 + heard[0] if heard else code if code > 0 else 128 - code)
    return code
