"""DVC projects for several tests."""

import json
import os
import subprocess
from pathlib import Path

import warm

from prefect_dvc.environment import child_environment


def make_project(
    box: Path, stages: dict[str, object], folder: str = "project", inside: str = "", dvc: str = "", **files: str
) -> Path:
    """Create a DVC project in `box`, as the fixture `dvc_project` does.

    `inside`: the path of the project in its repository, `dvc` that of the folder with `.dvc`.
    """
    top = box / folder
    root = top / inside
    root.mkdir(parents=True)
    (top / dvc / ".dvc").mkdir()
    (top / dvc / ".dvc" / "config").write_text("[core]\n    analytics = false\n    check_update = false\n")
    (root / ".gitignore").write_text("/made_*\n")
    (root / "dvc.yaml").write_text(json.dumps({"stages": stages}))
    for name, text in files.items():
        (root / name.replace("__", ".")).write_text(text)
    git = "git init -q && git add -A && git -c user.name=t -c user.email=t@example.org commit -qm start"
    subprocess.run(git, shell=True, cwd=top, check=True)
    return root


def copy_stage(name: str, *deps: str, then: str = "true", **more: object) -> dict[str, object]:
    """Return a stage that concatenates its deps into `made_<name>`, then runs another command."""
    return {"cmd": f"cat {' '.join(deps)} > made_{name} && {then}", "deps": [*deps], "outs": [f"made_{name}"], **more}


SOMEBODY = "-c user.name=t -c user.email=t@example.org"

# Two fast stages, with raw data and a param.
PUBLISHED: dict[str, object] = {
    "start": copy_stage("start", "raw"),
    "train": {
        "cmd": "cat made_start > made_train && echo ${seed} >> made_train && echo '{\"f1\": ${seed}}' > m.json",
        "deps": ["made_start"],
        "params": ["seed"],
        "outs": ["made_train"],
        "metrics": [{"m.json": {"cache": False}}],
    },
}


def shell(folder: Path, command: str) -> str:
    """Run a shell command, which must succeed, and return its stdout; DVC in it from the warm process."""
    environment = child_environment({}) | warm.environment()
    result = subprocess.run(
        command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, (command, result.stderr)
    return result.stdout.strip()


def make_published(box: Path, inside: str = "", dvc: str = "") -> Path:
    """Create an up-to-date project, and beside it its remotes `origin.git` and `store`, to which it is pushed."""
    files = {"params__yaml": "seed: 7\n", "unread": "0\n", "raw": "1\n"}
    root, top = make_project(box, PUBLISHED, inside=inside, dvc=dvc, **files), box / "project"
    store = os.path.relpath(box / "store", root)
    shell(root, "git branch -M main && git rm -q --cached raw && echo /raw >> .gitignore")
    shell(root, f"dvc remote add -q -d store {store} && dvc add -q raw && dvc repro -q && dvc push -q")
    shell(top, f"git add -A && git {SOMEBODY} commit -qm ran && git init -q --bare -b main ../origin.git")
    shell(top, "git remote add origin ../origin.git && git push -q origin main")
    return root


def push_params(root: Path, seed: int = 8) -> str:
    """Push another param to the remote, not to the tree at `root`, and return the commit."""
    return push_files(root, params__yaml=f"seed: {seed}\n")


def push_files(root: Path, **files: str) -> str:
    """Push files to the branch as another person, and return the commit."""
    folder = root.parent / "other"
    shell(root.parent, "rm -rf other && git clone -q --branch main origin.git other")
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    shell(folder, f"git add -A && git {SOMEBODY} commit -qm theirs && git push -q origin main")
    return shell(folder, "git rev-parse HEAD")


def ask_remote(root: Path, command: str) -> str:
    """Run a command in the remote repository and return its stdout."""
    return shell(root.parent / "origin.git", command)
