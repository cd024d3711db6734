"""What a signal that ended a stage likely means. Pure."""

import re
import signal

from prefect_dvc.core.errors import ConfigError

EXITED = re.compile(r"^(?:ERROR: )?failed to .*?exited with (-?\d+)$", re.MULTILINE | re.DOTALL)
NATIVE = "a crash in native code, of a library or for lack of memory; report it with the kind of processor"
MEANINGS = {
    "SIGKILL": "most likely the system or its container ran out of memory; run fewer stages at once, or add memory",
    "SIGSEGV": NATIVE,
    "SIGBUS": "a crash in native code, or a disk or /dev/shm that is full",
    "SIGILL": "native code with an instruction that this processor lacks; x86-64 needs AVX2",
    "SIGFPE": NATIVE,
    "SIGABRT": "native code gave up, often for lack of memory; its reason is above",
    "SIGTRAP": NATIVE,
    "SIGSYS": "a system call that a sandbox forbids",
    "SIGXCPU": "it used more processor time than `ulimit -t` or a scheduler allows",
    "SIGXFSZ": "it wrote a larger file than `ulimit -f` allows",
    "SIGTERM": "somebody, a scheduler or a time-out ended it",
    "SIGHUP": "its terminal was closed",
    "SIGINT": "Ctrl-C",
    "SIGPIPE": "the program that read its output had ended",
}


def explain_exit(code: int) -> str:
    """Return which signal an exit code means, and what likely sent it; empty if it means none.

    Python's codes are negative; a shell adds 128 to the signal.
    """
    number = -code if code < 0 else code - 128
    if number not in {item.value for item in signal.Signals}:
        return ""
    name = signal.Signals(number).name
    return f"ended by signal {number}, {name}" + (f": {MEANINGS[name]}" if name in MEANINGS else "")


def stage_exit_code(message: str) -> int:
    """Return the exit code of a stage from DVC's message; 128 + n after signal n; 2 if the stage was not started."""
    codes = [int(code) for code in EXITED.findall(message)]
    if not codes:
        return ConfigError.code
    return codes[-1] if codes[-1] >= 0 else 128 - codes[-1]


def append_signal(message: str, code: int | None = None) -> str:
    """Add to the message of a stage that failed which signal ended it, if one did; the code is in DVC's message."""
    return "\n".join(filter(None, [message, explain_exit(stage_exit_code(message) if code is None else code)]))
