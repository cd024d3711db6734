"""The review of a proposed change: its run, the gate against its base, and the differences between the two."""

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from prefect_dvc import git
from prefect_dvc.core.errors import CommandError, DataContractError
from prefect_dvc.core.escape import escape_path
from prefect_dvc.recovery import guard

from gazette.core import tables
from gazette.evaluation.ci import breach, checkout, staleness
from gazette.evaluation.ci.base import Base, find_base
from gazette.evaluation.ci.breach import Breach
from gazette.evaluation.ci.checkout import OnLine
from gazette.evaluation.ci.staleness import Staleness
from gazette.evaluation.diff.difference import diff_revisions
from gazette.evaluation.gate.baseline import check_corpus
from gazette.evaluation.gate.judge import judge
from gazette.pipeline import cmdline, dvclock
from gazette.pipeline.dvclock import DvcLock
from gazette.registry.verdict import REJECTED, Verdict

MAX_FLIPPED = 10  # articles that are listed
JUDGES = (
    "src/gazette/evaluation/gate/", "src/gazette/evaluation/ci/", "src/gazette/data/validation/",
    "src/gazette/registry/verdict.py", ".ci/",
)  # fmt: skip
CI = (
    ".github/", ".gitlab", ".circleci/", ".buildkite/", ".forgejo/", ".gitea/", ".woodpecker", ".drone.", "Jenkinsfile",
    "azure-pipelines", "bitbucket-pipelines",
)  # fmt: skip
JUDGING_FILES = ".cases.yaml"  # a corpus's hand-written cases
JUDGING_PARAMS = ("gate.", "validate.")  # sections of params.yaml, and of the corpus's description


@dataclass(frozen=True)
class Review:
    """The review of a change; what could not be determined is None or empty, and `message` says why."""

    code: int
    head: str
    base: Base | None = None
    behind: int = 0  # commits of the base that are not in the head
    uncommitted: list[str] = field(default_factory=list)
    verdict: Verdict | None = None
    params: list[dict[str, Any]] = field(default_factory=list)  # name, before, after
    judges: list[str] = field(default_factory=list)  # files and params that judge the change and are changed by it
    lock: Staleness = field(default_factory=Staleness)
    difference: dict[str, Any] = field(default_factory=dict)  # a record of gazette.evaluation.diff.difference
    flipped: list[dict[str, Any]] = field(default_factory=list)  # the first of them, with `excerpt` if requested
    breach: Breach | None = None  # if validation stopped the run
    message: str = ""
    notes: list[str] = field(default_factory=list)


def review_change(revision: str, on_line: OnLine, excerpt: int = 0, allow_stale_lock: bool = False) -> Review:
    """Run the pipeline in this tree and judge the result against the base `revision`; lines go to `on_line`.

    The code is 0 if accepted; 1 if rejected, inconclusive, or if the lock does not belong to the change; 2, 3 and 70 as
    for any command. `excerpt`: characters of each flipped article.
    """
    start = Review(code=0, head=git.resolve_commit("HEAD"))
    try:
        commit = git.resolve_commit(revision)  # before anything that takes long
        if state := dvclock.load_or_none(commit):
            dvclock.check_layout(state)
        params = cmdline.read_params()
        base_params = DvcLock(commit, {}).params()
        changes = dvclock.diff_values(base_params, params)
        start = replace(
            start,
            behind=int(git.run("rev-list", "--count", f"HEAD..{commit}", *_inside_project())),
            uncommitted=[
                escape_path(path) for path in git.list_names("diff", "--relative", "--name-only", "-z", "HEAD")
            ],
            params=changes,
            judges=changed_judges(commit, changes),
        )
        if their_corpus := base_params.get("corpus"):  # a base without any has a message of its own
            check_corpus(revision, their_corpus, str(params["corpus"]))
        review = _run(start, params, on_line)
        if review.code:
            return review
        return _judge(review, revision, cmdline.stage_paths(params), excerpt, allow_stale_lock, on_line)
    except CommandError as error:
        return replace(start, code=error.code, message=str(error))


