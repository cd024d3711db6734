"""DVC projects that several tests make."""

import json
import subprocess
from pathlib import Path


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
