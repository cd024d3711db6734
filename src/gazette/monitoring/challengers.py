"""The challenger of a corpus: what the gate says of it on the newest test rows, and its answers beside the champion."""

import json
import sys
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
from prefect_dvc import supervisor
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.environment import child_environment
from prefect_dvc.publishing import raw_data, worktree

from gazette.monitoring import history
from gazette.monitoring.history import Candidate
from gazette.monitoring.policy import PROPOSE, Challenger
from gazette.pipeline import dvclock
from gazette.registry import resolve, verdict, versions
from gazette.registry.store import address
from gazette.registry.store.model import RegisteredVersion
from gazette.registry.verdict import REJECT, Verdict
from gazette.serving.journal import read

CHALLENGER = "challenger"  # the alias
RECENT = timedelta(days=1)  # before a challenger appeared, in which a server that runs has answered

JudgeAt = Callable[[str], Verdict]  # the bundle that a commit's lock selects


def find_version(name: str, excluded: Collection[str]) -> RegisteredVersion | None:
    """Return the version with the alias; None if there is none, or if its digest is excluded."""
    model = versions.get_model(name)
    version = model.versions.get(model.aliases.get(CHALLENGER, ""))
    return None if version is None or version.digest in excluded else version


def assess(
    root: Path, version: RegisteredVersion, champion: str, head: str, journal: Path, judge: JudgeAt, now: datetime
) -> Challenger | None:
    """Return a challenger with its verdict against the champion, judged anew if the branch has another head.

    None if no commit's lock selects it: it cannot be promoted.
    """
    commit = newest_commit(version.digest, head)
    if commit is None:
        return None
    notes = history.read_notes(root, version.name)
    candidate = notes.candidate
    if candidate is None or candidate.digest != version.digest:
        candidate = Candidate(digest=version.digest, since=now)
        history.write_notes(root, version.name, candidate=candidate)
    if (candidate.commit, candidate.against) != (commit, champion):
        result = judge(commit)
        why = (f": {', '.join(result.unmet)}" if result.word == REJECT else result.rows_needed) + result.looks
        judged = {"commit": commit, "against": champion, "word": result.word, "why": why, "topic": ""}
        candidate = candidate.model_copy(update=judged)
        history.write_notes(root, version.name, candidate=candidate)
    shadow = count_shadow(journal, version.digest, candidate.since)
    about = (version.number, version.digest, candidate.since, candidate.word, candidate.why)
    return Challenger(*about, shadow, is_proposed=candidate.topic == PROPOSE)


def newest_commit(digest: str, head: str) -> str | None:
    """Return the branch's head if its lock selects a bundle, else the last commit in which it became selected."""
    lock = dvclock.load_or_none(head)
    if lock and lock.bundle == digest:
        return head
    return next(reversed(resolve.list_revisions(digest)), None)


def judge_at(root: Path, name: str, commit: str, prepare: Sequence[str] = ()) -> Verdict:
    """Judge the bundle that a commit selects against the champion, on the commit's test rows, in a worktree.

    Raises ConfigError if the gate cannot judge it.
    """
    with worktree.checkout(root, commit) as folder:
        raw_data.fetch_data(folder, prepare)
        words = ("gate", "--json", "--against", f"{name}@{versions.CHAMPION}")
        environment = child_environment({address.VARIABLE: address.absolute_uri(root)}, folder)
        done = supervisor.capture([sys.executable, "-m", "gazette", *words], environment, folder)
    if done.returncode not in (0, verdict.REJECTED):
        raise ConfigError(f"`gazette {' '.join(words)}` at {commit[:9]} ended with {done.returncode}:\n{done.stderr}")
    return verdict.from_record(json.loads(done.stdout))


def count_shadow(journal: Path, digest: str, since: datetime) -> int | None:
    """Return how many answers a challenger gave beside the champion; None if no server has answered."""
    source = pl.col("source")
    counts = read.scan(journal, since - RECENT).select(
        served=(source == "serve").sum(), shadow=((source == "shadow") & (pl.col("digest") == digest)).sum()
    )
    served, shadow = counts.collect(engine="streaming").row(0)
    return shadow if served else None
