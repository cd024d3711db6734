"""TensorFlow's runtime: quiet import and deterministic settings."""

import contextlib
import gc
import os
import sys
from collections.abc import Iterator

_UNUSED = ("matplotlib", "pandas", "sklearn")  # Keras imports them, if it can, for plots, tables and wrappers: 1.7 s


def configure_tensorflow(seed: int, threads: int, onednn: bool) -> None:
    """Import Keras on TensorFlow, which takes seconds the first time, and fix all settings that change weights."""
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = str(int(onednn))
    os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX2"  # the same kernels, so the same bytes, with and without AVX512
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    is_first = "tensorflow" not in sys.modules
    # TensorFlow reads its environment at import and logs before its log level can be set.
    with _silence_stderr(), _hide_packages():
        from gazette.training.networks import training_loop
    if is_first:
        gc.freeze()  # what was imported stays; to look for garbage in it takes 0.2 s
    training_loop.make_deterministic(seed, threads)


@contextlib.contextmanager
def _hide_packages() -> Iterator[None]:
    """Let an import of what is unused fail, as where it is not installed; what was imported before stays."""
    hidden = [name for name in _UNUSED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextlib.contextmanager
def _silence_stderr() -> Iterator[None]:
    """Discard what native code writes to stderr; exceptions pass through."""
    stderr, devnull = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(devnull)
