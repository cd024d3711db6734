"""What it costs to look at all that a stage depends on, at its start and its end: milliseconds of processor, a median.

`python benchmarks/watching.py`, after `dvc checkout`.
"""

import statistics
import time
from pathlib import Path

from ruamel.yaml import YAML

from gazette.pipeline import input_guard

OPTIONS = {"candidate": "cnn"}


def main(repeats: int = 9) -> None:
    """Prints a line for each stage."""
    for stage in YAML(typ="safe", pure=True).load(Path("dvc.yaml"))["stages"]:
        found = []
        for _ in range(repeats):
            began = time.process_time()
            with input_guard.held(stage, OPTIONS):
                half = time.process_time()
            found.append((half - began, time.process_time() - half))
        before, after = (1000 * statistics.median(side) for side in zip(*found, strict=True))
        print(f"{stage}: {before:.0f} ms before, {after:.0f} ms after")


if __name__ == "__main__":
    main()
