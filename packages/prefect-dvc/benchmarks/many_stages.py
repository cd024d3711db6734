"""The flow and `dvc repro` in a project of many short stages: seconds, processor seconds, memory, equal locks.

`python benchmarks/many_stages.py 1000 --wide 20` makes the project in a temporary folder: 1,000 stages in chains, 20
side by side. Without --repro only the flow runs, since DVC takes seconds for each stage when there are many.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FLOW = ("prefect_dvc", "run", "--workers", "2")


def make_project(folder: Path, count: int, wide: int) -> None:
    """Make the project, with git and DVC in it."""
    lines = ["stages:"]
    for number in range(count):
        before = f"o{number - wide}.txt" if number >= wide else "raw.txt"
        lines += [f"  s{number:04d}:", f"    cmd: cat {before} > o{number}.txt; echo {number} >> o{number}.txt"]
        lines += ["    deps:", f"    - {before}", "    outs:", f"    - o{number}.txt"]
    folder.mkdir()
    (folder / "dvc.yaml").write_text("\n".join(lines) + "\n")
    (folder / "raw.txt").write_text("raw\n")
    start = (
        "git init -q && dvc init -q && git add -A && git -c user.name=b -c user.email=b@example.org commit -qm start"
    )
    subprocess.run(start, shell=True, cwd=folder, check=True)


def measure(name: str, folder: Path, *module: str) -> None:
    """Run a module of Python in a folder, and print what it took."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    first = 0.0
    with subprocess.Popen(
        [sys.executable, "-m", *module], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout
        for line in process.stdout:
            first = first or (time.monotonic() - began if re.search(r"Running stage", line) else 0.0)
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"{name}: exit {process.returncode}, {seconds:.1f} s, first stage after {first:.1f} s, "
        f"{processor:.1f} s of processor, at most {after.ru_maxrss / 1024:.0f} MiB in a process, "
        f"load {os.getloadavg()[0]:.1f}"
    )


def main() -> None:
    """Print a line for each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stages", type=int)
    parser.add_argument("--wide", type=int, default=20)
    parser.add_argument("--repro", action="store_true", help="also run `dvc repro`, and compare the locks")
    options = parser.parse_args()
    os.environ["DVC_NO_ANALYTICS"] = "true"
    with tempfile.TemporaryDirectory() as box:
        flow, repro = Path(box) / "flow", Path(box) / "repro"
        make_project(flow, options.stages, options.wide)
        measure("flow", flow, *FLOW)
        measure("flow, nothing changed", flow, *FLOW)
        if options.repro:
            make_project(repro, options.stages, options.wide)
            measure("dvc repro", repro, "dvc", "repro")
            measure("dvc repro, nothing changed", repro, "dvc", "repro")
            print("locks equal:", (flow / "dvc.lock").read_bytes() == (repro / "dvc.lock").read_bytes())


if __name__ == "__main__":
    main()
