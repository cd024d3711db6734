"""DVC projects that several tests make."""

import json
import subprocess
from pathlib import Path

from gazette.pipeline.execution import run

ROOT = Path(__file__).parent.parent


def make_project(box: Path, stages: dict[str, object], folder: str = "project", **files: str) -> Path:
    """Makes a DVC project in `box`, as the fixture `dvc_project` does."""
    root = box / folder
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc" / "config").write_text("[core]\n    analytics = false\n    check_update = false\n")
    (root / ".gitignore").write_text("/.gazette\n/made_*\n")
    (root / "dvc.yaml").write_text(json.dumps({"stages": stages}))
    for name, text in files.items():
        (root / name.replace("__", ".")).write_text(text)
    git = "git init -q && git add -A && git -c user.name=t -c user.email=t@example.org commit -qm start"
    subprocess.run(git, shell=True, cwd=root, check=True)
    return root


def copying(name: str, *deps: str, then: str = "true", **more: object) -> dict[str, object]:
    """A stage that makes `made_<name>` of its deps; by default as fast as can be."""
    return {"cmd": f"cat {' '.join(deps)} > made_{name} && {then}", "deps": [*deps], "outs": [f"made_{name}"], **more}


SOMEBODY = "-c user.name=t -c user.email=t@example.org"

# Two stages that take no time, of raw data and a param.
PUBLISHED: dict[str, object] = {
    "start": copying("start", "raw"),
    "train": {
        "cmd": "cat made_start > made_train && echo ${seed} >> made_train && echo '{\"f1\": ${seed}}' > m.json",
        "deps": ["made_start"],
        "params": ["seed"],
        "outs": ["made_train"],
        "metrics": [{"m.json": {"cache": False}}],
    },
}


def said(folder: Path, command: str) -> str:
    done = subprocess.run(
        command, shell=True, cwd=folder, env=run.environment({}), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout.strip()


def make_published(box: Path) -> Path:
    """Makes a project that is up to date, and in `origin.git` and `store` beside it the remotes where all of it is."""
    root = make_project(box, PUBLISHED, params__yaml="seed: 7\n", unread="0\n", raw="1\n")
    said(root, "git branch -M main && git rm -q --cached raw && echo /raw >> .gitignore")
    said(root, "dvc remote add -q -d store ../store && dvc add -q raw && dvc repro -q && dvc push -q")
    said(root, f"git add -A && git {SOMEBODY} commit -qm ran && git init -q --bare -b main ../origin.git")
    said(root, "git remote add origin ../origin.git && git push -q origin main")
    return root


def changed(root: Path, seed: int = 8) -> str:
    """Another param at the remote, which the tree at `root` need not have; the commit."""
    return pushed(root, params__yaml=f"seed: {seed}\n")


def pushed(root: Path, **files: str) -> str:
    """Files at the branch's head, put there by somebody else."""
    other = root.parent / "other"
    said(root.parent, "rm -rf other && git clone -q --branch main origin.git other")
    for name, text in files.items():
        (other / name.replace("__", ".")).write_text(text)
    said(other, "git add -A && git commit -qm theirs && git push -q origin main")
    return said(other, "git rev-parse HEAD")


def at_remote(root: Path, what: str) -> str:
    return said(root.parent / "origin.git", what)
