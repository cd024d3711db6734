"""Clones that decide at the same moment, each in a process of its own: `python promoters.py` in a clone.

It reads lines with a moment and a word, a number of a version or `rollback`, and answers each with one of JSON.
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect_dvc.core.errors import CommandError

from gazette.registry import promotion, resolve, versions
from gazette.registry.promotion import Decision
from gazette.registry.verdict import Verdict
from gazette.registry.versions import ResolvedModel

NAME = "raced"


class Promoter:
    """The process in a clone."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, __file__],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, moment: float, word: str) -> None:
        assert self.process.stdin
        print(moment, word, file=self.process.stdin, flush=True)

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout
        record: dict[str, Any] = json.loads(self.process.stdout.readline())
        return record

    def ledger(self) -> str:
        return (self.folder / "ledger.jsonl").read_text()

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()


def decide(word: str) -> dict[str, Any]:
    who = Decision(Path.cwd().name, "the tests", "again after a rollback")
    try:
        if word == "rollback":
            result = promotion.roll_back(NAME, who)
        else:
            verdict = Verdict("accept", f"{word}.dir", "c" * 40, NAME, None, [], {})
            result = promotion.promote(NAME, word, who, lambda folder: verdict, lambda *_: [])
    except CommandError as error:
        return {"code": error.code, "text": str(error)}
    return {"code": 0, "text": result.entry.line(), "is_new": result.is_new}


def main() -> None:
    vars(versions)["find_model"] = lambda reference: ResolvedModel(
        reference, Path(), f"{reference[-1]}.dir", NAME, reference[-1]
    )
    vars(resolve)["list_revisions"] = lambda digest: ["r" * 40]
    for line in sys.stdin:
        moment, word = line.split()
        time.sleep(max(0.0, float(moment) - time.time()))
        print(json.dumps(decide(word)), flush=True)


if __name__ == "__main__":
    main()
