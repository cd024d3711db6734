"""Clones of this project with a small corpus, in which the whole pipeline runs in a minute and without a network."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import warm
from prefect_dvc.environment import source_folders
from root import ROOT
from ruamel.yaml import YAML

WORDS = {
    "sports": ["goal", "match", "coach", "league", "striker", "season"],
    "business": ["shares", "bank", "profit", "market", "merger", "forecast"],
}
OTHERS = ["the", "of", "after", "year", "said", "new", "on", "with", "more", "week"]
DESCRIPTION = """\
language: en
labels: [business, sports]
files: {train: [{format: csv, path: news.csv, header: true, text: [title, body], label: label}]}
source: made by the tests
terms: none
"""
SMALL = {
    "validate": {"min_rows": 50},
    "train": {"resamples": 100},
    "evaluate": {"resamples": 100, "min_slice_rows": 5},
    "linear": {"buckets": 1024},
    "cnn": {"embedding": 8, "filters": 8, "widths": [2], "epochs": 2},
}
GUARD = """\
import os, socket
_real = socket.getaddrinfo
def _guarded(host, *rest, **more):
    if host not in (None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0", b"localhost"):
        with open(os.environ["GAZETTE_LOOKED_UP"], "a") as file:
            print(host, file=file)
        raise socket.gaierror(f"the tests forbid lookups, here of {host}")
    return _real(host, *rest, **more)
socket.getaddrinfo = _guarded
"""


class Project:
    """A clone with a small corpus; every command in it runs without a network, from a warm process."""

    def __init__(self, folder: Path, guard: Path) -> None:
        self.folder = folder
        self.lookups = guard / "looked_up"
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(guard),
            "PYTHONPATH": os.pathsep.join(map(str, [guard, *source_folders(folder)])),
            "GAZETTE_LOOKED_UP": str(self.lookups),
            "LANG": "C.UTF-8",
            warm.STAGES: warm.address(warm.STAGES),
            "GAZETTE_PASS": warm.STAGES,  # or the stages of `gazette run` would import all of it
            **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "t"),
            **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "t@example.org"),
        }

    def cold(self) -> dict[str, str]:
        """Return the environment in which every command imports what it needs itself."""
        return self.environment | {warm.STAGES: ""}

    def __call__(self, command: str, code: int = 0) -> str:
        result = subprocess.run(
            command, shell=True, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == code, result.stdout + result.stderr
        return result.stdout + result.stderr

    def set(self, **sections: object) -> None:
        yaml = YAML()
        path = self.folder / "params.yaml"
        numbers = yaml.load(path)
        for name, changes in sections.items():
            if isinstance(changes, dict):
                (numbers["models"].get(name) or numbers[name]).update(changes)
            else:
                numbers[name] = changes
        yaml.dump(numbers, path)

    def listing(self) -> dict[str, tuple[int, int]]:
        """Return time and size of every file but those that DVC and git write when they read."""
        files = {str(path.relative_to(self.folder)): path for path in self.folder.rglob("*") if path.is_file()}
        own = (".git/", ".dvc/tmp/")
        return {
            name: (path.stat().st_mtime_ns, path.stat().st_size)
            for name, path in files.items()
            if not name.startswith(own) and "__pycache__" not in path.parts
        }

    def keep(self) -> None:
        """Keep the folder as it is, for `restore`."""
        shutil.copytree(self.folder, self.folder.with_suffix(".kept"), symlinks=True)

    def restore(self) -> None:
        """Make the folder what it was when it was kept."""
        subprocess.run(["rm", "-rf", str(self.folder)], check=True)
        subprocess.run(["cp", "-a", str(self.folder.with_suffix(".kept")), str(self.folder)], check=True)

    def edit(self, before: str, after: str) -> None:
        path = self.folder / "params.yaml"
        path.write_text(path.read_text().replace(before, after))

    def states(self) -> dict[str, str]:
        """Return the state of each stage in the output of `gazette run`."""
        lines = self("gazette run").splitlines()
        rows = (line.split() for line in lines)
        return {words[0]: words[1] for words in rows if len(words) == 2 and words[1] in ("ran", "unchanged")}

    def ask(self, code: str) -> str:
        """Return the output of a program that has MLflow, but neither TensorFlow, Keras nor Gazette."""
        forbid = "import sys; sys.modules.update(dict.fromkeys(['tensorflow', 'keras', 'gazette']))\n"
        start = "import mlflow; mlflow.set_tracking_uri('sqlite:///mlflow.db'); client = mlflow.MlflowClient()\n"
        script = self.folder.parent / "ask.py"
        script.write_text(forbid + start + textwrap.dedent(code))
        return self(f"python '{script}' 2>/dev/null").strip()


def write_news(path: Path, rows: int = 120) -> None:
    draw = np.random.default_rng(3)
    lines = ["label,title,body"]
    for number in range(rows):
        label = list(WORDS)[number % 2]
        words = draw.choice(WORDS[label] + OTHERS, size=16)
        lines.append(f"{label},{' '.join(words[:4])} {number},{' '.join(words[4:])}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def copy_project(folder: Path, guard: Path, skip: tuple[str, ...] = ()) -> Project:
    """Copy the files that git tracks or would track, but for those whose path starts with one of `skip`."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    for name in filter(None, listed):
        if (ROOT / name).exists() and not name.startswith(skip):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    guard.mkdir(parents=True, exist_ok=True)
    (guard / "sitecustomize.py").write_text(GUARD + warm.hand_over())
    return Project(folder, guard)


def clone(folder: Path, guard: Path) -> Project:
    """Make a clone whose params.yaml has a small corpus and small models, without results."""
    project = copy_project(folder, guard, skip=("dvc.lock", "reports/", "data/raw/"))
    (folder / "data" / "corpora" / "tiny.yaml").write_text(DESCRIPTION)
    write_news(folder / "data" / "raw" / "tiny" / "news.csv")
    project.set(corpus="tiny", candidates=["linear", "cnn"], **SMALL)
    shared = Path(warm.address(warm.STAGES)).with_name("charts")  # a second to bundle
    shared.mkdir(exist_ok=True)
    (folder / ".gazette").mkdir()
    (folder / ".gazette" / "charts").symlink_to(shared)
    project("git init -q && dvc add -q data/raw/tiny && git add -A && git commit -qm start")
    return project


def share(project: Project, folder: Path) -> Project:
    """Clone a project by git, with its branch at `origin.git` beside it, to which both push."""
    origin = project.folder.with_name("origin.git")
    if not origin.exists():
        project(f"git init -q --bare -b main '{origin}' && git branch -M main && git remote add origin '{origin}'")
    project("git push -q -u origin main")
    project(f"git clone -q '{origin}' '{folder}'")
    guard = Path(project.environment["HOME"])
    copy = Project(folder, guard)
    copy.environment |= {**project.environment, "PYTHONPATH": copy.environment["PYTHONPATH"]}
    return copy
