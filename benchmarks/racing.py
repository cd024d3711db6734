"""Two simultaneous scheduled runs on one branch, repeated while others push too: is a commit lost or duplicated?

    python benchmarks/racing.py 20

In each round somebody pushes other params, and two flow runs start at once; in every second round somebody pushes, at a
random moment, a file that no stage reads. Expected after a round: one commit of the two runs, everything others pushed,
a lock that matches the params, its data at the remote, no `retrain/` branch, no worktree.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from prefect_dvc.environment import QUIET, child_environment
from prefect_dvc.flows import server
from projects import PUBLISHED, make_project

RUN = "from flows.retrain import retrain; print(retrain(return_state=True).message)"
WHO = {f"GIT_{who}_{what}": "t@t" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def shell(folder: Path, command: str) -> str:
    """Run a command, which must succeed, and return its stdout."""
    environment = child_environment(WHO)
    return subprocess.run(
        command, shell=True, cwd=folder, env=environment, check=True, capture_output=True, text=True
    ).stdout.strip()


def push(box: Path, file: str, text: str) -> None:
    """Push a commit of another person, on top of the branch."""
    shell(box, "rm -rf other && git clone -q --branch main origin.git other")
    (box / "other" / file).write_text(text)
    shell(box / "other", "git add -A && git commit -qm theirs")
    shell(box / "other", "until git push -q origin main; do git pull -q --rebase; done")


def main(rounds: int) -> None:
    """Print a line for each round, and how many were as expected."""
    box = Path(tempfile.mkdtemp(prefix="racing-"))
    root = make_project(box, PUBLISHED, params__yaml="seed: 0\n", raw="1\n")
    shell(root, "git branch -M main && git rm -q --cached raw && echo /raw >> .gitignore")
    shell(root, "dvc remote add -q -d store ../store && dvc add -q raw && dvc repro -q && dvc push -q")
    shell(root, "git add -A && git commit -qm ran && git init -q --bare -b main ../origin.git")
    shell(root, "git remote add origin ../origin.git && git push -q origin main")
    process, address = server.start(box / "prefect")
    server.wait(process, address, box / "prefect")
    environment = child_environment(
        {**WHO, **QUIET, "PREFECT_API_URL": address, "PREFECT_HOME": str(box / "prefect")}
        | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]), "PREFECT_LOGGING_LEVEL": "ERROR"}
    )
    chance, good = random.Random(7), 0
    for number in range(1, rounds + 1):
        push(box, "params.yaml", f"seed: {number}\n")
        began, before = time.monotonic(), int(shell(box / "origin.git", "git rev-list --count main"))
        runs = [
            subprocess.Popen([sys.executable, "-c", RUN], cwd=root, env=environment, stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        if number % 2 == 0:
            time.sleep(chance.uniform(5, 20))
            push(box, f"unread{number}", "")
        ends = [process.communicate()[0].strip().splitlines()[-1:] for process in runs]
        seconds = time.monotonic() - began
        verdict = "as expected" if as_expected(box, root, number, before) else "NOT AS EXPECTED"
        good += verdict == "as expected"
        print(
            f"{number:3} {seconds:5.0f} s  {verdict}: {' | '.join(end[0] if end else 'no end' for end in ends)}",
            flush=True,
        )
    process.terminate()
    print(f"{good} of {rounds} without a lost or duplicated commit; {box} has all of it")


def as_expected(box: Path, root: Path, number: int, before: int) -> bool:
    """Check that remotes and project are as one of the two runs should leave them."""
    origin, theirs = box / "origin.git", 1 if number % 2 == 0 else 0
    lock = shell(origin, "git show main:dvc.lock")
    md5 = lock.split("path: made_train")[1].split("md5: ")[1].split()[0]
    return (
        int(shell(origin, "git rev-list --count main")) == before + 1 + theirs
        and shell(origin, f"git log --format=%s main -{1 + theirs}").count("Retrained: train") == 1
        and (not theirs or shell(origin, f"git ls-tree --name-only main unread{number}") != "")
        and json.loads(shell(origin, "git show main:m.json")) == {"f1": number}
        and (box / "store" / "files" / "md5" / md5[:2] / md5[2:]).exists()
        and shell(origin, "git branch --list 'retrain/*'") == ""
        and not list((root / ".gazette").glob("retrain-*"))
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
