"""What a proposed change comes to: its run, the gate against its base, and what makes the two differ."""

import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from gazette.core import files as records
from gazette.core.errors import BrokenContract, Stop
from gazette.evaluation.ci import base, breach, checkout, staleness
from gazette.evaluation.ci.base import Base
from gazette.evaluation.ci.breach import Breach
from gazette.evaluation.ci.checkout import Hear
from gazette.evaluation.ci.staleness import Staleness
from gazette.evaluation.diff.difference import difference
from gazette.evaluation.gate.judge import judge
from gazette.pipeline import cmdline, dvclock, git
from gazette.pipeline.dvclock import State
from gazette.pipeline.recovery import guard
from gazette.registry.verdict import REJECTED, Verdict

FLIPPED = 10  # articles that are told
JUDGES = (
    "src/gazette/evaluation/gate/", "src/gazette/evaluation/ci/", "src/gazette/data/validation/",
    "src/gazette/registry/verdict.py", ".github/", ".ci/",
)  # fmt: skip  # and cases of a corpus
JUDGING = ("gate.", "validate.")  # sections of params.yaml


@dataclass(frozen=True)
class Account:
    """All that is told of a change; what could not be found out is None or empty, and `message` says why."""

    code: int
    head: str
    base: Base | None = None
    behind: int = 0  # commits that the base has and the head has not
    uncommitted: list[str] = field(default_factory=list)
    verdict: Verdict | None = None
    params: list[dict[str, Any]] = field(default_factory=list)  # name, before, after
    judges: list[str] = field(default_factory=list)  # files and params that judge the change, and are changed by it
    lock: Staleness = field(default_factory=Staleness)
    difference: dict[str, Any] = field(default_factory=dict)  # as gazette.evaluation.diff.difference has it
    flipped: list[dict[str, Any]] = field(default_factory=list)  # the first of them, with `excerpt` where asked for
    breach: Breach | None = None  # where validation stopped the run
    message: str = ""
    notes: list[str] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def draw_up(asked: str, hear: Hear, excerpt: int = 0, allow_stale_lock: bool = False) -> Account:
    """Runs the pipeline in this tree and judges what it made against the base `asked`; each line to `hear`.

    The code is 0 accepted, 1 rejected or cannot tell, or a lock that does not belong to the change; 2, 3 and 70 as of
    any command. `excerpt`: characters of each article that flipped.
    """
    start = Account(code=0, head=git.commit("HEAD"))
    try:
        commit = git.commit(asked)  # before anything that takes long
        numbers = records.read_yaml(Path("params.yaml"))
        params = dvclock.differing(State(commit, {}).yaml("params.yaml"), numbers)
        start = replace(
            start,
            behind=int(git.said("rev-list", "--count", f"HEAD..{commit}")),
            uncommitted=git.said("diff", "--relative", "--name-only", "HEAD").splitlines(),
            params=params,
            judges=_judges(git.said("diff", "--relative", "--name-only", commit).splitlines(), params),
        )
        ran = _run(start, numbers, hear)
        return ran if ran.code else _judge(ran, asked, cmdline.paths(numbers), excerpt, allow_stale_lock, hear)
    except Stop as stop:
        return replace(start, code=stop.code, message=str(stop))


def _run(start: Account, numbers: dict[str, Any], hear: Hear) -> Account:
    notes = checkout.bring(Path(), hear)
    said: list[str] = []

    def both(line: str) -> None:
        said.append(line)
        hear(line)

    code = guard.run([sys.executable, "-m", "gazette", "run"], Path(), both)
    if not code:
        return replace(start, notes=notes)
    invalid = code == BrokenContract.code and any("failed to reproduce 'validate'" in line for line in said)
    validated, allowed = cmdline.paths(numbers)["validate"], numbers["validate"]["max_quarantined"]
    found = breach.read(validated, allowed) if invalid else None
    return replace(start, notes=notes, code=code, message=reason(said), breach=found)


def _judge(
    start: Account, asked: str, paths: dict[str, dict[str, str]], excerpt: int, allow: bool, hear: Hear
) -> Account:
    found = base.find(Path(), asked, paths["evaluate"]["bundle"], hear)
    verdict = judge(found.compared)
    stale = staleness.compare((dvclock.of("HEAD") or State("HEAD", {})).stages, dvclock.at(None).stages)
    differing = difference(found.compared)
    return replace(
        start,
        code=verdict.code or (REJECTED if stale.inputs and not allow else 0),
        base=found,
        verdict=replace(verdict, other={**(verdict.other or {}), "asked": asked}),
        lock=stale,
        difference=differing.record(),
        flipped=_quoted(differing.flipped[:FLIPPED], Path(paths["evaluate"]["test"]), excerpt),
        notes=[*start.notes, *differing.unknown, *differing.weak],
    )


def reason(said: Sequence[str]) -> str:
    """Of what a run said, why it ended: the last thing that Gazette itself said, or else the last line."""
    starts = [place for place, line in enumerate(said) if line.startswith("gazette: ")]
    if not starts:
        return said[-1] if said else "the run ended without a word"
    rest = said[starts[-1] :]
    end = next((place for place, line in enumerate(rest) if re.match(r"ERROR|failed to reproduce", line)), len(rest))
    return "\n".join(rest[:end]).removeprefix("gazette: ")


def _judges(files: Sequence[str], params: Sequence[dict[str, Any]]) -> list[str]:
    touched = [path for path in files if path.startswith(JUDGES) or path.endswith(".cases.yaml")]
    return touched + [one["name"] for one in params if one["name"].startswith(JUDGING)]


def _quoted(rows: Sequence[dict[str, Any]], test: Path, characters: int) -> list[dict[str, Any]]:
    if not characters:
        return list(rows)
    places = pl.read_parquet(test, columns=["text", "file", "line"]).iter_rows()
    texts = {(file, line): text[:characters] for text, file, line in places}
    return [row | {"excerpt": texts.get((row["file"], row["line"]), "")} for row in rows]
