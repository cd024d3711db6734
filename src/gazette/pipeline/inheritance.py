"""What our processes inherit of the caller's environment: what `variables` lists, and nothing else.

A variable of a library can change what a stage makes, or switch a check off, and nothing would record it. A variable
that is set but empty counts as not set: compose files and CI pass one on so.
"""

import logging
import os
import sys
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from prefect_dvc.core.errors import ConfigError

from gazette.pipeline.variables import PASSED, SET, THREADS

# No graphics card, which is how one hides them; and a value of git's configuration, which may be empty.
MEANT_EMPTY = ("CUDA_VISIBLE_DEVICES", "GIT_CONFIG_VALUE_*")
LOOPBACK = ("localhost", "127.0.0.1", "::1")  # what listens here is out of a proxy's reach
PASS = "GAZETTE_PASS"  # names of further variables, separated by commas

# Libraries whose variables change a result, weaken a check, or redirect what is written.
LIBRARIES = (
    "ARROW_", "BLIS_", "DASK_", "DNNL_", "DVC_", "DYLD_", "GAZETTE_", "GIT_", "GLIBC_", "GOTO_", "GX_", "JOBLIB_",
    "KERAS_", "KMP_", "LD_", "LOKY_", "MALLOC_", "MKL_", "MLFLOW_", "NPY_", "NUMPY_", "OMP_", "ONEDNN_", "OPENBLAS_",
    "ORT_", "PANDERA_", "PIP_", "POLARS_", "PREFECT_", "PYDANTIC_", "PYTHON", "RAYON_", "SCIPY_", "SKLEARN_",
    "TENSORFLOW_", "TF2_", "TF_", "TOKENIZERS_", "UV_", "XLA_",
)  # fmt: skip
LEVELS = tuple(logging.getLevelNamesMapping())
_AT_START = ("PYTHON", "LD_", "DYLD_", "GLIBC_")  # Python and the loader read them before our code runs
_HARMLESS = ("PYTHONHASHSEED",)  # no result depends on it


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what passes of an environment, with loopback exempt from its proxies.

    Raises ConfigError if GAZETTE_PASS names a variable of a library, or if a value is none that its library can read.
    """
    more = _read_pass(environment.get(PASS, ""))
    passed = {
        name: value
        for name, value in environment.items()
        if (value or _matches(name, MEANT_EMPTY)) and (passes(name) or name in more)
    }
    for name, value in passed.items():
        if expected := _find_fault(name, value):
            raise ConfigError(f"environment, {name}={value}: expected {expected}, or `unset {name}`")
    return _exempt_loopback(passed)


def passes(name: str) -> bool:
    """Check whether a variable is on the list."""
    return name in _NAMES or _matches(name, _PATTERNS)


def read_at_start(environment: Mapping[str, str]) -> list[str]:
    """List the variables that do not pass, but that Python and the loader have read."""
    passed = clean(environment)
    return [name for name in environment if name.startswith(_AT_START) and name not in (*passed, *_HARMLESS)]


def constants() -> dict[str, str]:
    """Return the variables that are set in every process."""
    return {name: value for name, (value, _) in SET.items()}


def inherited() -> dict[str, str]:
    """Return what a child inherits of this process's environment, and the constants."""
    return clean(os.environ) | constants()


def clean_process() -> list[str]:
    """Clean this process's environment, set the constants, and return which variables of libraries are gone.

    Some variables are read before this is called, by Python and the loader. If one of them is set that does not pass,
    this process starts again without it.
    """
    before = dict(os.environ)
    after = clean(before) | constants()
    if read_at_start(before):
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], after)
    for name in before.keys() - after.keys():
        del os.environ[name]
    os.environ.update(after)
    return sorted(name for name in before.keys() - after.keys() if name.startswith(LIBRARIES))


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _find_fault(name: str, value: str) -> str | None:
    """Return what is expected of a variable whose value is none that its library can read."""
    if name in THREADS and not all(part.strip().isdecimal() and int(part) for part in value.split(",")):
        return "a number of threads"
    if name == "MLFLOW_LOGGING_LEVEL" and value.upper() not in LEVELS:  # read when MLflow is imported
        return f"one of {', '.join(LEVELS)}"
    return None


def _read_pass(names: str) -> list[str]:
    listed = [name.strip() for name in names.split(",")]
    if refused := [name for name in listed if name.startswith(LIBRARIES)]:
        raise ConfigError(
            f"{PASS} names {', '.join(refused)}, which can change a result or weaken a check; remove it there "
            "(docs/environment.md lists what passes)"
        )
    return listed


def _exempt_loopback(environment: dict[str, str]) -> dict[str, str]:
    listed = [environment.get("no_proxy", ""), environment.get("NO_PROXY", ""), *LOOPBACK]
    hosts = dict.fromkeys(host.strip() for host in ",".join(listed).split(",") if host.strip())
    exempt = "*" if "*" in hosts else ",".join(hosts)
    socks = {name: f"socks5{value[5:]}" for name, value in environment.items() if value.startswith("socks://")}
    return environment | socks | {"no_proxy": exempt, "NO_PROXY": exempt}


_NAMES = {name for names in PASSED.values() for name in names if "*" not in name}
_PATTERNS = [name for names in PASSED.values() for name in names if "*" in name]
