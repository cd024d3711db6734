"""TensorFlow: imported without its chatter, and the same in every process."""

import contextlib
import os
from collections.abc import Iterator


def start(seed: int, threads: int, onednn: bool) -> None:
    """Imports Keras on TensorFlow, seconds the first time, and fixes what changes the bytes of what is learned."""
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = str(int(onednn))
    os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX2"  # the same kernels, so the same bytes, with AVX512 and without it
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # TensorFlow reads its environment when it is imported, and talks before it can be told not to.
    with _stderr_aside():
        from gazette.training.networks import training_loop
    training_loop.fix(seed, threads)


@contextlib.contextmanager
def _stderr_aside() -> Iterator[None]:
    """Keeps what native code writes to the error stream from the terminal; exceptions pass as ever."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
