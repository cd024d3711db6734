"""TensorFlow's runtime: quiet import and deterministic settings."""

import contextlib
import os
from collections.abc import Iterator


def configure_tensorflow(seed: int, threads: int, onednn: bool) -> None:
    """Import Keras on TensorFlow, which takes seconds the first time, and fix all settings that change weights."""
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = str(int(onednn))
    os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX2"  # the same kernels, so the same bytes, with and without AVX512
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # TensorFlow reads its environment at import and logs before its log level can be set.
    with _silence_stderr():
        from gazette.training.networks import training_loop
    training_loop.make_deterministic(seed, threads)


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
