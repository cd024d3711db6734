"""Random kills of a run, one resume each, compared with an undisturbed run.

    python tests/faults/kills.py --group 100 --parent 50 --term 25 --int 25     # `make faults`

A kill is timed by the progress of the run, not from its start, where most would hit imports. `group` ends every process
of the run at once, as a crash of the machine does; `parent` ends only the run or its DVC, as the kernel does without
memory; `term` and `int` are signals to the run, which must end within seconds, with everything it started.
"""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import standin
from prefect_dvc.recovery import orphans

KINDS = ("group", "parent", "term", "int")
CODES = {"group": -9, "term": 143, "int": 130}
SPAN = 0.4  # seconds after the state, within which a kill comes; a stage takes about as long
WAIT_SECONDS = 60
EARLY, STAGES = "the rwlock is there", 8


@dataclass(frozen=True)
class Trial:
    """One kill and one resume: what was hit, in which state, what was repaired, and what differs from the reference."""

    kind: str
    seed: int
    hit: str  # empty where the run had ended before
    after: str
    code: int | None
    seconds: float  # from the signal until nothing of the run was left
    repaired: list[str]
    wrong: str


Reference = list[tuple[Path, dict[str, str]]]


def reference(box: Path, seconds: float) -> Reference:
    """Two projects, each with its state after an undisturbed run.

    In one nothing ran before. In the other all did, with other params, so that old outputs lie about.
    """
    templates = [standin.make(box / "new", seconds)]
    states = []
    done = shutil.copytree(templates[0], box / "undisturbed")
    for seed in (1, 2):
        standin.set_params(done, seconds, seed)
        if seed == 2:
            templates.append(shutil.copytree(done, box / "old"))
        assert standin.start(done, box / "log").wait() == 0, (box / "log").read_text()
        states.append(standin.state(done))
    return list(zip(templates, states, strict=True))


def trial(kind: str, seed: int, box: Path, templates: Reference, command: Sequence[str] = standin.COMMAND) -> Trial:
    """Kills a run in a copy of one of the two projects, resumes it, and compares."""
    draw = random.Random(f"{kind} {seed}")
    template, expected = templates[seed % 2]
    folder = shutil.copytree(template, box / f"{kind}-{seed}", symlinks=True)
    log = box / f"{kind}-{seed}.log"
    run = standin.start(folder, log, command)
    wanted = draw.randrange(STAGES + 1)
    _wait_for(run, folder, log, wanted)
    time.sleep(draw.uniform(0, SPAN))
    after = ([line for line in log.read_text().splitlines() if line.startswith("Running stage")] or [EARLY])[-1]
    tree = [psutil.Process(run.pid), *psutil.Process(run.pid).children(recursive=True)] if run.poll() is None else []
    began = time.monotonic()
    hit = _kill(kind, run, tree, draw)
    run.wait(WAIT_SECONDS)
    if kind != "parent":  # there, the resumed run meets what may still be at work
        while any(orphans.is_running(process) for process in tree):
            time.sleep(0.01)
    took = time.monotonic() - began
    resumed = standin.start(folder, log, command)
    code = resumed.wait(WAIT_SECONDS)
    output = log.read_text()
    repaired = [line for line in output.splitlines() if line.startswith(("removed", "ended", ".dvc/tmp", "dvc.lock"))]
    wrong = _wrong(folder, expected, code, output)
    if hit and kind in CODES and command == standin.COMMAND and run.returncode != CODES[kind]:
        wrong += f" ended with {run.returncode}"
    if not wrong:
        shutil.rmtree(folder)
    return Trial(kind, seed, hit, after, run.returncode, took, repaired, wrong)


def _wait_for(run: "subprocess.Popen[bytes]", folder: Path, log: Path, stage: int) -> None:
    """Until the run begins its stage of that number, or DVC writes its rwlock, or the run has ended."""
    rwlock = folder / ".dvc" / "tmp" / "rwlock"
    before = rwlock.stat().st_mtime if rwlock.exists() else 0
    while run.poll() is None:
        reached = log.read_text().count("Running stage '")
        if reached >= stage and (stage or (rwlock.exists() and rwlock.stat().st_mtime > before)):
            return
        time.sleep(0.01)


