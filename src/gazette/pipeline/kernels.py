"""Whether BLAS works here with the kernels that `variables` forces, tried once for each machine and version of numpy.

A wrong kernel may crash, so a child process tries it. The answer is remembered in `.gazette`. What says nothing about
the kernel, such as a numpy that cannot be imported or a lack of memory, is left to the command that needs numpy.
"""

import json
import os
import platform
import signal
import sys
from contextlib import suppress
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from prefect_dvc import supervisor
from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError

from gazette.pipeline import inheritance, state

KERNEL = "OPENBLAS_CORETYPE"
ANSWERS = "kernels.json"
PRODUCTS = Path(__file__).parents[1] / "training" / "products.py"
_WRONG = 9  # the exit code of the program for a wrong sum
_CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT)
_PROCESSOR = ("vendor_id", "cpu family", "model", "model name", "stepping", "cache size", "flags", "Features")


def choose_kernels(root: Path) -> str:
    """Leave the choice of kernels to OpenBLAS if the forced ones do not work here; return a warning, if so.

    To be called before numpy is imported, in a project. Raises ConfigError if the others do not work either.
    """
    kernel = os.environ.get(KERNEL)
    if kernel is None or find_spec("scipy") is None:  # the base alone: no stage can run here
        return ""
    if not (failure := _failure(root, kernel)):
        return ""
    del os.environ[KERNEL]
    if also := _failure(root, ""):
        raise ConfigError(f"numpy {version('numpy')} cannot multiply matrices on this machine: {also}; `make install`")
    return (
        f"warning: OpenBLAS's kernels for {kernel}, by which results have the same bytes on every processor, do not "
        f"work on this one ({failure}); its own choice is used, and bytes can differ from those of other machines"
    )


def _failure(root: Path, kernel: str) -> str:
    """Return why a kernel does not work here, remembered; empty if it works."""
    path, key = root / ".gazette" / ANSWERS, f"{kernel or 'its own choice'} on {_machine()}"
    answers: dict[str, str] = {}
    with suppress(OSError, ValueError):  # there is none yet, or it is damaged
        answers = dict(json.loads(path.read_text(encoding="utf-8")))
    if key not in answers:
        failure = try_kernel(kernel)
        if failure is None:
            return ""
        answers[key] = failure
        text = json.dumps(answers, indent=2, ensure_ascii=False) + "\n"
        with suppress(OSError):  # a folder that cannot be written to; the next process tries again
            atomic.write_text(state.state_folder(root) / ANSWERS, text)
    return answers[key]


def try_kernel(kernel: str, program: Path = PRODUCTS) -> str | None:
    """Multiply in a child process, by a kernel or by OpenBLAS's own choice, and return why that failed.

    The reason is empty if it works, and None if the child tells nothing about the kernel.
    """
    environment = inheritance.inherited() | {KERNEL: kernel}
    if not kernel:
        del environment[KERNEL]
    done = supervisor.capture([sys.executable, "-I", str(program)], environment)
    product = done.stdout.strip().rpartition("\n")[2]
    if -done.returncode in _CRASHES and product:
        return f"{signal.Signals(-done.returncode).name} in {product}"
    if done.returncode == _WRONG:
        return f"a wrong sum in {product}"
    return None if done.returncode else ""


def _machine() -> str:
    """Return the processor and the versions of what multiplies on it."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").partition("\n\n")[0].splitlines() if cpuinfo.exists() else []
    processor = [line for line in lines if line.startswith(_PROCESSOR)] or [platform.processor(), platform.machine()]
    digest = sha256("\n".join(processor).encode()).hexdigest()[:12]
    return f"{platform.machine()} {digest}, numpy {version('numpy')}, scipy {version('scipy')}"
