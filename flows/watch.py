"""The flow `watch`: it asks for labels, trains, promotes and rolls back as section `retrain` of params.yaml says."""

import os
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State, StateType
from prefect.events import emit_event
from prefect.runtime import flow_run
from prefect_dvc import git_environment, locks, supervisor
from prefect_dvc.core.errors import CommandError, parse
from prefect_dvc.flows.failures import failed
from prefect_dvc.publishing import worktree

from flows import notify
from flows.retrain import retrain
from gazette.evaluation.gate import promotion as gated
from gazette.monitoring import asking, challengers, corrections, history, observe, policy, settle
from gazette.monitoring.observation import Observation
from gazette.monitoring.policy import Action, Challenger, History
from gazette.pipeline import cmdline, state
from gazette.registry import ledger, promotion
from gazette.registry.promotion import Decision, PromotionResult
from gazette.registry.store import address
from gazette.registry.verdict import Verdict

LOCK = "watch.lock"


@flow(name="watch", persist_result=False, on_failure=[notify.notify_failure], on_crashed=[notify.notify_failure])
def watch(
    root: str = ".",
    branch: str = "main",
    remote: str = "",
    workers: int = 2,
    runner: str = "processes",
    prepare: list[str] | None = None,
) -> State:
    """Observe the champion of the project at `root`, and do what is to do until nothing is left.

    A training runs as the flow `retrain` with these parameters does. Of the tree at `root` only the ledger is written.
    """
    supervisor.exit_with_parent()
    home = Path(root).resolve()
    git_environment.forget_caller()
    os.environ |= git_environment.without_hooks(os.environ)
    os.environ["MLFLOW_TRACKING_URI"] = address.absolute_uri(home)
    options = {"branch": branch, "remote": remote, "workers": workers, "runner": runner, "prepare": prepare or []}
    try:
        with chdir(home), _alone(home):
            actions = _watch(home, options)
    except CommandError as error:
        return failed(error)
    lines = [f"{action.kind}: {action.reason}" for action in actions]
    return State(type=StateType.COMPLETED, message="\n".join(lines), data=actions)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    lock = state.state_folder(home) / LOCK
    with locks.file_lock(lock, "another run of the flow watch is at work here"), locks.signed(lock):
        yield


def _watch(home: Path, options: dict[str, Any]) -> list[Action]:
    params = cmdline.read_params()
    rules = parse(policy.Params, params["retrain"], "params.yaml, section retrain")
    project = Project(home, params["corpus"], options)
    if ledger.last_entry(ledger.read_ledger(), project.name) and (finished := promotion.finish(project.name)):
        get_run_logger().warning("\n".join(finished))
        notify.send(f"{project.name}: finished what was interrupted", "\n".join(finished))
    actions = settle.settle(home, project.name, rules, project, lambda: datetime.now(UTC))
    get_run_logger().info(f"{actions[-1].kind}: {actions[-1].reason}")
    return actions


@dataclass(frozen=True)
class Project:
    """The project in the working directory, whose corpus is `name`, as a run sees and changes it."""

    home: Path
    name: str
    options: dict[str, Any]  # of a training

    def observe(self, past: History, now: datetime) -> Observation:
        """Return what the monitor sees of the champion."""
        return observe.observe(self.home, self.name, now, trained_at=past.trained_at)

    def find_challenger(self, observation: Observation, past: History, now: datetime) -> Challenger | None:
        """Return the challenger with its verdict at the branch's head."""
        version = challengers.find_version(self.name, {observation.digest, *past.suppressed})
        if version is None:
            return None
        head = worktree.find_head(self.home, self.options["branch"], self.options["remote"])
        journal = self.home / observe.JOURNAL
        return challengers.assess(self.home, version, observation.digest, head, journal, self._judge, now)

    def ask(self, rows: int | None, when: datetime) -> str:
        """Draw articles for people to label."""
        return asking.ask(self.home, self.name, rows, when)

    def train(self) -> str:
        """Add people's answers to the corpus at the head of the branch, and retrain there."""
        branch, remote, prepare = (self.options[key] for key in ("branch", "remote", "prepare"))
        log = get_run_logger().info
        answers = corrections.read_answers(self.home)
        if corrections.publish_answers(self.home, self.name, answers, branch, remote, prepare, log):
            log(f"{len(answers):,} answers are in {self.name} on {branch}")
        result = retrain(root=str(self.home), **self.options, return_state=True)
        outcome: Any = result.result(raise_on_failure=False)
        if isinstance(outcome, BaseException):
            raise outcome
        return result.message or ""

    def promote(self, version: str, reason: str) -> str:
        """Promote a version, judged once more where it was judged last."""
        return _keep(gated.promote(version, self._decision(reason), get_run_logger().info, self._judge_again))

    def roll_back(self, reason: str) -> str:
        """Make the previous champion the champion again."""
        return _keep(promotion.roll_back(self.name, self._decision(reason)))

    def tell(self, action: Action, outcome: str) -> None:
        """Log an action, emit an event and send a notification."""
        text = "\n".join(filter(None, [action.reason, outcome]))
        get_run_logger().info(f"{action.kind}: {text}")
        resource = {"prefect.resource.id": f"gazette.corpus.{self.name}"}
        emit_event(f"gazette.watch.{action.kind}", resource, payload={"reason": action.reason, "outcome": outcome})
        notify.send(f"{self.name}: {action.kind.replace('_', ' ')}", text)

    def _decision(self, reason: str) -> Decision:
        return Decision(f"the flow watch ({flow_run.name})", reason)

    @property
    def _judge(self) -> challengers.JudgeAt:
        return partial(challengers.judge_at, self.home, self.name, prepare=self.options["prepare"])

    def _judge_again(self, folder: Path) -> Verdict:
        candidate = history.read_notes(self.home, self.name).candidate
        assert candidate is not None
        return self._judge(candidate.commit)


def _keep(result: PromotionResult) -> str:
    entry = result.entry
    message = f'git add {ledger.PATH} && git commit -m "{entry.kind}: {entry.name} {entry.to.version}"'
    return f"version {entry.to.version} is champion; to keep it: {message}"
