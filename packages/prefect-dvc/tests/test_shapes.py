"""Projects in the shapes that public ones have: several dvc.yaml files, templates, frozen and kept outputs."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import warm
from flow_runs import Flow

from prefect_dvc.environment import child_environment

pytestmark = pytest.mark.slow

TRAIN = """
vars:
- HERE: pipelines/train
stages:
  load:
    cmd:
    - echo loaded > data/loaded
    - mkdir -p data/parts && cp data/loaded data/parts/first
    wdir: ../..
    deps: [data/raw]
    outs:
    - ${data.loaded}:
        cache: false
    - data/parts
  fit:
    cmd: cat ${data.loaded} ${HERE}/params.yaml > ${data.model}
    wdir: ../..
    deps: ["${data.loaded}"]
    params:
    - ${HERE}/params.yaml:
      - fit
    outs: ["${data.model}"]
"""
REPORTS = """
stages:
  pages:
    foreach: [north, south]
    do:
      cmd: cp ../../data/model ${item}.txt
      deps: [../../data/model]
      outs:
      - ${item}.txt:
          persist: true
  index:
    matrix:
      who: [a, b]
      size: [1, 2]
    cmd: cat north.txt south.txt > index-${item.who}-${item.size}.txt
    deps: [north.txt, south.txt]
    outs:
    - index-${item.who}-${item.size}.txt:
        cache: false
"""
TOP = """
stages:
  delivered:
    cmd: exit 1
    frozen: true
    outs: [data/delivered]
  sum:
    cmd: cat data/delivered pipelines/reports/index-a-1.txt pipelines/reports/index-b-2.txt > sum.json
    deps: [data/delivered, pipelines/reports/index-a-1.txt, pipelines/reports/index-b-2.txt]
    metrics:
    - sum.json:
        cache: false
"""


@pytest.fixture
def root(dvc_project: Callable[..., Path]) -> Path:
    root = dvc_project({})
    for file, text in (
        ("dvc.yaml", TOP),
        ("pipelines/train/dvc.yaml", TRAIN),
        ("pipelines/train/params.yaml", "fit: {rate: 1e-3}\ndata: {loaded: data/loaded, model: data/model}\n"),
        ("pipelines/reports/dvc.yaml", REPORTS),
        ("data/raw", "raw\n"),
        ("data/delivered", "1\n"),
    ):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)
    dvc(root, "commit", "--force", "--quiet", "delivered")
    return root


def dvc(root: Path, *words: str) -> None:
    environment = child_environment({}) | warm.environment()
    subprocess.run([sys.executable, "-m", "dvc", *words], cwd=root, env=environment, check=True)


def contents(root: Path) -> dict[str, bytes]:
    """Return all files but .gitignore, to which DVC adds the outputs as they come."""
    hidden = {".git", ".dvc", ".gitignore"}
    files = [path for path in root.rglob("*") if path.is_file() and not hidden & {*path.parts}]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def test_every_lock_and_output_is_that_of_dvc_repro(flow: Flow, root: Path) -> None:
    twin = root.with_name("twin")
    shutil.copytree(root, twin, symlinks=True)
    dvc(twin, "repro", "--all-pipelines", "--quiet")
    flow(root, "--workers", "4")
    assert contents(root) == contents(twin)
    assert flow.states()["delivered"] == "Unchanged" and len(flow.states()) == 10
    (root / "data" / "raw").write_text("more\n")
    flow(root, "--target", "pipelines/train/dvc.yaml:fit")
    assert flow.states() == {"pipelines/train/dvc.yaml:load": "Ran", "pipelines/train/dvc.yaml:fit": "Unchanged"}
