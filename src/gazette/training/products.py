"""Products of odd shapes by BLAS, compared with plain sums; run as a script, since a wrong kernel may crash.

Writes each product to standard output before it is computed, so that the last line names one that crashed. The numbers
are small integers, so that every order of additions gives the same sum.
"""

import sys
from collections.abc import Callable, Iterator

import numpy as np

WRONG = 9  # the exit code for a wrong sum; 1 is Python's own
Multiply = Callable[[int, np.ndarray, np.ndarray], np.ndarray]
SHAPES = (
    (1464, 385, 5), (1, 1, 1), (3, 7, 13), (5, 385, 1464), (31, 17, 129), (63, 257, 65), (1023, 127, 9), (2049, 3, 2),
    (127, 1025, 33),
)  # fmt: skip


def main() -> None:
    """Exit with `WRONG` at the first product that differs from its sums."""
    from scipy.linalg import blas

    draw = np.random.default_rng(0)
    for rows, inner, columns in SHAPES:
        left, right = (draw.integers(-8, 9, size) for size in ((rows, inner), (inner, columns)))
        expected = left @ right  # of integers, which BLAS does not multiply
        for kind, multiply in ((np.float32, blas.sgemm), (np.float64, blas.dgemm)):
            print(f"{rows} × {inner} by {inner} × {columns}, {np.dtype(kind)}", flush=True)  # noqa: T201
            products = multiply_in_all_ways(left.astype(kind), right.astype(kind), multiply)
            if not all(np.array_equal(product, expected) for product in products):
                sys.exit(WRONG)


def multiply_in_all_ways(left: np.ndarray, right: np.ndarray, multiply: Multiply) -> Iterator[np.ndarray]:
    """Yield a product by numpy's BLAS, in each order of memory and by columns, and by scipy's, which is its own."""
    yield left @ right
    yield np.asfortranarray(left) @ right
    yield left @ np.asfortranarray(right)
    yield np.column_stack([left @ column for column in right.T])
    yield multiply(1, left, right)


if __name__ == "__main__":
    main()
