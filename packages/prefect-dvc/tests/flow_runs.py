"""Flow runs as processes, and what a Prefect server knows of them."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import warm

from prefect_dvc.environment import child_environment

SEARCH_PATH: list[str] = []  # of flows that are not installed


class Flow:
    """Runs the flow in a project, and queries the server."""

    def __init__(self, address: str, home: Path) -> None:
        self.address = address
        self.environment = child_environment(
            {"PREFECT_API_URL": address, "PREFECT_HOME": str(home), "PYTHONPATH": os.pathsep.join(SEARCH_PATH)}
        )

    def start(self, root: Path, *options: str, **extra: str) -> "subprocess.Popen[str]":
        """Run the project's stages, or another program if `options` begin with `-c` or `-m`."""
        program = [] if options[:1] in (("-c",), ("-m",)) else ["-m", "prefect_dvc", "run"]
        return subprocess.Popen(
            [sys.executable, *program, *options],
            cwd=root,
            env={**self.environment, **extra},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    @property
    def warm(self) -> dict[str, str]:
        """The variables with which a run forks from a process that has imported Prefect."""
        variables = warm.environment(warm.FLOWS, self.environment)
        return variables | {"PYTHONPATH": os.pathsep.join([variables["PYTHONPATH"], *SEARCH_PATH])}

    def __call__(self, root: Path, *options: str, code: int = 0, **extra: str) -> str:
        process = self.start(root, *options, **self.warm | extra)
        output, _ = process.communicate(timeout=180)
        assert process.returncode == code, output
        return output

    def ask(self, what: str, **body: object) -> list[dict[str, Any]]:
        data = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/{what}/filter", data, {"Content-Type": "application/json"})
        answer: list[dict[str, Any]] = json.load(urllib.request.urlopen(request))
        return answer

    def last(self) -> dict[str, Any]:
        return self.ask("flow_runs", sort="START_TIME_DESC", limit=1)[0]

    def tasks(self) -> dict[str, dict[str, Any]]:
        runs = self.ask("task_runs", flow_runs={"id": {"any_": [self.last()["id"]]}})
        return {run["name"]: run for run in runs}

    def states(self) -> dict[str, str]:
        return {name: run["state_name"] for name, run in self.tasks().items()}

    def page(self) -> str:
        """Return the Markdown of the last run, columns unaligned."""
        return re.sub(" +", " ", self.ask("artifacts", flow_runs={"id": {"any_": [self.last()["id"]]}})[0]["data"])

    def log(self, stage: str) -> list[str]:
        """Return a stage's output on the server."""
        wanted = {"task_run_id": {"any_": [self.tasks()[stage]["id"]]}}
        return [line["message"] for line in self.ask("logs", logs=wanted, sort="TIMESTAMP_ASC")]


def until(happened: Callable[[], bool], within: float = 180) -> None:
    """Wait for what must happen; `within` is shorter only if it would happen by itself later.

    Pauses grow with the wait: ten queries a second take a fifth of a core from a Prefect server.
    """
    begin = time.monotonic()
    while not happened():
        waited = time.monotonic() - begin
        assert waited < within, "it did not happen in time"
        time.sleep(min(max(0.1, waited / 20), 2))
