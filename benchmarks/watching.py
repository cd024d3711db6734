"""The cost of checking a stage's inputs at its start and its end: median CPU milliseconds.

`python benchmarks/watching.py`, after `dvc checkout`.
"""

import statistics
import time
from pathlib import Path

from ruamel.yaml import YAML

from gazette.pipeline import input_guard

OPTIONS = {"candidate": "cnn"}


def main(repeats: int = 9) -> None:
    """Print a line for each stage."""
    for stage in YAML(typ="safe", pure=True).load(Path("dvc.yaml"))["stages"]:
        times = []
        for _ in range(repeats):
            began = time.process_time()
            with input_guard.inputs_unchanged(stage, OPTIONS):
                half = time.process_time()
            times.append((half - began, time.process_time() - half))
        before, after = (1000 * statistics.median(side) for side in zip(*times, strict=True))
        print(f"{stage}: {before:.0f} ms before, {after:.0f} ms after")


if __name__ == "__main__":
    main()