def _run(start: Review, params: dict[str, Any], on_line: OnLine) -> Review:
    notes = checkout.fetch_inputs(Path(), on_line)
    lines: list[str] = []
    command = [sys.executable, "-m", "gazette", "run"]
    try:
        code = guard.run_command(command, Path(), checkout.tee(lines, on_line))
    except guard.EndedBySignal as end:
        code = int(end.code or 0)
    if not code:
        return replace(start, notes=notes)
    invalid = code == DataContractError.code and any("failed to reproduce 'validate'" in line for line in lines)
    paths, allowed = cmdline.stage_paths(params)["validate"], params["validate"]["max_quarantined"]
    broken = breach.read_breach(paths, allowed) if invalid else None
    return replace(start, notes=notes, code=code, message=failure_reason(lines), breach=broken)


def _judge(
    start: Review, revision: str, paths: dict[str, dict[str, str]], excerpt: int, allow_stale: bool, on_line: OnLine
) -> Review:
    base = find_base(Path(), revision, paths["evaluate"]["bundle"], on_line)
    verdict = judge(base.compared)
    committed = (dvclock.load_or_none("HEAD") or DvcLock("HEAD", {})).stages
    stale = staleness.compare_locks(committed, dvclock.load(None).stages)
    difference = diff_revisions(base.compared)
    return replace(
        start,
        code=verdict.code or (REJECTED if stale.inputs and not allow_stale else 0),
        base=base,
        verdict=replace(verdict, baseline={**(verdict.baseline or {}), "reference": revision}),
        lock=stale,
        difference=asdict(difference),
        flipped=_add_excerpts(difference.flipped[:MAX_FLIPPED], Path(paths["evaluate"]["test"]), excerpt),
        notes=[*start.notes, *difference.unknown, *difference.weak],
    )


def failure_reason(lines: Sequence[str]) -> str:
    """Extract why a run failed from its output: Gazette's last message, or else the last line."""
    if (ended := [line for line in lines if line.startswith("ended by signal ")]) or not lines:
        return ended[-1] if ended else "the run ended without output"
    starts = [number for number, line in enumerate(lines) if line.startswith("gazette: ")]
    if not starts:
        return lines[-1]
    rest = lines[starts[-1] :]
    end = next((number for number, line in enumerate(rest) if re.match(r"ERROR|failed to reproduce", line)), len(rest))
    return "\n".join(rest[:end]).removeprefix("gazette: ")


def changed_judges(commit: str, params: Sequence[dict[str, Any]]) -> list[str]:
    """List the judging files that differ from `commit`, and the judging params among those that changed.

    Paths are relative to the project, which may be in a subfolder; CI's own files are at the top of the repository.
    Without renames: a judge that is moved away counts as deleted.
    """
    home = git.prefix()
    changed = git.list_names("diff", "--no-renames", "--name-only", "-z", commit)  # from the top of the repository
    judges = [os.path.relpath(path, home) for path in changed if path.startswith(CI) or _is_judge(path, home)]
    return [escape_path(path) for path in judges] + [
        param["name"] for param in params if param["name"].startswith(JUDGING_PARAMS)
    ]


def _is_judge(path: str, home: Path) -> bool:
    if not Path(path).is_relative_to(home):
        return False
    return path.endswith(JUDGING_FILES) or os.path.relpath(path, home).startswith((*JUDGES, *CI))


def _inside_project() -> list[str]:
    """Return the words that limit commits to the project; none at the top of the repository."""
    return ["--", "."] if git.prefix() != Path() else []


def _add_excerpts(rows: Sequence[dict[str, Any]], test: Path, characters: int) -> list[dict[str, Any]]:
    if not characters:
        return list(rows)
    articles = tables.read_parquet(test, columns=["text", "file", "line"]).iter_rows()
    texts = {(file, line): text[:characters] for text, file, line in articles}
    return [row | {"excerpt": texts.get((row["file"], row["line"]), "")} for row in rows]
