"""A numpy array of any shape and dtype, for annotations."""

from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]
