"""A part of the train rows, where all of them would take too long."""

import numpy as np
import numpy.typing as npt


def drawn(rows: int, of: int, seed: int) -> npt.NDArray[np.int64]:
    """The numbers of at most so many rows (0: all), drawn from one seed, in their order."""
    return np.sort(np.random.default_rng(seed).permutation(of)[: rows or of])
