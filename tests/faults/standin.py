"""A DVC project with the pipeline's graph and light stages, run as `gazette run` runs the real one."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from gazette.pipeline import inheritance

HERE = Path(__file__).parent
WORK = "python work.py"
PIPELINE = f"""\
stages:
  validate:
    cmd: {WORK} validate ${{seconds}} --from raw/news.csv --to data/validated.parquet data/quarantine.parquet
    deps: [raw/news.csv]
    outs: [data/validated.parquet, data/quarantine.parquet]
  preprocess:
    cmd: {WORK} preprocess ${{seconds}} --from data/validated.parquet --to data/train.parquet data/test.parquet
    params: [preprocess]
    deps: [data/validated.parquet]
    outs: [data/train.parquet, data/test.parquet]
  train:
    matrix: {{candidate: [linear, cnn, lstm]}}
    cmd: >-
      {WORK} train-${{item.candidate}} ${{seconds}} --from data/train.parquet params.yaml
      --to models/candidates/${{item.candidate}}/ reports/candidates/${{item.candidate}}.json && true
    params: [train]
    deps: [data/train.parquet]
    outs:
      - models/candidates/${{item.candidate}}
    metrics:
      - reports/candidates/${{item.candidate}}.json: {{cache: false}}
  select:
    cmd: {WORK} select ${{seconds}} --from models/candidates reports/candidates --to models/selected/
    deps: [models/candidates, reports/candidates]
    outs: [models/selected]
  evaluate:
    cmd: >-
      {WORK} evaluate ${{seconds}} --from models/selected data/test.parquet
      --to data/predictions.parquet reports/metrics.json
    deps: [models/selected, data/test.parquet]
    outs: [data/predictions.parquet]
    metrics:
      - reports/metrics.json: {{cache: false}}
  register:
    cmd: {WORK} register ${{seconds}} --from models/selected reports/metrics.json --to reports/receipt.json
    deps: [models/selected, reports/metrics.json]
    outs:
      - reports/receipt.json: {{cache: false, persist: true}}
"""
PARAMS = "seconds: {seconds}\npreprocess: {{seed: {seed}}}\ntrain: {{epochs: {seed}}}\n"
RUN = """\
import sys
from collections.abc import Sequence
from pathlib import Path
from prefect_dvc.recovery import guard
with guard.exclusive_run(Path()) as repairs:
    print(*repairs, sep="\\n", flush=True)
    code = guard.run_command([sys.executable, "-m", "dvc", "repro"], Path())
sys.exit(code)
"""
COMMAND = [sys.executable, "run.py"]
BARE = [sys.executable, "-m", "dvc", "repro"]


def environment() -> dict[str, str]:
    """Return the environment of a run: our commands first on the path, no user name from the home folder."""
    names = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
    return {
        **inheritance.clean(os.environ),  # TensorFlow, if a test imported it, sets variables
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(HERE.parent.parent / "src"),
        "DVC_NO_ANALYTICS": "1",
        "SHELL": "/bin/sh",
        **dict.fromkeys(names, "t"),
    }


def make(folder: Path, seconds: float = 0.1) -> Path:
    """Create the project, committed, before its first run."""
    (folder / "raw").mkdir(parents=True)
    (folder / "raw" / "news.csv").write_text("label,text\nsport,goal\ntrade,bank\n")
    shutil.copy(HERE / "work.py", folder)
    (folder / "run.py").write_text(RUN)
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / ".gitignore").write_text("/data\n/models\n/registry\n/reports/receipt.json\n/.gazette\n")
    set_params(folder, seconds, seed=1)
    for command in ("git init -q", "dvc init -q", "git add -A", "git commit -qm start"):
        subprocess.run(command.split(), cwd=folder, env=environment(), check=True)
    return folder


def set_params(folder: Path, seconds: float, seed: int) -> None:
    """Write other params, which every stage but `validate` depends on."""
    (folder / "params.yaml").write_text(PARAMS.format(seconds=seconds, seed=seed))


def start(folder: Path, log: Path, command: Sequence[str] = COMMAND) -> "subprocess.Popen[bytes]":
    """Start a run in its own session."""
    with log.open("wb") as file:
        return subprocess.Popen(
            command, cwd=folder, env=environment(), stdout=file, stderr=file, start_new_session=True
        )


def state(folder: Path) -> dict[str, str]:
    """Return the hash of each file that a run makes: outputs, dvc.lock, registry; and damaged objects of the cache."""
    paths = [folder / "dvc.lock", *(folder / "registry").rglob("*")]
    for name in ("data", "models", "reports"):
        paths += (folder / name).rglob("*")
    hashes = {str(path.relative_to(folder)): _hash(path) for path in sorted(paths) if path.is_file()}
    objects = (folder / ".dvc" / "cache" / "files" / "md5").glob("??/" + "?" * 30)
    return hashes | {f"{path} is damaged": "" for path in objects if _hash(path) != path.parent.name + path.name}


def _hash(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()
