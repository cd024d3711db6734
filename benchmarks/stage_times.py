"""Where the time of a run goes: wall clock and processor seconds of each stage, its process on its own.

    python benchmarks/stage_times.py                in a project that is up to date; outputs are made again, equal
    python benchmarks/stage_times.py train@lstm     these stages only

Prints the load and a table in Markdown.
"""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from prefect_dvc.environment import child_environment
from ruamel.yaml import YAML

stages = YAML(typ="safe", pure=True).load(Path("dvc.lock"))["stages"]
print(f"load {os.getloadavg()[0]:.1f}\n\n| stage | seconds | processor seconds |\n|---|---|---|")
for name in sys.argv[1:] or stages:
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(stages[name]["cmd"], shell=True, env=child_environment(), capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"| {name} | {time.monotonic() - start:.1f} | {used:.1f} |", flush=True)