def _kill(kind: str, run: "subprocess.Popen[bytes]", tree: list[psutil.Process], draw: random.Random) -> str:
    if not tree:
        return ""
    if kind in ("term", "int"):
        run.send_signal(signal.SIGTERM if kind == "term" else signal.SIGINT)
        return "the run"
    if kind == "parent":
        dvc = [process for process in tree if _is_dvc(process)]
        victim, name = draw.choice([(tree[0], "the run"), *((process, "its DVC") for process in dvc)])
        victim.kill()
        return name
    for send in (psutil.Process.suspend, psutil.Process.kill):
        for process in tree:
            with suppress(psutil.NoSuchProcess):
                send(process)
    return "all"


def _is_dvc(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.cmdline()[1:] == ["-m", "dvc", "repro"]
    return False


def _wrong(folder: Path, expected: Mapping[str, str], code: int, output: str) -> str:
    if code:
        return f"the resumed run ended with {code}: {output[-500:]}"
    left = [process for process in psutil.process_iter(["environ"]) if _is_of(process, folder)]
    if left:
        return f"still there: {[process.cmdline() for process in left]}"
    actual = standin.state(folder)
    differing = sorted(name for name in actual.keys() | expected.keys() if actual.get(name) != expected.get(name))
    if differing:
        return f"differs: {differing}"
    return ""


def _is_of(process: psutil.Process, folder: Path) -> bool:
    return str(folder) in (process.info["environ"] or {}).get("GAZETTE_RUN", "")


def campaign(
    counts: Mapping[str, int],
    first: int,
    workers: int,
    seconds: float,
    box: Path,
    command: Sequence[str] = standin.COMMAND,
) -> list[Trial]:
    """As many trials of each kind; seeds count from `first`."""
    templates = reference(box, seconds)
    wanted = [(kind, seed) for kind, count in counts.items() for seed in range(first, first + count)]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda pair: _shown(trial(*pair, box, templates, command)), wanted))


def _shown(done: Trial) -> Trial:
    print(
        f"{done.kind:6} {done.seed:4}  {done.hit or 'too late':8} {done.after:36} {done.code!s:>4} "
        f"{done.seconds:5.1f} s  {'WRONG ' + done.wrong if done.wrong else 'equal'}  {'; '.join(done.repaired)}",
        flush=True,
    )
    return done


def table(trials: list[Trial]) -> str:
    """A Markdown table: kinds, how many hit a run, how many were repaired, how many ended equal."""
    rows = [
        "| kill | trials | hit a live run | something to repair | equal after one resume | slowest end |",
        "|---" * 6 + "|",
    ]
    for kind in [kind for kind in KINDS if any(done.kind == kind for done in trials)]:
        own = [done for done in trials if done.kind == kind]
        rows.append(
            f"| {kind} | {len(own)} | {sum(bool(done.hit) for done in own)} "
            f"| {sum(bool(done.repaired) for done in own)} | {sum(not done.wrong for done in own)} "
            f"| {max(done.seconds for done in own):.1f} s |"
        )
    return "\n".join(rows)


def main() -> None:
    """Exit with 1 if a trial did not end equal; its folder stays."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind, count in zip(KINDS, (100, 50, 25, 25), strict=True):
        parser.add_argument(f"--{kind}", type=int, default=count)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=0.1, help="what a stage takes")
    parser.add_argument("--bare", action="store_true", help="plain `dvc repro`, for comparison")
    arguments = parser.parse_args()
    box = Path(tempfile.mkdtemp(prefix="faults-"))
    counts = {kind: getattr(arguments, kind) for kind in KINDS}
    command = standin.BARE if arguments.bare else standin.COMMAND
    trials = campaign(counts, arguments.first, arguments.workers, arguments.seconds, box, command)
    print(table(trials))
    repaired = Counter(line.split(" named ")[0].split(" (")[0][:60] for done in trials for line in done.repaired)
    print(*(f"{count:4} {line}" for line, count in repaired.most_common()), sep="\n")
    if any(done.wrong for done in trials):
        sys.exit(f"not all ended equal; what is left is in {box}")
    shutil.rmtree(box)


if __name__ == "__main__":
    main()
